//! A sealed file with a token in the place of each value: the same as long as value and data key are, and nothing of the value.

use hmac::{Hmac, KeyInit, Mac as _};
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;

use super::Indents;
use super::document::{Comment, Value};
use super::keys::Identities;
use super::open::{self, MacCheck, SealedFile, Values};
use super::scalar::to_bytes;
use super::stores;
use super::walk::{Position, Visitor, walk};
use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// How many bytes of a digest make a token.
const BYTES: usize = 6;

/// Opens a file, whether its MAC is right or not, and writes it with tokens. Fails as [`decrypt`](super::decrypt) does.
pub fn with_tokens(file: &SealedFile<'_>, identities: &Identities) -> Result<Vec<u8>> {
    let mut opened = open::open(file, identities, MacCheck::Ignore, Values::Plain)?;
    let mut tokens = Tokens(&opened.redaction_key);
    walk(&mut opened.branches, &opened.metadata.rule, &mut tokens)?;
    stores::write_plain(&opened.branches, file.format, &Indents::default())
        .map_err(|error| Diagnostic::new(Code::SopsOutput, error.phrase).at(Place::file(file.name)))
}

struct Tokens<'a>(&'a SecretBox<[u8; 32]>);

impl Tokens<'_> {
    fn of(&self, bytes: &[u8], at: &Position) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret())
            .expect("HMAC takes keys of any length");
        mac.update(at.associated_data().as_bytes());
        mac.update(&[0]);
        mac.update(bytes);
        let digest = mac.finalize().into_bytes();
        let hex: String = digest[..BYTES].iter().map(|b| format!("{b:02x}")).collect();
        format!("value:{hex}")
    }
}

impl Visitor for Tokens<'_> {
    fn value(&mut self, value: &mut Value, sealed: bool, at: &Position) -> Result<(), Diagnostic> {
        let bytes = to_bytes(value).unwrap_or_default();
        if sealed && !bytes.is_empty() {
            let token = self.of(&bytes, at);
            drop(bytes);
            *value = Value::text(token);
        }
        Ok(())
    }

    fn comment(
        &mut self,
        comment: &mut Comment,
        sealed: bool,
        at: &Position,
    ) -> Result<(), Diagnostic> {
        if sealed && !comment.text.is_empty() {
            *comment = Comment::above(format!(" {}", self.of(&comment.text, at)));
        }
        Ok(())
    }

    fn refuse(&self, phrase: &str, _: &Position) -> Diagnostic {
        Diagnostic::new(Code::SopsForm, phrase)
    }
}
