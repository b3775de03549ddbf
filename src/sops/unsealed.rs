//! A sealed file that is open for a change: values set, removed or edited, the data key made anew.
//!
//! Follows `set`, `unset`, `edit` and `rotate` of sops 3.13 (cmd/sops): the document is opened whole, changed, and
//! sealed again. On purpose what did not change keeps its ciphertext, so that a diff shows what did; metadata that
//! were read keep their order, and keys of services stay as they are.

use secrecy::{ExposeSecretMut, SecretBox};
use zeroize::Zeroizing;

use super::cipher::{Cipher, DataKey};
use super::document::{Branches, Item, Key, Value};
use super::keys::{Identities, MasterKey};
use super::metadata::{self, Group, Metadata};
use super::open::{self, MacCheck, SealedFile, Values};
use super::path::KeyPath;
use super::seal::{self, Chosen, Ciphertexts, Sealer};
use super::stores::{self, Indents};
use super::wrap::rewrap;
use super::{Format, RuleOverride};
use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// Whether what did not change keeps its ciphertext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ciphertext {
    /// It does.
    #[default]
    Kept,
    /// Everything is sealed anew, as sops does.
    Fresh,
}

/// A sealed file, opened and checked.
pub struct Unsealed {
    name: String,
    format: Format,
    branches: Branches,
    metadata: Metadata,
    cipher: Cipher,
    kept: Ciphertexts,
}

impl std::fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unsealed")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A value to be set; wiped where it ends.
pub struct NewValue(Value);

impl std::fmt::Debug for NewValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewValue").finish_non_exhaustive()
    }
}

impl NewValue {
    /// Reads JSON, as `sops set` takes it: a number by itself is a float, and a list by itself is refused.
    ///
    /// Fails with [`Code::Usage`], which tells nothing of the value.
    pub fn parse(json: &[u8]) -> Result<Self> {
        let wrong = || {
            Diagnostic::new(Code::Usage, "the value is not valid JSON")
                .help("a string has quotes: '\"text\"'; a list can be set item by item")
        };
        stores::read_json_value(json).map(Self).ok_or_else(wrong)
    }
}

impl Unsealed {
    /// Opens a file. Fails as [`decrypt`](super::decrypt) does.
    pub fn open(
        file: &SealedFile<'_>,
        identities: &Identities,
        check: MacCheck,
        ciphertext: Ciphertext,
    ) -> Result<Self> {
        let opened = open::open(file, identities, check, Values::Plain)?;
        let kept = match ciphertext {
            Ciphertext::Kept => seal::ciphertexts(file, &opened.cipher)?,
            Ciphertext::Fresh => Ciphertexts::default(),
        };
        Ok(Self {
            name: file.name.to_owned(),
            format: file.format,
            branches: opened.branches,
            metadata: opened.metadata,
            cipher: opened.cipher,
            kept,
        })
    }

    /// Sets a value in the first document; returns whether anything changed.
    ///
    /// Fails with [`Code::SopsExtract`] where the path leads into what holds nothing, and with
    /// [`Code::SopsSealed`] for a key that is kept for metadata.
    pub fn set(&mut self, path: &KeyPath, value: NewValue) -> Result<bool> {
        let changed = path.set(self.first(), value.0)?;
        if stores::has_metadata(&self.branches, self.format) {
            let phrase = "the key `sops` is kept for metadata";
            return Err(Diagnostic::new(Code::SopsSealed, phrase).at(self.place()));
        }
        Ok(changed)
    }

    /// Removes a value of the first document; returns whether it was there.
    pub fn unset(&mut self, path: &KeyPath) -> Result<bool> {
        path.unset(self.first())
    }

    fn first(&mut self) -> &mut super::document::Branch {
        if self.branches.is_empty() {
            self.branches.push(Vec::new());
        }
        &mut self.branches[0]
    }

    fn place(&self) -> Place {
        Place::file(self.name.as_str())
    }

    /// The plain document, to be edited.
    pub fn to_plain(&self, format: Format, indents: &Indents) -> Result<Zeroizing<Vec<u8>>> {
        let text = stores::write_plain(&self.branches, format, indents);
        text.map(Zeroizing::new).map_err(|error| {
            Diagnostic::new(Code::SopsOutput, error.phrase.clone()).at(self.place())
        })
    }

    /// Puts an edited document in the place of the one that was opened.
    ///
    /// Fails with what is wrong with its form; its own is untouched then.
    pub fn take_plain(&mut self, bytes: &[u8], format: Format) -> Result<()> {
        self.branches = seal::read_plain(&self.name, bytes, format, self.format)?;
        Ok(())
    }

    /// The entries as variables of a process, in their order.
    ///
    /// Fails with [`Code::SopsOutput`] for a value that is a list or mapping, and a name with `=` in it.
    pub fn to_variables(&self) -> Result<Vec<(String, Zeroizing<Vec<u8>>)>> {
        let wrong = |phrase: String| Diagnostic::new(Code::SopsOutput, phrase).at(self.place());
        let mut variables = Vec::new();
        for item in self.branches.first().into_iter().flatten() {
            let Item::Entry(entry) = item else { continue };
            let name = entry.key.as_str();
            if name.contains('=') || entry.key == Key::Other {
                return Err(wrong(format!("no variable can be called `{name}`")));
            }
            let text = stores::to_variable(&entry.value).ok_or_else(|| {
                wrong(format!(
                    "`{name}` is not a single value, and a variable holds nothing else"
                ))
            })?;
            variables.push((name.to_owned(), text));
        }
        Ok(variables)
    }

    /// Seals the file for further keys in its first group, and no longer for others; the data key is new.
    ///
    /// Fails with [`Code::SopsRecipient`] where a key of a service would have to be wrapped for, or where no key is
    /// left.
    pub fn rotate(
        &mut self,
        add: &RuleOverride,
        remove: &RuleOverride,
        sealer: &mut Sealer<'_>,
    ) -> Result<()> {
        let named = |given: &RuleOverride| {
            MasterKey::of_flags(given.age.as_deref(), &given.services)
                .map(Option::unwrap_or_default)
                .map_err(|phrase| Diagnostic::new(Code::SopsRecipient, phrase))
        };
        let (add, remove) = (named(add)?, named(remove)?);
        let mut groups = keys_of(&self.metadata.groups)?;
        if let Some(first) = groups.first_mut() {
            for key in add {
                if !first.iter().any(|known| known.name() == key.name()) {
                    first.push(key);
                }
            }
        }
        for group in &mut groups {
            group.retain(|key| !remove.iter().any(|gone| gone.name() == key.name()));
        }
        if groups.iter().any(Vec::is_empty) {
            let phrase = "no key would be left that opens a key group of the file";
            return Err(Diagnostic::new(Code::SopsRecipient, phrase).at(self.place()));
        }
        let mut key: DataKey = SecretBox::new(Box::new([0; 32]));
        (sealer.random)(key.expose_secret_mut());
        let threshold = self.metadata.split_threshold(groups.len());
        let wrapped = rewrap(&key, &groups, threshold, (&[], 0), sealer)
            .map_err(|error| error.or_at(self.place()))?;
        metadata::set_keys(&mut self.metadata.raw, &wrapped, threshold);
        self.metadata.groups = wrapped;
        self.cipher = Cipher::new(key);
        self.kept = Ciphertexts::default();
        Ok(())
    }

    /// Seals the document again, at the sealer's moment.
    pub fn seal(
        mut self,
        output: Format,
        indents: &Indents,
        sealer: &mut Sealer<'_>,
    ) -> Result<Vec<u8>> {
        let chosen = Chosen::of(&self.metadata);
        let mac = seal::seal_values(
            &self.name,
            &mut self.branches,
            &self.cipher,
            &chosen,
            self.kept,
            sealer,
        )?;
        let mac = seal::seal_mac(&self.cipher, &mac, sealer);
        let mut raw = self.metadata.raw;
        metadata::set(&mut raw, "lastmodified", Value::text(sealer.now.as_str()));
        metadata::set(&mut raw, "mac", Value::text(mac));
        seal::write(&self.name, self.branches, raw, (output, indents))
    }
}

/// The keys of the groups of a file, to be wrapped for. Fails for a recipient that is none.
pub(super) fn keys_of(groups: &[Group]) -> Result<Vec<Vec<MasterKey>>> {
    let of_group = |group: &Group| {
        let age = group.age.iter().map(|key| {
            super::keys::Recipient::parse(&key.recipient)
                .map(MasterKey::Age)
                .map_err(|phrase| {
                    let shown = super::keys::shorten(&key.recipient);
                    Diagnostic::new(Code::SopsRecipient, format!("`{shown}` {phrase}"))
                })
        });
        let others = group
            .others
            .iter()
            .map(|other| Ok(MasterKey::Service(other.key.clone())));
        age.chain(others).collect::<Result<Vec<_>>>()
    };
    groups.iter().map(of_group).collect()
}
