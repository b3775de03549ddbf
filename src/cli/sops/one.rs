//! The sealed file that a command works on.

use std::path::{Path, PathBuf};

use super::super::decrypt::{configuration, indents};
use super::super::encrypt::{now, randomness};
use super::super::identities::{self, KeyCommands};
use super::Call;
use crate::diagnostic::Result;
use crate::files::{Audience, Lock};
use crate::secrets::sealing::{
    Ciphertext, Format, Identities, Indents, MacCheck, SealedFile, SealedKeys, Sealer, Unsealed,
};

/// A sealed file, its formats and how it is written; locked as long as this lasts.
pub(super) struct LockedFile<'a> {
    call: &'a Call<'a>,
    /// Its path.
    pub(super) path: PathBuf,
    name: String,
    bytes: Vec<u8>,
    format: Format,
    /// The format in which it is written.
    pub(super) output: Format,
    /// How it is written.
    pub(super) indents: Indents,
    _lock: Lock,
}

impl<'a> LockedFile<'a> {
    /// Locks and reads a file. Fails with what reading it, or `.sops.yaml`, fails with.
    pub(super) fn read(call: &'a Call<'a>, path: &Path) -> Result<Self> {
        let lock = call.context.trusted.lock(path)?;
        let config = configuration(call.context, call.config().as_deref())?;
        let named = call
            .path("filename-override")
            .unwrap_or_else(|| path.to_owned());
        let by_name = Format::of_path(&named.to_string_lossy());
        Ok(Self {
            call,
            name: path.display().to_string(),
            bytes: call.context.trusted.read(path)?,
            path: path.to_owned(),
            format: call.format("input-type").unwrap_or(by_name),
            output: call.format("output-type").unwrap_or(by_name),
            indents: indents(config.as_ref(), call.indent()?),
            _lock: lock,
        })
    }

    fn sealed(&self) -> SealedFile<'_> {
        SealedFile {
            name: &self.name,
            bytes: &self.bytes,
            format: self.format,
        }
    }

    /// The format that it is in.
    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// Opens it, by the flags of the command.
    pub(super) fn open(&self) -> Result<Unsealed> {
        let check = match self.call.given.is("ignore-mac") {
            true => MacCheck::Ignore,
            false => MacCheck::Verify,
        };
        let ciphertext = match self.call.given.is("fresh") {
            true => Ciphertext::Fresh,
            false => Ciphertext::Kept,
        };
        Unsealed::open(&self.sealed(), &self.identities(), check, ciphertext)
    }

    /// Its keys.
    pub(super) fn keys(&self) -> Result<SealedKeys> {
        SealedKeys::load(&self.sealed())
    }

    /// The identities of the user.
    pub(super) fn identities(&self) -> Identities {
        identities::of_the_user(self.call.context, KeyCommands::Run)
    }

    /// Writes a file in its place.
    pub(super) fn replace(&self, bytes: &[u8]) -> Result<()> {
        self.call
            .context
            .trusted
            .replace(&self.path, bytes, Audience::All)
    }
}

/// Calls with a sealer of this moment.
pub(super) fn sealing<R>(then: impl FnOnce(&mut Sealer<'_>) -> R) -> R {
    then(&mut Sealer {
        now: now(),
        random: &mut randomness,
    })
}
