//! YAML as sigs.k8s.io/yaml writes it: keys sorted, lists not indented, strings quoted where YAML 1.1 needs it.

use serde_json::Value as Json;

use super::write_manifest;
use crate::yaml::{Entry, Mapping, Node, Tag, Value};

/// Writes a value of JSON, with a line break at the end.
pub fn to_go_yaml(json: &Json) -> String {
    let mut out = Vec::new();
    write_manifest(&mut out, &node(json)).expect("a value of JSON has a form in JSON");
    String::from_utf8_lossy(&out).into_owned()
}

fn node(json: &Json) -> Node {
    match json {
        Json::Null => Node::null(),
        Json::Bool(value) => Node::bool(*value),
        Json::Number(number) => {
            let tag = if number.is_f64() {
                Tag::Float
            } else {
                Tag::Int
            };
            Node::scalar(tag, number.to_string())
        }
        Json::String(text) => Node::string(text.as_str()),
        Json::Array(items) => Node::sequence(items.iter().map(node).collect()),
        Json::Object(fields) => {
            let entries = fields.iter().map(|(key, value)| Entry {
                key: Node::string(key.as_str()),
                value: node(value),
            });
            Node::new(
                Value::Mapping(Mapping::from_entries(entries.collect())),
                Tag::Map,
            )
        }
    }
}
