//! Writes trees of files: whole, and own stale files removed on request.
//!
//! A written tree remembers its own files in [`RECORD`], so that a later run can tell them from a user's. How it is
//! replaced is in `swap`: a reader sees the old tree or the new one.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to the file system"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::in_place::InPlace;
use super::{Audience, TreePath};
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result};

/// The file in a written tree that lists what was written, one path a line.
pub const RECORD: &str = ".prerender-files";

/// What a file on disk has besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// The permission bits.
    pub mode: u32,
    /// When it was last changed.
    pub modified: SystemTime,
}

/// A file that is to be written.
#[derive(Debug, Clone)]
pub struct OutputFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it has besides; what the system gives a new file when absent.
    pub metadata: Option<Metadata>,
    /// Who may read it.
    pub audience: Audience,
}

impl OutputFile {
    /// Builds a file from its bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            metadata: None,
            audience: Audience::All,
        }
    }

    /// Keeps it to its owner where it holds secrets.
    #[must_use]
    pub fn for_owner(mut self, holds_secrets: bool) -> Self {
        if holds_secrets {
            self.audience = Audience::Owner;
        }
        self
    }
}

/// What becomes of files that an earlier run wrote and this one does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// They stay, and nothing is recorded.
    Keep,
    /// They are removed; what is written is recorded.
    Remove,
}

/// What a recorded file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It was made, and goes when nothing makes it any more.
    Made,
    /// It was added to what was there.
    Added,
    /// It was copied from elsewhere.
    Copied,
    /// It is the user's, and is not recorded.
    Foreign,
}

impl Mark {
    /// What stands before the path in the record.
    fn sign(self) -> &'static str {
        match self {
            Self::Made | Self::Foreign => "",
            Self::Added => "+ ",
            Self::Copied => "= ",
        }
    }
}

/// A tree of files that is written to a directory.
#[derive(Debug)]
pub struct OutputTree {
    directory: PathBuf,
    stale: Stale,
    files: BTreeMap<TreePath, OutputFile>,
    marks: BTreeMap<TreePath, Mark>,
}

impl OutputTree {
    /// Starts a tree for a directory, which need not exist.
    pub fn new(directory: impl Into<PathBuf>, stale: Stale) -> Self {
        Self {
            directory: directory.into(),
            stale,
            files: BTreeMap::new(),
            marks: BTreeMap::new(),
        }
    }

    /// Adds a file.
    pub fn insert(&mut self, path: TreePath, file: OutputFile) {
        self.files.insert(path, file);
    }

    /// Adds a file with what the record says of it.
    pub fn insert_as(&mut self, mark: Mark, path: TreePath, file: OutputFile) {
        self.mark(mark, path.clone());
        self.insert(path, file);
    }

    /// Keeps a file in the record that is not written this time.
    pub fn mark(&mut self, mark: Mark, path: TreePath) {
        self.marks.insert(path, mark);
    }

    /// Keeps what an earlier run recorded below a directory, but for what is written this time.
    pub fn keep_recorded(&mut self, below: &TreePath) {
        for (path, mark) in self.recorded() {
            if path.is_within(below) && !self.files.contains_key(&path) {
                self.mark(mark, path);
            }
        }
    }

    /// The files in order.
    pub fn files(&self) -> impl Iterator<Item = (&TreePath, &OutputFile)> {
        self.files.iter()
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The text of the record.
    pub(super) fn list(&self) -> String {
        let unmarked = self.files.keys().filter(|p| !self.marks.contains_key(*p));
        let marked = self.marks.iter().map(|(path, mark)| (path, *mark));
        let marked = marked.filter(|(_, mark)| *mark != Mark::Foreign);
        let mut all: Vec<_> = marked.chain(unmarked.map(|p| (p, Mark::Made))).collect();
        all.sort_unstable_by_key(|(path, _)| *path);
        let lines = all
            .iter()
            .map(|(path, mark)| format!("{}{path}\n", mark.sign()));
        lines.collect()
    }

    /// Whether this run knows of a file.
    pub(super) fn knows(&self, path: &TreePath) -> bool {
        self.files.contains_key(path) || self.marks.contains_key(path)
    }

    /// Tells each file that [`Self::write`] would add, change or remove, by [`Code::OutputDiffers`].
    pub fn check(&self) -> Report {
        self.check_as(&self.directory)
    }

    /// The same, the directory shown as the user wrote it.
    pub fn check_as(&self, directory: &Path) -> Report {
        let mut report = Report::default();
        // `.` is left out: what is shown can be clicked.
        let directory: PathBuf = directory.components().collect();
        let directory = directory.strip_prefix(".").unwrap_or(&directory);
        let shown =
            |path: &TreePath| Place::file(directory.join(path.as_str()).display().to_string());
        let mut tell = |path: &TreePath, what: &str| {
            let phrase = format!("{path} {what}");
            report.push(Diagnostic::new(Code::OutputDiffers, phrase).at(shown(path)));
        };
        for (path, file) in &self.files {
            match fs::read(self.directory.join(path.as_str())) {
                Ok(bytes) if bytes == file.bytes => {}
                Ok(_) => tell(path, "would change"),
                Err(_) => tell(path, "would be added"),
            }
        }
        if self.stale == Stale::Remove {
            for path in self.recorded().into_keys() {
                if !self.knows(&path) && self.directory.join(path.as_str()).exists() {
                    tell(&path, "would be removed");
                }
            }
        }
        report
    }

    /// Whether there is a file or directory at a path of the tree already.
    pub fn exists(&self, path: &TreePath) -> bool {
        self.directory.join(path.as_str()).exists()
    }

    /// Every file beneath the directory, for a run that starts from nothing. Links are not followed.
    pub fn present(&self) -> BTreeSet<TreePath> {
        let mut found = BTreeSet::new();
        let mut open = vec![TreePath::root()];
        while let Some(directory) = open.pop() {
            let entries = fs::read_dir(self.directory.join(directory.as_str()));
            for entry in entries.into_iter().flatten().flatten() {
                let name = entry.file_name();
                let Some(path) = name.to_str().and_then(|n| directory.join(n)) else {
                    continue;
                };
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => open.push(path),
                    Ok(_) => {
                        found.insert(path);
                    }
                    Err(_) => {}
                }
            }
        }
        found
    }

    /// Removes a file of the tree, and the directories that it leaves empty.
    pub fn remove_present(&self, path: &TreePath) -> Result<()> {
        InPlace::open(&self.directory)?.remove(path)
    }

    /// What an earlier run recorded.
    pub fn recorded(&self) -> BTreeMap<TreePath, Mark> {
        let text = fs::read_to_string(self.directory.join(RECORD)).unwrap_or_default();
        let entry = |line: &str| {
            let marks = [Mark::Added, Mark::Copied];
            let marked = marks
                .iter()
                .find_map(|mark| Some((line.strip_prefix(mark.sign())?, *mark)));
            let (path, mark) = marked.unwrap_or((line, Mark::Made));
            Some((TreePath::parse(path)?, mark))
        };
        text.lines().filter_map(entry).collect()
    }

    /// Whether own files that this run does not write are removed.
    pub(super) fn removes_stale(&self) -> bool {
        self.stale == Stale::Remove
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::parse(text).expect("a path below the root")
    }

    #[test]
    fn removes_its_own_stale_files_and_no_others() {
        let scratch = tempfile::tempdir().unwrap();
        let write = |names: &[&str]| {
            let mut tree = OutputTree::new(scratch.path(), Stale::Remove);
            for name in names {
                tree.insert(path(name), OutputFile::new(b"x".to_vec()));
            }
            tree.write().unwrap();
        };
        write(&["a/one", "b/two"]);
        fs::write(scratch.path().join("a/mine"), "kept").unwrap();
        write(&["b/two"]);
        assert!(!scratch.path().join("a/one").exists());
        assert!(scratch.path().join("a/mine").exists());
        assert!(scratch.path().join("b/two").exists());
    }

    #[test]
    fn a_new_tree_may_be_named_from_elsewhere() {
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir(scratch.path().join("here")).unwrap();
        let mut tree = OutputTree::new(scratch.path().join("here/../out"), Stale::Keep);
        tree.insert(path("a"), OutputFile::new(b"x".to_vec()));
        tree.write().unwrap();
        assert!(scratch.path().join("out/a").exists());
    }

    #[test]
    fn check_tells_what_would_change() {
        let scratch = tempfile::tempdir().unwrap();
        let mut tree = OutputTree::new(scratch.path(), Stale::Keep);
        tree.insert(path("a"), OutputFile::new(b"x".to_vec()));
        assert_eq!(tree.check().findings[0].phrase(), "a would be added");
        tree.write().unwrap();
        assert!(tree.check().is_empty());
        fs::write(scratch.path().join("a"), "y").unwrap();
        assert_eq!(tree.check().findings[0].phrase(), "a would change");
    }

    #[test]
    fn a_new_tree_may_lie_behind_links_and_dots() {
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir(scratch.path().join("real")).unwrap();
        std::os::unix::fs::symlink("real", scratch.path().join("link")).unwrap();
        for place in ["link/one", "real/../two"] {
            let mut tree = OutputTree::new(scratch.path().join(place), Stale::Keep);
            tree.insert(path("a/file"), OutputFile::new(b"x".to_vec()));
            tree.write().unwrap();
        }
        assert!(scratch.path().join("real/one/a/file").exists());
        assert!(scratch.path().join("two/a/file").exists());
    }

    #[test]
    fn a_link_out_of_the_tree_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), scratch.path().join("out")).unwrap();
        let mut tree = OutputTree::new(scratch.path(), Stale::Keep);
        tree.insert(path("out/file"), OutputFile::new(b"x".to_vec()));
        assert_eq!(tree.write().unwrap_err().code(), Code::OutsideRoot);
        assert!(!elsewhere.path().join("file").exists());
    }
}
