//! The document that every store reads into and writes from: ordered entries, values, comments.

use zeroize::Zeroizing;

use super::timestamp::Timestamp;

/// Bytes that may be a secret: wiped where they end.
pub(super) type Text = Zeroizing<Vec<u8>>;

/// The documents of one file; all formats but YAML have exactly one.
pub(super) type Branches = Vec<Branch>;

/// The entries and comments of a mapping, in order.
pub(super) type Branch = Vec<Item>;

/// What stands in a mapping.
#[derive(Clone, PartialEq)]
pub(super) enum Item {
    /// A comment of its own.
    Comment(Comment),
    /// A key and its value.
    Entry(Entry),
}

/// What stands in a list.
#[derive(Clone, PartialEq)]
pub(super) enum Element {
    /// A comment of its own.
    Comment(Comment),
    /// An item of the list.
    Value(Value),
}

/// A comment without its sign.
#[derive(Clone)]
pub(super) struct Comment {
    pub(super) text: Text,
    pub(super) side: Side,
}

/// Where a comment is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// On a line of its own above what follows.
    Above,
    /// On the line of the value that follows: only YAML has these, and they move above when they are opened.
    Beside,
}

impl Comment {
    /// A comment on a line of its own.
    pub(super) fn above(text: impl Into<Vec<u8>>) -> Self {
        Self {
            text: Text::new(text.into()),
            side: Side::Above,
        }
    }
}

impl PartialEq for Comment {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// A key and its value, and the line on which the key stands (0 where no line is known).
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) value: Value,
    pub(super) line: u32,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.value == other.value
    }
}

/// A key; the ones that are not text are kept to be refused with their place.
#[derive(Clone, PartialEq)]
pub(super) enum Key {
    /// Text.
    Text(String),
    /// A number, boolean, null or collection.
    Other,
}

impl Key {
    /// The text; empty for a key that is none.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Other => "",
        }
    }
}

/// A value of the types that sops tells apart.
#[derive(Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits with a sign: readable, but no value of a sealed file.
    TooLarge,
    Float(f64),
    Time(Timestamp),
    /// Bytes, nearly always UTF-8.
    Text(Text),
    List(Vec<Element>),
    Branch(Branch),
}

impl Value {
    /// A text value.
    pub(super) fn text(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Text(Text::new(bytes.into()))
    }

    /// The text, when it is one.
    pub(super) fn as_text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The entry of a key in a branch.
pub(super) fn find<'a>(branch: &'a Branch, key: &str) -> Option<&'a Entry> {
    branch.iter().find_map(|item| match item {
        Item::Entry(entry) if entry.key.as_str() == key => Some(entry),
        Item::Entry(_) | Item::Comment(_) => None,
    })
}

/// An entry without a place.
pub(super) fn entry(key: impl Into<String>, value: Value) -> Item {
    Item::Entry(Entry {
        key: Key::Text(key.into()),
        value,
        line: 0,
    })
}
