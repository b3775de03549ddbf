//! Reads below one root and refuses what leaves it, links included.
//!
//! [`Tree`] opens what a repository names; [`Trusted`] opens what the invoker named and only `cli` makes
//! one. Every stage before the build is a [`Files`] over the one below. The room never parses; it is the
//! only place that calls `std::fs`. Start with [`Files`].

mod beneath;
mod in_place;
mod index;
mod layer;
mod lock;
mod memory;
mod output;
mod path;
mod replace;
mod replica;
mod root;
mod staging;
mod swap;
mod tree;
mod trusted;
mod watched;

use std::sync::Arc;

pub use index::{head, remotes, tracked};
pub use layer::Layer;
pub use lock::Lock;
pub use memory::Memory;
pub use output::{Mark, Metadata, OutputFile, OutputTree, RECORD, Stale};
pub use path::TreePath;
pub use replace::Audience;
pub use replica::{Exclusion, Modes, Replica, leaving_link, replicate};
pub use root::{Located, locate, resolved};
pub use tree::Tree;
pub use trusted::Trusted;
pub use watched::{Asked, Watched};

use crate::diagnostic::{Result, Source};

/// The largest file that is read from a repository: kustomize trees with vendored CRDs reach 12 MB.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// What a path leads to, links followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// A file as a stage sees it.
#[derive(Debug, Clone)]
pub struct File {
    /// Its path below the root.
    pub path: TreePath,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// Where the bytes come from, to tell places and to know secrets.
    pub source: Arc<Source>,
}

impl File {
    /// Builds a committed file.
    pub fn committed(path: TreePath, bytes: impl Into<Arc<[u8]>>) -> Self {
        let source = Arc::new(Source::committed(path.as_str()));
        Self {
            path,
            bytes: bytes.into(),
            source,
        }
    }
}

/// Files below one root, as one stage sees them. Paths are relative to the root.
///
/// A view reads from the `Files` below it, works on a file when it is asked for, once, and remembers the
/// result.
pub trait Files: Send + Sync {
    /// Reads a regular file. Fails with [`Code::FileMissing`](crate::diagnostic::Code::FileMissing),
    /// `FileUnreadable`, `FileTooLarge` or `OutsideRoot`, and with whatever the stage's own work fails with.
    fn read(&self, path: &TreePath) -> Result<Arc<File>>;

    /// Reads a file as it was before a view opened it, sealed where it is sealed: for what is laid out on disk.
    fn read_unopened(&self, path: &TreePath) -> Result<Arc<File>> {
        self.read(path)
    }

    /// Tells which files will be read next, so that a view whose work is long may begin with all of them. What
    /// is read, and what fails, does not depend on it.
    fn announce(&self, _paths: &[TreePath]) {}

    /// Tells what a path leads to, links followed; `None` when there is nothing. Fails with
    /// [`Code::OutsideRoot`](crate::diagnostic::Code::OutsideRoot) when a link leaves the root.
    fn kind(&self, path: &TreePath) -> Result<Option<Kind>>;

    /// Lists the names in a directory, sorted by bytes.
    fn list(&self, directory: &TreePath) -> Result<Vec<String>>;

    /// Resolves every link on the way: the path by which two names of one file are the same.
    fn real_path(&self, path: &TreePath) -> Result<TreePath>;

    /// Turns an absolute path of the file system into one below the root, when it lies there.
    #[expect(
        clippy::wrong_self_convention,
        reason = "the tree reads a path from the file system's"
    )]
    fn from_absolute(&self, path: &str) -> Option<TreePath>;
}

/// Files behind a pointer are the files that it points to.
macro_rules! files_behind {
    ($pointer:ty) => {
        impl<T: Files + ?Sized> Files for $pointer {
            fn read(&self, path: &TreePath) -> Result<Arc<File>> {
                (**self).read(path)
            }
            fn read_unopened(&self, path: &TreePath) -> Result<Arc<File>> {
                (**self).read_unopened(path)
            }
            fn announce(&self, paths: &[TreePath]) {
                (**self).announce(paths);
            }
            fn kind(&self, path: &TreePath) -> Result<Option<Kind>> {
                (**self).kind(path)
            }
            fn list(&self, directory: &TreePath) -> Result<Vec<String>> {
                (**self).list(directory)
            }
            fn real_path(&self, path: &TreePath) -> Result<TreePath> {
                (**self).real_path(path)
            }
            fn from_absolute(&self, path: &str) -> Option<TreePath> {
                (**self).from_absolute(path)
            }
        }
    };
}

files_behind!(&T);
files_behind!(Arc<T>);
