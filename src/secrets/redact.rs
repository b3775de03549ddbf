//! Tokens in the place of what depends on a sealed value.
//!
//! What is printed is what another world says, so the real values cannot be in it; of them a token has a keyed hash.
//! It is bound to object and path, and apart for what is sealed and what is readable, so that no text of a
//! repository has the token of a secret.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::differ::{Worlds, is_same_scalar};
use super::mask::Mask;
use super::redaction::RedactionKey;
use crate::kube::ResMap;
use crate::yaml::{Entry, Mapping, Node, Value};

/// What a token stands for.
#[derive(Clone, Copy)]
enum Label {
    /// What depends on a sealed value.
    Sealed,
    /// A readable value of a Secret.
    Readable,
}

impl Label {
    fn name(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Readable => "readable",
        }
    }
}

/// The objects whose names follow their content: another content, another name, and nothing secret in it.
pub(super) struct Renamed(BTreeMap<String, String>);

impl Renamed {
    /// Finds them among the objects of two worlds.
    pub(super) fn of(first: &ResMap, second: &ResMap) -> Self {
        let mut names = BTreeMap::new();
        for (position, object) in first.iter().enumerate() {
            let other = super::differ::counterpart(object, position, first.len(), second);
            let Some(other) = other.filter(|other| other.name() != object.name()) else {
                continue;
            };
            if object.original_name() == other.original_name() {
                names.insert(object.name().to_owned(), other.name().to_owned());
            }
        }
        Self(names)
    }

    /// None: what is redacted is no render.
    pub(super) fn none() -> Self {
        Self(BTreeMap::new())
    }

    fn is(&self, first: &Node, second: &Node) -> bool {
        let name = first.scalar_text().and_then(|name| self.0.get(name));
        name.is_some() && name.map(String::as_str) == second.scalar_text()
    }
}

struct Redacting<'a> {
    renamed: &'a Renamed,
    key: &'a RedactionKey,
    object: &'a str,
}

/// Whether a place is a value of a Secret, and how it is written there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Elsewhere,
    /// `stringData`, or below it.
    Text,
    /// `data`: base64.
    Packed,
}

/// An object of another world, with a token wherever a sealed value was at work and in every value of a Secret.
pub(super) fn redacted(
    worlds: Worlds<'_>,
    renamed: &Renamed,
    key: &RedactionKey,
    object: &str,
) -> Node {
    let redacting = Redacting {
        renamed,
        key,
        object,
    };
    redacting.node(worlds, "", Within::Elsewhere)
}

impl Redacting<'_> {
    fn node(&self, worlds: Worlds<'_>, path: &str, within: Within) -> Node {
        if let Some(mapping) = worlds.first.as_mapping() {
            return self.mapping(worlds, mapping, path, within);
        }
        if let Some(items) = worlds.first.as_sequence() {
            let mut node = worlds.first.clone();
            let torn = worlds.is_torn();
            let items = items.iter().enumerate().map(|(index, item)| {
                let mut inner = worlds.item(index, item);
                inner.second = inner.second.filter(|_| !torn);
                self.node(inner, &format!("{path}/{index}"), within)
            });
            let items: Vec<Node> = items.collect();
            if let Some(list) = node.as_sequence_mut() {
                *list = items;
            }
            return node;
        }
        self.scalar(worlds, path, within)
    }

    fn mapping(&self, worlds: Worlds<'_>, mapping: &Mapping, path: &str, within: Within) -> Node {
        let is_secret = mapping.get("kind").and_then(Node::as_str) == Some("Secret");
        let second = worlds.second.and_then(Node::as_mapping);
        let mut entries = Vec::with_capacity(mapping.len());
        for entry in mapping.entries() {
            let key = entry.key.scalar_text().unwrap_or_default();
            let mut inner = worlds.below(key, &entry.value);
            let is_shared = second.is_some_and(|second| second.contains(key));
            let mut shown = entry.key.clone();
            let mut below = format!("{path}/{key}");
            if !is_shared {
                inner.second = None;
                let token = self.token(Label::Sealed, &format!("{path} key"), key.as_bytes());
                below = format!("{path}/{token}");
                shown = Node::string(token);
            }
            let within = match key {
                "data" if is_secret => Within::Packed,
                "stringData" if is_secret => Within::Text,
                _ => within,
            };
            entries.push(Entry {
                key: shown,
                value: self.node(inner, &below, within),
            });
        }
        let mut node = worlds.first.clone();
        if let Some(mapping) = node.as_mapping_mut() {
            *mapping.entries_mut() = entries;
        }
        node
    }

    fn scalar(&self, worlds: Worlds<'_>, path: &str, within: Within) -> Node {
        let text = |node: &Node| node.scalar_text().unwrap_or_default().to_owned();
        let first = worlds.first;
        let is_same = worlds
            .second
            .is_some_and(|second| is_same_scalar(first, second));
        let is_name = worlds
            .second
            .is_some_and(|second| self.renamed.is(first, second));
        if within == Within::Elsewhere && (is_same || is_name) {
            return first.clone();
        }
        if first.scalar_text().is_none_or(str::is_empty) && is_same {
            return first.clone();
        }
        let label = match is_same {
            true => Label::Readable,
            false => Label::Sealed,
        };
        let value = text(worlds.real.unwrap_or(first));
        let unpacked = match within {
            Within::Packed => BASE64_STANDARD.decode(value.trim()).ok(),
            Within::Elsewhere | Within::Text => None,
        };
        let token = self.token(label, path, unpacked.as_deref().unwrap_or(value.as_bytes()));
        Node::string(match within {
            Within::Packed => BASE64_STANDARD.encode(token),
            Within::Elsewhere | Within::Text => token,
        })
    }

    fn token(&self, label: Label, path: &str, value: &[u8]) -> String {
        let at = format!("{}\0{}\0{path}", label.name(), self.object);
        self.key.token(&at, value)
    }
}

/// What stands for a value that is not shown.
const MASK: &str = "(masked)";

/// A document in which what is not the same in other worlds is masked.
pub fn masked_where_differing(real: &Node, first: &Node, second: &Node) -> Node {
    let hidden = || Node::string(MASK);
    if let (Some(a), Some(b), Some(c)) =
        (real.as_mapping(), first.as_mapping(), second.as_mapping())
    {
        let is_shared = |key: &str| b.contains(key) && c.contains(key);
        let keys = a.entries().iter().map(|e| e.key.scalar_text());
        if a.len() != b.len() || b.len() != c.len() || !keys.flatten().all(is_shared) {
            return hidden();
        }
        let mut node = real.clone();
        for entry in node
            .as_mapping_mut()
            .into_iter()
            .flat_map(Mapping::entries_mut)
        {
            let key = entry.key.scalar_text().unwrap_or_default();
            if let (Some(b), Some(c)) = (b.get(key), c.get(key)) {
                entry.value = masked_where_differing(&entry.value, b, c);
            }
        }
        return node;
    }
    if let (Some(a), Some(b), Some(c)) = (
        real.as_sequence(),
        first.as_sequence(),
        second.as_sequence(),
    ) {
        if a.len() != b.len() || b.len() != c.len() {
            return hidden();
        }
        let items = a.iter().zip(b).zip(c);
        return Node::sequence(
            items
                .map(|((a, b), c)| masked_where_differing(a, b, c))
                .collect(),
        );
    }
    let is_scalar = |node: &Node| matches!(node.value(), Value::Scalar(_));
    let is_same = [real, first, second].into_iter().all(is_scalar)
        && is_same_scalar(real, first)
        && is_same_scalar(first, second);
    match is_same {
        true => real.clone(),
        false => hidden(),
    }
}

/// A document in which texts that were sealed are masked.
pub fn masked_by_text(real: &Node, mask: &Mask) -> Node {
    let mut node = real.clone();
    mask_texts(&mut node, mask);
    node
}

fn mask_texts(node: &mut Node, mask: &Mask) {
    if let Some(mapping) = node.as_mapping_mut() {
        for entry in mapping.entries_mut() {
            mask_texts(&mut entry.value, mask);
        }
    } else if let Some(items) = node.as_sequence_mut() {
        items.iter_mut().for_each(|item| mask_texts(item, mask));
    } else if let Some(text) = node.scalar_text()
        && mask.replaced(text, |_| String::new()) != text
    {
        *node = Node::string(MASK);
    }
}

/// Redacts the real objects by their texts, and every value of a Secret.
pub(super) fn redacted_by_text(set: &mut ResMap, mask: &Mask, key: &RedactionKey) {
    let renamed = Renamed::none();
    for object in set.iter_mut() {
        let at = object.id().to_string();
        object.change(|node| {
            let mut replaced = node.clone();
            replace_texts(&mut replaced, mask, key, &at);
            let worlds = Worlds {
                real: Some(node),
                first: &replaced,
                second: Some(&replaced),
            };
            let redacted = redacted(worlds, &renamed, key, &at);
            *node = redacted;
        });
    }
}

fn replace_texts(node: &mut Node, mask: &Mask, key: &RedactionKey, at: &str) {
    if let Some(mapping) = node.as_mapping_mut() {
        for entry in mapping.entries_mut() {
            replace_texts(&mut entry.key, mask, key, at);
            replace_texts(&mut entry.value, mask, key, at);
        }
    } else if let Some(items) = node.as_sequence_mut() {
        for item in items {
            replace_texts(item, mask, key, at);
        }
    } else if let Some(text) = node.scalar_text() {
        let replaced = mask.replaced(text, |value| key.token(at, value.as_bytes()));
        if replaced != text {
            *node = Node::string(replaced);
        }
    }
}
