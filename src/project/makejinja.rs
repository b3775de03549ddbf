//! What makejinja does: renders a tree of templates from values into a tree of files.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::diagnostic::{Code, Diagnostic, Place, Report, Result};
use crate::files::{Files, Kind, OutputFile, OutputTree, Stale, Tree, TreePath};
use crate::template;
use crate::template::makejinja::{Action, Config, Loader, Planned, filters, plan, profile_of};
use crate::template::{Engine, mapping};
use crate::values::{self, Input, Merge, Overrides, Profile, Setting, SourceFile, Values};

use crate::secrets::Opener;

/// What becomes of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is written.
    Write,
    /// Nothing is written; what would change is told.
    Check,
}

/// A run of makejinja.
pub struct TemplateRequest<'a> {
    /// The files below the root.
    pub tree: Arc<Tree>,
    /// The `makejinja.toml`.
    pub config: &'a TreePath,
    /// Where the files go.
    pub output: PathBuf,
    /// Whether they are written.
    pub mode: Mode,
    /// What becomes of files that an earlier run wrote and this one does not.
    pub stale: Stale,
    /// Looks for identities, when a file of values is sealed.
    pub opener: &'a Opener,
}

/// Renders and writes. Nothing is written where anything fails to render.
///
/// Fails with the codes of [`Config::read`], of values and of templates; of several templates that fail,
/// each is told.
pub fn template(request: &TemplateRequest<'_>) -> Result<Report, Report> {
    let mut config = Config::read(&request.tree, request.config)?;
    let profile = profile(&config, &request.tree)?;
    let opener = request.opener;
    let values = load_values(&config, request, profile.as_ref(), opener)?;
    config.left_out = filters(&config, &request.tree, values.context())?;
    let mut tree = OutputTree::new(&request.output, request.stale);
    let planned = plan(&config, &request.tree)?;
    let planned: Vec<Planned> = planned
        .into_iter()
        .filter(|p| config.force || config.clean || !tree.exists(&p.output))
        .collect();
    let single = single_file(&config, request, &planned)?;
    for (path, file) in render(&config, request, &values, opener, &planned)? {
        tree.insert(single.clone().unwrap_or(path), file);
    }
    if request.mode == Mode::Check {
        return Ok(tree.check());
    }
    if config.clean {
        clean(&config, request, &tree)?;
    }
    tree.write()?;
    Ok(Report::default())
}

/// The profile of a configuration that names a Python loader.
fn profile(config: &Config, files: &dyn Files) -> Result<Option<Profile>> {
    let mut found = None;
    for (loader, place) in &config.loaders {
        match profile_of(loader) {
            Some(profile) => found = Some(Profile::find(profile, place)?),
            None => return Err(unknown_loader(config, files, loader, place)),
        }
    }
    Ok(found)
}

/// The error for Python code that is not built in: it names what the templates would need of it.
fn unknown_loader(config: &Config, files: &dyn Files, loader: &str, place: &Place) -> Diagnostic {
    let phrase = format!("the loader {loader} is Python code that is not built in");
    let diagnostic = Diagnostic::new(Code::MakejinjaInvalid, phrase).at(place.clone());
    let needed = template::needs(config, files).unwrap_or_default();
    let diagnostic = if needed.is_empty() {
        diagnostic.note("the templates call no function and no filter that is not built in; it may derive values")
    } else {
        diagnostic.note(format!("the templates need from it: {}", needed.join(", ")))
    };
    diagnostic.help("remove the loader, and derive its values with `derive:` in prerender.yaml")
}

fn load_values(
    config: &Config,
    request: &TemplateRequest<'_>,
    profile: Option<&Profile>,
    opener: &Opener,
) -> Result<Values> {
    let sources: Vec<SourceFile> = config
        .data
        .iter()
        .map(|path| SourceFile {
            path: path.clone(),
            optional: false,
            place: config.data_place.clone(),
        })
        .collect();
    let settings = config
        .data_vars
        .iter()
        .map(|(name, value)| Setting::text(name, &text_of(value), config.path.as_str()))
        .collect();
    let overrides = Overrides {
        settings,
        ..Overrides::default()
    };
    values::load(&Input {
        files: &request.tree,
        sources: &sources,
        merge: Merge::Shallow,
        open: &|file| opener.open(file),
        overrides: &overrides,
        profile,
        derive: &[],
    })
}

/// A value of `data_vars`, which are texts.
pub(crate) fn text_of(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Boolean(true) => "True".to_owned(),
        toml::Value::Boolean(false) => "False".to_owned(),
        other => other.to_string(),
    }
}

/// A single input file and an output that names a file: the output is that file.
fn single_file(
    config: &Config,
    request: &TemplateRequest<'_>,
    planned: &[Planned],
) -> Result<Option<TreePath>> {
    let [input] = config.inputs.as_slice() else {
        return Ok(None);
    };
    let names_a_file = request.output.extension().is_some() && !request.output.is_dir();
    let is_file = request.tree.kind(input)? == Some(Kind::File);
    if planned.len() == 1 && names_a_file && is_file {
        let phrase = "a single file is rendered into a directory here";
        return Err(Diagnostic::new(Code::MakejinjaInvalid, phrase)
            .at(Place::file(config.path.as_str()))
            .help("name a directory with -o"));
    }
    Ok(None)
}

fn render(
    config: &Config,
    request: &TemplateRequest<'_>,
    values: &Values,
    opener: &Opener,
    planned: &[Planned],
) -> Result<Vec<(TreePath, OutputFile)>, Report> {
    let engine = engine(config, Arc::clone(&request.tree) as Arc<dyn Files>)?
        .with_loader(foreign(config, &request.tree)?);
    let mut own = BTreeMap::new();
    for name in config.file_data.keys() {
        let read = own_values_of(config, &request.tree, values, opener, name)?;
        own.extend(read.map(|v| (name.as_str(), v)));
    }
    let one = |planned: &Planned| {
        let context = own
            .get(planned.name.as_str())
            .unwrap_or_else(|| values.context());
        one(config, request, &engine, context, planned)
    };
    let results: Vec<Result<Option<(TreePath, OutputFile)>>> =
        planned.par_iter().map(one).collect();
    let mut files = Vec::with_capacity(results.len());
    let mut report = Report::default();
    for result in results {
        match result {
            Ok(file) => files.extend(file),
            Err(error) => {
                // An include that fails, fails for each template that includes it.
                let is_same = |told: &Diagnostic| {
                    told.phrase() == error.phrase() && told.place() == error.place()
                };
                if !report.findings.iter().any(is_same) {
                    report.push(error);
                }
            }
        }
    }
    if report.is_empty() {
        Ok(files)
    } else {
        Err(report)
    }
}

/// The engine of a configuration: its language, and what includes and functions read.
pub(crate) fn engine(config: &Config, files: Arc<dyn Files>) -> Result<Engine> {
    let base = config.path.parent().unwrap_or_else(TreePath::root);
    let place = Place::file(config.path.as_str());
    let engine = Engine::new(config.settings.clone()).map_err(|e| e.or_at(place))?;
    Ok(engine
        .with_files(files, config.inputs.clone())
        .with_family(base))
}

/// What the loaders of a configuration would provide and the profile does not.
pub(crate) fn foreign(config: &Config, files: &dyn Files) -> Result<Loader> {
    let mut loader = Loader::read(config, files)?;
    for (name, place) in &config.loaders {
        if let Some(profile) = profile_of(name) {
            let profile = Profile::find(profile, place)?;
            loader.values.retain(|name, _| !profile.sets(name));
        }
    }
    Ok(loader)
}

fn one(
    config: &Config,
    request: &TemplateRequest<'_>,
    engine: &Engine,
    context: &minijinja::Value,
    planned: &Planned,
) -> Result<Option<(TreePath, OutputFile)>> {
    let file = request.tree.read(&planned.input)?;
    if planned.action == Action::Copy {
        let copy = OutputFile {
            bytes: file.bytes.to_vec(),
            metadata: Some(request.tree.metadata(&planned.input)?),
            ..OutputFile::new(Vec::new())
        };
        return Ok(Some((planned.output.clone(), copy)));
    }
    let path = planned.input.as_str();
    let text = std::str::from_utf8(&file.bytes).map_err(|_| {
        Diagnostic::new(Code::TemplateSyntax, "the template is not UTF-8").at(Place::file(path))
    })?;
    let rendered = engine.render(path, text, context)?;
    if rendered.text.trim().is_empty() && !config.keep_empty {
        return Ok(None);
    }
    let mut output = OutputFile::new(rendered.text.into_bytes());
    if config.copy_metadata {
        output.metadata = Some(request.tree.metadata(&planned.input)?);
    }
    Ok(Some((planned.output.clone(), output)))
}

/// The values of a template that has files of its own; they lie over the others.
pub(crate) fn own_values_of(
    config: &Config,
    files: &dyn Files,
    values: &Values,
    opener: &Opener,
    name: &str,
) -> Result<Option<minijinja::Value>> {
    let Some(paths) = config.file_data.get(name) else {
        return Ok(None);
    };
    let pairs = |value: &minijinja::Value| {
        let pairs = value.as_object().and_then(|o| o.try_iter_pairs());
        pairs.into_iter().flatten().collect::<Vec<_>>()
    };
    let input = Input {
        files,
        sources: &[],
        merge: Merge::Shallow,
        open: &|file| opener.open(file),
        overrides: &Overrides::default(),
        profile: None,
        derive: &[],
    };
    let mut merged = pairs(values.context());
    for path in paths {
        if files.kind(path)? == Some(Kind::File) {
            merged.extend(pairs(&values::load_alone(&input, path)?));
        }
    }
    Ok(Some(mapping(merged)))
}

/// Removes what is in the output and was not written.
fn clean(config: &Config, request: &TemplateRequest<'_>, tree: &OutputTree) -> Result<()> {
    let output = std::path::absolute(&request.output).unwrap_or_else(|_| request.output.clone());
    let holds = |path: &TreePath| request.tree.root().join(path.as_str()).starts_with(&output);
    if holds(&config.path) || config.inputs.iter().any(holds) {
        let phrase = "clean would remove the templates themselves";
        return Err(Diagnostic::new(Code::MakejinjaInvalid, phrase)
            .at(Place::file(config.path.as_str()))
            .help("write to a directory of its own, or use --remove-stale"));
    }
    let written: std::collections::BTreeSet<&TreePath> =
        tree.files().map(|(path, _)| path).collect();
    for path in tree.present().iter().filter(|p| !written.contains(p)) {
        tree.remove_present(path)?;
    }
    Ok(())
}
