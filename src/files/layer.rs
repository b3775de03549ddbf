//! Files that are laid over others: added, or put in the place of what is below.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{File, Files, Kind, TreePath};
use crate::diagnostic::Result;

/// A view in which some files are other than below. Their directories exist with them.
pub struct Layer {
    below: Arc<dyn Files>,
    laid: BTreeMap<TreePath, Arc<File>>,
}

impl Layer {
    /// Lays files over the ones below.
    pub fn new(below: Arc<dyn Files>, files: impl IntoIterator<Item = File>) -> Self {
        let laid = files
            .into_iter()
            .map(|f| (f.path.clone(), Arc::new(f)))
            .collect();
        Self { below, laid }
    }

    /// The files that are laid over the ones below, by path.
    pub fn laid(&self) -> impl Iterator<Item = &Arc<File>> {
        self.laid.values()
    }

    fn laid_below<'b>(&'b self, directory: &'b TreePath) -> impl Iterator<Item = &'b TreePath> {
        self.laid
            .keys()
            .filter(move |p| *p != directory && p.is_within(directory))
    }
}

impl Files for Layer {
    fn read(&self, path: &TreePath) -> Result<Arc<File>> {
        if let Some(file) = self.laid.get(path) {
            return Ok(Arc::clone(file));
        }
        self.below.read(path)
    }

    fn read_unopened(&self, path: &TreePath) -> Result<Arc<File>> {
        if let Some(file) = self.laid.get(path) {
            return Ok(Arc::clone(file));
        }
        self.below.read_unopened(path)
    }

    fn announce(&self, paths: &[TreePath]) {
        self.below.announce(paths);
    }

    fn kind(&self, path: &TreePath) -> Result<Option<Kind>> {
        if self.laid.contains_key(path) {
            return Ok(Some(Kind::File));
        }
        match self.below.kind(path)? {
            None => Ok(self.laid_below(path).next().map(|_| Kind::Directory)),
            kind => Ok(kind),
        }
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<String>> {
        let below = self
            .below
            .kind(directory)?
            .map(|_| self.below.list(directory))
            .transpose()?;
        let mut names: BTreeSet<String> = below.unwrap_or_default().into_iter().collect();
        let skip = if directory.as_str().is_empty() {
            0
        } else {
            directory.as_str().len() + 1
        };
        for path in self.laid_below(directory) {
            names.extend(path.as_str()[skip..].split('/').next().map(str::to_owned));
        }
        Ok(names.into_iter().collect())
    }

    fn real_path(&self, path: &TreePath) -> Result<TreePath> {
        if self.laid.contains_key(path) || self.below.kind(path)?.is_none() {
            return Ok(path.clone());
        }
        self.below.real_path(path)
    }

    fn from_absolute(&self, path: &str) -> Option<TreePath> {
        self.below.from_absolute(path)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Memory;
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::parse(text).unwrap()
    }

    #[test]
    fn added_and_replaced_files_are_listed_and_read() {
        let below = Memory::from_texts([("a/x.yaml", "old"), ("a/y.yaml", "y")]);
        let file = |p: &str, t: &str| File::committed(path(p), t.as_bytes());
        let layer = Layer::new(
            Arc::new(below),
            [file("a/x.yaml", "new"), file("a/b/z.yaml", "z")],
        );
        assert_eq!(layer.list(&path("a")).unwrap(), ["b", "x.yaml", "y.yaml"]);
        assert_eq!(&*layer.read(&path("a/x.yaml")).unwrap().bytes, b"new");
        assert_eq!(layer.kind(&path("a/b")).unwrap(), Some(Kind::Directory));
        assert_eq!(layer.kind(&path("a/c")).unwrap(), None);
    }
}
