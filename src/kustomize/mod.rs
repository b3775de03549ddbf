//! Builds a kustomization into a [`ResMap`], byte for byte as kustomize v5.7.1 or v5.8.1 does.
//!
//! A kustomization's resources are accumulated in order; generators, components, transformers and
//! validators follow; at the root come name hashes, name references, variables and the order of the
//! output. The room never knows where its files came from, starts no process and opens no connection:
//! what it needs of that kind it asks of [`Generators`]. Start with [`build`], then `accumulate`.

mod absorb;
mod accumulate;
mod crds;
mod decode;
mod documents;
pub mod edit;
mod encode;
mod external;
mod fault;
mod fieldspec;
mod fieldspecs;
mod file;
mod finish;
mod generators;
mod hash;
mod individual;
mod kustomization;
mod label_selector;
mod level;
mod loader;
mod metadata;
mod names;
mod openapi;
mod origin;
mod patches;
mod plugins;
mod policy;
mod read;
mod references;
mod remote;
mod scalar;
mod selector;
mod sort;
mod steps;
mod transform;
mod transformers;
mod value_add;
mod variables;

use std::sync::Arc;

pub use file::{KUSTOMIZATION_NAMES, kustomization_path};

pub use individual::{IndividualFile, individual_files};
pub use level::{Feature, Level};

use crate::diagnostic::{Report, Result};
use crate::files::{File, Files, TreePath};
use crate::kube::{ResMap, Resource};

/// From where a kustomization may name files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LoadRestriction {
    /// From its own directory and below.
    #[default]
    RootOnly,
    /// From anywhere below the root of the render.
    None,
}

/// What a build is asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// From where a kustomization may name files.
    pub load_restriction: LoadRestriction,
    /// Whether every object gets the label `app.kubernetes.io/managed-by`.
    pub managed_by_label: bool,
    /// The order of the output where the kustomization does not say.
    pub order: Order,
    /// Which kustomize's bytes are given, where the invoker says.
    pub level: Option<Level>,
    /// What the label calls the version, where the host's program was built without one.
    pub version_label: Option<&'static str>,
}

impl Options {
    /// Which kustomize's bytes are given.
    pub fn level(&self) -> Level {
        self.level.unwrap_or_default()
    }
}

/// The order of the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Namespaces and the like first, webhooks last.
    #[default]
    Legacy,
    /// The order in which objects were accumulated.
    Fifo,
}

/// What a build gives.
#[derive(Debug)]
pub struct Built {
    /// The objects, in the order of the output.
    pub resources: ResMap,
    /// What the user should know.
    pub warnings: Report,
}

/// The address of a directory in a repository, read from an entry of `resources:` or `components:`.
#[derive(Debug, Clone, PartialEq)]
pub struct RepositoryAddress {
    /// The address as it is written.
    pub text: String,
    /// What git is to clone.
    pub repository: String,
    /// The directory in the repository; empty for its root.
    pub directory: String,
    /// The branch, tag or commit; empty for the default branch.
    pub reference: String,
    /// How long git may take.
    pub timeout_seconds: f64,
    /// Whether submodules are fetched.
    pub submodules: bool,
}

/// A program that an object in `generators:`, `transformers:` or `validators:` wants to have run.
#[derive(Debug, Clone)]
pub enum Program {
    /// A KRM function: it reads a `ResourceList` and prints one.
    Function {
        /// The program, from the kustomization's directory.
        path: String,
        /// Its arguments.
        arguments: Vec<String>,
        /// What is added to its environment, as `NAME=value`.
        environment: Vec<String>,
    },
    /// A plugin below the plugin home: it gets its configuration in a file, reads objects and prints them.
    Plugin {
        /// The group of its configuration.
        group: String,
        /// The version of its configuration.
        version: String,
        /// The kind of its configuration.
        kind: String,
        /// What follows the configuration on its command line.
        arguments: Vec<String>,
        /// Its configuration, in YAML.
        configuration: Vec<u8>,
    },
}

/// A run of a program.
pub struct ProgramCall<'a> {
    /// The program.
    pub program: Program,
    /// What it reads on standard input.
    pub input: Vec<u8>,
    /// The files of the build.
    pub files: &'a dyn Files,
    /// The directory of the kustomization that names it, where it runs.
    pub directory: &'a TreePath,
}

/// A chart in `helmCharts:`.
pub struct ChartCall<'a> {
    /// The files of the build.
    pub files: &'a dyn Files,
    /// The chart, where it is there; it is pulled otherwise.
    pub chart: Option<TreePath>,
    /// The directory of the kustomization that names it.
    pub directory: &'a TreePath,
    /// helm's configuration directory, from there; empty for a temporary one.
    pub config_home: String,
    /// The chart's name.
    pub name: String,
    /// The chart's version; empty for any.
    pub version: String,
    /// The repository; empty for a chart that is there.
    pub repository: String,
    /// Whether versions in development count.
    pub is_devel: bool,
    /// What helm is told beside chart and values, the release's name first.
    pub arguments: Vec<String>,
    /// API versions that the chart shall believe in, unless the invoker names some.
    pub api_versions: Vec<String>,
    /// The Kubernetes version that the chart shall believe in, unless the invoker names one.
    pub kube_version: String,
    /// Whether helm is to tell more.
    pub is_debug: bool,
}

/// A chart that is at hand.
pub trait Chart {
    /// The values that it comes with.
    fn values(&self) -> Result<Vec<u8>>;

    /// Inflates it with values and gives its manifests.
    fn inflate(&self, values: &[u8]) -> Result<Vec<u8>>;
}

/// What a build may ask of the world beyond its files. The caller decides what is allowed; what is not
/// fails with [`Code::NotEnabled`](crate::diagnostic::Code::NotEnabled) and names the flag.
pub trait Generators: Sync {
    /// Fetches a file by http.
    fn fetch(&self, address: &str) -> Result<Arc<File>>;

    /// Clones a repository and gives its files.
    fn clone_repository(&self, address: &RepositoryAddress) -> Result<Arc<dyn Files>>;

    /// Makes what an object in `generators:` asks for, when the caller knows its kind; `None` otherwise.
    fn generate(
        &self,
        configuration: &Resource,
        files: &dyn Files,
        directory: &TreePath,
    ) -> Result<Option<Arc<File>>>;

    /// Runs a program and gives what it printed.
    fn run(&self, call: &ProgramCall<'_>) -> Result<Vec<u8>>;

    /// Gets a chart: from the files of the build, or from its repository.
    fn chart<'a>(&'a self, call: &'a ChartCall<'a>) -> Result<Box<dyn Chart + 'a>>;

    /// Changes the contents of objects for the last time before names follow them.
    fn settle(&self, _resources: &mut ResMap) -> Result<()> {
        Ok(())
    }
}

/// Builds the kustomization in a directory.
///
/// Fails with the first thing that is wrong, with its place and the way there.
pub fn build(
    files: &dyn Files,
    directory: &TreePath,
    options: &Options,
    generators: &dyn Generators,
) -> Result<Built> {
    accumulate::build(files, directory, options, generators)
}
