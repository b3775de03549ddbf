//! The view that holds a project to the paths that the policy gives it.

use std::sync::Arc;

use super::policy::Pattern;
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{File, Files, Kind, TreePath};

/// Files of which only those can be read whose real path fits a pattern.
///
/// Directories may be listed and asked for: the build must find its way. A link does not help, since the
/// path that it leads to is the one that is judged.
pub struct Confined {
    below: Arc<dyn Files>,
    above: TreePath,
    patterns: Vec<Pattern>,
}

impl Confined {
    /// Builds the view over files whose root is `above` in the repository, from whose own root patterns count;
    /// no pattern allows everything.
    pub fn new(below: Arc<dyn Files>, above: TreePath, patterns: Vec<Pattern>) -> Self {
        Self {
            below,
            above,
            patterns,
        }
    }

    fn allow(&self, path: &TreePath) -> Result<()> {
        let whole = self.above.join(path.as_str());
        let whole = whole.expect("a path below the root stays below what is above it");
        if self.patterns.is_empty() || self.patterns.iter().any(|p| p.matches(whole.as_str())) {
            return Ok(());
        }
        Err(Diagnostic::new(
            Code::PolicyRefuses,
            format!("the policy does not let this project read {whole}"),
        )
        .at(Place::file(path.as_str()))
        .help("an administrator of Argo CD can add the path to the project's rule"))
    }
}

impl Files for Confined {
    fn read(&self, path: &TreePath) -> Result<Arc<File>> {
        self.allow(path)?;
        self.allow(&self.below.real_path(path)?)?;
        self.below.read(path)
    }

    fn announce(&self, paths: &[TreePath]) {
        self.below.announce(paths);
    }

    fn kind(&self, path: &TreePath) -> Result<Option<Kind>> {
        self.below.kind(path)
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<String>> {
        self.below.list(directory)
    }

    fn real_path(&self, path: &TreePath) -> Result<TreePath> {
        self.below.real_path(path)
    }

    fn from_absolute(&self, path: &str) -> Option<TreePath> {
        self.below.from_absolute(path)
    }
}
