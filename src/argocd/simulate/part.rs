//! The part of a repository that is sent where `manifest-generate-paths` says so.
//!
//! Follows `getPaths` and `getApplicationRootPath` (reposerver/repository/utils.go) of Argo CD 3.6: paths are not
//! trimmed, so that a blank before a slash makes a relative path of it; what leads above the root is clamped to
//! it; links on the way are followed. The part is the common root of all paths, and never below the
//! Application's own directory, whose links are not followed. Cases: `paths-*`.

use crate::files::{Files, TreePath};

/// The directory that is sent; the root where the annotation names nothing.
pub(super) fn root_of(files: &dyn Files, directory: &TreePath, annotation: &str) -> TreePath {
    let mut common = parts(directory);
    let mut is_disjoint = false;
    let mut has_paths = false;
    for item in annotation.split(';').filter(|item| !item.is_empty()) {
        has_paths = true;
        let written = match item.starts_with('/') {
            true => clamped(item),
            false => clamped(&format!("{}/{item}", directory.as_str())),
        };
        let path = parts(&resolved(files, &written));
        let shorter = common.len().min(path.len());
        let same = common.iter().zip(&path).take_while(|(a, b)| a == b).count();
        if same < shorter {
            common.truncate(same);
            is_disjoint = true;
        }
        if !is_disjoint {
            common.truncate(shorter);
        }
    }
    match has_paths {
        true => TreePath::parse(&common.join("/")).unwrap_or_else(TreePath::root),
        false => TreePath::root(),
    }
}

fn parts(path: &TreePath) -> Vec<String> {
    let parts = path.as_str().split('/').filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// A path whose `..` stay at the root.
fn clamped(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name.to_owned()),
        }
    }
    parts
}

/// Follows the links of a path, part by part, as far as there is something.
fn resolved(files: &dyn Files, path: &[String]) -> TreePath {
    let mut at = TreePath::root();
    for part in path {
        let next = at.join(part).unwrap_or_else(TreePath::root);
        at = match files.kind(&next) {
            Ok(Some(_)) => files.real_path(&next).unwrap_or(next),
            _ => next,
        };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    /// A.3: with manifest-generate-paths, the common root of the paths is what is sent.
    #[test]
    fn the_common_root_is_sent() {
        let disk = Memory::from_texts([("apps/team/shop/a.yaml", ""), ("apps/base/b.yaml", "")]);
        let directory = TreePath::parse("apps/team/shop").unwrap();
        let root = |annotation| root_of(&disk, &directory, annotation).as_str().to_owned();
        assert_eq!(root("."), "apps/team/shop");
        assert_eq!(root("..;."), "apps/team");
        assert_eq!(root(".;/apps/base"), "apps");
        assert_eq!(root(". ; /apps/base"), "apps/team/shop");
        assert_eq!(root("/shared;."), "");
        assert_eq!(root("/../../apps"), "apps");
        assert_eq!((&*root(""), &*root(";")), ("", ""));
    }
}
