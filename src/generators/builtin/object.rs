//! Reads the fields of a generator's object, with their places.

use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::yaml::{Mapping, Node};

/// An object under `generators:`. Fields that are not asked for are ignored, as the plugins do.
pub(super) struct Object<'a> {
    node: &'a Node,
    source: &'a Source,
}

impl<'a> Object<'a> {
    pub(super) fn new(node: &'a Node, source: &'a Source) -> Self {
        Self { node, source }
    }

    pub(super) fn node(&self) -> &'a Node {
        self.node
    }

    pub(super) fn place(&self, node: &Node) -> Place {
        let mark = node.mark();
        self.source.place(mark.line, mark.column)
    }

    pub(super) fn wrong(&self, node: &Node, phrase: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Code::GeneratorInvalid, phrase).at(self.place(node))
    }

    fn field(node: &'a Node, field: &str) -> Option<&'a Node> {
        node.get(field).filter(|value| !value.is_null())
    }

    /// A text; empty when it is missing.
    pub(super) fn text(&self, node: &'a Node, field: &str) -> Result<&'a str> {
        match Self::field(node, field) {
            None => Ok(""),
            Some(value) => value
                .as_str()
                .ok_or_else(|| self.wrong(value, format!("`{field}` is not text"))),
        }
    }

    /// A boolean; false when it is missing.
    pub(super) fn boolean(&self, node: &'a Node, field: &str) -> Result<bool> {
        match Self::field(node, field) {
            None => Ok(false),
            Some(value) => value
                .as_bool()
                .ok_or_else(|| self.wrong(value, format!("`{field}` is not true or false"))),
        }
    }

    /// The items of a list; none when it is missing.
    pub(super) fn list(&self, node: &'a Node, field: &str) -> Result<&'a [Node]> {
        match Self::field(node, field) {
            None => Ok(&[]),
            Some(value) => value
                .as_sequence()
                .ok_or_else(|| self.wrong(value, format!("`{field}` is not a list"))),
        }
    }

    /// The texts of a list, with their nodes.
    pub(super) fn texts(&self, node: &'a Node, field: &str) -> Result<Vec<(&'a str, &'a Node)>> {
        let items = self.list(node, field)?.iter();
        let texts = items.map(|item| match item.as_str() {
            Some(text) => Ok((text, item)),
            None => Err(self.wrong(item, format!("`{field}` is not a list of texts"))),
        });
        texts.collect()
    }

    /// A mapping of texts; empty when it is missing.
    pub(super) fn text_map(&self, node: &'a Node, field: &str) -> Result<Mapping> {
        let Some(value) = Self::field(node, field) else {
            return Ok(Mapping::default());
        };
        let wrong = |at: &Node| self.wrong(at, format!("`{field}` is not a mapping of texts"));
        let mut map = Mapping::default();
        for (key, value) in value.as_mapping().ok_or_else(|| wrong(value))?.iter() {
            let text = value.as_str().ok_or_else(|| wrong(value))?;
            map.insert(key, Node::string(text));
        }
        Ok(map)
    }
}
