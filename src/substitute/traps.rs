//! Tells where quotes did not survive substitution, and where it bites.
//!
//! `"${x}"` becomes a number, a boolean or null when the value of `x` is one. That is wanted for
//! `replicas`, and refused by the cluster where it takes nothing but text.

use crate::diagnostic::{Code, Diagnostic};
use crate::kube::Resource;
use crate::yaml::{Node, Tag, Value};

/// Fields under which every value is text.
const TEXT_MAPPINGS: [&str; 3] = ["labels", "annotations", "matchLabels"];
/// Fields of containers that are text, or lists of it.
const TEXT_FIELDS: [&str; 2] = ["args", "command"];

/// The warnings for one object, before and after.
pub(super) fn check(before: &Resource, after: &Node) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut walk = Walk {
        resource: before,
        found: &mut found,
    };
    let holds_text = matches!(before.kind(), "ConfigMap" | "Secret");
    if let (Some(old), Some(new)) = (before.node().as_mapping(), after.as_mapping()) {
        for entry in old.entries() {
            let key = entry.key.scalar_text().unwrap_or_default();
            if let Some(value) = new.get(key) {
                let is_text = holds_text && matches!(key, "data" | "stringData");
                walk.compare(&entry.value, value, key, is_text);
            }
        }
    }
    found
}

struct Walk<'w> {
    resource: &'w Resource,
    found: &'w mut Vec<Diagnostic>,
}

impl Walk<'_> {
    /// Compares a value under a key; `is_text` when it must be text.
    fn compare(&mut self, old: &Node, new: &Node, key: &str, is_text: bool) {
        match (old.value(), new.value()) {
            (Value::Mapping(old), Value::Mapping(new)) => {
                let is_environment = old.contains("name") && old.contains("value") && key == "env";
                for entry in old.entries() {
                    let name = entry.key.scalar_text().unwrap_or_default();
                    let Some(value) = new.get(name) else { continue };
                    let below = is_text && entry.value.as_mapping().is_none();
                    let text = below
                        || TEXT_MAPPINGS.contains(&key)
                        || (is_environment && name == "value");
                    self.compare(&entry.value, value, name, text);
                }
            }
            (Value::Sequence(old), Value::Sequence(new)) => {
                let text = TEXT_FIELDS.contains(&key);
                for (old, new) in old.iter().zip(new) {
                    self.compare(old, new, key, text);
                }
            }
            (Value::Scalar(_), _) if is_text => self.judge(old, new, key),
            _ => {}
        }
    }

    fn judge(&mut self, old: &Node, new: &Node, key: &str) {
        let became = match new.tag() {
            Tag::Null => "null",
            Tag::Bool => "true or false",
            Tag::Int | Tag::Float => "a number",
            Tag::Seq => "a list",
            Tag::Map => "a mapping",
            _ => return,
        };
        if old.tag() != Tag::Str {
            return;
        }
        let phrase = format!("{key} of {} became {became}", self.resource.id());
        self.found.push(
            Diagnostic::warning(Code::SubstitutionRetyped, phrase)
                .at(self.resource.place_of(old))
                .note("Flux fills what kustomize printed, which has no quotes around a reference")
                .help(
                    "write ${quote}${name}${quote} with quote: '\"', or put quotes into the value",
                ),
        );
    }
}
