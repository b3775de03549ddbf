//! Replaces and removes files of a directory that stays, by handle: no link in it leads a write out of it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;

use super::{Files, Kind, Tree, TreePath};
use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// A directory whose files are replaced one by one.
pub(super) struct InPlace {
    directory: PathBuf,
    tree: Tree,
}

impl InPlace {
    /// Opens a directory.
    pub(super) fn open(directory: &Path) -> Result<Self> {
        let tree = Tree::open(directory)
            .map_err(|_| unwritten(directory, &io::ErrorKind::NotADirectory.into()))?;
        Ok(Self {
            directory: directory.to_owned(),
            tree,
        })
    }

    /// Makes the directory that holds a path. Fails with [`Code::OutsideRoot`] where a link leads out.
    pub(super) fn make_parent(&self, path: &TreePath) -> Result<()> {
        self.parent(path).map(|_| ())
    }

    /// Moves a file of another directory to its place.
    pub(super) fn put(&self, from: BorrowedFd<'_>, name: &str, path: &TreePath) -> Result<()> {
        let (parent, last) = self.parent(path)?;
        rustix::fs::renameat(from, name, parent, last).map_err(|e| self.failed(path, e))
    }

    /// Removes a file that may be gone already, and the directories that it leaves empty.
    pub(super) fn remove(&self, path: &TreePath) -> Result<()> {
        let directory = path.parent().unwrap_or_else(TreePath::root);
        match self.tree.kind(&directory) {
            Err(error) if error.code() == Code::OutsideRoot => return Err(self.leaves(path)),
            Ok(Some(Kind::Directory)) => {}
            _ => return Ok(()),
        }
        match self.unlink(path, AtFlags::empty()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(self.failed(path, error));
            }
            _ => {}
        }
        let mut left = path.parent();
        while let Some(directory) = left.filter(|d| !d.as_str().is_empty()) {
            if self.unlink(&directory, AtFlags::REMOVEDIR).is_err() {
                break;
            }
            left = directory.parent();
        }
        Ok(())
    }

    fn unlink(&self, path: &TreePath, flags: AtFlags) -> io::Result<()> {
        let parent = path.parent().unwrap_or_else(TreePath::root);
        let parent = self
            .tree
            .directory(&parent)
            .map_err(|_| io::ErrorKind::NotFound)?;
        Ok(rustix::fs::unlinkat(parent, path.file_name(), flags)?)
    }

    /// The directory that holds a path, made where it is missing, and the last part of the path.
    fn parent<'a>(&self, path: &'a TreePath) -> Result<(OwnedFd, &'a str)> {
        let parent = path.parent().unwrap_or_else(TreePath::root);
        Ok((self.directory(&parent, path)?, path.file_name()))
    }

    fn directory(&self, directory: &TreePath, wanted: &TreePath) -> Result<OwnedFd> {
        match self.tree.directory(directory) {
            Ok(handle) => return Ok(handle),
            Err(error) if error.code() == Code::FileMissing => {}
            Err(error) if error.code() == Code::OutsideRoot => return Err(self.leaves(wanted)),
            Err(error) => return Err(error),
        }
        let above = directory.parent().unwrap_or_else(TreePath::root);
        let above = self.directory(&above, wanted)?;
        match rustix::fs::mkdirat(above.as_fd(), directory.file_name(), Mode::from(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(self.failed(directory, error)),
        }
        self.tree
            .directory(directory)
            .map_err(|_| self.failed(wanted, Errno::NOTDIR))
    }

    fn leaves(&self, path: &TreePath) -> Diagnostic {
        let phrase = format!("{path} would be written through a link that leads out of the output");
        let shown = self.directory.join(path.as_str()).display().to_string();
        Diagnostic::new(Code::OutsideRoot, phrase).at(Place::file(shown))
    }

    fn failed(&self, path: &TreePath, error: impl Into<io::Error>) -> Diagnostic {
        unwritten(&self.directory.join(path.as_str()), &error.into())
    }
}

/// The error for a path that cannot be written.
pub(super) fn unwritten(path: &Path, error: &io::Error) -> Diagnostic {
    let shown = path.display().to_string();
    let phrase = format!("{shown} cannot be written: {}", error.kind());
    Diagnostic::new(Code::WriteFailed, phrase).at(Place::file(shown))
}
