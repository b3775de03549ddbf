//! What a plain text would be read as: numbers, time stamps and the words of YAML 1.1.

use std::borrow::Cow;

use crate::go::float;
use crate::go::integer::{self, Integer};
use crate::go::time::Timestamp;

/// A number as go-yaml resolves it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Integer(Integer),
    Float(f64),
}

/// Reads a number in every shape that go-yaml v3 takes for one. The infinities and NaN are numbers too.
pub(super) fn number(text: &str) -> Option<Number> {
    match text.as_bytes().first()? {
        b'.' => point(text).or_else(|| special(text)).map(Number::Float),
        b'0'..=b'9' | b'+' | b'-' => integer::parse(text)
            .or_else(|| signed_base(text, true))
            .map(Number::Integer)
            .or_else(|| float::parse(&without_underscores(text)).map(Number::Float))
            .or_else(|| special(text).map(Number::Float)),
        _ => None,
    }
}

/// Whether go-yaml v2 reads a plain text as anything but a string, or other parsers take it for base 60.
pub(super) fn is_ambiguous_v2(text: &str) -> bool {
    let Some(first) = text.as_bytes().first() else {
        return true;
    };
    match first {
        b'.' => special(text).is_some() || point(text).is_some(),
        b'0'..=b'9' | b'+' | b'-' => {
            integer::parse(text).is_some()
                || signed_base(text, false).is_some()
                || float::parse(&without_underscores(text)).is_some()
                || special(text).is_some()
                || is_base_60(text.as_bytes())
                || Timestamp::parse(text).is_some()
        }
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            is_word_v3(text) || is_word_v2(text)
        }
        _ => false,
    }
}

/// Whether a text is null or a boolean of YAML 1.2.
pub(super) fn is_word_v3(text: &str) -> bool {
    matches!(
        text,
        "" | "~"
            | "null"
            | "Null"
            | "NULL"
            | "true"
            | "True"
            | "TRUE"
            | "false"
            | "False"
            | "FALSE"
    )
}

/// Whether a text is one of the further booleans of YAML 1.1.
pub(super) fn is_word_v2(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    )
}

/// Whether a text is a number in base 60: `1:20`, `-190:20:30.15`. The first group may have any length.
pub(super) fn is_base_60(text: &[u8]) -> bool {
    let text = text
        .strip_prefix(b"-")
        .or_else(|| text.strip_prefix(b"+"))
        .unwrap_or(text);
    let mut groups = text.split(|&b| b == b':');
    let whole = groups.next().unwrap_or_default();
    if !matches!(whole, [b'0'..=b'9', rest @ ..] if is_digits(rest)) {
        return false;
    }
    let mut groups = groups.peekable();
    if groups.peek().is_none() {
        return false;
    }
    while let Some(group) = groups.next() {
        let mut parts = group.splitn(2, |&b| b == b'.');
        let minutes = parts.next().unwrap_or_default();
        if !matches!(minutes, [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']) {
            return false;
        }
        if let Some(fraction) = parts.next()
            && (groups.peek().is_some() || !is_digits(fraction))
        {
            return false;
        }
    }
    true
}

fn is_digits(text: &[u8]) -> bool {
    text.iter().all(|b| b.is_ascii_digit() || *b == b'_')
}

/// `0b+101`, and in v3 `0o-17`: prefix first, sign after.
fn signed_base(text: &str, octal: bool) -> Option<Integer> {
    let text = &without_underscores(text)[..];
    match text.strip_prefix("0b") {
        Some(digits) => integer::parse_signed_digits(digits, 2),
        None if octal => integer::parse_signed_digits(text.strip_prefix("0o")?, 8),
        None => None,
    }
}

/// A number that starts with its point. Underscores must stand between digits here.
fn point(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let separates = |i: usize| {
        i > 0 && bytes[i - 1].is_ascii_digit() && bytes.get(i + 1).is_some_and(u8::is_ascii_digit)
    };
    if (0..bytes.len()).any(|i| bytes[i] == b'_' && !separates(i)) {
        return None;
    }
    float::parse(&without_underscores(text))
}

fn special(text: &str) -> Option<f64> {
    Some(match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => f64::INFINITY,
        "-.inf" | "-.Inf" | "-.INF" => f64::NEG_INFINITY,
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        _ => return None,
    })
}

fn without_underscores(text: &str) -> Cow<'_, str> {
    if text.contains('_') {
        Cow::Owned(text.replace('_', ""))
    } else {
        Cow::Borrowed(text)
    }
}
