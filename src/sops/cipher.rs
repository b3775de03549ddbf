//! Sealed values: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.
//!
//! AES-256-GCM under the file's data key; the value's path is the associated data, so that a value can
//! not be moved to another key.

use aes_gcm::aead::consts::{U8, U12, U16, U24, U32, U64};
use aes_gcm::aead::{AeadInOut, KeyInit, array::ArraySize};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Nonce, Tag};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use secrecy::{ExposeSecret, SecretBox};
use zeroize::Zeroizing;

use super::document::Text;
use super::scalar::Kind;

/// What seals the values of one file: 32 bytes, wiped where they end.
pub(super) type DataKey = SecretBox<[u8; 32]>;

/// The length of a nonce that sops writes.
pub(super) const NONCE_BYTES: usize = 32;

/// Base64 as Go's `StdEncoding` reads it: padded, and lenient about the last bits.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Why a sealed value cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CipherError {
    /// The text is not of the form that sops writes.
    Form,
    /// A part of it is not base64.
    Base64(&'static str),
    /// The nonce has a length that nothing writes.
    NonceLength(usize),
    /// The type is none that sops knows.
    Type,
    /// It was sealed with another key, for another path, or was changed.
    Authentication,
    /// The plaintext is not of the type that is told.
    Plaintext(Kind),
}

/// The parts of a sealed value.
pub(super) struct Sealed {
    data: Vec<u8>,
    nonce: Vec<u8>,
    tag: [u8; 16],
    pub(super) kind: Kind,
}

impl Sealed {
    /// Reads the parts. Text after the closing bracket is allowed, as in sops.
    pub(super) fn parse(text: &[u8]) -> Result<Self, CipherError> {
        let line = text.split(|b| *b == b'\n').next().unwrap_or_default();
        let line = std::str::from_utf8(line).map_err(|_| CipherError::Form)?;
        let body = line
            .strip_prefix("ENC[AES256_GCM,data:")
            .ok_or(CipherError::Form)?;
        let (data, rest) = body.split_once(",iv:").ok_or(CipherError::Form)?;
        let (nonce, rest) = rest.split_once(",tag:").ok_or(CipherError::Form)?;
        let (tag, rest) = rest.split_once(",type:").ok_or(CipherError::Form)?;
        let (kind, _) = rest.rsplit_once(']').ok_or(CipherError::Form)?;
        if [data, nonce, tag, kind].iter().any(|part| part.is_empty()) {
            return Err(CipherError::Form);
        }
        let tag = decode(tag, "tag")?;
        Ok(Self {
            data: decode(data, "data")?,
            nonce: decode(nonce, "iv")?,
            // A tag of another length never fits: sops says that the value cannot be authenticated.
            tag: tag.try_into().map_err(|_| CipherError::Authentication)?,
            kind: Kind::parse(kind).ok_or(CipherError::Type)?,
        })
    }
}

fn decode(text: &str, part: &'static str) -> Result<Vec<u8>, CipherError> {
    let cleaned;
    let text = if text.contains('\r') {
        cleaned = text.replace('\r', "");
        &cleaned
    } else {
        text
    };
    BASE64.decode(text).map_err(|_| CipherError::Base64(part))
}

/// Opens and seals values with one data key.
pub(super) struct Cipher {
    key: DataKey,
    usual: AesGcm<Aes256, U32>,
}

impl Cipher {
    pub(super) fn new(key: DataKey) -> Self {
        let usual = AesGcm::new(key.expose_secret().into());
        Self { key, usual }
    }

    /// Opens a value. Fails with [`CipherError::Authentication`] when anything about it was changed.
    pub(super) fn open(&self, sealed: Sealed, path: &str) -> Result<Text, CipherError> {
        let mut plain = Zeroizing::new(sealed.data);
        let associated = path.as_bytes();
        let (nonce, tag) = (&sealed.nonce[..], &sealed.tag);
        let opened = match nonce.len() {
            NONCE_BYTES => open_in_place(&self.usual, nonce, associated, &mut plain, tag),
            8 => open_in_place(&self.sized::<U8>(), nonce, associated, &mut plain, tag),
            12 => open_in_place(&self.sized::<U12>(), nonce, associated, &mut plain, tag),
            16 => open_in_place(&self.sized::<U16>(), nonce, associated, &mut plain, tag),
            24 => open_in_place(&self.sized::<U24>(), nonce, associated, &mut plain, tag),
            64 => open_in_place(&self.sized::<U64>(), nonce, associated, &mut plain, tag),
            other => return Err(CipherError::NonceLength(other)),
        };
        opened.map(|()| plain).ok_or(CipherError::Authentication)
    }

    fn sized<N: ArraySize>(&self) -> AesGcm<Aes256, N> {
        AesGcm::new(self.key.expose_secret().into())
    }

    /// Seals a value under a nonce that was never used with this key.
    pub(super) fn seal(
        &self,
        plain: &[u8],
        kind: Kind,
        path: &str,
        nonce: [u8; NONCE_BYTES],
    ) -> String {
        let mut data = plain.to_vec();
        let tag = self
            .usual
            .encrypt_inout_detached(
                &Nonce::from(nonce),
                path.as_bytes(),
                data.as_mut_slice().into(),
            )
            .expect("a value is far shorter than the limit of GCM");
        format!(
            "ENC[AES256_GCM,data:{},iv:{},tag:{},type:{}]",
            BASE64.encode(&data),
            BASE64.encode(nonce),
            BASE64.encode(tag),
            kind.name()
        )
    }
}

fn open_in_place<N: ArraySize>(
    cipher: &AesGcm<Aes256, N>,
    nonce: &[u8],
    associated: &[u8],
    data: &mut [u8],
    tag: &[u8; 16],
) -> Option<()> {
    let nonce = Nonce::<N>::try_from(nonce).ok()?;
    cipher
        .decrypt_inout_detached(&nonce, associated, data.into(), &Tag::from(*tag))
        .ok()
}

#[cfg(test)]
mod tests {
    use secrecy::SecretBox;

    use super::{Cipher, CipherError, Sealed};
    use crate::sops::scalar::Kind;

    fn cipher() -> Cipher {
        Cipher::new(SecretBox::new(Box::new([7; 32])))
    }

    fn open(text: &str, path: &str) -> Result<Vec<u8>, CipherError> {
        cipher()
            .open(Sealed::parse(text.as_bytes())?, path)
            .map(|t| t.to_vec())
    }

    #[test]
    fn a_value_opens_at_its_own_path_only() {
        let text = cipher().seal(b"orders", Kind::Str, "db:user:", [1; 32]);
        assert_eq!(open(&text, "db:user:"), Ok(b"orders".to_vec()));
        assert_eq!(open(&text, "db:name:"), Err(CipherError::Authentication));
        assert_eq!(
            open(&format!("{text} tail"), "db:user:"),
            Ok(b"orders".to_vec())
        );
    }

    #[test]
    fn a_flipped_bit_anywhere_is_refused() {
        let text = cipher().seal(b"orders", Kind::Str, "a:", [1; 32]);
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            // The type and the last bits of base64 are not authenticated, as in sops.
            if let Ok(plain) = open(&changed, "a:") {
                assert_eq!(plain, b"orders", "at {at}");
            }
        }
    }

    #[test]
    fn what_is_not_sealed_is_told_apart() {
        assert_eq!(open("hello", "a:"), Err(CipherError::Form));
        assert_eq!(
            open("ENC[AES256_GCM,data:,iv:AA==,tag:AA==,type:str]", "a:"),
            Err(CipherError::Form)
        );
        let damaged = "ENC[AES256_GCM,data:?,iv:AA==,tag:AA==,type:str]";
        assert_eq!(open(damaged, "a:"), Err(CipherError::Base64("data")));
    }
}
