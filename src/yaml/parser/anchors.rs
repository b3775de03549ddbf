//! Anchors, the aliases that stand for copies of what they mark, and merge keys.
//!
//! While a document is composed, a node with an anchor is set aside and a placeholder stands for it, as
//! one does for each alias. When the document is complete, one walk puts the nodes back, copies included.

use std::collections::BTreeMap;

use super::error::SyntaxError;
use super::options::{DuplicateKeys, MergeKeys, ParseOptions, Reread, Schema};
use super::scanner::Result;
use super::{MAX_DEPTH, comments, duplicates};
use crate::yaml::{Entry, Mapping, Mark, Node, Style, Tag, Text, Value};

/// Below so many copied nodes there is no limit on their share.
const FREE_COPIES: u32 = 100;
/// Below so many nodes there is no limit on the share of copies.
const FREE_NODES: u32 = 1000;
/// Up to so many nodes, 99 % may be copies; go-yaml's numbers, here and below.
const SMALL_DOCUMENT: f64 = 400_000.0;
/// From so many nodes on, 10 % may be copies.
const LARGE_DOCUMENT: f64 = 4_000_000.0;

/// A node that an anchor marks: `None` while it is still being composed.
type Marked = Option<Node>;

#[derive(Default)]
pub(super) struct Anchors<'a> {
    /// The latest node of each name.
    names: BTreeMap<&'a str, usize>,
    marked: Vec<Marked>,
    /// How many of them stand in the document at hand.
    used: usize,
}

impl<'a> Anchors<'a> {
    /// Notes an anchor whose node comes next.
    pub(super) fn open(&mut self, name: &'a str) -> usize {
        self.marked.push(None);
        self.names.insert(name, self.marked.len() - 1);
        self.used += 1;
        self.marked.len() - 1
    }

    /// Sets the node of an anchor aside and returns what stands for it.
    pub(super) fn close(&mut self, anchor: usize, mut node: Node) -> Node {
        let mut stand_in = placeholder(anchor, false, node.mark());
        if node.comments().is_some() {
            // They may still move to a key.
            comments::attach(&mut stand_in, std::mem::take(node.comments_mut()));
        }
        self.marked[anchor] = Some(node);
        stand_in
    }

    /// Returns what stands for an alias.
    pub(super) fn alias(&mut self, name: &str, mark: Mark) -> Result<Node> {
        let Some(anchor) = self.names.get(name).copied() else {
            let message = "this alias names no anchor above it in the document";
            return Err(SyntaxError::new(mark, message));
        };
        if self.marked[anchor].is_none() {
            let message = "this alias stands inside the node that its anchor marks";
            return Err(SyntaxError::new(mark, message));
        }
        self.used += 1;
        Ok(placeholder(anchor, true, mark))
    }

    /// Whether the document has placeholders.
    pub(super) fn are_used(&self) -> bool {
        self.used > 0
    }

    /// Puts nodes in the place of placeholders and expands merge keys.
    pub(super) fn expand(&mut self, document: Node, options: &ParseOptions) -> Result<Node> {
        self.used = 0;
        let mut expansion = Expansion {
            marked: &self.marked,
            options,
            depth: 0,
            alias_depth: 0,
            nodes: 0,
            copies: 0,
        };
        expansion.node(&document)
    }
}

/// A node that stands for another one; no other custom-tagged scalar lacks the tag's name.
fn placeholder(anchor: usize, is_alias: bool, mark: Mark) -> Node {
    let style = if is_alias {
        Style::DoubleQuoted
    } else {
        Style::Plain
    };
    Node::from_parts(
        Value::Scalar(Text::from(anchor.to_string())),
        Tag::Custom,
        style,
        mark,
    )
}

/// The anchor that a node stands for, and whether as its alias.
fn stands_for(node: &Node) -> Option<(usize, bool)> {
    if node.tag() != Tag::Custom || node.custom_tag().is_some() {
        return None;
    }
    let anchor = node.scalar_text()?.parse().ok()?;
    Some((anchor, node.style() == Style::DoubleQuoted))
}

struct Expansion<'m> {
    marked: &'m [Marked],
    options: &'m ParseOptions,
    depth: usize,
    alias_depth: usize,
    nodes: u32,
    copies: u32,
}

impl Expansion<'_> {
    fn node(&mut self, node: &Node) -> Result<Node> {
        self.count(node)?;
        if let Some((anchor, is_alias)) = stands_for(node) {
            let target = self.marked[anchor]
                .as_ref()
                .expect("placeholders are made of complete nodes");
            self.alias_depth += usize::from(is_alias);
            let copy = self.node(target);
            self.alias_depth -= usize::from(is_alias);
            let mut copy = copy?;
            if let Some(own) = node.comments() {
                comments::attach(&mut copy, own.clone());
            }
            return Ok(copy);
        }
        if matches!(node.value(), Value::Scalar(_)) {
            return Ok(node.clone());
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} levels of nesting, aliases included");
            return Err(SyntaxError::limit(node.mark(), message));
        }
        let copy = self.collection(node)?;
        self.depth -= 1;
        Ok(copy)
    }

    fn count(&mut self, node: &Node) -> Result<()> {
        self.nodes += 1;
        self.copies += u32::from(self.alias_depth > 0);
        if self.copies <= FREE_COPIES || self.nodes <= FREE_NODES {
            return Ok(());
        }
        let (nodes, copies) = (f64::from(self.nodes), f64::from(self.copies));
        let past = (nodes - SMALL_DOCUMENT) / (LARGE_DOCUMENT - SMALL_DOCUMENT);
        let allowed = 0.99 - 0.89 * past.clamp(0.0, 1.0);
        if copies / nodes > allowed {
            let message = "the aliases of this document expand to too much";
            return Err(SyntaxError::limit(node.mark(), message));
        }
        Ok(())
    }

    fn collection(&mut self, node: &Node) -> Result<Node> {
        let value = match node.value() {
            Value::Scalar(text) => Value::Scalar(text.clone()),
            Value::Sequence(items) => {
                let items = items.iter().map(|item| self.node(item));
                Value::Sequence(items.collect::<Result<_>>()?)
            }
            Value::Mapping(mapping) => {
                let entries = mapping.entries().iter().map(|entry| {
                    Ok(Entry {
                        key: self.node(&entry.key)?,
                        value: self.node(&entry.value)?,
                    })
                });
                let entries = entries.collect::<Result<Vec<_>>>()?;
                Value::Mapping(Mapping::from_entries(self.merge(entries, node.style())?))
            }
        };
        let mut copy = node.shallow_clone();
        *copy.value_mut() = value;
        Ok(copy)
    }

    /// Replaces merge keys by what they name.
    fn merge(&self, entries: Vec<Entry>, style: Style) -> Result<Vec<Entry>> {
        let is_merge = |entry: &Entry| entry.key.tag() == Tag::Merge;
        if self.options.merge_keys == MergeKeys::Keep || !entries.iter().any(is_merge) {
            return Ok(entries);
        }
        let (merges, own): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_merge);
        let mut sources = Vec::new();
        for merge in merges {
            collect_sources(merge.value, &mut sources)?;
        }
        if self.options.schema == Schema::Python {
            // Later assignments win in Python, so the first mapping of a list comes last.
            let merged = sources.into_iter().rev().flatten();
            let mut merged: Vec<_> = merged.chain(own).collect();
            duplicates::settle(&mut merged, DuplicateKeys::LastWins, self.options.schema)?;
            return Ok(merged);
        }
        let mut merged = own;
        let style = match self.options.reread {
            Reread::AsKustomize => style,
            Reread::No => Style::Plain,
        };
        let sources = sources.into_iter().flatten();
        duplicates::add_missing(&mut merged, sources.map(|entry| moved(entry, style)));
        Ok(merged)
    }
}

/// An entry that is merged into a mapping of a style: an absent value is written as those around it are.
fn moved(mut entry: Entry, style: Style) -> Entry {
    if entry.value.is_null() && entry.value.scalar_text() == Some("") {
        entry.value.set_style(style);
    }
    entry
}

/// The mappings that a merge key names, in order.
fn collect_sources(value: Node, sources: &mut Vec<Vec<Entry>>) -> Result<()> {
    let mark = value.mark();
    let refuse = || SyntaxError::new(mark, "`<<` takes a mapping or a list of mappings");
    match value.into_value() {
        Value::Mapping(mapping) => sources.push(mapping.into_entries()),
        Value::Sequence(items) => {
            for item in items {
                let Value::Mapping(mapping) = item.into_value() else {
                    return Err(refuse());
                };
                sources.push(mapping.into_entries());
            }
        }
        Value::Scalar(_) => return Err(refuse()),
    }
    Ok(())
}
