//! The overlays of a project: what there is, what applies, what it adds, and a first project file.

use std::collections::{BTreeMap, BTreeSet};

pub use crate::overlay::{Form, Instance, Set, State, builtin_sets, list, rows, show, table};

use crate::diagnostic::{Code, Diagnostic, Place, Report, Result};
use crate::files::{Files, Kind, TreePath};
use crate::kube::ResMap;
use crate::kustomize::{self, Built};
use crate::overlay::{Expansion, Surveyed, copy, survey};
use crate::yaml::{self, Node, ParseOptions};

use super::Root;
use super::adjust::KUSTOMIZATION_NAMES;
use super::plain::{Options, Outside};

/// Tells which overlay applies to which target of a root, and why.
pub fn status(root: &Root<'_>) -> Result<(Vec<Instance>, Report), Report> {
    let (_, told) = expanded(root, |expansion| {
        Ok((expansion.instances.clone(), expansion.report.clone()))
    })?;
    Ok(told)
}

/// Writes the objects that overlays add, as the finished build has them.
pub fn added(root: &Root<'_>) -> Result<(Vec<u8>, Report), Report> {
    let (_, written) = expanded(root, |expansion| {
        let mut output = Vec::new();
        if let Some(view) = &expansion.view {
            let mut built = root.build(view)?.resources;
            let added: Vec<_> = expansion.instances.iter().flat_map(|i| &i.adds).collect();
            built.retain(|r| added.iter().any(|id| id.is_same(&r.id())));
            built.write(&mut output)?;
        }
        Ok((output, expansion.report.clone()))
    })?;
    Ok(written)
}

/// A copy of what one overlay adds, as names and texts.
pub fn copies(
    root: &Root<'_>,
    name: &str,
    form: Form,
) -> Result<(Vec<(String, String)>, Report), Report> {
    let sets = builtin_sets()?;
    let (_, copied) = expanded(root, |expansion| {
        let files = copy(&sets, expansion, root.directory(), name, form)?;
        Ok((files, expansion.report.clone()))
    })?;
    Ok(copied)
}

fn build(files: &dyn Files, directory: &TreePath) -> Result<ResMap> {
    Ok(kustomize::build(files, directory, &Options::default(), &Outside::default())?.resources)
}

/// Builds a root that uses overlays, decides on them, and gives both.
fn expanded<R>(
    root: &Root<'_>,
    then: impl FnOnce(&Expansion<'_>) -> Result<R, Report>,
) -> Result<(Built, R), Report> {
    if root.overlays().is_empty() {
        let phrase = format!("{} uses no overlay", root.directory());
        return Err(Diagnostic::new(Code::OverlayConfig, phrase)
            .help("write `use: [cnpg@1]` under overlays in prerender.yaml, run `plugin init`, or pass --overlays cnpg@1")
            .into());
    }
    root.expanded(|_, expansion| then(&expansion))
}

/// Looks once at everything that a tree renders, and writes a project file for it.
///
/// Roots that do not build are told as warnings, and left out.
pub fn init(files: &dyn Files, directory: &TreePath) -> Result<(String, Report)> {
    let sets = builtin_sets()?;
    let set = sets.first().expect("there is a built-in set");
    let mut report = Report::default();
    let mut roots = Vec::new();
    for root in find_roots(files, directory)? {
        match build(files, &root) {
            Ok(built) => roots.push((root, built)),
            Err(error) => {
                let phrase = format!(
                    "{root} does not build, and is not looked at: {}",
                    error.phrase()
                );
                report.push(Diagnostic::warning(error.code(), phrase).at(error.place().cloned()));
            }
        }
    }
    move_to_targets(&mut roots);
    let surveyed: Vec<_> = roots
        .iter()
        .map(|(directory, built)| Surveyed { directory, built })
        .collect();
    Ok((survey(set, &surveyed)?, report))
}

/// The directories with a kustomization that no other kustomization names.
fn find_roots(files: &dyn Files, directory: &TreePath) -> Result<Vec<TreePath>> {
    let (mut found, mut named) = (Vec::new(), BTreeSet::new());
    let mut open = vec![directory.clone()];
    while let Some(directory) = open.pop() {
        for name in files.list(&directory)? {
            let Some(path) = directory.join(&name).filter(|_| !name.starts_with('.')) else {
                continue;
            };
            match files.kind(&path)? {
                Some(Kind::Directory) => open.push(path),
                Some(Kind::File) if KUSTOMIZATION_NAMES.contains(&name.as_str()) => {
                    let node = kustomization(files, &path)?;
                    let list = |key| {
                        node.get(key)
                            .and_then(Node::as_sequence)
                            .unwrap_or_default()
                    };
                    for key in ["resources", "components", "bases"] {
                        named.extend(
                            list(key)
                                .iter()
                                .filter_map(Node::as_str)
                                .filter_map(|p| directory.join(p)),
                        );
                    }
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
    Ok(found)
}

fn kustomization(files: &dyn Files, path: &TreePath) -> Result<Node> {
    let file = files.read(path)?;
    let text = String::from_utf8_lossy(&file.bytes);
    let node = yaml::parse_first(&text, ParseOptions::default())
        .map_err(|e| e.at(&file.source).or_at(Place::file(path.as_str())))?;
    Ok(node.unwrap_or_else(Node::mapping))
}

/// Gives objects without a namespace the one that a Flux Kustomization sets for their root.
fn move_to_targets(roots: &mut [(TreePath, ResMap)]) {
    let mut targets: BTreeMap<String, String> = BTreeMap::new();
    for resource in roots.iter().flat_map(|(_, built)| built) {
        let text = |key| {
            resource
                .node()
                .lookup(&["spec", key])
                .and_then(Node::as_str)
        };
        if resource
            .gvk()
            .is("kustomize.toolkit.fluxcd.io", "Kustomization")
            && let (Some(path), Some(namespace)) = (
                text("path").and_then(TreePath::parse),
                text("targetNamespace"),
            )
        {
            targets.insert(path.as_str().to_owned(), namespace.to_owned());
        }
    }
    for (directory, built) in roots {
        let Some(namespace) = targets.get(directory.as_str()) else {
            continue;
        };
        for resource in built
            .iter_mut()
            .filter(|r| r.scope() == crate::kube::Scope::Namespaced)
        {
            resource.change(|node| {
                if let Some(metadata) = node.get_mut("metadata").and_then(Node::as_mapping_mut) {
                    metadata.insert("namespace", Node::string(namespace.as_str()));
                }
            });
        }
    }
}
