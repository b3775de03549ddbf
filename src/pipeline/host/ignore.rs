//! Which files of a tree are left out of a source: `.sourceignore`, `spec.ignore` and the patterns of Flux.
//!
//! Follows fluxcd/pkg `sourceignore/sourceignore.go` (v0.18.0), and the patterns of Git as the library below it
//! reads them (go-git `plumbing/format/gitignore/pattern.go`, v5). They are not quite those of Git:
//!
//! - the last pattern that says anything decides, also for a file whose directory an earlier one left out, so that
//!   `sub/` and then `!sub/b.yaml` bring the file back (case `artifact-ignore-parent-then-child-back`);
//! - a pattern without a slash fits a name at any depth, and everything below a directory of that name;
//! - one with a slash fits from its own directory on, part by part by `filepath.Match`; `**` is any number of
//!   directories only as a whole part, and a pattern with another `**` fits nothing;
//! - only a space at the end that `\` protects belongs to the pattern.
//!
//! A `.sourceignore` counts for its own directory and below (`source-sourceignore-anchored-in-subdirectory`);
//! the defaults come first, so that a later pattern may bring back what they leave out, `spec.ignore` last.

use crate::diagnostic::Result;
use crate::files::{Files, Kind, TreePath};
use crate::go::filepath;

/// The file whose patterns count for its directory and below.
const FILE_NAME: &str = ".sourceignore";

/// What Flux leaves out of every source: version control, pictures and archives, CI, and tools.
const DEFAULTS: &str = "\
.git/
.gitignore
.gitmodules
.gitattributes
*.jpg
*.jpeg
*.gif
*.png
*.wmv
*.flv
*.tar.gz
*.zip
.github/
.circleci/
.travis.yml
.gitlab-ci.yml
appveyor.yml
.drone.yml
cloudbuild.yaml
codeship-services.yml
codeship-steps.yml
**/.goreleaser.yml
**/.sops.yaml
**/.flux.yaml
";

/// What `flux build artifact` leaves out where it is not told otherwise (cmd/flux/build_artifact.go, v2.9.5).
pub const ARTIFACT_DEFAULTS: &str = "\
.git/
.gitignore
.gitmodules
.gitattributes
*.jpg
*.jpeg
*.gif
*.png
*.wmv
*.flv
*.tar.gz
*.zip
";

/// A pattern and the directory that it counts from.
#[derive(Debug, Clone)]
struct Pattern {
    /// The parts of the directory, from the root of the tree.
    domain: Vec<String>,
    parts: Vec<String>,
    brings_back: bool,
    directories_only: bool,
    has_slash: bool,
}

/// Patterns in the order in which they were read.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

impl Ignore {
    /// The patterns that Flux has for every source, counted from its directory.
    pub fn defaults(directory: &TreePath) -> Self {
        let mut ignore = Self::default();
        ignore.add(DEFAULTS, directory);
        ignore
    }

    /// Adds the patterns of a text, one a line, counted from a directory.
    pub fn add(&mut self, text: &str, directory: &TreePath) {
        let lines = text.split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l));
        for line in lines.filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
            self.patterns.push(Pattern::parse(line, directory));
        }
    }

    /// Adds what the `.sourceignore` files of a directory and of those below it say.
    pub fn add_files(&mut self, files: &dyn Files, directory: &TreePath) -> Result<()> {
        let mut open = vec![directory.clone()];
        while let Some(directory) = open.pop() {
            let mut below = Vec::new();
            for name in files.list(&directory)? {
                let path = directory.join(&name).expect("a listed name stays below");
                if name == FILE_NAME && files.kind(&path)? == Some(Kind::File) {
                    let file = files.read(&path)?;
                    self.add(&String::from_utf8_lossy(&file.bytes), &directory);
                } else if name != ".git" && is_own_directory(files, &path)? {
                    below.push(path);
                }
            }
            open.extend(below.into_iter().rev());
        }
        Ok(())
    }

    /// Whether a path is left out.
    pub fn leaves_out(&self, path: &TreePath, kind: Kind) -> bool {
        let parts: Vec<&str> = parts_of(path).collect();
        let says = |pattern: &Pattern| pattern.fits(&parts, kind);
        let last = self.patterns.iter().rev().find(|p| says(p));
        last.is_some_and(|pattern| !pattern.brings_back)
    }
}

/// Whether a path is a directory that no link leads to.
fn is_own_directory(files: &dyn Files, path: &TreePath) -> Result<bool> {
    Ok(files.kind(path)? == Some(Kind::Directory) && files.real_path(path)? == *path)
}

fn parts_of(path: &TreePath) -> impl Iterator<Item = &str> {
    path.as_str().split('/').filter(|part| !part.is_empty())
}

impl Pattern {
    fn parse(line: &str, directory: &TreePath) -> Self {
        let (brings_back, line) = match line.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let line = match line.ends_with("\\ ") {
            true => line,
            false => line.trim_end_matches(' '),
        };
        let (directories_only, line) = match line.strip_suffix('/') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        Self {
            domain: parts_of(directory).map(str::to_owned).collect(),
            parts: line.split('/').map(str::to_owned).collect(),
            brings_back,
            directories_only,
            has_slash: line.contains('/'),
        }
    }

    fn fits(&self, path: &[&str], kind: Kind) -> bool {
        let below = path.len() > self.domain.len()
            && self
                .domain
                .iter()
                .zip(path)
                .all(|(wanted, part)| wanted == part);
        let Some(path) = path.get(self.domain.len()..).filter(|_| below) else {
            return false;
        };
        match self.has_slash {
            true => self.fits_path(path, kind),
            false => self.fits_name(path, kind),
        }
    }

    /// A name at any depth.
    fn fits_name(&self, path: &[&str], kind: Kind) -> bool {
        let fits = |name: &&str| filepath::matches(&self.parts[0], name).unwrap_or(false);
        let Some(at) = path.iter().position(fits) else {
            return false;
        };
        !(self.directories_only && kind == Kind::File && at == path.len() - 1)
    }

    /// The parts of a path from the pattern's directory on; what follows a whole match is below it.
    fn fits_path<'a>(&self, mut path: &'a [&'a str], kind: Kind) -> bool {
        let mut matched = false;
        let mut skips = false;
        for (at, part) in self.parts.iter().enumerate() {
            match part.as_str() {
                "" => skips = false,
                "**" if at == self.parts.len() - 1 => break,
                "**" => skips = true,
                part if part.contains("**") => return false,
                part => {
                    let found = next_match(part, path, skips);
                    skips = false;
                    match found {
                        Some(rest) => (matched, path) = (true, rest),
                        None => return false,
                    }
                }
            }
        }
        let is_file_itself = path.is_empty() && kind == Kind::File;
        matched && !(self.directories_only && is_file_itself)
    }
}

/// What follows the first part of a path that a pattern fits: the very first, unless directories may be skipped.
fn next_match<'a>(pattern: &str, path: &'a [&'a str], skips: bool) -> Option<&'a [&'a str]> {
    let tried = match skips {
        true => path.len(),
        false => path.len().min(1),
    };
    for (at, name) in path[..tried].iter().enumerate() {
        match filepath::matches(pattern, name) {
            Ok(true) => return Some(&path[at + 1..]),
            Ok(false) => {}
            Err(_) => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves_out(patterns: &str, path: &str) -> bool {
        let mut ignore = Ignore::default();
        ignore.add(patterns, &TreePath::root());
        ignore.leaves_out(&TreePath::parse(path).unwrap(), Kind::File)
    }

    #[test]
    fn the_last_pattern_that_fits_decides() {
        assert!(leaves_out("sub/", "sub/a.yaml"));
        assert!(!leaves_out("sub/\n!sub/b.yaml", "sub/b.yaml"));
        assert!(leaves_out("/*\n!/keep", "other"));
        assert!(!leaves_out("/*\n!/keep", "keep/a/b"));
        assert!(leaves_out("**/x", "a/b/x"));
        assert!(!leaves_out("a**/x", "ab/x"));
        assert!(leaves_out("a ", "a"));
        assert!(!leaves_out("# a", "# a"));
        assert!(!leaves_out("a/", "a"));
        assert!(leaves_out("a/", "b/a/c"));
    }
}
