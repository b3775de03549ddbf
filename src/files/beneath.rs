//! Opens by handle below a directory: no name is looked up twice, and no link leads out.
//!
//! On Linux one `openat2` does it all (`RESOLVE_BENEATH`, no links anywhere). Where the kernel or a sandbox does not
//! have that call, each part of the path is opened below the handle of the part before, and a link is refused.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

/// Whether `openat2` was refused as such: then it is not asked again.
static IS_WITHOUT_OPENAT2: AtomicBool = AtomicBool::new(false);

/// Flags of a handle that says what a name is, and can do nothing else.
#[cfg(target_os = "linux")]
pub(super) const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Flags of a handle that says what a name is.
#[cfg(not(target_os = "linux"))]
pub(super) const LOOK: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A directory.
    Directory,
    /// A link, and where it points.
    Link(String),
    /// Anything else.
    File,
}

/// Opens a path without links below a directory. Fails with `ELOOP` where a part of it is a link.
///
/// With [`LOOK`] the last part may be one: the handle is that of the link.
pub(super) fn open(root: BorrowedFd<'_>, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
    open_for(root, path, flags, Mode::empty())
}

/// As [`open`], with the mode of a file that is made.
pub(super) fn open_for(
    root: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
) -> io::Result<OwnedFd> {
    let path = if path.is_empty() { "." } else { path };
    if !IS_WITHOUT_OPENAT2.load(Ordering::Relaxed) {
        match at_once(root, path, flags, mode) {
            Err(Errno::NOSYS | Errno::PERM) => IS_WITHOUT_OPENAT2.store(true, Ordering::Relaxed),
            opened => return Ok(opened?),
        }
    }
    part_by_part(root, path, flags, mode)
}

#[cfg(target_os = "linux")]
fn at_once(root: BorrowedFd<'_>, path: &str, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    use rustix::fs::ResolveFlags;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(root, path, flags, mode, resolve)
}

#[cfg(not(target_os = "linux"))]
fn at_once(_: BorrowedFd<'_>, _: &str, _: OFlags, _: Mode) -> Result<OwnedFd, Errno> {
    Err(Errno::NOSYS)
}

/// Opens each part below the handle of the one before.
fn part_by_part(
    root: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
) -> io::Result<OwnedFd> {
    let mut at = rustix::io::fcntl_dupfd_cloexec(root, 0)?;
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        if part == ".." {
            return Err(Errno::XDEV.into());
        }
        if parts.peek().is_none() {
            return Ok(rustix::fs::openat(
                &at,
                part,
                flags | OFlags::NOFOLLOW,
                mode,
            )?);
        }
        let next = rustix::fs::openat(&at, part, LOOK, Mode::empty())?;
        match kind_of(next.as_fd())? {
            FileType::Directory => at = next,
            FileType::Symlink => return Err(Errno::LOOP.into()),
            _ => return Err(Errno::NOTDIR.into()),
        }
    }
    Ok(at)
}

/// Says what is at a path whose parents are not links.
pub(super) fn look(root: BorrowedFd<'_>, path: &str) -> io::Result<EntryKind> {
    let handle = match open(root, path, LOOK) {
        Ok(handle) => handle,
        // Without O_PATH a link cannot be opened, and is read by its name.
        Err(error) if !cfg!(target_os = "linux") && is_link_error(&error) => {
            let target = rustix::fs::readlinkat(root, path, Vec::new())?;
            return Ok(EntryKind::Link(text(target)?));
        }
        Err(error) => return Err(error),
    };
    Ok(match kind_of(handle.as_fd())? {
        FileType::Directory => EntryKind::Directory,
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(&handle, "", Vec::new())?;
            EntryKind::Link(text(target)?)
        }
        _ => EntryKind::File,
    })
}

/// Whether a path could not be opened since a part of it is a link.
pub(super) fn is_link_error(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

fn kind_of(handle: BorrowedFd<'_>) -> io::Result<FileType> {
    let status = rustix::fs::fstat(handle)?;
    Ok(FileType::from_raw_mode(status.st_mode))
}

/// A link whose target is not UTF-8 leads to nothing that a manifest can name.
fn text(target: std::ffi::CString) -> io::Result<String> {
    target
        .into_string()
        .map_err(|_| io::ErrorKind::NotFound.into())
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the tests lay out what is opened"
)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn scratch() -> (tempfile::TempDir, OwnedFd) {
        let scratch = tempfile::tempdir().unwrap();
        let inner = scratch.path().join("root");
        fs::create_dir_all(inner.join("a/b")).unwrap();
        fs::write(inner.join("a/b/file"), "x").unwrap();
        fs::write(scratch.path().join("outside"), "o").unwrap();
        symlink("../outside", inner.join("link")).unwrap();
        symlink("a", inner.join("way")).unwrap();
        let root = rustix::fs::open(&inner, OFlags::RDONLY, Mode::empty()).unwrap();
        (scratch, root)
    }

    #[test]
    fn both_ways_open_the_same_and_refuse_the_same() {
        let (_scratch, root) = scratch();
        let (read, none) = (OFlags::RDONLY, Mode::empty());
        for path in ["a/b/file", "a/b", "."] {
            assert!(
                part_by_part(root.as_fd(), path, read, none).is_ok(),
                "{path}"
            );
            assert!(open(root.as_fd(), path, read).is_ok(), "{path}");
        }
        for path in ["link", "way/b/file", "..", "a/../../outside", "a/b/file/c"] {
            assert!(
                part_by_part(root.as_fd(), path, read, none).is_err(),
                "{path}"
            );
            assert!(open(root.as_fd(), path, read).is_err(), "{path}");
        }
    }

    #[test]
    fn says_what_a_name_is() {
        let (_scratch, root) = scratch();
        assert_eq!(look(root.as_fd(), "a/b").unwrap(), EntryKind::Directory);
        assert_eq!(look(root.as_fd(), "a/b/file").unwrap(), EntryKind::File);
        assert_eq!(
            look(root.as_fd(), "way").unwrap(),
            EntryKind::Link("a".into())
        );
        assert!(look(root.as_fd(), "way/b").is_err());
        assert!(look(root.as_fd(), "c").is_err());
    }
}
