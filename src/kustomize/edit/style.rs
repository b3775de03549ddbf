//! How new lines of a kustomization look: as the lines that are there.

use crate::yaml::{self, Node, Style, Tag, Value, WriteOptions};

/// What the lines of a file have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct HouseStyle {
    /// How far lists are indented below their key.
    list_indent: usize,
    /// What ends a line.
    pub(super) line_break: &'static str,
}

impl HouseStyle {
    /// Looks at the lists of a document and the line breaks of its text.
    pub(super) fn of(document: Option<&Node>, text: &str) -> Self {
        let list_indent = document.and_then(list_indent).unwrap_or(0);
        let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Self {
            list_indent,
            line_break,
        }
    }

    /// A key and its value, as lines at a column that counts from 0; the first line without its indentation.
    pub(super) fn entry(&self, key: &str, value: &Node, column: usize) -> Option<String> {
        let node = crate::kustomize::encode::record_node([(key, styled(value))]);
        self.lines(&node, column)
    }

    /// An item of a list with its dash, as lines at a column that counts from 0; the first line without its indentation.
    pub(super) fn item(&self, value: &Node, column: usize) -> Option<String> {
        self.lines(&Node::sequence(vec![styled(value)]), column)
    }

    fn lines(&self, node: &Node, column: usize) -> Option<String> {
        let options = match self.list_indent {
            0 => WriteOptions::kyaml(),
            indent => WriteOptions::indented(indent),
        };
        let mut out = Vec::new();
        yaml::write_document(&mut out, node, &options).ok()?;
        let text = String::from_utf8(out).ok()?;
        let mut lines = String::new();
        for (index, line) in text.lines().enumerate() {
            if index > 0 && !line.is_empty() {
                lines.push_str(&" ".repeat(column));
            }
            lines.push_str(line);
            lines.push_str(self.line_break);
        }
        Some(lines)
    }
}

/// A scalar on one line, in the style of the one that it replaces where that can hold it.
pub(super) fn scalar(value: &Node, like: Style) -> Option<String> {
    let text = value.scalar_text()?;
    if text.contains('\n') {
        return None;
    }
    let style = match like {
        Style::SingleQuoted | Style::DoubleQuoted if value.tag() == Tag::Str => like,
        _ => yaml::style_of_string(text),
    };
    let node = match value.tag() {
        Tag::Str => value.clone().with_style(style),
        _ => value.clone(),
    };
    flat(&node)
}

/// A collection on one line, in braces or brackets.
pub(super) fn flow(value: &Node) -> Option<String> {
    flat(&styled_as(value, Style::Flow))
}

fn flat(node: &Node) -> Option<String> {
    let mut out = Vec::new();
    yaml::write_document(&mut out, node, &WriteOptions::kyaml()).ok()?;
    let text = String::from_utf8(out).ok()?;
    let line = text.trim_end_matches('\n');
    (!line.contains('\n')).then(|| line.to_owned())
}

/// A value with the styles in which go-yaml v3 would write it.
fn styled(value: &Node) -> Node {
    styled_as(value, Style::Plain)
}

fn styled_as(value: &Node, collections: Style) -> Node {
    let mut node = value.clone();
    restyle(&mut node, collections);
    node
}

fn restyle(node: &mut Node, collections: Style) {
    let tag = node.tag();
    let style = match node.value_mut() {
        Value::Scalar(_) if tag != Tag::Str => Style::Plain,
        Value::Scalar(text) => yaml::style_of_string(text),
        Value::Sequence(items) => {
            items.iter_mut().for_each(|item| restyle(item, collections));
            collections
        }
        Value::Mapping(mapping) => {
            for entry in mapping.entries_mut() {
                restyle(&mut entry.key, collections);
                restyle(&mut entry.value, collections);
            }
            collections
        }
    };
    node.set_style(style);
}

/// How far the first list of a document that stands below a key is indented.
fn list_indent(node: &Node) -> Option<usize> {
    match node.value() {
        Value::Scalar(_) => None,
        Value::Sequence(items) => items.iter().find_map(list_indent),
        Value::Mapping(mapping) => mapping.entries().iter().find_map(|entry| {
            let is_list = entry
                .value
                .as_sequence()
                .is_some_and(|items| !items.is_empty());
            if is_list && entry.value.style() != Style::Flow {
                let columns = (entry.value.mark().column, entry.key.mark().column);
                return Some(columns.0.saturating_sub(columns.1) as usize);
            }
            list_indent(&entry.value)
        }),
    }
}
