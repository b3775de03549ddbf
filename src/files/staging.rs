//! A directory of our own beside what it is for: what is written lies there whole before anything is replaced.
//!
//! It is locked as long as its process lives, so that the next run can know what a killed one left. Without a
//! journal nothing was replaced yet, or all of it: it is removed. With one, what was begun is finished first.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to the file system"
)]

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};

use super::TreePath;
use super::in_place::InPlace;
use crate::diagnostic::Result;

/// What the name of each starts with; letters and digits follow.
const PREFIX: &str = ".prerender-";

/// How many letters and digits follow.
const RANDOM: usize = 6;

/// The list of what is to be done, in a staging directory.
const JOURNAL: &str = "journal";

/// Only we may look into it: what is written may be secret.
const PRIVATE: u32 = 0o700;

/// How often a directory that another run takes for a left one is made again.
const MAX_TRIES: usize = 8;

/// One thing to do in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Puts a file of the staging directory, by its name there, in its place.
    Put(String, TreePath),
    /// Removes a file, and the directories that it leaves empty.
    Remove(TreePath),
}

/// A staging directory; gone when this is dropped.
pub(super) struct Staging {
    directory: tempfile::TempDir,
    handle: OwnedFd,
}

impl Staging {
    /// Makes one in a directory.
    pub(super) fn new(parent: &Path) -> io::Result<Self> {
        for _ in 0..MAX_TRIES {
            let directory = tempfile::Builder::new()
                .prefix(PREFIX)
                .rand_bytes(RANDOM)
                .permissions(fs::Permissions::from_mode(PRIVATE))
                .tempdir_in(parent)?;
            // Between the two calls another run may have found it unlocked, and removed it.
            if let Some(handle) = lock(directory.path()) {
                return Ok(Self { directory, handle });
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// The path of something in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Its handle.
    pub(super) fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    /// Writes down what is to be done; from here on a later run finishes it.
    pub(super) fn commit(&self, steps: &[Step]) -> io::Result<()> {
        let text: String = steps.iter().map(Step::line).collect();
        let new = self.path("journal.new");
        fs::write(&new, text)?;
        fs::rename(new, self.path(JOURNAL))
    }
}

impl Step {
    fn line(&self) -> String {
        match self {
            Self::Put(name, path) => format!("put {name} {path}\n"),
            Self::Remove(path) => format!("remove {path}\n"),
        }
    }

    /// Reads a line. What lies in `.git` is never ours.
    fn parse(line: &str) -> Option<Self> {
        let (what, rest) = line.split_once(' ')?;
        let (name, path) = match what {
            "put" => rest.split_once(' ')?,
            "remove" => ("", rest),
            _ => return None,
        };
        let path = TreePath::parse(path)?;
        if path.as_str().split('/').any(|part| part == ".git") || name.contains('/') {
            return None;
        }
        Some(match what {
            "put" => Self::Put(name.to_owned(), path),
            _ => Self::Remove(path),
        })
    }
}

/// Whether a name is one that staging directories have.
pub(super) fn is_ours(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|rest| rest.len() == RANDOM && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Finishes and removes what ended runs left in a directory. What cannot be removed stays.
///
/// Fails where a run was ended while it replaced files, and that cannot be finished.
pub(super) fn recover(parent: &Path) -> Result<()> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries {
        if !entry.file_name().to_str().is_some_and(is_ours) {
            continue;
        }
        let path = entry.path();
        let is_private = fs::symlink_metadata(&path).is_ok_and(|m| {
            m.is_dir()
                && m.mode() & 0o7777 == PRIVATE
                && m.uid() == rustix::process::geteuid().as_raw()
        });
        if !is_private {
            continue;
        }
        if let Some(handle) = lock(&path) {
            let journal = fs::read_to_string(path.join(JOURNAL));
            if let Ok(text) = journal {
                finish(parent, handle.as_fd(), &text)?;
            }
            // Another run may do the same.
            let _ = fs::remove_dir_all(&path);
        }
    }
    Ok(())
}

/// Does what a journal says; what was done already is not there any more.
fn finish(parent: &Path, staged: BorrowedFd<'_>, journal: &str) -> Result<()> {
    let place = InPlace::open(parent)?;
    for step in journal.lines().filter_map(Step::parse) {
        match step {
            Step::Put(name, path) => {
                let is_left = rustix::fs::statat(
                    staged,
                    name.as_str(),
                    rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
                );
                if is_left.is_ok() {
                    place.put(staged, &name, &path)?;
                }
            }
            Step::Remove(path) => place.remove(&path)?,
        }
    }
    Ok(())
}

/// Opens and locks a directory, unless another process has it or it is gone.
fn lock(path: &Path) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    rustix::fs::flock(&handle, FlockOperation::NonBlockingLockExclusive).ok()?;
    let there = fs::symlink_metadata(path).ok()?;
    let opened = rustix::fs::fstat(&handle).ok()?;
    (there.ino() == opened.st_ino).then_some(handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_ended_run_left_is_finished_or_removed() {
        let scratch = tempfile::tempdir().unwrap();
        let left = |name: &str, journal: Option<&str>| {
            let path = scratch.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("0"), "new").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(PRIVATE)).unwrap();
            if let Some(text) = journal {
                fs::write(path.join(JOURNAL), text).unwrap();
            }
        };
        fs::create_dir(scratch.path().join("a")).unwrap();
        fs::create_dir(scratch.path().join(".git")).unwrap();
        fs::write(scratch.path().join("a/old"), "old").unwrap();
        left(".prerender-aaaaaa", None);
        left(
            ".prerender-bbbbbb",
            Some("put 0 b/file\nput 1 b/done\nremove a/old\n"),
        );
        left(".prerender-cccccc", Some("put 0 .git/hooks\nput 0 ../up\n"));
        let alive = Staging::new(scratch.path()).unwrap();
        recover(scratch.path()).unwrap();
        let mut names: Vec<_> = fs::read_dir(scratch.path())
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        names.sort();
        let kept = alive.path("").components().as_path().to_owned();
        let expected = [scratch.path().join(".git"), kept, scratch.path().join("b")];
        assert_eq!(names, expected);
        assert_eq!(fs::read(scratch.path().join("b/file")).unwrap(), b"new");
    }
}
