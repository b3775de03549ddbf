//! Paths in a checkout as Go's `filepath` walks and matches them.

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::{Files, Kind, TreePath};
use crate::go::filepath;

/// The names in a directory that are not directories themselves, as `filepath.Walk` meets them: links count,
/// also those to directories. Nothing where the directory is a link itself, which is not walked.
pub fn entries(files: &dyn Files, directory: &TreePath) -> Result<Vec<String>> {
    if is_link(files, directory)? {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for name in files.list(directory)? {
        let path = below(directory, &name);
        let is_directory = matches!(files.kind(&path), Ok(Some(Kind::Directory)));
        if !is_directory || is_link(files, &path)? {
            names.push(name);
        }
    }
    Ok(names)
}

/// Whether the last part of a path is a link.
pub fn is_link(files: &dyn Files, path: &TreePath) -> Result<bool> {
    let Some(parent) = path.parent() else {
        return Ok(false);
    };
    let Ok(real) = files.real_path(path) else {
        // It leads nowhere, or out of the root.
        return Ok(true);
    };
    Ok(real != below(&files.real_path(&parent)?, path.file_name()))
}

/// A name in a directory.
pub fn below(directory: &TreePath, name: &str) -> TreePath {
    directory.join(name).expect("a listed name stays below")
}

/// The paths from a directory that fit a pattern, as `filepath.Glob` writes them: parts are matched one by one,
/// `..` is taken as it is, and a pattern without special characters fits what is there. Fails on a pattern that
/// is not well formed.
pub fn glob(files: &dyn Files, directory: &TreePath, pattern: &str) -> Result<Vec<String>> {
    let bad = |_| {
        let phrase = format!("{pattern} is not a pattern of paths");
        Diagnostic::new(Code::HostError, phrase)
    };
    filepath::matches(pattern, "").map_err(bad)?;
    if !pattern.contains(['*', '?', '[', '\\']) {
        let is_there = match directory.join(pattern) {
            Some(path) => is_listed(files, &path)?,
            None => false,
        };
        return Ok(if is_there {
            vec![pattern.to_owned()]
        } else {
            Vec::new()
        });
    }
    let (above, last) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let directories = match above {
        "" => vec![String::new()],
        above => glob(files, directory, above)?,
    };
    let mut found = Vec::new();
    for one in directories {
        let Some(path) = directory.join(&one) else {
            continue;
        };
        if files.kind(&path)? != Some(Kind::Directory) {
            continue;
        }
        for name in files.list(&path)? {
            if filepath::matches(last, &name).map_err(bad)? {
                found.push(match &*one {
                    "" => name,
                    one => format!("{one}/{name}"),
                });
            }
        }
    }
    Ok(found)
}

/// Whether a name is in its directory, wherever it leads.
fn is_listed(files: &dyn Files, path: &TreePath) -> Result<bool> {
    let Some(parent) = path.parent() else {
        return Ok(true);
    };
    let is_directory = files.kind(&parent)? == Some(Kind::Directory);
    Ok(is_directory
        && files
            .list(&parent)?
            .iter()
            .any(|name| name == path.file_name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    #[test]
    fn patterns_may_climb() {
        let disk = Memory::from_texts([
            ("app/part/kustomization.yaml", ""),
            ("parts/one/kustomization.yaml", ""),
            ("parts/two/kustomization.yaml", ""),
        ]);
        let app = TreePath::parse("app").unwrap();
        let found = |pattern| glob(&disk, &app, pattern).unwrap();
        assert_eq!(found("pa*"), ["part"]);
        assert_eq!(found("../parts/*"), ["../parts/one", "../parts/two"]);
        assert_eq!(found("../*/*/*.yaml").len(), 3);
        assert_eq!(found("part/"), ["part/"]);
        assert!(found("none").is_empty() && found("../../etc").is_empty());
        assert!(glob(&disk, &app, "[a").is_err());
    }
}
