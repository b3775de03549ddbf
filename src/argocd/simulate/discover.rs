//! Patterns of paths as Argo CD's discovery and its exclusions read them.

use crate::diagnostic::Result;
use crate::files::{Files, Kind, TreePath};

/// Whether a name fits a pattern of Go's `filepath.Match`: `*`, `?`, `[a-z]`, `[^a]` and `\`, none of which
/// takes a slash. A malformed pattern fits nothing.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    fits_chars(&pattern, &text)
}

fn fits_chars(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => {
            let longest = text.iter().position(|c| *c == '/').unwrap_or(text.len());
            (0..=longest).any(|taken| fits_chars(rest, &text[taken..]))
        }
        (['?', rest @ ..], [c, after @ ..]) => *c != '/' && fits_chars(rest, after),
        (['[', rest @ ..], [c, after @ ..]) => match class(rest, *c) {
            Some((is_in, length)) => is_in && fits_chars(&rest[length..], after),
            None => false,
        },
        (['\\', wanted, rest @ ..], [c, after @ ..]) | ([wanted, rest @ ..], [c, after @ ..]) => {
            wanted == c && fits_chars(rest, after)
        }
        _ => false,
    }
}

/// Whether a character is in the class that starts here, and how long the class is.
fn class(pattern: &[char], c: char) -> Option<(bool, usize)> {
    let is_negated = pattern.first() == Some(&'^');
    let mut at = usize::from(is_negated);
    let mut is_in = false;
    let one = |at: &mut usize| {
        *at += usize::from(pattern.get(*at) == Some(&'\\'));
        let found = *pattern.get(*at)?;
        *at += 1;
        Some(found)
    };
    loop {
        if pattern.get(at) == Some(&']') && at > usize::from(is_negated) {
            return Some((is_in != is_negated && c != '/', at + 1));
        }
        let low = one(&mut at)?;
        let mut high = low;
        if pattern.get(at) == Some(&'-') {
            at += 1;
            high = one(&mut at)?;
        }
        is_in |= (low..=high).contains(&c);
    }
}

/// Whether anything below a directory fits a pattern, whose parts may be `**`: directories of any depth.
pub(super) fn finds(files: &dyn Files, directory: &TreePath, pattern: &str) -> Result<bool> {
    let parts: Vec<&str> = pattern
        .split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .collect();
    finds_parts(files, directory, &parts)
}

fn finds_parts(files: &dyn Files, directory: &TreePath, parts: &[&str]) -> Result<bool> {
    let Some((part, rest)) = parts.split_first() else {
        return Ok(true);
    };
    if *part == "**" && finds_parts(files, directory, rest)? {
        return Ok(true);
    }
    for name in files.list(directory)? {
        let Some(path) = directory.join(&name) else {
            continue;
        };
        let deeper = match (*part, files.kind(&path)) {
            ("**", Ok(Some(Kind::Directory))) => parts,
            (part, _) if part != "**" && fits(part, &name) => rest,
            _ => continue,
        };
        if deeper.is_empty() {
            return Ok(true);
        }
        if matches!(files.kind(&path), Ok(Some(Kind::Directory)))
            && finds_parts(files, &path, deeper)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    #[test]
    fn patterns_fit_as_in_go() {
        for (pattern, text) in [
            (".git/*", ".git/HEAD"),
            ("*.yaml", "a.yaml"),
            ("a?c", "abc"),
            ("[a-c]x", "bx"),
            ("[^a]x", "bx"),
            ("\\*", "*"),
            ("apps/*/charts", "apps/shop/charts"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            (".git/*", ".git"),
            (".git/*", ".git/a/b"),
            ("*.yaml", "a/b.yaml"),
            ("[a-c]x", "dx"),
            ("[a", "a"),
            ("**", "a/b"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    /// A.2: patterns are evaluated in the Application's directory.
    #[test]
    fn discovery_looks_below_the_directory() {
        let disk = Memory::from_texts([("apps/shop/base/kustomization.yaml", ""), ("x.yaml", "")]);
        let directory = TreePath::parse("apps/shop").unwrap();
        let found = |pattern| finds(&disk, &directory, pattern).unwrap();
        assert!(found("**/kustomization.yaml"));
        assert!(found("./base/*.yaml"));
        assert!(found("base"));
        assert!(!found("*.yaml"));
        assert!(!found("x.yaml"));
    }
}
