//! Recipients: who a data key is wrapped for.

use std::io::Write as _;

use age::armor::{ArmoredWriter, Format};

use super::ServiceKey;
use super::hybrid::HybridRecipient;

/// A key that a data key is wrapped for.
pub(crate) enum MasterKey {
    /// A recipient of age.
    Age(Recipient),
    /// A key that only its service can wrap for.
    Service(ServiceKey),
}

impl MasterKey {
    /// Its name, as sops prints it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Age(recipient) => recipient.as_str(),
            Self::Service(key) => &key.name,
        }
    }
}

/// Someone who will be able to open a file.
pub(crate) struct Recipient {
    key: Box<dyn age::Recipient + Send + Sync>,
    text: String,
}

impl Recipient {
    /// Reads `age1…`, `age1pq1…`, `ssh-ed25519 …` or `ssh-rsa …`. Fails with a phrase that names what it is.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let key: Box<dyn age::Recipient + Send + Sync> = if text.starts_with("age1pq1") {
            Box::new(HybridRecipient::parse(text).ok_or("is not a valid post-quantum recipient")?)
        } else if text.starts_with("age1") {
            if let Some(plugin) = super::plugin_of_recipient(text) {
                return Err(format!(
                    "needs age-plugin-{plugin}, and plugins are not supported"
                ));
            }
            let parsed: Result<age::x25519::Recipient, _> = text.parse();
            Box::new(parsed.map_err(|_| "is not a valid age recipient")?)
        } else if text.starts_with("ssh-") {
            let parsed: Result<age::ssh::Recipient, _> = text.parse();
            Box::new(parsed.map_err(|_| "is not a valid ssh-ed25519 or ssh-rsa public key")?)
        } else if text.starts_with("AGE-") {
            // The text is a secret: it is not shown.
            return Err("is an identity; a recipient is its public key".to_owned());
        } else {
            return Err("is neither an age recipient nor an ssh public key".to_owned());
        };
        Ok(Self {
            key,
            text: text.to_owned(),
        })
    }

    /// As it was given, blanks around it left out.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Wraps a share of a data key: an armored age file for this recipient alone.
    pub(crate) fn wrap(&self, share: &[u8]) -> Result<String, String> {
        let failed = |_| "the data key cannot be wrapped".to_owned();
        let recipients = std::iter::once(&*self.key as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients)
            .map_err(|_| "the data key cannot be wrapped".to_owned())?;
        let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).map_err(failed)?;
        let mut writer = encryptor.wrap_output(armor).map_err(failed)?;
        writer.write_all(share).map_err(failed)?;
        let armored = writer
            .finish()
            .and_then(ArmoredWriter::finish)
            .map_err(failed)?;
        String::from_utf8(armored).map_err(|_| "the data key cannot be wrapped".to_owned())
    }
}
