//! The MAC of a document: SHA-512 over its values, compared in constant time.

use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;

use super::document::Value;
use super::scalar::to_bytes;

/// What the hash starts with where it covers sealed values only: SHA-256 of `sops`.
const ONLY_ENCRYPTED_START: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
    0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// Computes the MAC in document order.
pub(super) struct Mac {
    hash: Sha512,
    only_encrypted: bool,
}

impl Mac {
    pub(super) fn new(only_encrypted: bool) -> Self {
        let mut hash = Sha512::new();
        if only_encrypted {
            hash.update(ONLY_ENCRYPTED_START);
        }
        Self {
            hash,
            only_encrypted,
        }
    }

    /// Adds a plain value, told whether the rule seals it.
    pub(super) fn add(&mut self, value: &Value, sealed: bool) {
        if (sealed || !self.only_encrypted)
            && let Some(bytes) = to_bytes(value)
        {
            self.hash.update(&bytes);
        }
    }

    /// The MAC as upper-case hexadecimal digits.
    pub(super) fn finish(self) -> String {
        self.hash
            .finalize()
            .iter()
            .map(|b| format!("{b:02X}"))
            .collect()
    }
}

/// Whether two MACs are the same, told in a time that depends on their length alone.
pub(super) fn equal(computed: &str, stored: &[u8]) -> bool {
    computed.as_bytes().ct_eq(stored).into()
}
