//! Files that a program is given, and looks at what is there.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to processes, and they read files"
)]

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Result};

/// Whether a file is there.
pub fn is_there(path: &Path) -> bool {
    path.is_file()
}

/// A directory of our own that goes when it is dropped.
pub(super) fn temporary() -> Result<tempfile::TempDir> {
    tempfile::Builder::new()
        .prefix("prerender-")
        .tempdir()
        .map_err(|error| unwritten(&error))
}

/// A directory that only we can read and that goes, with all that is in it, when it is dropped.
#[derive(Debug)]
pub struct TemporaryDirectory(tempfile::TempDir);

impl TemporaryDirectory {
    /// Makes one. Fails with [`Code::WriteFailed`].
    pub fn new() -> Result<Self> {
        temporary().map(Self)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A file that only we can read and that goes when it is dropped.
#[derive(Debug)]
pub struct TemporaryFile(tempfile::NamedTempFile);

impl TemporaryFile {
    /// Writes one. Fails with [`Code::WriteFailed`].
    pub fn new(bytes: &[u8]) -> Result<Self> {
        let file = tempfile::NamedTempFile::new().map_err(|error| unwritten(&error))?;
        std::fs::write(file.path(), bytes).map_err(|error| unwritten(&error))?;
        Ok(Self(file))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

fn unwritten(error: &std::io::Error) -> Diagnostic {
    let phrase = format!(
        "nothing can be written for a program to read: {}",
        error.kind()
    );
    Diagnostic::new(Code::WriteFailed, phrase)
}
