//! Opens sealed files with the identities of the invoker, as they are or as another world has them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::look::is_secret;
use super::mask::Mask;
use super::redaction::RedactionKey;
use crate::diagnostic::Result;
use crate::files::File;
use crate::sops::{self, Identities, OtherValues};

/// Opens sealed files of values.
pub struct Opener {
    keys: Arc<Keys>,
    redaction: Option<Arc<RedactionKey>>,
    reading: Reading,
    /// What was opened.
    met: Mutex<BTreeSet<SealedValue>>,
    /// The plaintexts of that.
    texts: Mutex<Vec<SecretString>>,
    /// The keys of their files, for redaction.
    keys_of_files: Mutex<Vec<Zeroizing<[u8; 32]>>>,
}

/// The identities, looked for once.
struct Keys {
    look: Box<dyn Fn() -> Identities + Send + Sync>,
    found: OnceLock<Identities>,
}

/// A sealed value: its file, and its path in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SealedValue {
    pub(super) file: String,
    pub(super) path: String,
}

/// How sealed values read.
enum Reading {
    /// As they are.
    Real,
    /// Those that are meant as other ones of the same shape.
    Other(OtherValues, Arc<Meant>),
}

/// Which sealed values read otherwise: a question with file, path and text.
pub(super) type Meant = dyn Fn(&str, &str, &str) -> bool + Send + Sync;

impl Opener {
    /// Builds an opener that looks for identities when the first sealed file is met.
    pub fn new(look: impl Fn() -> Identities + Send + Sync + 'static) -> Self {
        let keys = Keys {
            look: Box::new(look),
            found: OnceLock::new(),
        };
        Self {
            keys: Arc::new(keys),
            redaction: None,
            reading: Reading::Real,
            met: Mutex::default(),
            texts: Mutex::default(),
            keys_of_files: Mutex::default(),
        }
    }

    /// The same identities, and in each of two other worlds other values: all, or those that are secret by name or
    /// look.
    pub(crate) fn in_other_worlds(&self, secret_only: Option<Vec<String>>) -> [Arc<Self>; 2] {
        let meant: Arc<Meant> = match secret_only {
            None => Arc::new(|_: &str, _: &str, _: &str| true),
            Some(sensitive) => {
                Arc::new(move |_: &str, path: &str, text: &str| is_secret(path, text, &sensitive))
            }
        };
        [OtherValues::First, OtherValues::Second]
            .map(|world| Arc::new(self.in_world(world, Arc::clone(&meant))))
    }

    /// Whether a sealed value was opened.
    pub(crate) fn has_opened(&self) -> bool {
        !self.met().is_empty()
    }

    /// The same identities, and other values of the same shape.
    pub(super) fn in_world(&self, world: OtherValues, meant: Arc<Meant>) -> Self {
        Self {
            keys: Arc::clone(&self.keys),
            redaction: self.redaction.clone(),
            reading: Reading::Other(world, meant),
            met: Mutex::default(),
            texts: Mutex::default(),
            keys_of_files: Mutex::default(),
        }
    }

    /// Sets the key for what is redacted.
    #[must_use]
    pub fn with_redaction(mut self, key: RedactionKey) -> Self {
        self.redaction = Some(Arc::new(key));
        self
    }

    /// The key of tokens: one of the invoker, else one that only who can open the same files has, else one of this
    /// run; without any all tokens are the same text.
    pub(crate) fn token_key(&self) -> Arc<RedactionKey> {
        let given = self.redaction.clone();
        if let Some(key) = given.as_ref().filter(|key| key.is_lasting()) {
            return Arc::clone(key);
        }
        let keys = self.keys_of_files.lock();
        let keys = keys.unwrap_or_else(PoisonError::into_inner);
        if keys.is_empty() {
            return given.unwrap_or_else(|| Arc::new(RedactionKey::constant()));
        }
        // In an order that does not depend on which file was opened first.
        let mut keys: Vec<&[u8; 32]> = keys.iter().map(|key| &**key).collect();
        keys.sort_unstable();
        keys.dedup();
        let all: Zeroizing<Vec<u8>> = Zeroizing::new(keys.into_iter().flatten().copied().collect());
        Arc::new(RedactionKey::lasting(&all))
    }

    /// The identities, looked for once.
    pub fn identities(&self) -> &Identities {
        self.keys.found.get_or_init(|| (self.keys.look)())
    }

    /// The sealed values that were opened so far.
    pub(super) fn met(&self) -> BTreeSet<SealedValue> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        met.clone()
    }

    /// What no text may repeat of what was opened so far.
    pub(crate) fn mask(&self) -> Mask {
        let texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        Mask::new(texts.iter())
    }

    /// Opens a file when it is sealed.
    pub fn open(&self, file: &File) -> Result<Option<crate::values::Opened>> {
        let Some(format) = sops::detect(&file.bytes, file.path.file_name()) else {
            return Ok(None);
        };
        let sealed = sops::SealedFile {
            name: file.path.as_str(),
            bytes: &file.bytes,
            format,
        };
        let opened = self.decrypt(&sealed, format)?;
        Ok(Some(crate::values::Opened {
            bytes: opened.bytes,
            secrets: opened.secrets,
        }))
    }

    /// Opens sealed bytes.
    pub(super) fn decrypt(
        &self,
        sealed: &sops::SealedFile<'_>,
        output: sops::Format,
    ) -> Result<sops::Decrypted> {
        let is_meant = |path: &str, text: &str| match &self.reading {
            Reading::Real => false,
            Reading::Other(_, meant) => meant(sealed.name, path, text),
        };
        let values = match &self.reading {
            Reading::Real => sops::Values::Plain,
            Reading::Other(world, _) => sops::Values::Other(*world, &is_meant),
        };
        let options = sops::Options {
            values,
            ..sops::Options::plain(output)
        };
        let opened = sops::decrypt(sealed, self.identities(), &options)?;
        let met = opened.sealed.iter().map(|path| SealedValue {
            file: sealed.name.to_owned(),
            path: path.clone(),
        });
        let mut all = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(met);
        drop(all);
        let mut keys = self.keys_of_files.lock();
        if let Ok(keys) = &mut keys {
            keys.push(Zeroizing::new(*opened.redaction_key.expose_secret()));
        }
        drop(keys);
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.extend(opened.secrets.iter().cloned());
        Ok(opened)
    }
}
