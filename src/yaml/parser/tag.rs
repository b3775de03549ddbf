//! What an explicit tag means for a scalar.

use super::error::SyntaxError;
use super::options::Schema;
use super::scanner::Result;
use crate::yaml::resolve::{Number, Timestamp, resolve};
use crate::yaml::{Mark, Style, Tag};

const STANDARD_PREFIX: &str = "tag:yaml.org,2002:";

/// A tag as written, its handle replaced by the prefix that it stands for.
pub(super) enum Explicit {
    /// `!`: as if there were none.
    None,
    Standard(Tag),
    /// In the short form, `!!name` for a name of YAML's own.
    Custom(String),
}

impl Explicit {
    pub(super) fn of(full: &str) -> Self {
        if full == "!" {
            return Self::None;
        }
        let Some(name) = full
            .strip_prefix(STANDARD_PREFIX)
            .or_else(|| full.strip_prefix("!!"))
        else {
            return Self::Custom(full.to_owned());
        };
        Self::Standard(match name {
            "null" => Tag::Null,
            "bool" => Tag::Bool,
            "int" => Tag::Int,
            "float" => Tag::Float,
            "str" => Tag::Str,
            "timestamp" => Tag::Timestamp,
            "binary" => Tag::Binary,
            "merge" => Tag::Merge,
            "seq" => Tag::Seq,
            "map" => Tag::Map,
            _ => return Self::Custom(format!("!!{name}")),
        })
    }
}

/// The type of a scalar with a tag of YAML's own; its text must fit.
pub(super) fn of_scalar(tag: Tag, text: &str, schema: Schema, mark: Mark) -> Result<Tag> {
    let fits = match tag {
        Tag::Null | Tag::Bool | Tag::Int => resolve(text, schema) == tag,
        Tag::Float => match resolve(text, schema) {
            Tag::Float => true,
            Tag::Int => !matches!(Number::parse(text), Some(Number::Uint(_))),
            // PyYAML hands a tagged text to Python's own `float`, whatever a plain scalar would be.
            _ => schema == Schema::Python && text.replace('_', "").parse::<f64>().is_ok(),
        },
        Tag::Timestamp => Timestamp::parse(text).is_some(),
        Tag::Binary => is_base64(text),
        Tag::Str | Tag::Merge | Tag::Seq | Tag::Map | Tag::Custom => true,
    };
    if !fits {
        return Err(SyntaxError::new(mark, "this value does not fit its tag"));
    }
    Ok(match tag {
        Tag::Seq | Tag::Map => Tag::Str,
        _ => tag,
    })
}

fn is_base64(text: &str) -> bool {
    use base64::Engine as _;
    let text: Vec<u8> = text
        .bytes()
        .filter(|b| !matches!(b, b'\r' | b'\n'))
        .collect();
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .is_ok()
}

/// The type of a scalar without a tag.
pub(super) fn of_untagged(text: &str, style: Style, schema: Schema) -> Tag {
    match style {
        Style::Plain => resolve(text, schema),
        _ => Tag::Str,
    }
}
