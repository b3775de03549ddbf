//! How each sealed file of a repository is: for whom, by which rule, whether it opens here.

use rayon::prelude::*;

use super::hygiene::drift;
use super::repository::Entry;
use crate::diagnostic::{Code, Diagnostic};
use crate::sops::{self, Format, Identities, KeyChanges, Options, SealedFile, SealedKeys};

/// A sealed file.
#[derive(Debug)]
pub struct Status {
    /// Its path.
    pub path: String,
    /// Its format.
    pub format: Format,
    /// Where the rule is that fits it.
    pub rule: Option<String>,
    /// The names of the keys that open it.
    pub recipients: Vec<String>,
    /// Whether an identity here opens it.
    pub opens: bool,
    /// Whether it is as it was sealed.
    pub mac: MacState,
    /// When it was sealed last, in RFC 3339; empty where its metadata are wrong.
    pub modified: String,
    /// What its rule would change; `None` without a rule.
    pub drift: Option<KeyChanges>,
    /// What is wrong with it.
    pub problem: Option<Diagnostic>,
}

/// Whether a file is as it was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacState {
    /// It is.
    Right,
    /// It was changed afterwards.
    Wrong,
    /// It does not open here.
    Unknown,
}

impl MacState {
    /// As it is listed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
        }
    }
}

/// Looks at every sealed file.
pub fn of(entries: &[Entry], identities: &Identities) -> Vec<Status> {
    let sealed: Vec<_> = entries
        .iter()
        .filter_map(|entry| Some((entry, entry.sealed_file()?)))
        .collect();
    sealed
        .into_par_iter()
        .map(|(entry, sealed)| of_file(entry, &sealed, identities))
        .collect()
}

fn of_file(entry: &Entry, sealed: &SealedFile<'_>, identities: &Identities) -> Status {
    let keys = SealedKeys::load(sealed);
    let recipients = sops::recipients(sealed).unwrap_or_default();
    let opened = sops::decrypt(sealed, identities, &Options::plain(sealed.format));
    let (opens, mac) = match &opened {
        Ok(_) => (true, MacState::Right),
        Err(error) if error.code() == Code::SopsMac => (true, MacState::Wrong),
        Err(_) => (
            sops::can_open(sealed, identities).unwrap_or(false),
            MacState::Unknown,
        ),
    };
    let is_no_key = |error: &Diagnostic| {
        matches!(
            error.code(),
            Code::SopsNoIdentity | Code::SopsUnsupportedKey
        )
    };
    Status {
        path: sealed.name.to_owned(),
        format: sealed.format,
        rule: entry.rule().map(sops::CreationRule::place),
        recipients,
        opens,
        mac,
        modified: keys.map_or_else(|_| String::new(), |keys| keys.modified().to_owned()),
        drift: drift(entry),
        problem: opened.err().filter(|error| !is_no_key(error)),
    }
}
