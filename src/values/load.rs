//! Loads files of values in order and merges them.

use std::sync::Arc;

use minijinja::Value;
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::Values;
use super::derive::{Derivation, derive};
use super::document::{Duplicates, ENDINGS, Text};
use super::merged::{From, MergedValue, Origin};
use super::profile::Profile;
use super::set::Setting;
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{File, Files, Kind, TreePath};

/// A file or directory of values, and who names it.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its path; of a directory every file is read, in order, without hidden ones.
    pub path: TreePath,
    /// Whether it may be absent.
    pub optional: bool,
    /// Where it is named.
    pub place: Place,
}

/// A sealed file that was opened.
pub struct Opened {
    /// The plain document, of the same format.
    pub bytes: Zeroizing<Vec<u8>>,
    /// What was sealed in it.
    pub secrets: Vec<SecretString>,
}

/// Opens a file when it is sealed; gives nothing when it is not.
pub type Open<'a> = dyn Fn(&File) -> Result<Option<Opened>> + Sync + 'a;

/// How a later file goes over an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// Mappings are merged key by key, all the way down: projects.
    Deep,
    /// A later top-level key replaces an earlier one: makejinja.
    Shallow,
}

/// What an invoker sets on top of the files.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Files that the invoker named, by the name in messages, with their text.
    pub files: Vec<(String, Zeroizing<String>)>,
    /// Parameters of the host's application.
    pub host: Vec<Setting>,
    /// `--set`, and `data_vars` of a `makejinja.toml`.
    pub settings: Vec<Setting>,
}

/// Everything that values are made of.
pub struct Input<'a> {
    /// The files below the root.
    pub files: &'a dyn Files,
    /// Files of values in order.
    pub sources: &'a [SourceFile],
    /// How they are merged.
    pub merge: Merge,
    /// Opens sealed ones.
    pub open: &'a Open<'a>,
    /// What goes on top.
    pub overrides: &'a Overrides,
    /// The family of repositories that these values belong to.
    pub profile: Option<&'a Profile>,
    /// Expressions that set values, in order, after the profile's.
    pub derive: &'a [Derivation],
}

/// Loads, merges and derives.
///
/// Fails with [`Code::ValuesMissing`] where a file that must be there is not, [`Code::ValuesInvalid`], the
/// codes of YAML and of sealed files, and those of templates for `derive:`.
pub fn load(input: &Input<'_>) -> Result<Values> {
    let mut held = MergedValue::empty();
    let mut secrets = Vec::new();
    for source in input.sources {
        for path in paths(input.files, source)? {
            let file = input.files.read(&path)?;
            let read = read(input, &file, &mut secrets)?;
            held.lay(read, input.merge == Merge::Deep);
        }
    }
    for (name, text) in &input.overrides.files {
        let text = Text {
            path: name,
            text,
            from: From::File,
            duplicates: Duplicates::Refuse,
        };
        held.lay(text.read()?, true);
    }
    for (settings, from) in [
        (&input.overrides.host, From::Host),
        (&input.overrides.settings, From::Set),
    ] {
        for setting in settings {
            let place = Place::file(setting.place.clone());
            let origin = Arc::new(Origin { from, place });
            let path: Vec<&str> = setting.path.iter().map(String::as_str).collect();
            held.set(&path, MergedValue::of(setting.value.clone(), &origin));
        }
    }
    derive(&mut held, input)?;
    Ok(Values::new(held, secrets))
}

fn paths(files: &dyn Files, source: &SourceFile) -> Result<Vec<TreePath>> {
    match files.kind(&source.path)? {
        Some(Kind::File) => Ok(vec![source.path.clone()]),
        Some(Kind::Directory) => {
            let mut found = Vec::new();
            below(files, &source.path, &mut found)?;
            found.sort_by(|a, b| a.as_str().split('/').cmp(b.as_str().split('/')));
            Ok(found)
        }
        None if source.optional => Ok(Vec::new()),
        None => {
            if let Some(sealed) = sealed_beside(files, &source.path)? {
                return Ok(vec![sealed]);
            }
            let phrase = format!("the values {} do not exist", source.path);
            Err(Diagnostic::new(Code::ValuesMissing, phrase)
                .at(source.place.clone())
                .help("where they are kept out of Git, `plugin values seal` makes a sealed file that can be committed"))
        }
    }
}

/// Returns what `plugin values seal` makes of a file that is kept out of Git, where it is there.
pub fn sealed_beside(files: &dyn Files, path: &TreePath) -> Result<Option<TreePath>> {
    let Some((stem, ending)) = path.as_str().rsplit_once('.') else {
        return Ok(None);
    };
    let sealed = TreePath::parse(&format!("{stem}.sops.{ending}"));
    Ok(match sealed {
        Some(sealed) if files.kind(&sealed)? == Some(Kind::File) => Some(sealed),
        _ => None,
    })
}

fn below(files: &dyn Files, directory: &TreePath, found: &mut Vec<TreePath>) -> Result<()> {
    for name in files.list(directory)? {
        let Some(path) = directory.join(&name) else {
            continue;
        };
        match files.kind(&path)? {
            Some(Kind::Directory) if files.real_path(&path)? == path => below(files, &path, found)?,
            Some(Kind::File)
                if !name.starts_with('.') && ENDINGS.iter().any(|e| name.ends_with(e)) =>
            {
                found.push(path);
            }
            _ => {}
        }
    }
    Ok(())
}

fn read(input: &Input<'_>, file: &File, secrets: &mut Vec<SecretString>) -> Result<MergedValue> {
    let opened = (input.open)(file)?;
    let from = if opened.is_some() {
        From::Sealed
    } else {
        From::File
    };
    let bytes: &[u8] = match &opened {
        Some(opened) => &opened.bytes,
        None => &file.bytes,
    };
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Diagnostic::new(Code::ValuesInvalid, "the values are not UTF-8")
            .at(Place::file(file.path.as_str()))
    })?;
    let duplicates = match input.merge {
        Merge::Deep => Duplicates::Refuse,
        Merge::Shallow => Duplicates::LastWins,
    };
    let text = Text {
        path: file.path.as_str(),
        text,
        from,
        duplicates,
    };
    let held = text.read()?;
    secrets.extend(opened.into_iter().flat_map(|o| o.secrets));
    Ok(held)
}

/// Reads the values of one file, for a template that has its own. Fails as [`load`] does.
pub fn load_alone(input: &Input<'_>, path: &TreePath) -> Result<Value> {
    let file = input.files.read(path)?;
    Ok(read(input, &file, &mut Vec::new())?.to_value())
}
