//! Glob patterns as Python's `Path.glob` and `Path.match` read them.

/// Whether a file's path below an input directory is found by `glob(pattern)`.
pub(super) fn glob_finds(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = parts(pattern);
    let path: Vec<&str> = parts(path);
    finds(&pattern, &path)
}

fn parts(text: &str) -> Vec<&str> {
    text.split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .collect()
}

fn finds(pattern: &[&str], path: &[&str]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        // `**` alone at the end finds directories, and no files.
        Some((&"**", [])) => false,
        Some((&"**", rest)) => (0..path.len()).any(|skip| finds(rest, &path[skip..])),
        Some((first, rest)) => path
            .split_first()
            .is_some_and(|(name, below)| name_matches(first, name) && finds(rest, below)),
    }
}

/// Whether a path ends as a pattern says: `Path.match`, where `**` is no more than `*`.
pub(super) fn path_matches(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (parts(pattern), parts(path));
    pattern.len() <= path.len()
        && !pattern.is_empty()
        && pattern
            .iter()
            .rev()
            .zip(path.iter().rev())
            .all(|(p, name)| name_matches(p, name))
}

/// One part of a path against `*`, `?` and `[…]`.
fn name_matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, n));
            p += 1;
        } else if let Some(width) = one_matches(&pattern[p..], name[n]) {
            p += width;
            n += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            n = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// How much of a pattern one character takes; `None` when it does not match.
fn one_matches(pattern: &[char], character: char) -> Option<usize> {
    match pattern.first()? {
        '?' => Some(1),
        '[' => {
            let negated = pattern.get(1) == Some(&'!');
            let start = if negated { 2 } else { 1 };
            // A bracket that stands first is a member.
            let end = pattern
                .iter()
                .skip(start + 1)
                .position(|c| *c == ']')
                .map(|e| e + start + 1);
            let Some(end) = end else {
                return (character == '[').then_some(1);
            };
            let set = &pattern[start..end];
            let mut found = false;
            let mut at = 0;
            while at < set.len() {
                if at + 2 < set.len() && set[at + 1] == '-' {
                    found |= (set[at]..=set[at + 2]).contains(&character);
                    at += 3;
                } else {
                    found |= set[at] == character;
                    at += 1;
                }
            }
            (found != negated).then_some(end + 1)
        }
        c => (*c == character).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_take_any_depth_and_hidden_files() {
        assert!(glob_finds("**/*", "a"));
        assert!(glob_finds("**/*", "a/.b/c.yaml"));
        assert!(glob_finds("apps/**/*.j2", "apps/x/y/z.j2"));
        assert!(glob_finds("apps/**/*.j2", "apps/z.j2"));
        assert!(!glob_finds("*", "a/b"));
        assert!(!glob_finds("**", "a/b"));
    }

    #[test]
    fn exclusions_match_from_the_right() {
        assert!(path_matches(
            "*.partial.yaml.j2",
            "templates/config/a.partial.yaml.j2"
        ));
        assert!(path_matches("apps/*", "templates/apps/x"));
        assert!(!path_matches("apps/*", "apps/x/y"));
        assert!(path_matches("apps/**", "apps/x"));
        assert!(path_matches("[!a]?c", "xyc"));
        assert!(!path_matches("[a-c]", "d"));
    }
}
