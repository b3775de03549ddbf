//! A field that is a node of its own, to be read later.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::yaml::Node;

/// The name by which the deserializer of nodes knows that the node itself is wanted.
pub(super) const NAME: &str = "$prerender::yaml::Node";

thread_local! {
    /// Serde has no door for a node, so the deserializer lays it here for the visitor that it calls next.
    static HANDED_OVER: RefCell<Option<Node>> = const { RefCell::new(None) };
}

/// Gives a copy of a node to a visitor that asked for one by [`NAME`].
pub(super) fn hand_over<'de, V: Visitor<'de>, E: de::Error>(
    node: &Node,
    visitor: V,
) -> Result<V::Value, E> {
    HANDED_OVER.set(Some(node.clone()));
    visitor.visit_unit()
}

impl<'de> Deserialize<'de> for Node {
    /// Copies the node. Only [`from_node`](crate::yaml::from_node) can, outside of `flatten` and `untagged`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(NAME, NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a node")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        HANDED_OVER
            .take()
            .ok_or_else(|| E::custom("a node can only be read from a node"))
    }
}
