//! The files that templates ask for: included templates, and what functions read.
//!
//! MiniJinja asks for an included template in the middle of a render, where the tree of files cannot be
//! borrowed. So the render fails with a [`Wanted`], the engine puts the file on the shelf, and renders
//! again. Templates that are included by a constant name are put there before.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::{Error, ErrorKind};

use super::dialect::Translated;

/// A template and what is known of it.
#[derive(Debug)]
pub(super) struct Text {
    /// Its path in messages.
    pub(super) path: Arc<str>,
    pub(super) source: String,
    pub(super) translated: Translated,
}

/// What a render asked for and the shelf did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    Template(String),
    File(String),
    List(String),
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file has to be read first")
    }
}

impl std::error::Error for Wanted {}

impl From<Wanted> for Error {
    fn from(wanted: Wanted) -> Self {
        Self::new(ErrorKind::InvalidOperation, "a file has to be read first").with_source(wanted)
    }
}

#[derive(Debug, Default)]
struct Contents {
    /// By the name that includes use; nothing where there is no such template.
    templates: BTreeMap<String, Option<Arc<Text>>>,
    /// By path; nothing where there is no such file.
    files: BTreeMap<String, Option<Arc<[u8]>>>,
    /// The names in a directory by its path; nothing where there is no such directory.
    lists: BTreeMap<String, Option<Vec<String>>>,
}

/// Files that were read for templates, each once.
#[derive(Debug, Default, Clone)]
pub(super) struct Shelf(Arc<Mutex<Contents>>);

impl Shelf {
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

    pub(super) fn put_template(&self, name: &str, text: Option<Arc<Text>>) {
        self.with(|c| c.templates.insert(name.to_owned(), text));
    }

    /// The bytes of a file, or the error that makes the engine read it.
    pub(super) fn file(&self, path: &str) -> Result<Option<Arc<[u8]>>, Error> {
        self.with(|c| c.files.get(path).cloned())
            .ok_or_else(|| Wanted::File(path.to_owned()).into())
    }

    pub(super) fn put_file(&self, path: &str, bytes: Option<Arc<[u8]>>) {
        self.with(|c| c.files.insert(path.to_owned(), bytes));
    }

    /// The names in a directory, or the error that makes the engine list it.
    pub(super) fn list(&self, path: &str) -> Result<Option<Vec<String>>, Error> {
        self.with(|c| c.lists.get(path).cloned())
            .ok_or_else(|| Wanted::List(path.to_owned()).into())
    }

    pub(super) fn put_list(&self, path: &str, names: Option<Vec<String>>) {
        self.with(|c| c.lists.insert(path.to_owned(), names));
    }
}
