//! Opens and seals SOPS documents: bytes and identities in, bytes out.
//!
//! A store maps a format to the document; the walk, the cipher and the MAC know no format; identities and
//! recipients know no store. Nothing is given before the MAC was found right, and no message holds a value,
//! a key or a MAC. The room reads no file, no environment and no clock. Start with [`decrypt`] and
//! [`Identities`]; [`detect`] says whether a file is sealed at all.

mod cipher;
mod config;
mod document;
mod format;
mod inexact;
mod keys;
mod mac;
mod merge;
mod metadata;
mod open;
mod other;
mod path;
mod readable;
mod rule;
mod scalar;
mod seal;
mod sealed_keys;
mod shamir;
mod stores;
mod timestamp;
mod token;
mod unsealed;
mod walk;
mod wrap;

pub use config::{Config, CreationRule, RuleOverride};
pub use format::{Format, detect};
pub use inexact::inexact_numbers;
pub use keys::shorten;
pub use keys::{Ask, Fetch, Found, Identities, Source, Text as IdentityText};
pub use merge::{Merged, OURS, merge};
pub use open::{
    Decrypted, Losses, MAX_SEALED_BYTES, MacCheck, Options, SealedFile, Values, can_open, decrypt,
    recipients,
};
pub use other::OtherValues;
pub use path::KeyPath;
pub use readable::{Readable, readable, would_be_sealed};
pub use seal::{PlainFile, Sealer, encrypt};
pub use sealed_keys::{GroupChange, KeyChanges, SealedKeys, Threshold};
pub use stores::Indents;
pub use token::with_tokens;
pub use unsealed::{Ciphertext, NewValue, Unsealed};
