//! Two versions of a sealed file beside each other: what a diff shows, and how they are merged.

use std::borrow::Cow;

use regex::bytes::{Captures, Regex};
use sha2::{Digest, Sha256};

use crate::sops::{self, Identities, MacCheck, Options, SealedFile};
pub use crate::sops::{Merged, merge};

/// What a diff shows of a sealed file: its keys, and a token for each value that changes with it; with `reveal` the values.
///
/// Without an identity that opens it, the sealed text, each value by a digest of its ciphertext. What does not open is
/// shown as well: a diff of a damaged file is what helps.
pub fn to_diff(file: &SealedFile<'_>, identities: &Identities, reveal: bool) -> Vec<u8> {
    let shown = match reveal {
        true => {
            let options = Options {
                mac: MacCheck::Ignore,
                ..Options::plain(file.format)
            };
            sops::decrypt(file, identities, &options).map(|opened| opened.bytes.to_vec())
        }
        false => sops::with_tokens(file, identities),
    };
    let Ok(mut text) = shown else {
        return shortened(file.bytes).into_owned();
    };
    for recipient in sops::recipients(file).unwrap_or_default() {
        text.extend_from_slice(format!("# sealed for {recipient}\n").as_bytes());
    }
    text
}

/// A sealed text with a digest in the place of each ciphertext.
fn shortened(bytes: &[u8]) -> Cow<'_, [u8]> {
    let sealed = Regex::new(r"ENC\[AES256_GCM,[^\]]*\]").expect("the expression is right");
    sealed.replace_all(bytes, |found: &Captures<'_>| {
        let digest = Sha256::digest(&found[0]);
        let hex: String = digest[..6]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("sealed:{hex}").into_bytes()
    })
}
