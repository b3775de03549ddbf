//! Identities as text: one a line, as age-keygen writes them, and ssh private keys.

use age_core::format::{FileKey, Stanza};
use zeroize::Zeroizing;

use super::hybrid::HybridIdentity;

/// The largest file that is read for identities.
pub(super) const MAX_IDENTITY_BYTES: usize = 1 << 20;

/// The most work that a passphrase may ask for, as a power of two: what age itself allows.
const MAX_WORK_FACTOR: u8 = 22;

/// What opens data keys, and the public key that names it.
pub(super) struct Identity {
    key: Box<dyn age::Identity + Send + Sync>,
    pub(super) public: String,
}

impl age::Identity for Identity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        self.key.unwrap_stanza(stanza)
    }
}

/// What a text of identities holds.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) identities: Vec<Identity>,
    /// The plugins that other lines name; we run none.
    pub(super) plugins: Vec<String>,
}

/// Reads identities, one a line; empty lines and lines that start with `#` are skipped.
///
/// A line that is none spoils the whole source, as in sops; the phrase names the line and never its text.
/// With `several_a_line`, blanks separate identities, as in `SOPS_AGE_KEY`.
pub(super) fn parse(text: &[u8], several_a_line: bool) -> Result<Parsed, String> {
    if text.len() > MAX_IDENTITY_BYTES {
        return Err(format!("is larger than {MAX_IDENTITY_BYTES} bytes"));
    }
    let mut parsed = Parsed::default();
    for (number, line) in (1..).zip(text.split(|b| *b == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let fault = |what: &str| format!("line {number} {what}");
        let line = std::str::from_utf8(line).map_err(|_| fault("is not text"))?;
        if several_a_line {
            for word in line.split_whitespace() {
                parsed.add(word).map_err(|what| fault(&what))?;
            }
        } else {
            parsed.add(line).map_err(|what| fault(&what))?;
        }
    }
    Ok(parsed)
}

impl Parsed {
    fn add(&mut self, text: &str) -> Result<(), String> {
        if let Some(plugin) = text.strip_prefix("AGE-PLUGIN-") {
            let name = plugin.rsplit_once("-1").map_or(plugin, |(name, _)| name);
            let is_name =
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            self.plugins.push(if is_name {
                name.to_ascii_lowercase()
            } else {
                "?".to_owned()
            });
            return Ok(());
        }
        if text.starts_with("AGE-SECRET-KEY-PQ-1") {
            let key = HybridIdentity::parse(text).ok_or("is not a valid post-quantum identity")?;
            let public = key.to_public().to_text();
            self.identities.push(Identity {
                key: Box::new(key),
                public,
            });
            return Ok(());
        }
        if text.starts_with("AGE-SECRET-KEY-1") {
            let key: age::x25519::Identity =
                text.parse().map_err(|_| "is not a valid age identity")?;
            let public = key.to_public().to_string();
            self.identities.push(Identity {
                key: Box::new(key),
                public,
            });
            return Ok(());
        }
        Err(mistake(text).to_owned())
    }
}

/// What a line that is no identity probably is.
fn mistake(text: &str) -> &'static str {
    let trimmed = text.trim_start();
    if trimmed.starts_with("age1") || trimmed.starts_with("ssh-") {
        "is a public key, not an identity"
    } else if trimmed.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
        if trimmed.starts_with("AGE-") {
            "starts with a blank"
        } else {
            "is not in capital letters, as an age identity is"
        }
    } else if trimmed.starts_with("-----BEGIN") {
        "starts an ssh or PGP key, which is not read here"
    } else if trimmed.starts_with("QUdFLVNFQ1JFVC1LRVkt") {
        "is base64 of an age identity, and not the identity"
    } else if trimmed.starts_with(['"', '\'']) {
        "starts with a quote, which is no part of an age identity"
    } else if trimmed.contains('/') || trimmed.ends_with(".txt") || trimmed.ends_with("key") {
        "looks like a path, not an age identity; SOPS_AGE_KEY_FILE takes one"
    } else {
        "is not an age identity"
    }
}

/// An ssh private key as it was found.
pub(super) enum SshKey {
    /// One that opens.
    Plain(Identity),
    /// One that a passphrase protects, and its public key.
    Protected(age::ssh::Identity, String),
}

/// Reads an OpenSSH private key, ed25519 or rsa. Fails with a phrase.
pub(super) fn parse_ssh(text: &[u8]) -> Result<SshKey, String> {
    if text.len() > MAX_IDENTITY_BYTES {
        return Err(format!("is larger than {MAX_IDENTITY_BYTES} bytes"));
    }
    let malformed = || "is not an ssh-ed25519 or ssh-rsa private key".to_owned();
    let key = age::ssh::Identity::from_buffer(text, None).map_err(|_| malformed())?;
    let public = || age::ssh::Recipient::try_from(key.clone()).map(|r| r.to_string());
    match &key {
        age::ssh::Identity::Unencrypted(_) => {
            let public = public().map_err(|_| malformed())?;
            Ok(SshKey::Plain(Identity {
                key: Box::new(key),
                public,
            }))
        }
        age::ssh::Identity::Encrypted(_) => {
            let public = public().unwrap_or_else(|_| "an ssh key".to_owned());
            Ok(SshKey::Protected(key, public))
        }
        age::ssh::Identity::Unsupported(_) => {
            Err("is an ssh key of a kind that age does not support".to_owned())
        }
    }
}

/// Opens an ssh key with its passphrase.
pub(super) fn unlock_ssh(
    key: &age::ssh::Identity,
    public: String,
    passphrase: secrecy::SecretString,
) -> Result<Identity, String> {
    let age::ssh::Identity::Encrypted(encrypted) = key else {
        return Err("needs no passphrase".to_owned());
    };
    let opened = encrypted
        .decrypt(passphrase)
        .map_err(|_| "does not open with this passphrase")?;
    let key = Box::new(age::ssh::Identity::from(opened));
    Ok(Identity { key, public })
}

/// Whether a file of identities is itself an age file, which a passphrase protects.
pub(super) fn is_protected(text: &[u8]) -> bool {
    text.starts_with(b"age-encryption") || text.starts_with(b"-----BEGIN AGE")
}

/// Opens a protected file of identities.
pub(super) fn unlock(text: &[u8], passphrase: secrecy::SecretString) -> Result<Parsed, String> {
    use std::io::Read as _;
    let wrong = || "does not open with this passphrase".to_owned();
    let armored = std::io::BufReader::new(age::armor::ArmoredReader::new(text));
    let decryptor =
        age::Decryptor::new_buffered(armored).map_err(|_| "is not a valid age file".to_owned())?;
    let mut key = age::scrypt::Identity::new(passphrase);
    key.set_max_work_factor(MAX_WORK_FACTOR);
    let reader = decryptor
        .decrypt(std::iter::once(&key as &dyn age::Identity))
        .map_err(|_| wrong())?;
    let mut plain = Zeroizing::new(Vec::new());
    let limit = MAX_IDENTITY_BYTES as u64 + 1;
    reader
        .take(limit)
        .read_to_end(&mut plain)
        .map_err(|_| wrong())?;
    parse(&plain, false)
}
