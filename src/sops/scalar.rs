//! Scalars as bytes: what is encrypted, what the MAC covers, and how Go reads the bytes back.

use std::borrow::Cow;

use super::document::Value;
use super::timestamp::Timestamp;

/// The type of a sealed value, as it stands in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Str,
    /// Read as text; sops writes none, and some of its releases stop at one.
    Bytes,
    Int,
    Float,
    Bool,
    Time,
    Comment,
}

impl Kind {
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "str" => Some(Self::Str),
            "bytes" => Some(Self::Bytes),
            "int" => Some(Self::Int),
            "float" => Some(Self::Float),
            "bool" => Some(Self::Bool),
            "time" => Some(Self::Time),
            "comment" => Some(Self::Comment),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Bytes => "bytes",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Time => "time",
            Self::Comment => "comment",
        }
    }

    /// The type of a value that can be sealed.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Text(_) => Some(Self::Str),
            Value::Int(_) => Some(Self::Int),
            Value::Float(_) => Some(Self::Float),
            Value::Bool(_) => Some(Self::Bool),
            Value::Time(_) => Some(Self::Time),
            Value::Null | Value::TooLarge | Value::List(_) | Value::Branch(_) => None,
        }
    }

    /// Reads the plaintext of a sealed value; `None` when it is not of this type.
    pub(super) fn read(self, plain: &[u8]) -> Option<Value> {
        let text = || std::str::from_utf8(plain).ok();
        match self {
            Self::Str | Self::Bytes => Some(Value::text(plain)),
            Self::Int => parse_int(text()?).map(Value::Int),
            Self::Float => parse_float(text()?).map(Value::Float),
            Self::Bool => parse_bool(text()?).map(Value::Bool),
            Self::Time => Timestamp::parse(text()?).map(Value::Time),
            Self::Comment => None,
        }
    }
}

/// The bytes of a scalar that are sealed and that the MAC covers; `None` for what is no scalar.
pub(super) fn to_bytes(value: &Value) -> Option<Cow<'_, [u8]>> {
    Some(match value {
        Value::Text(text) => Cow::Borrowed(&text[..]),
        Value::Int(number) => Cow::Owned(number.to_string().into_bytes()),
        Value::Float(number) => Cow::Owned(float_text(*number).into_bytes()),
        Value::Bool(true) => Cow::Borrowed(b"True"),
        Value::Bool(false) => Cow::Borrowed(b"False"),
        Value::Time(moment) => Cow::Borrowed(moment.as_str().as_bytes()),
        Value::Null | Value::TooLarge | Value::List(_) | Value::Branch(_) => return None,
    })
}

/// A float as Go's `FormatFloat(f, 'f', -1, 64)`: the shortest digits, never an exponent.
pub(super) fn float_text(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    number.to_string()
}

/// Go's `strconv.Atoi`: a sign and decimal digits, leading zeros allowed.
fn parse_int(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// Go's `strconv.ParseBool`.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "True" | "TRUE" => Some(true),
        "0" | "f" | "F" | "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Go's `strconv.ParseFloat`: decimal or hexadecimal, `_` between digits, `Inf`, `NaN`; `None` when the
/// number is beyond 64 bits.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    if matches!(lower.as_str(), "inf" | "infinity") {
        return text.parse().ok();
    }
    if lower == "nan" {
        return (text.len() == unsigned.len()).then_some(f64::NAN);
    }
    if !underscores_separate_digits(&lower) {
        return None;
    }
    let digits = lower.replace('_', "");
    let magnitude: f64 = match digits.strip_prefix("0x") {
        Some(hexadecimal) => parse_hexadecimal(hexadecimal)?,
        None if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
            digits.parse().ok()?
        }
        None => return None,
    };
    let number = if text.starts_with('-') {
        -magnitude
    } else {
        magnitude
    };
    number.is_finite().then_some(number)
}

fn underscores_separate_digits(lower: &str) -> bool {
    let bytes = lower.as_bytes();
    let prefixed = lower.starts_with("0x");
    bytes.iter().enumerate().all(|(i, b)| {
        let digit = |b: Option<&u8>| {
            b.is_some_and(|b| b.is_ascii_digit() || (prefixed && b.is_ascii_hexdigit()))
        };
        let before = i > 0 && (digit(bytes.get(i - 1)) || (prefixed && i == 2));
        *b != b'_' || (before && digit(bytes.get(i + 1)))
    })
}

/// The digits after `0x`: a mantissa, and an exponent of two that must be there.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let digits_are_decimal = exponent
        .strip_prefix(['+', '-'])
        .unwrap_or(exponent)
        .bytes()
        .all(|b| b.is_ascii_digit());
    let mut scale: i32 = exponent.parse().ok().filter(|_| digits_are_decimal)?;
    let mut number: u64 = 0;
    for (index, digit) in whole.chars().chain(part.chars()).enumerate() {
        let digit = u64::from(digit.to_digit(16)?);
        let after_point = index >= whole.len();
        if number >> 58 == 0 {
            number = number << 4 | digit;
            scale = scale.checked_sub(if after_point { 4 } else { 0 })?;
        } else {
            // Digits beyond the precision only tell whether to round up.
            number |= u64::from(digit > 0);
            scale = scale.checked_add(if after_point { 0 } else { 4 })?;
        }
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "rounding to 53 bits is what is asked for"
    )]
    let mut value = number as f64;
    // In steps, so that a small result is not lost to an intermediate zero.
    while scale != 0 && value != 0.0 && value.is_finite() {
        let step = scale.clamp(-1000, 1000);
        value *= 2f64.powi(step);
        scale -= step;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::{float_text, parse_float};

    #[test]
    fn reads_floats_as_go_does() {
        let cases = [
            ("1.5", 1.5),
            ("1e3", 1000.0),
            ("0x1p-2", 0.25),
            ("0x1.8p1", 3.0),
            ("-Inf", f64::NEG_INFINITY),
            ("1_000.5", 1000.5),
            ("+.5", 0.5),
        ];
        for (text, wanted) in cases {
            assert_eq!(parse_float(text), Some(wanted), "{text}");
        }
        for text in [
            "", ".", "1e", "0x1", "_1", "1__0", "1e400", "-nan", "infin", "--1", "0x1p",
        ] {
            assert_eq!(parse_float(text), None, "{text}");
        }
    }

    #[test]
    fn writes_floats_without_an_exponent() {
        assert_eq!(float_text(1e21), "1000000000000000000000");
        assert_eq!(float_text(1.0), "1");
        assert_eq!(float_text(1e-7), "0.0000001");
        assert_eq!(float_text(f64::INFINITY), "+Inf");
    }
}
