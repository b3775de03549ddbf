//! The project file: `prerender.yaml`, found above what is rendered, nested ones merged onto the ones above.
//!
//! Start with [`Project::find`].

use indexmap::IndexMap;

use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::files::{File, Files, Kind, TreePath};
use crate::kustomize;
use crate::overlay;
use crate::template::Delimiters;
use crate::yaml::{self, Spanned};

use super::file::{DelimitersSection, Level, ProjectFile, TemplatesSection, ValuesEntry};

/// The names of a project file; two of them in one directory are an error.
pub(crate) const NAMES: [&str; 2] = ["prerender.yaml", ".prerender.yaml"];

/// What `apiVersion` must say.
const API_VERSION: &str = "prerender.dev/v1alpha1";

/// The profile of a `makejinja.toml` that names a Python loader.
pub(crate) const DEFAULT_PROFILE: &str = "cluster-template";

/// A file of values that the project names.
#[derive(Debug, Clone)]
pub struct ValuesFile {
    /// Its path.
    pub path: TreePath,
    /// Whether it may be absent.
    pub optional: bool,
    /// Where it is named.
    pub place: Place,
}

/// An expression over the values that gives a value a name.
#[derive(Debug, Clone)]
pub struct Derivation {
    /// The expression.
    pub expression: String,
    /// Where it is written.
    pub place: Place,
}

/// A tree of templates that is rendered as if it stood elsewhere.
#[derive(Debug, Clone)]
pub struct Mount {
    /// Where the templates are.
    pub from: TreePath,
    /// Where what they render to is read.
    pub to: TreePath,
}

/// Where templates are and how they are written.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    /// A `makejinja.toml`, and where it is named.
    pub makejinja: Option<(TreePath, Place)>,
    /// Trees that are mounted.
    pub mounts: Vec<Mount>,
    /// The marks, where they are set here.
    pub delimiters: Option<Delimiters>,
}

/// How grave the findings of `check` are, and what is sensitive.
#[derive(Debug, Clone)]
pub struct Checks {
    /// Objects against their schemas.
    pub schema: Level,
    /// Network flows that CNPG needs.
    pub flows: Level,
    /// Deprecated fields.
    pub deprecated: Level,
    /// Names of values (with `*`) that must stand in Secrets only.
    pub sensitive: Vec<String>,
    /// Objects (`Kind/namespace/name`, with `*`) where plaintext of sealed manifests may stand.
    pub plaintext_allow: Vec<String>,
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            schema: Level::Error,
            flows: Level::Error,
            deprecated: Level::Warning,
            sensitive: Vec::new(),
            plaintext_allow: Vec::new(),
        }
    }
}

/// Everything that the project files above a directory say, nearer ones on top.
#[derive(Debug, Clone)]
pub struct Project {
    /// The project files, outermost first.
    pub files: Vec<TreePath>,
    /// The directory of the nearest one.
    pub directory: TreePath,
    /// Files of values in the order in which they are merged.
    pub values: Vec<ValuesFile>,
    /// The known family of repositories that this one belongs to.
    pub profile: Option<(String, Place)>,
    /// Derived values, in order.
    pub derive: IndexMap<String, Derivation>,
    /// Templates.
    pub templates: Templates,
    /// Files of identities beneath the root, for local use.
    pub identities: Vec<TreePath>,
    /// The overlays that are used.
    pub overlays: overlay::Config,
    /// The checks.
    pub checks: Checks,
    /// Which kustomize's bytes are given, where it says.
    pub kustomize_level: Option<kustomize::Level>,
}

impl Project {
    /// Finds the project of a directory; `None` where there is no project file up to the root.
    ///
    /// Fails with [`Code::ProjectInvalid`] and the codes of typed reading, at the field that is wrong.
    pub fn find(files: &dyn Files, directory: &TreePath) -> Result<Option<Self>> {
        let mut project: Option<Self> = None;
        for path in project_files(files, directory)? {
            let file = files.read(&path)?;
            let written = read(&file)?;
            let merged = match project.take().filter(|_| !written.root) {
                Some(above) => above,
                None => Self::empty(),
            };
            project = Some(merged.merge(written, &file)?);
        }
        Ok(project)
    }

    /// A project that says nothing, for a directory whose `makejinja.toml` is taken as the project.
    pub fn of_makejinja(config: TreePath) -> Self {
        let mut project = Self::empty();
        project.directory = config.parent().unwrap_or_else(TreePath::root);
        let place = Place::file(config.as_str());
        project.templates.makejinja = Some((config, place));
        project
    }

    fn empty() -> Self {
        Self {
            files: Vec::new(),
            directory: TreePath::root(),
            values: Vec::new(),
            profile: None,
            derive: IndexMap::new(),
            templates: Templates::default(),
            identities: Vec::new(),
            overlays: overlay::Config::default(),
            checks: Checks::default(),
            kustomize_level: None,
        }
    }

    fn merge(mut self, written: ProjectFile, file: &File) -> Result<Self> {
        let source = &file.source;
        self.directory = file.path.parent().unwrap_or_else(TreePath::root);
        self.files.push(file.path.clone());
        for entry in written.values {
            let place = at(&entry, source);
            let (path, optional) = match entry.value {
                ValuesEntry::Path(path) => (path, false),
                ValuesEntry::Full { file, optional } => (file, optional),
            };
            let path = below(&self.directory, &path, &place)?;
            self.values.push(ValuesFile {
                path,
                optional,
                place,
            });
        }
        if let Some(profile) = written.profile {
            let place = at(&profile, source);
            self.profile = Some((profile.value, place));
        }
        for (name, expression) in written.derive {
            let place = at(&expression, source);
            self.derive.insert(
                name,
                Derivation {
                    expression: expression.value,
                    place,
                },
            );
        }
        if let Some(section) = written.templates {
            self.templates = templates(section, &self.directory, source)?;
        }
        for path in written.decryption.identities {
            self.identities
                .push(beneath(&self.directory, &path, source)?);
        }
        if let Some(section) = written.overlays {
            self.overlays
                .merge(overlay::Config::read(&section, source, &self.directory)?);
        }
        if let Some(version) = &written.kustomize.version {
            self.kustomize_level = Some(level(version, source)?);
        }
        let checks = written.checks;
        self.checks.schema = checks.schema.unwrap_or(self.checks.schema);
        self.checks.flows = checks.flows.unwrap_or(self.checks.flows);
        self.checks.deprecated = checks.deprecated.unwrap_or(self.checks.deprecated);
        self.checks.sensitive.extend(checks.sensitive);
        self.checks.plaintext_allow.extend(checks.plaintext.allow);
        Ok(self)
    }
}

/// Reads the level of kustomize.
fn level(version: &Spanned<String>, source: &Source) -> Result<kustomize::Level> {
    kustomize::Level::parse(version).ok_or_else(|| {
        let phrase = format!("kustomize.version is {}, which is not known", **version);
        let known = kustomize::Level::ALL
            .map(kustomize::Level::name)
            .join(" or ");
        Diagnostic::new(Code::ProjectInvalid, phrase)
            .at(at(version, source))
            .help(format!(
                "write \"{known}\" in quotes",
                known = known.replace(" or ", "\" or \"")
            ))
    })
}

/// The project files from the root down to a directory.
pub(super) fn project_files(files: &dyn Files, directory: &TreePath) -> Result<Vec<TreePath>> {
    let mut found = Vec::new();
    let mut next = Some(directory.clone());
    while let Some(directory) = next {
        let mut here = Vec::new();
        for name in NAMES {
            let path = directory.join(name).expect("a name stays in its directory");
            if files.kind(&path)? == Some(Kind::File) {
                here.push(path);
            }
        }
        if let [first, second] = here.as_slice() {
            return Err(Diagnostic::new(
                Code::ProjectInvalid,
                format!("{first} and {second} are both project files"),
            )
            .at(Place::file(second.as_str()))
            .help("keep one of them"));
        }
        found.append(&mut here);
        next = directory.parent();
    }
    found.reverse();
    Ok(found)
}

/// Reads one project file and checks what it says of itself.
fn read(file: &File) -> Result<ProjectFile> {
    let source = &file.source;
    let node = yaml::parse_config(&file.bytes, source)?;
    let written: ProjectFile = yaml::from_node(&node, source)?;
    if *written.api_version != API_VERSION {
        let phrase = format!(
            "apiVersion is {}, and this version reads {API_VERSION}",
            *written.api_version
        );
        return Err(
            Diagnostic::new(Code::ProjectInvalid, phrase).at(at(&written.api_version, source))
        );
    }
    if *written.kind != "Prerender" {
        let phrase = format!(
            "kind is {}, and a project file has kind Prerender",
            *written.kind
        );
        return Err(Diagnostic::new(Code::ProjectInvalid, phrase).at(at(&written.kind, source)));
    }
    if let Some(requires) = &written.requires {
        check_version(requires, source)?;
    }
    Ok(written)
}

/// Refuses to run where the project asks for another version of the plugin.
fn check_version(requires: &Spanned<String>, source: &Source) -> Result<()> {
    let place = at(requires, source);
    let range = semver::VersionReq::parse(requires).map_err(|_| {
        Diagnostic::new(
            Code::ProjectInvalid,
            format!("requires is {}, which is no range of versions", **requires),
        )
        .at(place.clone())
        .help("write a range such as \">=0.1\"")
    })?;
    let version =
        semver::Version::parse(env!("CARGO_PKG_VERSION")).expect("cargo checks the version");
    if range.matches(&version) {
        return Ok(());
    }
    Err(Diagnostic::new(
        Code::ProjectInvalid,
        format!("the project requires {}, and this is {version}", **requires),
    )
    .at(place)
    .help("install a version in that range"))
}

fn templates(
    section: TemplatesSection,
    directory: &TreePath,
    source: &Source,
) -> Result<Templates> {
    let mut templates = Templates::default();
    if let Some(config) = section.makejinja {
        let place = at(&config, source);
        templates.makejinja = Some((below(directory, &config, &place)?, place));
    }
    for mount in section.mounts {
        let from = beneath(directory, &mount.from, source)?;
        let to = beneath(directory, &mount.to, source)?;
        templates.mounts.push(Mount { from, to });
    }
    templates.delimiters = section.delimiters.map(
        |DelimitersSection {
             block,
             variable,
             comment,
         }| Delimiters {
            block,
            variable,
            comment,
        },
    );
    Ok(templates)
}

fn beneath(directory: &TreePath, path: &Spanned<String>, source: &Source) -> Result<TreePath> {
    below(directory, path, &at(path, source))
}

/// A path that a project file names, from its own directory; it stays beneath the root.
fn below(directory: &TreePath, path: &str, place: &Place) -> Result<TreePath> {
    let inside = (!path.starts_with('/'))
        .then(|| directory.join(path))
        .flatten();
    inside.ok_or_else(|| {
        Diagnostic::new(Code::OutsideRoot, format!("{path} is not beneath the root"))
            .at(place.clone())
            .help("a project file names files by paths from its own directory, beneath the root")
    })
}

/// The place of a value in its file.
fn at<T>(value: &Spanned<T>, source: &Source) -> Place {
    source.place(value.mark.line, value.mark.column)
}
