//! The values of a project: merged, and who reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{Files, Kind, TreePath};
use crate::template::makejinja::{Action, Config, filters, plan, profile_of};
use crate::template::{Engine, Mount, Settings, View, ViewSettings};
pub use crate::values::{Overrides, Setting, Values};

use crate::values::{Derivation, Input, Merge, Profile, SourceFile, load, masked, plain};
use crate::yaml::{self, JsonStyle, Node, WriteOptions};

use super::makejinja::{engine, foreign, own_values_of, text_of};
use super::project::{DEFAULT_PROFILE, Project};
use crate::secrets::{Opener, masked_by_text, masked_where_differing};

/// The templates of a project: the configuration that names them, if there is one, and the mounts.
pub struct Templates {
    /// The `makejinja.toml`.
    pub config: Option<Config>,
    /// The trees that are mounted.
    pub mounts: Vec<Mount>,
    /// The language.
    pub settings: Settings,
    /// Where functions of the family read files.
    pub base: TreePath,
}

impl Templates {
    /// Reads what a project says of templates. Fails as [`Config::read`] does.
    pub fn of(project: &Project, files: &dyn Files) -> Result<Self> {
        let mut templates = Self {
            config: None,
            mounts: Vec::new(),
            settings: Settings {
                undefined: crate::template::Undefined::Strict,
                ..Settings::strict()
            },
            base: project.directory.clone(),
        };
        if let Some((path, _)) = &project.templates.makejinja {
            let config = Config::read(files, path)?;
            let to = config
                .output
                .clone()
                .or_else(|| path.parent())
                .unwrap_or_else(TreePath::root);
            for input in &config.inputs {
                templates.mounts.push(Mount {
                    from: input.clone(),
                    to: to.clone(),
                });
            }
            templates.settings = config.settings.clone();
            templates.base = path.parent().unwrap_or_else(TreePath::root);
            templates.config = Some(config);
        }
        let own = project.templates.mounts.iter();
        templates.mounts.extend(own.map(|mount| Mount {
            from: mount.from.clone(),
            to: mount.to.clone(),
        }));
        if let Some(delimiters) = &project.templates.delimiters {
            templates.settings.delimiters = delimiters.clone();
        }
        Ok(templates)
    }

    /// How the names of templates end.
    pub fn suffix(&self) -> &str {
        match &self.config {
            Some(config) if !config.jinja_suffix.is_empty() => &config.jinja_suffix,
            _ => ".j2",
        }
    }

    /// The engine that renders them.
    pub fn engine(&self, files: Arc<dyn Files>) -> Result<Engine> {
        match &self.config {
            Some(config) if self.settings == config.settings => engine(config, files),
            _ => {
                let mut directories: Vec<TreePath> =
                    self.mounts.iter().map(|m| m.from.clone()).collect();
                directories.push(self.base.clone());
                let engine = Engine::new(self.settings.clone())?;
                Ok(engine
                    .with_files(files, directories)
                    .with_family(self.base.clone()))
            }
        }
    }

    /// The view in which each of them reads as what it renders to.
    pub fn view(&self, files: Arc<dyn Files>, values: &Values, opener: &Opener) -> Result<View> {
        let mut own = BTreeMap::new();
        if let Some(config) = &self.config {
            for name in config.file_data.keys() {
                own.extend(
                    own_values_of(config, &files, values, opener, name)?.map(|v| (name.clone(), v)),
                );
            }
        }
        let mut config = self.config.clone();
        let mut engine = self.engine(Arc::clone(&files))?;
        if let Some(config) = &mut config {
            config.left_out = filters(config, &files, values.context())?;
            engine = engine.with_loader(foreign(config, &files)?);
        }
        let settings = ViewSettings {
            engine,
            context: values.context().clone(),
            own,
            secrets: values.secrets().to_vec().into(),
            suffix: self.suffix().to_owned(),
            mounts: self.mounts.clone(),
            config,
        };
        Ok(View::new(files, settings))
    }
}

/// Loads the values of a project.
///
/// Where the project names none, those of its `makejinja.toml` count. Fails as [`load`] does.
pub fn project_values(
    project: &Project,
    templates: &Templates,
    files: &dyn Files,
    overrides: &Overrides,
    opener: &Opener,
) -> Result<Values> {
    let mut sources: Vec<SourceFile> = project
        .values
        .iter()
        .map(|v| SourceFile {
            path: v.path.clone(),
            optional: v.optional,
            place: v.place.clone(),
        })
        .collect();
    let mut overrides = overrides.clone();
    if let Some(config) = &templates.config {
        if sources.is_empty() {
            sources.extend(config.data.iter().map(|path| SourceFile {
                path: path.clone(),
                optional: false,
                place: config.data_place.clone(),
            }));
        }
        let vars = config.data_vars.iter();
        let vars =
            vars.map(|(name, value)| Setting::text(name, &text_of(value), config.path.as_str()));
        overrides.settings.splice(0..0, vars);
    }
    let profile = profile(project, templates)?;
    let derive: Vec<Derivation> = project
        .derive
        .iter()
        .map(|(name, d)| Derivation {
            name: name.clone(),
            expression: d.expression.clone(),
            place: d.place.clone(),
        })
        .collect();
    load(&Input {
        files,
        sources: &sources,
        // Without a project file the values are makejinja's alone, and merged as it does.
        merge: if project.files.is_empty() {
            Merge::Shallow
        } else {
            Merge::Deep
        },
        open: &|file| opener.open(file),
        overrides: &overrides,
        profile: profile.as_ref(),
        derive: &derive,
    })
}

/// The project's profile, or that of a `makejinja.toml` that names a Python loader.
fn profile(project: &Project, templates: &Templates) -> Result<Option<Profile>> {
    if let Some((name, place)) = &project.profile {
        return Profile::find(name, place).map(Some);
    }
    let Some((loader, place)) = templates.config.iter().flat_map(|c| &c.loaders).next() else {
        return Ok(None);
    };
    Profile::find(profile_of(loader).unwrap_or(DEFAULT_PROFILE), place).map(Some)
}

/// Tells that a profile was chosen by the name of a Python loader alone.
pub fn chosen_profile(project: &Project, templates: &Templates) -> Option<Diagnostic> {
    let (loader, place) = templates.config.iter().flat_map(|c| &c.loaders).next()?;
    if project.profile.is_some() {
        return None;
    }
    let name = profile_of(loader).unwrap_or(DEFAULT_PROFILE);
    let phrase = format!("the profile {name} stands for the Python loader {loader}");
    Some(
        Diagnostic::warning(Code::ProfileChosen, phrase)
            .at(place.clone())
            .help(format!("write `profile: {name}` into prerender.yaml")),
    )
}

/// A value that templates read.
#[derive(Debug, Clone)]
pub struct Use {
    /// Its name.
    pub name: String,
    /// The first read in each template.
    pub places: Vec<Place>,
}

/// Lists each name that the templates below a path read from the values, includes followed.
///
/// Fails at the first template that is not Jinja.
pub fn uses(templates: &Templates, files: &Arc<dyn Files>, below: &TreePath) -> Result<Vec<Use>> {
    let engine = templates.engine(Arc::clone(files))?;
    let mut open: Vec<TreePath> = inputs(templates, files, below)?;
    let mut seen: BTreeSet<TreePath> = open.iter().cloned().collect();
    let mut found: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    while let Some(path) = open.pop() {
        let file = files.read(&path)?;
        let text = std::str::from_utf8(&file.bytes).map_err(|_| {
            Diagnostic::new(Code::TemplateSyntax, "the template is not UTF-8")
                .at(Place::file(path.as_str()))
        })?;
        for (name, place) in engine.names_of_text(path.as_str(), text)? {
            found.entry(name).or_default().push(place);
        }
        for name in engine.includes_of_text(path.as_str(), text)? {
            let inputs = templates
                .mounts
                .iter()
                .map(|m| &m.from)
                .chain([&templates.base]);
            let places = inputs.filter_map(|d| d.join(&name));
            for path in places {
                if files.kind(&path)? == Some(Kind::File) {
                    if seen.insert(path.clone()) {
                        open.push(path);
                    }
                    break;
                }
            }
        }
    }
    Ok(found
        .into_iter()
        .map(|(name, mut places)| {
            places.sort();
            Use { name, places }
        })
        .collect())
}

/// The templates that make files below a path.
fn inputs(templates: &Templates, files: &dyn Files, below: &TreePath) -> Result<Vec<TreePath>> {
    let mut found = Vec::new();
    if let Some(config) = &templates.config {
        let to = templates
            .mounts
            .first()
            .map_or_else(TreePath::root, |m| m.to.clone());
        for planned in plan(config, files)? {
            let output = to.join(planned.output.as_str());
            if planned.action == Action::Render && output.is_some_and(|o| o.is_within(below)) {
                found.push(planned.input);
            }
        }
        return Ok(found);
    }
    let mut open = vec![below.clone()];
    for mount in &templates.mounts {
        if below.is_within(&mount.to) {
            open.extend(mount.from.join(&below.relative_to(&mount.to)));
        }
    }
    while let Some(path) = open.pop() {
        match files.kind(&path)? {
            Some(Kind::Directory) => {
                let names = files.list(&path)?;
                open.extend(
                    names
                        .iter()
                        .filter(|n| !n.starts_with(".git"))
                        .filter_map(|n| path.join(n)),
                );
            }
            Some(Kind::File) if path.as_str().ends_with(templates.suffix()) => found.push(path),
            _ => {}
        }
    }
    Ok(found)
}

/// How values are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// As YAML.
    Yaml,
    /// As JSON.
    Json,
}

/// Prints values as they are.
pub fn print(values: &Values, shape: Shape) -> Result<Vec<u8>> {
    write(&plain(values.context()), shape)
}

/// Prints values, what was sealed masked, and what an expression made of it: `others` are the same values in two
/// worlds whose sealed values are other ones. Without those, what is derived is masked by its text.
pub fn print_masked(
    values: &Values,
    others: Option<[Values; 2]>,
    opener: &Opener,
    shape: Shape,
) -> Result<Vec<u8>> {
    let real = masked(values);
    let node = match others.as_ref().map(|others| others.each_ref().map(masked)) {
        Some([first, second]) => masked_where_differing(&real, &first, &second),
        None => masked_by_text(&real, &opener.mask()),
    };
    write(&node, shape)
}

fn write(node: &Node, shape: Shape) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let written = match shape {
        Shape::Yaml => yaml::write_document(&mut out, node, &WriteOptions::indented(2)),
        Shape::Json => {
            let written = yaml::write_json(&mut out, node, JsonStyle::Ordered { indent: "  " });
            out.push(b'\n');
            written
        }
    };
    written.map_err(|_| {
        Diagnostic::new(Code::YamlValue, "the values hold what YAML and JSON cannot")
    })?;
    Ok(out)
}

/// Which variable is read where, and where its value comes from.
#[derive(Debug)]
pub struct Table {
    rows: Vec<(String, Option<String>, Vec<Place>)>,
}

/// Joins what templates read with what is set.
pub fn table(uses: &[Use], values: &Values) -> Table {
    let rows = uses.iter().map(|usage| {
        let set = values.get(&usage.name).is_some();
        let origin = values.origin(&usage.name).filter(|_| set).map(origin_text);
        (usage.name.clone(), origin, usage.places.clone())
    });
    Table {
        rows: rows.collect(),
    }
}

fn origin_text(origin: &crate::values::Origin) -> String {
    use crate::values::From;
    match origin.from {
        From::File | From::Host | From::Set => origin.place.to_string(),
        From::Sealed => format!("{} (sealed)", origin.place),
        From::Derived => format!("{} (derived)", origin.place),
    }
}

impl Table {
    /// A line for each variable and a line below it for each read; those never set come last.
    pub fn to_text(&self) -> Vec<u8> {
        let mut out = String::new();
        let (set, unset): (Vec<_>, Vec<_>) = self
            .rows
            .iter()
            .partition(|(_, origin, _)| origin.is_some());
        for (name, origin, places) in set.iter().chain(&unset) {
            match origin {
                Some(origin) => out.push_str(&format!("{name}: {origin}\n")),
                None => out.push_str(&format!("{name}: never set\n")),
            }
            for place in places {
                out.push_str(&format!("  {place}\n"));
            }
        }
        out.into_bytes()
    }

    /// The same as JSON.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let rows = self.rows.iter().map(|(name, origin, places)| {
            let mut row = yaml::Mapping::default();
            row.insert("name", Node::string(name.as_str()));
            row.insert(
                "origin",
                origin.as_deref().map_or_else(Node::null, Node::string),
            );
            let places = places.iter().map(|p| Node::string(p.to_string())).collect();
            row.insert("reads", Node::sequence(places));
            Node::new(yaml::Value::Mapping(row), yaml::Tag::Map)
        });
        write(&Node::sequence(rows.collect()), Shape::Json)
    }
}
