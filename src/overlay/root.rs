//! The root of a build: its kustomization, and what that does to the objects it lists.

use std::sync::Arc;

use super::rename::{self, Moves, Rename};
use crate::diagnostic::Result;
use crate::files::{File, Files, Kind, TreePath};
use crate::kube::Gvk;
use crate::yaml::{self, Node, ParseOptions};

/// The names that kustomize looks for.
pub(super) const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// How many components are followed into each other; kustomize refuses cycles, and nobody nests this deep.
const MAX_DEPTH: usize = 32;

/// The root kustomization, and how it renames and moves what it lists, with its components.
#[derive(Debug, Clone)]
pub(super) struct Root {
    pub(super) directory: TreePath,
    /// Its kustomization; `None` where there is none.
    pub(super) file: Option<Arc<File>>,
    pub(super) node: Node,
    /// How its components rename what it lists, in order.
    by_components: Vec<Rename>,
    /// How it renames what its patches left.
    own: Vec<Rename>,
    /// The namespace that every object gets.
    pub(super) namespace: Option<String>,
}

impl Root {
    /// Reads the root of a build.
    pub(super) fn read(
        files: &dyn Files,
        directory: &TreePath,
        target: Option<&str>,
    ) -> Result<Self> {
        let mut root = Self {
            directory: directory.clone(),
            file: None,
            node: Node::mapping(),
            by_components: Vec::new(),
            own: Vec::new(),
            namespace: None,
        };
        if let Some((file, node)) = kustomization(files, directory)? {
            root.components(files, directory, &node, 0)?;
            let own = Moves::read(files, directory, &node)?;
            root.own = own.renames;
            root.namespace = own.namespace.or(root.namespace);
            root.file = Some(file);
            root.node = node;
        }
        if let Some(target) = target {
            root.namespace = Some(target.to_owned());
        }
        Ok(root)
    }

    /// Components work on everything that was collected before them, and the kustomization on top of them.
    fn components(
        &mut self,
        files: &dyn Files,
        directory: &TreePath,
        node: &Node,
        depth: usize,
    ) -> Result<()> {
        let components = node
            .get("components")
            .and_then(Node::as_sequence)
            .unwrap_or_default();
        for component in components.iter().filter_map(Node::as_str) {
            let Some(path) = directory.join(component).filter(|_| depth < MAX_DEPTH) else {
                continue;
            };
            if let Some((_, node)) = kustomization(files, &path)? {
                self.components(files, &path, &node, depth + 1)?;
                let moves = Moves::read(files, &path, &node)?;
                self.by_components.extend(moves.renames);
                self.namespace = moves.namespace.or(self.namespace.take());
            }
        }
        Ok(())
    }

    /// The name by which the root lists an object; `None` when the object was renamed in another way.
    pub(super) fn name_before<'n>(&self, gvk: &Gvk, name: &'n str) -> Option<&'n str> {
        rename::before(&self.by_components, gvk, self.name_at_patches(gvk, name)?)
    }

    /// The name that an object has when the root's patches apply: its components have renamed it by then.
    pub(super) fn name_at_patches<'n>(&self, gvk: &Gvk, name: &'n str) -> Option<&'n str> {
        rename::before(&self.own, gvk, name)
    }

    /// What gives a name to an object that the root lists, whatever its kind.
    pub(super) fn namer(&self) -> impl Fn(&str) -> String + Send + Sync + 'static {
        let renames = [self.by_components.as_slice(), &self.own].concat();
        move |name| rename::after(&renames, &Gvk::default(), name)
    }

    /// The name that an object gets which the root lists.
    pub(super) fn name_after(&self, gvk: &Gvk, name: &str) -> String {
        let name = rename::after(&self.by_components, gvk, name);
        rename::after(&self.own, gvk, &name)
    }
}

/// The kustomization of a directory.
pub(super) fn kustomization(
    files: &dyn Files,
    directory: &TreePath,
) -> Result<Option<(Arc<File>, Node)>> {
    for name in NAMES {
        let path = directory.join(name).expect("a name stays in its directory");
        if files.kind(&path)? != Some(Kind::File) {
            continue;
        }
        let file = files.read(&path)?;
        let text = String::from_utf8_lossy(&file.bytes);
        let documents =
            yaml::parse(&text, ParseOptions::default()).map_err(|e| e.at(&file.source))?;
        let node = documents.into_iter().next().unwrap_or_else(Node::mapping);
        return Ok(Some((file, node)));
    }
    Ok(None)
}
