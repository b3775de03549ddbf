//! A tree in memory: for tests, and for what is not on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{File, Files, Kind, TreePath};
use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// Files in memory, without links.
#[derive(Debug, Default)]
pub struct Memory {
    files: BTreeMap<TreePath, Arc<File>>,
}

impl Memory {
    /// Builds a tree from paths and texts. Panics on a path that leaves the root: for tests.
    pub fn from_texts<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut tree = Self::default();
        for (path, text) in texts {
            tree.insert(File::committed(
                TreePath::parse(path).expect("a path below the root"),
                text.as_bytes(),
            ));
        }
        tree
    }

    /// Adds or replaces a file.
    pub fn insert(&mut self, file: File) {
        self.files.insert(file.path.clone(), Arc::new(file));
    }

    fn below<'a>(&'a self, directory: &'a TreePath) -> impl Iterator<Item = &'a TreePath> {
        self.files.keys().filter(move |p| p.is_within(directory))
    }
}

impl Files for Memory {
    fn read(&self, path: &TreePath) -> Result<Arc<File>> {
        let missing = || {
            Diagnostic::new(Code::FileMissing, format!("{path} does not exist"))
                .at(Place::file(path.as_str()))
        };
        self.files.get(path).cloned().ok_or_else(missing)
    }

    fn kind(&self, path: &TreePath) -> Result<Option<Kind>> {
        if self.files.contains_key(path) {
            return Ok(Some(Kind::File));
        }
        Ok(self.below(path).next().map(|_| Kind::Directory))
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<String>> {
        let skip = if directory.as_str().is_empty() {
            0
        } else {
            directory.as_str().len() + 1
        };
        let names = self
            .below(directory)
            .filter_map(|p| p.as_str().get(skip..)?.split('/').next().map(str::to_owned));
        Ok(names.collect::<BTreeSet<_>>().into_iter().collect())
    }

    fn real_path(&self, path: &TreePath) -> Result<TreePath> {
        Ok(path.clone())
    }

    fn from_absolute(&self, _path: &str) -> Option<TreePath> {
        None
    }
}
