//! Scalars that stand in several places of a document: where one is changed, all are.
//!
//! Go's documents are trees of pointers, and kustomize puts one scalar in many places of an object. Users'
//! outputs depend on it. A [`Link`] marks the places; whoever may have changed some of them calls [`settle`].

use std::collections::BTreeMap;

use super::{Node, Value};

/// A mark that a scalar has in common with others of its document; the default is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Link(u32);

/// The bit that says that a place was changed and the others were not yet.
const CHANGED: u32 = 1 << 31;

impl Link {
    /// The mark of a number, which counts from 0.
    pub fn new(number: u32) -> Self {
        Self((number & !CHANGED) + 1)
    }

    /// Whether there is a mark.
    pub fn is_some(self) -> bool {
        self.0 != 0
    }

    fn is_changed(self) -> bool {
        self.0 & CHANGED != 0
    }

    fn settled(self) -> Self {
        Self(self.0 & !CHANGED)
    }
}

impl Node {
    /// Says that this scalar was changed. Returns whether others are to follow.
    pub fn note_change(&mut self) -> bool {
        let link = self.link();
        if link.is_some() {
            self.set_link(Link(link.0 | CHANGED));
        }
        link.is_some()
    }

    /// Makes this and all that it holds stand for themselves.
    pub fn unlink(&mut self) {
        self.set_link(Link::default());
        match self.value_mut() {
            Value::Scalar(_) => {}
            Value::Sequence(items) => items.iter_mut().for_each(Self::unlink),
            Value::Mapping(mapping) => {
                for entry in mapping.entries_mut() {
                    entry.value.unlink();
                }
            }
        }
    }
}

/// Lets the other places of changed scalars follow. Of several changed places of a scalar the last counts,
/// keys in the order of their bytes.
pub fn settle(document: &mut Node) {
    let mut changed = BTreeMap::new();
    collect(document, &mut changed);
    if !changed.is_empty() {
        spread(document, &changed);
    }
}

fn collect(node: &Node, changed: &mut BTreeMap<u32, Node>) {
    match node.value() {
        Value::Scalar(_) if node.link().is_changed() => {
            changed.insert(node.link().settled().0, node.clone());
        }
        Value::Scalar(_) => {}
        Value::Sequence(items) => items.iter().for_each(|item| collect(item, changed)),
        Value::Mapping(mapping) => {
            let mut entries: Vec<_> = mapping.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            for (_, value) in entries {
                collect(value, changed);
            }
        }
    }
}

fn spread(node: &mut Node, changed: &BTreeMap<u32, Node>) {
    match node.value_mut() {
        Value::Scalar(_) => {
            let link = node.link().settled();
            if let Some(new) = changed.get(&link.0) {
                *node = new.clone();
                node.set_link(link);
            }
        }
        Value::Sequence(items) => items.iter_mut().for_each(|item| spread(item, changed)),
        Value::Mapping(mapping) => {
            for entry in mapping.entries_mut() {
                spread(&mut entry.value, changed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Link, settle};
    use crate::yaml::{Node, Value};

    #[test]
    fn the_last_change_reaches_every_place() {
        let mut document = Node::mapping();
        let mapping = document.as_mapping_mut().expect("just made");
        for key in ["b", "a", "c"] {
            let mut node = Node::string("old");
            node.set_link(Link::new(0));
            mapping.insert(key, node);
        }
        mapping.insert("d", Node::string("old"));
        for (key, text) in [("b", "last"), ("a", "first")] {
            let node = mapping.get_mut(key).expect("just made");
            *node.value_mut() = Value::Scalar(text.into());
            assert!(node.note_change());
        }
        settle(&mut document);
        let text = |key| document.get(key).and_then(Node::as_str);
        assert_eq!(
            ["a", "b", "c", "d"].map(text),
            ["last", "last", "last", "old"].map(Some)
        );
    }
}
