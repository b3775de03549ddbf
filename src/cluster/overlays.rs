//! The overlays of a project: what there is, what applies, and what it adds.

pub use crate::overlay::{Form, Set, builtin_sets, list, rows, show, table};

use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{Files, TreePath};
use crate::overlay::{Expansion, copy, own_sets};

use super::Cluster;
use crate::pipeline::{Built, Root, build};
use crate::project::find_project;

/// Every set and overlay that a directory may use: those that are built in, and those of its project.
pub fn sets(files: &dyn Files, directory: &TreePath) -> Result<Vec<Set>> {
    let mut sets = builtin_sets()?;
    if let Some(project) = find_project(files, directory)? {
        sets.extend(own_sets(&project.overlays, files)?);
    }
    Ok(sets)
}

/// Whether a root of a cluster has an overlay to decide on.
pub fn are_used(cluster: &Cluster) -> bool {
    let mut landed = cluster.landed();
    landed.any(|(_, judged)| judged.has_overlays)
}

/// Writes the objects that overlays add, as the finished build has them.
pub fn added(root: &Root<'_>) -> Result<(Vec<u8>, Report), Report> {
    let (_, expansion) = decided(root)?;
    let mut output = Vec::new();
    if let Some(view) = &expansion.view {
        let built = build::run(view, root).map_err(|error| root.masked(error.into()))?;
        let mut built = built.resources;
        let added: Vec<_> = expansion.instances.iter().flat_map(|i| &i.adds).collect();
        built.retain(|r| added.iter().any(|id| id.is_same(&r.id())));
        built.write(&mut output)?;
    }
    Ok((output, expansion.report))
}

/// A copy of what one overlay adds, as names and texts.
pub fn copies(
    root: &Root<'_>,
    name: &str,
    form: Form,
) -> Result<(Vec<(String, String)>, Report), Report> {
    let sets = sets(root.files(), root.directory())?;
    let (_, expansion) = decided(root)?;
    let files = copy(&sets, &expansion, root.directory(), name, form)?;
    Ok((files, expansion.report))
}

/// Builds a root that uses overlays, and decides on them.
fn decided(root: &Root<'_>) -> Result<(Built, Expansion), Report> {
    if root.overlays().is_empty() {
        return Err(none_is_used(&root.directory().to_string()).into());
    }
    root.decided()
}

/// The error that no root at a path uses any overlay.
pub fn none_is_used(path: &str) -> Diagnostic {
    Diagnostic::new(Code::OverlayConfig, format!("{path} uses no overlay"))
        .help("write `use: [cnpg@1]` under overlays in prerender.yaml, run `plugin init`, or pass --overlays cnpg@1")
}
