//! What of a Git repository is checked in, read from its index.
//!
//! The format is that of gitformat-index(5), versions 2 to 4; only paths and modes are read.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to the file system"
)]

use std::fs;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Result};

/// The largest index that is read: half a million files.
const MAX_INDEX_BYTES: u64 = 128 << 20;

/// The mode of a submodule, which is no file.
const SUBMODULE: u32 = 0o160_000;

/// The paths that the index of a working tree lists; `None` where `root` is not the root of one.
///
/// Fails with [`Code::FileUnreadable`] on an index that is broken.
pub fn tracked(root: &Path) -> Result<Option<Vec<String>>> {
    let Some(directory) = git_directory(root) else {
        return Ok(None);
    };
    let index = directory.join("index");
    let Ok(metadata) = fs::metadata(&index) else {
        return Ok(Some(Vec::new()));
    };
    let broken = || {
        Diagnostic::new(
            Code::FileUnreadable,
            format!(
                "{} is not an index of Git that can be read",
                index.display()
            ),
        )
    };
    if metadata.len() > MAX_INDEX_BYTES {
        return Err(broken());
    }
    let bytes = fs::read(&index).map_err(|_| broken())?;
    paths(&bytes).map(Some).ok_or_else(broken)
}

/// The URLs of the remotes of a working tree.
pub fn remotes(root: &Path) -> Vec<String> {
    let Some(directory) = git_directory(root) else {
        return Vec::new();
    };
    let common = fs::read_to_string(directory.join("commondir"));
    let directory = common.map_or(directory.clone(), |c| directory.join(c.trim()));
    let config = fs::read_to_string(directory.join("config")).unwrap_or_default();
    let mut in_remote = false;
    let mut urls = Vec::new();
    for line in config.lines().map(str::trim) {
        if line.starts_with('[') {
            in_remote = line.starts_with("[remote ");
        } else if in_remote
            && let Some((key, url)) = line.split_once('=')
            && key.trim() == "url"
        {
            urls.push(url.trim().to_owned());
        }
    }
    urls
}

/// The commit that a working tree is at; `None` where there is none, or only Git itself can say.
pub fn head(root: &Path) -> Option<String> {
    let directory = git_directory(root)?;
    let read = |path: PathBuf| fs::read_to_string(path).ok();
    let head = read(directory.join("HEAD"))?;
    let Some(reference) = head.trim().strip_prefix("ref: ") else {
        return Some(head.trim().to_owned());
    };
    let common = read(directory.join("commondir"));
    let common = common.map_or(directory.clone(), |c| directory.join(c.trim()));
    if let Some(commit) = read(common.join(reference)) {
        return Some(commit.trim().to_owned());
    }
    let packed = read(common.join("packed-refs"))?;
    let named = packed.lines().find_map(|line| line.strip_suffix(reference));
    named.map(|commit| commit.trim().to_owned())
}

/// `.git`, or where the file of that name leads, as in a worktree.
fn git_directory(root: &Path) -> Option<PathBuf> {
    let path = root.join(".git");
    let metadata = fs::metadata(&path).ok()?;
    if metadata.is_dir() {
        return Some(path);
    }
    let text = fs::read_to_string(&path).ok()?;
    let directory = root.join(text.strip_prefix("gitdir:")?.trim());
    fs::metadata(&directory).ok()?.is_dir().then_some(directory)
}

fn paths(bytes: &[u8]) -> Option<Vec<String>> {
    let number = |at: usize| {
        let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(four))
    };
    let version = number(4).filter(|v| bytes.starts_with(b"DIRC") && (2..=4).contains(v))?;
    let count = number(8)?;
    let mut found: Vec<String> = Vec::new();
    let mut previous: Vec<u8> = Vec::new();
    let mut at = 12;
    for _ in 0..count {
        let mode = number(at + 24)?;
        let flags = u16::from_be_bytes(bytes.get(at + 60..at + 62)?.try_into().ok()?);
        let mut name_at = at + 62 + if flags & 0x4000 == 0 { 0 } else { 2 };
        let mut name = Vec::new();
        if version == 4 {
            let (kept, read) = offset(bytes.get(name_at..)?)?;
            name_at += read;
            name.extend_from_slice(previous.get(..previous.len().checked_sub(kept)?)?);
        }
        let rest = bytes.get(name_at..)?;
        let length = rest.iter().position(|b| *b == 0)?;
        name.extend_from_slice(&rest[..length]);
        at = match version {
            4 => name_at + length + 1,
            _ => at + (name_at - at + length + 8) / 8 * 8,
        };
        let stage = flags >> 12 & 3;
        if mode != SUBMODULE && stage == 0 {
            found.push(String::from_utf8(name.clone()).ok()?);
        }
        previous = name;
    }
    Some(found)
}

/// A number of seven bits a byte, as packs write offsets, and how many bytes it takes.
fn offset(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = usize::from(bytes.first()? & 0x7f);
    let mut read = 1;
    while bytes.get(read - 1)? & 0x80 != 0 {
        let byte = *bytes.get(read)?;
        value = (value.checked_add(1)?.checked_mul(128)?) | usize::from(byte & 0x7f);
        read += 1;
    }
    Some((value, read))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(version: u32, entries: &[(&str, u32)]) -> Vec<u8> {
        let mut out = b"DIRC".to_vec();
        out.extend(version.to_be_bytes());
        out.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
        for (name, mode) in entries {
            let start = out.len();
            out.extend([0; 24]);
            out.extend(mode.to_be_bytes());
            out.extend([0; 32]);
            out.extend(u16::try_from(name.len()).unwrap().to_be_bytes());
            out.extend(name.as_bytes());
            let length = out.len() - start;
            out.resize(start + (length + 8) / 8 * 8, 0);
        }
        out
    }

    #[test]
    fn paths_are_listed_without_submodules() {
        let bytes = index(
            2,
            &[
                ("a/b.yaml", 0o100_644),
                ("sub", SUBMODULE),
                ("link", 0o120_000),
            ],
        );
        assert_eq!(paths(&bytes).unwrap(), ["a/b.yaml", "link"]);
    }

    #[test]
    fn a_broken_index_is_not_read() {
        let bytes = index(2, &[("a", 0o100_644)]);
        assert!(paths(&bytes[..40]).is_none());
        assert!(paths(b"DIRC\0\0\0\x09\0\0\0\0").is_none());
        assert!(paths(b"").is_none());
    }
}
