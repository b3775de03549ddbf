//! Which files Git leaves alone: the patterns of `.gitignore`, those of a directory for all that is below it.
//!
//! Follows gitignore(5): the last pattern that fits decides, `!` takes back, a slash in the midst or at the start ties a
//! pattern to its directory, one at the end means directories. What is ignored cannot be taken back below.

use regex::Regex;

use crate::files::TreePath;

/// The most patterns that are read: each is an expression.
const MAX_PATTERNS: usize = 2000;

/// The patterns from the root down to a directory.
#[derive(Debug, Clone, Default)]
pub(super) struct Ignored(Vec<Pattern>);

#[derive(Debug, Clone)]
struct Pattern {
    below: TreePath,
    regex: Regex,
    directories_only: bool,
    takes_back: bool,
}

impl Ignored {
    /// Adds the `.gitignore` of a directory.
    pub(super) fn with(mut self, directory: &TreePath, text: &str) -> Self {
        let room = MAX_PATTERNS.saturating_sub(self.0.len());
        let patterns = text
            .lines()
            .filter_map(|line| Pattern::parse(directory, line));
        self.0.extend(patterns.take(room));
        self
    }

    /// Whether a file or directory is left alone.
    pub(super) fn has(&self, path: &TreePath, is_directory: bool) -> bool {
        let fits = |pattern: &&Pattern| {
            (is_directory || !pattern.directories_only)
                && path.is_within(&pattern.below)
                && pattern.regex.is_match(&path.relative_to(&pattern.below))
        };
        self.0
            .iter()
            .rev()
            .find(fits)
            .is_some_and(|pattern| !pattern.takes_back)
    }
}

impl Pattern {
    fn parse(directory: &TreePath, line: &str) -> Option<Self> {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let (takes_back, line) = match line.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let line = line.strip_prefix('\\').unwrap_or(line);
        let (directories_only, line) = match line.strip_suffix('/') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let is_tied = line.contains('/');
        let start = if is_tied { "^" } else { "(^|/)" };
        let regex = format!("{start}{}$", to_expression(line.trim_start_matches('/')));
        Some(Self {
            below: directory.clone(),
            regex: Regex::new(&regex).ok()?,
            directories_only,
            takes_back,
        })
    }
}

fn to_expression(glob: &str) -> String {
    let mut out = String::new();
    let mut rest = glob;
    while let Some(c) = rest.chars().next() {
        let (taken, expression) = match c {
            _ if rest.starts_with("**/") => (3, "(.*/)?".to_owned()),
            _ if rest.starts_with("**") => (2, ".*".to_owned()),
            '*' => (1, "[^/]*".to_owned()),
            '?' => (1, "[^/]".to_owned()),
            '[' if rest.contains(']') => {
                let end = rest.find(']').unwrap_or(0);
                (end + 1, rest[..=end].replacen("[!", "[^", 1))
            }
            c => (c.len_utf8(), regex::escape(c.encode_utf8(&mut [0; 4]))),
        };
        out.push_str(&expression);
        rest = &rest[taken..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Ignored, TreePath};

    #[test]
    fn patterns_decide_as_in_git() {
        let path = |text: &str| TreePath::parse(text).expect("a path");
        let ignored = Ignored::default()
            .with(
                &TreePath::root(),
                "*.key\n!public.key\n/build/\ndoc/**/x?.txt\n# no\n",
            )
            .with(&path("a"), "/only-here\n");
        let cases = [
            ("age.key", false, true),
            ("a/b/age.key", false, true),
            ("public.key", false, false),
            ("build", true, true),
            ("a/build", true, false),
            ("build", false, false),
            ("doc/a/b/x1.txt", false, true),
            ("a/only-here", false, true),
            ("b/only-here", false, false),
        ];
        for (name, is_directory, wanted) in cases {
            assert_eq!(ignored.has(&path(name), is_directory), wanted, "{name}");
        }
    }
}
