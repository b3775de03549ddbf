//! The root of an Application in the plugin: its kustomization with what the Application sets on it, and one that
//! is made where there is none, so that plain files are rendered as Argo CD's own directory source does.

use std::sync::Arc;

use super::application::source::{DirectoryOptions, KustomizeOptions};
use super::application::{AppSource, Facts, Variables};
use super::environment::Call;
use super::parameters::Directories;
use super::sources::{Directory, Manifest, kustomize};
use super::wire::object;
use crate::diagnostic::{Result, Source};
use crate::files::{File, Files, Kind, Layer, TreePath};
use crate::kustomize::{KUSTOMIZATION_NAMES, kustomization_path};
use crate::pipeline::Rewrite;
use crate::yaml::{self, Mapping, Node, Tag, Value};

/// The group of the product's own files, which are never objects of a cluster.
const OWN_GROUP: &str = "prerender.dev";

/// What an Application sets on its root.
pub struct ApplicationRoot {
    options: KustomizeOptions,
    variables: Variables,
    directories: Directories,
}

impl ApplicationRoot {
    /// Takes what a source sets.
    pub fn of_source(source: &AppSource, facts: &Facts) -> Self {
        Self {
            options: source.kustomize.clone().unwrap_or_default(),
            variables: Variables::of_build(facts, source),
            directories: match source.directory.clone() {
                Some(options) => Directories::Rendered(options),
                None => Directories::Plain,
            },
        }
    }

    /// Takes what a call of the host sets.
    pub(super) fn of(call: &Call) -> Self {
        Self {
            options: call.parameters.kustomize.clone(),
            variables: call.variables.clone(),
            directories: call.parameters.directory.clone(),
        }
    }
}

impl Rewrite for ApplicationRoot {
    fn rewrite(&self, files: &Arc<dyn Files>, directory: &TreePath) -> Result<Option<File>> {
        let made = match &self.directories {
            Directories::Rendered(options) => made(files, directory, options)?,
            Directories::Plain | Directories::Refused => None,
        };
        let layered = Layer::new(Arc::clone(files), made.clone());
        let set = kustomize::rewritten(&layered, directory, &self.options, &self.variables)?;
        match (set.or(made), &self.directories) {
            (None, Directories::Plain) => {
                self::made(files, directory, &DirectoryOptions::default())
            }
            (found, _) => Ok(found),
        }
    }
}

/// The kustomization of a directory that has none: it lists the files that hold objects.
fn made(
    files: &dyn Files,
    directory: &TreePath,
    options: &DirectoryOptions,
) -> Result<Option<File>> {
    let is_directory = files.kind(directory)? == Some(Kind::Directory);
    if !is_directory || kustomization_path(files, directory)?.is_some() {
        return Ok(None);
    }
    let found = Directory {
        files,
        path: directory,
        options,
    };
    let mut resources = Vec::new();
    for manifest in found.manifests()? {
        if holds_objects(&manifest)? {
            resources.push(Node::string(format!("./{}", manifest.name)));
        }
    }
    let mut mapping = Mapping::default();
    match resources.is_empty() {
        // kustomize refuses a file that says nothing; what nothing rendered means is for the gate to say.
        true => drop(mapping.insert("namespace", Node::string("default"))),
        false => drop(mapping.insert("resources", Node::sequence(resources))),
    }
    let path = super::sources::paths::below(directory, KUSTOMIZATION_NAMES[0]);
    let source = Source::committed(format!("{path} (made of the directory)"));
    let node = Node::new(Value::Mapping(mapping), Tag::Map);
    let mut bytes = Vec::new();
    yaml::write_manifest(&mut bytes, &node).map_err(|e| e.at(&source))?;
    Ok(Some(File {
        path,
        bytes: bytes.into(),
        source: source.into(),
    }))
}

/// Whether a file holds objects for the cluster.
fn holds_objects(manifest: &Manifest) -> Result<bool> {
    let objects = manifest.objects()?;
    let is_own = |o: &serde_json::Value| object::gvk(o).0 == OWN_GROUP;
    Ok(!objects.is_empty() && !objects.iter().any(is_own))
}
