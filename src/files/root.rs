//! Finds the root of a render: the boundary that no file of a repository leads out of.
#![expect(
    clippy::disallowed_methods,
    reason = "this room is the door to the file system"
)]

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::{Tree, TreePath};
use crate::diagnostic::{Code, Diagnostic, Result};

/// A root, and the directory below it that is to be rendered.
#[derive(Debug, Clone)]
pub struct Located {
    /// The files below the root.
    pub tree: Arc<Tree>,
    /// What was asked for; it need not exist on disk, since templates may make it.
    pub directory: TreePath,
}

/// Finds the root for a path, as a user names it on the command line.
///
/// The first that applies: `explicit`; the nearest ancestor of the path that holds `.git`; the working
/// directory, when the path is beneath it; the path itself. Fails with [`Code::OutsideRoot`] when the path
/// is not beneath `explicit`, and with [`Code::FileMissing`] when the root is no directory.
pub fn locate(path: &Path, working_directory: &Path, explicit: Option<&Path>) -> Result<Located> {
    let path = resolved(&working_directory.join(path))?;
    let working_directory = resolved(working_directory)?;
    let root = match explicit {
        Some(root) => resolved(&working_directory.join(root))?,
        None => guess(&path, &working_directory),
    };
    let tree = Tree::open(&root)?;
    let below = path
        .strip_prefix(tree.root())
        .ok()
        .and_then(Path::to_str)
        .and_then(TreePath::parse);
    let directory = below.ok_or_else(|| {
        Diagnostic::new(
            Code::OutsideRoot,
            format!(
                "{} is not beneath the root {}",
                path.display(),
                root.display()
            ),
        )
        .help("name a root above the path with --root")
    })?;
    Ok(Located {
        tree: Arc::new(tree),
        directory,
    })
}

fn guess(path: &Path, working_directory: &Path) -> PathBuf {
    if let Some(repository) = path.ancestors().find(|a| a.join(".git").exists()) {
        return repository.to_owned();
    }
    if path.starts_with(working_directory) {
        return working_directory.to_owned();
    }
    path.to_owned()
}

/// Resolves links in the part of a path that exists; the rest is kept, its `..` taken by text.
pub fn resolved(path: &Path) -> Result<PathBuf> {
    let mut existing = path;
    let resolved = loop {
        match fs::canonicalize(existing) {
            Ok(resolved) => break resolved,
            Err(_) => match existing.parent() {
                Some(parent) => existing = parent,
                None => break existing.to_owned(),
            },
        }
    };
    let rest = path.strip_prefix(existing).unwrap_or(Path::new(""));
    let mut result = resolved;
    for part in rest.components() {
        match part {
            Component::ParentDir => {
                if !result.pop() {
                    return Err(Diagnostic::new(
                        Code::OutsideRoot,
                        format!("{} leads above /", path.display()),
                    ));
                }
            }
            Component::Normal(name) => result.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_wins_over_the_working_directory() {
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir_all(scratch.path().join("repo/.git")).unwrap();
        fs::create_dir_all(scratch.path().join("repo/apps")).unwrap();
        let found = locate(
            Path::new("made/by/a/template"),
            &scratch.path().join("repo/apps"),
            None,
        )
        .unwrap();
        assert!(found.tree.root().ends_with("repo"));
        assert_eq!(found.directory.as_str(), "apps/made/by/a/template");
    }

    #[test]
    fn without_a_repository_the_working_directory_is_the_root() {
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir_all(scratch.path().join("a/b")).unwrap();
        let found = locate(Path::new("b"), &scratch.path().join("a"), None).unwrap();
        assert_eq!(found.directory.as_str(), "b");
        let elsewhere = locate(
            &scratch.path().join("a/b"),
            Path::new("/"),
            Some(scratch.path()),
        )
        .unwrap();
        assert_eq!(elsewhere.directory.as_str(), "a/b");
    }

    #[test]
    fn a_path_above_an_explicit_root_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir_all(scratch.path().join("a/b")).unwrap();
        let error = locate(Path::new("."), scratch.path(), Some(Path::new("a"))).unwrap_err();
        assert_eq!(error.code(), Code::OutsideRoot);
    }
}
