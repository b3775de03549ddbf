//! Prepared components as data, attached to the root of a build.
//!
//! An overlay is a folder: `overlay.yaml` says what it reads, which built objects it applies to, and which
//! files it adds. Code only finds the targets, checks inputs and parameters, fills the files, and lists
//! them in the root kustomization. It never names a field of a CNPG resource: a new operator feature is a
//! new folder below `cnpg/`. Start with [`view`].

mod announce;
mod applied;
mod attach;
mod builtin;
mod config;
mod conflict;
mod convert;
mod copy;
mod definition;
mod describe;
mod draft;
mod expand;
mod finder;
mod language;
mod library;
mod mandatory;
mod meaning;
mod names;
mod read;
mod rename;
mod root;
mod schema;
mod select;
mod settings;
mod splice;
mod survey;
mod target;
#[cfg(test)]
mod tests;
mod usage;
mod verify;
mod world;

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;

pub use announce::{Announced, announced};
pub use config::{Config, OnConflict, Pods};
pub use copy::{Form, copy};
pub use definition::{Definition, Difference, Input, Parameter};
pub use describe::{list, rows, show, table};
pub use library::{Loaded, Set, builtin_sets, own_sets};
pub use mandatory::lacking;
pub use survey::{Surveyed, survey};
pub use usage::{Usage, unused};

use crate::diagnostic::{Report, Result, Severity, Source};
use crate::files::{Files, Layer, TreePath};
use crate::kube::{ResId, ResMap};
use crate::yaml::Node;

use config::Located;

/// What overlays are decided on.
pub struct Request<'a> {
    /// The files that the build reads.
    pub files: &'a Arc<dyn Files>,
    /// The directory of the root kustomization.
    pub directory: &'a TreePath,
    /// What the root builds to without overlays.
    pub built: &'a ResMap,
    /// What the project says.
    pub config: &'a Config,
    /// The values of the cluster, a map; variables that the overlays do not declare are not read.
    pub values: &'a Value,
    /// What the host says.
    pub host: Host<'a>,
}

/// What the host of a render says about overlays.
#[derive(Default)]
pub struct Host<'a> {
    /// The namespace that Flux sets for the whole root.
    pub target_namespace: Option<&'a str>,
    /// The namespace that Argo CD gives objects which have none.
    pub destination_namespace: Option<&'a str>,
    /// Fills in variables as the host does after the build.
    pub substitute: Option<&'a dyn Fn(&str) -> String>,
    /// Parameters of the host, in order.
    pub parameters: &'a [HostParameter],
    /// The administrator's policy.
    pub policy: Option<&'a Policy>,
    /// Whether sets must be pinned to a major version.
    pub must_pin: bool,
    /// Whether findings that are warnings are errors.
    pub strict: bool,
    /// Whether the root is all that the project file is about.
    pub is_whole_project: bool,
}

impl Host<'_> {
    fn severity(&self) -> Severity {
        if self.strict {
            Severity::Error
        } else {
            Severity::Warning
        }
    }
}

/// A parameter that the host sets: `overlays.<overlay>.<name>`.
#[derive(Debug, Clone)]
pub struct HostParameter {
    overlay: String,
    name: String,
    value: Located,
}

impl HostParameter {
    /// Builds one from the overlay's and the parameter's name; `origin` says in messages where it is set.
    ///
    /// A text is read as YAML where the parameter is no text: hosts have few other types.
    pub fn new(overlay: &str, name: &str, value: &serde_json::Value, origin: &str) -> Self {
        Self {
            overlay: overlay.to_owned(),
            name: name.to_owned(),
            value: located(value, origin),
        }
    }
}

fn located(value: &serde_json::Value, origin: &str) -> Located {
    Located {
        node: convert::json_to_node(value),
        source: Arc::new(Source::committed(origin)),
    }
}

/// What the administrator of a host decides.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Overlays that nobody may skip, nor put something else in the place of.
    pub mandatory: Vec<String>,
    /// Parameters and inputs that only the administrator sets.
    pub lock: Vec<String>,
    /// Parameters of mandatory overlays that others may set as well; all others are locked.
    pub free: Vec<String>,
    /// Labels and annotations that an object of a mandatory overlay may get; a name may end in `*`.
    pub harmless: Vec<String>,
    parameters: IndexMap<String, Located>,
}

impl Policy {
    /// Whether nobody may skip an overlay.
    fn demands(&self, overlay: &str) -> bool {
        self.mandatory.iter().any(|m| m == overlay)
    }

    /// Whether only the administrator sets a parameter or an input.
    fn locks(&self, name: &str) -> bool {
        self.lock.iter().any(|l| l == name)
    }

    /// Whether only the administrator sets a parameter, because its overlay is mandatory.
    fn keeps(&self, overlay: &str, parameter: &str) -> bool {
        self.demands(overlay) && !self.free.iter().any(|free| free == parameter)
    }

    /// Sets a parameter or an input for every overlay that has it; `origin` says in messages where it is set.
    pub fn set(&mut self, name: &str, value: &serde_json::Value, origin: &str) {
        self.parameters
            .insert(name.to_owned(), located(value, origin));
    }
}

/// What became of an overlay for one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its objects are added.
    Added,
    /// Everything that it adds is there already.
    Present,
    /// An object of it is there with another content, and stays as it is.
    Kept,
    /// An object of it is there with another content, which is replaced.
    Replaced,
    /// Its condition does not hold.
    Off,
    /// The project or the object says that it is not wanted.
    Skipped,
    /// Something that it needs is missing.
    LeftOut,
}

impl State {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Present => "present",
            Self::Kept => "kept",
            Self::Replaced => "replaced",
            Self::Off => "off",
            Self::Skipped => "skipped",
            Self::LeftOut => "left out",
        }
    }
}

/// An overlay and one of its targets.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The overlay.
    pub overlay: Arc<str>,
    /// The target: kind, namespace and name.
    pub target: String,
    /// The parameter `mode`, where the overlay has it.
    pub mode: Option<String>,
    /// What became of it.
    pub state: State,
    /// Why.
    pub reason: String,
    /// The objects that it adds, as the build will call them.
    pub adds: Vec<ResId>,
    /// The files that it adds beside the root kustomization.
    pub files: Vec<Attached>,
    /// The objects of it that must not drop a flow that CloudNativePG needs.
    pub(crate) guarded: Vec<ResId>,
    /// What the finished build must hold of it.
    pub(crate) expected: Vec<verify::Expected>,
    /// What its files read as `target`: name, namespace and the declared name.
    pub(crate) names: [String; 3],
    /// What its files read as `params`.
    pub(crate) parameters: Node,
}

/// A file that is added beside the root kustomization.
#[derive(Debug, Clone)]
pub struct Attached {
    /// Its name.
    pub name: String,
    /// For a patch: its target, as the entry of `patches` has it.
    pub target: Option<String>,
}

impl Attached {
    /// The entry of `resources` or `patches` that names it.
    fn entry(&self) -> String {
        match &self.target {
            Some(target) => format!("{{path: {}, target: {target}}}", self.name),
            None => self.name.clone(),
        }
    }
}

/// What overlays do to a root.
#[derive(Default)]
pub struct Expansion {
    /// Every overlay in use with every target that it has here, in the order of application.
    pub instances: Vec<Instance>,
    /// Warnings.
    pub report: Report,
    /// Which entries of `for` select something here.
    pub usage: Usage,
    /// The files with the overlays beside the root kustomization, and listed in it; `None` where nothing is
    /// added. What is laid over the files below is what `expand` writes.
    pub view: Option<Arc<Layer>>,
}

/// Decides which overlays apply to a built root, and lists what they add in its kustomization.
///
/// Nothing is read or parsed where the project uses no overlay. Fails with the `Overlay…` codes, at the
/// field, object or file that is wrong.
pub fn view(request: &Request<'_>) -> Result<Expansion> {
    if request.config.is_empty() && request.host.parameters.is_empty() {
        return Ok(Expansion::default());
    }
    expand::expand(request)
}
