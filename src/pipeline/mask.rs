//! Keeps what came out of sealed files out of every message.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use crate::diagnostic::{Diagnostic, Report};

/// Shorter values are words of any text: masking them would hide the message and protect nothing.
const MIN_CHARS: usize = 4;

/// What stands in a message where a secret stood.
const MARK: &str = "«secret»";

/// The texts that no message may repeat: each decrypted value, each of its lines, and the forms that
/// manifests and URLs give them.
#[derive(Default)]
pub struct Mask {
    /// Longest first, so that a value is not left half shown by a shorter one inside it.
    needles: Vec<SecretString>,
}

impl Mask {
    /// Builds the mask of some decrypted values.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut needles = Vec::new();
        for secret in secrets {
            forms(secret.expose_secret(), &mut needles);
        }
        needles.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        needles.dedup();
        Self {
            needles: needles.into_iter().map(SecretString::from).collect(),
        }
    }

    /// Masks a text.
    pub fn text(&self, text: &str) -> String {
        self.text_but(text, |_| false)
    }

    fn text_but(&self, text: &str, is_shown: impl Fn(&str) -> bool) -> String {
        let mut masked = text.to_owned();
        for needle in self.needles.iter().map(ExposeSecret::expose_secret) {
            if masked.contains(needle) && !is_shown(needle) {
                masked = masked.replace(needle, MARK);
            }
        }
        masked
    }

    /// Masks every text of a finding, but not what is part of the path that it is about.
    pub fn finding(&self, finding: Diagnostic) -> Diagnostic {
        if self.needles.is_empty() {
            return finding;
        }
        let paths: Vec<String> = finding
            .place()
            .into_iter()
            .chain(finding.trail())
            .map(|p| p.file.to_string())
            .collect();
        finding
            .map_text(|text| self.text_but(text, |needle| paths.iter().any(|p| p.contains(needle))))
    }

    /// Masks every finding of a report.
    pub fn report(&self, report: Report) -> Report {
        Report {
            findings: report
                .findings
                .into_iter()
                .map(|f| self.finding(f))
                .collect(),
        }
    }
}

fn forms(value: &str, needles: &mut Vec<String>) {
    let mut add = |text: String| {
        if text.chars().count() >= MIN_CHARS {
            needles.push(text);
        }
    };
    for piece in std::iter::once(value)
        .chain(value.lines())
        .map(str::trim_end)
    {
        add(piece.to_owned());
        let json = serde_json::Value::from(piece).to_string();
        add(json[1..json.len() - 1].to_owned());
        add(piece.replace('\'', "''"));
        add(percent_encoded(piece));
        if piece.chars().count() >= MIN_CHARS {
            add(STANDARD_NO_PAD.encode(piece));
            add(URL_SAFE_NO_PAD.encode(piece));
        }
    }
    if value.chars().count() >= MIN_CHARS {
        add(STANDARD.encode(value));
    }
}

/// RFC 3986: every byte but the unreserved ones as `%XX`.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Code, Place};

    fn mask(values: &[&str]) -> Mask {
        let secrets: Vec<SecretString> = values.iter().map(|v| SecretString::from(*v)).collect();
        Mask::new(&secrets)
    }

    #[test]
    fn every_form_is_masked() {
        let mask = mask(&["p@ss \"w\"ord\nsecond line"]);
        for shown in [
            "p@ss \"w\"ord",
            "second line",
            "p%40ss%20%22w%22ord",
            "p@ss \\\"w\\\"ord",
            "c2Vjb25kIGxpbmU",
        ] {
            assert_eq!(
                mask.text(&format!("a {shown} b")),
                format!("a {MARK} b"),
                "{shown}"
            );
        }
    }

    #[test]
    fn a_short_value_and_a_path_stay() {
        let finding = Diagnostic::new(
            Code::FileMissing,
            "apps/keycloak/db.yaml is missing, and so is orders",
        )
        .at(Place::file("apps/keycloak/kustomization.yaml"));
        let masked = mask(&["abc", "keycloak", "orders"]).finding(finding);
        assert_eq!(
            masked.phrase(),
            format!("apps/keycloak/db.yaml is missing, and so is {MARK}")
        );
    }
}
