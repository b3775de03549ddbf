//! The view that remembers what a build reads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::diagnostic::Result;
use crate::files::{File, Files, Kind, TreePath};

/// Files of which those that are read are remembered, and links by which directories are reached.
pub(super) struct Recorded {
    below: Arc<dyn Files>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    read: BTreeMap<TreePath, Arc<File>>,
    links: BTreeMap<TreePath, TreePath>,
}

impl Recorded {
    /// Builds the view.
    pub(super) fn new(below: Arc<dyn Files>) -> Self {
        Self {
            below,
            state: Mutex::default(),
        }
    }

    /// The files that were read, by the paths that they were asked for.
    pub(super) fn files(&self) -> Vec<Arc<File>> {
        self.with(|state| state.read.values().cloned().collect())
    }

    /// The paths that led elsewhere, and where.
    pub(super) fn links(&self) -> Vec<(TreePath, TreePath)> {
        let links = |state: &mut State| state.links.clone().into_iter().collect();
        self.with(links)
    }

    fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Files for Recorded {
    fn read(&self, path: &TreePath) -> Result<Arc<File>> {
        let file = self.below.read(path)?;
        let asked = if file.path == *path {
            Arc::clone(&file)
        } else {
            // A link reads as the file that it leads to.
            let path = path.clone();
            Arc::new(File {
                path,
                ..(*file).clone()
            })
        };
        self.with(|state| state.read.insert(path.clone(), asked));
        Ok(file)
    }

    fn read_unopened(&self, path: &TreePath) -> Result<Arc<File>> {
        self.below.read_unopened(path)
    }

    fn kind(&self, path: &TreePath) -> Result<Option<Kind>> {
        self.below.kind(path)
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<String>> {
        self.below.list(directory)
    }

    fn real_path(&self, path: &TreePath) -> Result<TreePath> {
        let real = self.below.real_path(path)?;
        if real != *path && self.below.kind(path)? == Some(Kind::Directory) {
            self.with(|state| state.links.insert(path.clone(), real.clone()));
        }
        Ok(real)
    }

    fn from_absolute(&self, path: &str) -> Option<TreePath> {
        self.below.from_absolute(path)
    }
}
