//! Sets scalars as the reference does: which keeps or drops the type and always keeps the style.

use crate::yaml::{self, Entry, Mapping, Node, Schema, Style, Tag, Text, Value};

/// Builds a plain scalar whose type its text decides.
pub(crate) fn untagged(text: impl Into<Text>) -> Node {
    let mut node = Node::string(text);
    resolve(&mut node);
    node
}

/// Gives a node a text and leaves its type to the text; its style stays, and quotes make it a string.
pub(crate) fn set_untagged(node: &mut Node, text: impl Into<Text>) {
    *node.value_mut() = Value::Scalar(text.into());
    node.note_change();
    node.set_replaced();
    resolve(node);
}

/// Gives a node a text and a type; its style stays, and a number in quotes is a string.
pub(crate) fn set(node: &mut Node, text: impl Into<Text>, tag: Tag) {
    let text = text.into();
    let is_quoted = !matches!(node.style(), Style::Plain | Style::Flow);
    // The reference writes no tag that the text has by itself, and then the quotes decide.
    let is_implied = is_quoted && yaml::resolve(&text, Schema::Go) == tag;
    *node.value_mut() = Value::Scalar(text);
    node.note_change();
    node.set_replaced();
    node.set_tag(if is_implied { Tag::Str } else { tag });
}

/// Changes the text of a scalar and keeps its type, if anything has fixed it.
pub(crate) fn set_text(node: &mut Node, text: impl Into<Text>) {
    *node.value_mut() = Value::Scalar(text.into());
    node.note_change();
    if node.is_untagged() {
        resolve(node);
    }
}

/// Whether a node is null, and not just a scalar that nothing was written to yet.
pub(crate) fn is_null(node: &Node) -> bool {
    node.is_null() && !node.is_untagged()
}

/// Whether a node is null, an empty mapping or an empty list.
pub(crate) fn is_empty(node: &Node) -> bool {
    match node.value() {
        Value::Scalar(_) => is_null(node),
        Value::Sequence(items) => items.is_empty(),
        Value::Mapping(mapping) => mapping.is_empty(),
    }
}

fn resolve(node: &mut Node) {
    let tag = match node.style() {
        Style::Plain | Style::Flow => {
            yaml::resolve(node.scalar_text().unwrap_or_default(), Schema::Go)
        }
        Style::SingleQuoted | Style::DoubleQuoted | Style::Literal | Style::Folded => Tag::Str,
    };
    node.set_untagged(tag);
}

/// Adds an entry that is not there, its key typed by its text alone: `"1"` becomes a number, which no
/// manifest can have as a key.
pub(crate) fn push(mapping: &mut Mapping, key: &str, value: Node) {
    let key = untagged(key);
    mapping.entries_mut().push(Entry { key, value });
}

/// Sets an entry to a scalar whose type its text decides.
///
/// One that is there keeps its style; a new one is quoted where YAML 1.1 would not read it as a string.
pub(crate) fn insert_untagged(mapping: &mut Mapping, key: &str, text: &str) {
    if let Some(value) = mapping.get_mut(key) {
        set_untagged(value, text);
        return;
    }
    let mut value = untagged(text);
    let is_word = matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    );
    if is_word
        || (!text.is_empty()
            && matches!(value.tag(), Tag::Null | Tag::Bool | Tag::Int | Tag::Float))
    {
        value.set_style(Style::DoubleQuoted);
        set_untagged(&mut value, text);
    }
    push(mapping, key, value);
}
