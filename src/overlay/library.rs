//! Finds the overlays that a project uses: built in, or in its own folders.

use std::sync::Arc;

use indexmap::IndexMap;

use super::builtin;
use super::config::{Config, Name};
use super::definition::{Definition, GroupKind, group_kind, head};
use super::finder::{Finder, read_finders};
use super::language::{Language, only_expression};
use super::read::Reader;
use super::survey::Survey;
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source, nearest};
use crate::files::{Files, Kind, TreePath};
use crate::yaml::{self, Node, ParseOptions};

/// The names that every expression and file of an overlay may read beside its inputs.
const CONTEXT: &[&str] = &[
    "target",
    "params",
    "objects",
    "exists",
    "found",
    "final_name",
    "text",
];

/// The names that the language itself defines.
const LANGUAGE: &[&str] = &["range", "dict", "namespace", "loop", "self", "super"];

/// Objects that something makes in the cluster and that no render holds.
#[derive(Debug, Clone)]
pub(super) struct ClusterMadeKind {
    pub(super) kind: GroupKind,
    pub(super) version: String,
    /// Whether the project may declare them under `clusters`.
    pub(super) declared: bool,
    pub(super) by: Vec<Finder>,
}

/// Where an overlay's files are.
#[derive(Debug, Clone)]
pub(super) enum Folder {
    /// In the program, below this path.
    Builtin(String),
    /// In the project.
    Project(TreePath),
}

/// A set: overlays that are used together, and what they share.
#[derive(Debug)]
pub struct Set {
    /// Its name.
    pub name: String,
    /// Its version; `use` pins the major one.
    pub version: semver::Version,
    /// What it is for, in one line.
    pub summary: String,
    /// Its overlays, in the order in which they are applied.
    pub overlays: Vec<Loaded>,
    pub(super) made: Vec<ClusterMadeKind>,
    finders: IndexMap<String, Vec<Finder>>,
    /// The folder of the project that it is in; none for one that is built in.
    pub(super) folder: Option<TreePath>,
    /// Whether it is a single overlay of the project, and no set.
    pub(super) is_single: bool,
}

impl Set {
    /// What a built-in set looks for in a repository.
    pub(super) fn survey(&self) -> Result<Survey> {
        let folder = Folder::Builtin(self.name.clone());
        let (text, source) = folder.read("survey.yaml", None)?;
        let node = document(&text, &source)?;
        let (_, spec) = head(&node, &source, "OverlaySurvey")?;
        Survey::read(spec, &source, &self.finders)
    }
}

/// An overlay with its files.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What it says.
    pub definition: Arc<Definition>,
    /// The texts of its files, by name.
    pub(super) files: Arc<IndexMap<String, (String, String)>>,
}

impl Loaded {
    /// The path in messages and the text of a file.
    pub(super) fn file(&self, name: &str) -> Option<(&str, &str)> {
        self.files
            .get(name)
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The names and texts of the files it adds.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(name, (_, text))| (name.as_str(), text.as_str()))
    }
}

/// The overlays in use, in the order in which they apply.
#[derive(Debug, Default)]
pub(super) struct Library {
    pub(super) overlays: Vec<Loaded>,
    pub(super) made: Vec<ClusterMadeKind>,
}

/// Returns the built-in sets. Fails only where one of them is broken, which tests rule out.
pub fn builtin_sets() -> Result<Vec<Set>> {
    builtin::SETS.iter().map(|name| builtin_set(name)).collect()
}

/// Returns the sets and overlays in the folders that a project names. Fails with what is wrong in one.
pub fn own_sets(config: &Config, files: &dyn Files) -> Result<Vec<Set>> {
    let own = own_folders(config, files)?;
    if own.is_empty() {
        return Ok(Vec::new());
    }
    let language = Language::new()?;
    let folders = own.values();
    folders.map(|f| load_own(f, files, &language)).collect()
}

fn builtin_set(name: &str) -> Result<Set> {
    load_set(&Folder::Builtin(name.to_owned()), None)
}

impl Library {
    /// Loads what `use` names. Fails with [`Code::OverlayUnknown`] for a name or version that there is
    /// not, and with whatever is wrong in a folder.
    pub(super) fn load(config: &Config, files: &dyn Files, language: &Language) -> Result<Self> {
        let own = own_folders(config, files)?;
        let mut library = Self::default();
        let mut sets: IndexMap<String, Set> = IndexMap::new();
        for used in &config.used {
            let (name, wanted) = match used.text.split_once('@') {
                Some((name, major)) => (name, Some(major)),
                None => (used.text.as_str(), None),
            };
            let set_name = match own.get(name) {
                Some(folder) => {
                    if !sets.contains_key(name) {
                        let set = load_own(folder, files, language)?;
                        sets.insert(name.to_owned(), set);
                    }
                    name
                }
                None => {
                    let set = builtin_of(name).ok_or_else(|| unknown(used, name, &own))?;
                    if !sets.contains_key(set) {
                        sets.insert(set.to_owned(), builtin_set(set)?);
                    }
                    set
                }
            };
            let set = sets.get(set_name).expect("it was inserted above");
            check_version(used, wanted, set)?;
            library.add(set, name);
        }
        Ok(library)
    }

    fn add(&mut self, set: &Set, name: &str) {
        for overlay in &set.overlays {
            let definition = &overlay.definition;
            let wanted = &*definition.name == name || (set.name == name && !definition.opt_in);
            let is_new = !self
                .overlays
                .iter()
                .any(|o| o.definition.name == definition.name);
            if wanted && is_new {
                self.overlays.push(overlay.clone());
            }
        }
        for made in &set.made {
            if !self.made.iter().any(|m| m.kind == made.kind) {
                self.made.push(made.clone());
            }
        }
    }
}

/// The built-in set that is, or that holds, what a name names.
fn builtin_of(name: &str) -> Option<&'static str> {
    builtin::SETS
        .iter()
        .find(|set| **set == name || builtin::text(&format!("{set}/{name}/overlay.yaml")).is_some())
        .copied()
}

fn unknown(used: &Name, name: &str, own: &IndexMap<String, Own>) -> Diagnostic {
    let phrase = format!("there is no overlay or set {name}");
    let error = Diagnostic::new(Code::OverlayUnknown, phrase).at(used.place.clone());
    let names: Vec<_> = builtin::SETS
        .iter()
        .copied()
        .chain(own.keys().map(String::as_str))
        .collect();
    match nearest(name, names.iter().copied()) {
        Some(near) => error.help(format!("did you mean {near}?")),
        None => error.help(format!(
            "known are {}; more are in the folders that `overlays.paths` names",
            names.join(", ")
        )),
    }
}

fn check_version(used: &Name, wanted: Option<&str>, set: &Set) -> Result<()> {
    let Some(wanted) = wanted else { return Ok(()) };
    if wanted.parse() == Ok(set.version.major) {
        return Ok(());
    }
    let phrase = format!(
        "{} asks for another version: this program has {} {}",
        used.text, set.name, set.version
    );
    Err(Diagnostic::new(Code::OverlayUnknown, phrase)
        .at(used.place.clone())
        .help(format!("write {}@{}", set.name, set.version.major)))
}

/// Whether the program holds an overlay or a set of that name.
pub(super) fn is_builtin(name: &str) -> bool {
    builtin_of(name).is_some()
}

/// Whether a name in `use` is of the program and pins no version, which hosts refuse.
pub(super) fn is_unpinned(text: &str, own: impl Fn(&str) -> bool) -> bool {
    !text.contains('@') && !own(text) && builtin_of(text).is_some()
}

/// A folder of the project: a set or a single overlay.
#[derive(Debug)]
pub(super) struct Own {
    path: TreePath,
    is_set: bool,
}

/// The overlays and sets in the folders that `paths` names, by name. Fails with
/// [`Code::OverlayInvalid`] for a folder that is neither.
pub(super) fn own_folders(config: &Config, files: &dyn Files) -> Result<IndexMap<String, Own>> {
    let mut own = IndexMap::new();
    for (path, place) in &config.paths {
        if files.kind(path)? != Some(Kind::Directory) {
            let phrase = format!("{path} is no directory");
            return Err(Diagnostic::new(Code::FileMissing, phrase).at(place.clone()));
        }
        for name in files.list(path)? {
            let folder = path
                .join(&name)
                .expect("a listed name stays in its directory");
            if files.kind(&folder)? != Some(Kind::Directory) {
                continue;
            }
            let has = |file: &str| -> Result<bool> {
                let path = folder.join(file).expect("a name stays in its directory");
                Ok(files.kind(&path)? == Some(Kind::File))
            };
            let is_set = has("set.yaml")?;
            if !is_set && !has("overlay.yaml")? {
                let phrase = format!("{folder} has no overlay.yaml");
                return Err(Diagnostic::new(Code::OverlayInvalid, phrase)
                    .at(Place::file(folder.as_str()))
                    .via(place.clone())
                    .help("a folder of `overlays.paths` holds overlays: add overlay.yaml, or move the folder"));
            }
            own.insert(
                name,
                Own {
                    path: folder,
                    is_set,
                },
            );
        }
    }
    Ok(own)
}

fn load_own(own: &Own, files: &dyn Files, language: &Language) -> Result<Set> {
    let folder = Folder::Project(own.path.clone());
    let mut set = if own.is_set {
        load_set(&folder, Some(files))?
    } else {
        let overlay = load_overlay(&folder, Some(files), &IndexMap::new())?;
        Set {
            name: own.path.file_name().to_owned(),
            version: overlay.definition.version.clone(),
            summary: overlay.definition.summary.clone(),
            overlays: vec![overlay],
            made: Vec::new(),
            finders: IndexMap::new(),
            folder: None,
            is_single: true,
        }
    };
    set.folder = Some(own.path.clone());
    for overlay in &set.overlays {
        check_names(overlay, language)?;
    }
    Ok(set)
}

fn load_set(folder: &Folder, files: Option<&dyn Files>) -> Result<Set> {
    let (text, source) = folder.read("set.yaml", files)?;
    let node = document(&text, &source)?;
    let ((name, version), spec) = head(&node, &source, "OverlaySet")?;
    let known = ["summary", "overlays", "finders", "made"];
    let spec = Reader::new(spec, &source, "spec", &known)?;
    let mut finders = IndexMap::new();
    for (name, node) in spec.mapping("finders")?.into_iter().flat_map(|m| m.iter()) {
        finders.insert(name.to_owned(), read_finders(node, &source, name)?);
    }
    let mut overlays = Vec::new();
    for name in spec.texts("overlays")? {
        overlays.push(load_overlay(&folder.below(name), files, &finders)?);
    }
    let made = spec.list("made")?.iter().map(|n| made(n, &source));
    Ok(Set {
        name,
        version,
        summary: spec.need_text("summary")?.to_owned(),
        overlays,
        made: made.collect::<Result<_>>()?,
        finders,
        folder: None,
        is_single: false,
    })
}

fn made(node: &Node, source: &Source) -> Result<ClusterMadeKind> {
    let reader = Reader::new(
        node,
        source,
        "an entry of made",
        &["each", "declared", "by"],
    )?;
    let each = reader.need("each")?;
    Ok(ClusterMadeKind {
        kind: group_kind(each, source, "each")?,
        version: each
            .get("version")
            .and_then(Node::as_str)
            .unwrap_or("v1")
            .to_owned(),
        declared: reader.text("declared")? == Some("clusters"),
        by: match reader.node("by") {
            Some(by) => read_finders(by, source, "by")?,
            None => Vec::new(),
        },
    })
}

fn load_overlay(
    folder: &Folder,
    files: Option<&dyn Files>,
    finders: &IndexMap<String, Vec<Finder>>,
) -> Result<Loaded> {
    let (text, source) = folder.read("overlay.yaml", files)?;
    let definition = Definition::read(&document(&text, &source)?, &source, finders)?;
    let mut texts = IndexMap::new();
    for name in definition.files() {
        let (text, source) = folder
            .read(name, files)
            .map_err(|e| e.via(Place::file(source.path.clone())))?;
        texts.insert(name.to_owned(), (source.path.to_string(), text));
    }
    Ok(Loaded {
        definition: Arc::new(definition),
        files: Arc::new(texts),
    })
}

impl Folder {
    fn below(&self, name: &str) -> Self {
        match self {
            Self::Builtin(path) => Self::Builtin(format!("{path}/{name}")),
            Self::Project(path) => Self::Project(path.join(name).unwrap_or_else(|| path.clone())),
        }
    }

    fn read(&self, name: &str, files: Option<&dyn Files>) -> Result<(String, Arc<Source>)> {
        match (self, files) {
            (Self::Project(folder), Some(files)) => {
                let path = folder
                    .join(name)
                    .expect("definitions name files of their folder");
                let file = files.read(&path)?;
                Ok((
                    String::from_utf8_lossy(&file.bytes).into_owned(),
                    Arc::clone(&file.source),
                ))
            }
            (Self::Project(path), None) => Err(missing(&format!("{path}/{name}"))),
            (Self::Builtin(folder), _) => {
                let path = format!("{folder}/{name}");
                let text = builtin::text(&path).ok_or_else(|| missing(&path))?;
                Ok((text.to_owned(), Arc::new(Source::committed(path))))
            }
        }
    }
}

fn missing(path: &str) -> Diagnostic {
    Diagnostic::new(Code::FileMissing, format!("{path} does not exist")).at(Place::file(path))
}

/// The one document of a file.
fn document(text: &str, source: &Source) -> Result<Node> {
    let documents = yaml::parse(text, ParseOptions::default()).map_err(|e| e.at(source))?;
    documents.into_iter().next().ok_or_else(|| {
        Diagnostic::new(Code::OverlayInvalid, "the file is empty")
            .at(Place::file(source.path.clone()))
    })
}

/// Refuses names that an overlay does not declare. Fails with [`Code::OverlayUndeclared`].
pub(super) fn check_names(overlay: &Loaded, language: &Language) -> Result<()> {
    let definition = &overlay.definition;
    let known: Vec<&str> = definition
        .inputs
        .keys()
        .map(String::as_str)
        .chain(CONTEXT.iter().copied())
        .chain(LANGUAGE.iter().copied())
        .collect();
    let engine = language.engine();
    let undeclared = |name: &str, place: Place| {
        let phrase = format!("{name} is not declared in inputs of {}", definition.name);
        let error = Diagnostic::new(Code::OverlayUndeclared, phrase).at(place);
        match nearest(name, known.iter().copied()) {
            Some(near) => error.help(format!("did you mean {near}?")),
            None => error.help(format!(
                "add {name} to spec.inputs of {}",
                definition.source.path
            )),
        }
    };
    let check_expression = |text: &str, place: &Place, own: &[&str]| {
        let names = engine
            .names_of_expression(text)
            .map_err(|e| e.at(place.clone()))?;
        let unknown = names
            .iter()
            .find(|n| !known.contains(&n.as_str()) && !own.contains(&n.as_str()));
        unknown.map_or(Ok(()), |name| Err(undeclared(name, place.clone())))
    };
    let check_text = |path: &str, text: &str, place: Option<&Place>| {
        let names = engine
            .names_of_text(path, text)
            .map_err(|e| e.at(place.cloned()).or_at(Place::file(path)))?;
        let unknown = names.iter().find(|(n, _)| !known.contains(&n.as_str()));
        unknown.map_or(Ok(()), |(name, at)| {
            Err(undeclared(name, place.unwrap_or(at).clone()))
        })
    };
    for expression in definition.expressions() {
        check_expression(&expression.text, &expression.place, &[])?;
    }
    for text in definition.texts() {
        match only_expression(&text.text) {
            Some(expression) => check_expression(expression, &text.place, &[])?,
            None => check_text(&text.place.file, &text.text, Some(&text.place))?,
        }
    }
    for (path, text) in overlay.files.values() {
        check_text(path, text, None)?;
    }
    for finder in definition.finders() {
        let mut own = finder.names();
        own.push("object");
        for expression in finder.expressions() {
            check_expression(&expression.text, &expression.place, &own)?;
        }
    }
    Ok(())
}
