//! Patterns of file names, expanded as the reference does: hidden files are left out.

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::{Files, Kind, TreePath};
use crate::go::filepath;

use super::refused;

/// A directory, and the files around it.
#[derive(Clone, Copy)]
pub struct Place<'f> {
    /// The files.
    pub files: &'f dyn Files,
    /// The directory that paths start from.
    pub directory: &'f TreePath,
}

/// The paths that a pattern matches, in order; a path without a pattern when it is there.
pub fn expand(place: &Place<'_>, pattern: &str) -> Result<Vec<String>> {
    filepath::matches(pattern, "")
        .map_err(|_| refused(format!("{pattern} is no pattern of file names")))?;
    let mut found = glob(place, pattern)?;
    let is_hidden = |path: &String| {
        let hidden = |part: &str| part.starts_with('.') && part != "." && part != "..";
        path.split('/').any(hidden) && !pattern.split('/').any(hidden)
    };
    found.retain(|path| !is_hidden(path));
    Ok(found)
}

fn glob(place: &Place<'_>, pattern: &str) -> Result<Vec<String>> {
    if !is_pattern(pattern) {
        return Ok(match kind(place, pattern)? {
            Some(_) => vec![pattern.to_owned()],
            None => Vec::new(),
        });
    }
    let (parent, last) = match pattern.rsplit_once('/') {
        Some((parent, last)) => (Some(parent), last),
        None => (None, pattern),
    };
    let directories = match parent {
        None => vec![String::new()],
        Some(parent) if is_pattern(parent) => glob(place, parent)?,
        Some(parent) => vec![parent.to_owned()],
    };
    let mut found = Vec::new();
    for directory in directories {
        let path = place.directory.join(&directory);
        let Some(path) =
            path.filter(|path| matches!(place.files.kind(path), Ok(Some(Kind::Directory))))
        else {
            continue;
        };
        let mut names = place.files.list(&path)?;
        names.retain(|name| filepath::matches(last, name) == Ok(true));
        let prefix = if parent.is_some() {
            format!("{directory}/")
        } else {
            String::new()
        };
        found.extend(names.into_iter().map(|name| format!("{prefix}{name}")));
    }
    Ok(found)
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '\\'])
}

/// What is at a path from the directory. One that leaves the files cannot be looked at, and is taken for a directory: the
/// build says what it thinks of it.
pub fn kind(place: &Place<'_>, path: &str) -> Result<Option<Kind>> {
    match place.directory.join(path) {
        Some(path) => place.files.kind(&path),
        None => Ok(Some(Kind::Directory)),
    }
}

/// The paths that words name: each a pattern that matches something, or a path that is there.
pub fn existing(place: &Place<'_>, words: &[String]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for word in words {
        let paths = expand(place, word)?;
        if paths.is_empty() {
            let phrase = format!("{word} is not there");
            return Err(Diagnostic::new(Code::FileMissing, phrase)
                .help("--no-verify adds a resource that is not there"));
        }
        found.extend(paths);
    }
    Ok(found)
}
