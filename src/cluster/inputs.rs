//! The inputs of a root: what it read, and where it looked for something and found nothing.

use std::collections::BTreeSet;

use crate::diagnostic::Result;
use crate::files::{Asked, TreePath};
use crate::project::Session;

/// What a root depends on. A change to anything else leaves what it renders as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Files that were read, and places that were looked at, whether something is there or not.
    pub paths: BTreeSet<TreePath>,
    /// Directories that were listed.
    pub listed: BTreeSet<TreePath>,
    /// Directories of which every file counts: templates may include any of them.
    pub below: BTreeSet<TreePath>,
}

impl Inputs {
    /// What a build asked for, and what its project is made of.
    pub(super) fn of(asked: &Asked, session: &Session) -> Result<Self> {
        let mut inputs = Self {
            paths: asked.paths.clone(),
            listed: asked.listed.clone(),
            below: BTreeSet::new(),
        };
        let Some(project) = session.project() else {
            return Ok(inputs);
        };
        inputs.paths.extend(project.files.iter().cloned());
        inputs
            .paths
            .extend(project.values.iter().map(|v| v.path.clone()));
        if let Some((config, _)) = &project.templates.makejinja {
            inputs.paths.insert(config.clone());
        }
        inputs.below.extend(project.overlays.folders().cloned());
        if let Some(config) = session.templates().and_then(|t| t.config.as_ref()) {
            inputs.paths.extend(config.data.iter().cloned());
        }
        for path in &asked.paths {
            if let Some(template) = session.template_of(path)? {
                inputs.paths.insert(template);
                inputs.below.extend(session.included_from());
            }
        }
        Ok(inputs)
    }

    /// Adds files.
    pub(super) fn with(mut self, paths: impl IntoIterator<Item = TreePath>) -> Self {
        self.paths.extend(paths);
        self
    }

    /// Whether a change to a file may change what the root renders. `is_there` tells of directories as they are
    /// after the change.
    pub fn reach(&self, changed: &TreePath, is_there: impl Fn(&TreePath) -> bool) -> bool {
        let is_asked = self.paths.contains(changed);
        is_asked
            || self.paths.iter().any(|path| path.is_within(changed))
            || self
                .below
                .iter()
                .any(|directory| changed.is_within(directory))
            || self.lists(changed, is_there)
    }

    /// Whether a file that comes or goes shows in a directory that was listed: its own, or the first one above
    /// it that is still there.
    fn lists(&self, changed: &TreePath, is_there: impl Fn(&TreePath) -> bool) -> bool {
        let mut above = std::iter::successors(changed.parent(), TreePath::parent);
        let nearest = above.find(|directory| is_there(directory));
        nearest.is_some_and(|directory| self.listed.contains(&directory))
            || changed
                .parent()
                .is_some_and(|parent| self.listed.contains(&parent))
    }

    /// The files, without places where nothing is looked for any more: those that `is_there`.
    pub fn files(&self, is_there: impl Fn(&TreePath) -> bool) -> Vec<&TreePath> {
        self.paths.iter().filter(|path| is_there(path)).collect()
    }

    /// Directories that hold every input, none within another: what Argo CD's annotation
    /// `argocd.argoproj.io/manifest-generate-paths` lists.
    pub fn directories(&self, is_there: impl Fn(&TreePath) -> bool) -> Vec<TreePath> {
        let mut all: BTreeSet<TreePath> = self.listed.iter().chain(&self.below).cloned().collect();
        let files = self.paths.iter().filter(|path| is_there(path));
        all.extend(files.map(|path| path.parent().unwrap_or_else(TreePath::root)));
        let is_outer = |at: &&TreePath| !all.iter().any(|d| d != *at && at.is_within(d));
        all.iter().filter(is_outer).cloned().collect()
    }
}
