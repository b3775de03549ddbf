//! A YAML node: a scalar, a sequence or a mapping, with its tag, style, place and comments.

use compact_str::CompactString;

use super::Link;

/// The text of a scalar; short ones need no allocation.
pub type Text = CompactString;

/// Where a node starts: line and column, from 1, the column in characters; 0 for a node made by us.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// The type of a node, resolved as go-yaml v3 does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false` in their three spellings.
    Bool,
    /// An integer in any base that YAML 1.1 or 1.2 knows.
    Int,
    /// A floating-point number.
    Float,
    /// Text.
    Str,
    /// A plain date or date-time.
    Timestamp,
    /// Base64 with an explicit `!!binary`.
    Binary,
    /// The plain key `<<`.
    Merge,
    /// A sequence.
    Seq,
    /// A mapping.
    Map,
    /// An application's own tag, kept in [`Node::custom_tag`].
    Custom,
}

/// How a node was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Style {
    /// A plain scalar, or a block collection.
    #[default]
    Plain,
    /// `'…'`.
    SingleQuoted,
    /// `"…"`.
    DoubleQuoted,
    /// `|`.
    Literal,
    /// `>`.
    Folded,
    /// `{…}` or `[…]`.
    Flow,
}

/// The comments around a node, as go-yaml v3 attaches them; each text keeps its `#` signs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comments {
    /// Lines before the node.
    pub head: String,
    /// The rest of the node's own line.
    pub line: String,
    /// Lines after the node, before an empty line.
    pub foot: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Extras {
    comments: Comments,
    custom_tag: Option<Text>,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A scalar's text, unquoted and unescaped, before any resolution.
    Scalar(Text),
    /// Items in order.
    Sequence(Vec<Node>),
    /// Entries in order.
    Mapping(Mapping),
}

/// A node of a document.
///
/// Equality compares tag and content, not style, place or comments.
///
/// ```
/// use prerender::yaml::Node;
/// let mut node = Node::mapping();
/// node.as_mapping_mut().expect("just made").insert("name", Node::string("orders-db"));
/// assert_eq!(node.get("name").and_then(Node::as_str), Some("orders-db"));
/// ```
#[derive(Debug, Clone)]
pub struct Node {
    value: Value,
    tag: Tag,
    style: Style,
    is_untagged: bool,
    is_replaced: bool,
    link: Link,
    mark: Mark,
    extras: Option<Box<Extras>>,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.tag == other.tag && self.value == other.value
    }
}

impl Node {
    /// Builds a scalar of a tag.
    pub fn scalar(tag: Tag, text: impl Into<Text>) -> Self {
        Self::new(Value::Scalar(text.into()), tag)
    }

    /// Builds a string.
    pub fn string(text: impl Into<Text>) -> Self {
        Self::scalar(Tag::Str, text)
    }

    /// Builds an integer.
    pub fn int(value: i64) -> Self {
        Self::scalar(Tag::Int, Text::from(value.to_string()))
    }

    /// Builds a boolean.
    pub fn bool(value: bool) -> Self {
        Self::scalar(Tag::Bool, if value { "true" } else { "false" })
    }

    /// Builds a null.
    pub fn null() -> Self {
        Self::scalar(Tag::Null, "null")
    }

    /// Builds an empty mapping.
    pub fn mapping() -> Self {
        Self::new(Value::Mapping(Mapping::default()), Tag::Map)
    }

    /// Builds a sequence.
    pub fn sequence(items: Vec<Self>) -> Self {
        Self::new(Value::Sequence(items), Tag::Seq)
    }

    /// Builds a node from its parts, in plain style and without a place.
    pub fn new(value: Value, tag: Tag) -> Self {
        Self {
            value,
            tag,
            style: Style::Plain,
            is_untagged: false,
            is_replaced: false,
            link: Link::default(),
            mark: Mark::default(),
            extras: None,
        }
    }

    /// Builds a node from its parts and its place.
    pub(super) fn from_parts(value: Value, tag: Tag, style: Style, mark: Mark) -> Self {
        Self {
            value,
            tag,
            style,
            is_untagged: false,
            is_replaced: false,
            link: Link::default(),
            mark,
            extras: None,
        }
    }

    /// Copies everything but what it holds.
    pub(super) fn shallow_clone(&self) -> Self {
        Self {
            value: Value::Scalar(Text::default()),
            tag: self.tag,
            style: self.style,
            is_untagged: self.is_untagged,
            is_replaced: self.is_replaced,
            link: self.link,
            mark: self.mark,
            extras: self.extras.clone(),
        }
    }

    /// Sets the style.
    #[must_use]
    pub fn with_style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    /// Sets the place.
    #[must_use]
    pub fn with_mark(mut self, mark: Mark) -> Self {
        self.mark = mark;
        self
    }

    /// What the node holds.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// What the node holds, to change it.
    pub fn value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    /// Takes what the node holds.
    pub fn into_value(self) -> Value {
        self.value
    }

    /// The resolved type.
    pub fn tag(&self) -> Tag {
        self.tag
    }

    /// Changes the type of a scalar without touching its text.
    pub fn set_tag(&mut self, tag: Tag) {
        self.tag = tag;
        self.is_untagged = false;
    }

    /// Whether nothing has fixed the type of the scalar: whoever changes its text resolves it anew.
    ///
    /// Parsed scalars are never untagged. The builder of manifests makes such scalars where the reference
    /// leaves the type to the text.
    pub fn is_untagged(&self) -> bool {
        self.is_untagged
    }

    /// Says that nothing has fixed the type of the scalar; `tag` is what its text resolves to now.
    pub fn set_untagged(&mut self, tag: Tag) {
        self.tag = tag;
        self.is_untagged = true;
    }

    /// Whether it is a new scalar in the place of the one that was read: comments are those of the old one.
    pub fn is_replaced(&self) -> bool {
        self.is_replaced
    }

    /// Says that it is a new scalar in the place of the one that was read.
    pub fn set_replaced(&mut self) {
        self.is_replaced = true;
    }

    /// Of which scalar in several places this is one.
    pub fn link(&self) -> Link {
        self.link
    }

    /// Makes it one of the places of a scalar.
    pub fn set_link(&mut self, link: Link) {
        self.link = link;
    }

    /// How it was written.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Changes how it is to be written.
    pub fn set_style(&mut self, style: Style) {
        self.style = style;
    }

    /// Where it starts.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// The comments around it, when the document was parsed with them.
    pub fn comments(&self) -> Option<&Comments> {
        self.extras.as_deref().map(|e| &e.comments)
    }

    /// The comments around it, to change them.
    pub fn comments_mut(&mut self) -> &mut Comments {
        &mut self.extras.get_or_insert_default().comments
    }

    /// The text of a [`Tag::Custom`] tag, as written.
    pub fn custom_tag(&self) -> Option<&str> {
        self.extras.as_deref().and_then(|e| e.custom_tag.as_deref())
    }

    /// Gives the node a tag of an application's own.
    pub fn set_custom_tag(&mut self, tag: impl Into<Text>) {
        self.tag = Tag::Custom;
        self.extras.get_or_insert_default().custom_tag = Some(tag.into());
    }

    /// How large it is: the number of its nodes, and the bytes of their texts.
    pub fn size(&self) -> (u64, u64) {
        let add = |(nodes, bytes): (u64, u64), node: &Self| {
            let (more, texts) = node.size();
            (nodes + more, bytes + texts)
        };
        match self.value() {
            Value::Scalar(text) => (1, text.len() as u64),
            Value::Sequence(items) => items.iter().fold((1, 0), add),
            Value::Mapping(mapping) => {
                let entries = mapping.entries().iter();
                entries.fold((1, 0), |sum, entry| add(add(sum, &entry.key), &entry.value))
            }
        }
    }

    /// The text of any scalar, whatever its type.
    pub fn scalar_text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// The text of a string; `None` for every other type.
    pub fn as_str(&self) -> Option<&str> {
        if self.tag == Tag::Str {
            self.scalar_text()
        } else {
            None
        }
    }

    /// The value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match (self.tag, self.scalar_text()?) {
            (Tag::Bool, "true" | "True" | "TRUE") => Some(true),
            (Tag::Bool, _) => Some(false),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        self.tag == Tag::Null
    }

    /// The items of a sequence.
    pub fn as_sequence(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            Value::Scalar(_) | Value::Mapping(_) => None,
        }
    }

    /// The items of a sequence, to change them.
    pub fn as_sequence_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.value {
            Value::Sequence(items) => Some(items),
            Value::Scalar(_) | Value::Mapping(_) => None,
        }
    }

    /// The entries of a mapping.
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(mapping) => Some(mapping),
            Value::Scalar(_) | Value::Sequence(_) => None,
        }
    }

    /// The entries of a mapping, to change them.
    pub fn as_mapping_mut(&mut self) -> Option<&mut Mapping> {
        match &mut self.value {
            Value::Mapping(mapping) => Some(mapping),
            Value::Scalar(_) | Value::Sequence(_) => None,
        }
    }

    /// The value of a key, when this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_mapping()?.get(key)
    }

    /// The value of a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        self.as_mapping_mut()?.get_mut(key)
    }

    /// Follows keys from mapping to mapping.
    pub fn lookup(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key; a scalar in every document that Kubernetes can read.
    pub key: Node,
    /// The value.
    pub value: Node,
}

/// The entries of a mapping, in order. Look-ups are linear: mappings of manifests are small.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mapping {
    entries: Vec<Entry>,
}

impl Mapping {
    /// Builds a mapping from entries, which must not repeat a key.
    pub fn from_entries(entries: Vec<Entry>) -> Self {
        Self { entries }
    }

    /// The entries in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries, to change, reorder or remove.
    pub fn entries_mut(&mut self) -> &mut Vec<Entry> {
        &mut self.entries
    }

    /// Takes the entries.
    pub fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The place of a key in the order.
    pub fn position(&self, key: &str) -> Option<usize> {
        self.entries
            .iter()
            .position(|e| e.key.scalar_text() == Some(key))
    }

    /// The entry of a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.position(key).map(|i| &self.entries[i])
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.value)
    }

    /// The value of a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.position(key).map(|i| &mut self.entries[i].value)
    }

    /// Whether there is a key.
    pub fn contains(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// Sets a key: in its place when it is there, at the end otherwise. Returns what was there.
    pub fn insert(&mut self, key: impl Into<Text>, value: Node) -> Option<Node> {
        let key = key.into();
        if let Some(slot) = self.get_mut(&key) {
            return Some(std::mem::replace(slot, value));
        }
        self.entries.push(Entry {
            key: Node::string(key),
            value,
        });
        None
    }

    /// The value of a key, which is made at the end when it is missing.
    pub fn get_or_insert_with(&mut self, key: &str, make: impl FnOnce() -> Node) -> &mut Node {
        let index = self.position(key).unwrap_or_else(|| {
            self.entries.push(Entry {
                key: Node::string(key),
                value: make(),
            });
            self.entries.len() - 1
        });
        &mut self.entries[index].value
    }

    /// Removes a key; the order of the others stays. Returns what was there.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        self.position(key).map(|i| self.entries.remove(i).value)
    }

    /// Keys and values in order; the keys as text, other keys than scalars as an empty text.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &Node)> {
        self.entries
            .iter()
            .map(|e| (e.key.scalar_text().unwrap_or_default(), &e.value))
    }
}
