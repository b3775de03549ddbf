//! A kustomization as it stands: built and written, and nothing else.

use crate::diagnostic::{Report, Result};
use crate::files::{Files, TreePath};
use crate::kustomize;

pub use super::outside::{Outside, plugin_homes};
pub use crate::kustomize::{LoadRestriction, Options, Order};

/// Builds a directory and writes what it gives.
pub fn render(
    files: &dyn Files,
    directory: &TreePath,
    options: &Options,
    outside: &Outside,
) -> Result<(Vec<u8>, Report)> {
    let built = kustomize::build(files, directory, options, outside)?;
    let mut output = Vec::new();
    built.resources.write(&mut output)?;
    Ok((output, built.warnings))
}
