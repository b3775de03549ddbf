//! The value of a scalar after its way through JSON, from its tag and text alone.

use std::borrow::Cow;

use base64::Engine as _;

use super::error::ValueErrorKind;
use crate::yaml::{Node, Number, Style, Tag, Timestamp};

/// A scalar as JSON knows it.
#[derive(Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    /// An integer whose text is already its canonical decimal form.
    Decimal(&'a str),
    Float(f64),
    String(Cow<'a, str>),
}

impl<'a> Scalar<'a> {
    /// Reads a scalar node, as go-yaml v3 decodes it and `encoding/json` takes it.
    pub(super) fn for_json(node: &'a Node, text: &'a str) -> Result<Self, ValueErrorKind> {
        match Self::of(node, text)? {
            // An absent value in a flow mapping, which Go writes as quotes and reads again.
            Self::Null if node.style() == Style::Flow => Ok(Self::String(Cow::Borrowed(""))),
            Self::Float(value) if !value.is_finite() => Err(ValueErrorKind::NotFinite),
            scalar => Ok(scalar),
        }
    }

    /// Reads a scalar node, as go-yaml v3 decodes it.
    pub(super) fn of(node: &'a Node, text: &'a str) -> Result<Self, ValueErrorKind> {
        let mismatch = ValueErrorKind::Mismatch(node.tag());
        match node.tag() {
            Tag::Str | Tag::Custom | Tag::Merge => Ok(Self::String(Cow::Borrowed(text))),
            Tag::Int => integer(text).ok_or(mismatch),
            Tag::Float => float(text, mismatch),
            Tag::Bool => match text {
                "true" | "True" | "TRUE" => Ok(Self::Bool(true)),
                "false" | "False" | "FALSE" => Ok(Self::Bool(false)),
                _ => Err(mismatch),
            },
            Tag::Null => match text {
                "" | "~" | "null" | "Null" | "NULL" => Ok(Self::Null),
                _ => Err(mismatch),
            },
            Tag::Timestamp => timestamp(text, mismatch),
            Tag::Binary => binary(text).map(Self::String).ok_or(mismatch),
            // A scalar under a collection's tag: v3 hands its text on, as it does for tags it does not know.
            Tag::Seq | Tag::Map => Ok(Self::String(Cow::Borrowed(text))),
        }
    }
}

fn integer(text: &str) -> Option<Scalar<'_>> {
    if is_canonical(text.as_bytes()) {
        return Some(Scalar::Decimal(text));
    }
    match Number::parse(text)? {
        Number::Int(value) => Some(Scalar::Int(value)),
        Number::Uint(value) => Some(Scalar::Uint(value)),
        Number::Float(_) => None,
    }
}

/// Whether a text is a decimal of at most 18 digits without sign, zeros or anything else to drop.
fn is_canonical(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.len() < 18 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn float(text: &str, mismatch: ValueErrorKind) -> Result<Scalar<'_>, ValueErrorKind> {
    let value = Number::parse(text).ok_or(mismatch)?.as_f64();
    Ok(Scalar::Float(value))
}

fn timestamp(text: &str, mismatch: ValueErrorKind) -> Result<Scalar<'_>, ValueErrorKind> {
    let text = Timestamp::parse(text).ok_or(mismatch)?.to_string();
    if text.ends_with("+24:00") || text.ends_with("-24:00") {
        return Err(ValueErrorKind::TimestampOffset);
    }
    Ok(Scalar::String(Cow::Owned(text)))
}

/// Decodes `!!binary`; JSON has no bytes, so what is not UTF-8 becomes replacement characters, one a byte.
fn binary(text: &str) -> Option<Cow<'_, str>> {
    let compact: Vec<u8> = text
        .bytes()
        .filter(|b| !matches!(b, b'\n' | b'\r'))
        .collect();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(compact)
        .ok()?;
    let mut decoded = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        decoded.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Some(Cow::Owned(decoded))
}
