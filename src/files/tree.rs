//! A directory on disk as the root of a render.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to the file system"
)]

use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use rustix::fs::{Dir, Mode, OFlags};

use super::beneath::{self, EntryKind};
use super::{File, Files, Kind, MAX_FILE_BYTES, Metadata, TreePath};
use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// How many links one path may lead through, as in Linux.
const MAX_LINKS: usize = 40;

/// The files below one directory. Links are followed as long as they stay below it.
///
/// A path is resolved to one without links, and that one is opened by handle below the root, where a link is
/// refused: what is swapped for a link meanwhile is an error and never another file. What a path led to is
/// remembered, so that a directory is resolved once and not for each of its files: a tree is for one run, in which
/// nothing that was read is moved. What is missing is looked for each time.
#[derive(Debug)]
pub struct Tree {
    root: Arc<Path>,
    handle: OwnedFd,
    known: Mutex<IndexMap<Box<str>, Resolved>>,
}

/// What a path leads to.
#[derive(Debug, Clone)]
struct Resolved {
    /// Its path below the root, without links.
    real: Arc<str>,
    kind: Kind,
}

/// Why a path could not be resolved.
enum Unresolved {
    /// It leads out of the root.
    Outside,
    /// The file system said so.
    Failed(io::Error),
}

impl From<io::Error> for Unresolved {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl Tree {
    /// Opens a root. Fails with [`Code::FileMissing`] when it is not a directory.
    pub fn open(root: &Path) -> Result<Self> {
        let shown = root.display();
        let wrong =
            |what: &str| Diagnostic::new(Code::FileMissing, format!("the root {shown} {what}"));
        let root = fs::canonicalize(root).map_err(|_| wrong("does not exist"))?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(&root, flags, Mode::empty())
            .map_err(|_| wrong("is not a directory"))?;
        Ok(Self {
            root: root.into(),
            handle,
            known: Mutex::default(),
        })
    }

    /// The root's real path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What a file has besides its bytes, for a copy of it.
    pub fn metadata(&self, path: &TreePath) -> Result<Metadata> {
        let real = self.resolve(path)?.real;
        let metadata = beneath::open(self.handle.as_fd(), &real, beneath::LOOK)
            .and_then(|handle| fs::File::from(handle).metadata())
            .map_err(|e| unreadable(path, &e))?;
        Ok(Metadata {
            mode: metadata.permissions().mode() & 0o7777,
            modified: metadata.modified().map_err(|e| unreadable(path, &e))?,
        })
    }

    /// Follows a path, and refuses one that leaves the root.
    fn resolve(&self, path: &TreePath) -> Result<Resolved> {
        self.follow(path.as_str()).map_err(|why| match why {
            Unresolved::Outside => outside(path),
            Unresolved::Failed(error) => unreadable(path, &error),
        })
    }

    /// Follows a path from the nearest directory on it that was followed before.
    fn follow(&self, path: &str) -> Result<Resolved, Unresolved> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut end = path.len();
        let mut found = loop {
            if let Some(found) = known.get(&path[..end]) {
                break found.clone();
            }
            match path[..end].rfind('/') {
                Some(slash) => end = slash,
                None => {
                    end = 0;
                    break Resolved::root();
                }
            }
        };
        let mut links = 0;
        while end < path.len() {
            let start = if end == 0 { 0 } else { end + 1 };
            end = path[start..].find('/').map_or(path.len(), |at| start + at);
            found = self.enter(&found, &path[start..end], &mut links)?;
            known.insert(path[..end].into(), found.clone());
        }
        Ok(found)
    }

    /// Follows one name in a directory, through links.
    fn enter(
        &self,
        directory: &Resolved,
        name: &str,
        links: &mut usize,
    ) -> Result<Resolved, Unresolved> {
        if directory.kind != Kind::Directory {
            return Err(io::Error::from(io::ErrorKind::NotADirectory).into());
        }
        let real = directory.child(name);
        let kind = match beneath::look(self.handle.as_fd(), &real)? {
            EntryKind::Directory => Kind::Directory,
            EntryKind::File => Kind::File,
            EntryKind::Link(target) => {
                *links += 1;
                if *links > MAX_LINKS {
                    return Err(io::Error::from(rustix::io::Errno::LOOP).into());
                }
                return self.follow_link(directory, &target, links);
            }
        };
        Ok(Resolved { real, kind })
    }

    /// Follows the target of a link in a directory. One that is absolute, or climbs above the root, is resolved by
    /// the system to a path without links, and that one is followed from the root.
    fn follow_link(
        &self,
        directory: &Resolved,
        target: &str,
        links: &mut usize,
    ) -> Result<Resolved, Unresolved> {
        if target.starts_with('/') {
            return self.follow_from_above(&self.root.join(target), links);
        }
        let mut found = directory.clone();
        for part in target.split('/') {
            found = match part {
                "" | "." => found,
                ".." => match found.parent() {
                    Some(parent) => parent,
                    None => {
                        let written = self.root.join(&*directory.real).join(target);
                        return self.follow_from_above(&written, links);
                    }
                },
                name => self.enter(&found, name, links)?,
            };
        }
        Ok(found)
    }

    fn follow_from_above(&self, written: &Path, links: &mut usize) -> Result<Resolved, Unresolved> {
        let real = fs::canonicalize(written).map_err(|error| match self.is_above(written) {
            false => Unresolved::Failed(error),
            // Whether something is there is not said of places outside.
            true => Unresolved::Outside,
        })?;
        let below = real.strip_prefix(&self.root).ok().and_then(Path::to_str);
        let mut found = Resolved::root();
        let parts = below.ok_or(Unresolved::Outside)?.split('/');
        for part in parts.filter(|part| !part.is_empty()) {
            found = self.enter(&found, part, links)?;
        }
        Ok(found)
    }

    /// Whether a path lies outside of the root by its text.
    fn is_above(&self, path: &Path) -> bool {
        let mut plain = PathBuf::new();
        for part in path.components() {
            match part {
                Component::ParentDir => {
                    plain.pop();
                }
                part => plain.push(part),
            }
        }
        !plain.starts_with(&self.root)
    }
}

impl Resolved {
    fn root() -> Self {
        Self {
            real: Arc::from(""),
            kind: Kind::Directory,
        }
    }

    fn child(&self, name: &str) -> Arc<str> {
        match &*self.real {
            "" => Arc::from(name),
            real => [real, "/", name].concat().into(),
        }
    }

    /// The directory that holds it; `None` for the root.
    fn parent(&self) -> Option<Self> {
        if self.real.is_empty() {
            return None;
        }
        let above = self.real.rsplit_once('/').map_or("", |(above, _)| above);
        Some(Self {
            real: Arc::from(above),
            kind: Kind::Directory,
        })
    }
}

/// The error for a path that leaves the root.
fn outside(path: &TreePath) -> Diagnostic {
    Diagnostic::new(Code::OutsideRoot, format!("{path} leads out of the root"))
        .at(Place::file(path.as_str()))
        .help("move the file below the root, or name a wider root with --root")
}

fn unreadable(path: &TreePath, error: &io::Error) -> Diagnostic {
    let place = Place::file(path.as_str());
    match error.kind() {
        _ if beneath::is_link_error(error) => {
            let phrase = format!("{path} is a link in a circle, or became one while it was read");
            Diagnostic::new(Code::FileUnreadable, phrase).at(place)
        }
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Diagnostic::new(Code::FileMissing, format!("{path} does not exist")).at(place)
        }
        kind => Diagnostic::new(
            Code::FileUnreadable,
            format!("{path} cannot be read: {kind}"),
        )
        .at(place),
    }
}

/// Reads a regular file, whole. `O_NONBLOCK` keeps a FIFO from stopping the open for ever.
fn read_regular(handle: OwnedFd, path: &TreePath, limit_bytes: u64) -> Result<Arc<[u8]>> {
    let mut file = fs::File::from(handle);
    let metadata = file.metadata().map_err(|e| unreadable(path, &e))?;
    if !metadata.is_file() {
        let phrase = format!("{path} is not a regular file");
        return Err(Diagnostic::new(Code::FileUnreadable, phrase).at(Place::file(path.as_str())));
    }
    let length = metadata.len();
    if length > limit_bytes {
        let phrase = format!("{path} has {length} bytes, more than the limit of {limit_bytes}");
        return Err(Diagnostic::new(Code::FileTooLarge, phrase).at(Place::file(path.as_str())));
    }
    let length = usize::try_from(length).unwrap_or(0);
    read_sized(&mut file, length).map_err(|e| unreadable(path, &e))
}

/// Reads a file of a known length into the memory where it stays; one that changes meanwhile is cut there.
fn read_sized(file: &mut fs::File, length: usize) -> io::Result<Arc<[u8]>> {
    let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, length).collect();
    let buffer = Arc::get_mut(&mut bytes).expect("nobody else has it yet");
    let mut filled = 0;
    while filled < length {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => return Ok(bytes[..filled].into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

impl Tree {
    /// The handle of a directory, to make and replace what is in it.
    pub(super) fn directory(&self, path: &TreePath) -> Result<OwnedFd> {
        self.open_to_read(path, OFlags::DIRECTORY)
    }

    fn open_to_read(&self, path: &TreePath, further: OFlags) -> Result<OwnedFd> {
        let real = self.resolve(path)?.real;
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        beneath::open(self.handle.as_fd(), &real, flags | further).map_err(|e| unreadable(path, &e))
    }
}

impl Files for Tree {
    fn read(&self, path: &TreePath) -> Result<Arc<File>> {
        let handle = self.open_to_read(path, OFlags::empty())?;
        let bytes = read_regular(handle, path, MAX_FILE_BYTES)?;
        Ok(Arc::new(File::committed(path.clone(), bytes)))
    }

    fn kind(&self, path: &TreePath) -> Result<Option<Kind>> {
        match self.resolve(path) {
            Ok(found) => Ok(Some(found.kind)),
            Err(error) if error.code() == Code::FileMissing => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<String>> {
        let failed = |e: rustix::io::Errno| unreadable(directory, &e.into());
        let handle = self.open_to_read(directory, OFlags::DIRECTORY)?;
        let entries = Dir::new(handle).map_err(failed)?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            // A name that is not UTF-8 cannot be named by any manifest.
            let name = entry.file_name().to_str().ok();
            names.extend(
                name.filter(|n| !matches!(*n, "." | ".."))
                    .map(str::to_owned),
            );
        }
        names.sort_unstable();
        Ok(names)
    }

    fn real_path(&self, path: &TreePath) -> Result<TreePath> {
        let real = self.resolve(path)?.real;
        TreePath::parse(&real).ok_or_else(|| outside(path))
    }

    fn from_absolute(&self, path: &str) -> Option<TreePath> {
        TreePath::parse(Path::new(path).strip_prefix(&self.root).ok()?.to_str()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn tree() -> (tempfile::TempDir, Tree) {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().join("root");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/file"), "x").unwrap();
        fs::write(scratch.path().join("outside"), "o").unwrap();
        let tree = Tree::open(&root).unwrap();
        (scratch, tree)
    }

    fn path(text: &str) -> TreePath {
        TreePath::parse(text).unwrap()
    }

    #[test]
    fn links_that_stay_inside_are_followed() {
        let (_scratch, tree) = tree();
        let root = tree.root().to_owned();
        symlink("a/b", root.join("short")).unwrap();
        symlink("../a/../short", root.join("a/chain")).unwrap();
        symlink("../root/a/b/file", root.join("round")).unwrap();
        symlink(root.join("a/b"), root.join("absolute")).unwrap();
        for name in ["short/file", "a/chain/file", "round", "absolute/file"] {
            assert_eq!(&*tree.read(&path(name)).unwrap().bytes, b"x", "{name}");
            assert_eq!(tree.real_path(&path(name)).unwrap().as_str(), "a/b/file");
        }
        assert_eq!(tree.list(&path("absolute")).unwrap(), ["file"]);
    }

    #[test]
    fn links_that_leave_are_refused_whether_something_is_there_or_not() {
        let (scratch, tree) = tree();
        let root = tree.root().to_owned();
        let outside = scratch.path().join("outside");
        symlink(&outside, root.join("absolute")).unwrap();
        symlink("../outside", root.join("climbs")).unwrap();
        symlink("../nothing", root.join("gone")).unwrap();
        symlink("/no/such/file", root.join("far")).unwrap();
        for name in ["absolute", "climbs", "gone", "far"] {
            let error = tree.read(&path(name)).unwrap_err();
            assert_eq!(error.code(), Code::OutsideRoot, "{name}");
        }
        symlink("missing", root.join("broken")).unwrap();
        assert_eq!(tree.kind(&path("broken")).unwrap(), None);
        symlink("turn", root.join("turn")).unwrap();
        let error = tree.read(&path("turn")).unwrap_err();
        assert_eq!(error.code(), Code::FileUnreadable);
    }

    #[test]
    fn what_is_swapped_for_a_link_is_not_followed() {
        let (scratch, tree) = tree();
        let root = tree.root().to_owned();
        assert_eq!(tree.kind(&path("a/b/file")).unwrap(), Some(Kind::File));
        fs::create_dir(scratch.path().join("b")).unwrap();
        fs::write(scratch.path().join("b/file"), "outside").unwrap();
        fs::remove_dir_all(root.join("a/b")).unwrap();
        symlink("../../b", root.join("a/b")).unwrap();
        let error = tree.read(&path("a/b/file")).unwrap_err();
        assert_eq!(error.code(), Code::FileUnreadable);
        assert!(tree.list(&path("a/b")).is_err());
    }
}
