//! Which files are made of which.

use std::collections::BTreeSet;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::config::Config;
use super::loader::{FILTER, Loader};
use super::pattern::{glob_finds, path_matches};
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{Files, Kind, TreePath};
use crate::template::{Engine, Settings, Undefined};

/// What is done with an input file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is a template.
    Render,
    /// It is copied as it is.
    Copy,
}

/// An output file and the input that makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The input.
    pub input: TreePath,
    /// Its name as a template: the path below its input directory.
    pub name: String,
    /// Where it is written, below the output directory.
    pub output: TreePath,
    /// What is done.
    pub action: Action,
}

/// The largest number of files below the inputs: a bound on a hostile tree of links.
const MAX_FILES: usize = 100_000;

/// Lists what a configuration makes, in makejinja's order: inputs in order, files sorted, the first wins.
pub fn plan(config: &Config, files: &dyn Files) -> Result<Vec<Planned>> {
    let mut planned = Vec::new();
    let mut taken = BTreeSet::new();
    for input in &config.inputs {
        match files.kind(input)? {
            Some(Kind::Directory) => directory(config, files, input, &mut taken, &mut planned)?,
            Some(Kind::File) => {
                let name = input.file_name().to_owned();
                take(
                    config,
                    input.clone(),
                    name,
                    Action::Render,
                    &mut taken,
                    &mut planned,
                );
            }
            None => {
                let phrase = format!("the input {input} does not exist");
                return Err(Diagnostic::new(Code::FileMissing, phrase)
                    .at(Place::file(config.path.as_str())));
            }
        }
    }
    Ok(planned)
}

fn directory(
    config: &Config,
    files: &dyn Files,
    input: &TreePath,
    taken: &mut BTreeSet<TreePath>,
    planned: &mut Vec<Planned>,
) -> Result<()> {
    let below = walk(files, input)?;
    let base = config.path.parent().unwrap_or_else(TreePath::root);
    for pattern in &config.include_patterns {
        for name in below.iter().filter(|name| glob_finds(pattern, name)) {
            let Some(path) = input.join(name).filter(|p| !is_left_out(config, p)) else {
                continue;
            };
            let shown = path.relative_to(&base);
            if config
                .exclude_patterns
                .iter()
                .any(|p| path_matches(p, &shown))
            {
                continue;
            }
            let is_template =
                config.jinja_suffix.is_empty() || suffix(path.file_name()) == config.jinja_suffix;
            let action = if is_template {
                Action::Render
            } else {
                Action::Copy
            };
            take(config, path, name.clone(), action, taken, planned);
        }
    }
    Ok(())
}

/// Whether a configuration takes a file of one of its input directories.
pub fn takes(config: &Config, input: &TreePath, path: &TreePath) -> bool {
    let base = config.path.parent().unwrap_or_else(TreePath::root);
    let (name, shown) = (path.relative_to(input), path.relative_to(&base));
    !is_left_out(config, path)
        && config.include_patterns.iter().any(|p| glob_finds(p, &name))
        && !config
            .exclude_patterns
            .iter()
            .any(|p| path_matches(p, &shown))
}

fn is_left_out(config: &Config, path: &TreePath) -> bool {
    config.left_out.iter().any(|d| path.is_within(d))
}

/// The directories that `.mjfilter.py` files leave out: older layouts of the family have them, with one
/// expression over `data` in each.
///
/// Nothing where no loader knows of such files. Fails with [`Code::MakejinjaInvalid`] at a file that holds
/// more Python than an expression.
pub fn filters(config: &Config, files: &dyn Files, context: &Value) -> Result<Vec<TreePath>> {
    let mut left_out = Vec::new();
    if Loader::read(config, files)?.filters.is_none() {
        return Ok(left_out);
    }
    let settings = Settings {
        undefined: Undefined::Chainable,
        ..Settings::strict()
    };
    let engine = Engine::new(settings)?;
    let context = crate::template::context([("data", context.clone())]);
    for input in &config.inputs {
        if files.kind(input)? != Some(Kind::Directory) {
            continue;
        }
        for name in walk(files, input)? {
            let Some(path) = input.join(&name).filter(|p| p.file_name() == FILTER) else {
                continue;
            };
            let file = files.read(&path)?;
            let text = String::from_utf8_lossy(&file.bytes);
            let taken = text.trim().strip_prefix("main = lambda data:");
            let taken = taken.and_then(|e| engine.evaluate(e.trim(), &context).ok());
            let taken = taken.ok_or_else(|| {
                let phrase = "this filter is Python code that is not built in";
                Diagnostic::new(Code::MakejinjaInvalid, phrase)
                    .at(Place::file(path.as_str()))
                    .help("write it as one expression, `main = lambda data: …`, of what Jinja has too")
            })?;
            if taken.kind() == ValueKind::Bool && !taken.is_true() {
                left_out.extend(path.parent());
            }
        }
    }
    Ok(left_out)
}

/// The files below a directory, sorted by the parts of their paths.
fn walk(files: &dyn Files, directory: &TreePath) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![String::new()];
    let start = files.real_path(directory)?;
    while let Some(below) = open.pop() {
        let Some(path) = directory.join(&below) else {
            continue;
        };
        // pathlib's `rglob`, by which makejinja walks, does not follow linked directories; an input may be one.
        let own = match below.is_empty() {
            true => Some(start.clone()),
            false => start.join(&below),
        };
        if own != Some(files.real_path(&path)?) {
            continue;
        }
        for name in files.list(&path)? {
            let relative = if below.is_empty() {
                name
            } else {
                format!("{below}/{name}")
            };
            let Some(path) = directory.join(&relative) else {
                continue;
            };
            match files.kind(&path)? {
                Some(Kind::Directory) => open.push(relative),
                Some(Kind::File) => found.push(relative),
                None => {}
            }
            if found.len() > MAX_FILES {
                let phrase = format!("{directory} has more than {MAX_FILES} files");
                return Err(Diagnostic::new(Code::TemplateLimit, phrase)
                    .at(Place::file(directory.as_str())));
            }
        }
    }
    found.sort_by(|a, b| a.split('/').cmp(b.split('/')));
    Ok(found)
}

/// The last dot of a name and what follows, as Python's `suffix` has it.
fn suffix(name: &str) -> &str {
    match name.rfind('.') {
        Some(at) if at > 0 && at + 1 < name.len() => &name[at..],
        _ => "",
    }
}

fn take(
    config: &Config,
    input: TreePath,
    name: String,
    action: Action,
    taken: &mut BTreeSet<TreePath>,
    planned: &mut Vec<Planned>,
) {
    let strips = suffix(&name) == config.jinja_suffix && !config.keep_jinja_suffix;
    let output = if strips {
        &name[..name.len() - config.jinja_suffix.len()]
    } else {
        &name
    };
    if let Some(output) = TreePath::parse(output)
        && taken.insert(output.clone())
    {
        planned.push(Planned {
            input,
            name,
            output,
            action,
        });
    }
}
