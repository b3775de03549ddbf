//! Files that the invoker named: by argument, environment, home directory or policy.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to the file system"
)]

use std::fs;
use std::io::Read;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::MAX_FILE_BYTES;
use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// Opens what the invoker named, wherever it is: a regular file, links followed, size capped.
///
/// Made by `cli` alone, and passed to what needs it.
#[derive(Debug, Clone, Copy)]
pub struct Trusted(());

impl Trusted {
    /// Makes the opener. For `cli`: nothing that a repository holds may reach a path through it.
    pub fn by_the_invoker() -> Self {
        Self(())
    }

    /// Reads a file. Fails with [`Code::FileMissing`], `FileUnreadable` or `FileTooLarge`.
    pub fn read(self, path: &Path) -> Result<Vec<u8>> {
        let shown = path.display().to_string();
        let place = Place::file(shown.as_str());
        let fail = |code, phrase: String| Diagnostic::new(code, phrase).at(place.clone());
        let unreadable = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::NotFound => {
                fail(Code::FileMissing, format!("{shown} does not exist"))
            }
            kind => fail(
                Code::FileUnreadable,
                format!("{shown} cannot be read: {kind}"),
            ),
        };
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let handle =
            rustix::fs::open(path, flags, Mode::empty()).map_err(|e| unreadable(e.into()))?;
        let mut file = fs::File::from(handle);
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(fail(
                Code::FileUnreadable,
                format!("{shown} is not a regular file"),
            ));
        }
        if metadata.len() > MAX_FILE_BYTES {
            return Err(fail(
                Code::FileTooLarge,
                format!("{shown} is larger than {MAX_FILE_BYTES} bytes"),
            ));
        }
        let mut bytes = Vec::new();
        file.by_ref()
            .take(MAX_FILE_BYTES)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        Ok(bytes)
    }

    /// Reads a file, or what a pipe or `/dev/stdin` gives until it ends. Fails as [`Self::read`] does.
    pub fn read_stream(self, path: &Path) -> Result<Vec<u8>> {
        let is_stream = fs::metadata(path).is_ok_and(|m| !m.is_file() && !m.is_dir());
        let Some(stream) = is_stream.then(|| fs::File::open(path).ok()).flatten() else {
            return self.read(path);
        };
        let shown = path.display().to_string();
        let failed =
            |code, phrase: String| Diagnostic::new(code, phrase).at(Place::file(shown.as_str()));
        let mut bytes = Vec::new();
        stream
            .take(MAX_FILE_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| {
                failed(
                    Code::FileUnreadable,
                    format!("{shown} cannot be read: {}", error.kind()),
                )
            })?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(failed(
                Code::FileTooLarge,
                format!("{shown} is larger than {MAX_FILE_BYTES} bytes"),
            ));
        }
        Ok(bytes)
    }

    /// Lists the names in a directory, sorted; empty when there is none.
    pub fn list(self, directory: &Path) -> Vec<String> {
        let Ok(entries) = fs::read_dir(directory) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .filter_map(|e| e.ok()?.file_name().into_string().ok())
            .collect();
        names.sort_unstable();
        names
    }

    /// Whether there is anything at the path.
    pub fn exists(self, path: &Path) -> bool {
        path.exists()
    }

    /// Whether the path itself is a link.
    pub fn is_link(self, path: &Path) -> bool {
        path.is_symlink()
    }

    /// Whether there is a directory at the path.
    pub fn is_directory(self, path: &Path) -> bool {
        path.is_dir()
    }
}
