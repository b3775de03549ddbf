//! Values that an invoker sets one by one: `a.b=value`.

use minijinja::Value;

use super::document::scalar;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::template;
use crate::yaml::{self, Node, ParseOptions};

/// A value at a dotted path.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The names on the way.
    pub path: Vec<String>,
    /// The value.
    pub value: Value,
    /// Who set it, in messages: `--set`.
    pub place: String,
}

impl Setting {
    /// Reads `a.b=value`; the value is read as YAML, so that `true` and `3` are no texts.
    ///
    /// Fails with [`Code::Usage`]; the message holds the name and no value.
    pub fn parse(text: &str, place: &str) -> Result<Self> {
        let usage = |phrase: String| Diagnostic::new(Code::Usage, phrase);
        let (path, value) = text
            .split_once('=')
            .ok_or_else(|| usage(format!("{place} wants NAME=VALUE")))?;
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            return Err(usage(format!("{place} wants a name such as a.b before =")));
        }
        let documents = yaml::parse(value, ParseOptions::default()).map_err(|_| {
            usage(format!(
                "the value of {place} {} is not YAML",
                path.join(".")
            ))
        })?;
        let value = documents.first().map_or_else(|| Value::from(""), of_node);
        Ok(Self {
            path,
            value,
            place: place.to_owned(),
        })
    }

    /// Builds a setting of a text.
    pub fn text(path: &str, value: &str, place: &str) -> Self {
        Self {
            path: path.split('.').map(str::to_owned).collect(),
            value: Value::from(value),
            place: place.to_owned(),
        }
    }
}

fn of_node(node: &Node) -> Value {
    match node.value() {
        yaml::Value::Scalar(text) => scalar(node.tag(), text),
        yaml::Value::Sequence(items) => template::list(items.iter().map(of_node).collect()),
        yaml::Value::Mapping(mapping) => template::mapping(
            mapping
                .entries()
                .iter()
                .map(|e| (of_node(&e.key), of_node(&e.value))),
        ),
    }
}
