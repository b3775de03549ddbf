//! Whether a plugin's patterns find something in what was sent to it.
//!
//! Follows `matchRepository` (cmpserver/plugin/plugin.go) of Argo CD 3.6: `fileName` is Go's `filepath.Glob`, which
//! may climb and knows no `**`; `find.glob` is github.com/mattn/go-zglob, where `*`, `**/`, `{a,b}` and `[a]` are
//! patterns, but only where the pattern has a `*` or a `{` at all: any other must be the name of something, and
//! is an *error* where it is not. Cases: `discover-*`.

use crate::argocd::sources::paths::{below, glob, is_link};
use crate::diagnostic::Result;
use crate::files::{Files, Kind, TreePath};
use crate::go::regexp;

/// How many entries are looked at.
const MAX_ENTRIES: usize = 1_000_000;

/// Whether a pattern of `fileName` finds anything.
pub(super) fn finds_file_name(
    files: &dyn Files,
    directory: &TreePath,
    pattern: &str,
) -> Result<bool, String> {
    let found = glob(files, directory, pattern.trim_start_matches('/'));
    let found = found.map_err(|_| {
        format!("error finding filename match for pattern {pattern:?}: syntax error in pattern")
    })?;
    Ok(!found.is_empty())
}

/// Whether a pattern of `find.glob` finds anything.
pub(super) fn finds_glob(
    files: &dyn Files,
    directory: &TreePath,
    pattern: &str,
) -> Result<bool, String> {
    let failed = |why: &str| format!("error finding glob match for pattern {pattern:?}: {why}");
    let Some(path) = directory.join(pattern.trim_start_matches('/')) else {
        // It leads out of what was sent.
        return Ok(false);
    };
    let parts: Vec<&str> = path.as_str().split('/').collect();
    let Some(first) = parts.iter().position(|part| part.contains(['*', '{'])) else {
        return match files.kind(&path) {
            Ok(Some(_)) => Ok(true),
            _ => Err(failed("file does not exist")),
        };
    };
    let mut expression = expression(path.as_str());
    if expression.ends_with('/') {
        expression.push_str("[^/]*");
    }
    let expression = regexp::compile(&format!("^{expression}$"));
    let expression = expression.map_err(|_| failed("error parsing regexp"))?;
    let root = TreePath::parse(&parts[..first].join("/")).unwrap_or_else(TreePath::root);
    let mut left = MAX_ENTRIES;
    let found = walk(files, &root, &mut left, &|path| expression.is_match(path));
    found.map_err(|error| failed(error.phrase()))
}

/// Whether anything below a directory is wanted. Links are not followed.
fn walk(
    files: &dyn Files,
    directory: &TreePath,
    left: &mut usize,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<bool> {
    if files.kind(directory)? != Some(Kind::Directory) {
        return Ok(false);
    }
    for name in files.list(directory)? {
        let path = below(directory, &name);
        if *left == 0 || is_wanted(path.as_str()) {
            return Ok(*left > 0);
        }
        *left -= 1;
        let is_directory = files.kind(&path)? == Some(Kind::Directory);
        if is_directory && !is_link(files, &path)? && walk(files, &path, left, is_wanted)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The pattern as a regular expression.
fn expression(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '*' => match rest.strip_prefix("**/") {
                Some(after) => {
                    out.push_str("(.*/)?");
                    after
                }
                None => {
                    out.push_str("[^/]*");
                    after
                }
            },
            '[' => match after.split_once(']').filter(|(inner, _)| !inner.is_empty()) {
                Some((inner, after)) => {
                    out.push_str(&format!("[{inner}]"));
                    after
                }
                None => literal(&mut out, c, after),
            },
            '{' => match after.split_once('}').filter(|(inner, _)| !inner.is_empty()) {
                Some((inner, after)) => {
                    let names: Vec<String> = inner.split(',').map(quoted).collect();
                    out.push_str(&format!("({})", names.join("|")));
                    after
                }
                None => literal(&mut out, c, after),
            },
            '\\' if after.len() > 1 => {
                let escaped = after.chars().next().unwrap_or_default();
                literal(&mut out, escaped, &after[escaped.len_utf8()..])
            }
            other => literal(&mut out, other, after),
        };
    }
    out
}

fn literal<'t>(out: &mut String, c: char, after: &'t str) -> &'t str {
    out.push_str(&quoted(&c.to_string()));
    after
}

fn quoted(text: &str) -> String {
    regex::escape(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    /// A.2: patterns are evaluated in the Application's directory.
    #[test]
    fn discovery_looks_from_the_directory() {
        let disk = Memory::from_texts([
            ("apps/shop/base/kustomization.yaml", ""),
            ("apps/base/b.yaml", ""),
            ("x.yaml", ""),
        ]);
        let directory = TreePath::parse("apps/shop").unwrap();
        let file_name = |pattern| finds_file_name(&disk, &directory, pattern).unwrap();
        assert!(file_name("base/*.yaml") && file_name("../base/b.yaml") && file_name("base"));
        assert!(!file_name("**/kustomization.yml") && !file_name("*.yaml"));
        let glob = |pattern| finds_glob(&disk, &directory, pattern);
        for found in [
            "**/kustomization.yaml",
            "./base/*.yaml",
            "base",
            "{base,x}/*",
            "../**/b.yaml",
            "**/*",
        ] {
            assert_eq!(glob(found), Ok(true), "{found}");
        }
        for missing in ["*.yaml", "**/x.yaml", "{x,y}"] {
            assert_eq!(glob(missing), Ok(false), "{missing}");
        }
        for error in ["x.yaml", "bas?", "[b]ase"] {
            assert!(glob(error).is_err(), "{error}");
        }
    }
}
