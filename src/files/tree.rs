//! A directory on disk as the root of a render.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to the file system"
)]

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use rustix::fs::{Mode, OFlags};

use super::{File, Files, Kind, MAX_FILE_BYTES, Metadata, TreePath};
use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// The files below one directory. Links are followed as long as they stay below it.
///
/// What a path led to is remembered, so that a directory is resolved once and not for each of its files: a
/// tree is for one run, in which nothing that was read is moved. What is missing is looked for each time.
#[derive(Debug)]
pub struct Tree {
    root: Arc<Path>,
    known: Mutex<IndexMap<Box<str>, Resolved>>,
}

/// What a path leads to.
#[derive(Debug, Clone)]
struct Resolved {
    /// Its path without links; it need not lie below the root.
    real: Arc<Path>,
    kind: Kind,
}

impl Tree {
    /// Opens a root. Fails with [`Code::FileMissing`] when it is no directory.
    pub fn open(root: &Path) -> Result<Self> {
        let shown = root.display();
        let missing = |_| {
            Diagnostic::new(
                Code::FileMissing,
                format!("the root {shown} does not exist"),
            )
        };
        let root = fs::canonicalize(root).map_err(missing)?;
        if !root.is_dir() {
            return Err(Diagnostic::new(
                Code::FileMissing,
                format!("the root {shown} is not a directory"),
            ));
        }
        Ok(Self {
            root: root.into(),
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
        let metadata = fs::metadata(&real).map_err(|e| unreadable(path, &e))?;
        Ok(Metadata {
            mode: metadata.permissions().mode() & 0o7777,
            modified: metadata.modified().map_err(|e| unreadable(path, &e))?,
        })
    }

    /// Follows a path, and refuses one that leaves the root.
    fn resolve(&self, path: &TreePath) -> Result<Resolved> {
        let found = self.follow(path.as_str());
        let found = found.map_err(|e| unreadable(path, &e))?;
        if found.real.starts_with(&self.root) {
            Ok(found)
        } else {
            Err(outside(path))
        }
    }

    /// Follows a path from the nearest directory on it that was followed before.
    fn follow(&self, path: &str) -> io::Result<Resolved> {
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
                    break Resolved {
                        real: Arc::clone(&self.root),
                        kind: Kind::Directory,
                    };
                }
            }
        };
        while end < path.len() {
            let start = if end == 0 { 0 } else { end + 1 };
            end = path[start..].find('/').map_or(path.len(), |at| start + at);
            found = enter(&found, &path[start..end])?;
            known.insert(path[..end].into(), found.clone());
        }
        Ok(found)
    }
}

/// Follows one name in a directory, through links.
fn enter(directory: &Resolved, name: &str) -> io::Result<Resolved> {
    if directory.kind != Kind::Directory {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let mut real = directory.real.join(name);
    let mut metadata = fs::symlink_metadata(&real)?;
    if metadata.is_symlink() {
        real = fs::canonicalize(&real)?;
        metadata = fs::metadata(&real)?;
    }
    let kind = if metadata.is_dir() {
        Kind::Directory
    } else {
        Kind::File
    };
    Ok(Resolved {
        real: real.into(),
        kind,
    })
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
fn read_regular(real: &Path, path: &TreePath, limit_bytes: u64) -> Result<Arc<[u8]>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let handle =
        rustix::fs::open(real, flags, Mode::empty()).map_err(|e| unreadable(path, &e.into()))?;
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

impl Files for Tree {
    fn read(&self, path: &TreePath) -> Result<Arc<File>> {
        let bytes = read_regular(&self.resolve(path)?.real, path, MAX_FILE_BYTES)?;
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
        let real = self.resolve(directory)?.real;
        let entries = fs::read_dir(&real).map_err(|e| unreadable(directory, &e))?;
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(|e| unreadable(directory, &e))?.file_name();
            // A name that is not UTF-8 cannot be named by any manifest.
            names.extend(name.into_string().ok());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn real_path(&self, path: &TreePath) -> Result<TreePath> {
        let real = self.resolve(path)?.real;
        let below = real
            .strip_prefix(&self.root)
            .ok()
            .and_then(Path::to_str)
            .and_then(TreePath::parse);
        below.ok_or_else(|| outside(path))
    }

    fn from_absolute(&self, path: &str) -> Option<TreePath> {
        TreePath::parse(Path::new(path).strip_prefix(&self.root).ok()?.to_str()?)
    }
}
