//! One copy: a file, a directory, or what a pattern takes, to a place in the artifact.
//!
//! A match of a pattern keeps its whole path below the destination, but where the pattern is `DIR/**`, which strips
//! DIR. `**` is one star unless archives are extracted. A directory that is named is copied itself included.

use std::io::Read as _;

use super::{Copy, SourceFiles, Staging, wrong};
use crate::diagnostic::Result;
use crate::files::{Files, Kind, TreePath};
use crate::flux::contents::MAX_BYTES;
use crate::go::filepath;
use crate::go::glob::{self, Dialect};
use crate::yaml::{sigs, to_go_yaml};

/// The most that one archive may unpack to: Flux's own default.
const MAX_UNPACKED_BYTES: u64 = 100 << 20;

/// Carries out a copy.
pub(super) fn apply(copy: &Copy, sources: &SourceFiles<'_>, staging: &mut Staging) -> Result<()> {
    let from = copy
        .from
        .strip_prefix('@')
        .and_then(|from| from.split_once('/'));
    let (alias, path) = from.ok_or_else(|| wrong("`from` is written as @ALIAS/PATH"))?;
    let to = copy
        .to
        .strip_prefix("@artifact/")
        .ok_or_else(|| wrong("`to` begins with @artifact/"))?;
    let files = *sources
        .get(alias)
        .ok_or_else(|| wrong(format!("there is no source {alias:?}")))?;
    for pattern in &copy.exclude {
        glob::compile(pattern, Dialect::Doublestar)
            .map_err(|_| wrong(format!("{pattern:?} is not a pattern")))?;
    }
    let job = Job {
        copy,
        files,
        destination: cleaned(to)?,
        into_directory: copy.to.ends_with('/'),
    };
    match path.contains(['*', '?', '[', ']']) {
        true => job.matches(path, staging),
        false => job.single(path, staging),
    }
}

/// A path without `.` and `..`. Fails where it leads out.
fn cleaned(path: &str) -> Result<String> {
    let mut parts: Vec<&str> = Vec::new();
    let outside = || wrong(format!("{path:?} leads out of the directory"));
    if path.starts_with('/') {
        return Err(outside());
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or_else(outside)?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

fn joined(directory: &str, name: &str) -> String {
    match (directory, name) {
        ("", name) => name.to_owned(),
        (directory, "") => directory.to_owned(),
        (directory, name) => format!("{directory}/{name}"),
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn is_archive(path: &str) -> bool {
    let lower = path.to_lowercase();
    lower.ends_with(".tar.gz") || lower.ends_with(".tgz")
}

struct Job<'a> {
    copy: &'a Copy,
    files: &'a dyn Files,
    destination: String,
    into_directory: bool,
}

impl Job<'_> {
    fn extracts(&self) -> bool {
        self.copy.strategy == "Extract"
    }

    fn kind(&self, path: &str) -> Result<Option<Kind>> {
        let path = TreePath::parse(path).ok_or_else(|| wrong(format!("{path:?} is not a path")))?;
        self.files.kind(&path)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>> {
        let path = TreePath::parse(path).ok_or_else(|| wrong(format!("{path:?} is not a path")))?;
        Ok(self.files.read(&path)?.bytes.to_vec())
    }

    fn list(&self, directory: &str) -> Result<Vec<String>> {
        let path = TreePath::parse(directory)
            .ok_or_else(|| wrong(format!("{directory:?} is not a path")))?;
        self.files.list(&path)
    }

    /// A path without a pattern.
    fn single(&self, path: &str, staging: &mut Staging) -> Result<()> {
        let path = cleaned(path)?;
        match self.kind(&path)? {
            None => Err(wrong(format!("there is no {path:?} in the source"))),
            Some(Kind::Directory) if self.extracts() => {
                Err(wrong(format!("{path:?} is a directory and not an archive")))
            }
            Some(Kind::Directory) => {
                let to = joined(&self.destination, base(&path));
                self.directory(&path, &to, &path, staging)
            }
            Some(Kind::File) => self.file(&path, staging),
        }
    }

    fn file(&self, path: &str, staging: &mut Staging) -> Result<()> {
        if self.is_excluded(path, "") {
            return Ok(());
        }
        if self.extracts() {
            if !is_archive(path) {
                return Err(wrong(format!("{path:?} is not an archive (.tar.gz, .tgz)")));
            }
            return self.extract(path, staging);
        }
        let to = match self.into_directory || staging.is_directory(&self.destination) {
            true => joined(&self.destination, base(path)),
            false => self.destination.clone(),
        };
        self.write(path, &to, staging)
    }

    /// What a pattern takes.
    fn matches(&self, pattern: &str, staging: &mut Staging) -> Result<()> {
        let found = match self.extracts() {
            true => self.by_doublestar(pattern)?,
            false => self.by_components(pattern)?,
        };
        if found.is_empty() {
            return Err(wrong(format!("nothing in the source fits {pattern:?}")));
        }
        let root = selection_root(pattern);
        let kept: Vec<&String> = (found.iter())
            .filter(|path| !path.is_empty() && !self.is_excluded(path, &root))
            .collect();
        if kept.is_empty() {
            return Err(wrong(format!(
                "everything that fits {pattern:?} is excluded"
            )));
        }
        for path in kept {
            if self.extracts() {
                if is_archive(path) {
                    self.extract(path, staging)?;
                }
                continue;
            }
            let below = pattern
                .strip_suffix("/**")
                .and_then(|prefix| path.strip_prefix(prefix)?.strip_prefix('/'));
            let to = joined(&self.destination, below.unwrap_or(path));
            match self.kind(path)? {
                Some(Kind::Directory) => self.directory(path, &to, &root, staging)?,
                _ => self.write(path, &to, staging)?,
            }
        }
        Ok(())
    }

    /// `fs.Glob`: component by component, with the patterns of `path.Match`.
    fn by_components(&self, pattern: &str) -> Result<Vec<String>> {
        let bad = || wrong(format!("{pattern:?} is not a pattern"));
        let mut open = vec![String::new()];
        if pattern
            .split('/')
            .any(|part| part.is_empty() || part == "..")
        {
            return Ok(Vec::new());
        }
        for part in pattern.split('/') {
            filepath::matches(part, "").map_err(|_| bad())?;
            let mut next = Vec::new();
            for directory in &open {
                if self.kind(directory)? != Some(Kind::Directory) {
                    continue;
                }
                for name in self.list(directory)? {
                    if filepath::matches(part, &name).map_err(|_| bad())? {
                        next.push(joined(directory, &name));
                    }
                }
            }
            open = next;
        }
        Ok(open)
    }

    fn by_doublestar(&self, pattern: &str) -> Result<Vec<String>> {
        let regex = glob::compile(pattern, Dialect::Doublestar)
            .map_err(|_| wrong(format!("{pattern:?} is not a pattern")))?;
        let mut found = Vec::new();
        self.walk("", &mut |path| {
            if regex.is_match(path) {
                found.push(path.to_owned());
            }
            Ok(true)
        })?;
        Ok(found)
    }

    /// Visits everything below a directory in the order of names; `false` keeps out of a directory.
    fn walk(&self, directory: &str, visit: &mut dyn FnMut(&str) -> Result<bool>) -> Result<()> {
        let mut open: Vec<String> = self.names(directory)?;
        while let Some(path) = open.pop() {
            if visit(&path)? && self.kind(&path)? == Some(Kind::Directory) {
                open.extend(self.names(&path)?);
            }
        }
        Ok(())
    }

    /// The paths in a directory, the last one first.
    fn names(&self, directory: &str) -> Result<Vec<String>> {
        let names = self.list(directory)?;
        Ok(names
            .iter()
            .rev()
            .map(|name| joined(directory, name))
            .collect())
    }

    fn directory(&self, from: &str, to: &str, root: &str, staging: &mut Staging) -> Result<()> {
        if !to.is_empty() {
            staging.make_directory(to)?;
        }
        let mut found = Vec::new();
        self.walk(from, &mut |path| {
            let is_excluded = self.is_excluded(path, root);
            if !is_excluded {
                found.push(path.to_owned());
            }
            Ok(!is_excluded)
        })?;
        for path in found {
            let below = match from {
                "" => path.as_str(),
                from => path[from.len()..].trim_start_matches('/'),
            };
            let target = joined(to, below);
            match self.kind(&path)? {
                Some(Kind::Directory) => staging.make_directory(&target)?,
                _ => staging.write(&target, self.read(&path)?)?,
            }
        }
        Ok(())
    }

    fn write(&self, from: &str, to: &str, staging: &mut Staging) -> Result<()> {
        let bytes = self.read(from)?;
        let known = staging.file(to).filter(|_| self.copy.strategy == "Merge");
        let bytes = match known {
            Some(known) => merged(known, &bytes)?,
            None => bytes,
        };
        staging.write(to, bytes)
    }

    fn is_excluded(&self, path: &str, root: &str) -> bool {
        let excludes = |path: &str| {
            self.copy.exclude.iter().any(|pattern| {
                let fits = |text: &str| glob::matches(pattern, text, Dialect::Doublestar);
                fits(path) || (!pattern.contains('/') && fits(base(path)))
            })
        };
        let below = path
            .strip_prefix(root)
            .and_then(|rest| rest.strip_prefix('/'));
        excludes(path) || (!root.is_empty() && below.is_some_and(excludes))
    }

    fn extract(&self, path: &str, staging: &mut Staging) -> Result<()> {
        let bytes = self.read(path)?;
        let broken = || wrong(format!("{path:?} is not an archive that can be read"));
        let unpacked = flate2::read::GzDecoder::new(bytes.as_slice());
        let mut archive = tar::Archive::new(unpacked.take(MAX_UNPACKED_BYTES));
        if !self.destination.is_empty() {
            staging.make_directory(&self.destination)?;
        }
        for entry in archive.entries().map_err(|_| broken())? {
            let mut entry = entry.map_err(|_| broken())?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let target = joined(&self.destination, &cleaned(&name)?);
            let kind = entry.header().entry_type();
            if kind.is_dir() {
                if !target.is_empty() {
                    staging.make_directory(&target)?;
                }
            } else if kind.is_file() {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(|_| broken())?;
                staging.write(&target, bytes)?;
            } else if !kind.is_pax_global_extensions() {
                return Err(wrong(format!(
                    "{path:?} holds {name:?}, which is neither a file nor a directory"
                )));
            }
        }
        Ok(())
    }
}

/// The directories that a pattern names before its first sign.
fn selection_root(pattern: &str) -> String {
    let parts: Vec<&str> = pattern
        .split('/')
        .take_while(|part| !part.contains(['*', '?', '[', ']']))
        .collect();
    parts.join("/")
}

/// Merges YAML over YAML: mappings merge, all else is replaced; keys come out sorted, comments are lost.
fn merged(base: &[u8], over: &[u8]) -> Result<Vec<u8>> {
    let mut merged = document(base)?;
    merge(&mut merged, document(over)?, 0);
    let text = to_go_yaml(&serde_json::Value::Object(merged));
    match text.len() > MAX_BYTES {
        true => Err(wrong("the merged file is too large")),
        false => Ok(text.into_bytes()),
    }
}

type Fields = serde_json::Map<String, serde_json::Value>;

fn document(bytes: &[u8]) -> Result<Fields> {
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("what is merged is not UTF-8"))?;
    let documents = sigs::documents(text)
        .map_err(|error| wrong(format!("what is merged is not YAML: {}", error.0)))?;
    let mut all = Fields::new();
    for document in documents {
        match document {
            serde_json::Value::Null => {}
            serde_json::Value::Object(fields) => merge(&mut all, fields, 0),
            _ => return Err(wrong("what is merged is not a mapping")),
        }
    }
    Ok(all)
}

fn merge(into: &mut Fields, over: Fields, depth: u32) {
    for (key, value) in over {
        match (into.get_mut(&key), value) {
            (Some(serde_json::Value::Object(known)), serde_json::Value::Object(inner))
                if depth < 200 =>
            {
                merge(known, inner, depth + 1);
            }
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}
