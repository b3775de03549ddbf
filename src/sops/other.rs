//! Other values of the same shape in the place of sealed ones: what a render makes of them says which of its output
//! depends on a sealed value, whatever a template did with it.
//!
//! Length, type, character classes, the marks of paths and addresses, JSON and its keys, base64 and PEM stay. Two
//! worlds differ in every letter and digit, in upper and lower case alike, and neither depends on the value.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::document::Value;
use super::timestamp::Timestamp;

/// Which other value is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OtherValues {
    /// The first.
    First,
    /// The second, which shares no letter and no digit with the first.
    Second,
}

/// The letters and digits of a world: its own half of each class.
struct Alphabet {
    hex: &'static [u8],
    lower: &'static [u8],
    /// What numbers start with: parts of addresses and ports stay in their bounds.
    first: u8,
    digits: &'static [u8],
    marks: &'static [u8],
    other: char,
}

const FIRST: Alphabet = Alphabet {
    hex: b"ace",
    lower: b"acegikm",
    first: b'1',
    digits: b"13",
    marks: b"!$*",
    other: '\u{e9}',
};

const SECOND: Alphabet = Alphabet {
    hex: b"bdf",
    lower: b"nprtvxz",
    first: b'2',
    digits: b"24",
    marks: b"%^~",
    other: '\u{fc}',
};

/// Marks that say what a text is: they stay.
const STRUCTURE: &str = "-._/:@=,;&?#[]{}()<>\"'`\\| \t\r\n";

/// Below this many characters a text is not taken for base64.
const MIN_BASE64: usize = 8;

/// JSON in a value that is nested deeper is taken for a text.
const MAX_DEPTH: usize = 32;

/// A source of choices that depends on the place of a value and nothing of the value.
struct Choices {
    seed: [u8; 32],
    block: [u8; 32],
    used: usize,
    count: u64,
}

impl Choices {
    fn at(place: &str) -> Self {
        let seed: [u8; 32] = Sha256::digest(place.as_bytes()).into();
        Self {
            seed,
            block: seed,
            used: 0,
            count: 0,
        }
    }

    fn pick(&mut self, from: &[u8]) -> char {
        if self.used == self.block.len() {
            self.count += 1;
            let mut hash = Sha256::new();
            hash.update(self.seed);
            hash.update(self.count.to_be_bytes());
            self.block = hash.finalize().into();
            self.used = 0;
        }
        let byte = self.block[self.used];
        self.used += 1;
        char::from(from[usize::from(byte) % from.len()])
    }
}

impl OtherValues {
    fn alphabet(self) -> &'static Alphabet {
        match self {
            Self::First => &FIRST,
            Self::Second => &SECOND,
        }
    }

    /// Another value in the place of a sealed one.
    pub(super) fn other(self, value: &Value, place: &str) -> Value {
        match value {
            Value::Bool(_) => Value::Bool(self == Self::First),
            Value::Int(number) => {
                let text = self.text(&number.to_string(), place);
                text.parse().map_or(Value::Int(1), Value::Int)
            }
            Value::Float(number) => {
                let text = self.text(&number.to_string(), place);
                text.parse().map_or(Value::Float(1.5), Value::Float)
            }
            Value::Time(time) => {
                let text = match self {
                    Self::First => "2011-11-11T11:11:11Z",
                    Self::Second => "2022-02-22T22:22:22Z",
                };
                Value::Time(Timestamp::parse(text).unwrap_or_else(|| time.clone()))
            }
            Value::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Value::text(self.text(text, place)),
                // Bytes that are no text: of the same number.
                Err(_) => Value::text(vec![self.alphabet().first; bytes.len()]),
            },
            Value::Null | Value::TooLarge | Value::List(_) | Value::Branch(_) => value.clone(),
        }
    }

    /// Another text of the same shape.
    pub fn text(self, text: &str, place: &str) -> String {
        if let Some(json) = self.json(text, place) {
            return json;
        }
        if let Some(inner) = packed_text(text) {
            return BASE64_STANDARD.encode(self.text(&inner, place));
        }
        self.letters(text, place)
    }

    fn letters(self, text: &str, place: &str) -> String {
        let alphabet = self.alphabet();
        let mut choices = Choices::at(place);
        let is_hex = text
            .bytes()
            .all(|b| b.is_ascii_hexdigit() || STRUCTURE.as_bytes().contains(&b));
        let letters = if is_hex { alphabet.hex } else { alphabet.lower };
        let mut shown = String::with_capacity(text.len());
        let mut is_in_number = false;
        for line in text.split_inclusive('\n') {
            if line.starts_with("-----") {
                shown.push_str(line);
                continue;
            }
            for c in line.chars() {
                let digit = match is_in_number {
                    true => alphabet.digits,
                    false => std::slice::from_ref(&alphabet.first),
                };
                is_in_number = c.is_ascii_digit();
                shown.push(match c {
                    'a'..='z' => choices.pick(letters),
                    'A'..='Z' => choices.pick(letters).to_ascii_uppercase(),
                    '0'..='9' => choices.pick(digit),
                    c if STRUCTURE.contains(c) => c,
                    '+' => '+',
                    c if c.is_ascii_graphic() => choices.pick(alphabet.marks),
                    c if c.is_alphanumeric() => alphabet.other,
                    c => c,
                });
            }
        }
        shown
    }

    /// JSON with other texts and numbers; its keys stay.
    fn json(self, text: &str, place: &str) -> Option<String> {
        let is_json = text.trim_start().starts_with(['{', '[']);
        let mut value: serde_json::Value =
            is_json.then(|| serde_json::from_str(text).ok()).flatten()?;
        self.json_value(&mut value, place, 0)?;
        serde_json::to_string(&value).ok()
    }

    fn json_value(self, value: &mut serde_json::Value, place: &str, depth: usize) -> Option<()> {
        use serde_json::Value as Json;
        match value {
            _ if depth > MAX_DEPTH => return None,
            Json::Null => {}
            Json::Bool(flag) => *flag = self == Self::First,
            Json::Number(number) => {
                let other = self.letters(&number.to_string(), place);
                *value = serde_json::from_str(&other).ok()?;
            }
            Json::String(text) => *text = self.text(text, place),
            Json::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.json_value(item, &format!("{place}/{index}"), depth + 1)?;
                }
            }
            Json::Object(fields) => {
                for (key, item) in fields.iter_mut() {
                    self.json_value(item, &format!("{place}/{key}"), depth + 1)?;
                }
            }
        }
        Some(())
    }
}

/// The text that is packed as base64, where that is what a value is.
fn packed_text(text: &str) -> Option<String> {
    let is_long = text.len() >= MIN_BASE64;
    let bytes = is_long
        .then(|| BASE64_STANDARD.decode(text).ok())
        .flatten()?;
    let inner = String::from_utf8(bytes).ok()?;
    let is_shown = |c: char| !c.is_control() || c.is_whitespace();
    inner.chars().all(is_shown).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::OtherValues::{First, Second};
    use super::*;

    #[test]
    fn the_shape_stays_and_the_worlds_share_nothing() {
        for text in [
            "correct-horse-battery-staple",
            "postgres://app:S3cr3t!@db.example.com:5432/app?sslmode=require",
            "AKIAIOSFODNN7EXAMPLE",
            "0123456789abcdef0123456789abcdef",
            "10.1.2.3/24",
            "482913",
        ] {
            let (a, b) = (First.text(text, "x"), Second.text(text, "x"));
            assert_eq!(a.len(), text.len(), "{a}");
            for ((x, y), c) in a.chars().zip(b.chars()).zip(text.chars()) {
                let kept = STRUCTURE.contains(c);
                assert_eq!(x.eq_ignore_ascii_case(&y), kept, "{a} {b}");
                assert_eq!(x.is_ascii_digit(), c.is_ascii_digit());
                assert_eq!(x.is_ascii_uppercase(), c.is_ascii_uppercase());
            }
        }
        assert_eq!(First.text("10.1.2.3", "x").split('.').count(), 4);
    }

    #[test]
    fn what_is_packed_stays_packed() {
        let json = r#"{"auths":{"ghcr.io":{"username":"me","password":"pw123","on":true,"n":12}}}"#;
        let other: serde_json::Value = serde_json::from_str(&First.text(json, "x")).unwrap();
        assert!(other["auths"]["ghcr.io"]["password"].is_string());
        assert_ne!(other["auths"]["ghcr.io"]["username"], "me");
        let packed = BASE64_STANDARD.encode("user:pass");
        let inner = BASE64_STANDARD.decode(First.text(&packed, "x")).unwrap();
        assert_eq!(inner.len(), 9);
        let pem = "-----BEGIN KEY-----\nMIIEvQIBADANBg==\n-----END KEY-----\n";
        let other = Second.text(pem, "x");
        assert!(other.starts_with("-----BEGIN KEY-----\n") && other.len() == pem.len());
    }
}
