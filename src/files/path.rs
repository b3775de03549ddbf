//! A path below the root: UTF-8, separated by `/`, without `.`, `..` or empty parts.

use std::fmt;
use std::sync::Arc;

/// A path below the root of a render; the root itself is the empty path.
///
/// ```
/// use prerender::files::TreePath;
/// let dir = TreePath::parse("apps/shop").expect("it stays below the root");
/// assert_eq!(dir.join("../base/./db.yaml").expect("still below").as_str(), "apps/base/db.yaml");
/// assert!(dir.join("../../../etc/passwd").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Arc<str>);

impl TreePath {
    /// The root itself.
    pub fn root() -> Self {
        Self(Arc::from(""))
    }

    /// Normalises a relative path; `None` when it leaves the root.
    pub fn parse(path: &str) -> Option<Self> {
        Self::root().join(path)
    }

    /// Follows a relative path from this directory, by its text alone; `None` when it leaves the root.
    pub fn join(&self, relative: &str) -> Option<Self> {
        let mut parts: Vec<&str> = self.0.split('/').filter(|p| !p.is_empty()).collect();
        for part in relative.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop()?;
                }
                name => parts.push(name),
            }
        }
        Some(Self(Arc::from(parts.join("/"))))
    }

    /// The path as text; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directory that holds it; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.0.is_empty() {
            return None;
        }
        Some(Self(Arc::from(
            self.0.rsplit_once('/').map_or("", |(dir, _)| dir),
        )))
    }

    /// The last part; empty for the root.
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&*self.0, |(_, name)| name)
    }

    /// Whether this is `directory` or lies below it.
    pub fn is_within(&self, directory: &Self) -> bool {
        let Some(rest) = self.0.strip_prefix(&*directory.0) else {
            return false;
        };
        directory.0.is_empty() || rest.is_empty() || rest.starts_with('/')
    }

    /// The path as it is written from `directory`, with `..` where it must climb.
    pub fn relative_to(&self, directory: &Self) -> String {
        let from: Vec<&str> = directory.0.split('/').filter(|p| !p.is_empty()).collect();
        let to: Vec<&str> = self.0.split('/').filter(|p| !p.is_empty()).collect();
        let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        let mut parts = vec![".."; from.len() - common];
        parts.extend(&to[common..]);
        if parts.is_empty() {
            ".".to_owned()
        } else {
            parts.join("/")
        }
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::TreePath;

    fn path(text: &str) -> TreePath {
        TreePath::parse(text).expect("a path below the root")
    }

    #[test]
    fn within_is_by_whole_parts() {
        assert!(path("apps/shop").is_within(&path("apps")));
        assert!(path("apps").is_within(&TreePath::root()));
        assert!(!path("apps-old").is_within(&path("apps")));
    }

    #[test]
    fn relative_climbs() {
        assert_eq!(path("a/b/c.yaml").relative_to(&path("a/d")), "../b/c.yaml");
        assert_eq!(path("a").relative_to(&path("a")), ".");
    }
}
