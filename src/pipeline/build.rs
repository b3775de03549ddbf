//! The build: what kustomize makes of a root.

use super::Root;
pub use crate::kustomize::Built;

use crate::diagnostic::Result;
use crate::files::Files;
use crate::generators::OutsideWork;
use crate::kustomize;

/// Builds the root over some files.
pub fn run(files: &dyn Files, root: &Root<'_>) -> Result<Built> {
    root.enter("build");
    let settling = OutsideWork::new(root.request.outside, &root.opened);
    let directory = root.request.directory;
    kustomize::build(files, directory, &root.options(), &settling)
}
