//! Finds the roots of a tree: the kustomizations that a host applies, and the namespaces that it gives them.

use std::collections::{BTreeMap, BTreeSet};

use super::adjust::KUSTOMIZATION_NAMES;
use crate::diagnostic::{Diagnostic, Place, Result};
use crate::files::{Files, Kind, TreePath};
use crate::kube::ResMap;
use crate::yaml::{self, Node, ParseOptions};

/// Lists the directories with a kustomization that no other kustomization names, in order.
///
/// Hidden directories are not looked at, and neither are those that are `left_out`, nor what is below them.
/// Links are not followed: what they lead to has a name of its own, or lies outside.
/// A kustomization that does not parse is handed to `broken`, which may fail.
pub(super) fn find_roots(
    files: &dyn Files,
    directory: &TreePath,
    left_out: &[TreePath],
    mut broken: impl FnMut(&TreePath, Diagnostic) -> Result<()>,
) -> Result<Vec<TreePath>> {
    let (mut found, mut named) = (Vec::new(), BTreeSet::new());
    let mut open = vec![directory.clone()];
    while let Some(directory) = open.pop() {
        // What a template makes is no link, and has no path on disk.
        let real = files.real_path(&directory).ok();
        let is_link = |path: &TreePath, name: &str| {
            let here = real.as_ref().and_then(|real| real.join(name));
            matches!((files.real_path(path), here), (Ok(there), Some(here)) if there != here)
        };
        for name in files.list(&directory)? {
            let Some(path) = directory.join(&name).filter(|_| !name.starts_with('.')) else {
                continue;
            };
            match files.kind(&path) {
                Ok(Some(Kind::Directory)) if left_out.contains(&path) || is_link(&path, &name) => {}
                Ok(Some(Kind::Directory)) => open.push(path),
                Ok(Some(Kind::File)) if KUSTOMIZATION_NAMES.contains(&name.as_str()) => {
                    let node = match kustomization(files, &path) {
                        Ok(node) => node,
                        Err(error) => {
                            broken(&directory, error)?;
                            continue;
                        }
                    };
                    named.extend(named_by(&node, &directory));
                    if node.get("kind").and_then(Node::as_str) != Some("Component") {
                        found.push(directory.clone());
                    }
                }
                _ => {}
            }
        }
    }
    found.retain(|root| !named.contains(root));
    found.sort();
    found.dedup();
    Ok(found)
}

/// The paths that a kustomization is made of.
fn named_by(node: &Node, directory: &TreePath) -> Vec<TreePath> {
    let lists = ["resources", "components", "bases"].map(|key| {
        let list = node.get(key).and_then(Node::as_sequence);
        list.unwrap_or_default()
    });
    let entries = lists.into_iter().flatten();
    entries
        .filter_map(Node::as_str)
        .filter_map(|path| directory.join(path))
        .collect()
}

fn kustomization(files: &dyn Files, path: &TreePath) -> Result<Node> {
    let file = files.read(path)?;
    let text = String::from_utf8_lossy(&file.bytes);
    let node = yaml::parse_first(&text, ParseOptions::default())
        .map_err(|e| e.at(&file.source).or_at(Place::file(path.as_str())))?;
    Ok(node.unwrap_or_else(Node::mapping))
}

/// The namespace that a Flux Kustomization among some objects sets for a path.
pub(super) fn target_namespaces<'a>(
    built: impl IntoIterator<Item = &'a ResMap>,
) -> BTreeMap<TreePath, String> {
    let objects = built.into_iter().flatten();
    let flux = objects.filter(|r| r.gvk().is("kustomize.toolkit.fluxcd.io", "Kustomization"));
    flux.filter_map(|resource| {
        let text = |key| {
            let value = resource.node().lookup(&["spec", key]);
            value.and_then(Node::as_str)
        };
        let path = TreePath::parse(text("path")?)?;
        Some((path, text("targetNamespace")?.to_owned()))
    })
    .collect()
}
