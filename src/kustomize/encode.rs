//! Writes configuration as Go's `encoding/json` does: what is empty is left out, and a pointer to what is empty is not.
//!
//! The other half of [`decode`](super::decode): [`record!`](super::decode::record) declares how a struct is written too.
//! Keys stand in the order of the declaration; whoever prints them sorts them.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::decode::{Located, Raw};
use crate::yaml::{Entry, Mapping, Node, Tag, Value};

/// What can be written as a node.
pub(crate) trait Encode {
    /// The value as a node.
    fn node(&self) -> Node;

    /// Whether a field with this value is left out.
    fn is_omitted(&self) -> bool;

    /// Whether a pointer to this value is left out: only lists and maps are never behind one.
    fn is_omitted_behind_pointer(&self) -> bool {
        false
    }
}

impl Encode for CompactString {
    fn node(&self) -> Node {
        Node::string(self.clone())
    }

    fn is_omitted(&self) -> bool {
        self.is_empty()
    }
}

impl Encode for bool {
    fn node(&self) -> Node {
        Node::bool(*self)
    }

    fn is_omitted(&self) -> bool {
        !self
    }
}

impl Encode for i64 {
    fn node(&self) -> Node {
        Node::int(*self)
    }

    fn is_omitted(&self) -> bool {
        *self == 0
    }
}

impl Encode for Raw {
    fn node(&self) -> Node {
        self.0.clone()
    }

    fn is_omitted(&self) -> bool {
        self.0.is_null() || self.0.as_mapping().is_some_and(Mapping::is_empty)
    }

    fn is_omitted_behind_pointer(&self) -> bool {
        self.is_omitted()
    }
}

impl<T: Encode> Encode for Located<T> {
    fn node(&self) -> Node {
        self.value.node()
    }

    fn is_omitted(&self) -> bool {
        self.value.is_omitted()
    }
}

impl<T: Encode> Encode for Option<T> {
    fn node(&self) -> Node {
        self.as_ref().map_or_else(Node::null, Encode::node)
    }

    fn is_omitted(&self) -> bool {
        self.as_ref().is_none_or(Encode::is_omitted_behind_pointer)
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn node(&self) -> Node {
        Node::sequence(self.iter().map(Encode::node).collect())
    }

    fn is_omitted(&self) -> bool {
        self.is_empty()
    }

    fn is_omitted_behind_pointer(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Encode> Encode for BTreeMap<CompactString, T> {
    fn node(&self) -> Node {
        record_node(self.iter().map(|(key, value)| (&**key, value.node())))
    }

    fn is_omitted(&self) -> bool {
        self.is_empty()
    }

    fn is_omitted_behind_pointer(&self) -> bool {
        self.is_empty()
    }
}

/// A mapping of names and values.
pub(crate) fn record_node<'k>(fields: impl IntoIterator<Item = (&'k str, Node)>) -> Node {
    let entry = |(key, value): (&str, Node)| Entry {
        key: Node::string(key),
        value,
    };
    let entries = fields.into_iter().map(entry).collect();
    Node::new(Value::Mapping(Mapping::from_entries(entries)), Tag::Map)
}
