//! The files of a repository beside the creation rules that fit them: what `secrets status`, `scan`, `updatekeys`, `rotate`
//! and `check` look at.
//!
//! Hidden directories and what `.gitignore` leaves alone are left out. The rules of a file are those of the nearest
//! `.sops.yaml` above it that has any.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::ignored::Ignored;
use super::made::CONFIG;
use super::sealing::below;
use crate::diagnostic::{Code, Result};
use crate::files::{File, Files, Kind, TreePath};
use crate::sops::{Config, CreationRule, Format, Indents, SealedFile, detect};

/// Larger files are no manifests: what is in them is not looked at.
const MAX_BYTES: usize = 4 << 20;

/// A file, what it is, and the rule that fits it.
#[derive(Debug)]
pub struct Entry {
    /// The file.
    pub file: Arc<File>,
    /// In which format it is sealed; `None` for a plain file.
    pub sealed: Option<Format>,
    /// The rule that fits it; `Err` where the rule is wrong, `None` where none fits.
    pub rule: Option<Result<Arc<CreationRule>>>,
    /// Its path as the rule sees it: below the directory of its `.sops.yaml`.
    pub below: String,
    /// How its `.sops.yaml` has it written.
    pub indents: Indents,
}

impl Entry {
    /// The file, to be opened; `None` for a plain one.
    pub fn sealed_file(&self) -> Option<SealedFile<'_>> {
        self.sealed.map(|format| SealedFile {
            name: self.file.path.as_str(),
            bytes: &self.file.bytes,
            format,
        })
    }

    /// The rule, where it is right.
    pub fn rule(&self) -> Option<&CreationRule> {
        self.rule.as_ref()?.as_ref().ok().map(|rule| &**rule)
    }
}

/// Reads every file below a directory, or the files that are named, beside their rules.
///
/// Fails with what reading a directory fails with; a file that cannot be read is left out.
pub fn survey(files: &dyn Files, directory: &TreePath) -> Result<Vec<Entry>> {
    let mut configs = Configs {
        files,
        known: BTreeMap::new(),
    };
    let paths = match files.kind(directory)? {
        Some(Kind::File) => vec![directory.clone()],
        Some(Kind::Directory) => paths_below(files, directory)?,
        // What only a template makes is no file.
        None => Vec::new(),
    };
    let read: Vec<_> = paths
        .par_iter()
        .filter_map(|path| files.read(path).ok())
        .collect();
    let read = read
        .into_iter()
        .filter(|file| file.bytes.len() <= MAX_BYTES);
    Ok(read.map(|file| configs.entry(file)).collect())
}

fn paths_below(files: &dyn Files, directory: &TreePath) -> Result<Vec<TreePath>> {
    let mut above = Ignored::default();
    let mut parents = vec![directory.clone()];
    parents.extend(std::iter::successors(directory.parent(), TreePath::parent));
    for parent in parents.iter().skip(1).rev() {
        above = with_patterns_of(files, parent, above);
    }
    let (mut found, mut open) = (Vec::new(), vec![(directory.clone(), above)]);
    while let Some((directory, ignored)) = open.pop() {
        let ignored = with_patterns_of(files, &directory, ignored);
        for name in files.list(&directory)? {
            let Some(path) = directory.join(&name) else {
                continue;
            };
            match files.kind(&path) {
                Ok(Some(Kind::Directory))
                    if !name.starts_with('.')
                        && !ignored.has(&path, true)
                        && files.real_path(&path).is_ok_and(|real| real == path) =>
                {
                    open.push((path, ignored.clone()));
                }
                Ok(Some(Kind::File)) if !ignored.has(&path, false) => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

fn with_patterns_of(files: &dyn Files, directory: &TreePath, above: Ignored) -> Ignored {
    let path = directory.join(".gitignore");
    match path.and_then(|path| files.read(&path).ok()) {
        Some(file) => above.with(directory, &String::from_utf8_lossy(&file.bytes)),
        None => above,
    }
}

/// The configurations that were read, by their directory.
struct Configs<'a> {
    files: &'a dyn Files,
    known: BTreeMap<TreePath, Option<Result<Arc<Config>>>>,
}

impl Configs<'_> {
    fn entry(&mut self, file: Arc<File>) -> Entry {
        let sealed = detect(&file.bytes, file.path.file_name());
        let config = self.above(&file.path);
        let indents = match &config {
            Some((Ok(config), _)) => config.indents,
            _ => Indents::default(),
        };
        let at = config.as_ref().map_or("", |(_, at)| at.as_str());
        let below = below(Path::new(file.path.as_str()), Path::new(at));
        let rule = config.and_then(|(config, _)| {
            match config.and_then(|config| config.rule_for(&below)) {
                Err(error) if error.code() == Code::SopsNoRule => None,
                found => Some(found.map(Arc::new)),
            }
        });
        Entry {
            file,
            sealed,
            rule,
            below,
            indents,
        }
    }

    /// The nearest configuration with rules.
    fn above(&mut self, path: &TreePath) -> Option<(Result<Arc<Config>>, TreePath)> {
        let mut directories = std::iter::successors(path.parent(), TreePath::parent);
        directories.find_map(|directory| {
            let config = self.of(&directory)?;
            let counts = config.as_ref().is_ok_and(|config| config.has_rules()) || config.is_err();
            counts.then_some((config, directory))
        })
    }

    fn of(&mut self, directory: &TreePath) -> Option<Result<Arc<Config>>> {
        let files = self.files;
        let known = self.known.entry(directory.clone()).or_insert_with(|| {
            let path = directory.join(CONFIG)?;
            (files.kind(&path).ok()? == Some(Kind::File)).then(|| {
                let file = files.read(&path)?;
                Config::parse(&file.bytes, path.as_str()).map(Arc::new)
            })
        });
        known.clone()
    }
}
