//! How a written tree takes its place.
//!
//! | what is there | how |
//! |---|---|
//! | nothing | written beside its place, and renamed |
//! | a directory of which this run knows what goes | written beside it together with links to what stays, and exchanged by one call |
//! | a mount, a repository, the working directory, or anything else that cannot be exchanged | the changed files are written into a staging directory inside, and moved one by one; a journal has a later run finish that |
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to the file system"
)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rustix::fs::{CWD, RenameFlags};

use super::in_place::{InPlace, unwritten};
use super::output::{OutputFile, OutputTree, RECORD};
use super::staging::{self, Staging, Step};
use super::{Audience, TreePath};
use crate::diagnostic::Result;

/// The most files of others that are carried over into a new tree; a place with more is changed where it is.
const MAX_CARRIED: usize = 10_000;

/// The new tree in its staging directory.
const TREE: &str = "tree";

impl OutputTree {
    /// Writes the tree. A file that has its bytes already is not touched.
    ///
    /// Fails with [`Code::WriteFailed`](crate::diagnostic::Code::WriteFailed), and with `OutsideRoot` when a link in
    /// the directory leads out of it; then what was there is as it was.
    pub fn write(&self) -> Result<()> {
        let Ok(real) = fs::canonicalize(self.directory()) else {
            return self.write_anew();
        };
        let parent = real.parent().unwrap_or(&real).to_owned();
        staging::recover(&parent)?;
        staging::recover(&real)?;
        let change = self.change(&real);
        if change.is_nothing() {
            return Ok(());
        }
        if self.removes_stale() && self.exchange(&real, &parent, &change).is_some() {
            return Ok(());
        }
        self.write_in_place(&real, &change)
    }

    /// Writes a tree where nothing is yet: beside its place, whole, and then renamed.
    fn write_anew(&self) -> Result<()> {
        let parent = self.directory().parent().unwrap_or(Path::new("."));
        let parent = match parent.as_os_str().is_empty() {
            true => Path::new("."),
            false => parent,
        };
        let failed = |e: &io::Error| unwritten(self.directory(), e);
        fs::create_dir_all(parent).map_err(|e| unwritten(parent, &e))?;
        // The way to it may lead through links and `..`; none of that leads out of it.
        let parent = fs::canonicalize(parent).map_err(|e| unwritten(parent, &e))?;
        staging::recover(&parent)?;
        let staging = Staging::new(&parent).map_err(|e| unwritten(&parent, &e))?;
        let tree = staging.path(TREE);
        fs::create_dir(&tree)
            .and_then(|()| self.fill(&tree, &self.files().collect::<Vec<_>>(), &tree))
            .map_err(|e| failed(&e))?;
        fs::rename(&tree, self.directory()).map_err(|e| failed(&e))
    }

    /// What this run changes in a directory.
    fn change(&self, real: &Path) -> Change<'_> {
        let files: Vec<_> = self.files().collect();
        let changed: Vec<bool> = files
            .par_iter()
            .map(|(path, file)| {
                let place = real.join(path.as_str());
                !is_same(&place, &file.bytes) || has_other_metadata(&place, file)
            })
            .collect();
        let changed = files.into_iter().zip(changed).filter(|(_, is)| *is);
        let stale = self.recorded().into_keys().filter(|p| !self.knows(p));
        let is_recorded =
            !self.removes_stale() || is_same(&real.join(RECORD), self.list().as_bytes());
        Change {
            files: changed.map(|(file, _)| file).collect(),
            stale: match self.removes_stale() {
                true => stale.collect(),
                false => Vec::new(),
            },
            record: (!is_recorded).then(|| self.list()),
        }
    }

    /// Builds the whole new tree beside the old one, and exchanges both; `None` where that cannot be.
    ///
    /// Why it cannot does not matter: the way in place has the right words for what is wrong there as well.
    fn exchange(&self, real: &Path, parent: &Path, change: &Change<'_>) -> Option<()> {
        let old = fs::metadata(real).ok()?;
        let is_ours = old.uid() == rustix::process::geteuid().as_raw();
        let is_mount = fs::metadata(parent).ok()?.dev() != old.dev();
        let is_worked_in = fs::canonicalize(".").is_ok_and(|here| here.starts_with(real));
        if !is_ours || is_mount || is_worked_in || real.join(".git").exists() {
            return None;
        }
        let staging = Staging::new(parent).ok()?;
        let tree = staging.path(TREE);
        fs::create_dir(&tree).ok()?;
        let goes = change.files.iter().map(|(path, _)| *path);
        let mut carry = Carry {
            goes: goes.chain(&change.stale).collect(),
            left: MAX_CARRIED + self.files().count(),
        };
        carry.directory(real, &tree, &TreePath::root()).ok()?;
        let leads_elsewhere = |(path, _): &(&TreePath, _)| leads_through_a_link(&tree, path);
        if change.files.iter().any(leads_elsewhere) {
            return None;
        }
        self.fill(&tree, &change.files, real).ok()?;
        fs::set_permissions(&tree, fs::Permissions::from_mode(old.mode() & 0o7777)).ok()?;
        rustix::fs::renameat_with(CWD, &tree, CWD, real, RenameFlags::EXCHANGE).ok()
    }

    /// Writes files below a directory of our own, with the modes that they have in the old one.
    fn fill(&self, tree: &Path, files: &[Output<'_>], old: &Path) -> io::Result<()> {
        let mut made = BTreeSet::new();
        for parent in files.iter().filter_map(|(path, _)| path.parent()) {
            if made.insert(parent.clone()) {
                fs::create_dir_all(tree.join(parent.as_str()))?;
            }
        }
        files.par_iter().try_for_each(|(path, file)| {
            let kept = mode_of(&old.join(path.as_str()));
            create(&tree.join(path.as_str()), file, kept)
        })?;
        match self.removes_stale() {
            true => fs::write(tree.join(RECORD), self.list()),
            false => Ok(()),
        }
    }

    /// Moves the changed files to their places, one by one, with a journal where that is more than one step.
    fn write_in_place(&self, real: &Path, change: &Change<'_>) -> Result<()> {
        let place = InPlace::open(real)?;
        let staging = Staging::new(real).map_err(|e| unwritten(real, &e))?;
        for (path, _) in &change.files {
            place.make_parent(path)?;
        }
        let files = change.files.par_iter().enumerate();
        files.try_for_each(|(number, (path, file))| {
            let target = real.join(path.as_str());
            create(&staging.path(&number.to_string()), file, mode_of(&target))
                .map_err(|e| unwritten(&target, &e))
        })?;
        let mut steps = change.steps();
        if let Some(list) = &change.record {
            let record = TreePath::parse(RECORD).expect("a name stays in its directory");
            fs::write(staging.path("record"), list).map_err(|e| unwritten(real, &e))?;
            steps.push(Step::Put("record".to_owned(), record));
        }
        if steps.len() > 1 {
            staging.commit(&steps).map_err(|e| unwritten(real, &e))?;
        }
        for step in &steps {
            match step {
                Step::Put(name, path) => place.put(staging.handle(), name, path)?,
                Step::Remove(path) => place.remove(path)?,
            }
        }
        Ok(())
    }
}

/// A file and its place.
type Output<'a> = (&'a TreePath, &'a OutputFile);

/// What a run changes in a directory.
struct Change<'a> {
    files: Vec<Output<'a>>,
    stale: Vec<TreePath>,
    /// The record, where it is another one.
    record: Option<String>,
}

impl Change<'_> {
    fn is_nothing(&self) -> bool {
        self.files.is_empty() && self.stale.is_empty() && self.record.is_none()
    }

    /// What is to be done where the directory stays: files by their number in the staging directory.
    fn steps(&self) -> Vec<Step> {
        let put = |(number, (path, _)): (usize, &Output<'_>)| {
            Step::Put(number.to_string(), (*path).clone())
        };
        let puts = self.files.iter().enumerate().map(put);
        puts.chain(self.stale.iter().cloned().map(Step::Remove))
            .collect()
    }
}

/// Carries over what stays of an old tree, as links to the same files.
struct Carry<'a> {
    /// What is not carried over: it is written anew, or removed.
    goes: BTreeSet<&'a TreePath>,
    left: usize,
}

impl Carry<'_> {
    /// Carries a directory over; whether anything in it stays.
    fn directory(&mut self, from: &Path, to: &Path, below: &TreePath) -> io::Result<bool> {
        let mut is_empty = true;
        let mut stays = false;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            is_empty = false;
            let name = entry.file_name();
            let name = name.to_str().ok_or(io::ErrorKind::InvalidData)?;
            let path = below.join(name).ok_or(io::ErrorKind::InvalidData)?;
            let (source, target) = (entry.path(), to.join(name));
            if entry.file_type()?.is_dir() {
                fs::create_dir(&target)?;
                match self.directory(&source, &target, &path)? {
                    true => {
                        fs::set_permissions(&target, entry.metadata()?.permissions())?;
                        stays = true;
                    }
                    false => fs::remove_dir(&target)?,
                }
            } else if self.stays(&path) {
                self.left = self.left.checked_sub(1).ok_or(io::ErrorKind::Other)?;
                fs::hard_link(&source, &target)?;
                stays = true;
            }
        }
        // A directory that was empty is somebody's.
        Ok(stays || is_empty)
    }

    fn stays(&self, path: &TreePath) -> bool {
        let is_own = path.as_str() == RECORD || staging::is_ours(path.file_name());
        !is_own && !self.goes.contains(path)
    }
}

/// Whether a directory on the way to a path is a link.
fn leads_through_a_link(tree: &Path, path: &TreePath) -> bool {
    let above = std::iter::successors(path.parent(), TreePath::parent);
    let mut above = above.map(|directory| tree.join(directory.as_str()));
    above.any(|place| fs::symlink_metadata(place).is_ok_and(|m| m.is_symlink()))
}

/// The permission bits of a regular file.
fn mode_of(place: &Path) -> Option<u32> {
    let there = fs::symlink_metadata(place).ok()?;
    there.is_file().then(|| there.mode() & 0o7777)
}

/// Whether a regular file with these bytes is at a path.
fn is_same(place: &Path, bytes: &[u8]) -> bool {
    fs::symlink_metadata(place).is_ok_and(|m| m.is_file() && m.len() == bytes.len() as u64)
        && fs::read(place).is_ok_and(|there| there == bytes)
}

/// Writes a new file with its time and mode; without one it keeps the mode that its owner gave the old file, but
/// where it now holds secrets.
fn create(place: &Path, file: &OutputFile, kept: Option<u32>) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    let mut handle = options.mode(file.bounded(0o666)).open(place)?;
    handle.write_all(&file.bytes)?;
    if let Some(metadata) = file.metadata {
        handle.set_times(fs::FileTimes::new().set_modified(metadata.modified))?;
    }
    match file
        .metadata
        .map(|m| m.mode)
        .or(kept.map(|mode| file.bounded(mode)))
    {
        Some(mode) => handle.set_permissions(fs::Permissions::from_mode(mode)),
        None => Ok(()),
    }
}

/// Whether a file that has its bytes needs another mode or time.
fn has_other_metadata(place: &Path, file: &OutputFile) -> bool {
    let Ok(current) = fs::symlink_metadata(place) else {
        return false;
    };
    let mode = current.mode() & 0o7777;
    match file.metadata {
        Some(wanted) => mode != wanted.mode || current.modified().ok() != Some(wanted.modified),
        None => mode != file.bounded(mode),
    }
}

impl OutputFile {
    /// A mode without what its audience may not have.
    fn bounded(&self, mode: u32) -> u32 {
        match self.audience {
            Audience::All => mode,
            Audience::Owner => mode & 0o700,
        }
    }
}
