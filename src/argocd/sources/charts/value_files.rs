//! Files of values: which ones a source means, and in which order.

use std::sync::Arc;

use indexmap::IndexMap;

use super::super::{SourceOrder, said};
use crate::argocd::application::Variables;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::{File, Files, Kind, TreePath};
use crate::go::filepath;

/// How many directories a pattern is looked for in.
const MAX_DIRECTORIES: usize = 10_000;

/// What value files are looked for with.
pub(super) struct Resolver<'a> {
    pub(super) order: &'a SourceOrder<'a>,
    pub(super) variables: &'a Variables,
    pub(super) ignores_missing: bool,
}

/// A path in a checkout. The same file of the same checkout is one.
struct Resolved {
    files: Arc<dyn Files>,
    /// The reference by which the checkout is known; empty for the source's own.
    checkout: String,
    path: TreePath,
}

impl Resolved {
    fn key(&self) -> String {
        format!("{}/{}", self.checkout, self.path.as_str())
    }

    fn is_pattern(&self) -> bool {
        self.path.as_str().contains(['*', '?', '['])
    }

    fn is_there(&self) -> bool {
        matches!(self.files.kind(&self.path), Ok(Some(_)))
    }
}

impl Resolver<'_> {
    /// The files, each once, at its first place; one that is named stays out of what patterns find.
    pub(super) fn all(&self, written: &[String]) -> Result<Vec<Arc<File>>> {
        let resolved = written.iter().map(|one| self.resolve(one));
        let resolved: Vec<Resolved> = resolved.collect::<Result<_>>()?;
        let named: Vec<String> = resolved
            .iter()
            .filter(|one| !one.is_pattern())
            .map(Resolved::key)
            .collect();
        let mut found: IndexMap<String, Arc<File>> = IndexMap::new();
        for (one, written) in resolved.iter().zip(written) {
            if one.is_pattern() {
                for path in self.expand(one, written)? {
                    let one = Resolved {
                        path,
                        checkout: one.checkout.clone(),
                        files: Arc::clone(&one.files),
                    };
                    if !named.contains(&one.key()) && !found.contains_key(&one.key()) {
                        found.insert(one.key(), one.files.read(&one.path)?);
                    }
                }
            } else if (one.is_there() || !self.ignores_missing) && !found.contains_key(&one.key()) {
                found.insert(one.key(), one.files.read(&one.path)?);
            }
        }
        Ok(found.into_values().collect())
    }

    /// The one file that a path names.
    pub(super) fn single(&self, written: &str) -> Result<Arc<File>> {
        let resolved = self.resolve(written)?;
        resolved.files.read(&resolved.path)
    }

    fn resolve(&self, written: &str) -> Result<Resolved> {
        let first = written.split('/').next().unwrap_or_default();
        let reference = self.order.references.get_key_value(first);
        let (files, checkout, from, path) = match reference.filter(|_| first.starts_with('$')) {
            Some((name, Some(files))) => {
                let rest = self.variables.fill(&written[first.len()..]);
                (Arc::clone(files), name.clone(), TreePath::root(), rest)
            }
            Some((name, None)) => {
                let phrase = format!("the repository of the source {name} is not at hand");
                let help = "say where it lies with --source-repo URL=DIRECTORY";
                return Err(Diagnostic::new(Code::FileMissing, phrase).help(help));
            }
            None => {
                let path = self.variables.fill(written);
                (
                    Arc::clone(self.order.files),
                    String::new(),
                    self.order.directory.clone(),
                    path,
                )
            }
        };
        refuse_address(&path)?;
        let from = if path.starts_with('/') {
            TreePath::root()
        } else {
            from
        };
        let joined = from
            .join(path.trim_start_matches('/'))
            .filter(|p| !p.as_str().is_empty());
        let outside = || {
            said(&format!(
                "error resolving helm value files: error resolving value file path: file '{path}' resolved to outside repository root"
            ))
        };
        Ok(Resolved {
            files,
            checkout,
            path: joined.ok_or_else(outside)?,
        })
    }

    /// The files that a pattern fits, in the order of their paths.
    fn expand(&self, pattern: &Resolved, written: &str) -> Result<Vec<TreePath>> {
        let parts: Vec<&str> = pattern.path.as_str().split('/').collect();
        let mut found = Vec::new();
        let mut budget = MAX_DIRECTORIES;
        walk(
            &pattern.files,
            &TreePath::root(),
            &parts,
            &mut found,
            &mut budget,
        )?;
        found.sort();
        found.dedup();
        match found.is_empty() && !self.ignores_missing {
            true => Err(said(&format!(
                "error resolving helm value files: values file glob {written:?} matched no files"
            ))),
            false => Ok(found),
        }
    }
}

/// An address of the network is not fetched, and no other scheme is known.
fn refuse_address(path: &str) -> Result<()> {
    let Some((scheme, _)) = path.split_once(':') else {
        return Ok(());
    };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    match scheme {
        _ if !is_scheme => Ok(()),
        "http" | "https" => {
            let phrase = format!("values are not fetched from {path}");
            Err(Diagnostic::new(Code::NotEnabled, phrase))
        }
        other => Err(said(&format!(
            "error resolving helm value files: error resolving value file path: the URL scheme '{other}' is not allowed"
        ))),
    }
}

/// Matches part by part; `**` is any number of directories.
fn walk(
    files: &dyn Files,
    at: &TreePath,
    parts: &[&str],
    found: &mut Vec<TreePath>,
    budget: &mut usize,
) -> Result<()> {
    let Some((part, rest)) = parts.split_first() else {
        return Ok(());
    };
    if files.kind(at)? != Some(Kind::Directory) || *budget == 0 {
        return Ok(());
    }
    *budget -= 1;
    if *part == "**" {
        walk(files, at, rest, found, budget)?;
    }
    for name in files.list(at)? {
        let path = super::super::paths::below(at, &name);
        if *part == "**" {
            if files.kind(&path)? == Some(Kind::Directory) {
                walk(files, &path, parts, found, budget)?;
            } else if rest.is_empty() {
                found.push(path);
            }
        } else if filepath::matches(part, &name).is_ok_and(|fits| fits) {
            match rest.is_empty() {
                true => found.push(path),
                false => walk(files, &path, rest, found, budget)?,
            }
        }
    }
    Ok(())
}
