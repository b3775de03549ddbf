//! The view that notes what is asked of it: the inputs of whoever reads through it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::{File, Files, Kind, TreePath};
use crate::diagnostic::Result;

/// What was asked of some files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Files that were read, and places that were looked at, whether something is there or not.
    pub paths: BTreeSet<TreePath>,
    /// Directories that were listed: a name that comes or goes there matters.
    pub listed: BTreeSet<TreePath>,
}

/// Files that note what is asked of them.
pub struct Watched {
    below: Arc<dyn Files>,
    asked: Mutex<Asked>,
}

impl Watched {
    /// Builds the view.
    pub fn new(below: Arc<dyn Files>) -> Self {
        Self {
            below,
            asked: Mutex::default(),
        }
    }

    /// What was asked so far.
    pub fn asked(&self) -> Asked {
        self.with(|asked| asked.clone())
    }

    fn with<R>(&self, work: impl FnOnce(&mut Asked) -> R) -> R {
        work(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, path: &TreePath) {
        self.with(|asked| {
            if !asked.paths.contains(path) {
                asked.paths.insert(path.clone());
            }
        });
    }
}

impl Files for Watched {
    fn read(&self, path: &TreePath) -> Result<Arc<File>> {
        self.note(path);
        self.below.read(path)
    }

    fn read_unopened(&self, path: &TreePath) -> Result<Arc<File>> {
        self.note(path);
        self.below.read_unopened(path)
    }

    fn announce(&self, paths: &[TreePath]) {
        self.below.announce(paths);
    }

    fn kind(&self, path: &TreePath) -> Result<Option<Kind>> {
        self.note(path);
        self.below.kind(path)
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<String>> {
        self.with(|asked| asked.listed.insert(directory.clone()));
        self.below.list(directory)
    }

    fn real_path(&self, path: &TreePath) -> Result<TreePath> {
        self.note(path);
        let real = self.below.real_path(path)?;
        self.note(&real);
        Ok(real)
    }

    fn from_absolute(&self, path: &str) -> Option<TreePath> {
        self.below.from_absolute(path)
    }
}
