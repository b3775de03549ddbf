//! Opens sealed files with the identities of the invoker.

use std::sync::OnceLock;

use super::redaction::RedactionKey;
use crate::diagnostic::Result;
use crate::files::File;
use crate::sops::{self, Identities};

/// Opens sealed files of values.
pub struct Opener {
    look: Box<dyn Fn() -> Identities + Send + Sync>,
    found: OnceLock<Identities>,
    redaction: Option<RedactionKey>,
}

impl Opener {
    /// Builds an opener that looks for identities when the first sealed file is met.
    pub fn new(look: impl Fn() -> Identities + Send + Sync + 'static) -> Self {
        Self {
            look: Box::new(look),
            found: OnceLock::new(),
            redaction: None,
        }
    }

    /// Sets the key for what is redacted besides sealed files; without one all of that reads the same.
    #[must_use]
    pub fn with_redaction(mut self, key: RedactionKey) -> Self {
        self.redaction = Some(key);
        self
    }

    /// The key for what is redacted besides sealed files.
    pub(crate) fn redaction(&self) -> Option<&RedactionKey> {
        self.redaction.as_ref()
    }

    /// The identities, looked for once.
    pub fn identities(&self) -> &Identities {
        self.found.get_or_init(|| (self.look)())
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
        let identities = self.identities();
        let opened = sops::decrypt(&sealed, identities, &sops::Options::plain(format))?;
        Ok(Some(crate::values::Opened {
            bytes: opened.bytes,
            secrets: opened.secrets,
        }))
    }
}
