//! A document as the API server reads it: YAML 1.1 into JSON, keys once.
//!
//! `sigs.k8s.io/yaml` v1.5 over goyaml.v2 is the reference: `yes`, `on` and `y` are true, `012` is ten, dates are
//! strings, a key that is a number or a boolean becomes its text, and a key that is there twice is refused by a strict
//! decoder. Nodes that kustomize built are read as it prints them, where every string is a string.

use std::collections::BTreeSet;

use serde_json::{Map, Number as JsonNumber, Value};

use super::path::Path;
use super::verdict::{Causes, Reason};
use crate::yaml::{Node, Number, Style, Tag, Value as Content};

/// How plain scalars are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As written by a user, and read by YAML 1.1.
    Written,
    /// As built, where the type of every scalar is settled.
    Built,
}

/// Whether a document holds a plain word that YAML 1.1 reads as true or false, and kustomize as a string.
pub(super) fn has_words(node: &Node) -> bool {
    match node.value() {
        Content::Mapping(mapping) => mapping
            .entries()
            .iter()
            .any(|entry| has_words(&entry.value)),
        Content::Sequence(items) => items.iter().any(has_words),
        Content::Scalar(text) => {
            node.tag() == Tag::Str && boolean(node, text, Reading::Written).is_some()
        }
    }
}

/// Reads a document into JSON. What a strict decoder refuses is a cause, and the last value of a key counts.
pub fn decode(node: &Node, reading: Reading, causes: &mut Causes) -> Value {
    value(node, reading, &Path::ROOT, causes)
}

fn value(node: &Node, reading: Reading, path: &Path<'_>, causes: &mut Causes) -> Value {
    match node.value() {
        Content::Mapping(mapping) => {
            let mut fields = Map::new();
            let mut seen = BTreeSet::new();
            for entry in mapping.entries() {
                let key = key_of(&entry.key, reading);
                let place = path.field(&key);
                if !seen.insert(key.clone()) {
                    causes.add(&place, Reason::Decode, "is in its mapping twice");
                    causes.help("keep one of them; readers that are not strict take the last");
                }
                fields.insert(key.clone(), value(&entry.value, reading, &place, causes));
            }
            Value::Object(fields)
        }
        Content::Sequence(items) => {
            let read = |(index, item)| value(item, reading, &path.index(index), causes);
            Value::Array(items.iter().enumerate().map(read).collect())
        }
        Content::Scalar(text) => scalar(node, text, reading, path, causes),
    }
}

fn key_of(key: &Node, reading: Reading) -> String {
    let text = key.scalar_text().unwrap_or_default();
    match (reading, boolean(key, text, reading)) {
        (Reading::Written, Some(value)) => value.to_string(),
        _ => text.to_owned(),
    }
}

/// A plain scalar that YAML 1.1 reads as true or false.
fn boolean(node: &Node, text: &str, reading: Reading) -> Option<bool> {
    if node.tag() == Tag::Bool {
        return node.as_bool();
    }
    let is_plain = node.style() == Style::Plain && node.mark().line > 0 && node.tag() == Tag::Str;
    if reading == Reading::Built || !is_plain || text.len() > 3 {
        return None;
    }
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn scalar(
    node: &Node,
    text: &str,
    reading: Reading,
    path: &Path<'_>,
    causes: &mut Causes,
) -> Value {
    if let Some(value) = boolean(node, text, reading) {
        return Value::Bool(value);
    }
    match node.tag() {
        Tag::Null => Value::Null,
        Tag::Int | Tag::Float => number(text, path, causes),
        _ => Value::String(text.to_owned()),
    }
}

fn number(text: &str, path: &Path<'_>, causes: &mut Causes) -> Value {
    match Number::parse(text) {
        Some(Number::Int(int)) => Value::from(int),
        Some(Number::Uint(uint)) => Value::from(uint),
        Some(Number::Float(float)) => JsonNumber::from_f64(float).map_or_else(
            || {
                causes.add(path, Reason::Decode, "is not a number that JSON has");
                Value::Null
            },
            Value::Number,
        ),
        None => Value::String(text.to_owned()),
    }
}
