//! What the scanner sees in the text.

use std::borrow::Cow;

use crate::yaml::{Mark, Style};

/// A token and where it starts.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) mark: Mark,
    /// Byte offset of its start.
    pub(super) offset: usize,
    /// The flow level whose implicit key may start here, plus one; 0 for none.
    pub(super) key_level: u32,
}

#[derive(Debug)]
pub(super) enum Kind<'a> {
    StreamEnd,
    Version(u8, u8),
    TagDirective(Box<TagName<'a>>),
    DocumentStart,
    DocumentEnd,
    SequenceStart,
    MappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    Entry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    Tag(Box<TagName<'a>>),
    Scalar(Cow<'a, str>, Style),
}

/// A tag's handle and suffix, or a handle and the prefix that `%TAG` gives it.
#[derive(Debug)]
pub(super) struct TagName<'a> {
    pub(super) handle: &'a str,
    pub(super) rest: Cow<'a, str>,
}
