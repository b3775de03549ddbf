//! Writes documents as sops or kyaml print them: go-yaml v3's emitter, with comments.

mod cursor;
mod text;

use cursor::Cursor;
use text::Plan;

use super::error::ValueError;
use crate::yaml::{Entry, Node, Style, Value};

/// How documents are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// The columns of a step into a collection, from 2 to 9; others count as 2, as in go-yaml.
    pub indent: usize,
    /// Who decides how nodes look.
    pub form: Form,
}

/// Who decides how nodes look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Their types and texts; sequences are indented below their key. What sops prints.
    Sops,
    /// The style and text that they were read with; sequences are not indented. What kyaml prints.
    Kyaml,
}

impl WriteOptions {
    /// The form of sops with an indentation.
    pub fn indented(indent: usize) -> Self {
        let form = Form::Sops;
        Self { indent, form }
    }

    /// The form of kyaml.
    pub fn kyaml() -> Self {
        Self {
            indent: 2,
            form: Form::Kyaml,
        }
    }
}

impl Default for WriteOptions {
    /// Four columns, as sops has it unless `.sops.yaml` says otherwise.
    fn default() -> Self {
        Self::indented(4)
    }
}

/// Appends one document as sops prints it: see [`write_documents`].
pub fn write_document(
    out: &mut Vec<u8>,
    node: &Node,
    options: &WriteOptions,
) -> Result<(), ValueError> {
    write_documents(out, std::iter::once(node), options)
}

/// Appends documents as sops prints them, joined by `---`.
///
/// Keys keep their order and may repeat; sequences are indented below their key; lines never fold. Types and texts
/// decide how scalars look, the style they were read in does not: several lines become a literal block where one
/// can hold them, a string that YAML 1.1 would read as something else gets double quotes, the string `<<` is written
/// `!!merge <<`. Comments go where their node goes. Fails for a text that its tag does not allow; nothing is appended
/// then.
///
/// ```
/// use prerender::yaml::{Node, WriteOptions, write_document};
/// let mut node = Node::mapping();
/// let entries = node.as_mapping_mut().expect("just made");
/// entries.insert("hosts", Node::sequence(vec![Node::string("a"), Node::string("on")]));
/// let mut out = Vec::new();
/// write_document(&mut out, &node, &WriteOptions::default()).expect("plain strings");
/// assert_eq!(out, b"hosts:\n    - a\n    - \"on\"\n");
/// ```
pub fn write_documents<'n>(
    out: &mut Vec<u8>,
    nodes: impl IntoIterator<Item = &'n Node>,
    options: &WriteOptions,
) -> Result<(), ValueError> {
    let start = out.len();
    let step = if (2..=9).contains(&options.indent) {
        options.indent
    } else {
        2
    };
    let mut writer = Writer {
        cursor: Cursor::new(out, step),
        form: options.form,
    };
    let result = writer.documents(nodes);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Where a node stands: this decides how far its own lines are indented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a sequence, after its `-`.
    Item,
    /// A key on the line of its value.
    SimpleKey,
    /// The value of a key.
    Value,
    /// The root, or a key after `?`.
    Other,
}

/// The order of the steps is the emitter's: comments wait in the [`Cursor`] until a step writes them, and which step
/// does decides where they end up.
struct Writer<'o, 'n> {
    cursor: Cursor<'o, 'n>,
    form: Form,
}

impl<'n> Writer<'_, 'n> {
    fn documents(&mut self, nodes: impl IntoIterator<Item = &'n Node>) -> Result<(), ValueError> {
        for (index, node) in nodes.into_iter().enumerate() {
            if index > 0 {
                self.cursor.start_line();
                self.cursor.indicator(b"---", false);
                self.cursor.start_line();
            }
            let plan = self.announce(node, "", "")?;
            self.cursor.head_comment();
            self.node(node, plan, Place::Other)?;
            self.cursor.end_document();
        }
        Ok(())
    }

    /// Takes the comments that come with the start of a node, and decides how a scalar looks.
    fn announce(
        &mut self,
        node: &'n Node,
        foot: &'n str,
        tail: &'n str,
    ) -> Result<Option<Plan<'n>>, ValueError> {
        let comments = comments(node);
        self.cursor.await_comments(comments.head, "", "", "");
        let Value::Scalar(text) = node.value() else {
            return Ok(None);
        };
        self.cursor.await_comments("", comments.line, foot, tail);
        if self.form == Form::Kyaml {
            return Ok(Some(Plan::as_read(node, text)));
        }
        let plan = Plan::of(node, text).map_err(|kind| ValueError {
            mark: node.mark(),
            kind,
        })?;
        Ok(Some(plan))
    }

    /// Takes a node's comments with its own foot comment, as every node but a key does.
    fn announce_value(&mut self, node: &'n Node) -> Result<Option<Plan<'n>>, ValueError> {
        self.announce(node, comments(node).foot, "")
    }

    /// Writes an announced node and the comments that follow its first line.
    fn node(
        &mut self,
        node: &'n Node,
        plan: Option<Plan<'n>>,
        place: Place,
    ) -> Result<(), ValueError> {
        if let Some(plan) = plan {
            self.scalar(&plan, place);
            self.cursor.line_comment();
            self.cursor.foot_comment();
            return Ok(());
        }
        self.cursor.line_comment();
        self.cursor.foot_comment();
        let is_flow = self.form == Form::Kyaml && node.style() == Style::Flow;
        match node.value() {
            Value::Sequence(items) if is_flow && !items.is_empty() => self.flow_sequence(items),
            Value::Mapping(mapping) if is_flow && !mapping.is_empty() => {
                self.flow_mapping(mapping.entries());
            }
            Value::Sequence(items) if items.is_empty() => self.empty(node, *b"[]", place),
            Value::Mapping(mapping) if mapping.is_empty() => self.empty(node, *b"{}", place),
            Value::Sequence(items) => self.sequence(node, items, place)?,
            Value::Mapping(mapping) => self.mapping(node, mapping.entries(), place)?,
            Value::Scalar(_) => {}
        }
        Ok(())
    }

    fn scalar(&mut self, plan: &Plan<'_>, place: Place) {
        let outer = self.cursor.indent;
        if let Some(tag) = &plan.tag {
            self.cursor.tag(tag);
        }
        self.cursor.indent_scalar(place == Place::Item);
        self.cursor
            .scalar(&plan.text, plan.style(place == Place::SimpleKey));
        self.cursor.indent = outer;
    }

    fn empty(&mut self, node: &'n Node, brackets: [u8; 2], place: Place) {
        let comments = comments(node);
        self.cursor.opening_bracket(brackets[0]);
        self.cursor
            .await_comments("", comments.line, comments.foot, "");
        if brackets[0] == b'{' {
            let outer = self.cursor.indent;
            self.cursor.indent_scalar(place == Place::Item);
            self.cursor.head_comment();
            self.cursor.indent = outer;
        }
        self.cursor.closing_bracket(brackets[1]);
        self.cursor.line_comment();
        self.cursor.foot_comment();
    }

    fn sequence(
        &mut self,
        node: &'n Node,
        items: &'n [Node],
        place: Place,
    ) -> Result<(), ValueError> {
        let outer = self.cursor.indent;
        if !(place == Place::Value && self.form == Form::Kyaml) {
            self.cursor.indent_collection(place == Place::Item);
        }
        for item in items {
            let plan = self.announce_value(item)?;
            self.cursor.head_comment();
            self.cursor.start_line();
            self.cursor.indicator(b"-", true);
            self.node(item, plan, Place::Item)?;
        }
        let comments = comments(node);
        self.cursor
            .await_comments("", comments.line, comments.foot, "");
        self.cursor.indent = outer;
        Ok(())
    }

    fn mapping(
        &mut self,
        node: &'n Node,
        entries: &'n [Entry],
        place: Place,
    ) -> Result<(), ValueError> {
        let outer = self.cursor.indent;
        self.cursor.indent_collection(place == Place::Item);
        // A key's foot comment belongs after its value, so it goes with the next key.
        let mut tail = "";
        for entry in entries {
            self.entry(entry, tail)?;
            tail = comments(&entry.key).foot;
        }
        let comments = comments(node);
        self.cursor
            .await_comments("", comments.line, comments.foot, tail);
        self.cursor.head_comment();
        self.cursor.indent = outer;
        Ok(())
    }

    fn entry(&mut self, entry: &'n Entry, tail: &'n str) -> Result<(), ValueError> {
        let key = self.announce(&entry.key, "", tail)?;
        self.cursor.head_comment();
        self.cursor.start_line();
        self.cursor.keep_key_comment();
        let simple = key.as_ref().is_some_and(Plan::is_simple_key);
        if let (Some(plan), true) = (&key, simple) {
            self.scalar(plan, Place::SimpleKey);
        } else {
            self.cursor.indicator(b"?", true);
            self.node(&entry.key, key, Place::Other)?;
        }
        let value = self.announce_value(&entry.value)?;
        if simple {
            self.cursor.colon();
        } else {
            self.cursor.start_line();
            self.cursor.indicator(b":", true);
        }
        self.cursor.release_key_comment(value.is_some());
        self.node(&entry.value, value, Place::Value)
    }

    /// Writes `[a, b]`. Comments inside are left out.
    fn flow_sequence(&mut self, items: &'n [Node]) {
        self.cursor.opening_bracket(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.cursor.comma();
            }
            self.flow_node(item);
        }
        self.cursor.closing_bracket(b']');
    }

    /// Writes `{a: 1, b: 2}`. Comments inside are left out.
    fn flow_mapping(&mut self, entries: &'n [Entry]) {
        self.cursor.opening_bracket(b'{');
        for (index, entry) in entries.iter().enumerate() {
            if index > 0 {
                self.cursor.comma();
            }
            self.flow_node(&entry.key);
            self.cursor.colon();
            self.flow_node(&entry.value);
        }
        self.cursor.closing_bracket(b'}');
    }

    fn flow_node(&mut self, node: &'n Node) {
        match node.value() {
            Value::Sequence(items) => self.flow_sequence(items),
            Value::Mapping(mapping) => self.flow_mapping(mapping.entries()),
            Value::Scalar(text) => {
                let plan = Plan::as_read(node, text);
                if let Some(tag) = &plan.tag {
                    self.cursor.tag(tag);
                }
                self.cursor.scalar(&plan.text, plan.flow_style());
            }
        }
    }
}

/// The comments of a node as texts, empty where there are none.
struct Texts<'n> {
    head: &'n str,
    line: &'n str,
    foot: &'n str,
}

fn comments(node: &Node) -> Texts<'_> {
    node.comments().map_or(
        Texts {
            head: "",
            line: "",
            foot: "",
        },
        |c| Texts {
            head: &c.head,
            line: &c.line,
            foot: &c.foot,
        },
    )
}

#[cfg(test)]
mod tests;
