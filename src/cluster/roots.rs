//! Finds the roots of a tree: the kustomizations that a host applies, and the namespaces that it gives them.

use std::collections::{BTreeMap, BTreeSet};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::diagnostic::{Diagnostic, Place, Result};
use crate::files::{Files, Kind, TreePath};
use crate::kube::{ResMap, Resource};
use crate::kustomize::{KUSTOMIZATION_NAMES, kustomization_path};
use crate::pipeline::{Request, Root, build};
use crate::project::NAMES as PROJECT_NAMES;
use crate::project::Session;
use crate::yaml::{self, Node, ParseOptions};

/// Lists the roots of an open project at a directory, in order, but for those in one of the `left_out`.
///
/// A directory with a kustomization is one, and so is what the Flux Kustomizations that it holds apply below it.
/// One without stands for every root below it. A kustomization that does not parse is listed too: its build tells
/// what is wrong.
pub fn roots_of(
    of: &Root<'_>,
    session: &Session,
    directory: &TreePath,
    left_out: &[TreePath],
) -> Result<Vec<TreePath>> {
    if kustomization_path(session.files(), directory)?.is_none() {
        return roots_below(session, directory, left_out);
    }
    let mut found = vec![directory.clone()];
    let request = at(of.request, directory);
    let built = build::run(&of.opened, &Root::new(&request, session));
    let objects = built.map(|built| built.resources).unwrap_or_default();
    if objects.iter().any(is_flux_kustomization) {
        let below = roots_below(session, directory, left_out)?;
        let paths = objects.iter().filter_map(applied_path);
        found.extend(paths.filter_map(|path| placed(&path, directory, &below)));
        found.sort();
        found.dedup();
    }
    Ok(found)
}

fn roots_below(
    session: &Session,
    directory: &TreePath,
    left_out: &[TreePath],
) -> Result<Vec<TreePath>> {
    let mut left_out = left_out.to_vec();
    left_out.extend(session.template_directories());
    let mut broken = Vec::new();
    let mut found = find_roots(session.files(), directory, &left_out, |directory, _| {
        broken.push(directory.clone());
        Ok(())
    })?;
    found.extend(broken);
    found.sort();
    Ok(found)
}

/// Lists the directories strictly below a directory that have a project file, in order; links are not followed.
pub fn projects_below(files: &dyn Files, directory: &TreePath) -> Result<Vec<TreePath>> {
    let (mut found, mut open) = (Vec::new(), Vec::new());
    if files.kind(directory)? == Some(Kind::Directory) {
        open.push(directory.clone());
    }
    while let Some(next) = open.pop() {
        let names = files.list(&next)?;
        let is_project = names.iter().any(|n| PROJECT_NAMES.contains(&n.as_str()));
        if is_project && next != *directory {
            found.push(next.clone());
        }
        let visible = names.iter().filter(|name| !name.starts_with('.'));
        let directories = visible.filter_map(|name| next.join(name)).filter(|path| {
            let is_directory = matches!(files.kind(path), Ok(Some(Kind::Directory)));
            is_directory && files.real_path(path).is_ok_and(|real| real == *path)
        });
        open.extend(directories);
    }
    found.sort();
    Ok(found)
}

/// Hands each of some roots to a function as it handles the root `of` the same project, in parallel, with the
/// namespace that a Flux Kustomization among them gives it; the results come in the order of the roots.
pub fn each<R: Send>(
    of: &Root<'_>,
    session: &Session,
    roots: &[TreePath],
    then: impl Fn(&Root<'_>) -> R + Sync,
) -> Vec<R> {
    let request = of.request;
    let targets = match roots {
        [] | [_] => BTreeMap::new(),
        _ => flux_targets(request, session, roots),
    };
    let one = |directory: &TreePath| {
        let request = at(request, directory);
        let root = Root::new(&request, session);
        then(&root.with_target_namespace(targets.get(directory).map(String::as_str)))
    };
    roots.par_iter().map(one).collect()
}

/// The namespaces that Flux sets, from the roots that build; the others fail later, with their errors.
pub(crate) fn flux_targets(
    request: &Request<'_>,
    session: &Session,
    roots: &[TreePath],
) -> BTreeMap<TreePath, String> {
    let build = |directory: &TreePath| {
        let request = at(request, directory);
        let root = Root::new(&request, session);
        build::run(&root.opened, &root)
            .ok()
            .map(|built| built.resources)
    };
    let built: Vec<ResMap> = roots.par_iter().filter_map(build).collect();
    let targets = target_namespaces(&built).into_iter();
    targets
        .filter_map(|(path, namespace)| Some((placed(&path, request.directory, roots)?, namespace)))
        .collect()
}

/// The root that a path of a Flux Kustomization means. It counts from the top of the repository, which is the
/// tree's, or lies between it and the directory that was asked for.
fn placed(path: &TreePath, asked: &TreePath, roots: &[TreePath]) -> Option<TreePath> {
    let mut tops: Vec<_> = std::iter::successors(Some(asked.clone()), TreePath::parent).collect();
    tops.reverse();
    let mut places = tops.iter().filter_map(|top| top.join(path.as_str()));
    places.find(|place| roots.contains(place))
}

/// The same request for another directory.
pub(crate) fn at<'a>(request: &Request<'a>, directory: &'a TreePath) -> Request<'a> {
    Request {
        directory,
        ..request.clone()
    }
}

/// Lists the directories with a kustomization that no other kustomization names, in order.
///
/// Hidden directories are not looked at, and neither are those that are `left_out`, nor what is below them.
/// Links are not followed: what they lead to has a name of its own, or lies outside.
/// A kustomization that does not parse is handed to `broken`, which may fail.
pub(crate) fn find_roots(
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

/// The namespace that a Flux Kustomization among some objects sets for a path, which counts from its source.
fn target_namespaces<'a>(
    built: impl IntoIterator<Item = &'a ResMap>,
) -> BTreeMap<TreePath, String> {
    let objects = built.into_iter().flatten();
    objects
        .filter_map(|resource| {
            let namespace = resource.node().lookup(&["spec", "targetNamespace"]);
            let namespace = namespace.and_then(Node::as_str)?;
            Some((applied_path(resource)?, namespace.to_owned()))
        })
        .collect()
}

fn is_flux_kustomization(resource: &Resource) -> bool {
    resource
        .gvk()
        .is("kustomize.toolkit.fluxcd.io", "Kustomization")
}

/// The path that a Flux Kustomization applies, as it counts from its source.
fn applied_path(resource: &Resource) -> Option<TreePath> {
    let path = resource.node().lookup(&["spec", "path"]);
    let path = path.filter(|_| is_flux_kustomization(resource));
    TreePath::parse(path.and_then(Node::as_str)?)
}
