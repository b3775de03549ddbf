//! The files that templates ask for: included templates, and what functions read, each read once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::dialect::Translated;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::{Files, Kind, TreePath};

/// A template and what is known of it.
#[derive(Debug)]
pub(super) struct Text {
    /// Its path in messages.
    pub(super) path: Arc<str>,
    pub(super) source: String,
    pub(super) translated: Translated,
}

/// How many files the templates of one engine may ask for: a name may be computed.
const MAX_ASKED: usize = 10_000;

#[derive(Debug, Default)]
struct Contents {
    /// By the name that includes use; nothing where there is no such template.
    templates: BTreeMap<String, Option<Arc<Text>>>,
    /// By path; nothing where there is no such file.
    files: BTreeMap<TreePath, Option<Arc<[u8]>>>,
}

/// Files that were read for templates, each once.
#[derive(Debug, Default, Clone)]
pub(super) struct TemplateCache(Arc<Mutex<Contents>>);

impl TemplateCache {
    fn with<T>(&self, act: impl FnOnce(&mut Contents) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The template of a name: nothing when it was not looked for yet.
    pub(super) fn template(&self, name: &str) -> Option<Option<Arc<Text>>> {
        self.with(|c| c.templates.get(name).cloned())
    }

    /// Whether the template of a path reads a name that it does not set.
    pub(super) fn reads(&self, path: &str, name: &str) -> bool {
        self.with(|c| {
            let mut texts = c.templates.values().flatten();
            texts.any(|t| *t.path == *path && t.translated.reads.contains_key(name))
        })
    }

    /// Keeps a template. Fails with [`Code::TemplateLimit`] when there are too many.
    pub(super) fn put_template(&self, name: &str, text: Option<Arc<Text>>) -> Result<()> {
        self.with(|c| {
            c.templates.insert(name.to_owned(), text);
            within_limit(c.templates.len())
        })
    }

    /// The bytes of a file; nothing where there is no such file.
    pub(super) fn file(&self, files: &dyn Files, path: &TreePath) -> Result<Option<Arc<[u8]>>> {
        if let Some(known) = self.with(|c| c.files.get(path).cloned()) {
            return Ok(known);
        }
        let bytes = read(files, path)?;
        self.with(|c| {
            c.files.insert(path.clone(), bytes.clone());
            within_limit(c.files.len())
        })?;
        Ok(bytes)
    }
}

fn within_limit(count: usize) -> Result<()> {
    if count <= MAX_ASKED {
        return Ok(());
    }
    let phrase = format!("the templates ask for more than {MAX_ASKED} files");
    Err(Diagnostic::new(Code::TemplateLimit, phrase))
}

/// The bytes of a file; nothing where there is no such file.
pub(super) fn read(files: &dyn Files, path: &TreePath) -> Result<Option<Arc<[u8]>>> {
    match files.read(path) {
        Ok(file) => Ok(Some(Arc::clone(&file.bytes))),
        Err(error) if error.code() == Code::FileMissing => Ok(None),
        Err(error) => Err(error),
    }
}

/// The names in a directory; nothing where there is no such directory.
pub(super) fn list(files: &dyn Files, path: &TreePath) -> Result<Option<Vec<String>>> {
    match files.kind(path)? {
        Some(Kind::Directory) => files.list(path).map(Some),
        _ => Ok(None),
    }
}
