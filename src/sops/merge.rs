//! Merges two versions of a sealed file that have a common one, in memory, and seals the result.
//!
//! Documents are merged by their keys, lists where the two sides changed different parts of them, recipients as sets. Where
//! both sides changed one value, both stand below its key, under [`OURS`] and [`THEIRS`], so that the rule of the file
//! seals them as it sealed the value; a file of single values gets one text with both. What one side alone changed keeps that
//! side's ciphertext as long as the data key is the same. Pinned by `two_sides_are_merged_by_their_keys…` of
//! `tests/suite/sops_sealing.rs`.

use secrecy::ExposeSecret;

use super::cipher::{Cipher, DataKey};
use super::document::{Branch, Branches, Comment, Element, Item, Key, Value, entry};
use super::keys::{Identities, MasterKey, unwrap_data_key};
use super::metadata::{self, Group, Metadata};
use super::open::{self, MacCheck, SealedFile, Values};
use super::seal::{self, Chosen, Sealer};
use super::unsealed::keys_of;
use super::wrap::rewrap;
use super::{Format, Indents};
use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// The key of what our side made of a value.
pub const OURS: &str = "<<<<<<< ours";
/// The key of what their side made of it.
pub(super) const THEIRS: &str = ">>>>>>> theirs";

/// A merged file.
#[derive(Debug)]
pub struct Merged {
    /// Its bytes, sealed.
    pub bytes: Vec<u8>,
    /// The paths of the values that both sides changed.
    pub conflicts: Vec<String>,
}

/// One version of the file.
struct Side {
    branches: Branches,
    metadata: Metadata,
    key: DataKey,
    kept: seal::Ciphertexts,
}

impl Side {
    fn open(file: &SealedFile<'_>, identities: &Identities) -> Result<Self> {
        let opened = open::open(file, identities, MacCheck::Verify, Values::Plain)?;
        let at = |error: Diagnostic| error.or_at(Place::file(file.name));
        Ok(Self {
            kept: seal::ciphertexts(file, &opened.cipher)?,
            key: unwrap_data_key(&opened.metadata, identities).map_err(at)?,
            branches: opened.branches,
            metadata: opened.metadata,
        })
    }

    fn has_key_of(&self, other: &Self) -> bool {
        self.key.expose_secret() == other.key.expose_secret()
    }
}

/// Merges `ours` and `theirs`, which were made of `base`; without one, of nothing.
///
/// Fails where a version does not open, and where the two cannot be made one document.
pub fn merge(
    base: Option<&SealedFile<'_>>,
    (ours, theirs): (&SealedFile<'_>, &SealedFile<'_>),
    identities: &Identities,
    (indents, sealer): (&Indents, &mut Sealer<'_>),
) -> Result<Merged> {
    let base = base.map(|file| Side::open(file, identities)).transpose()?;
    let (left, right) = (
        Side::open(ours, identities)?,
        Side::open(theirs, identities)?,
    );
    let mut merger = Merger {
        format: ours.format,
        path: Vec::new(),
        conflicts: Vec::new(),
    };
    let nothing = Branches::new();
    let before = base.as_ref().map_or(&nothing, |side| &side.branches);
    let branches = merger
        .documents(before, &left.branches, &right.branches)
        .map_err(|phrase| Diagnostic::new(Code::SopsForm, phrase).at(Place::file(ours.name)))?;
    // A side that made the data key anew has it: the other one knows nothing of it.
    let theirs_rotated = base
        .as_ref()
        .is_some_and(|base| base.has_key_of(&left) && !base.has_key_of(&right));
    let (mut chosen, other) = if theirs_rotated {
        (right, left)
    } else {
        (left, right)
    };
    let same_key = chosen.has_key_of(&other);
    let groups = groups(
        base.as_ref().map(|side| &side.metadata),
        &chosen.metadata,
        &other.metadata,
    )?;
    let known = known_groups(&chosen.metadata.groups, &other.metadata.groups, same_key);
    let threshold = chosen.metadata.split_threshold(groups.len());
    let wrapped = rewrap(&chosen.key, &groups, threshold, (&known, threshold), sealer)?;
    metadata::set_keys(&mut chosen.metadata.raw, &wrapped, threshold);
    if same_key {
        chosen.kept.add(other.kept);
    }
    let bytes = finish(ours, branches, chosen, (indents, sealer))?;
    Ok(Merged {
        bytes,
        conflicts: merger.conflicts,
    })
}

fn finish(
    file: &SealedFile<'_>,
    mut branches: Branches,
    side: Side,
    (indents, sealer): (&Indents, &mut Sealer<'_>),
) -> Result<Vec<u8>> {
    let cipher = Cipher::new(side.key);
    let rule = Chosen::of(&side.metadata);
    let mac = seal::seal_values(file.name, &mut branches, &cipher, &rule, side.kept, sealer)?;
    let mac = seal::seal_mac(&cipher, &mac, sealer);
    let mut raw = side.metadata.raw;
    metadata::set(&mut raw, "lastmodified", Value::text(sealer.now.as_str()));
    metadata::set(&mut raw, "mac", Value::text(mac));
    seal::write(file.name, branches, raw, (file.format, indents))
}

/// The keys of the merged file: those of one side, with what the other one added, and without what it took away.
fn groups(
    base: Option<&Metadata>,
    chosen: &Metadata,
    other: &Metadata,
) -> Result<Vec<Vec<MasterKey>>> {
    let mut merged = keys_of(&chosen.groups)?;
    if merged.len() != other.groups.len() {
        return Ok(merged);
    }
    let nobody = Group::default();
    for (index, (group, theirs)) in merged.iter_mut().zip(keys_of(&other.groups)?).enumerate() {
        let before = base
            .and_then(|base| base.groups.get(index))
            .unwrap_or(&nobody);
        let was_there = |name: &str| before.names().any(|known| known == name);
        let gone = |key: &MasterKey| {
            was_there(key.name()) && !theirs.iter().any(|kept| kept.name() == key.name())
        };
        group.retain(|key| !gone(key));
        for key in theirs {
            let is_new = !was_there(key.name()) && !group.iter().any(|k| k.name() == key.name());
            if is_new {
                group.push(key);
            }
        }
    }
    match merged.iter().any(Vec::is_empty) {
        true => keys_of(&chosen.groups),
        false => Ok(merged),
    }
}

/// What is wrapped already: on both sides, where they have one data key and no shares of it.
fn known_groups(chosen: &[Group], other: &[Group], same_key: bool) -> Vec<Group> {
    let mut known = chosen.to_vec();
    if let ([group], [theirs], true) = (&mut *known, other, same_key) {
        group.age.extend(theirs.age.iter().cloned());
        group.others.extend(theirs.others.iter().cloned());
    }
    known
}

struct Merger {
    format: Format,
    path: Vec<String>,
    conflicts: Vec<String>,
}

/// An entry with the comments before it.
type Part<'a> = (Vec<&'a Comment>, &'a Value);

impl Merger {
    fn documents(
        &mut self,
        base: &Branches,
        ours: &Branches,
        theirs: &Branches,
    ) -> Result<Branches, &'static str> {
        if ours == theirs || base == theirs {
            return Ok(ours.clone());
        }
        if base == ours {
            return Ok(theirs.clone());
        }
        if ours.len() != theirs.len() {
            return Err("both sides changed the file, and they have not as many documents");
        }
        let nothing = Branch::new();
        let pairs = ours.iter().zip(theirs).enumerate();
        Ok(pairs
            .map(|(index, (ours, theirs))| {
                self.branch(base.get(index).unwrap_or(&nothing), ours, theirs)
            })
            .collect())
    }

    /// In the order of our side; what the other one added stands behind what it stood behind there.
    fn branch(&mut self, base: &Branch, ours: &Branch, theirs: &Branch) -> Branch {
        let mut merged = Branch::new();
        let mut names: Vec<&str> = keys(ours).collect();
        let mut last = None;
        for name in keys(theirs) {
            if !names.contains(&name) {
                let at = last.and_then(|last| names.iter().position(|known| *known == last));
                names.insert(at.map_or(names.len(), |at| at + 1), name);
            }
            last = Some(name);
        }
        for name in names {
            let (b, o, t) = (part(base, name), part(ours, name), part(theirs, name));
            self.path.push(name.to_owned());
            let value = self.value(
                b.as_ref().map(|p| p.1),
                o.as_ref().map(|p| p.1),
                t.as_ref().map(|p| p.1),
            );
            self.path.pop();
            let Some(value) = value else { continue };
            for comment in pick(
                b.map(|part| part.0),
                o.map(|part| part.0),
                t.map(|part| part.0),
            ) {
                merged.push(Item::Comment(comment.clone()));
            }
            merged.push(entry(name, value));
        }
        let last = pick(
            Some(trailing(base)),
            Some(trailing(ours)),
            Some(trailing(theirs)),
        );
        merged.extend(
            last.into_iter()
                .map(|comment| Item::Comment(comment.clone())),
        );
        merged
    }

    fn value(
        &mut self,
        base: Option<&Value>,
        ours: Option<&Value>,
        theirs: Option<&Value>,
    ) -> Option<Value> {
        if ours == theirs || base == theirs {
            return ours.cloned();
        }
        if base == ours {
            return theirs.cloned();
        }
        match (base, ours, theirs) {
            (_, Some(Value::Branch(ours)), Some(Value::Branch(theirs))) => {
                let nothing = Branch::new();
                let base = match base {
                    Some(Value::Branch(base)) => base,
                    _ => &nothing,
                };
                Some(Value::Branch(self.branch(base, ours, theirs)))
            }
            (Some(Value::List(base)), Some(Value::List(o)), Some(Value::List(t))) => {
                let merged = list(base, o, t).map(Value::List);
                Some(merged.unwrap_or_else(|| self.conflict(ours, theirs)))
            }
            _ => Some(self.conflict(ours, theirs)),
        }
    }

    /// Both sides of a value, in its place.
    fn conflict(&mut self, ours: Option<&Value>, theirs: Option<&Value>) -> Value {
        self.conflicts.push(self.path.join("."));
        let side = |value: Option<&Value>| value.cloned().unwrap_or(Value::Null);
        match self.format {
            Format::Yaml | Format::Json => {
                Value::Branch(vec![entry(OURS, side(ours)), entry(THEIRS, side(theirs))])
            }
            Format::Dotenv | Format::Ini | Format::Binary => {
                let text = |value: Option<&Value>| match value {
                    Some(Value::Text(text)) => text.to_vec(),
                    _ => Vec::new(),
                };
                let parts = [
                    OURS.as_bytes().to_vec(),
                    text(ours),
                    b"=======".to_vec(),
                    text(theirs),
                    THEIRS.as_bytes().to_vec(),
                ];
                Value::text(parts.join(&b'\n'))
            }
        }
    }
}

/// The one that changed; ours where both did.
fn pick<'a>(
    base: Option<Vec<&'a Comment>>,
    ours: Option<Vec<&'a Comment>>,
    theirs: Option<Vec<&'a Comment>>,
) -> Vec<&'a Comment> {
    let (ours, theirs) = match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours, theirs),
        (one, other) => return one.or(other).unwrap_or_default(),
    };
    if base.as_ref() == Some(&ours) {
        theirs
    } else {
        ours
    }
}

fn keys(branch: &Branch) -> impl Iterator<Item = &str> {
    branch.iter().filter_map(|item| match item {
        Item::Entry(entry) => Some(entry.key.as_str()),
        Item::Comment(_) => None,
    })
}

fn part<'a>(branch: &'a Branch, name: &str) -> Option<Part<'a>> {
    let mut comments = Vec::new();
    for item in branch {
        match item {
            Item::Comment(comment) => comments.push(comment),
            Item::Entry(entry) if entry.key == Key::Text(name.to_owned()) => {
                return Some((comments, &entry.value));
            }
            Item::Entry(_) => comments.clear(),
        }
    }
    None
}

/// The comments behind the last entry.
fn trailing(branch: &Branch) -> Vec<&Comment> {
    let last = branch.iter().rev().map_while(|item| match item {
        Item::Comment(comment) => Some(comment),
        Item::Entry(_) => None,
    });
    let mut comments: Vec<_> = last.collect();
    comments.reverse();
    comments
}

/// A list of which the two sides changed different parts; `None` where the parts touch.
fn list(base: &[Element], ours: &[Element], theirs: &[Element]) -> Option<Vec<Element>> {
    let (o, t) = (changed(base, ours), changed(base, theirs));
    let ((first, its), (second, other)) = if o.0 <= t.0 {
        ((o, ours), (t, theirs))
    } else {
        ((t, theirs), (o, ours))
    };
    if first.1 >= second.0 {
        return None;
    }
    let part = |range: (usize, usize), new: &[Element]| {
        let end = new.len() - (base.len() - range.1);
        new[range.0..end].to_vec()
    };
    let mut merged = base[..first.0].to_vec();
    merged.extend(part(first, its));
    merged.extend_from_slice(&base[first.1..second.0]);
    merged.extend(part(second, other));
    merged.extend_from_slice(&base[second.1..]);
    Some(merged)
}

/// The part of a list that a new one replaces: from and to.
fn changed(base: &[Element], new: &[Element]) -> (usize, usize) {
    let start = base.iter().zip(new).take_while(|(b, n)| b == n).count();
    let room = base.len().min(new.len()) - start;
    let tail = base.iter().rev().zip(new.iter().rev());
    let end = tail.take(room).take_while(|(b, n)| b == n).count();
    (start, base.len() - end)
}
