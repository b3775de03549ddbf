//! Reads a mapping field by field, and tells the place of what is wrong in it.

use crate::diagnostic::{Code, Diagnostic, Place, Result, Source, nearest};
use crate::yaml::{Mapping, Node, Tag};

/// A mapping of a configuration file, and what it is called in messages.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) node: &'a Node,
    pub(super) source: &'a Source,
    what: &'a str,
}

impl<'a> Reader<'a> {
    /// Starts to read a mapping whose fields are `known`. Fails with [`Code::FieldType`] for anything else
    /// than a mapping, and with [`Code::FieldUnknown`] at the first other field.
    pub(super) fn new(
        node: &'a Node,
        source: &'a Source,
        what: &'a str,
        known: &[&str],
    ) -> Result<Self> {
        let reader = Self { node, source, what };
        let Some(mapping) = node.as_mapping() else {
            return Err(reader.wrong(what, "a mapping", node));
        };
        for entry in mapping.entries() {
            let name = entry.key.scalar_text().unwrap_or_default();
            if !known.contains(&name) {
                return Err(reader.unknown(name, &entry.key, known));
            }
        }
        Ok(reader)
    }

    fn unknown(&self, name: &str, key: &Node, known: &[&str]) -> Diagnostic {
        let phrase = format!("{} has no field {name}", self.what);
        let error = Diagnostic::new(Code::FieldUnknown, phrase).at(self.place(key));
        match nearest(name, known.iter().copied()) {
            Some(near) => error.help(format!("did you mean {near}?")),
            None => error.help(format!("its fields are {}", known.join(", "))),
        }
    }

    fn wrong(&self, name: &str, wanted: &str, node: &Node) -> Diagnostic {
        let phrase = format!("{name} must be {wanted}, and is {}", type_name(node));
        Diagnostic::new(Code::FieldType, phrase).at(self.place(node))
    }

    /// The place of a node.
    pub(super) fn place(&self, node: &Node) -> Place {
        place(node, self.source)
    }

    /// A field; `None` where it is missing or null.
    pub(super) fn node(&self, key: &str) -> Option<&'a Node> {
        self.node.get(key).filter(|n| !n.is_null())
    }

    /// A field that must be there.
    pub(super) fn need(&self, key: &str) -> Result<&'a Node> {
        self.node(key).ok_or_else(|| {
            Diagnostic::new(Code::FieldMissing, format!("{} needs {key}", self.what))
                .at(self.place(self.node))
        })
    }

    /// A text, and the node it is.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>> {
        self.node(key)
            .map(|node| node.as_str().ok_or_else(|| self.wrong(key, "text", node)))
            .transpose()
    }

    /// A text that must be there.
    pub(super) fn need_text(&self, key: &str) -> Result<&'a str> {
        self.need(key)?;
        Ok(self.text(key)?.unwrap_or_default())
    }

    /// A boolean; `false` where it is missing.
    pub(super) fn flag(&self, key: &str) -> Result<bool> {
        let Some(node) = self.node(key) else {
            return Ok(false);
        };
        node.as_bool()
            .ok_or_else(|| self.wrong(key, "true or false", node))
    }

    /// The items of a list; none where it is missing.
    pub(super) fn list(&self, key: &str) -> Result<&'a [Node]> {
        let Some(node) = self.node(key) else {
            return Ok(&[]);
        };
        node.as_sequence()
            .ok_or_else(|| self.wrong(key, "a list", node))
    }

    /// The texts of a list.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<&'a str>> {
        let texts = self.list(key)?.iter();
        texts
            .map(|n| {
                n.as_str()
                    .ok_or_else(|| self.wrong(&format!("an entry of {key}"), "text", n))
            })
            .collect()
    }

    /// The entries of a mapping; `None` where it is missing.
    pub(super) fn mapping(&self, key: &str) -> Result<Option<&'a Mapping>> {
        let Some(node) = self.node(key) else {
            return Ok(None);
        };
        node.as_mapping()
            .map(Some)
            .ok_or_else(|| self.wrong(key, "a mapping", node))
    }

    /// One of a few words, as what it stands for.
    pub(super) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Result<Option<T>> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(Some(*value));
        }
        let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let phrase = format!("{key} is {text}, and must be {}", names.join(" or "));
        let node = self.need(key)?;
        Err(Diagnostic::new(Code::FieldType, phrase).at(self.place(node)))
    }
}

/// The place of a node in its file.
pub(super) fn place(node: &Node, source: &Source) -> Place {
    let mark = node.mark();
    if mark.line == 0 {
        return Place::file(source.path.clone());
    }
    source.place(mark.line, mark.column)
}

/// What a node is, in words.
pub(super) fn type_name(node: &Node) -> &'static str {
    match node.tag() {
        Tag::Null => "null",
        Tag::Bool => "a boolean",
        Tag::Int => "an integer",
        Tag::Float => "a number",
        Tag::Seq => "a list",
        Tag::Map => "a mapping",
        Tag::Str | Tag::Timestamp | Tag::Binary | Tag::Merge | Tag::Custom => "text",
    }
}
