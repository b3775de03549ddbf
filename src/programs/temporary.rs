//! Files that a program is given, and looks at what is there.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to processes, and they read files"
)]

use std::path::{Path, PathBuf};

use super::ending::Private;
use crate::diagnostic::{Code, Diagnostic, Result};

/// Whether a file is there.
pub fn is_there(path: &Path) -> bool {
    path.is_file()
}

/// A directory that only we can read and that goes, with all that is in it, when it is dropped.
#[derive(Debug)]
pub struct TemporaryDirectory(Private);

impl TemporaryDirectory {
    /// Makes one. Fails with [`Code::WriteFailed`].
    pub fn new() -> Result<Self> {
        Private::new().map(Self)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A file that only we can read and that goes when it is dropped.
#[derive(Debug)]
pub struct TemporaryFile {
    _directory: Private,
    path: PathBuf,
}

impl TemporaryFile {
    /// Writes one. Fails with [`Code::WriteFailed`].
    pub fn new(bytes: &[u8]) -> Result<Self> {
        let directory = Private::new()?;
        let path = directory.path().join("file");
        std::fs::write(&path, bytes).map_err(|error| {
            let phrase = format!(
                "nothing can be written for a program to read: {}",
                error.kind()
            );
            Diagnostic::new(Code::WriteFailed, phrase)
        })?;
        Ok(Self {
            _directory: directory,
            path,
        })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
