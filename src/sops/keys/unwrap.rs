//! Unwraps the data key of a file with the identities at hand.

use std::borrow::Cow;
use std::io::Read as _;

use secrecy::SecretBox;
use zeroize::Zeroizing;

use super::identity::Identity;
use super::{Answer, Found, Identities, Source, plugin_of_recipient, shorten};
use crate::diagnostic::{Code, Diagnostic};
use crate::sops::cipher::DataKey;
use crate::sops::metadata::{AgeKey, Group, Metadata};
use crate::sops::shamir;

/// The largest wrapped key that is tried: a post-quantum one for one recipient takes 2.5 kB, and reading a header
/// takes time by the square of its lines.
const MAX_WRAPPED_BYTES: usize = 16 << 10;

/// Why one wrapped key does not open.
enum Failure {
    /// It is no armored age file of a key.
    Damaged,
    /// It is for someone else.
    NoMatch,
}

type Share = Zeroizing<Vec<u8>>;

/// Unwraps the data key of a document: the whole of it, or its shares where there are several groups.
///
/// Every identity is tried on every age key, whatever recipient stands beside it; one that names an
/// identity at hand comes first. Fails with [`Code::SopsNoIdentity`], which says whom the file is sealed
/// for, where was looked and what was found, and with [`Code::SopsDataKey`] for keys that are damaged.
pub(in crate::sops) fn unwrap_data_key(
    metadata: &Metadata,
    identities: &Identities,
) -> Result<DataKey, Diagnostic> {
    let attempt = Attempt { identities };
    let mut shares = Vec::new();
    let mut damaged = 0;
    for group in &metadata.groups {
        let (share, broken) = attempt.open_group(group);
        shares.extend(share);
        damaged += broken;
    }
    let secret = if metadata.groups.len() > 1 {
        if shares.len() < metadata.threshold || shares.is_empty() {
            return Err(attempt.explain(metadata, shares.len(), damaged));
        }
        shamir::combine(&shares).ok_or_else(|| {
            data_key("the shares of the key groups do not make a data key").note(format!(
                "{} of {} groups opened",
                shares.len(),
                metadata.groups.len()
            ))
        })?
    } else {
        let share = shares.pop();
        share.ok_or_else(|| attempt.explain(metadata, 0, damaged))?
    };
    let key: &[u8; 32] = secret.as_slice().try_into().map_err(|_| {
        data_key(format!(
            "the data key has {} bytes instead of 32",
            secret.len()
        ))
    })?;
    Ok(SecretBox::init_with_mut(|slot: &mut [u8; 32]| {
        slot.copy_from_slice(key);
    }))
}

fn data_key(phrase: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::SopsDataKey, phrase)
}

struct Attempt<'a> {
    identities: &'a Identities,
}

impl Attempt<'_> {
    /// Opens the share of a group, and counts the keys that are damaged.
    fn open_group(&self, group: &Group) -> (Option<Share>, usize) {
        let held = &self.identities.held;
        let is_ours = |key: &&AgeKey| held.iter().any(|i| i.public == key.recipient);
        let (ours, others): (Vec<_>, Vec<_>) = group.age.iter().partition(is_ours);
        let mut damaged = 0;
        for key in ours.into_iter().chain(others) {
            match open(key, held) {
                Ok(share) => return (Some(share), damaged),
                Err(Failure::Damaged) => damaged += 1,
                Err(Failure::NoMatch) => {}
            }
        }
        (self.open_late(group), damaged)
    }

    /// Asks commands and persons: what they said before is tried on every key first, and they are asked for the next
    /// recipient only where no answer opens any.
    fn open_late(&self, group: &Group) -> Option<Share> {
        let mut sources = self.identities.late.iter();
        sources.find_map(|late| {
            let name = &self.identities.sources[late.source].name;
            let mut known = late.answers().into_iter();
            let before = known.find_map(|answer| open_any(group, &answer));
            before.or_else(|| {
                let mut keys = group.age.iter();
                keys.find_map(|key| open_any(group, &late.ask(&key.recipient, name)))
            })
        })
    }

    fn explain(&self, metadata: &Metadata, opened: usize, damaged: usize) -> Diagnostic {
        let age: Vec<&AgeKey> = metadata.age_keys().collect();
        let others = list(
            metadata
                .other_keys()
                .map(|k| format!("{} {}", k.key.service.shown(), shorten(&k.key.name))),
        );
        if age.is_empty() {
            return Diagnostic::new(Code::SopsUnsupportedKey, "the file is not sealed for any age recipient")
                .note(format!("it needs {others}"))
                .help("only age is supported: add an age recipient with `sops updatekeys` or `sops rotate --add-age`");
        }
        if damaged == age.len() {
            return data_key("the wrapped data key is damaged")
                .help("restore the `age` entries below `sops` from the file's history");
        }
        let mut diagnostic = if metadata.groups.len() > 1 {
            let phrase = format!(
                "{opened} of {} key groups open, and {} are needed",
                metadata.groups.len(),
                metadata.threshold.max(2)
            );
            Diagnostic::new(Code::SopsNoIdentity, phrase)
        } else {
            Diagnostic::new(Code::SopsNoIdentity, "no identity here opens this file")
        };
        let recipients = list(age.iter().map(|k| shorten(&k.recipient)));
        diagnostic = diagnostic.note(format!("it is sealed for {recipients}"));
        if !others.is_empty() {
            diagnostic = diagnostic.note(format!(
                "it is sealed for {others} as well, which is not supported"
            ));
        }
        if damaged > 0 {
            diagnostic = diagnostic.note(format!(
                "{damaged} of its {} wrapped data keys are damaged",
                age.len()
            ));
        }
        self.explain_sources(diagnostic, &age)
    }

    fn explain_sources(&self, mut diagnostic: Diagnostic, age: &[&AgeKey]) -> Diagnostic {
        let (mut unset, mut absent) = (Vec::new(), Vec::new());
        for (index, source) in self.identities.sources.iter().enumerate() {
            let name = &source.name;
            let told = match &source.found {
                Found::NotSet => {
                    unset.push(name.as_str());
                    continue;
                }
                Found::Missing => {
                    absent.push(name.as_str());
                    continue;
                }
                Found::Empty => format!("{name} holds no identity"),
                Found::Unusable(why) => format!("{name} {why}"),
                Found::Keys { public, plugins } => held(name, public, plugins),
                Found::Late(what) => self.late_outcome(index, name, what),
            };
            diagnostic = diagnostic.note(told);
        }
        for (names, what) in [(absent, "there is no"), (unset, "not set:")] {
            if !names.is_empty() {
                diagnostic = diagnostic.note(format!("{what} {}", names.join(", ")));
            }
        }
        for help in self.remedies(age) {
            diagnostic = diagnostic.help(help);
        }
        diagnostic
    }

    fn late_outcome(&self, index: usize, name: &str, what: &str) -> String {
        let late = self.identities.late.iter().find(|l| l.source == index);
        let answers = late.map(|l| {
            l.answers
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        });
        let mut public = Vec::new();
        for answer in answers.iter().flat_map(|a| a.values()) {
            match &**answer {
                Err(why) => return format!("{name} {why}"),
                Ok(found) => public.extend(found.iter().map(|i| i.public.clone())),
            }
        }
        if public.is_empty() {
            return format!("{name} {what}");
        }
        public.dedup();
        held(name, &public, &[])
    }

    fn remedies(&self, age: &[&AgeKey]) -> Vec<String> {
        // They say where a key is when there is none.
        let mut remedies = match self.identities.is_empty() {
            true => self.identities.hints.clone(),
            false => Vec::new(),
        };
        for key in age {
            if let Some(plugin) = plugin_of_recipient(&key.recipient) {
                remedies.push(format!("age plugins are not supported: age-plugin-{plugin} would be needed; seal the file for an age1… recipient too"));
            }
        }
        let is_hybrid = |public: &str| public.starts_with("age1pq1");
        let sealed_hybrid = age.iter().any(|k| is_hybrid(&k.recipient));
        if sealed_hybrid && !self.identities.held.iter().any(|i| is_hybrid(&i.public)) {
            remedies.push("a file sealed for age1pq1… opens with an identity that starts with AGE-SECRET-KEY-PQ-1".to_owned());
        }
        let is_tried = |source: &Source| !matches!(source.found, Found::NotSet | Found::Missing);
        if !self.identities.sources.iter().any(is_tried) && remedies.is_empty() {
            remedies.push("set SOPS_AGE_KEY_FILE to a file of age identities, or put them in ~/.config/sops/age/keys.txt".to_owned());
        }
        remedies.dedup();
        remedies
    }
}

fn held(name: &str, public: &[String], plugins: &[String]) -> String {
    let mut parts = Vec::new();
    if !public.is_empty() {
        parts.push(format!("holds {}", list(public.iter().map(|p| shorten(p)))));
    }
    if !plugins.is_empty() {
        let plugins = list(plugins.iter().map(|p| format!("age-plugin-{p}")));
        parts.push(format!("asks for {plugins}, which is not supported"));
    }
    format!("{name} {}", parts.join(" and "))
}

/// Opens any key of a group with what a source answered.
fn open_any(group: &Group, answer: &Answer) -> Option<Share> {
    let found = answer.as_ref().ok()?;
    group.age.iter().find_map(|key| open(key, found).ok())
}

/// The most names that a message lists.
const MAX_LISTED: usize = 8;

fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    let shown = names[..names.len().min(MAX_LISTED)].join(", ");
    if names.len() > MAX_LISTED {
        format!("{shown} and {} more", names.len() - MAX_LISTED)
    } else {
        shown
    }
}

/// Opens one wrapped key with any of the identities.
fn open(key: &AgeKey, identities: &[Identity]) -> Result<Share, Failure> {
    let armored = armor(&key.wrapped).ok_or(Failure::Damaged)?;
    let mut bytes = Vec::with_capacity(armored.len());
    age::armor::ArmoredReader::new(&*armored)
        .read_to_end(&mut bytes)
        .map_err(|_| Failure::Damaged)?;
    // Line by line: the other reader parses the header anew for each byte.
    let decryptor = age::Decryptor::new_buffered(&bytes[..]).map_err(|_| Failure::Damaged)?;
    let identities = identities.iter().map(|i| i as &dyn age::Identity);
    let reader = decryptor.decrypt(identities).map_err(|error| match error {
        age::DecryptError::NoMatchingKeys => Failure::NoMatch,
        _ => Failure::Damaged,
    })?;
    let mut share = Zeroizing::new(Vec::with_capacity(64));
    reader
        .take(64)
        .read_to_end(&mut share)
        .map_err(|_| Failure::Damaged)?;
    if share.is_empty() {
        Err(Failure::Damaged)
    } else {
        Ok(share)
    }
}

/// The armored part; blank lines before it, and carriage returns within lines, are allowed, as in age.
fn armor(wrapped: &str) -> Option<Cow<'_, [u8]>> {
    /// The longest line of base64.
    const MAX_LINE: usize = 64;
    let text = wrapped.trim_start();
    let begins_a_line =
        text.len() == wrapped.len() || wrapped[..wrapped.len() - text.len()].ends_with('\n');
    let known =
        begins_a_line && text.starts_with("-----BEGIN AGE ") && text.len() <= MAX_WRAPPED_BYTES;
    if !known {
        return None;
    }
    if !text.contains('\r') {
        return Some(text.as_bytes().into());
    }
    let mut lines = text.split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l));
    if lines
        .clone()
        .any(|l| l.contains('\r') && (l.len() > MAX_LINE || l.starts_with('-')))
    {
        return None;
    }
    let first = lines.next().unwrap_or_default().to_owned();
    let clean = lines.fold(first, |text, line| text + "\n" + &line.replace('\r', ""));
    Some(clean.into_bytes().into())
}
