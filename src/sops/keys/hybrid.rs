//! The post-quantum age identity and recipient: HPKE (RFC 9180) over X-Wing, which is ML-KEM-768 and
//! X25519 together.
//!
//! The stanza is `mlkem768x25519`, its one argument the encapsulated key, its body the sealed file key.

use std::collections::BTreeSet;

use age::{DecryptError, EncryptError};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::secrecy::ExposeSecret;
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use bech32::Hrp;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use zeroize::Zeroizing;

const STANZA: &str = "mlkem768x25519";
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
const SECRET_PREFIX: &str = "age-secret-key-pq-";
const PUBLIC_PREFIX: &str = "age1pq";

/// A Bech32 text whose length no limit of BIP 173 bounds: a public key takes two thousand characters.
enum LongBech32 {}

impl bech32::Checksum for LongBech32 {
    type MidstateRepr = <bech32::Bech32 as bech32::Checksum>::MidstateRepr;
    type CorrectionField = <bech32::Bech32 as bech32::Checksum>::CorrectionField;
    const ROOT_GENERATOR: Self::CorrectionField = bech32::Bech32::ROOT_GENERATOR;
    const ROOT_EXPONENTS: std::ops::RangeInclusive<usize> = bech32::Bech32::ROOT_EXPONENTS;
    const CODE_LENGTH: usize = usize::MAX;
    const CHECKSUM_LENGTH: usize = bech32::Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [u32; 5] = bech32::Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: u32 = bech32::Bech32::TARGET_RESIDUE;
}

/// The longest text that is taken for a key.
const MAX_KEY_TEXT: usize = 4096;

fn decode(text: &str, prefix: &str) -> Option<Zeroizing<Vec<u8>>> {
    if text.len() > MAX_KEY_TEXT {
        return None;
    }
    let checked = bech32::primitives::decode::CheckedHrpstring::new::<LongBech32>(text).ok()?;
    let known = checked.hrp().to_lowercase() == prefix;
    known.then(|| Zeroizing::new(checked.byte_iter().collect()))
}

/// An identity, `AGE-SECRET-KEY-PQ-1…`.
pub(super) struct HybridIdentity(<XWing as Kem>::PrivateKey);

impl HybridIdentity {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = decode(text, SECRET_PREFIX)?;
        Some(Self(<XWing as Kem>::PrivateKey::from_bytes(&bytes).ok()?))
    }

    pub(super) fn to_public(&self) -> HybridRecipient {
        HybridRecipient(XWing::sk_to_pk(&self.0))
    }

    fn open(&self, stanza: &Stanza) -> Option<Zeroizing<Vec<u8>>> {
        let [encapsulated] = stanza.args.as_slice() else {
            return None;
        };
        if stanza.body.len() != FILE_KEY_BYTES + 16 {
            return None;
        }
        let encapsulated = BASE64_STANDARD_NO_PAD.decode(encapsulated).ok()?;
        let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(&encapsulated).ok()?;
        let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            &self.0,
            &encapsulated,
            INFO,
            &stanza.body,
            &[],
        );
        opened.ok().map(Zeroizing::new)
    }
}

impl age::Identity for HybridIdentity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != STANZA {
            return None;
        }
        let key = self.open(stanza)?;
        let key: &[u8; FILE_KEY_BYTES] = key.as_slice().try_into().ok()?;
        Some(Ok(FileKey::init_with_mut(|slot| slot.copy_from_slice(key))))
    }
}

/// A recipient, `age1pq1…`.
pub(super) struct HybridRecipient(<XWing as Kem>::PublicKey);

impl HybridRecipient {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = decode(text, PUBLIC_PREFIX)?;
        Some(Self(<XWing as Kem>::PublicKey::from_bytes(&bytes).ok()?))
    }

    pub(super) fn to_text(&self) -> String {
        let prefix = Hrp::parse_unchecked(PUBLIC_PREFIX);
        bech32::encode_lower::<LongBech32>(prefix, &self.0.to_bytes())
            .expect("no limit of length applies")
    }
}

impl age::Recipient for HybridRecipient {
    #[expect(clippy::disallowed_types, reason = "the type that the trait asks for")]
    fn wrap_file_key(
        &self,
        key: &FileKey,
    ) -> Result<(Vec<Stanza>, std::collections::HashSet<String>), EncryptError> {
        let (encapsulated, body) = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeS::Base,
            &self.0,
            INFO,
            key.expose_secret(),
            &[],
        )
        .map_err(|_| EncryptError::Io(std::io::ErrorKind::InvalidInput.into()))?;
        let stanza = Stanza {
            tag: STANZA.to_owned(),
            args: vec![BASE64_STANDARD_NO_PAD.encode(encapsulated.to_bytes())],
            body,
        };
        // Marks the file as one that only post-quantum recipients may share.
        let labels = BTreeSet::from(["postquantum".to_owned()]);
        Ok((vec![stanza], labels.into_iter().collect()))
    }
}
