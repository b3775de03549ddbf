//! What becomes of a document that is written as JSON and read again.

use base64::Engine as _;

use crate::diagnostic::Code;
use crate::go::float;
use crate::kustomize::fault::Fault;
use crate::yaml::{self, Node, Number, Schema, Style, Tag, Timestamp, Value};

/// What a document is read from again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadFrom {
    /// YAML, as go-yaml v3 writes it.
    Yaml,
    /// JSON: every string is in double quotes.
    Json,
}

/// Gives every scalar a type that JSON has, in its canonical text and in the style it is read from again.
///
/// Fails with [`Code::YamlValue`] on infinities, and on texts that are not what their tag says.
pub(crate) fn types(node: &mut Node, from: ReadFrom) -> Result<(), Fault> {
    if from == ReadFrom::Json && node.scalar_text().is_none() {
        node.set_style(Style::Flow);
    }
    match node.value_mut() {
        Value::Sequence(items) => items.iter_mut().try_for_each(|item| types(item, from)),
        Value::Mapping(mapping) => mapping
            .entries_mut()
            .iter_mut()
            .try_for_each(|entry| types(&mut entry.value, from)),
        Value::Scalar(_) => scalar(node, from),
    }
}

fn scalar(node: &mut Node, from: ReadFrom) -> Result<(), Fault> {
    let text = node.scalar_text().unwrap_or_default();
    let (tag, canonical) = match node.tag() {
        Tag::Null if node.style() == Style::Flow => (Tag::Str, Some(String::new())),
        Tag::Null => (Tag::Null, Some("null".to_owned())),
        Tag::Bool => (Tag::Bool, node.as_bool().map(|value| value.to_string())),
        Tag::Int | Tag::Float => (node.tag(), number(text, node.tag())),
        Tag::Timestamp => (Tag::Str, date(text)),
        Tag::Binary => (Tag::Str, binary(text)),
        Tag::Str | Tag::Merge | Tag::Custom | Tag::Seq | Tag::Map => {
            (Tag::Str, Some(text.to_owned()))
        }
    };
    let Some(canonical) = canonical else {
        return Err(Fault::new(
            Code::YamlValue,
            node,
            "this value has no form in JSON",
        ));
    };
    let style = match (tag, from) {
        (Tag::Str, ReadFrom::Yaml) => yaml::style_of_string(&canonical),
        (Tag::Str, ReadFrom::Json) => Style::DoubleQuoted,
        _ => Style::Plain,
    };
    *node = Node::scalar(tag, canonical)
        .with_style(style)
        .with_mark(node.mark());
    Ok(())
}

/// The number that JSON writes.
fn number(text: &str, tag: Tag) -> Option<String> {
    match Number::parse(text)? {
        Number::Int(value) => Some(value.to_string()),
        Number::Uint(value) => Some(value.to_string()),
        Number::Float(_) if tag == Tag::Int => None,
        Number::Float(value) => {
            let mut out = Vec::new();
            float::write_json(&mut out, value).then(|| String::from_utf8_lossy(&out).into_owned())
        }
    }
}

fn date(text: &str) -> Option<String> {
    Timestamp::parse(text).map(|date| date.to_string())
}

fn binary(text: &str) -> Option<String> {
    let plain: String = text.split_ascii_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(plain)
        .ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Makes every number a floating-point one, which Go's JSON reader does, and gives every string the style in which
/// go-yaml v3 writes it.
pub(super) fn rewrite(node: &mut Node) {
    let tag = node.tag();
    match node.value_mut() {
        Value::Sequence(items) => items.iter_mut().for_each(rewrite),
        Value::Mapping(mapping) => {
            for entry in mapping.entries_mut() {
                rewrite(&mut entry.value);
            }
        }
        Value::Scalar(text) if matches!(tag, Tag::Int | Tag::Float) => {
            // Numbers of up to six digits stay as they are.
            if tag == Tag::Int && text.len() <= 6 && *text != "-0" {
                return;
            }
            if let Some(number) = Number::parse(text) {
                let mut out = Vec::new();
                float::write_general(&mut out, number.as_f64());
                let text = String::from_utf8_lossy(&out).into_owned();
                let tag = yaml::resolve(&text, Schema::Go);
                *node = Node::scalar(tag, text).with_mark(node.mark());
            }
        }
        Value::Scalar(text) if tag == Tag::Str => {
            let style = yaml::style_of_string(text);
            node.set_style(style);
        }
        Value::Scalar(_) => {}
    }
}

/// Makes dates the texts that they are written as, as go-yaml v2 reads them.
pub(super) fn dates_as_written(node: &mut Node) {
    let is_date = node.tag() == Tag::Timestamp;
    match node.value_mut() {
        Value::Sequence(items) => items.iter_mut().for_each(dates_as_written),
        Value::Mapping(mapping) => {
            for entry in mapping.entries_mut() {
                dates_as_written(&mut entry.value);
            }
        }
        Value::Scalar(_) if is_date => node.set_tag(Tag::Str),
        Value::Scalar(_) => {}
    }
}

/// Whether a value of an object is that of a patch: numbers are compared by their text.
pub(super) fn is_equal(value: &Node, wanted: &Node) -> bool {
    match (value.value(), wanted.value()) {
        (Value::Mapping(a), Value::Mapping(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|wanted| is_equal(value, wanted)))
        }
        (Value::Sequence(a), Value::Sequence(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(value, wanted)| is_equal(value, wanted))
        }
        (Value::Scalar(_), Value::Scalar(_)) => {
            let mut wanted = wanted.clone();
            scalar(&mut wanted, ReadFrom::Yaml).is_ok()
                && is_same_sort(value.tag(), wanted.tag())
                && value.scalar_text() == wanted.scalar_text()
        }
        _ => false,
    }
}

fn is_same_sort(a: Tag, b: Tag) -> bool {
    let is_number = |tag| matches!(tag, Tag::Int | Tag::Float);
    a == b || (is_number(a) && is_number(b))
}
