//! Git's pathspecs, as `git ls-files -- PATHSPEC` takes one in the root of a repository.
//!
//! Follows pathspec.c and dir.c of Git: a path that is not a pattern takes everything below it, `*` crosses slashes
//! unless `:(glob)`, `:!x` is everything but `x`. Attributes are not known here.

use regex::Regex;

use super::glob::{self, Dialect};

/// Why a pathspec is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It leads out of the repository.
    Outside,
    /// Its magic is not known, or its pattern is not one.
    Malformed,
}

/// A pathspec that was read.
#[derive(Debug)]
pub struct Pathspec {
    literal: String,
    pattern: Option<Regex>,
    excludes: bool,
    ignores_case: bool,
}

impl Pathspec {
    /// Reads a pathspec.
    pub fn parse(spec: &str) -> Result<Self, Refused> {
        let (magic, path) = magic(spec)?;
        let path = normalized(path)?;
        let has_glob = path.contains(['*', '?', '[', '\\']) && !magic.literal;
        let dialect = if magic.glob {
            Dialect::WildmatchPath
        } else {
            Dialect::Wildmatch
        };
        let folded = if magic.ignores_case {
            path.to_lowercase()
        } else {
            path
        };
        let pattern = match has_glob {
            true => glob::compile(&folded, dialect).ok(),
            false => None,
        };
        Ok(Self {
            literal: folded,
            pattern,
            excludes: magic.excludes,
            ignores_case: magic.ignores_case,
        })
    }

    /// Whether it takes a path.
    pub fn takes(&self, path: &str) -> bool {
        if self.ignores_case {
            return self.fits(&path.to_lowercase()) != self.excludes;
        }
        self.fits(path) != self.excludes
    }

    fn fits(&self, path: &str) -> bool {
        if let Some(rest) = path.strip_prefix(&self.literal) {
            let is_whole = self.literal.is_empty() || self.literal.ends_with('/');
            if is_whole || rest.is_empty() || rest.starts_with('/') {
                return true;
            }
        }
        self.pattern
            .as_ref()
            .is_some_and(|pattern| pattern.is_match(path))
    }
}

#[derive(Default)]
struct Magic {
    excludes: bool,
    glob: bool,
    literal: bool,
    ignores_case: bool,
}

fn magic(spec: &str) -> Result<(Magic, &str), Refused> {
    let mut magic = Magic::default();
    let Some(rest) = spec.strip_prefix(':') else {
        return Ok((magic, spec));
    };
    if let Some(rest) = rest.strip_prefix('(') {
        let (words, path) = rest.split_once(')').ok_or(Refused::Malformed)?;
        for word in words.split(',').filter(|word| !word.is_empty()) {
            match word {
                "exclude" => magic.excludes = true,
                "glob" => magic.glob = true,
                "literal" => magic.literal = true,
                "icase" => magic.ignores_case = true,
                "top" => {}
                _ => return Err(Refused::Malformed),
            }
        }
        if magic.glob && magic.literal {
            return Err(Refused::Malformed);
        }
        return Ok((magic, path));
    }
    let mut path = rest;
    while let Some(c) = path.chars().next() {
        match c {
            '!' | '^' => magic.excludes = true,
            '/' => {}
            ':' => return Ok((magic, &path[1..])),
            c if c.is_ascii_punctuation() && !"\"$()*+-.?@[\\]^_{|}".contains(c) => {
                return Err(Refused::Malformed);
            }
            _ => break,
        }
        path = &path[1..];
    }
    Ok((magic, path))
}

/// Takes `.` and `..` out of a path.
fn normalized(path: &str) -> Result<String, Refused> {
    if path.starts_with('/') {
        return Err(Refused::Outside);
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or(Refused::Outside)?;
            }
            part => parts.push(part),
        }
    }
    let is_directory = path.ends_with('/') && !parts.is_empty();
    Ok(parts.join("/") + if is_directory { "/" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(spec: &str, path: &str) -> bool {
        Pathspec::parse(spec).unwrap().takes(path)
    }

    #[test]
    fn paths_and_patterns() {
        assert!(takes("cfg/a", "cfg/a/config.yaml") && !takes("cfg/a", "cfg/ab"));
        assert!(takes("cfg/*.yaml", "cfg/a/b.yaml") && takes("", "x/y"));
        assert!(takes("./cfg/", "cfg/a") && !takes("cfg/", "cfg"));
        assert!(!takes(":!cfg/a", "cfg/a/x") && takes(":!cfg/a", "b"));
        assert!(
            takes(":(glob)cfg/*/c.yaml", "cfg/a/c.yaml") && !takes(":(glob)*.yaml", "a/b.yaml")
        );
        assert!(takes(":(icase)CFG", "cfg/x") && takes(":(literal)a*", "a*"));
    }

    #[test]
    fn what_leads_out_is_refused() {
        for (spec, why) in [
            ("/x", Refused::Outside),
            ("../x", Refused::Outside),
            (":(attr:x)y", Refused::Malformed),
            (":(glob", Refused::Malformed),
        ] {
            assert_eq!(Pathspec::parse(spec).unwrap_err(), why, "{spec}");
        }
    }
}
