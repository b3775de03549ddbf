//! Writes trees of files: each file beside its place and then renamed, own stale files removed on request.
//!
//! A written tree remembers its own files in [`RECORD`], so that a later run can tell them from a user's.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to the file system"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::TreePath;
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
}

impl OutputFile {
    /// Builds a file from its bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            metadata: None,
        }
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

    /// The files in order.
    pub fn files(&self) -> impl Iterator<Item = (&TreePath, &OutputFile)> {
        self.files.iter()
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Writes the tree. A file that has its bytes already is not touched.
    ///
    /// Fails with [`Code::WriteFailed`], and with [`Code::OutsideRoot`] when a link in the directory leads
    /// out of it; files before that one are written by then.
    pub fn write(&self) -> Result<()> {
        if fs::symlink_metadata(&self.directory).is_err() {
            return self.write_anew();
        }
        let recorded = self.recorded();
        self.make_directory(&self.directory)?;
        let real =
            fs::canonicalize(&self.directory).map_err(|e| self.failed(&self.directory, &e))?;
        self.make_parents(&real)?;
        self.files
            .par_iter()
            .try_for_each(|(path, file)| self.write_file(&real, path, file))?;
        if self.stale == Stale::Remove {
            for path in recorded.keys().filter(|p| !self.knows(p)) {
                self.remove(&real, path)?;
            }
            let record = TreePath::parse(RECORD).expect("a name stays in its directory");
            self.write_file(&real, &record, &OutputFile::new(self.list().into_bytes()))?;
        }
        Ok(())
    }

    /// Writes a tree where nothing is yet: beside its place, whole, and then renamed.
    fn write_anew(&self) -> Result<()> {
        let parent = self.directory.parent().unwrap_or(Path::new("."));
        self.make_directory(parent)?;
        let temporary = tempfile::Builder::new()
            .prefix(".prerender-")
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir_in(parent)
            .map_err(|e| self.failed(parent, &e))?;
        // The way to it may lead through links and `..`; none of that leads out of it.
        let root = fs::canonicalize(temporary.path()).map_err(|e| self.failed(parent, &e))?;
        self.make_parents(&root)?;
        self.files.par_iter().try_for_each(|(path, file)| {
            let place = root.join(path.as_str());
            let new = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&place);
            new.and_then(|handle| fill(&handle, file))
                .map_err(|e| self.failed(&place, &e))
        })?;
        if self.stale == Stale::Remove {
            let record = root.join(RECORD);
            fs::write(&record, self.list()).map_err(|e| self.failed(&record, &e))?;
        }
        fs::rename(&root, &self.directory).map_err(|e| self.failed(&self.directory, &e))?;
        // What was renamed is no longer temporary.
        let _ = temporary.keep();
        Ok(())
    }

    /// The text of the record.
    fn list(&self) -> String {
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
    fn knows(&self, path: &TreePath) -> bool {
        self.files.contains_key(path) || self.marks.contains_key(path)
    }

    /// Tells each file that [`Self::write`] would add, change or remove, by [`Code::OutputDiffers`].
    pub fn check(&self) -> Report {
        let mut report = Report::default();
        let shown =
            |path: &TreePath| Place::file(self.directory.join(path.as_str()).display().to_string());
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
        let real =
            fs::canonicalize(&self.directory).map_err(|e| self.failed(&self.directory, &e))?;
        self.remove(&real, path)
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

    fn failed(&self, path: &Path, error: &io::Error) -> Diagnostic {
        let shown = path.display().to_string();
        let phrase = format!("{shown} cannot be written: {}", error.kind());
        Diagnostic::new(Code::WriteFailed, phrase).at(Place::file(shown))
    }

    fn make_directory(&self, path: &Path) -> Result<()> {
        fs::create_dir_all(path).map_err(|e| self.failed(path, &e))
    }

    /// Makes each directory of the tree once, having seen that no link leads out of it.
    fn make_parents(&self, real: &Path) -> Result<()> {
        let mut seen = BTreeSet::new();
        for path in self.files.keys() {
            let place = real.join(path.as_str());
            let parent = place.parent().unwrap_or(real).to_owned();
            if seen.insert(parent.clone()) {
                self.stay_inside(real, &parent, path)?;
                self.make_directory(&parent)?;
            }
        }
        Ok(())
    }

    fn write_file(&self, real: &Path, path: &TreePath, file: &OutputFile) -> Result<()> {
        let place = real.join(path.as_str());
        let parent = place.parent().unwrap_or(real).to_owned();
        let same = fs::symlink_metadata(&place).is_ok_and(|m| m.is_file())
            && fs::read(&place).is_ok_and(|bytes| bytes == file.bytes);
        if !same {
            return self.replace(&place, &parent, file);
        }
        match file.metadata {
            Some(metadata) => self.set_metadata(&place, metadata),
            None => Ok(()),
        }
    }

    /// Refuses a directory that a link leads out of the tree; what does not exist yet cannot.
    fn stay_inside(&self, real: &Path, directory: &Path, path: &TreePath) -> Result<()> {
        let existing = directory.ancestors().find(|a| a.exists()).unwrap_or(real);
        match fs::canonicalize(existing) {
            Ok(resolved) if resolved.starts_with(real) => Ok(()),
            _ => {
                let phrase =
                    format!("{path} would be written through a link that leads out of the output");
                Err(Diagnostic::new(Code::OutsideRoot, phrase)
                    .at(Place::file(directory.display().to_string())))
            }
        }
    }

    fn replace(&self, place: &Path, parent: &Path, file: &OutputFile) -> Result<()> {
        let failed = |e: &io::Error| self.failed(place, e);
        let temporary = tempfile::Builder::new()
            .prefix(".prerender-")
            .permissions(fs::Permissions::from_mode(0o644))
            .tempfile_in(parent)
            .map_err(|e| failed(&e))?;
        fill(temporary.as_file(), file).map_err(|e| failed(&e))?;
        if file.metadata.is_none()
            && let Ok(old) = fs::metadata(place)
        {
            // A file keeps the mode that its owner gave it.
            let _ = temporary.as_file().set_permissions(old.permissions());
        }
        temporary.persist(place).map_err(|e| failed(&e.error))?;
        Ok(())
    }

    fn set_metadata(&self, place: &Path, metadata: Metadata) -> Result<()> {
        let current = fs::metadata(place).map_err(|e| self.failed(place, &e))?;
        if current.permissions().mode() & 0o7777 != metadata.mode {
            fs::set_permissions(place, fs::Permissions::from_mode(metadata.mode))
                .map_err(|e| self.failed(place, &e))?;
        }
        if current.modified().ok() != Some(metadata.modified) {
            let times = fs::FileTimes::new().set_modified(metadata.modified);
            let file = fs::OpenOptions::new().append(true).open(place);
            // A file that its mode makes read-only keeps the time of its writing.
            let _ = file.and_then(|f| f.set_times(times));
        }
        Ok(())
    }

    fn remove(&self, real: &Path, path: &TreePath) -> Result<()> {
        let place = real.join(path.as_str());
        let parent = place.parent().unwrap_or(real).to_owned();
        self.stay_inside(real, &parent, path)?;
        match fs::remove_file(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(self.failed(&place, &error));
            }
            _ => {}
        }
        let empty = parent.ancestors().take_while(|a| *a != real);
        for directory in empty {
            if fs::remove_dir(directory).is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Gives an open file its bytes, time and mode.
fn fill(mut handle: &fs::File, file: &OutputFile) -> io::Result<()> {
    handle.write_all(&file.bytes)?;
    if let Some(metadata) = file.metadata {
        handle.set_times(fs::FileTimes::new().set_modified(metadata.modified))?;
        handle.set_permissions(fs::Permissions::from_mode(metadata.mode))?;
    }
    Ok(())
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
