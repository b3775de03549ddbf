//! How a scalar looks: its text, its style, and a tag where the text needs one.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::cursor::ScalarStyle;
use crate::go::float;
use crate::yaml::emit::analysis::{Analysis, Dialect};
use crate::yaml::emit::error::{ValueErrorKind, tag_name};
use crate::yaml::emit::resolve;
use crate::yaml::emit::value::Scalar;
use crate::yaml::{Node, Schema, Style, Tag, Timestamp};

/// The longest key, in bytes, that stands on a line with its value.
const LONGEST_SIMPLE_KEY: usize = 128;

/// The length of the lines of `!!binary`.
const BINARY_LINE: usize = 70;

/// The style that the encoder asks for; the emitter takes another one where the text does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
}

/// What is written for a scalar.
#[derive(Debug)]
pub(super) struct Plan<'n> {
    pub(super) text: Cow<'n, str>,
    pub(super) tag: Option<Cow<'n, str>>,
    wish: Wish,
    analysis: Analysis,
}

impl<'n> Plan<'n> {
    /// Decides by tag and text. Numbers, booleans, nulls and time stamps are normalised as Go prints them.
    pub(super) fn of(node: &'n Node, text: &'n str) -> Result<Self, ValueErrorKind> {
        let mismatch = ValueErrorKind::Mismatch(node.tag());
        match node.tag() {
            Tag::Str | Tag::Custom | Tag::Merge | Tag::Seq | Tag::Map => {
                Ok(Self::string(text.into()))
            }
            Tag::Timestamp => {
                let moment = Timestamp::parse(text).ok_or(mismatch)?;
                Ok(Self::new(moment.to_string().into(), None, Wish::Plain))
            }
            Tag::Binary => Self::binary(text).ok_or(mismatch),
            Tag::Null | Tag::Bool | Tag::Int | Tag::Float => Ok(Self::new(
                written(Scalar::of(node, text)?),
                None,
                Wish::Plain,
            )),
        }
    }

    /// Keeps style and text; a tag is written where the text has another one by itself.
    pub(super) fn as_read(node: &'n Node, text: &'n str) -> Self {
        let implied = crate::yaml::resolve(text, Schema::Go);
        let is_text = matches!(node.tag(), Tag::Str);
        let tag: Option<Cow<'n, str>> = match node.tag() {
            Tag::Custom => node.custom_tag().map(Cow::Borrowed),
            Tag::Str => None,
            tag if tag == implied => None,
            tag => Some(tag_name(tag).into()),
        };
        let wish = match node.style() {
            Style::DoubleQuoted => Wish::Double,
            Style::SingleQuoted => Wish::Single,
            Style::Literal => Wish::Literal,
            Style::Folded => Wish::Folded,
            Style::Plain | Style::Flow if text.contains('\n') => Wish::Literal,
            Style::Plain | Style::Flow if is_text && implied != Tag::Str => Wish::Double,
            Style::Plain | Style::Flow => Wish::Plain,
        };
        let analysis = Analysis::of(text, Dialect::V3);
        let text = text.into();
        Self {
            text,
            tag,
            wish,
            analysis,
        }
    }

    fn new(text: Cow<'n, str>, tag: Option<&'static str>, wish: Wish) -> Self {
        let analysis = Analysis::of(&text, Dialect::V3);
        Self {
            text,
            tag: tag.map(Cow::Borrowed),
            wish,
            analysis,
        }
    }

    fn string(text: Cow<'n, str>) -> Self {
        // The text of a merge key resolves to its tag wherever it stands.
        if text == "<<" {
            return Self::new(text, Some("!!merge"), Wish::Plain);
        }
        // go-yaml cannot read a block back that starts with a tab.
        let wish = if text.starts_with('\t') && text.contains('\n') {
            Wish::Double
        } else if text.contains('\n') {
            Wish::Literal
        } else if resolve::is_ambiguous(&text, Dialect::V3) {
            Wish::Double
        } else {
            Wish::Plain
        };
        Self::new(text, None, wish)
    }

    /// Bytes that are text are written as text; the others as base64.
    fn binary(text: &str) -> Option<Self> {
        let compact: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        let bytes = STANDARD.decode(compact).ok()?;
        let encoded = match String::from_utf8(bytes) {
            Ok(text) => return Some(Self::string(text.into())),
            Err(error) => STANDARD.encode(error.as_bytes()),
        };
        if encoded.len() < BINARY_LINE {
            return Some(Self::new(encoded.into(), Some("!!binary"), Wish::Plain));
        }
        let mut lines = String::with_capacity(encoded.len() + encoded.len() / BINARY_LINE + 1);
        for start in (0..encoded.len()).step_by(BINARY_LINE) {
            lines.push_str(&encoded[start..encoded.len().min(start + BINARY_LINE)]);
            lines.push('\n');
        }
        Some(Self::new(lines.into(), Some("!!binary"), Wish::Literal))
    }

    /// Whether it can stand before the `:` on one line with a value.
    pub(super) fn is_simple_key(&self) -> bool {
        !self.analysis.multiline
            && self.text.len() + self.tag.as_ref().map_or(0, |tag| tag.len()) <= LONGEST_SIMPLE_KEY
    }

    /// The style that holds the text here.
    pub(super) fn style(&self, simple_key: bool) -> ScalarStyle {
        match self.wish {
            Wish::Literal if self.analysis.block && !simple_key => ScalarStyle::Literal,
            Wish::Folded if self.analysis.block && !simple_key => ScalarStyle::Folded,
            Wish::Plain if self.analysis.plain => ScalarStyle::Plain,
            Wish::Plain | Wish::Single if self.analysis.single => ScalarStyle::Single,
            Wish::Literal | Wish::Folded | Wish::Plain | Wish::Single | Wish::Double => {
                ScalarStyle::Double
            }
        }
    }

    /// The style that holds the text within a flow collection.
    pub(super) fn flow_style(&self) -> ScalarStyle {
        let has_indicator =
            self.text.is_empty() || self.text.contains([',', '?', '[', ']', '{', '}', ':']);
        match self.style(true) {
            ScalarStyle::Plain if has_indicator => ScalarStyle::Single,
            style => style,
        }
    }
}

fn written(scalar: Scalar<'_>) -> Cow<'_, str> {
    match scalar {
        Scalar::Null => "null".into(),
        Scalar::Bool(true) => "true".into(),
        Scalar::Bool(false) => "false".into(),
        Scalar::Int(value) => value.to_string().into(),
        Scalar::Uint(value) => value.to_string().into(),
        Scalar::Decimal(text) => text.into(),
        Scalar::String(text) => text,
        Scalar::Float(value) if value.is_nan() => ".nan".into(),
        Scalar::Float(f64::INFINITY) => ".inf".into(),
        Scalar::Float(f64::NEG_INFINITY) => "-.inf".into(),
        Scalar::Float(value) => {
            let mut out = Vec::new();
            float::write_general(&mut out, value);
            String::from_utf8(out).expect("a float is ASCII").into()
        }
    }
}
