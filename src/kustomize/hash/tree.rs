//! A document as `encoding/json` prints go-yaml's tree of it: with places, styles and comments.
//!
//! The reference hashes that of an object that asks for a hash itself and is neither ConfigMap nor Secret: a Job,
//! for instance, that shall run anew after each change. Nodes that the build made have no place, and keys among
//! them no tag.

use crate::go;
use crate::kustomize::decode::resolve_as_yaml_1_1;
use crate::yaml::{self, Comments, Mark, Node, ParseOptions, Style, Tag, Value};

/// The JSON of a document that starts on a line of its file.
pub(super) fn text(document: &Node, first_line: u32) -> Vec<u8> {
    let mut writer = Writer {
        out: Vec::new(),
        first_line,
    };
    writer.node(document, Role::Value);
    writer.out
}

/// What a node is to its mapping.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Key,
    Value,
}

struct Writer {
    out: Vec<u8>,
    first_line: u32,
}

impl Writer {
    fn node(&mut self, node: &Node, role: Role) {
        let is_made = node.is_replaced() || node.mark() == Mark::default();
        let kind = match node.value() {
            Value::Sequence(_) => 2,
            Value::Mapping(_) => 4,
            Value::Scalar(_) => 8,
        };
        self.number("{\"Kind\":", kind);
        self.number(",\"Style\":", style(written_style(node, role, is_made)));
        self.string(",\"Tag\":", tag(node, role, is_made));
        self.string(",\"Value\":", node.scalar_text().unwrap_or_default());
        self.raw(",\"Anchor\":\"\",\"Alias\":null,\"Content\":");
        self.contents(node.value());
        let none = Comments::default();
        let comments = node.comments().filter(|_| !is_made).unwrap_or(&none);
        self.string(",\"HeadComment\":", &comments.head);
        self.string(",\"LineComment\":", &comments.line);
        self.string(",\"FootComment\":", &comments.foot);
        let mark = if is_made {
            Mark::default()
        } else {
            node.mark()
        };
        let line = if is_made {
            0
        } else {
            (mark.line + 1).saturating_sub(self.first_line)
        };
        self.number(",\"Line\":", line);
        self.number(",\"Column\":", mark.column);
        self.raw("}");
    }

    fn contents(&mut self, value: &Value) {
        let nodes: Vec<(&Node, Role)> = match value {
            Value::Scalar(_) => Vec::new(),
            Value::Sequence(items) => items.iter().map(|item| (item, Role::Value)).collect(),
            Value::Mapping(mapping) => mapping
                .entries()
                .iter()
                .flat_map(|entry| [(&entry.key, Role::Key), (&entry.value, Role::Value)])
                .collect(),
        };
        if nodes.is_empty() {
            return self.raw("null");
        }
        for (number, (node, role)) in nodes.into_iter().enumerate() {
            self.raw(if number == 0 { "[" } else { "," });
            self.node(node, role);
        }
        self.raw("]");
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, before: &str, number: u32) {
        self.raw(before);
        self.raw(&number.to_string());
    }

    fn string(&mut self, before: &str, text: &str) {
        self.raw(before);
        go::json::write_string(&mut self.out, text);
    }
}

/// The style that the reference gives a node: a text that the build adds is quoted where YAML 1.1 would read it as
/// something else.
fn written_style(node: &Node, role: Role, is_made: bool) -> Style {
    let is_added_text = is_made && role == Role::Value && node.tag() == Tag::Str;
    match (node.style(), node.scalar_text()) {
        (Style::Plain, Some(text)) if is_added_text && !is_text_in_yaml_1_1(text) => {
            Style::DoubleQuoted
        }
        // Ours alone: see `Reread`.
        (Style::Flow, Some(_)) => Style::Plain,
        (style, _) => style,
    }
}

fn is_text_in_yaml_1_1(text: &str) -> bool {
    if text.is_empty() || text.contains('\n') {
        return true;
    }
    match yaml::parse_first(text, ParseOptions::DEFAULT) {
        Ok(Some(mut node)) => {
            resolve_as_yaml_1_1(&mut node);
            node.tag() == Tag::Str
        }
        Ok(None) => false,
        Err(_) => true,
    }
}

/// go-yaml's number of a style.
fn style(style: Style) -> u32 {
    match style {
        Style::Plain => 0,
        Style::DoubleQuoted => 2,
        Style::SingleQuoted => 4,
        Style::Literal => 8,
        Style::Folded => 16,
        Style::Flow => 32,
    }
}

/// The tag that go-yaml's tree has: none where the build left the type to the text.
fn tag(node: &Node, role: Role, is_made: bool) -> &str {
    let is_collection = node.scalar_text().is_none();
    if node.is_untagged() || (is_made && (is_collection || role == Role::Key)) {
        return "";
    }
    match node.tag() {
        Tag::Null => "!!null",
        Tag::Bool => "!!bool",
        Tag::Int => "!!int",
        Tag::Float => "!!float",
        Tag::Str => "!!str",
        Tag::Timestamp => "!!timestamp",
        Tag::Binary => "!!binary",
        Tag::Merge => "!!merge",
        Tag::Seq => "!!seq",
        Tag::Map => "!!map",
        Tag::Custom => node.custom_tag().unwrap_or_default(),
    }
}
