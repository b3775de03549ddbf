//! A directory on disk as the root of a render.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to the file system"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{Mode, OFlags};

use super::{File, Files, Kind, MAX_FILE_BYTES, Metadata, TreePath};
use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// The files below one directory. Links are followed as long as they stay below it.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    /// The real path of each directory that a path led through.
    directories: Mutex<BTreeMap<TreePath, Arc<Path>>>,
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
            root,
            directories: Mutex::default(),
        })
    }

    /// The root's real path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What a file has besides its bytes, for a copy of it.
    pub fn metadata(&self, path: &TreePath) -> Result<Metadata> {
        let (_, metadata) = self.look_up(path)?;
        Ok(Metadata {
            mode: metadata.permissions().mode() & 0o7777,
            modified: metadata.modified().map_err(|e| unreadable(path, &e))?,
        })
    }

    fn resolve(&self, path: &TreePath) -> Result<PathBuf> {
        self.look_up(path).map(|(real, _)| real)
    }

    /// The real path of a file or directory and what it is. Each directory on the way is resolved once.
    fn look_up(&self, path: &TreePath) -> Result<(PathBuf, fs::Metadata)> {
        let failed = |e: io::Error| unreadable(path, &e);
        let place = match path.parent() {
            None => self.root.clone(),
            Some(parent) => self.directory(&parent)?.join(path.file_name()),
        };
        let metadata = fs::symlink_metadata(&place).map_err(failed)?;
        if !metadata.is_symlink() {
            return Ok((place, metadata));
        }
        let real = fs::canonicalize(&place).map_err(failed)?;
        if !real.starts_with(&self.root) {
            return Err(outside(path));
        }
        let metadata = fs::symlink_metadata(&real).map_err(failed)?;
        Ok((real, metadata))
    }

    fn directory(&self, path: &TreePath) -> Result<Arc<Path>> {
        let known = |tree: &Self| {
            let directories = tree.directories.lock();
            let directories = directories.unwrap_or_else(PoisonError::into_inner);
            directories.get(path).cloned()
        };
        if let Some(real) = known(self) {
            return Ok(real);
        }
        let real: Arc<Path> = self.resolve(path)?.into();
        let directories = self.directories.lock();
        let mut directories = directories.unwrap_or_else(PoisonError::into_inner);
        directories.insert(path.clone(), Arc::clone(&real));
        Ok(real)
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
pub(super) fn read_regular(real: &Path, path: &TreePath, limit_bytes: u64) -> Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let handle =
        rustix::fs::open(real, flags, Mode::empty()).map_err(|e| unreadable(path, &e.into()))?;
    let mut file = fs::File::from(handle);
    let metadata = file.metadata().map_err(|e| unreadable(path, &e))?;
    if !metadata.is_file() {
        let phrase = format!("{path} is not a regular file");
        return Err(Diagnostic::new(Code::FileUnreadable, phrase).at(Place::file(path.as_str())));
    }
    if metadata.len() > limit_bytes {
        let phrase = format!(
            "{path} has {} bytes, more than the limit of {limit_bytes}",
            metadata.len()
        );
        return Err(Diagnostic::new(Code::FileTooLarge, phrase).at(Place::file(path.as_str())));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    file.by_ref()
        .take(limit_bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| unreadable(path, &e))?;
    Ok(bytes)
}

impl Files for Tree {
    fn read(&self, path: &TreePath) -> Result<Arc<File>> {
        let real = self.resolve(path)?;
        let bytes = read_regular(&real, path, MAX_FILE_BYTES)?;
        Ok(Arc::new(File::committed(path.clone(), bytes)))
    }

    fn kind(&self, path: &TreePath) -> Result<Option<Kind>> {
        let metadata = match self.look_up(path) {
            Ok((_, metadata)) => metadata,
            Err(error) if error.code() == Code::FileMissing => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(if metadata.is_dir() {
            Some(Kind::Directory)
        } else {
            Some(Kind::File)
        })
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<String>> {
        let real = self.resolve(directory)?;
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
        let real = self.resolve(path)?;
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
