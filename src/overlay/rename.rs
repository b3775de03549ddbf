//! How a kustomization renames what it lists: its own fields, and the transformers that it configures.

use super::root::kustomization;
use crate::diagnostic::Result;
use crate::files::{Files, Kind, TreePath};
use crate::kube::Gvk;
use crate::yaml::{self, Node, ParseOptions};

/// How many directories of transformers are followed into each other.
const MAX_DEPTH: usize = 8;

/// A prefix and a suffix that names get.
#[derive(Debug, Clone, Default)]
pub(super) struct Rename {
    prefix: String,
    suffix: String,
    /// Group, version and kind of what is renamed, each empty for any; nothing at all for everything.
    of: Vec<[String; 3]>,
}

/// What a kustomization does to the names and the namespace of its objects.
#[derive(Debug, Clone, Default)]
pub(super) struct Moves {
    pub(super) renames: Vec<Rename>,
    pub(super) namespace: Option<String>,
}

impl Rename {
    fn applies(&self, gvk: &Gvk) -> bool {
        let of = [gvk.group.as_str(), gvk.version.as_str(), gvk.kind.as_str()];
        let fits = |row: &[String; 3]| row.iter().zip(of).all(|(w, is)| w.is_empty() || w == is);
        self.of.is_empty() || self.of.iter().any(fits)
    }
}

/// The name that an object gets.
pub(super) fn after(renames: &[Rename], gvk: &Gvk, name: &str) -> String {
    let renames = renames.iter().filter(|r| r.applies(gvk));
    renames.fold(name.to_owned(), |name, r| {
        format!("{}{name}{}", r.prefix, r.suffix)
    })
}

/// The name that an object had; `None` when it was renamed in another way.
pub(super) fn before<'n>(renames: &[Rename], gvk: &Gvk, name: &'n str) -> Option<&'n str> {
    let mut renames = renames.iter().rev().filter(|r| r.applies(gvk));
    renames.try_fold(name, |name, rename| {
        name.strip_prefix(rename.prefix.as_str())?
            .strip_suffix(rename.suffix.as_str())
            .filter(|n| !n.is_empty())
    })
}

impl Moves {
    /// Reads what one kustomization says: its fields first, and then its transformers, as they are applied.
    pub(super) fn read(files: &dyn Files, directory: &TreePath, node: &Node) -> Result<Self> {
        let text = |key| text(node, key).to_owned();
        let mut moves = Self::default();
        let rename = Rename {
            prefix: text("namePrefix"),
            suffix: text("nameSuffix"),
            of: Vec::new(),
        };
        moves.rename(rename);
        moves.namespace = Some(text("namespace")).filter(|n| !n.is_empty());
        moves.transformers(files, directory, node, "transformers", 0)?;
        Ok(moves)
    }

    fn rename(&mut self, rename: Rename) {
        if !rename.prefix.is_empty() || !rename.suffix.is_empty() {
            self.renames.push(rename);
        }
    }

    /// Reads the entries of a list: files, directories with a kustomization of their own, or YAML itself.
    fn transformers(
        &mut self,
        files: &dyn Files,
        directory: &TreePath,
        node: &Node,
        field: &str,
        depth: usize,
    ) -> Result<()> {
        let entries = node.get(field).and_then(Node::as_sequence);
        for entry in entries.unwrap_or_default().iter().filter_map(Node::as_str) {
            if entry.contains('\n') || entry.contains(": ") {
                self.configurations(entry);
                continue;
            }
            let Some(path) = directory.join(entry).filter(|_| depth < MAX_DEPTH) else {
                continue;
            };
            match files.kind(&path)? {
                Some(Kind::File) => {
                    self.configurations(&String::from_utf8_lossy(&files.read(&path)?.bytes));
                }
                Some(Kind::Directory) => {
                    if let Some((_, node)) = kustomization(files, &path)? {
                        self.transformers(files, &path, &node, "resources", depth + 1)?;
                    }
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Reads the configurations of built-in transformers in a text. What is no YAML the build has told.
    fn configurations(&mut self, text: &str) {
        let documents = yaml::parse(text, ParseOptions::default()).unwrap_or_default();
        for document in documents {
            self.configuration(&document);
        }
    }

    fn configuration(&mut self, node: &Node) {
        if text(node, "apiVersion") != "builtin" {
            return;
        }
        let renames = |key: &str| text(node, key).to_owned();
        let (prefix, suffix) = match text(node, "kind") {
            "PrefixTransformer" => (renames("prefix"), String::new()),
            "SuffixTransformer" => (String::new(), renames("suffix")),
            "PrefixSuffixTransformer" => (renames("prefix"), renames("suffix")),
            "NamespaceTransformer" => {
                let namespace = node.lookup(&["metadata", "namespace"]);
                let is_for_all = node.get("unsetOnly").and_then(Node::as_bool) != Some(true);
                let namespace = namespace.and_then(Node::scalar_text);
                if let Some(namespace) = namespace.filter(|n| is_for_all && !n.is_empty()) {
                    self.namespace = Some(namespace.to_owned());
                }
                return;
            }
            _ => return,
        };
        if let Some(of) = renamed(node) {
            self.rename(Rename { prefix, suffix, of });
        }
    }
}

/// Which objects a configuration renames: those of the field specs on `metadata/name`; `None` for nothing.
fn renamed(node: &Node) -> Option<Vec<[String; 3]>> {
    let specs = node.get("fieldSpecs").and_then(Node::as_sequence)?;
    let on_names = specs.iter().filter(|s| text(s, "path") == "metadata/name");
    let of: Vec<[String; 3]> = on_names
        .map(|spec| ["group", "version", "kind"].map(|key| text(spec, key).to_owned()))
        .collect();
    let everything = of.iter().any(|row| row.iter().all(String::is_empty));
    match (of.is_empty(), everything) {
        (true, _) => None,
        (_, true) => Some(Vec::new()),
        _ => Some(of),
    }
}

fn text<'n>(node: &'n Node, key: &str) -> &'n str {
    node.get(key)
        .and_then(Node::scalar_text)
        .unwrap_or_default()
}
