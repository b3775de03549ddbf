//! Sets scalars as the reference does: which keeps or drops the type and always keeps the style.

use crate::yaml::{self, Entry, Mapping, Node, ParseOptions, Schema, Style, Tag, Text, Value};

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

/// Sets an entry to a scalar whose type its text decides, as kyaml's `FieldSetter` does.
///
/// One that is there keeps its style; a new one is put in quotes where YAML 1.1 would not read it as a string.
pub(crate) fn insert_untagged(mapping: &mut Mapping, key: &str, text: &str) {
    if let Some(value) = mapping.get_mut(key) {
        set_untagged(value, text);
        return;
    }
    let mut value = untagged(text);
    quote(&mut value);
    push(mapping, key, value);
}

/// Builds a string that takes the place of nothing, as kyaml's `FieldSetter` does: in double quotes where YAML 1.1
/// would read it as something else. The quotes outlive what is merged over it later.
pub(crate) fn string(text: impl Into<Text>) -> Node {
    let mut node = Node::string(text);
    quote(&mut node);
    node
}

/// Builds a string as [`string`] does, or a literal block where it has several lines.
pub(crate) fn block_string(text: impl Into<Text>) -> Node {
    let text = text.into();
    if text.contains('\n') {
        return Node::string(text).with_style(Style::Literal);
    }
    string(text)
}

/// Puts a plain string in double quotes where YAML 1.1 would read it as something else.
///
/// kyaml does so to whatever is set in a mapping, and a strategic merge sets every field of every mapping that it
/// walks through (`yaml/fns.go`, `FieldSetter`; `yaml/walk/map.go`; v0.20.1).
pub(crate) fn quote(node: &mut Node) {
    let is_string = node.tag() == Tag::Str || node.is_untagged();
    let is_other =
        |text: &str| is_string && node.style() == Style::Plain && !is_yaml_1_1_string(text);
    if node.scalar_text().is_some_and(is_other) {
        node.set_style(Style::DoubleQuoted);
        if node.is_untagged() {
            resolve(node);
        }
    }
}

/// Whether a parser of YAML 1.1 reads a text as a string. Texts that it refuses, and those of several lines, count
/// as strings.
fn is_yaml_1_1_string(text: &str) -> bool {
    if text.is_empty() || text.contains('\n') {
        return true;
    }
    let is_ordinary = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b'/');
    if text.bytes().all(is_ordinary) && text != "-" && text != "---" && text != "..." {
        return !truth::is_word(text) && is_string_tag(yaml::resolve(text, Schema::Go));
    }
    let Ok(document) = yaml::parse_first(text, ParseOptions::default()) else {
        return true;
    };
    document.is_some_and(|node| match node.value() {
        Value::Scalar(text) if node.style() == Style::Plain => {
            is_string_tag(node.tag()) && !(node.tag() == Tag::Str && truth::is_word(text))
        }
        Value::Scalar(_) => is_string_tag(node.tag()),
        Value::Sequence(_) | Value::Mapping(_) => false,
    })
}

/// Whether go-yaml v2 gives what has a tag as a string: dates it does, for the sake of old programs.
fn is_string_tag(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Str | Tag::Timestamp | Tag::Merge | Tag::Binary | Tag::Custom
    )
}

/// The words that are true or false in YAML 1.1 alone.
pub(crate) mod truth {
    /// What a word means; `None` for every other text.
    pub(crate) fn of(text: &str) -> Option<bool> {
        match text {
            "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
            "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
            _ => None,
        }
    }

    /// Whether a text is one of them.
    pub(crate) fn is_word(text: &str) -> bool {
        of(text).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::is_yaml_1_1_string;

    #[test]
    fn yaml_1_1_reads_some_texts_as_other_things() {
        for text in [
            "",
            "text",
            "a b",
            "2024-01-01",
            "a: b: c",
            "*a",
            "v1.2.3",
            "1.2.3",
            "1:20",
            "'5'",
            "a\n1",
        ] {
            assert!(is_yaml_1_1_string(text), "{text}");
        }
        for text in [
            "yes", "N", "~", "null", "5", "0x1F", "017", "1_000", "1e3", ".5", "a: b", "[a]",
            "# a", "- a", "{}", "-",
        ] {
            assert!(!is_yaml_1_1_string(text), "{text}");
        }
    }
}
