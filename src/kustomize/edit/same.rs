//! Whether a value as it is written means what a field holds.

use crate::yaml::{Mapping, Node, Number, Tag, Value};

/// Whether a written value is the value of a field: the order of keys and the spelling of scalars do not count.
pub(super) fn is_same(written: &Node, field: &Node) -> bool {
    match (written.value(), field.value()) {
        (Value::Mapping(a), Value::Mapping(b)) => is_same_mapping(a, b),
        (Value::Sequence(a), Value::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Scalar(a), Value::Scalar(b)) => match field.tag() {
            Tag::Str => is_text(written.tag()) && a == b,
            Tag::Bool => written.as_bool().is_some() && written.as_bool() == field.as_bool(),
            Tag::Int | Tag::Float => number(written) == number(field),
            tag => written.tag() == tag,
        },
        _ => false,
    }
}

fn is_same_mapping(written: &Mapping, fields: &Mapping) -> bool {
    let is_there = |(key, value): (&str, &Node)| {
        let exact = fields.get(key);
        let found = exact.or_else(|| {
            let mut all = fields.iter();
            all.find(|(known, _)| known.eq_ignore_ascii_case(key))
                .map(|(_, value)| value)
        });
        found.is_some_and(|field| is_same(value, field))
    };
    // What is always written, and is empty, may be missing.
    let is_left_out = |(key, field): &(&str, &Node)| {
        field.as_mapping().is_some_and(Mapping::is_empty) && !has(written, key)
    };
    let wanted = fields.iter().filter(|entry| !is_left_out(entry)).count();
    written.len() == wanted && written.iter().all(is_there)
}

fn has(mapping: &Mapping, key: &str) -> bool {
    mapping
        .iter()
        .any(|(known, _)| known.eq_ignore_ascii_case(key))
}

fn is_text(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Str | Tag::Timestamp | Tag::Binary | Tag::Merge | Tag::Custom
    )
}

fn number(node: &Node) -> Option<f64> {
    let is_number = matches!(node.tag(), Tag::Int | Tag::Float);
    let text = node.scalar_text().filter(|_| is_number)?;
    Number::parse(text).map(Number::as_f64)
}

/// Whether a value says nothing: null, an empty text, list or mapping.
pub(super) fn is_empty(written: &Node) -> bool {
    match written.value() {
        Value::Scalar(text) => written.is_null() || (text.is_empty() && is_text(written.tag())),
        Value::Sequence(items) => items.is_empty(),
        Value::Mapping(mapping) => mapping.is_empty(),
    }
}
