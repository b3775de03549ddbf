//! Seals a document: by a creation rule, keeping what an earlier sealed version of it already says.

use std::collections::BTreeMap;

use secrecy::{ExposeSecretMut, SecretBox};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Format;
use super::cipher::{Cipher, DataKey, NONCE_BYTES, Sealed as SealedValue};
use super::config::CreationRule;
use super::document::{Branches, Comment, Item, Text, Value};
use super::keys::{Identities, MasterKey};
use super::mac::Mac;
use super::metadata::{Fresh, Group, Metadata, set_fields};
use super::open::{self, MacCheck, SealedFile, Values};
use super::rule::Rule;
use super::scalar::{Kind, to_bytes};
use super::stores::{self, Indents};
use super::walk::{ListedComment, Position, Visitor, walk};
use super::wrap::wrap;
use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// The version of sops whose format is written.
pub(super) const VERSION: &str = "3.13.3";

/// What makes two sealings of one document differ; everything else follows from the input.
pub struct Sealer<'a> {
    /// The moment of sealing in RFC 3339, in whole seconds and UTC.
    pub now: String,
    /// Fills bytes with randomness of the operating system.
    pub random: &'a mut dyn FnMut(&mut [u8]),
}

impl std::fmt::Debug for Sealer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// A plain file that is to be sealed.
#[derive(Debug, Clone, Copy)]
pub struct PlainFile<'a> {
    /// Its path, for messages.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The format it is in.
    pub format: Format,
    /// The format to seal it in.
    pub output: Format,
}

/// Seals a file.
///
/// With an earlier sealed version that `identities` open, a value that did not change keeps its
/// ciphertext; when nothing changed at all, neither values nor recipients nor rule, the earlier bytes are
/// given back. When the recipients changed, the data key is new, and so is every ciphertext: the earlier
/// version is not opened then.
///
/// Fails with [`Code::SopsSealed`] for a file that is sealed already, with [`Code::SopsForm`] for one that
/// cannot be sealed, and with what [`decrypt`](super::decrypt) fails with for the earlier version.
pub fn encrypt(
    file: &PlainFile<'_>,
    previous: Option<(&SealedFile<'_>, &Identities)>,
    rule: &CreationRule,
    indents: &Indents,
    sealer: &mut Sealer<'_>,
) -> Result<Vec<u8>> {
    let branches = read(file).map_err(|error| error.or_at(Place::file(file.name)))?;
    let earlier = match previous {
        Some((sealed, identities)) if !is_for_others(sealed, rule) => {
            let opened = open::open(sealed, identities, MacCheck::Verify, Values::Plain)?;
            Some((sealed, opened))
        }
        _ => None,
    };
    match earlier {
        Some((sealed, opened)) => {
            let same_rule = has_rule(&opened.metadata, rule, file.output);
            let same_values = || says_the_same(&opened.branches, &branches, file.output);
            if same_rule && sealed.format == file.output && same_values() {
                return Ok(sealed.bytes.to_vec());
            }
            let unchanged = (same_rule && sealed.format == file.output).then_some(sealed.bytes);
            let kept = ciphertexts(sealed, &opened.cipher)?;
            reseal(
                file,
                branches,
                opened,
                (kept, unchanged),
                rule,
                indents,
                sealer,
            )
        }
        None => seal_anew(file, branches, rule, indents, sealer),
    }
}

/// Whether a document that was sealed and opened says what a plain one does.
///
/// A comment that a hand put beside or below something stands above what follows once it was written and
/// read, so the plain one is compared as it would come back.
fn says_the_same(opened: &Branches, plain: &Branches, format: Format) -> bool {
    let indents = Indents::default();
    let text = |branches: &Branches| stores::write_plain(branches, format, &indents).ok();
    opened == plain
        || text(plain)
            .and_then(|text| stores::read_plain(&text, format).ok())
            .and_then(|again| text(&again))
            .is_some_and(|again| text(opened).is_some_and(|opened| opened == again))
}

/// Reads a plain document that is to be sealed in a format. Fails where it cannot be.
pub(super) fn read_plain(
    name: &str,
    bytes: &[u8],
    format: Format,
    output: Format,
) -> Result<Branches> {
    let file = PlainFile {
        name,
        bytes,
        format,
        output,
    };
    read(&file).map_err(|error| error.or_at(Place::file(name)))
}

fn read(file: &PlainFile<'_>) -> Result<Branches> {
    if file.bytes.len() > open::MAX_SEALED_BYTES {
        let phrase = format!("the file is larger than {} bytes", open::MAX_SEALED_BYTES);
        return Err(Diagnostic::new(Code::FileTooLarge, phrase));
    }
    let branches = stores::read_plain(file.bytes, file.format)
        .map_err(|error| error.to_diagnostic(file.name))?;
    if branches.is_empty() {
        return Err(Diagnostic::new(
            Code::SopsForm,
            "the file is empty, and there is nothing to seal",
        ));
    }
    if file.output == Format::Yaml {
        stores::check_merges(&branches).map_err(|error| error.to_diagnostic(file.name))?;
    }
    if stores::has_metadata(&branches, file.output) {
        return Err(Diagnostic::new(
            Code::SopsSealed,
            "the file is sealed already, or has a `sops` entry of its own",
        )
        .help("edit a sealed file with `sops FILE`"));
    }
    Ok(branches)
}

/// Whether an earlier version is sealed for others than a rule names; false where its metadata are wrong.
fn is_for_others(sealed: &SealedFile<'_>, rule: &CreationRule) -> bool {
    open::load(sealed).is_ok_and(|(_, metadata)| !has_recipients(&metadata, rule))
}

/// Whether a file is sealed for exactly the recipients of a rule, group by group.
fn has_recipients(metadata: &Metadata, rule: &CreationRule) -> bool {
    let threshold = if metadata.groups.len() > 1 {
        metadata.threshold
    } else {
        0
    };
    let same_group = |(old, new): (&Group, &Vec<MasterKey>)| {
        let mut old: Vec<&str> = old.names().collect();
        let mut new: Vec<&str> = new.iter().map(MasterKey::name).collect();
        old.sort_unstable();
        new.sort_unstable();
        old == new
    };
    metadata.groups.len() == rule.groups.len()
        && threshold == rule.threshold
        && metadata.groups.iter().zip(&rule.groups).all(same_group)
}

fn has_rule(metadata: &Metadata, rule: &CreationRule, format: Format) -> bool {
    // A binary file is one value, which is sealed whatever the rule says.
    format == Format::Binary
        || metadata.rule.to_field() == rule.rule.to_field()
            && metadata.mac_only_encrypted == rule.mac_only_encrypted
}

fn seal_anew(
    file: &PlainFile<'_>,
    mut branches: Branches,
    rule: &CreationRule,
    indents: &Indents,
    sealer: &mut Sealer<'_>,
) -> Result<Vec<u8>> {
    let mut key: DataKey = SecretBox::new(Box::new([0; 32]));
    (sealer.random)(key.expose_secret_mut());
    let groups = wrap(&key, &rule.groups, rule.threshold, sealer)?;
    let cipher = Cipher::new(key);
    let chosen = Chosen::by(rule, file.output);
    let kept = Ciphertexts::default();
    let mac = seal_values(file.name, &mut branches, &cipher, &chosen, kept, sealer)?;
    let mac = seal_mac(&cipher, &mac, sealer);
    let metadata = Fresh {
        groups: &groups,
        threshold: rule.threshold,
        last_modified: &sealer.now,
        mac: &mac,
        rule: chosen.is_told.then_some(chosen.rule),
        mac_only_encrypted: chosen.mac_only_encrypted,
        version: VERSION,
    };
    write(
        file.name,
        branches,
        metadata.to_branch(),
        (file.output, indents),
    )
}

/// Seals with the data key of an earlier version, of which `unchanged` are the bytes where its form is the same.
fn reseal(
    file: &PlainFile<'_>,
    mut branches: Branches,
    opened: open::Opened,
    (kept, unchanged): (Ciphertexts, Option<&[u8]>),
    rule: &CreationRule,
    indents: &Indents,
    sealer: &mut Sealer<'_>,
) -> Result<Vec<u8>> {
    let cipher = opened.cipher;
    let chosen = Chosen::by(rule, file.output);
    let mac = seal_values(file.name, &mut branches, &cipher, &chosen, kept, sealer)?;
    let mut metadata = opened.metadata.raw;
    // A comment at the end of the document can be read as one of the metadata; it is written with the document.
    metadata.retain(|item| matches!(item, Item::Entry(_)));
    // Where a comment belongs can depend on the value above it, so that the two plain documents differ and
    // their sealed ones do not.
    if let Some(earlier) = unchanged
        && write(
            file.name,
            branches.clone(),
            metadata.clone(),
            (file.output, indents),
        )? == earlier
    {
        return Ok(earlier.to_vec());
    }
    let mac = seal_mac(&cipher, &mac, sealer);
    let told = chosen.is_told.then_some(chosen.rule);
    set_fields(
        &mut metadata,
        &sealer.now,
        &mac,
        (told, chosen.mac_only_encrypted),
    );
    write(file.name, branches, metadata, (file.output, indents))
}

/// What of a document is sealed.
pub(super) struct Chosen<'a> {
    pub(super) rule: &'a Rule,
    pub(super) mac_only_encrypted: bool,
    /// Whether the metadata say it: those of a binary file, which is one value, do not.
    pub(super) is_told: bool,
}

impl<'a> Chosen<'a> {
    /// What the metadata of a file say.
    pub(super) fn of(metadata: &'a Metadata) -> Self {
        Self {
            rule: &metadata.rule,
            mac_only_encrypted: metadata.mac_only_encrypted,
            is_told: true,
        }
    }

    fn by(rule: &'a CreationRule, format: Format) -> Self {
        let is_told = format != Format::Binary;
        Self {
            rule: &rule.rule,
            mac_only_encrypted: is_told && rule.mac_only_encrypted,
            is_told,
        }
    }
}

/// Writes a sealed document. Fails with [`Code::SopsOutput`] where the format cannot hold it.
pub(super) fn write(
    name: &str,
    branches: Branches,
    metadata: super::document::Branch,
    (output, indents): (Format, &Indents),
) -> Result<Vec<u8>> {
    stores::write_sealed(branches, metadata, output, indents).map_err(|error| {
        let phrase = format!(
            "the document cannot be written as {}: {}",
            output.name(),
            error.phrase
        );
        Diagnostic::new(Code::SopsOutput, phrase).at(Place::new(name, error.line, 0))
    })
}

pub(super) fn seal_mac(cipher: &Cipher, mac: &str, sealer: &mut Sealer<'_>) -> String {
    let mut nonce = [0; NONCE_BYTES];
    (sealer.random)(&mut nonce);
    cipher.seal(mac.as_bytes(), Kind::Str, &sealer.now, nonce)
}

/// The ciphertexts of an earlier version.
#[derive(Default)]
pub(super) struct Ciphertexts {
    /// By path, type and digest of the plaintext; the last one first.
    found: BTreeMap<Slot, Vec<Text>>,
    /// Comments that do not open where they stand: they were sealed below another key.
    strays: Vec<Text>,
}

type Slot = (String, &'static str, [u8; 32]);

/// The most comments that are tried at each place: there are hardly ever any.
const MAX_STRAYS: usize = 16;

impl Ciphertexts {
    /// Adds those of another version that is sealed with the same data key; the own ones are taken first.
    pub(super) fn add(&mut self, other: Self) {
        for (slot, texts) in other.found {
            let own = self.found.entry(slot).or_default();
            let new = texts.into_iter().filter(|text| !own.contains(text));
            let mut new: Vec<Text> = new.collect();
            new.append(own);
            *own = new;
        }
        let room = MAX_STRAYS.saturating_sub(self.strays.len());
        self.strays.extend(other.strays.into_iter().take(room));
    }

    /// Takes the ciphertext of a plaintext at a path.
    fn take(&mut self, path: &str, kind: Kind, plain: &[u8], cipher: &Cipher) -> Option<Text> {
        // A float without a fraction is printed as an integer, and read as one.
        let kinds = match kind {
            Kind::Float => &[Kind::Float, Kind::Int][..],
            Kind::Int => &[Kind::Int, Kind::Float],
            _ => std::slice::from_ref(&kind),
        };
        let known = kinds
            .iter()
            .find_map(|kind| self.found.get_mut(&slot(path, *kind, plain))?.pop());
        known.or_else(|| {
            let opens = |text: &Text| {
                SealedValue::parse(text)
                    .and_then(|sealed| cipher.open(sealed, path))
                    .is_ok_and(|opened| opened[..] == *plain)
            };
            let is_comment = kind == Kind::Comment;
            let at = self
                .strays
                .iter()
                .position(|text| is_comment && opens(text))?;
            Some(self.strays.remove(at))
        })
    }
}

fn slot(path: &str, kind: Kind, plain: &[u8]) -> Slot {
    (path.to_owned(), kind.name(), Sha256::digest(plain).into())
}

/// Collects the ciphertexts of a file that was opened and checked before.
pub(super) fn ciphertexts(file: &SealedFile<'_>, cipher: &Cipher) -> Result<Ciphertexts> {
    let (mut branches, metadata) = open::load(file)?;
    let mut collector = Collector {
        cipher,
        ciphertexts: Ciphertexts::default(),
    };
    walk(&mut branches, &metadata.rule, &mut collector)?;
    let mut ciphertexts = collector.ciphertexts;
    let of_the_metadata = metadata.raw.into_iter().filter_map(|item| match item {
        Item::Comment(comment) => Some(comment.text),
        Item::Entry(_) => None,
    });
    ciphertexts.strays.extend(of_the_metadata.take(MAX_STRAYS));
    for texts in ciphertexts.found.values_mut() {
        texts.reverse();
    }
    Ok(ciphertexts)
}

struct Collector<'a> {
    cipher: &'a Cipher,
    ciphertexts: Ciphertexts,
}

impl Collector<'_> {
    fn add(&mut self, text: &Text, at: &Position) {
        let Ok(sealed) = SealedValue::parse(text) else {
            return;
        };
        let kind = sealed.kind;
        if let Ok(plain) = self.cipher.open(sealed, at.associated_data()) {
            let slot = slot(at.associated_data(), kind, &plain);
            let found = &mut self.ciphertexts.found;
            found.entry(slot).or_default().push(text.clone());
        } else if self.ciphertexts.strays.len() < MAX_STRAYS {
            self.ciphertexts.strays.push(text.clone());
        }
    }
}

impl Visitor for Collector<'_> {
    fn value(&mut self, value: &mut Value, sealed: bool, at: &Position) -> Result<(), Diagnostic> {
        if let (Value::Text(text), true) = (value, sealed) {
            self.add(text, at);
        }
        Ok(())
    }

    fn comment(
        &mut self,
        comment: &mut Comment,
        sealed: bool,
        at: &Position,
    ) -> Result<(), Diagnostic> {
        if sealed {
            self.add(&comment.text, at);
        }
        Ok(())
    }

    fn refuse(&self, phrase: &str, _at: &Position) -> Diagnostic {
        Diagnostic::new(Code::SopsForm, phrase)
    }
}

/// Seals the values that the rule chooses, and returns the MAC. What `kept` has a ciphertext of keeps it.
pub(super) fn seal_values(
    name: &str,
    branches: &mut Branches,
    cipher: &Cipher,
    chosen: &Chosen<'_>,
    kept: Ciphertexts,
    sealer: &mut Sealer<'_>,
) -> Result<String> {
    let mut visitor = Sealing {
        name,
        cipher,
        rule: chosen.rule,
        mac: Mac::new(chosen.mac_only_encrypted),
        kept,
        random: &mut *sealer.random,
    };
    walk(branches, chosen.rule, &mut visitor)?;
    Ok(visitor.mac.finish())
}

struct Sealing<'a> {
    name: &'a str,
    cipher: &'a Cipher,
    rule: &'a Rule,
    mac: Mac,
    kept: Ciphertexts,
    random: &'a mut dyn FnMut(&mut [u8]),
}

impl Sealing<'_> {
    fn seal(&mut self, plain: &[u8], kind: Kind, at: &Position) -> Text {
        let path = at.associated_data();
        if let Some(text) = self.kept.take(path, kind, plain, self.cipher) {
            return text;
        }
        let mut nonce = [0; NONCE_BYTES];
        (self.random)(&mut nonce);
        Text::new(self.cipher.seal(plain, kind, path, nonce).into_bytes())
    }
}

impl Visitor for Sealing<'_> {
    /// sops seals a comment in a list as an item; of an empty one it would make an item that is empty.
    fn listed_comment(comment: &Comment) -> ListedComment {
        match comment.text.is_empty() {
            true => ListedComment::IsLeftOut,
            false => ListedComment::IsItem,
        }
    }

    fn value(&mut self, value: &mut Value, sealed: bool, at: &Position) -> Result<(), Diagnostic> {
        self.mac.add(value, sealed);
        let Some(kind) = Kind::of(value).filter(|_| sealed) else {
            return Ok(());
        };
        let plain = Zeroizing::new(to_bytes(value).unwrap_or_default().into_owned());
        if !plain.is_empty() {
            *value = Value::Text(self.seal(&plain, kind, at));
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
        let plain = comment.text.clone();
        comment.text = self.seal(&plain, Kind::Comment, at);
        if let Rule::UnencryptedCommentRegex(pattern) = self.rule
            && pattern.matches(&String::from_utf8_lossy(&comment.text))
        {
            let phrase = "`unencrypted_comment_regex` matches a sealed comment, and the file would not open again";
            return Err(Diagnostic::new(Code::SopsConfig, phrase));
        }
        Ok(())
    }

    fn refuse(&self, phrase: &str, at: &Position) -> Diagnostic {
        let shown = at.to_shown();
        let phrase = if shown.is_empty() {
            phrase.to_owned()
        } else {
            format!("{phrase}, below `{shown}`")
        };
        Diagnostic::new(Code::SopsForm, phrase).at(Place::new(self.name, at.line, 0))
    }
}
