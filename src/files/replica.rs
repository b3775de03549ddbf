//! A copy of a tree as a host sends it to a plugin: packed, sent, and unpacked.
//!
//! Follows `tgzFile` and `untar` (util/io/files/tar.go) and `CheckOutOfBoundsSymlinks` (util/app/path/path.go) of
//! Argo CD 3.6. Cases: `link-*`, `sent-*` of the recordings.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to the file system"
)]

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// Whether a copied file keeps its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modes {
    /// Files become 0644, directories 0755.
    Reset,
    /// As they are.
    Keep,
}

/// What was copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replica {
    /// How many regular files.
    pub files: usize,
    /// Their bytes.
    pub size_bytes: u64,
}

/// Whether a path below the directory is left out; or why that cannot be said.
pub type Exclusion<'a> = &'a dyn Fn(&str) -> Result<bool>;

/// Copies a directory into another one, which is made, as an archive of it is packed and unpacked.
///
/// Files, directories and links travel, in the order of a walk. `leaves_out` is asked with each path below the
/// directory, and with `.` for itself; what it names does not travel, nor what lies below it. Links are written
/// anew: cleaned, and resolved as far as what they lead to is there already. Fails with [`Code::OutsideRoot`] at
/// one that leads out of the copy or to its root; with [`Code::FileUnreadable`] and [`Code::WriteFailed`].
pub fn replicate(
    from: &Path,
    to: &Path,
    modes: Modes,
    leaves_out: Exclusion<'_>,
) -> Result<Replica> {
    fs::create_dir_all(to).map_err(|error| unwritten(Path::new(""), &error))?;
    let to = to
        .canonicalize()
        .map_err(|error| unwritten(Path::new(""), &error))?;
    let mut copying = Copying {
        from,
        to: &to,
        modes,
        leaves_out,
        replica: Replica::default(),
    };
    if !leaves_out(".")? {
        copying.directory(Path::new(""))?;
    }
    Ok(copying.replica)
}

/// The first link below a directory that is absolute or leaves it at any part, taken by its text, whether it
/// leads anywhere or not. `.git` of the directory itself is not looked at.
pub fn leaving_link(root: &Path) -> Result<Option<String>> {
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        for path in names(root, &below)? {
            if path == Path::new(".git") {
                continue;
            }
            let source = root.join(&path);
            let metadata = fs::symlink_metadata(&source).map_err(|e| unreadable(&path, &e))?;
            if metadata.is_dir() {
                open.push(path);
            } else if metadata.is_symlink() {
                let target = fs::read_link(&source).map_err(|e| unreadable(&path, &e))?;
                if leaves(&path, &target) {
                    return Ok(Some(path.display().to_string()));
                }
            }
        }
    }
    Ok(None)
}

/// The paths in a directory, in the order of their names.
fn names(root: &Path, below: &Path) -> Result<Vec<PathBuf>> {
    let mut names: Vec<_> = fs::read_dir(root.join(below))
        .and_then(|entries| entries.map(|e| e.map(|e| e.file_name())).collect())
        .map_err(|error| unreadable(below, &error))?;
    names.sort_unstable();
    Ok(names.into_iter().map(|name| below.join(name)).collect())
}

struct Copying<'a> {
    from: &'a Path,
    to: &'a Path,
    modes: Modes,
    leaves_out: Exclusion<'a>,
    replica: Replica,
}

impl Copying<'_> {
    fn directory(&mut self, below: &Path) -> Result<()> {
        for path in names(self.from, below)? {
            if !(self.leaves_out)(&path.to_string_lossy())? {
                self.entry(&path)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path) -> Result<()> {
        let source = self.from.join(path);
        let metadata = fs::symlink_metadata(&source).map_err(|error| unreadable(path, &error))?;
        let mode = metadata.permissions().mode() & 0o777;
        if metadata.is_dir() {
            let made = self.to.join(path);
            fs::create_dir_all(made).map_err(|error| unwritten(path, &error))?;
            self.directory(path)?;
            return self.set_mode(path, mode, 0o755);
        }
        if metadata.is_symlink() {
            let target = fs::read_link(&source).map_err(|error| unreadable(path, &error))?;
            return self.link(path, &target);
        }
        if metadata.is_file() {
            fs::copy(&source, self.to.join(path)).map_err(|error| unwritten(path, &error))?;
            self.set_mode(path, mode, 0o644)?;
            self.replica.files += 1;
            self.replica.size_bytes += metadata.len();
        }
        Ok(())
    }

    /// Writes a link: an absolute target counts from the directory of the link, as in the archive's reader.
    fn link(&self, path: &Path, target: &Path) -> Result<()> {
        let parent = self.to.join(path.parent().unwrap_or(Path::new("")));
        let written = cleaned(&parent, target);
        let real = match written.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => written,
            Err(error) => return Err(unreadable(path, &error)),
        };
        if real == self.to || !real.starts_with(self.to) {
            return Err(outside(path));
        }
        symlink(relative(&parent, &real), self.to.join(path)).map_err(|e| unwritten(path, &e))
    }

    fn set_mode(&self, path: &Path, kept: u32, reset: u32) -> Result<()> {
        let mode = match self.modes {
            Modes::Keep => kept & !UMASK,
            Modes::Reset => reset,
        };
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(self.to.join(path), permissions).map_err(|e| unwritten(path, &e))
    }
}

/// What the server that unpacks takes off every mode.
const UMASK: u32 = 0o022;

/// A path from a directory, with `.` and `..` taken by text.
fn cleaned(from: &Path, target: &Path) -> PathBuf {
    let mut at = from.to_path_buf();
    for part in target.components() {
        match part {
            Component::ParentDir => drop(at.pop()),
            Component::Normal(name) => at.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    at
}

/// A path as it is written from a directory.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    let mut path = PathBuf::new();
    for _ in from.components().skip(shared) {
        path.push("..");
    }
    path.extend(to.components().skip(shared));
    match path.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => path,
    }
}

/// Whether a link is absolute, or its target leaves the tree at any part, taken by its text.
fn leaves(link: &Path, target: &Path) -> bool {
    let mut at = link.parent().map(PathBuf::from).unwrap_or_default();
    for part in target.components() {
        match part {
            Component::RootDir | Component::Prefix(_) => return true,
            Component::ParentDir => {
                if !at.pop() {
                    return true;
                }
            }
            Component::CurDir => {}
            Component::Normal(name) => at.push(name),
        }
    }
    false
}

fn outside(path: &Path) -> Diagnostic {
    let shown = path.display().to_string();
    let phrase = format!("the link {shown} leads out of what is copied");
    Diagnostic::new(Code::OutsideRoot, phrase).at(Place::file(shown))
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    failed(Code::FileUnreadable, path, "read", error)
}

fn unwritten(path: &Path, error: &io::Error) -> Diagnostic {
    failed(Code::WriteFailed, path, "copied", error)
}

fn failed(code: Code, path: &Path, what: &str, error: &io::Error) -> Diagnostic {
    let shown = path.display().to_string();
    let phrase = format!("{shown} cannot be {what}: {}", error.kind());
    Diagnostic::new(code, phrase).at(Place::file(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(prepare: impl Fn(&Path), excluded: &str) -> Result<PathBuf> {
        let scratch = tempfile::tempdir().unwrap().keep();
        let (from, to) = (scratch.join("from"), scratch.join("to"));
        fs::create_dir_all(from.join("apps/shop")).unwrap();
        fs::create_dir_all(from.join(".git/objects")).unwrap();
        fs::write(from.join(".git/objects/x"), "x").unwrap();
        prepare(&from);
        replicate(&from, &to, Modes::Reset, &|path| Ok(path == excluded)).map(|_| to)
    }

    #[test]
    fn modes_are_reset_and_links_written_anew() {
        let to = copied(
            |from| {
                fs::create_dir_all(from.join("apps/base")).unwrap();
                fs::write(from.join("apps/base/b.yaml"), "x").unwrap();
                fs::write(from.join("apps/run.sh"), "x").unwrap();
                let mode = fs::Permissions::from_mode(0o700);
                fs::set_permissions(from.join("apps/run.sh"), mode).unwrap();
                symlink("..//run.sh", from.join("apps/shop/link")).unwrap();
                symlink("../base/", from.join("apps/shop/a")).unwrap();
                symlink("a/b.yaml", from.join("apps/shop/b")).unwrap();
                symlink("gone", from.join("apps/shop/broken")).unwrap();
            },
            ".git",
        )
        .unwrap();
        let mode = |path: &str| fs::metadata(to.join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("apps/run.sh"), mode("apps")), (0o644, 0o755));
        let link = |path: &str| fs::read_link(to.join(path)).unwrap();
        assert_eq!(link("apps/shop/link"), Path::new("../run.sh"));
        assert_eq!(link("apps/shop/a"), Path::new("../base"));
        assert_eq!(link("apps/shop/b"), Path::new("../base/b.yaml"));
        assert_eq!(link("apps/shop/broken"), Path::new("gone"));
        assert!(!to.join(".git").exists());
    }

    #[test]
    fn links_that_leave_are_refused() {
        for target in ["../../../etc", "../../..", "../.."] {
            let error = copied(
                |from| symlink(target, from.join("apps/shop/link")).unwrap(),
                "",
            );
            assert_eq!(error.unwrap_err().code(), Code::OutsideRoot, "{target}");
        }
        let everything = copied(|_| {}, ".").unwrap();
        assert_eq!(fs::read_dir(everything).unwrap().count(), 0);
    }

    #[test]
    fn leaving_links_are_found_by_their_text() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        fs::create_dir_all(root.join("apps/shop")).unwrap();
        fs::create_dir_all(root.join(".git")).unwrap();
        symlink("/etc/passwd", root.join(".git/link")).unwrap();
        symlink("../..", root.join("apps/shop/up")).unwrap();
        assert_eq!(leaving_link(root).unwrap(), None);
        symlink("../../../from/apps", root.join("apps/shop/out")).unwrap();
        assert_eq!(
            leaving_link(root).unwrap().as_deref(),
            Some("apps/shop/out")
        );
    }
}
