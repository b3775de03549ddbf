//! The suffix of a generated name: a hash of the content.

mod tree;

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::diagnostic::Result;
use crate::go;
use crate::kube::{ResMap, Resource};
use crate::yaml::{self, JsonStyle, Node, Value};

/// Whether an object of a text may ask for a hash itself.
pub(super) fn may_be_asked_for(text: &str) -> bool {
    text.contains("needsHashSuffix")
}

/// Appends the hash of its content to the name of each object that asks for it.
pub(super) fn append_to_names(resources: &mut ResMap) -> Result<()> {
    // One that a patch left without a name is refused later.
    let asks = |r: &&mut Resource| r.history().needs_hash && !r.name().is_empty();
    for resource in resources.iter_mut().filter(asks) {
        let name = format!("{}-{}", resource.name(), hash_of(resource)?);
        resource.remember_id();
        resource.change(|node| super::metadata::set(node, "name", &name));
    }
    Ok(())
}

/// The hash of an object: ten letters and digits that spell no word.
fn hash_of(resource: &Resource) -> Result<String> {
    let mut node = Cow::Borrowed(resource.node());
    if resource.history().may_reread && !resource.is_hashed_whole() {
        yaml::reread(node.to_mut());
    }
    let node = node.as_ref();
    let text = match resource.kind() {
        "ConfigMap" => config_map(node),
        "Secret" => secret(node),
        _ => Ok(tree::text(node, resource.history().first_line)),
    };
    let text = text.map_err(|error| resource.value_error(error))?;
    Ok(encode(&Sha256::digest(text)))
}

/// The first ten digits, without vowels and what looks like them.
fn encode(digest: &[u8]) -> String {
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let letter = |digit| match digit {
        0 => 'g',
        1 => 'h',
        3 => 'k',
        10 => 'm',
        14 => 't',
        other => char::from_digit(u32::from(other), 16).expect("a digit of base 16"),
    };
    digits.take(10).map(letter).collect()
}

/// The reference looks the name up in a field that no object has, so it never counts.
const NO_NAME: &str = "";

type Text = std::result::Result<Vec<u8>, yaml::ValueError>;

fn config_map(node: &Node) -> Text {
    let mut fields = Object::default();
    fields.add_if_map("binaryData", node.get("binaryData"))?;
    fields.add("data", node.get("data"))?;
    fields.add_text("kind", "ConfigMap");
    fields.add_text("name", NO_NAME);
    Ok(fields.finish())
}

fn secret(node: &Node) -> Text {
    let mut fields = Object::default();
    fields.add("data", node.get("data"))?;
    fields.add_text("kind", "Secret");
    fields.add_text("name", NO_NAME);
    fields.add_if_map("stringData", node.get("stringData"))?;
    fields.add("type", node.get("type"))?;
    Ok(fields.finish())
}

/// A JSON object in the making, its keys added in order.
#[derive(Default)]
struct Object(Vec<u8>);

impl Object {
    fn key(&mut self, key: &str) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        go::json::write_string(&mut self.0, key);
        self.0.push(b':');
    }

    fn add_text(&mut self, key: &str, text: &str) {
        self.key(key);
        go::json::write_string(&mut self.0, text);
    }

    /// Adds a field: a scalar as its text, what is missing as an empty one.
    fn add(&mut self, key: &str, node: Option<&Node>) -> std::result::Result<(), yaml::ValueError> {
        match node {
            None => self.add_text(key, ""),
            Some(node) => match node.value() {
                Value::Scalar(text) => self.add_text(key, text),
                Value::Mapping(_) => {
                    self.key(key);
                    yaml::write_json(&mut self.0, node, JsonStyle::Sorted)?;
                }
                // The reference reads it into a map, fails without a word, and has none.
                Value::Sequence(_) => {
                    self.key(key);
                    self.0.extend_from_slice(b"null");
                }
            },
        }
        Ok(())
    }

    fn add_if_map(
        &mut self,
        key: &str,
        node: Option<&Node>,
    ) -> std::result::Result<(), yaml::ValueError> {
        match node.filter(|n| n.scalar_text().is_none()) {
            Some(node) => self.add(key, Some(node)),
            None => Ok(()),
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}
