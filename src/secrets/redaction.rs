//! Texts in the place of secrets: the same as long as secret and key are, telling nothing without the key.

use std::sync::atomic::{AtomicBool, Ordering};

use hmac::{Hmac, KeyInit, Mac as _};
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;

use crate::diagnostic::{Code, Diagnostic};

/// What every such text starts with.
const START: &str = "redacted";

/// How many hexadecimal digits follow: with the start they are 32 letters and digits, which are a text
/// anywhere, and base64 below `data`.
const DIGITS: usize = 24;

/// The key for secrets that no sealed file's own key replaces: what templates make of values.
pub struct RedactionKey {
    /// Without one all tokens are the same.
    key: Option<SecretBox<[u8; 32]>>,
    is_lasting: bool,
    was_used: AtomicBool,
}

impl RedactionKey {
    /// Builds the key from what a file of the invoker holds: renders that use it can be compared.
    pub fn lasting(bytes: &[u8]) -> Self {
        Self::new(bytes, true)
    }

    /// Builds a key for one run, from randomness.
    pub fn of_one_run(random: &[u8]) -> Self {
        Self::new(random, false)
    }

    /// No key: every token is the same text, in every render.
    pub(crate) fn constant() -> Self {
        Self {
            key: None,
            is_lasting: true,
            was_used: AtomicBool::new(false),
        }
    }

    fn new(bytes: &[u8], is_lasting: bool) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(bytes).expect("HMAC takes keys of any length");
        mac.update(b"prerender redaction 1");
        let mut digest = mac.finalize().into_bytes();
        let key = SecretBox::init_with_mut(|slot: &mut [u8; 32]| slot.copy_from_slice(&digest));
        zeroize::Zeroize::zeroize(&mut digest[..]);
        Self {
            key: Some(key),
            is_lasting,
            was_used: AtomicBool::new(false),
        }
    }

    /// Whether another run has the same key.
    pub(super) fn is_lasting(&self) -> bool {
        self.is_lasting
    }

    /// The text for a value at a place.
    pub(crate) fn token(&self, at: &str, value: &[u8]) -> String {
        self.was_used.store(true, Ordering::Relaxed);
        let Some(key) = &self.key else {
            return START.to_owned();
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret())
            .expect("HMAC takes keys of any length");
        mac.update(at.as_bytes());
        mac.update(&[0]);
        mac.update(value);
        let digest = mac.finalize().into_bytes();
        let hex: String = digest[..DIGITS / 2]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{START}{hex}")
    }

    /// Tells that another run will give other texts, where that is so.
    pub(crate) fn warning(&self) -> Option<Diagnostic> {
        let is_told = !self.is_lasting && self.was_used.load(Ordering::Relaxed);
        is_told.then(|| {
            let phrase = "some redacted values will be other ones in the next run";
            Diagnostic::warning(Code::RedactedForOneRun, phrase)
                .note(
                    "they come from values or plain files, and are redacted with a key of this run",
                )
                .help("give --redact-key-file to compare renders")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::RedactionKey;

    #[test]
    fn a_token_is_stable_and_bound_to_value_place_and_key() {
        let key = RedactionKey::lasting(b"a key for tests");
        let token = key.token("shop/db/password", b"hunter2");
        assert_eq!(token, key.token("shop/db/password", b"hunter2"));
        assert_ne!(token, key.token("shop/db/user", b"hunter2"));
        assert_ne!(token, key.token("shop/db/password", b"hunter3"));
        assert_ne!(
            token,
            RedactionKey::lasting(b"another").token("shop/db/password", b"hunter2")
        );
        assert_eq!(token.len(), 32);
    }

    #[test]
    fn a_key_of_one_run_is_told_once_it_was_used() {
        let key = RedactionKey::of_one_run(&[7; 32]);
        assert!(key.warning().is_none());
        key.token("a", b"b");
        assert!(key.warning().is_some());
    }
}
