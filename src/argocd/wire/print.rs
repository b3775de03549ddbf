//! Objects as text again: YAML that means the same to every reader.

use serde_json::Value;

use crate::argocd::application::build::go_json;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::yaml::{self, Mapping, Node, Tag};

/// Writes objects as a stream of YAML documents, each with its keys in the order of kustomize.
pub fn documents(objects: &[Value]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        if index > 0 {
            bytes.extend_from_slice(b"---\n");
        }
        if has_boundless(object) {
            bytes.extend_from_slice(go_json(object).as_bytes());
            bytes.push(b'\n');
            continue;
        }
        yaml::write_manifest(&mut bytes, &node_of(object)).map_err(|_| {
            let phrase = "an object holds a value that cannot be written";
            Diagnostic::new(Code::YamlValue, phrase)
        })?;
    }
    Ok(bytes)
}

/// Whether an object has a string such as `1e400`, which Go writes plain and other readers take for an infinite
/// number: JSON, which is YAML too, has quotes around it.
fn has_boundless(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            text.parse::<f64>().is_ok_and(f64::is_infinite) && text.contains(char::is_numeric)
        }
        Value::Array(items) => items.iter().any(has_boundless),
        Value::Object(map) => map.values().any(has_boundless),
        _ => false,
    }
}

/// The node of a value.
pub fn node_of(value: &Value) -> Node {
    match value {
        Value::Null => Node::null(),
        Value::Bool(truth) => Node::bool(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(int) => Node::int(int),
            None => Node::scalar(Tag::Float, number.to_string()),
        },
        Value::String(text) => Node::string(text.as_str()),
        Value::Array(items) => Node::sequence(items.iter().map(node_of).collect()),
        Value::Object(map) => {
            let mut mapping = Mapping::default();
            for (key, value) in map {
                mapping.insert(key.as_str(), node_of(value));
            }
            Node::new(yaml::Value::Mapping(mapping), Tag::Map)
        }
    }
}
