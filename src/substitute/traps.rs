//! Tells where quotes did not survive substitution, and where it bites.
//!
//! `"${x}"` becomes a number, a boolean or null when the value of `x` is one. That is wanted for
//! `replicas`, and refused by the cluster where it takes nothing but text. What follows ` #` in a value is a
//! comment, and lost without a word.

use crate::diagnostic::{Code, Diagnostic};
use crate::kube::Resource;
use crate::yaml::{Node, Tag, Value};

/// Fields under which every value is text.
const TEXT_MAPPINGS: [&str; 3] = ["labels", "annotations", "matchLabels"];
/// Fields of containers that are text, or lists of it.
const TEXT_FIELDS: [&str; 2] = ["args", "command"];

/// Gives what a text expands to on its own.
pub(super) type Expand<'e> = &'e dyn Fn(&str) -> Option<Vec<u8>>;

/// The warnings for one object, before and after.
pub(super) fn check(before: &Resource, after: &Node, expand: Expand<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut walk = Walk {
        resource: before,
        found: &mut found,
        expand,
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
    expand: Expand<'w>,
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
            (Value::Scalar(text), Value::Scalar(rest)) if self.is_cut(text, rest) => {
                let phrase = format!("{key} of {} is cut at a `#`", self.resource.id());
                self.warn(old, phrase);
            }
            (Value::Scalar(_), _) if is_text => self.judge(old, new, key),
            _ => {}
        }
    }

    /// Whether the rest of what a text expands to was read as a comment.
    fn is_cut(&self, text: &str, rest: &str) -> bool {
        let expanded = text.contains("${").then(|| (self.expand)(text)).flatten();
        let lost = expanded
            .as_deref()
            .and_then(|e| e.strip_prefix(rest.as_bytes()));
        lost.is_some_and(|lost| lost.len() > 1 && lost.trim_ascii_start().starts_with(b"#"))
    }

    fn warn(&mut self, old: &Node, phrase: String) {
        self.found.push(
            Diagnostic::warning(Code::SubstitutionRetyped, phrase)
                .at(self.resource.place_of(old))
                .note("Flux fills what kustomize printed, which has no quotes around a reference")
                .help(
                    "write ${quote}${name}${quote} with quote: '\"', or put quotes into the value",
                ),
        );
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
        self.warn(old, phrase);
    }
}
