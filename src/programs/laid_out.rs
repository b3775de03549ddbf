//! Parts of a repository, laid out on disk for a program to read, in a directory that goes with all that is in it.
#![expect(clippy::disallowed_methods, reason = "a program reads what is on disk")]

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use super::chart;
use super::ending::Private;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::{Files, TreePath};

/// The directory.
#[derive(Debug)]
pub struct LaidOut {
    directory: Private,
    count: Cell<u32>,
}

impl LaidOut {
    /// Makes an empty one. Fails with [`Code::WriteFailed`].
    pub fn new() -> Result<Self> {
        Ok(Self {
            directory: Private::new()?,
            count: Cell::new(0),
        })
    }

    /// Copies a directory of a repository to its place; sealed files stay sealed.
    pub fn copy(&self, files: &dyn Files, directory: &TreePath) -> Result<()> {
        chart::copy(files, directory, &self.place(directory))
    }

    /// The directory itself, for temporary files.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Where a directory of the repository lies.
    pub fn place(&self, directory: &TreePath) -> PathBuf {
        self.directory.path().join("tree").join(directory.as_str())
    }

    /// Writes a file of its own, and gives its path.
    pub fn write(&self, bytes: &[u8]) -> Result<String> {
        self.count.set(self.count.get() + 1);
        let path = self
            .directory
            .path()
            .join(format!("values-{}", self.count.get()));
        fs::write(&path, bytes).map_err(|error| {
            let phrase = format!("values cannot be laid out for helm: {}", error.kind());
            Diagnostic::new(Code::WriteFailed, phrase)
        })?;
        Ok(path.display().to_string())
    }

    /// The variables by which helm keeps its own files in here.
    pub fn helm_variables(&self) -> Vec<(String, String)> {
        let below = |name: &str| self.directory.path().join(name).display().to_string();
        vec![
            ("HELM_CONFIG_HOME".to_owned(), below("helm")),
            ("HELM_CACHE_HOME".to_owned(), below("helm/cache")),
            ("HELM_DATA_HOME".to_owned(), below("helm/data")),
        ]
    }
}
