//! The view of a tree as it was before it was expanded in place.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{File, Files, Kind, TreePath};
use crate::kustomize::KUSTOMIZATION_NAMES;

/// Files without those that an earlier run added, and without the lines of kustomizations that list them.
pub(super) struct CommittedFiles {
    below: Arc<dyn Files>,
    added: BTreeSet<TreePath>,
}

impl CommittedFiles {
    /// Builds the view.
    pub(super) fn new(below: Arc<dyn Files>, added: BTreeSet<TreePath>) -> Self {
        Self { below, added }
    }

    /// Whether a line is the entry of an added file, as overlays write it.
    fn lists_added(&self, line: &str, directory: &TreePath) -> bool {
        let Some(entry) = line.trim().strip_prefix("- ") else {
            return false;
        };
        let patch = entry.strip_prefix("{path: ");
        let name = patch
            .and_then(|p| p.split_once(','))
            .map_or(entry, |(name, _)| name);
        let name = name.trim_matches(['"', '\'']);
        directory
            .join(name)
            .is_some_and(|p| self.added.contains(&p))
    }
}

impl CommittedFiles {
    /// A kustomization without the entries of added files, and without lists that held nothing else.
    fn without_added(&self, text: &str, directory: &TreePath) -> String {
        let mut kept: Vec<&str> = Vec::new();
        let mut is_cut = false;
        for line in text.split_inclusive('\n') {
            if self.lists_added(line, directory) {
                is_cut = true;
                continue;
            }
            let is_next_key = !line.starts_with([' ', '-', '#']);
            if is_cut && is_next_key {
                drop_empty_list(&mut kept);
            }
            is_cut = false;
            kept.push(line);
        }
        if is_cut {
            drop_empty_list(&mut kept);
        }
        kept.concat()
    }
}

/// Drops the key of a list that lost its last entry.
fn drop_empty_list(lines: &mut Vec<&str>) {
    let is_key = |line: &str| matches!(line.trim_end(), "resources:" | "patches:");
    if lines.last().is_some_and(|line| is_key(line)) {
        lines.pop();
    }
}

impl Files for CommittedFiles {
    fn read(&self, path: &TreePath) -> Result<Arc<File>> {
        if self.added.contains(path) {
            let phrase = format!("{path} does not exist");
            return Err(Diagnostic::new(Code::FileMissing, phrase)
                .at(Place::file(path.as_str()))
                .note("an earlier run wrote it, and nothing makes it now"));
        }
        let file = self.below.read(path)?;
        let directory = path.parent().unwrap_or_else(TreePath::root);
        let is_beside = |added: &TreePath| added.parent().as_ref() == Some(&directory);
        if !KUSTOMIZATION_NAMES.contains(&path.file_name()) || !self.added.iter().any(is_beside) {
            return Ok(file);
        }
        let text = String::from_utf8_lossy(&file.bytes);
        Ok(Arc::new(File {
            bytes: self.without_added(&text, &directory).into_bytes().into(),
            ..File::clone(&file)
        }))
    }

    fn kind(&self, path: &TreePath) -> Result<Option<Kind>> {
        if self.added.contains(path) {
            return Ok(None);
        }
        self.below.kind(path)
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<String>> {
        let mut names = self.below.list(directory)?;
        names.retain(|name| {
            directory
                .join(name)
                .is_none_or(|p| !self.added.contains(&p))
        });
        Ok(names)
    }

    fn real_path(&self, path: &TreePath) -> Result<TreePath> {
        self.below.real_path(path)
    }

    fn from_absolute(&self, path: &str) -> Option<TreePath> {
        self.below.from_absolute(path)
    }
}
