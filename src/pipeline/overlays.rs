//! The overlays of a project: what there is, what applies, what it adds, and a first project file.

pub use crate::overlay::{Form, Instance, Set, State, builtin_sets, list, rows, show, table};

use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{Files, TreePath};
use crate::kube::ResMap;
use crate::kustomize::{self, Built};
use crate::overlay::{Expansion, Surveyed, copy, survey};
use crate::yaml::Node;

use super::plain::{Options, Outside};
use super::roots::{find_roots, target_namespaces};
use super::values::{Opener, Overrides};
use super::{Root, Session};

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
/// Templates are rendered where the values for them are there. Roots that do not build are told as
/// warnings, and left out.
pub fn init(
    disk: &dyn Files,
    directory: &TreePath,
    opener: &Opener<'_>,
) -> Result<(String, Report)> {
    let sets = builtin_sets()?;
    let set = sets.first().expect("there is a built-in set");
    let mut report = Report::default();
    let overrides = Overrides::default();
    let session = Session::open(disk, directory, &overrides, opener);
    let session =
        session.map_err(|e| report.push(left_out(directory, "is read without its templates", &e)));
    let session = session.ok();
    let files = session.as_ref().map_or(disk, Session::files);
    let mut roots = Vec::new();
    let templates = session.as_ref().map(Session::template_directories);
    for root in find_roots(files, directory, &templates.unwrap_or_default())? {
        match kustomize::build(files, &root, &Options::default(), &Outside::default()) {
            Ok(built) => roots.push((root, built.resources)),
            Err(error) => report.push(left_out(
                &root,
                "does not build, and is not looked at",
                &error,
            )),
        }
    }
    move_to_targets(&mut roots);
    let surveyed: Vec<_> = roots
        .iter()
        .map(|(directory, built)| Surveyed { directory, built })
        .collect();
    Ok((survey(set, &surveyed)?, report))
}

/// The warning for what cannot be looked at.
fn left_out(directory: &TreePath, what: &str, error: &Diagnostic) -> Diagnostic {
    let phrase = format!("{directory} {what}: {}", error.phrase());
    Diagnostic::warning(error.code(), phrase).at(error.place().cloned())
}

/// Gives objects without a namespace the one that a Flux Kustomization sets for their root.
fn move_to_targets(roots: &mut [(TreePath, ResMap)]) {
    let targets = target_namespaces(roots.iter().map(|(_, built)| built));
    for (directory, built) in roots {
        let Some(namespace) = targets.get(directory) else {
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
