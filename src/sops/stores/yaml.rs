//! YAML files: one or more documents, with the comments that go-yaml v3 finds.
//!
//! A comment is an item of its own before, or after, what it belongs to; on the way out it stands at the
//! head of what follows. Inline comments move above, blank lines and quotes are lost: all as in sops.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::super::document::{Branch, Branches, Comment, Element, Entry, Item, Key, Side, Value};
use super::super::timestamp::Timestamp;
use super::{MAX_DEPTH, StoreError};
use crate::diagnostic::Code;
use crate::yaml::{
    self, Comments, DuplicateKeys, MergeKeys, Node, Number, ParseOptions, SyntaxError, SyntaxKind,
    Tag, WriteOptions,
};

const OPTIONS: ParseOptions = ParseOptions {
    comments: true,
    merge_keys: MergeKeys::Keep,
    duplicate_keys: DuplicateKeys::Keep,
    ..ParseOptions::DEFAULT
};

/// Reads every document. Keys may repeat in all documents but the first, and `<<` may stand at anything but
/// at its top: what sops decodes there finds the metadata.
pub(super) fn read(bytes: &[u8]) -> Result<Branches, StoreError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let lines = bytes[..error.valid_up_to()]
            .iter()
            .filter(|b| **b == b'\n')
            .count();
        StoreError::at(
            u32::try_from(lines + 1).unwrap_or(0),
            "the file is not UTF-8",
        )
    })?;
    let documents = yaml::parse(text, OPTIONS).map_err(|error| syntax(&error))?;
    if let Some(first) = documents.first() {
        check_merges(first)?;
        check_keys(first)?;
    }
    documents.into_iter().map(document).collect()
}

fn syntax(error: &SyntaxError) -> StoreError {
    StoreError {
        line: error.mark.line,
        column: error.mark.column,
        code: match error.kind {
            SyntaxKind::Syntax => Code::YamlSyntax,
            SyntaxKind::DuplicateKey => Code::YamlDuplicateKey,
            SyntaxKind::Limit => Code::YamlLimit,
        },
        phrase: error.message.clone().into_owned(),
    }
}

fn fault(node: &Node, phrase: &str) -> StoreError {
    let mark = node.mark();
    StoreError {
        column: mark.column,
        ..StoreError::at(mark.line, phrase)
    }
}

/// sops writes the text `<<` as a merge key, which is one where the metadata are looked for alone.
fn check_merges(root: &Node) -> Result<(), StoreError> {
    let entries = root.as_mapping().map_or(&[][..], yaml::Mapping::entries);
    let wrong = entries
        .iter()
        .find(|entry| entry.key.tag() == Tag::Merge && !can_merge(&entry.value));
    wrong.map_or(Ok(()), |entry| {
        Err(fault(
            &entry.value,
            "`<<` merges mappings, and this is none",
        ))
    })
}

fn check_keys(node: &Node) -> Result<(), StoreError> {
    match node.value() {
        yaml::Value::Scalar(_) => Ok(()),
        yaml::Value::Sequence(items) => items.iter().try_for_each(check_keys),
        yaml::Value::Mapping(mapping) => {
            let mut seen = BTreeSet::new();
            for entry in mapping.entries() {
                let is_new = entry.key.scalar_text().is_none_or(|key| seen.insert(key));
                if !is_new {
                    return Err(StoreError {
                        code: Code::YamlDuplicateKey,
                        ..fault(&entry.key, "the key is already there")
                    });
                }
                check_keys(&entry.value)?;
            }
            Ok(())
        }
    }
}

fn can_merge(node: &Node) -> bool {
    match node.value() {
        yaml::Value::Mapping(_) => true,
        yaml::Value::Sequence(items) => items.iter().all(|item| item.as_mapping().is_some()),
        yaml::Value::Scalar(_) => false,
    }
}

fn document(root: Node) -> Result<Branch, StoreError> {
    match root.value() {
        yaml::Value::Mapping(_) => mapping(root, false, 0),
        yaml::Value::Scalar(_) if root.is_null() => {
            let mut branch = Branch::new();
            if let Some(comments) = root.comments() {
                for text in [&comments.head, &comments.line, &comments.foot] {
                    add_comments(&mut branch, text);
                }
            }
            Ok(branch)
        }
        yaml::Value::Scalar(_) => Err(fault(
            &root,
            "a YAML file that is sealed holds a mapping, not a value",
        )),
        yaml::Value::Sequence(_) => Err(fault(
            &root,
            "a YAML file that is sealed holds a mapping, not a list",
        )),
    }
}

/// What takes comments: a branch or a list.
trait Commented {
    fn comment(&mut self, comment: Comment);
}

impl Commented for Branch {
    fn comment(&mut self, comment: Comment) {
        self.push(Item::Comment(comment));
    }
}

impl Commented for Vec<Element> {
    fn comment(&mut self, comment: Comment) {
        self.push(Element::Comment(comment));
    }
}

/// Adds each line of a comment without its sign.
fn add_comments(target: &mut impl Commented, text: &str) {
    add_comments_at(target, text, Side::Above);
}

fn add_comments_at(target: &mut impl Commented, text: &str, side: Side) {
    for line in text.split('\n').filter(|line| !line.is_empty()) {
        let bare = line.get(1..).unwrap_or_default();
        target.comment(Comment {
            side,
            ..Comment::above(bare)
        });
    }
}

fn take_comments(node: &mut Node) -> Comments {
    match node.comments() {
        Some(_) => std::mem::take(node.comments_mut()),
        None => Comments::default(),
    }
}

/// Reads a mapping; `handled` tells that its own comments were placed around it.
fn mapping(mut node: Node, handled: bool, depth: usize) -> Result<Branch, StoreError> {
    if depth == MAX_DEPTH {
        return Err(fault(&node, "the nesting is too deep"));
    }
    let mut branch = Branch::new();
    let own = take_comments(&mut node);
    if !handled {
        add_comments(&mut branch, &own.head);
        add_comments(&mut branch, &own.line);
    }
    if let yaml::Value::Mapping(mapping) = node.into_value() {
        for entry in mapping.into_entries() {
            add_entry(&mut branch, entry, depth)?;
        }
    }
    if !handled {
        add_comments(&mut branch, &own.foot);
    }
    Ok(branch)
}

fn add_entry(branch: &mut Branch, entry: yaml::Entry, depth: usize) -> Result<(), StoreError> {
    let yaml::Entry {
        key: mut key_node,
        value: mut node,
    } = entry;
    let key_comments = take_comments(&mut key_node);
    add_comments(branch, &key_comments.head);
    add_comments(branch, &key_comments.line);
    // A collection keeps its comments inside; those of a scalar go around the entry.
    let around = match node.value() {
        yaml::Value::Scalar(_) => take_comments(&mut node),
        yaml::Value::Sequence(_) | yaml::Value::Mapping(_) => Comments::default(),
    };
    add_comments(branch, &around.head);
    add_comments_at(branch, &around.line, Side::Beside);
    let line = key_node.mark().line;
    branch.push(Item::Entry(Entry {
        key: key(&key_node),
        value: value(node, false, depth)?,
        line,
    }));
    add_comments(branch, &around.foot);
    add_comments(branch, &key_comments.foot);
    Ok(())
}

fn key(node: &Node) -> Key {
    match (node.tag(), node.scalar_text()) {
        (Tag::Str | Tag::Merge | Tag::Custom, Some(text)) => Key::Text(text.to_owned()),
        _ => Key::Other,
    }
}

fn value(mut node: Node, handled: bool, depth: usize) -> Result<Value, StoreError> {
    match node.value() {
        yaml::Value::Scalar(_) => scalar(&node),
        yaml::Value::Mapping(_) => mapping(node, handled, depth + 1).map(Value::Branch),
        yaml::Value::Sequence(_) => {
            if depth == MAX_DEPTH {
                return Err(fault(&node, "the nesting is too deep"));
            }
            let mut list = Vec::new();
            let own = take_comments(&mut node);
            if !handled {
                add_comments(&mut list, &own.head);
                add_comments(&mut list, &own.line);
            }
            if let yaml::Value::Sequence(items) = node.into_value() {
                for mut item in items {
                    let comments = take_comments(&mut item);
                    add_comments(&mut list, &comments.head);
                    add_comments_at(&mut list, &comments.line, Side::Beside);
                    list.push(Element::Value(value(item, true, depth + 1)?));
                    add_comments(&mut list, &comments.foot);
                }
            }
            if !handled {
                add_comments(&mut list, &own.foot);
            }
            Ok(Value::List(list))
        }
    }
}

fn scalar(node: &Node) -> Result<Value, StoreError> {
    let text = node.scalar_text().unwrap_or_default();
    Ok(match node.tag() {
        Tag::Null => Value::Null,
        Tag::Bool => Value::Bool(node.as_bool() == Some(true)),
        Tag::Int | Tag::Float => match (Number::parse(text), node.tag()) {
            (Some(Number::Int(number)), Tag::Int) => Value::Int(number),
            (Some(Number::Uint(_)), Tag::Int) => Value::TooLarge,
            (Some(number), _) => Value::Float(number.as_f64()),
            (None, _) => return Err(fault(node, "a value is no number as its tag says")),
        },
        Tag::Timestamp => match Timestamp::parse_yaml(text) {
            Some(moment) => Value::Time(moment),
            None => return Err(fault(node, "a value is no time as its tag says")),
        },
        Tag::Binary => {
            let packed: String = text.split_ascii_whitespace().collect();
            // What is not base64 decodes to nothing, as in sops.
            BASE64_STANDARD
                .decode(packed)
                .map_or(Value::Null, Value::text)
        }
        Tag::Str | Tag::Merge | Tag::Custom | Tag::Seq | Tag::Map => Value::text(text),
    })
}

/// What go-yaml makes of an indent.
pub(in crate::sops) fn indent(blanks: usize) -> usize {
    match blanks {
        0 => 4,
        2..=9 => blanks,
        _ => 2,
    }
}

/// Writes documents, joined by `---`.
pub(super) fn write(branches: &Branches, indent: usize) -> Result<Vec<u8>, StoreError> {
    let nodes: Vec<Node> = branches.iter().map(to_mapping).collect();
    emit(&nodes, indent)
}

/// Writes one value by itself, with the indent that go-yaml has by default.
pub(super) fn write_value(value: &Value) -> Result<Vec<u8>, StoreError> {
    emit(&[to_node(value)], 4)
}

fn emit(nodes: &[Node], indent: usize) -> Result<Vec<u8>, StoreError> {
    let mut out = Vec::new();
    yaml::write_documents(&mut out, nodes, &WriteOptions::indented(indent))
        .map_err(|_| StoreError::at(0, "a value has no form in YAML"))?;
    Ok(out)
}

/// Whether sops prints `null` for a text: it reads back what go-yaml writes for it, go-yaml writes a block, and
/// reads none that starts with a tab.
pub(super) fn is_lost(text: &[u8]) -> bool {
    text.starts_with(b"\t")
        && text.contains(&b'\n')
        && std::str::from_utf8(text).is_ok_and(yaml::fits_block)
}

/// Comments that wait for what follows them.
#[derive(Default)]
struct Waiting {
    above: Vec<String>,
    beside: Vec<String>,
}

impl Waiting {
    fn push(&mut self, comment: &Comment) {
        let text = String::from_utf8_lossy(&comment.text).into_owned();
        match comment.side {
            Side::Above => self.above.push(text),
            Side::Beside => self.beside.push(text),
        }
    }

    /// Puts those that stood on the line of a value beside it again.
    fn beside(&mut self, node: &mut Node) {
        if let Some(text) = joined(&mut self.beside) {
            node.comments_mut().line = text;
        }
    }

    /// Puts them before a node.
    fn head(&mut self, node: &mut Node) {
        if let Some(text) = joined(&mut self.above) {
            let head = &mut node.comments_mut().head;
            *head = if head.is_empty() {
                text
            } else {
                format!("{text}\n{head}")
            };
        }
    }

    /// Puts all of them before a node that nothing is in.
    fn all_before(&mut self, node: &mut Node) {
        self.above.append(&mut self.beside);
        self.head(node);
    }

    /// Puts them after a node.
    fn foot(&mut self, node: &mut Node) {
        self.above.append(&mut self.beside);
        if let Some(text) = joined(&mut self.above) {
            let foot = &mut node.comments_mut().foot;
            *foot = if foot.is_empty() {
                text
            } else {
                format!("{foot}\n{text}")
            };
        }
    }
}

/// Comments as the lines of one, and none left.
fn joined(comments: &mut Vec<String>) -> Option<String> {
    let lines = std::mem::take(comments);
    (!lines.is_empty()).then(|| format!("#{}", lines.join("\n#")))
}

fn to_mapping(branch: &Branch) -> Node {
    let mut node = Node::mapping();
    let mut waiting = Waiting::default();
    let mut entries: Vec<yaml::Entry> = Vec::with_capacity(branch.len());
    for item in branch {
        match item {
            Item::Comment(comment) => waiting.push(comment),
            Item::Entry(entry) => {
                // What stands before the first key belongs to the mapping.
                if entries.is_empty() {
                    waiting.head(&mut node);
                }
                let mut key = text_node(entry.key.as_str());
                waiting.head(&mut key);
                let mut value = to_node(&entry.value);
                waiting.beside(&mut value);
                entries.push(yaml::Entry { key, value });
            }
        }
    }
    match entries.last_mut() {
        Some(last) => waiting.foot(&mut last.key),
        None => waiting.all_before(&mut node),
    }
    if let Some(mapping) = node.as_mapping_mut() {
        *mapping.entries_mut() = entries;
    }
    node
}

fn to_sequence(list: &[Element]) -> Node {
    let mut node = Node::sequence(Vec::new());
    let mut waiting = Waiting::default();
    let mut items = Vec::with_capacity(list.len());
    for element in list {
        match element {
            Element::Comment(comment) => waiting.push(comment),
            Element::Value(value) => {
                if items.is_empty() {
                    waiting.head(&mut node);
                }
                let mut item = to_node(value);
                waiting.head(&mut item);
                waiting.beside(&mut item);
                items.push(item);
            }
        }
    }
    match items.last_mut() {
        Some(last) => waiting.foot(last),
        None => waiting.all_before(&mut node),
    }
    if let Some(sequence) = node.as_sequence_mut() {
        *sequence = items;
    }
    node
}

fn to_node(value: &Value) -> Node {
    match value {
        Value::Null | Value::TooLarge => Node::null(),
        Value::Bool(value) => Node::bool(*value),
        Value::Int(number) => Node::int(*number),
        Value::Float(number) => Node::scalar(Tag::Float, float_text(*number)),
        Value::Time(moment) => Node::scalar(Tag::Timestamp, moment.as_str()),
        Value::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => text_node(text),
            Err(_) => Node::scalar(Tag::Binary, binary_text(text)),
        },
        Value::List(list) => to_sequence(list),
        Value::Branch(branch) => to_mapping(branch),
    }
}

fn text_node(text: &str) -> Node {
    Node::string(text)
}

/// A float as go-yaml writes it.
fn float_text(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    if number == 0.0 && number.is_sign_negative() {
        // Without the fraction it would be the integer zero, which has no sign.
        return "-0.0".to_owned();
    }
    let mut text = Vec::new();
    crate::go::float::write_general(&mut text, number);
    String::from_utf8_lossy(&text).into_owned()
}

/// Bytes as base64 in lines of seventy characters, as go-yaml breaks it.
fn binary_text(bytes: &[u8]) -> String {
    const WIDTH: usize = 70;
    let packed = BASE64_STANDARD.encode(bytes);
    if packed.len() <= WIDTH {
        return packed;
    }
    let lines: Vec<&str> = packed
        .as_bytes()
        .chunks(WIDTH)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    format!("{}\n", lines.join("\n"))
}
