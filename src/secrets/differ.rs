//! Where renders of one root in several worlds differ: there, and nowhere else, a sealed value was at work.

use crate::kube::{ResMap, Resource};
use crate::yaml::{Mapping, Node};

/// The same place in the real render and in two others, whose sealed values differ in every letter.
#[derive(Clone, Copy)]
pub(super) struct Worlds<'a> {
    pub(super) real: Option<&'a Node>,
    pub(super) first: &'a Node,
    pub(super) second: Option<&'a Node>,
}

impl<'a> Worlds<'a> {
    /// The same key below each.
    pub(super) fn below(self, key: &str, first: &'a Node) -> Self {
        Self {
            real: self.real.and_then(|node| node.get(key)),
            first,
            second: self.second.and_then(|node| node.get(key)),
        }
    }

    /// The same item of each, where the lists are as long as one another.
    pub(super) fn item(self, index: usize, first: &'a Node) -> Self {
        let of = |node: Option<&'a Node>| node?.as_sequence()?.get(index);
        Self {
            real: of(self.real),
            first,
            second: of(self.second),
        }
    }

    /// Whether the lists or mappings of the two other worlds cannot be laid over one another.
    pub(super) fn is_torn(self) -> bool {
        let Some(second) = self.second else {
            return true;
        };
        match (self.first.as_sequence(), second.as_sequence()) {
            (Some(a), Some(b)) => return a.len() != b.len(),
            (None, None) => {}
            _ => return true,
        }
        self.first.as_mapping().is_some() != second.as_mapping().is_some()
    }
}

/// Whether two scalars are the same, as they are printed.
pub(super) fn is_same_scalar(a: &Node, b: &Node) -> bool {
    a.scalar_text() == b.scalar_text() && a.tag() == b.tag()
}

/// The first place, as a path of keys, at which an object is not the same in all worlds.
///
/// Keys that are not in all of them are not named: they may be made of a secret.
pub(super) fn first_difference(worlds: Worlds<'_>, path: &mut Vec<String>) -> bool {
    let (Some(real), Some(second)) = (worlds.real, worlds.second) else {
        return true;
    };
    let first = worlds.first;
    if let Some(mapping) = first.as_mapping() {
        let (Some(a), Some(b)) = (real.as_mapping(), second.as_mapping()) else {
            return true;
        };
        if !has_same_keys(mapping, a) || !has_same_keys(mapping, b) {
            return true;
        }
        return mapping.entries().iter().any(|entry| {
            let key = entry.key.scalar_text().unwrap_or_default();
            path.push(key.to_owned());
            let differs = first_difference(worlds.below(key, &entry.value), path);
            if !differs {
                path.pop();
            }
            differs
        });
    }
    if let Some(items) = first.as_sequence() {
        let is_long = |node: &Node| node.as_sequence().is_some_and(|n| n.len() == items.len());
        if !is_long(real) || !is_long(second) {
            return true;
        }
        return items.iter().enumerate().any(|(index, item)| {
            path.push(index.to_string());
            let differs = first_difference(worlds.item(index, item), path);
            if !differs {
                path.pop();
            }
            differs
        });
    }
    !is_same_scalar(first, real) || !is_same_scalar(first, second)
}

fn has_same_keys(a: &Mapping, b: &Mapping) -> bool {
    let same = |entry: &crate::yaml::Entry| {
        let key = entry.key.scalar_text().unwrap_or_default();
        b.contains(key)
    };
    a.len() == b.len() && a.entries().iter().all(same)
}

/// The object of another world that is the same one: at the same place, else of the same original identity.
pub(super) fn counterpart<'a>(
    object: &Resource,
    position: usize,
    count: usize,
    others: &'a ResMap,
) -> Option<&'a Resource> {
    if others.len() == count {
        return others.get(position);
    }
    let id = object.original_id();
    others.iter().find(|other| other.original_id() == id)
}
