//! From tokens to nodes.

use std::borrow::Cow;

use super::anchors::Anchors;
use super::comments::{self, PendingComments};
use super::cursor::to_u32;
use super::error::SyntaxError;
use super::options::{Aliases, MergeKeys, ParseOptions, Reread};
use super::scanner::{Result, Scanner};
use super::tag::{self, Explicit};
use super::token::{Kind, TagName, Token};
use super::{MAX_DEPTH, duplicates};
use crate::yaml::resolve::canonical;
use crate::yaml::{Comments, Entry, Mapping, Mark, Node, Style, Tag, Text, Value};

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a block collection, or a whole document.
    Block,
    /// A key or value of a block mapping, where a sequence need not be indented.
    BlockOrEntries,
    /// In `[…]` or `{…}`.
    Flow,
}

/// What may stand before a node: `&anchor` and `!tag`.
#[derive(Default)]
struct Properties<'a> {
    anchor: Option<&'a str>,
    tag: Option<Explicit>,
    mark: Option<Mark>,
}

/// The most `%TAG` lines of a document: each tag is looked for in all of them.
const MAX_TAG_HANDLES: usize = 100;

pub(super) struct Composer<'a> {
    scanner: Scanner<'a>,
    options: ParseOptions,
    depth: usize,
    is_first_document: bool,
    anchors: Anchors<'a>,
    /// The handles that `%TAG` lines of this document define, and their prefixes.
    tag_handles: Vec<TagName<'a>>,
    /// Whether this document has a merge key to expand.
    has_merge: bool,
    held: Option<Box<PendingComments>>,
    /// The comments at the end of the collection that has just ended.
    end_comments: Comments,
    /// The items and entries of the collections that are being composed, the innermost ones last. A
    /// collection is made when its size is known: most are small, and none is larger than it must be.
    items: Vec<Node>,
    entries: Vec<Entry>,
}

impl<'a> Composer<'a> {
    pub(super) fn new(text: &'a str, options: ParseOptions) -> Self {
        Self {
            scanner: Scanner::new(text, &options),
            options,
            depth: 0,
            is_first_document: true,
            anchors: Anchors::default(),
            tag_handles: Vec::new(),
            has_merge: false,
            held: options.comments.then(Box::default),
            end_comments: Comments::default(),
            items: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Takes the items that were composed since there were `base` of them.
    fn sequence(&mut self, base: usize) -> Value {
        Value::Sequence(self.items.drain(base..).collect())
    }

    fn peek(&mut self) -> Result<&Token<'a>> {
        if let Some(held) = &mut self.held {
            self.scanner.peek()?;
            held.gather(&mut self.scanner);
        }
        self.scanner.peek()
    }

    /// The comments of the token that was peeked at.
    fn comments(&mut self) -> Comments {
        self.held
            .as_mut()
            .map(|held| held.take())
            .unwrap_or_default()
    }

    fn take(&mut self) -> Token<'a> {
        self.scanner.take()
    }

    /// Takes the next token when it is of a kind.
    fn take_if(&mut self, is: impl Fn(&Kind<'a>) -> bool) -> Result<Option<Token<'a>>> {
        Ok(if is(&self.peek()?.kind) {
            Some(self.take())
        } else {
            None
        })
    }

    /// Composes the next document; `None` at the end.
    pub(super) fn document(&mut self) -> Result<Option<Node>> {
        let is_first = std::mem::replace(&mut self.is_first_document, false);
        if !is_first {
            while self.take_if(|k| matches!(k, Kind::DocumentEnd))?.is_some() {}
        }
        let mut head = String::new();
        let mut node = match self.peek()?.kind {
            Kind::StreamEnd => return Ok(None),
            Kind::Version(..) | Kind::TagDirective(_) | Kind::DocumentStart => {
                self.explicit_document()?
            }
            _ if is_first => {
                if let Some(held) = &mut self.held {
                    head = held.take_document_head();
                }
                self.node(Place::Block)?
            }
            _ => {
                let mark = self.peek()?.mark;
                let message = "the document has ended; a line with `---` starts another";
                return Err(SyntaxError::new(mark, message));
            }
        };
        self.scanner.look_ahead()?;
        self.take_if(|k| matches!(k, Kind::DocumentEnd))?;
        self.tag_handles.clear();
        let expands = std::mem::replace(&mut self.has_merge, false) || self.anchors.are_used();
        if expands {
            node = self.anchors.expand(node, &self.options)?;
        }
        if let Some(held) = &mut self.held {
            comments::attach_to_document(&mut node, head, held.take_document_foot());
        }
        Ok(Some(node))
    }

    fn explicit_document(&mut self) -> Result<Node> {
        self.directives()?;
        if self
            .take_if(|k| matches!(k, Kind::DocumentStart))?
            .is_none()
        {
            let mark = self.peek()?.mark;
            let message = "a line with `---` must follow the directives";
            return Err(SyntaxError::new(mark, message));
        }
        let token = self.peek()?;
        let mark = token.mark;
        match token.kind {
            Kind::Version(..)
            | Kind::TagDirective(_)
            | Kind::DocumentStart
            | Kind::DocumentEnd
            | Kind::StreamEnd => Ok(absent(mark)),
            _ => self.node(Place::Block),
        }
    }

    fn directives(&mut self) -> Result<()> {
        let mut has_version = false;
        while let Some(token) =
            self.take_if(|k| matches!(k, Kind::Version(..) | Kind::TagDirective(_)))?
        {
            match token.kind {
                Kind::TagDirective(directive) => {
                    if self.tag_handle(directive.handle).is_some() {
                        let message = "a `%TAG` line for this handle is already there";
                        return Err(SyntaxError::new(token.mark, message));
                    }
                    if self.tag_handles.len() == MAX_TAG_HANDLES {
                        let message = format!("more than {MAX_TAG_HANDLES} `%TAG` lines");
                        return Err(SyntaxError::limit(token.mark, message));
                    }
                    self.tag_handles.push(*directive);
                }
                Kind::Version(1, 1) if !has_version => has_version = true,
                _ => {
                    let message = "only one `%YAML 1.1` line is understood; leave it out";
                    return Err(SyntaxError::new(token.mark, message));
                }
            }
        }
        Ok(())
    }

    fn tag_handle(&self, handle: &str) -> Option<&str> {
        let tag = self.tag_handles.iter().find(|t| t.handle == handle)?;
        Some(&tag.rest)
    }

    fn node(&mut self, place: Place) -> Result<Node> {
        let is_alias = |k: &Kind<'a>| matches!(k, Kind::Alias(_));
        if let Some(token) = self.take_if(is_alias)?
            && let Kind::Alias(name) = token.kind
        {
            if self.options.aliases == Aliases::Refuse {
                return Err(SyntaxError::new(token.mark, "an alias is not allowed here"));
            }
            let mut node = self.anchors.alias(name, token.mark)?;
            comments::attach(&mut node, self.comments());
            return Ok(node);
        }
        let properties = self.properties()?;
        let anchor = properties.anchor.map(|name| self.anchors.open(name));
        let node = self.content(place, properties)?;
        Ok(match anchor {
            Some(anchor) => self.anchors.close(anchor, node),
            None => node,
        })
    }

    fn properties(&mut self) -> Result<Properties<'a>> {
        let mut properties = Properties::default();
        loop {
            let token = self.peek()?;
            let mark = token.mark;
            match token.kind {
                Kind::Anchor(name) if properties.anchor.is_none() => {
                    properties.anchor = Some(name);
                    self.take();
                }
                Kind::Tag(_) if properties.tag.is_none() => {
                    if let Kind::Tag(tag) = self.take().kind {
                        properties.tag = Some(self.explicit_tag(&tag, mark)?);
                    }
                }
                _ => return Ok(properties),
            }
            properties.mark.get_or_insert(mark);
        }
    }

    fn explicit_tag(&self, tag: &TagName<'a>, mark: Mark) -> Result<Explicit> {
        let prefix = match (self.tag_handle(tag.handle), tag.handle) {
            (Some(prefix), _) => prefix,
            (None, "") => "",
            (None, "!") => "!",
            (None, "!!") => "tag:yaml.org,2002:",
            (None, _) => {
                let message = "no `%TAG` line defines the handle of this tag";
                return Err(SyntaxError::new(mark, message));
            }
        };
        Ok(Explicit::of(&format!("{prefix}{}", tag.rest)))
    }

    fn content(&mut self, place: Place, properties: Properties<'a>) -> Result<Node> {
        let is_block = place != Place::Flow;
        let token = self.peek()?;
        let start = properties.mark.unwrap_or(token.mark);
        match token.kind {
            Kind::Scalar(..) => {
                let comments = self.comments();
                let Kind::Scalar(text, style) = self.take().kind else {
                    unreachable!("the token was peeked at");
                };
                let mut node = self.scalar(text, style, properties.tag, start)?;
                comments::attach(&mut node, comments);
                Ok(node)
            }
            Kind::Entry if place == Place::BlockOrEntries => {
                self.collection(properties.tag, start, Self::entries)
            }
            Kind::SequenceStart if is_block => {
                self.collection(properties.tag, start, Self::block_sequence)
            }
            Kind::MappingStart if is_block => {
                self.collection(properties.tag, start, Self::block_mapping)
            }
            Kind::FlowSequenceStart => self.collection(properties.tag, start, Self::flow_sequence),
            Kind::FlowMappingStart => self.collection(properties.tag, start, Self::flow_mapping),
            _ if properties.mark.is_some() => match properties.tag {
                None | Some(Explicit::None) => Ok(self.absent(start, place)),
                tag => self.scalar(Cow::Borrowed(""), Style::Plain, tag, start),
            },
            _ => Err(SyntaxError::new(token.mark, "a value is missing here")),
        }
    }

    fn scalar(
        &self,
        text: Cow<'a, str>,
        style: Style,
        tag: Option<Explicit>,
        mark: Mark,
    ) -> Result<Node> {
        let schema = self.options.schema;
        let (tag, custom) = match tag {
            None | Some(Explicit::None) => (tag::of_untagged(&text, style, schema), None),
            Some(Explicit::Standard(tag)) => (tag::of_scalar(tag, &text, schema, mark)?, None),
            Some(Explicit::Custom(name)) => (Tag::Custom, Some(name)),
        };
        // A quoted scalar is a number or a boolean by its tag alone: `!!bool "yes"`.
        let text = match canonical(&text, tag, schema) {
            Some(rewritten) => Text::from(rewritten),
            None => into_text(text),
        };
        let mut node = Node::from_parts(Value::Scalar(text), tag, style, mark);
        if let Some(name) = custom {
            node.set_custom_tag(name);
        }
        Ok(node)
    }

    fn absent(&self, mark: Mark, place: Place) -> Node {
        let is_text = place == Place::Flow && self.options.reread == Reread::AsKustomize;
        let style = if is_text { Style::Flow } else { Style::Plain };
        Node::from_parts(Value::Scalar(Text::default()), Tag::Null, style, mark)
    }

    /// Composes a collection, one level further down.
    fn collection(
        &mut self,
        tag: Option<Explicit>,
        mark: Mark,
        read: fn(&mut Self) -> Result<(Value, Style)>,
    ) -> Result<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} levels of nesting");
            return Err(SyntaxError::limit(mark, message));
        }
        let head = self.collection_head()?;
        let (value, style) = read(self)?;
        self.depth -= 1;
        let kind = match value {
            Value::Sequence(_) => Tag::Seq,
            _ => Tag::Map,
        };
        let mut node = Node::from_parts(value, kind, style, mark);
        if self.held.is_some() {
            let end = std::mem::take(&mut self.end_comments);
            comments::attach_to_collection(&mut node, head, end);
        }
        if let Some(Explicit::Custom(name)) = tag {
            node.set_custom_tag(name);
        }
        Ok(node)
    }

    /// The comment before a collection that is its own, and not its first item's.
    fn collection_head(&mut self) -> Result<String> {
        if self.held.is_none() {
            return Ok(String::new());
        }
        let kind = &self.peek()?.kind;
        let is_flow = matches!(kind, Kind::FlowSequenceStart | Kind::FlowMappingStart);
        let is_indented = matches!(kind, Kind::SequenceStart | Kind::MappingStart);
        Ok(match &mut self.held {
            Some(held) if is_flow => held.take().head,
            Some(held) if is_indented => held.take_stem(),
            _ => String::new(),
        })
    }

    fn block_sequence(&mut self) -> Result<(Value, Style)> {
        let start = self.take();
        let base = self.items.len();
        loop {
            let token = self.peek()?;
            match token.kind {
                Kind::Entry => {
                    let item = self.entry(false)?;
                    self.items.push(item);
                }
                Kind::BlockEnd => break,
                _ => {
                    return Err(SyntaxError::new(
                        token.mark,
                        format!(
                            "expected a `-` here, as in the list that starts at line {}",
                            start.mark.line
                        ),
                    ));
                }
            }
        }
        self.take();
        Ok((self.sequence(base), Style::Plain))
    }

    /// The items of a sequence that is not indented under its key.
    fn entries(&mut self) -> Result<(Value, Style)> {
        let base = self.items.len();
        while matches!(self.peek()?.kind, Kind::Entry) {
            let item = self.entry(true)?;
            self.items.push(item);
        }
        Ok((self.sequence(base), Style::Plain))
    }

    fn entry(&mut self, in_mapping: bool) -> Result<Node> {
        let head = self.held.as_ref().map_or(0, |held| held.head_length());
        let entry = self.take();
        if head > 0
            && matches!(self.peek()?.kind, Kind::SequenceStart | Kind::MappingStart)
            && let Some(held) = self.held.as_mut()
        {
            held.split_stem(head);
        }
        match self.peek()?.kind {
            Kind::Entry | Kind::BlockEnd => Ok(absent(after(&entry))),
            Kind::Key | Kind::Value if in_mapping => Ok(absent(after(&entry))),
            _ => self.node(Place::Block),
        }
    }

    fn block_mapping(&mut self) -> Result<(Value, Style)> {
        let start = self.take();
        let base = self.entries.len();
        loop {
            let token = self.peek()?;
            match token.kind {
                Kind::Key => {
                    let token = self.take();
                    let key = self.block_part(after(&token))?;
                    let entry = self.block_entry(key)?;
                    self.entries.push(entry);
                    if self.held.is_some() {
                        comments::settle_feet(&mut self.entries[base..], true);
                    }
                }
                Kind::BlockEnd => break,
                _ => {
                    return Err(SyntaxError::new(
                        token.mark,
                        format!(
                            "expected a key here, as in the mapping that starts at line {}",
                            start.mark.line
                        ),
                    ));
                }
            }
        }
        self.end_comments = Comments {
            head: String::new(),
            ..self.comments()
        };
        self.take();
        Ok((self.mapping(base)?, Style::Plain))
    }

    fn block_entry(&mut self, key: Node) -> Result<Entry> {
        let value = match self.take_if(|k| matches!(k, Kind::Value))? {
            Some(token) => self.block_part(after(&token))?,
            None => absent(self.peek()?.mark),
        };
        Ok(Entry { key, value })
    }

    /// A key or a value of a block mapping.
    fn block_part(&mut self, mark: Mark) -> Result<Node> {
        match self.peek()?.kind {
            Kind::Key | Kind::Value | Kind::BlockEnd => Ok(absent(mark)),
            _ => self.node(Place::BlockOrEntries),
        }
    }

    fn flow_sequence(&mut self) -> Result<(Value, Style)> {
        let start = self.take();
        let base = self.items.len();
        loop {
            if self.flow_ends(&start, self.items.len() == base, is_sequence_end)? {
                return Ok((self.sequence(base), Style::Flow));
            }
            let item = match self.take_if(|k| matches!(k, Kind::Key))? {
                Some(token) => self.pair(&token)?,
                None => self.node(Place::Flow)?,
            };
            self.items.push(item);
        }
    }

    /// A `key: value` that stands in a flow sequence as a mapping of its own.
    fn pair(&mut self, start: &Token<'a>) -> Result<Node> {
        let token = self.peek()?;
        let key = match token.kind {
            // go-yaml takes the token after a lonely `?` for its key, whatever it is.
            Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd => {
                let mark = self.take().mark;
                self.absent(mark, Place::Flow)
            }
            _ => self.node(Place::Flow)?,
        };
        let value = self.flow_value(is_sequence_end)?;
        let base = self.entries.len();
        self.entries.push(Entry { key, value });
        if self.held.is_some() {
            comments::settle_feet(&mut self.entries[base..], false);
        }
        let value = self.mapping(base)?;
        Ok(Node::from_parts(value, Tag::Map, Style::Flow, start.mark))
    }

    fn flow_mapping(&mut self) -> Result<(Value, Style)> {
        let start = self.take();
        let base = self.entries.len();
        loop {
            if self.flow_ends(&start, self.entries.len() == base, is_mapping_end)? {
                return Ok((self.mapping(base)?, Style::Flow));
            }
            if self.take_if(|k| matches!(k, Kind::Key))?.is_none() {
                let key = self.node(Place::Flow)?;
                let mark = self.peek()?.mark;
                let value = self.absent(mark, Place::Flow);
                self.entries.push(Entry { key, value });
                continue;
            }
            let token = self.peek()?;
            let mark = token.mark;
            let key = match token.kind {
                Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd => {
                    self.absent(mark, Place::Flow)
                }
                _ => self.node(Place::Flow)?,
            };
            let value = self.flow_value(is_mapping_end)?;
            self.entries.push(Entry { key, value });
            if self.held.is_some() {
                comments::settle_feet(&mut self.entries[base..], false);
            }
        }
    }

    /// Takes the `,` between items and the end of a flow collection; returns whether it ended.
    fn flow_ends(
        &mut self,
        start: &Token<'a>,
        is_first: bool,
        is_end: fn(&Kind<'a>) -> bool,
    ) -> Result<bool> {
        if is_end(&self.peek()?.kind) {
            self.take_flow_end();
            return Ok(true);
        }
        if is_first {
            return Ok(false);
        }
        if self.take_if(|k| matches!(k, Kind::FlowEntry))?.is_none() {
            let mark = self.peek()?.mark;
            let (what, close) = match start.kind {
                Kind::FlowSequenceStart => ("[", "]"),
                _ => ("{", "}"),
            };
            let message = format!(
                "expected `,` or `{close}` after an item of the `{what}` at line {}",
                start.mark.line
            );
            return Err(SyntaxError::new(mark, message));
        }
        let ends = is_end(&self.peek()?.kind);
        if ends {
            self.take_flow_end();
        }
        Ok(ends)
    }

    fn take_flow_end(&mut self) {
        if self.held.is_some() {
            self.end_comments = Comments {
                head: String::new(),
                ..self.comments()
            };
        }
        self.take();
    }

    /// The value after a key in a flow collection, if there is one.
    fn flow_value(&mut self, is_end: fn(&Kind<'a>) -> bool) -> Result<Node> {
        let has_value = self.take_if(|k| matches!(k, Kind::Value))?.is_some();
        let token = self.peek()?;
        let mark = token.mark;
        if !has_value || matches!(token.kind, Kind::FlowEntry) || is_end(&token.kind) {
            return Ok(self.absent(mark, Place::Flow));
        }
        self.node(Place::Flow)
    }

    /// Makes a mapping of the entries that were composed since there were `base` of them.
    fn mapping(&mut self, base: usize) -> Result<Value> {
        let mut entries: Vec<Entry> = self.entries.drain(base..).collect();
        duplicates::settle(
            &mut entries,
            self.options.duplicate_keys,
            self.options.schema,
        )?;
        if self.options.merge_keys == MergeKeys::Expand {
            if self.options.reread == Reread::AsKustomize {
                refuse_merge_twice(&entries)?;
                drop_quoted_merge(&mut entries);
                write_absent_keys(&mut entries);
            }
            self.has_merge |= entries.iter().any(|e| e.key.tag() == Tag::Merge);
        }
        Ok(Value::Mapping(Mapping::from_entries(entries)))
    }
}

fn is_sequence_end(kind: &Kind<'_>) -> bool {
    matches!(kind, Kind::FlowSequenceEnd)
}

fn is_mapping_end(kind: &Kind<'_>) -> bool {
    matches!(kind, Kind::FlowMappingEnd)
}

/// Makes a text of a key that is left out (`? : value`): it is written `''`.
fn write_absent_keys(entries: &mut [Entry]) {
    let is_absent = |key: &Node| key.is_null() && key.scalar_text() == Some("");
    for entry in entries.iter_mut().filter(|e| is_absent(&e.key)) {
        entry.key.set_tag(Tag::Str);
    }
}

/// Refuses a second merge key, where other keys may stand twice for a while.
fn refuse_merge_twice(entries: &[Entry]) -> Result<()> {
    let mut merges = entries.iter().filter(|e| e.key.tag() == Tag::Merge);
    match merges.nth(1) {
        Some(second) => {
            let message = "a mapping has one key `<<`, which takes a list of mappings too";
            Err(SyntaxError::new(second.key.mark(), message))
        }
        None => Ok(()),
    }
}

/// Drops a key `<<` that is a text: the reference takes it away with the merge key.
fn drop_quoted_merge(entries: &mut Vec<Entry>) {
    let is_merge = |entry: &Entry| entry.key.scalar_text() == Some("<<");
    if let Some(at) = entries.iter().position(is_merge)
        && entries[at].key.tag() != Tag::Merge
    {
        entries.remove(at);
    }
}

/// A value that is left out.
fn absent(mark: Mark) -> Node {
    Node::from_parts(
        Value::Scalar(Text::default()),
        Tag::Null,
        Style::Plain,
        mark,
    )
}

/// The place after an indicator of one character.
fn after(token: &Token<'_>) -> Mark {
    Mark {
        line: token.mark.line,
        column: token.mark.column.saturating_add(to_u32(1)),
    }
}

fn into_text(text: Cow<'_, str>) -> Text {
    match text {
        Cow::Borrowed(text) => Text::new(text),
        Cow::Owned(text) => Text::from(text),
    }
}
