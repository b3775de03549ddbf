//! Values as documents, secrets masked or not.

use minijinja::Value;
use minijinja::value::ValueKind;

use secrecy::SecretString;

use super::Values;
use super::merged::{Content, From, MergedValue};
use crate::go::float;
use crate::yaml::{Entry, Mapping, Node, Tag};

/// What stands for a secret.
const MASK: &str = "(masked)";

/// Parts of names that say that a value is secret.
const SECRET_NAMES: &[&str] = &[
    "secret",
    "password",
    "passwd",
    "token",
    "credential",
    "private",
    "api_key",
    "access_key",
    "_key",
    "apikey",
];

/// The values as a document, with all that came from sealed files, or whose name says so, masked.
pub fn masked(values: &Values) -> Node {
    mask(&values.held, "")
}

/// The values as a document, as they are.
pub fn plain(value: &Value) -> Node {
    match value.kind() {
        ValueKind::None | ValueKind::Undefined => Node::null(),
        ValueKind::Bool => Node::bool(value.is_true()),
        ValueKind::Number if value.is_integer() => Node::scalar(Tag::Int, value.to_string()),
        ValueKind::Number => {
            let number = f64::try_from(value.clone()).unwrap_or(f64::NAN);
            Node::scalar(Tag::Float, float_text(number))
        }
        ValueKind::Map => {
            let pairs = value.as_object().and_then(|o| o.try_iter_pairs());
            let entries = pairs.into_iter().flatten().map(|(key, value)| Entry {
                key: Node::string(key.to_string()),
                value: plain(&value),
            });
            Node::new(
                crate::yaml::Value::Mapping(Mapping::from_entries(entries.collect())),
                Tag::Map,
            )
        }
        ValueKind::Seq | ValueKind::Iterable => Node::sequence(
            value
                .try_iter()
                .into_iter()
                .flatten()
                .map(|i| plain(&i))
                .collect(),
        ),
        _ => Node::string(value.to_string()),
    }
}

fn float_text(number: f64) -> String {
    let mut text = Vec::new();
    float::write_general(&mut text, number);
    String::from_utf8_lossy(&text).into_owned()
}

/// The texts of sealed values whose names say that they are secret.
pub fn named_secrets(values: &Values) -> Vec<SecretString> {
    fn collect(held: &MergedValue, is_named: bool, found: &mut Vec<SecretString>) {
        match &held.content {
            Content::Scalar(value) => {
                let text = value.as_str().filter(|_| is_named);
                let is_sealed = held.origin.from == From::Sealed;
                found.extend(text.filter(|_| is_sealed).map(SecretString::from));
            }
            Content::List(items) => items.iter().for_each(|i| collect(i, is_named, found)),
            Content::Map(entries) => {
                for (key, inner) in entries {
                    collect(inner, is_named || is_secret_name(&key.to_string()), found);
                }
            }
        }
    }
    let mut found = Vec::new();
    collect(&values.held, false, &mut found);
    found
}

/// Whether a name says that its value is secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    SECRET_NAMES.iter().any(|part| name.contains(part)) || words.any(|word| word == "pin")
}

fn mask(held: &MergedValue, name: &str) -> Node {
    match &held.content {
        Content::Scalar(value) => {
            let secret = held.origin.from == From::Sealed || is_secret_name(name);
            let shown = value.is_none() || value.kind() == ValueKind::Bool;
            if secret && !shown {
                Node::string(MASK)
            } else {
                masked_value(value, name)
            }
        }
        Content::List(items) => Node::sequence(items.iter().map(|i| mask(i, name)).collect()),
        Content::Map(entries) => {
            let entries = entries.iter().map(|(key, inner)| Entry {
                key: Node::string(key.to_string()),
                value: mask(inner, &key.to_string()),
            });
            Node::new(
                crate::yaml::Value::Mapping(Mapping::from_entries(entries.collect())),
                Tag::Map,
            )
        }
    }
}

/// Derived values are whole trees of one origin: the names inside them decide.
fn masked_value(value: &Value, name: &str) -> Node {
    if value.kind() == ValueKind::Map {
        let pairs = value.as_object().and_then(|o| o.try_iter_pairs());
        let entries = pairs.into_iter().flatten().map(|(key, inner)| Entry {
            value: masked_value(&inner, &key.to_string()),
            key: Node::string(key.to_string()),
        });
        return Node::new(
            crate::yaml::Value::Mapping(Mapping::from_entries(entries.collect())),
            Tag::Map,
        );
    }
    let shown = value.is_none() || matches!(value.kind(), ValueKind::Bool | ValueKind::Seq);
    if is_secret_name(name) && !shown {
        Node::string(MASK)
    } else {
        plain(value)
    }
}
