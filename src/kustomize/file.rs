//! The kustomization file of a directory.

pub use super::loader::FILE_NAMES as KUSTOMIZATION_NAMES;

use crate::diagnostic::Result;
use crate::files::{Files, Kind, TreePath};

/// The kustomization file of a directory, when there is one. Two of them are the build's to refuse.
pub fn kustomization_path(files: &dyn Files, directory: &TreePath) -> Result<Option<TreePath>> {
    for name in KUSTOMIZATION_NAMES {
        let path = directory.join(name).expect("a name stays in its directory");
        if files.kind(&path)? == Some(Kind::File) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
