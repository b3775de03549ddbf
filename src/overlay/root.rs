//! The root of a build: its kustomization, and what that does to the objects it lists.

use std::sync::Arc;

use crate::diagnostic::Result;
use crate::files::{File, Files, Kind, TreePath};
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
    /// What is put before the name of every object that the root lists.
    pub(super) prefix: String,
    /// What is put behind it.
    pub(super) suffix: String,
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
            prefix: String::new(),
            suffix: String::new(),
            namespace: None,
        };
        if let Some((file, node)) = kustomization(files, directory)? {
            root.follow(files, directory, &node, 0)?;
            root.file = Some(file);
            root.node = node;
        }
        if let Some(target) = target {
            root.namespace = Some(target.to_owned());
        }
        Ok(root)
    }

    /// Components work on everything that was collected before them, and the kustomization on top of them.
    fn follow(
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
                self.follow(files, &path, &node, depth + 1)?;
            }
        }
        let text = |key| {
            node.get(key)
                .and_then(Node::scalar_text)
                .unwrap_or_default()
        };
        self.prefix.insert_str(0, text("namePrefix"));
        self.suffix.push_str(text("nameSuffix"));
        if !text("namespace").is_empty() {
            self.namespace = Some(text("namespace").to_owned());
        }
        Ok(())
    }

    /// The name by which the root knows an object before it renames it; `None` when the object was renamed
    /// in another way.
    pub(super) fn name_before<'n>(&self, name: &'n str) -> Option<&'n str> {
        name.strip_prefix(self.prefix.as_str())?
            .strip_suffix(self.suffix.as_str())
            .filter(|n| !n.is_empty())
    }

    /// The name that an object gets which the root lists.
    pub(super) fn name_after(&self, name: &str) -> String {
        format!("{}{name}{}", self.prefix, self.suffix)
    }
}

/// The kustomization of a directory.
fn kustomization(files: &dyn Files, directory: &TreePath) -> Result<Option<(Arc<File>, Node)>> {
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
