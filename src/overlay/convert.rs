//! Turns document nodes into template values, and back.

use minijinja::Value;
use minijinja::value::ValueKind;

use crate::yaml::{Mapping, Node, Tag, Value as Content};

/// The template value of a node; order is kept.
pub(super) fn to_value(node: &Node) -> Value {
    match node.value() {
        Content::Scalar(text) => scalar(node, text),
        Content::Sequence(items) => items.iter().map(to_value).collect::<Vec<_>>().into(),
        Content::Mapping(mapping) => {
            Value::from_pairs(mapping.iter().map(|(key, value)| (key, to_value(value))))
        }
    }
}

fn scalar(node: &Node, text: &str) -> Value {
    match node.tag() {
        Tag::Null => Value::from(()),
        Tag::Bool => Value::from(node.as_bool().unwrap_or_default()),
        Tag::Int => text
            .parse::<i64>()
            .map_or_else(|_| Value::from(text), Value::from),
        Tag::Float => text
            .parse::<f64>()
            .map_or_else(|_| Value::from(text), Value::from),
        _ => Value::from(text),
    }
}

/// The node of a template value; an undefined one is null.
pub(super) fn to_node(value: &Value) -> Node {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Node::null(),
        ValueKind::Bool => Node::bool(value.is_true()),
        ValueKind::Number if value.is_integer() => Node::scalar(Tag::Int, value.to_string()),
        ValueKind::Number => Node::scalar(Tag::Float, value.to_string()),
        ValueKind::Seq | ValueKind::Iterable => {
            Node::sequence(items(value).map(|v| to_node(&v)).collect())
        }
        ValueKind::Map => {
            let mut mapping = Mapping::default();
            for key in items(value) {
                let entry = value.get_item(&key).unwrap_or_default();
                mapping.insert(key.to_string(), to_node(&entry));
            }
            Node::new(Content::Mapping(mapping), Tag::Map)
        }
        _ => Node::string(value.to_string()),
    }
}

/// The node of a JSON value.
pub(super) fn json_to_node(value: &serde_json::Value) -> Node {
    use serde_json::Value as Json;
    match value {
        Json::Null => Node::null(),
        Json::Bool(value) => Node::bool(*value),
        Json::Number(number) if number.is_f64() => Node::scalar(Tag::Float, number.to_string()),
        Json::Number(number) => Node::scalar(Tag::Int, number.to_string()),
        Json::String(text) => Node::string(text.as_str()),
        Json::Array(items) => Node::sequence(items.iter().map(json_to_node).collect()),
        Json::Object(entries) => {
            let mut mapping = Mapping::default();
            for (key, value) in entries {
                mapping.insert(key.as_str(), json_to_node(value));
            }
            Node::new(Content::Mapping(mapping), Tag::Map)
        }
    }
}

/// The items of a list, or the keys of a map; none of anything else.
pub(super) fn items(value: &Value) -> impl Iterator<Item = Value> {
    value.try_iter().into_iter().flatten()
}
