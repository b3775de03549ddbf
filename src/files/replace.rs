//! Writes a single file that the invoker named, whole or not at all.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to the file system"
)]

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Trusted;
use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// Who may read a file that is written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everyone.
    All,
    /// Its owner: it holds secrets.
    Owner,
}

impl Trusted {
    /// Writes a file beside its place and renames it. A file for everyone that is there keeps its permissions; one for
    /// its owner ends up with those of its owner.
    ///
    /// Fails with [`Code::WriteFailed`]; then what was there is untouched.
    pub fn replace(self, path: &Path, bytes: &[u8], audience: Audience) -> Result<()> {
        Staged::write(path, bytes, audience)?.persist()
    }

    /// Replaces several files, all of them or none: each is written beside its place before the first is renamed, and
    /// where a rename fails those before it are undone.
    ///
    /// Fails with [`Code::WriteFailed`].
    pub fn replace_all(self, files: &[(PathBuf, Vec<u8>)], audience: Audience) -> Result<()> {
        let mut staged = Vec::with_capacity(files.len());
        for (path, bytes) in files {
            let before = self.read(path).ok();
            staged.push((path, before, Staged::write(path, bytes, audience)?));
        }
        let mut done: Vec<(&PathBuf, Option<Vec<u8>>)> = Vec::new();
        for (path, before, file) in staged {
            if let Err(error) = file.persist() {
                for (path, before) in done.iter().rev() {
                    // What cannot be undone is told by the error that is on its way.
                    let _ = match before {
                        Some(bytes) => self.replace(path, bytes, audience),
                        None => fs::remove_file(path).map_err(|error| failed(path, &error)),
                    };
                }
                return Err(error);
            }
            done.push((path, before));
        }
        Ok(())
    }
}

/// A file that is written whole, beside the place where it will be.
struct Staged {
    file: tempfile::NamedTempFile,
    target: PathBuf,
}

impl Staged {
    fn write(path: &Path, bytes: &[u8], audience: Audience) -> Result<Self> {
        let failed = |error: io::Error| failed(path, &error);
        // Through a link, so that the link stays one.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let directory = target.parent().filter(|d| !d.as_os_str().is_empty());
        let mut file =
            tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new("."))).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        let mode = match (audience, fs::metadata(&target)) {
            (Audience::Owner, _) => 0o600,
            (Audience::All, Ok(there)) => there.permissions().mode(),
            (Audience::All, Err(_)) => 0o644,
        };
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(mode))
            .map_err(failed)?;
        Ok(Self { file, target })
    }

    fn persist(self) -> Result<()> {
        let persisted = self.file.persist(&self.target);
        persisted
            .map(|_| ())
            .map_err(|error| failed(&self.target, &error.error))
    }
}

fn failed(path: &Path, error: &io::Error) -> Diagnostic {
    let shown = path.display().to_string();
    let phrase = format!("{shown} cannot be written: {}", error.kind());
    Diagnostic::new(Code::WriteFailed, phrase).at(Place::file(shown))
}

#[cfg(test)]
mod tests {
    use super::{Audience, Trusted};

    #[test]
    fn a_file_is_replaced_and_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("a");
        let mode = || {
            std::fs::metadata(&path)
                .expect("it is there")
                .permissions()
                .mode()
                & 0o777
        };
        let trusted = Trusted::by_the_invoker();
        trusted
            .replace(&path, b"1", Audience::Owner)
            .expect("it can be written");
        assert_eq!(mode(), 0o600);
        trusted
            .replace(&path, b"2", Audience::All)
            .expect("it can be written");
        assert_eq!(
            (mode(), trusted.read(&path).expect("it can be read")),
            (0o600, b"2".to_vec())
        );
        assert!(
            trusted
                .replace(&path.join("b"), b"", Audience::All)
                .is_err()
        );
    }
}
