//! Identities and recipients: who can open a data key, and whom it is wrapped for.
//!
//! [`Identities`] are parsed once and used for every file. Nothing here reads a file or the environment:
//! `cli` looks where sops looks, and hands the texts over in that order. Each source is remembered with
//! what it held (public keys only), so that a failure can say where was looked and what was found.

mod hybrid;
mod identity;
mod recipient;
mod service;
mod unwrap;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use zeroize::Zeroizing;

use identity::{Identity, SshKey};
pub(super) use recipient::{MasterKey, Recipient};
pub(super) use service::{Service, ServiceKey};
pub(super) use unwrap::unwrap_data_key;

/// What a source of identities held, for messages: public keys, never an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The variable, file or command, as the user knows it.
    pub name: String,
    /// What was found there.
    pub found: Found,
}

/// What was found at a source of identities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The public keys of the identities in it, and the plugins that it asks for in vain.
    Keys {
        /// Public keys, in order.
        public: Vec<String>,
        /// Names of age plugins.
        plugins: Vec<String>,
    },
    /// A variable that is not set.
    NotSet,
    /// A file or directory that is not there, though it was not asked for by name.
    Missing,
    /// No identity in it.
    Empty,
    /// Something that cannot be read, and why.
    Unusable(String),
    /// Something that is asked only when nothing else fits: a command, a passphrase.
    Late(String),
}

/// A text of identities that is fetched for a recipient: the key command of sops.
pub type Fetch = Box<dyn Fn(&str) -> Result<Zeroizing<Vec<u8>>, String> + Send + Sync>;

/// Asks the person at the terminal for a passphrase; the text says for what. `Err` says why none came.
pub type Ask = Arc<dyn Fn(&str) -> Result<SecretString, String> + Send + Sync>;

/// What kind of text a source holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// age identities, one a line, or a file of them that a passphrase protects.
    Lines,
    /// age identities separated by any blanks: `SOPS_AGE_KEY`.
    Words,
    /// An OpenSSH private key.
    Ssh,
}

/// Every identity that may open a file, and where each was looked for.
#[derive(Default)]
pub struct Identities {
    held: Vec<Identity>,
    late: Vec<LateSource>,
    sources: Vec<Source>,
    hints: Vec<String>,
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identities")
            .field("sources", &self.sources)
            .finish_non_exhaustive()
    }
}

/// A source that is asked when the identities at hand do not fit; each answer is kept.
struct LateSource {
    source: usize,
    kind: LateKind,
    answers: Mutex<BTreeMap<String, Arc<Answer>>>,
}

enum LateKind {
    Command(Fetch, Text),
    ProtectedFile(Zeroizing<Vec<u8>>, Ask),
    /// An ssh key: reading an rsa one takes longer than opening a file with an age identity.
    Ssh(Zeroizing<Vec<u8>>, Ask),
}

type Answer = Result<Vec<Identity>, String>;

impl Identities {
    /// Builds an empty set, with which no file opens.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text of identities. A text that cannot be read is remembered as such and hides no other.
    pub fn add(&mut self, name: impl Into<String>, text: &[u8], kind: Text, ask: &Ask) {
        let name = name.into();
        let found = match kind {
            Text::Ssh => {
                let kept = Zeroizing::new(text.to_vec());
                self.add_late(LateKind::Ssh(kept, Arc::clone(ask)));
                Found::Late("holds an ssh key".to_owned())
            }
            Text::Lines | Text::Words if identity::is_protected(text) => {
                let kept = Zeroizing::new(text.to_vec());
                self.add_late(LateKind::ProtectedFile(kept, Arc::clone(ask)));
                Found::Late("is protected by a passphrase".to_owned())
            }
            Text::Lines | Text::Words => self.add_lines(text, kind == Text::Words),
        };
        self.sources.push(Source { name, found });
    }

    fn add_lines(&mut self, text: &[u8], several_a_line: bool) -> Found {
        let parsed = match identity::parse(text, several_a_line) {
            Ok(parsed) => parsed,
            Err(why) => return Found::Unusable(why),
        };
        if parsed.identities.is_empty() && parsed.plugins.is_empty() {
            return Found::Empty;
        }
        let public = parsed.identities.iter().map(|i| i.public.clone()).collect();
        self.held.extend(parsed.identities);
        Found::Keys {
            public,
            plugins: parsed.plugins,
        }
    }

    /// Adds a command that prints identities; it is run when nothing else fits.
    pub fn add_command(&mut self, name: impl Into<String>, text: Text, fetch: Fetch) {
        self.add_late(LateKind::Command(fetch, text));
        self.sources.push(Source {
            name: name.into(),
            found: Found::Late("was run".to_owned()),
        });
    }

    fn add_late(&mut self, kind: LateKind) {
        self.late.push(LateSource {
            source: self.sources.len(),
            kind,
            answers: Mutex::default(),
        });
    }

    /// Remembers a place at which nothing usable was found.
    pub fn add_source(&mut self, name: impl Into<String>, found: Found) {
        self.sources.push(Source {
            name: name.into(),
            found,
        });
    }

    /// Adds a likely mistake to tell when nothing fits.
    pub fn add_hint(&mut self, hint: impl Into<String>) {
        self.hints.push(hint.into());
    }

    /// Every place that was looked at, in order.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The public keys of the age identities at hand, in order; ssh keys are read when they are needed.
    pub fn public_keys(&self) -> impl Iterator<Item = &str> {
        self.held.iter().map(|i| i.public.as_str())
    }

    /// Whether there is no identity and nothing that could give one.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty() && self.late.is_empty()
    }
}

impl LateSource {
    /// What it answered so far.
    fn answers(&self) -> Vec<Arc<Answer>> {
        let answers = self.answers.lock();
        let answers = answers.unwrap_or_else(std::sync::PoisonError::into_inner);
        answers.values().map(Arc::clone).collect()
    }

    /// Asks, once for each recipient where the recipient is part of the question.
    fn ask(&self, recipient: &str, name: &str) -> Arc<Answer> {
        let question = match self.kind {
            LateKind::Command(..) => recipient,
            LateKind::ProtectedFile(..) | LateKind::Ssh(..) => "",
        };
        // A poisoned lock means that another thread panicked: its answers are still whole.
        let mut answers = self
            .answers
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(answer) = answers.get(question) {
            return Arc::clone(answer);
        }
        let answer = Arc::new(self.fetch(question, name));
        answers.insert(question.to_owned(), Arc::clone(&answer));
        answer
    }

    fn fetch(&self, recipient: &str, name: &str) -> Answer {
        match &self.kind {
            LateKind::Command(fetch, Text::Ssh) => match identity::parse_ssh(&fetch(recipient)?)? {
                SshKey::Plain(key) => Ok(vec![key]),
                SshKey::Protected(..) => {
                    Err("printed an ssh key that a passphrase protects".to_owned())
                }
            },
            LateKind::Command(fetch, text) => {
                let parsed = identity::parse(&fetch(recipient)?, *text == Text::Words)?;
                if parsed.identities.is_empty() {
                    return Err("printed no identity".to_owned());
                }
                Ok(parsed.identities)
            }
            LateKind::ProtectedFile(text, ask) => {
                Ok(identity::unlock(text, ask(&format!("Passphrase of {name}: "))?)?.identities)
            }
            LateKind::Ssh(text, ask) => match identity::parse_ssh(text)? {
                SshKey::Plain(key) => Ok(vec![key]),
                SshKey::Protected(key, public) => {
                    let passphrase = ask(&format!("Passphrase of {name}: "))?;
                    Ok(vec![identity::unlock_ssh(&key, public, passphrase)?])
                }
            },
        }
    }
}

/// The plugin that a recipient needs: `age1NAME1…`.
fn plugin_of_recipient(recipient: &str) -> Option<&str> {
    let rest = recipient.strip_prefix("age1")?;
    let (name, _) = rest.rsplit_once('1')?;
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (!name.is_empty() && name != "pq" && is_name).then_some(name)
}

/// A public key short enough for a message: the long ones by both ends.
pub fn shorten(public: &str) -> String {
    const SHOWN: usize = 80;
    if !public.is_ascii() || public.len() <= SHOWN {
        return public.chars().take(SHOWN).collect();
    }
    format!("{}…{}", &public[..24], &public[public.len() - 8..])
}

#[cfg(test)]
mod tests {
    use super::{plugin_of_recipient, shorten};

    #[test]
    fn recipients_of_plugins_are_known_by_their_name() {
        assert_eq!(
            plugin_of_recipient("age1yubikey1qwt50d05nh5vutpdzmlg5"),
            Some("yubikey")
        );
        assert_eq!(plugin_of_recipient("age1pq1abc"), None);
        assert_eq!(
            plugin_of_recipient("age1hmjspm0726wc9glxhnt50llcv8ct"),
            None
        );
    }

    #[test]
    fn long_keys_are_shown_by_both_ends() {
        let long = format!("age1pq1{}", "q".repeat(2000));
        assert!(shorten(&long).len() < 60);
        assert_eq!(shorten("age1abc"), "age1abc");
    }
}
