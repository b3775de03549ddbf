//! What a host writes into the root kustomization before it builds.

mod adjust;
mod flux;
mod ignore;

use std::sync::Arc;

pub use adjust::{Adjustments, Change, Image, adjusted};
pub use flux::Flux;
pub use ignore::{ARTIFACT_DEFAULTS, Ignore};

use super::Root;
use super::progress::Timed;
use crate::diagnostic::Result;
use crate::files::{File, Files, Layer};
use crate::kustomize::kustomization_path;

/// The view in which the root kustomization reads as its host writes it; reads are noted for a watchdog.
pub(super) fn view(root: &Root<'_>) -> Result<Arc<dyn Files>> {
    let opened = root.view();
    let Some(host) = root.request.host else {
        return Ok(opened);
    };
    let timed: Arc<dyn Files> = Arc::new(Timed::new(opened, host.progress.clone()));
    let directory = root.request.directory;
    let written = match (&host.rewrite, &host.flux) {
        (Some(rewrite), _) => rewrite.rewrite(&timed, directory)?,
        (None, Some(flux)) => flux::kustomization(&timed, directory, &host.adjustments, flux)?,
        (None, None) => set(&timed, root, &host.adjustments)?,
    };
    Ok(match written {
        Some(file) => Arc::new(Layer::new(timed, [file])),
        None => timed,
    })
}

/// The kustomization that is there with what the host sets on it; `None` where nothing is set, or nothing is there.
fn set(files: &dyn Files, root: &Root<'_>, adjustments: &Adjustments) -> Result<Option<File>> {
    let path = kustomization_path(files, root.request.directory)?;
    let Some(path) = path.filter(|_| !adjustments.is_empty()) else {
        return Ok(None);
    };
    adjusted(files.read(&path)?.as_ref(), adjustments).map(Some)
}
