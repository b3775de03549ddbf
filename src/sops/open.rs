//! Opens a sealed document: data key, values, MAC, and only then the plain bytes.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac as _};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Format;
use super::cipher::{Cipher, CipherError, DataKey, Sealed as SealedValue};
use super::document::{Branches, Comment, Side, Text, Value};
use super::keys::{Identities, unwrap_data_key};
use super::mac::{self, Mac};
use super::metadata::Metadata;
use super::other::OtherValues;
use super::path::KeyPath;
use super::scalar::{Kind, to_bytes};
use super::stores::{self, Indents};
use super::walk::{ListedComment, Position, Visitor, walk};
use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// The largest file that is opened, which bounds time and memory for a hostile one.
pub const MAX_SEALED_BYTES: usize = 64 << 20;

/// A sealed file as it was read.
#[derive(Debug, Clone, Copy)]
pub struct SealedFile<'a> {
    /// Its path, for messages.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The format it was sealed in.
    pub format: Format,
}

/// Whether the MAC decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MacCheck {
    /// Nothing is given unless the MAC is right.
    #[default]
    Verify,
    /// What opens is given, right or not: `decrypt --ignore-mac`, to repair a file by hand.
    Ignore,
}

/// What becomes of the values that were sealed.
#[derive(Clone, Copy, Default)]
pub enum Values<'a> {
    /// They are given as they are.
    #[default]
    Plain,
    /// Those that a function names by their path and text are replaced by others of the same shape.
    Other(OtherValues, &'a dyn Fn(&str, &str) -> bool),
}

impl std::fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Other(..) => "Other",
        })
    }
}

/// What becomes of values that sops loses in printing them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Losses {
    /// They are printed.
    #[default]
    Mend,
    /// `null` stands in their place, as in sops, and a warning tells it.
    Repeat,
}

/// How a file is opened and written.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// The format of the result.
    pub output: Format,
    /// How the result is indented.
    pub indents: Indents,
    /// Whether the MAC decides.
    pub mac: MacCheck,
    /// What becomes of the values.
    pub values: Values<'a>,
    /// What becomes of values that sops loses in printing them.
    pub losses: Losses,
    /// The only part that is wanted.
    pub extract: Option<&'a KeyPath>,
}

impl Options<'_> {
    /// Plain values in a format, checked by the MAC.
    pub fn plain(output: Format) -> Self {
        Self {
            output,
            indents: Indents::default(),
            mac: MacCheck::Verify,
            values: Values::Plain,
            losses: Losses::Mend,
            extract: None,
        }
    }
}

/// An opened file.
pub struct Decrypted {
    /// The document in the format that was asked for; wiped where it ends.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Every value and comment that was sealed, to be masked in messages.
    pub secrets: Vec<SecretString>,
    /// The paths of the values that were sealed.
    pub sealed: Vec<String>,
    /// A key for redaction that only who can open this file can derive.
    pub redaction_key: SecretBox<[u8; 32]>,
    /// Values that are printed as null, as sops does.
    pub warnings: Vec<Diagnostic>,
}

impl std::fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decrypted").finish_non_exhaustive()
    }
}

/// Opens a sealed file.
///
/// Nothing is given before every value opened and the MAC was found right. Fails with
/// [`Code::SopsNotSealed`], `SopsForm`, `SopsConflict`, `SopsMetadata`, `SopsNoIdentity`,
/// `SopsUnsupportedKey`, `SopsDataKey`, `SopsValue`, `SopsMac`, `SopsOutput` or `SopsExtract`; no message
/// holds a value, a key or a MAC.
pub fn decrypt(
    file: &SealedFile<'_>,
    identities: &Identities,
    options: &Options<'_>,
) -> Result<Decrypted> {
    let mut opened = open(file, identities, options.mac, options.values)?;
    let lost = match (options.losses, options.extract) {
        (Losses::Repeat, None) => stores::lose(&mut opened.branches, options.output),
        (Losses::Repeat | Losses::Mend, _) => Vec::new(),
    };
    if let Some(lost) = lost.iter().find(|lost| lost.has_comment) {
        return Err(cannot_be_lost(file.name, &lost.path));
    }
    let bytes =
        write(&opened.branches, options).map_err(|error| error.or_at(Place::file(file.name)))?;
    Ok(Decrypted {
        bytes: Zeroizing::new(bytes),
        secrets: opened.secrets,
        sealed: opened.sealed,
        redaction_key: opened.redaction_key,
        warnings: lost
            .iter()
            .map(|lost| is_lost(file.name, &lost.path))
            .collect(),
    })
}

fn is_lost(name: &str, path: &str) -> Diagnostic {
    let phrase = format!("the value of `{path}` is printed as null, as sops does");
    Diagnostic::warning(Code::SopsOutput, phrase)
        .at(Place::file(name))
        .note("it has several lines and starts with a tab, and the YAML library of sops loses it")
        .help("`--extract` prints it, and a render uses it as it is")
}

fn cannot_be_lost(name: &str, path: &str) -> Diagnostic {
    let phrase = format!("an item of `{path}` cannot be printed, and sops prints it neither");
    Diagnostic::new(Code::SopsOutput, phrase)
        .at(Place::file(name))
        .note("it has several lines and starts with a tab, and a comment belongs to it")
        .help("`--extract` prints it, and a render uses it as it is")
}

/// Says whom a sealed file is sealed for, as its metadata have it: age recipients, and other keys by kind and
/// name. Nothing is opened, and nothing of it is authenticated.
pub fn recipients(file: &SealedFile<'_>) -> Result<Vec<String>> {
    let (_, metadata) = load(file).map_err(|error| error.or_at(Place::file(file.name)))?;
    let age = metadata.age_keys().map(|key| key.recipient.clone());
    let others = metadata.other_keys().map(|other| other.key.shown());
    Ok(age.chain(others).collect())
}

/// Whether an identity opens the data key of a file. Fails with [`Code::SopsNotSealed`], `SopsForm` and `SopsMetadata`.
pub fn can_open(file: &SealedFile<'_>, identities: &Identities) -> Result<bool> {
    let (_, metadata) = load(file).map_err(|error| error.or_at(Place::file(file.name)))?;
    Ok(unwrap_data_key(&metadata, identities).is_ok())
}

fn write(branches: &Branches, options: &Options<'_>) -> Result<Vec<u8>> {
    let cannot = |error: stores::StoreError| {
        let phrase = format!(
            "the document cannot be written as {}: {}",
            options.output.name(),
            error.phrase
        );
        Diagnostic::new(Code::SopsOutput, phrase)
    };
    match options.extract {
        None => stores::write_plain(branches, options.output, &options.indents).map_err(cannot),
        Some(extract) => match extract.find(branches)? {
            Value::Text(text) => Ok(text.to_vec()),
            Value::Branch(branch) => {
                let mut parts = vec![branch.clone()];
                parts.extend(branches.iter().skip(1).cloned());
                stores::write_plain(&parts, options.output, &options.indents).map_err(cannot)
            }
            value => stores::write_value(value, options.output, &options.indents).map_err(cannot),
        },
    }
}

/// A document whose values are plain, and what opened it.
pub(super) struct Opened {
    pub(super) branches: Branches,
    pub(super) metadata: Metadata,
    pub(super) cipher: Cipher,
    secrets: Vec<SecretString>,
    sealed: Vec<String>,
    pub(super) redaction_key: SecretBox<[u8; 32]>,
}

/// Reads, opens and checks a document.
pub(super) fn open(
    file: &SealedFile<'_>,
    identities: &Identities,
    check: MacCheck,
    values: Values<'_>,
) -> Result<Opened> {
    let name = file.name;
    open_document(file, identities, check, values)
        .map_err(|error| invisible(file, error))
        .map_err(|error| conflict(file.bytes, name, error).or_at(Place::file(name)))
        .map_err(|error| other_format(file, error))
}

fn open_document(
    file: &SealedFile<'_>,
    identities: &Identities,
    check: MacCheck,
    values: Values<'_>,
) -> Result<Opened> {
    let (mut branches, metadata) = load(file)?;
    let key = unwrap_data_key(&metadata, identities)?;
    let redaction_key = redaction_key(&key);
    let mut opener = Opener {
        name: file.name,
        cipher: Cipher::new(key),
        mac: Mac::new(metadata.mac_only_encrypted),
        secrets: Vec::new(),
        sealed: Vec::new(),
        values,
    };
    walk(&mut branches, &metadata.rule, &mut opener)?;
    let Opener {
        cipher,
        mac,
        secrets,
        sealed,
        ..
    } = opener;
    if check == MacCheck::Verify {
        verify(&metadata, &cipher, mac)?;
    }
    Ok(Opened {
        branches,
        metadata,
        cipher,
        secrets,
        sealed,
        redaction_key,
    })
}

/// Reads a sealed file and its metadata.
pub(super) fn load(file: &SealedFile<'_>) -> Result<(Branches, Metadata)> {
    if file.bytes.len() > MAX_SEALED_BYTES {
        let phrase = format!("the file is larger than {MAX_SEALED_BYTES} bytes");
        return Err(Diagnostic::new(Code::FileTooLarge, phrase));
    }
    let loaded = stores::read_sealed(file.bytes, file.format)
        .map_err(|error| error.to_diagnostic(file.name))?;
    let wrong = |fault: String| {
        Diagnostic::new(
            Code::SopsMetadata,
            format!("the SOPS metadata are wrong: {fault}"),
        )
        .help("restore the `sops` block from the file's history; it cannot be written by hand")
    };
    let raw = loaded
        .metadata
        .ok_or_else(|| not_sealed(file))?
        .map_err(wrong)?;
    let metadata = Metadata::parse(raw).map_err(wrong)?;
    Ok((loaded.branches, metadata))
}

fn not_sealed(file: &SealedFile<'_>) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::SopsNotSealed,
        "the file is not sealed: it has no SOPS metadata",
    );
    let has_values = file.bytes.windows(14).any(|w| w == b"ENC[AES256_GCM");
    match super::detect(file.bytes, "") {
        Some(found) if found != file.format => diagnostic.help(format!(
            "it looks like a sealed {0} file: give `--input-type {0} --output-type {0}`",
            found.name()
        )),
        _ if has_values => diagnostic
            .note("there are sealed values in it")
            .help("restore the `sops` block from the file's history"),
        _ => diagnostic,
    }
}

/// Names what no editor shows, where that is what a file fails for.
fn invisible(file: &SealedFile<'_>, error: Diagnostic) -> Diagnostic {
    let is_form = matches!(
        error.code(),
        Code::SopsForm | Code::SopsMetadata | Code::SopsNotSealed
    );
    let has_crlf = || file.bytes.windows(2).any(|pair| pair == b"\r\n");
    if is_form && file.bytes.starts_with(stores::BYTE_ORDER_MARK) {
        return Diagnostic::new(
            Code::SopsForm,
            "the file begins with a byte order mark (U+FEFF), which belongs to its first line",
        )
        .help("save it without the mark, as `UTF-8`");
    }
    if is_form && file.format == Format::Dotenv && has_crlf() {
        return Diagnostic::new(Code::SopsForm, "the lines end with CRLF, and in a dotenv file the carriage return belongs to the value")
            .help("save it with LF, and have Git leave it alone: `*.env text eol=lf` in .gitattributes");
    }
    error
}

/// Tells of another format where the file has the shape of one.
fn other_format(file: &SealedFile<'_>, error: Diagnostic) -> Diagnostic {
    if file.bytes.starts_with(stores::BYTE_ORDER_MARK) {
        return error;
    }
    let is_form = matches!(error.code(), Code::SopsForm | Code::YamlSyntax);
    match super::detect(file.bytes, "") {
        Some(found) if is_form && found != file.format => {
            let found = found.name();
            error.help(format!("it looks like a sealed {found} file: give `--input-type {found} --output-type {found}`"))
        }
        _ => error,
    }
}

/// Tells of an unfinished merge where that is what makes a file unreadable.
fn conflict(bytes: &[u8], name: &str, error: Diagnostic) -> Diagnostic {
    let is_cause = matches!(
        error.code(),
        Code::SopsForm
            | Code::YamlSyntax
            | Code::YamlDuplicateKey
            | Code::SopsMetadata
            | Code::SopsNotSealed
            | Code::SopsValue
            | Code::SopsMac
    );
    let lines = || (1..).zip(bytes.split(|b| *b == b'\n'));
    let starts = |marker: &'static [u8]| {
        lines()
            .find(|(_, line)| line.starts_with(marker))
            .map(|(number, _)| number)
    };
    let (Some(line), Some(_), true) = (starts(b"<<<<<<< "), starts(b">>>>>>> "), is_cause) else {
        return error;
    };
    Diagnostic::new(Code::SopsConflict, "a merge conflict is not resolved")
        .at(Place::new(name, line, 0))
        .help("sealed files do not merge line by line: take one side whole (`git checkout --ours` or `--theirs`), then make the other side's change with `sops`")
}

/// A key that redacts what is made of one file: derived, so that it says nothing of the data key.
fn redaction_key(key: &DataKey) -> SecretBox<[u8; 32]> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.expose_secret()).expect("HMAC takes keys of any length");
    mac.update(b"prerender redaction 1");
    let mut bytes = mac.finalize().into_bytes();
    let key = SecretBox::init_with_mut(|slot: &mut [u8; 32]| slot.copy_from_slice(&bytes));
    zeroize::Zeroize::zeroize(&mut bytes[..]);
    key
}

struct Opener<'a> {
    name: &'a str,
    cipher: Cipher,
    mac: Mac,
    secrets: Vec<SecretString>,
    sealed: Vec<String>,
    values: Values<'a>,
}

impl Opener<'_> {
    fn fault(&self, what: &str, at: &Position) -> Diagnostic {
        let phrase = format!("the value of `{}` {what}", at.to_shown());
        Diagnostic::new(Code::SopsValue, phrase).at(Place::new(self.name, at.line, 0))
    }

    fn open(&self, text: &[u8], at: &Position) -> Result<Value, CipherError> {
        let sealed = SealedValue::parse(text)?;
        let kind = sealed.kind;
        let plain = self.cipher.open(sealed, at.associated_data())?;
        kind.read(&plain).ok_or(CipherError::Plaintext(kind))
    }

    fn explain(&self, error: CipherError, at: &Position) -> Diagnostic {
        match error {
            CipherError::Form => self
                .fault("is not encrypted, and the rule of this file says that it is", at)
                .help("encrypt the file again: `sops` edits a sealed file in place"),
            CipherError::Base64(part) => self.fault(&format!("has a {part} that is not base64"), at),
            CipherError::NonceLength(length) => {
                self.fault(&format!("has an iv of {length} bytes, which is not supported"), at)
            }
            CipherError::Type => self.fault("has a type that SOPS does not know", at),
            CipherError::Authentication => self
                .fault("does not open with the data key of this file", at)
                .help("it was changed, moved to another key, or comes from another file: restore it from the file's history"),
            CipherError::Plaintext(kind) => {
                self.fault(&format!("opens, and is no valid {} as it should be", kind.name()), at)
            }
        }
    }

    fn remember(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok("") => {}
            Ok(text) => self.secrets.push(SecretString::from(text)),
            // Such bytes stand in manifests as base64.
            Err(_) => self
                .secrets
                .push(SecretString::from(BASE64_STANDARD.encode(bytes))),
        }
    }

    /// By which other value one is replaced, if it is.
    fn world_of(&self, path: &str, text: &str) -> Option<OtherValues> {
        match self.values {
            Values::Other(world, is_meant) => is_meant(path, text).then_some(world),
            Values::Plain => None,
        }
    }

    fn comment_of(&self, plain: Text, at: &Position) -> Text {
        let path = at.to_shown();
        let Some(world) = self.world_of(&path, &String::from_utf8_lossy(&plain)) else {
            return plain;
        };
        match world.other(&Value::Text(plain), &path) {
            Value::Text(text) => text,
            _ => Text::default(),
        }
    }
}

impl Visitor for Opener<'_> {
    /// An empty text is never sealed, and what was a comment is an item then, as in sops.
    fn listed_comment(comment: &Comment) -> ListedComment {
        match comment.text.is_empty() {
            true => ListedComment::IsItem,
            false => ListedComment::Stays,
        }
    }

    fn value(&mut self, value: &mut Value, sealed: bool, at: &Position) -> Result<(), Diagnostic> {
        if sealed {
            let Value::Text(text) = value else {
                return Err(self.explain(CipherError::Form, at));
            };
            // An empty text is never sealed.
            if !text.is_empty() {
                *value = self
                    .open(text, at)
                    .map_err(|error| self.explain(error, at))?;
            }
        }
        self.mac.add(value, sealed);
        if sealed && !matches!(value, Value::Bool(_)) {
            let bytes = to_bytes(value).unwrap_or_default().into_owned();
            self.remember(&Zeroizing::new(bytes));
        }
        if sealed {
            let path = at.to_shown();
            let text = Zeroizing::new(to_bytes(value).unwrap_or_default().into_owned());
            if let Some(world) = self.world_of(&path, &String::from_utf8_lossy(&text)) {
                *value = world.other(value, &path);
            }
            self.sealed.push(path);
        }
        Ok(())
    }

    fn comment(
        &mut self,
        comment: &mut Comment,
        sealed: bool,
        at: &Position,
    ) -> Result<(), Diagnostic> {
        if !sealed || comment.text.is_empty() {
            return Ok(());
        }
        // A comment that does not open was never sealed, as in files of old releases.
        let Ok(parsed) = SealedValue::parse(&comment.text) else {
            return Ok(());
        };
        let kind = parsed.kind;
        let Ok(plain) = self.cipher.open(parsed, at.associated_data()) else {
            return Ok(());
        };
        if !matches!(kind, Kind::Comment | Kind::Str) {
            return match kind.read(&plain) {
                None => Ok(()),
                Some(_) => Err(self.fault("has a comment that is no comment", at)),
            };
        }
        self.remember(&plain);
        comment.text = self.comment_of(plain, at);
        // Opened, a comment stands above what it stood beside, as in sops.
        comment.side = Side::Above;
        Ok(())
    }

    fn comment_item(&mut self, text: &[u8], at: &Position) -> Result<Option<Comment>, Diagnostic> {
        let explain = |error| self.explain(error, at);
        let sealed = SealedValue::parse(text).map_err(explain)?;
        if sealed.kind != Kind::Comment {
            return Ok(None);
        }
        let plain = self
            .cipher
            .open(sealed, at.associated_data())
            .map_err(explain)?;
        self.remember(&plain);
        Ok(Some(Comment {
            text: self.comment_of(plain, at),
            side: Side::Above,
        }))
    }

    fn refuse(&self, phrase: &str, at: &Position) -> Diagnostic {
        let phrase = format!("{phrase}, below `{}`", at.to_shown());
        let phrase = if at.to_shown().is_empty() {
            phrase.replace(", below ``", "")
        } else {
            phrase
        };
        Diagnostic::new(Code::SopsForm, phrase).at(Place::new(self.name, at.line, 0))
    }
}

/// Compares the MAC of the file with that of what was opened.
fn verify(metadata: &Metadata, cipher: &Cipher, mac: Mac) -> Result<()> {
    let computed = mac.finish();
    let associated = metadata.last_modified.to_seconds();
    let changed = |note: &str| {
        Diagnostic::new(Code::SopsMac, "the file was edited after it was encrypted: its MAC does not fit")
            .note(note)
            .help("take the edit back, which the file's history shows, and make it again with `sops FILE`")
            .help("to keep it: look at `plugin decrypt --ignore-mac FILE`, and seal that again")
            .help("where readable values are edited by hand or by bots, seal with `mac_only_encrypted: true`")
    };
    if metadata.mac.is_empty() {
        return Err(changed("the metadata have no MAC"));
    }
    let by_hand = || changed("`mac` or `lastmodified` was changed by hand");
    let sealed = SealedValue::parse(metadata.mac.as_bytes()).map_err(|_| by_hand())?;
    // The type is not authenticated, but sops takes the MAC for text and nothing else.
    if sealed.kind != Kind::Str {
        return Err(by_hand());
    }
    let stored = cipher.open(sealed, &associated).map_err(|_| by_hand())?;
    if mac::equal(&computed, &stored) {
        Ok(())
    } else {
        Err(changed(
            "a value, or the order of values, is not what was sealed",
        ))
    }
}
