//! The view in which a sealed file reads as its plaintext.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use secrecy::SecretString;

use crate::diagnostic::{Diagnostic, Origin, Place, Result, Source};
use crate::files::{File, Files, Kind, TreePath};
use crate::sops::{self, Identities};

type Once = Arc<OnceLock<Result<Arc<File>>>>;

/// Files over the ones below; a file with SOPS metadata reads as its plaintext, its MAC checked.
///
/// A file without the metadata costs one scan of its bytes. A sealed file is opened once, however often
/// the build asks for it.
pub struct Opened<'a> {
    below: &'a dyn Files,
    identities: &'a Identities,
    opened: Mutex<BTreeMap<TreePath, Once>>,
}

impl<'a> Opened<'a> {
    /// Builds the view.
    pub fn new(below: &'a dyn Files, identities: &'a Identities) -> Self {
        Self { below, identities, opened: Mutex::default() }
    }

    /// The plaintext values of every file that was opened so far.
    pub fn secrets(&self) -> Vec<SecretString> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let files = opened.values().filter_map(|once| once.get()?.as_ref().ok());
        files.flat_map(|file| file.source.secrets.iter().cloned()).collect()
    }

    fn once(&self, path: &TreePath) -> Once {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(opened.entry(path.clone()).or_default())
    }
}

/// Opens one sealed file.
fn open(file: &File, format: sops::Format, identities: &Identities) -> Result<Arc<File>> {
    let decrypted = sops::decrypt(&file.bytes, format, identities).map_err(|e| named(e, file))?;
    let source = Source { path: Arc::clone(&file.source.path), origin: Origin::Decrypted, secrets: decrypted.secrets.into() };
    Ok(Arc::new(File { path: file.path.clone(), bytes: decrypted.bytes.into(), source: Arc::new(source) }))
}

/// The SOPS room knows bytes, not names: its errors are about this file.
fn named(error: Diagnostic, file: &File) -> Diagnostic {
    match error.place().map(|p| (p.line, p.column)) {
        Some((line, column)) => error.at(file.source.place(line, column)),
        None => error.at(Place::file(Arc::clone(&file.source.path))),
    }
}

impl Files for Opened<'_> {
    fn read(&self, path: &TreePath) -> Result<Arc<File>> {
        let file = self.below.read(path)?;
        match sops::detect(&file.bytes, path.file_name()) {
            Some(format) => self.once(path).get_or_init(|| open(&file, format, self.identities)).clone(),
            None => Ok(file),
        }
    }

    fn kind(&self, path: &TreePath) -> Result<Option<Kind>> {
        self.below.kind(path)
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<String>> {
        self.below.list(directory)
    }

    fn real_path(&self, path: &TreePath) -> Result<TreePath> {
        self.below.real_path(path)
    }

    fn from_absolute(&self, path: &str) -> Option<TreePath> {
        self.below.from_absolute(path)
    }
}
