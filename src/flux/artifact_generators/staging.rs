//! The directory that an artifact is put together in, in memory.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::wrong;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::flux::contents::MAX_BYTES;

/// Files and directories by their paths.
#[derive(Debug, Default)]
pub struct Staging {
    files: IndexMap<String, Vec<u8>>,
    directories: BTreeSet<String>,
    bytes: usize,
}

impl Staging {
    /// Whether there is a directory; the root is one.
    pub fn is_directory(&self, path: &str) -> bool {
        path.is_empty() || self.directories.contains(path)
    }

    /// The file at a path.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// Makes a directory and those above it.
    pub fn make_directory(&mut self, path: &str) -> Result<()> {
        let ends = path
            .match_indices('/')
            .map(|(at, _)| at)
            .chain([path.len()]);
        for end in ends.filter(|end| *end > 0) {
            let part = &path[..end];
            if self.files.contains_key(part) {
                return Err(wrong(format!(
                    "{part:?} is a file and cannot be a directory, too"
                )));
            }
            self.directories.insert(part.to_owned());
        }
        Ok(())
    }

    /// Writes a file in the place of the one that is there.
    pub fn write(&mut self, path: &str, bytes: Vec<u8>) -> Result<()> {
        if self.is_directory(path) {
            return Err(wrong(format!(
                "{path:?} is a directory and cannot be a file, too"
            )));
        }
        if let Some((directory, _)) = path.rsplit_once('/') {
            self.make_directory(directory)?;
        }
        self.bytes += bytes.len();
        if self.bytes > MAX_BYTES {
            let phrase = format!("the artifact holds more than {} MiB", MAX_BYTES >> 20);
            return Err(Diagnostic::new(Code::FileTooLarge, phrase));
        }
        self.files.insert(path.to_owned(), bytes);
        Ok(())
    }

    /// The files.
    pub fn into_files(self) -> IndexMap<String, Vec<u8>> {
        self.files
    }
}
