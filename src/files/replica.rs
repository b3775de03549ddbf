//! A copy of a tree as a host sends it to a plugin: modes reset, links kept while they stay inside.
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

/// Copies a directory into another one, which is made. Only files, directories and links are copied.
///
/// `leaves_out` is asked with each path below the directory; what it names is not copied, nor what lies
/// below it. Fails with [`Code::OutsideRoot`] at an absolute link or one that leaves the directory, copied
/// or not, but below `.git`; with [`Code::FileUnreadable`] and [`Code::WriteFailed`].
pub fn replicate(
    from: &Path,
    to: &Path,
    modes: Modes,
    leaves_out: &dyn Fn(&str) -> bool,
) -> Result<Replica> {
    let mut copying = Copying {
        from,
        to,
        modes,
        leaves_out,
        replica: Replica::default(),
    };
    copying.directory(Path::new(""), true)?;
    Ok(copying.replica)
}

struct Copying<'a> {
    from: &'a Path,
    to: &'a Path,
    modes: Modes,
    leaves_out: &'a dyn Fn(&str) -> bool,
    replica: Replica,
}

impl Copying<'_> {
    /// Copies a directory; only looks at its links where it is left out.
    fn directory(&mut self, below: &Path, is_copied: bool) -> Result<()> {
        if is_copied {
            let made = self.to.join(below);
            fs::create_dir_all(&made).map_err(|error| unwritten(below, &error))?;
            self.set_mode(below, 0o755)?;
        }
        let mut names: Vec<_> = fs::read_dir(self.from.join(below))
            .and_then(|entries| entries.map(|e| e.map(|e| e.file_name())).collect())
            .map_err(|error| unreadable(below, &error))?;
        names.sort_unstable();
        for name in names {
            let path = below.join(name);
            let leaves_out = (self.leaves_out)(&path.to_string_lossy());
            self.entry(&path, is_copied && !leaves_out)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, is_copied: bool) -> Result<()> {
        let source = self.from.join(path);
        let metadata = fs::symlink_metadata(&source).map_err(|error| unreadable(path, &error))?;
        if metadata.is_dir() {
            if !is_copied && path == Path::new(".git") {
                return Ok(());
            }
            return self.directory(path, is_copied);
        }
        if metadata.is_symlink() {
            let target = fs::read_link(&source).map_err(|error| unreadable(path, &error))?;
            if !path.starts_with(".git") && leaves(path, &target) {
                return Err(outside(path));
            }
            if is_copied {
                symlink(target, self.to.join(path)).map_err(|error| unwritten(path, &error))?;
            }
            return Ok(());
        }
        if metadata.is_file() && is_copied {
            fs::copy(&source, self.to.join(path)).map_err(|error| unwritten(path, &error))?;
            self.set_mode(path, 0o644)?;
            self.replica.files += 1;
            self.replica.size_bytes += metadata.len();
        }
        Ok(())
    }

    fn set_mode(&self, path: &Path, mode: u32) -> Result<()> {
        if self.modes == Modes::Keep {
            return Ok(());
        }
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(self.to.join(path), permissions).map_err(|e| unwritten(path, &e))
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
    let phrase = format!("the link {shown} is absolute or leads out of the tree");
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

    fn copied(prepare: impl Fn(&Path), leaves_out: &dyn Fn(&str) -> bool) -> Result<PathBuf> {
        let scratch = tempfile::tempdir().unwrap().keep();
        let (from, to) = (scratch.join("from"), scratch.join("to"));
        fs::create_dir_all(from.join("apps/shop")).unwrap();
        fs::create_dir_all(from.join(".git/objects")).unwrap();
        fs::write(from.join(".git/objects/x"), "x").unwrap();
        prepare(&from);
        replicate(&from, &to, Modes::Reset, leaves_out).map(|_| to)
    }

    #[test]
    fn modes_are_reset_and_links_kept() {
        let to = copied(
            |from| {
                fs::write(from.join("apps/run.sh"), "x").unwrap();
                let mode = fs::Permissions::from_mode(0o700);
                fs::set_permissions(from.join("apps/run.sh"), mode).unwrap();
                symlink("../run.sh", from.join("apps/shop/link")).unwrap();
                symlink("gone", from.join("apps/shop/broken")).unwrap();
            },
            &|path| path == ".git",
        )
        .unwrap();
        let mode = |path: &str| fs::metadata(to.join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("apps/run.sh"), mode("apps")), (0o644, 0o755));
        let link = fs::read_link(to.join("apps/shop/link")).unwrap();
        assert_eq!(link, Path::new("../run.sh"));
        assert!(fs::read_link(to.join("apps/shop/broken")).is_ok());
        assert!(!to.join(".git").exists());
    }

    #[test]
    fn links_that_leave_are_refused() {
        for target in ["/etc/passwd", "../../../etc", "../../../from/apps"] {
            let error = copied(
                |from| symlink(target, from.join("apps/shop/link")).unwrap(),
                &|_| false,
            );
            let error = error.unwrap_err();
            assert_eq!(error.code(), Code::OutsideRoot, "{target}");
        }
        let ignored = copied(
            |from| symlink("/etc/passwd", from.join(".git/link")).unwrap(),
            &|_| false,
        );
        assert!(ignored.is_ok());
    }
}
