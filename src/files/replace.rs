//! Writes a single file that the invoker named, whole or not at all.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to the file system"
)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

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
    /// Writes a file beside its place and renames it. A file that is there keeps its permissions.
    ///
    /// Fails with [`Code::WriteFailed`]; then what was there is untouched.
    pub fn replace(self, path: &Path, bytes: &[u8], audience: Audience) -> Result<()> {
        let shown = path.display().to_string();
        let failed = |error: std::io::Error| {
            Diagnostic::new(
                Code::WriteFailed,
                format!("{shown} cannot be written: {}", error.kind()),
            )
            .at(Place::file(shown.as_str()))
        };
        // Through a link, so that the link stays one.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let directory = target.parent().filter(|d| !d.as_os_str().is_empty());
        let mut file =
            tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new("."))).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        let usual = match audience {
            Audience::All => 0o644,
            Audience::Owner => 0o600,
        };
        let mode = fs::metadata(&target).map_or(usual, |m| m.permissions().mode());
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(mode))
            .map_err(failed)?;
        file.persist(&target)
            .map(|_| ())
            .map_err(|error| failed(error.error))
    }
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
