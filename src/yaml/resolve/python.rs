//! Plain scalars as PyYAML's `safe_load` resolves them: YAML 1.1.

use std::borrow::Cow;

use super::go;
use crate::yaml::Tag;

/// The type of a plain scalar.
pub(super) fn resolve(text: &str) -> Tag {
    let Some(first) = text.bytes().next() else {
        return Tag::Null;
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' | b'<' => {
            if boolean(text).is_some() {
                return Tag::Bool;
            }
            match go::resolve(text) {
                tag @ (Tag::Null | Tag::Merge) => tag,
                _ => Tag::Str,
            }
        }
        b'0'..=b'9' | b'+' | b'-' | b'.' => {
            if integer(text).is_some() {
                Tag::Int
            } else if is_float(text) {
                Tag::Float
            } else if is_timestamp(text) {
                Tag::Timestamp
            } else {
                Tag::Str
            }
        }
        _ => Tag::Str,
    }
}

/// A boolean or number as Go's schema writes it; `None` when the text can stay.
pub(super) fn canonical(text: &str, tag: Tag) -> Option<Cow<'static, str>> {
    match tag {
        Tag::Bool => boolean(text).map(|value| Cow::Borrowed(if value { "true" } else { "false" })),
        Tag::Int => integer(text).map(Cow::Owned),
        Tag::Float => float(text).map(Cow::Owned),
        _ => None,
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn split_sign(text: &str) -> (&'static str, &str) {
    match text.as_bytes().first() {
        Some(b'-') => ("-", &text[1..]),
        Some(b'+') => ("", &text[1..]),
        _ => ("", text),
    }
}

/// The decimal form of an integer; `None` for another text or one past 128 bits.
fn integer(text: &str) -> Option<String> {
    let (sign, digits) = split_sign(text);
    let value = if let Some(bits) = digits.strip_prefix("0b") {
        in_base(bits, 2)?
    } else if let Some(hex) = digits.strip_prefix("0x") {
        in_base(hex, 16)?
    } else if digits == "0" {
        0
    } else if let Some(octal) = digits.strip_prefix('0') {
        in_base(octal, 8)?
    } else if digits.contains(':') {
        let (first, rest) = digits.split_once(':')?;
        if !first.starts_with(|c: char| matches!(c, '1'..='9')) {
            return None;
        }
        base_60(in_base(first, 10)?, rest)?
    } else {
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        in_base(digits, 10)?
    };
    let sign = if value == 0 { "" } else { sign };
    Some(format!("{sign}{value}"))
}

fn in_base(digits: &str, base: u32) -> Option<u128> {
    let well_formed = digits.chars().all(|c| c == '_' || c.is_digit(base));
    if digits.is_empty() || !well_formed {
        return None;
    }
    u128::from_str_radix(&digits.replace('_', ""), base).ok()
}

/// Adds `:`-separated digits in base 60, each below 60 and of one or two characters.
fn base_60(first: u128, rest: &str) -> Option<u128> {
    rest.split(':').try_fold(first, |sum, part| {
        let digit: u128 = part.parse().ok()?;
        let well_formed =
            matches!(part.len(), 1 | 2) && digit < 60 && part.bytes().all(|b| b.is_ascii_digit());
        if !well_formed {
            return None;
        }
        sum.checked_mul(60)?.checked_add(digit)
    })
}

/// `[-+]?\d[\d_]*\.[\d_]*([eE][-+]\d+)?`, `\.\d[\d_]*([eE][-+]\d+)?`, base 60 with a fraction, `.inf`, `.nan`.
fn is_float(text: &str) -> bool {
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let (_, unsigned) = split_sign(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let Some((whole, rest)) = unsigned.split_once('.') else {
        return false;
    };
    if whole.contains(':') {
        return is_digits(rest) && float_base_60(whole, rest).is_some();
    }
    let (fraction, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let starts_well = if whole.is_empty() {
        unsigned.len() == text.len() && fraction.starts_with(|c: char| c.is_ascii_digit())
    } else {
        whole.starts_with(|c: char| c.is_ascii_digit()) && is_digits(whole)
    };
    starts_well && is_digits(fraction) && exponent.is_none_or(is_exponent)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b == b'_' || b.is_ascii_digit())
}

fn is_exponent(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or("");
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

#[expect(clippy::cast_precision_loss, reason = "as Python's float() rounds")]
fn float_base_60(whole: &str, fraction: &str) -> Option<f64> {
    let (first, rest) = whole.split_once(':')?;
    let minutes = base_60(in_base(first, 10)?, rest)? as f64;
    let fraction: f64 = format!("0.{}", fraction.replace('_', "")).parse().ok()?;
    Some(minutes + fraction)
}

fn float(text: &str) -> Option<String> {
    if text.contains(':') {
        let (sign, unsigned) = split_sign(text);
        let (whole, fraction) = unsigned.split_once('.')?;
        let value = float_base_60(whole, fraction)?;
        return Some(format!("{sign}{value:?}"));
    }
    text.contains('_').then(|| text.replace('_', ""))
}

/// `2024-01-02`, or a date and a time apart by `T`, `t` or blanks, with an optional offset.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_shape = |shape: &str| {
        bytes.len() == shape.len()
            && bytes.iter().zip(shape.bytes()).all(|(b, s)| match s {
                b'0' => b.is_ascii_digit(),
                _ => *b == s,
            })
    };
    if is_shape("0000-00-00") {
        return true;
    }
    let mut rest = Shape(bytes);
    rest.digits(4, 4)
        && rest.byte(b'-')
        && rest.digits(1, 2)
        && rest.byte(b'-')
        && rest.digits(1, 2)
        && (rest.byte(b'T') || rest.byte(b't') || rest.blanks() > 0)
        && rest.digits(1, 2)
        && rest.byte(b':')
        && rest.digits(2, 2)
        && rest.byte(b':')
        && rest.digits(2, 2)
        && (!rest.byte(b'.') || rest.digits(0, usize::MAX))
        && rest.offset()
}

/// The rest of a text that is matched from its start.
struct Shape<'a>(&'a [u8]);

impl Shape<'_> {
    fn byte(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    fn digits(&mut self, least: usize, most: usize) -> bool {
        let count = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let count = count.min(most);
        self.0 = &self.0[count..];
        count >= least
    }

    fn blanks(&mut self) -> usize {
        let blanks = self.0.iter().take_while(|b| matches!(b, b' ' | b'\t'));
        let count = blanks.count();
        self.0 = &self.0[count..];
        count
    }

    fn offset(&mut self) -> bool {
        if self.0.is_empty() {
            return true;
        }
        self.blanks();
        if self.byte(b'Z') {
            return self.0.is_empty();
        }
        (self.byte(b'-') || self.byte(b'+'))
            && self.digits(1, 2)
            && (!self.byte(b':') || self.digits(2, 2))
            && self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{canonical, resolve};
    use crate::yaml::Tag;

    #[test]
    fn resolves_as_pyyaml() {
        let rows: &[(Tag, &str)] = &[
            (Tag::Bool, "yes No ON off true FALSE"),
            (
                Tag::Int,
                "0 1 -1 +1 0777 0b1_0 0x1F 1_000 1:30 190:20:30 00 -0",
            ),
            (
                Tag::Float,
                "1.0 1. 1.5e+3 .5 -1.5 1_0.5 1:30.5 .inf -.Inf .nan 0.1 1.e+3",
            ),
            (Tag::Timestamp, "2024-01-02 2024-1-2T3:04:05Z 2024-99-99"),
            (
                Tag::Str,
                "y n 1e3 1.5e3 08 0o17 -.5 1:99 0:30 :30 2024-1-2 0b2 + . 1.2.3 --1 yEs",
            ),
            (Tag::Null, "~ null NULL"),
            (Tag::Merge, "<<"),
        ];
        for (tag, texts) in rows {
            for text in texts.split(' ') {
                assert_eq!(resolve(text), *tag, "{text}");
            }
        }
    }

    #[test]
    fn rewrites_what_go_reads_otherwise() {
        let rows = [
            ("yes", "true"),
            ("0777", "511"),
            ("1:30", "90"),
            ("-1_000", "-1000"),
            ("0x1F", "31"),
            ("1:30.5", "90.5"),
        ];
        for (text, expected) in rows {
            assert_eq!(canonical(text, resolve(text)).as_deref(), Some(expected));
        }
    }
}
