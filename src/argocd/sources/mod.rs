//! Renders one source of an Application as the repo-server does: what kind it is, and what it gives.
//!
//! The way in is [`render`]. Follows `GenerateManifests` and `GetAppSourceType` of Argo CD 3.6
//! (reposerver/repository/repository.go, util/app/discovery/discovery.go). A source that names no tool is the
//! first of: a plugin that discovers it; the last of the files `*Chart.yaml` and `kustomization.yaml`, in the
//! order of names, that lies in its directory; a plain directory.

mod charts;
pub mod directory;
pub mod kustomize;
pub mod paths;

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

pub use charts::HelmTool;
pub use directory::{Directory, Manifest};

use super::application::{AppSource, Facts, SourceKind};
use super::wire::lists;
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{Files, TreePath};
use crate::kustomize::KUSTOMIZATION_NAMES;

/// One source that is to be rendered.
pub struct SourceOrder<'a> {
    /// The source, with what its repository sets on it merged in.
    pub source: &'a AppSource,
    /// What its variables say.
    pub facts: &'a Facts,
    /// The checkout of its repository.
    pub files: &'a Arc<dyn Files>,
    /// The directory of the source in it.
    pub directory: &'a TreePath,
    /// The other sources of the Application that have a `ref`: by `$name`, their checkouts.
    pub references: &'a References,
    /// Kinds that the installation switches off.
    pub disabled: &'a [SourceKind],
    /// What renders plugins and charts.
    pub tools: &'a dyn Tools,
}

/// Checkouts by `$name`; `None` for one that is not at hand.
pub type References = IndexMap<String, Option<Arc<dyn Files>>>;

/// What a source needs that is not kustomize or plain files.
pub trait Tools {
    /// Whether a plugin discovers a source that names no tool.
    fn discovers(&self, order: &SourceOrder<'_>) -> bool;

    /// Renders a source with a plugin, the one that it names or the one that discovers it, and gives the
    /// documents that the plugin printed.
    fn plugin(&self, order: &SourceOrder<'_>) -> Result<Vec<Value>, Report>;

    /// What renders charts, where the invoker allows it.
    fn helm(&self) -> Option<&HelmTool>;
}

/// What a source gives.
#[derive(Debug, Clone)]
pub struct RenderedSource {
    /// What built it.
    pub kind: SourceKind,
    /// Its objects, Lists unrolled; nothing is marked, and no namespace is set.
    pub objects: Vec<Value>,
}

/// Renders a source. Fails with [`Code::HostError`], whose note is what the host says, and as builds do.
pub fn render(order: &SourceOrder<'_>) -> Result<RenderedSource, Report> {
    let kind = kind(order)?;
    let documents = match kind {
        SourceKind::Directory => Directory {
            files: order.files,
            path: order.directory,
            options: &order.source.directory.clone().unwrap_or_default(),
        }
        .objects()?,
        SourceKind::Kustomize => kustomize::objects(order)?,
        SourceKind::Helm => charts::objects(order)?,
        SourceKind::Plugin => order.tools.plugin(order)?,
    };
    let mut objects = Vec::new();
    for document in documents {
        objects.extend(lists::unrolled(document).map_err(|words| said(&words))?);
    }
    Ok(RenderedSource { kind, objects })
}

/// What builds a source. Fails where it names several tools.
pub fn kind(order: &SourceOrder<'_>) -> Result<SourceKind> {
    let is_enabled = |kind: &SourceKind| !order.disabled.contains(kind);
    match order.source.tools()[..] {
        [] => {}
        [kind] if is_enabled(&kind) => return Ok(kind),
        [_] => return Ok(SourceKind::Directory),
        ref several => {
            let names: Vec<&str> = several.iter().map(|kind| kind.name()).collect();
            let names = names.join(",");
            return Err(said(&format!(
                "error getting app source type: multiple application sources defined: {names}"
            )));
        }
    }
    if order.tools.discovers(order) {
        return Ok(SourceKind::Plugin);
    }
    let mut found = SourceKind::Directory;
    for name in paths::entries(order.files, order.directory)? {
        let marks = match &*name {
            name if KUSTOMIZATION_NAMES.contains(&name) => SourceKind::Kustomize,
            name if name.ends_with("Chart.yaml") => SourceKind::Helm,
            _ => continue,
        };
        if is_enabled(&marks) {
            found = marks;
        }
    }
    Ok(found)
}

/// An error that the Application's page shows.
pub fn said(words: &str) -> Diagnostic {
    let phrase = "Argo CD shows an error in the place of the Application's objects";
    Diagnostic::new(Code::HostError, phrase).note(words)
}
