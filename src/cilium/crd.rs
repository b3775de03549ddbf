//! The API server's half: decodes an object by its CRD, prunes what the CRD does not know, and checks the rest.
//!
//! Upstream: `k8s.io/apiextensions-apiserver` (pruning, null pruning, OpenAPI validation) with the tables of
//! `schema.rs`. A null field is dropped; a null in a list is a mistake. What is pruned is remembered, because a rule
//! without a misspelt restriction is wider than it was meant.

use super::read::field;
use super::schema::{Check, Kind, Presence, Size};
use crate::yaml::{Node, Tag};

/// How deep documents are walked; the tables end far above.
const MAX_DEPTH: usize = 32;

/// What is wrong with a value: the path, the value, and the phrase.
#[derive(Debug)]
pub(super) struct Fault<'n> {
    pub(super) path: String,
    pub(super) node: &'n Node,
    pub(super) phrase: String,
}

/// What the API server makes of an object.
#[derive(Debug, Default)]
pub(super) struct Verdict<'n> {
    /// The faults; without one the object is taken.
    pub(super) faults: Vec<Fault<'n>>,
    /// The fields that it drops without a word.
    pub(super) pruned: Vec<(String, &'n Node)>,
}

/// Judges a value.
pub(super) fn judge<'n>(node: &'n Node, kind: &Kind) -> Verdict<'n> {
    let mut verdict = Verdict::default();
    verdict.walk(node, kind, "", 0);
    verdict
}

impl<'n> Verdict<'n> {
    fn fault(&mut self, path: &str, node: &'n Node, phrase: impl Into<String>) {
        self.faults.push(Fault {
            path: path.to_owned(),
            node,
            phrase: phrase.into(),
        });
    }

    fn walk(&mut self, node: &'n Node, kind: &Kind, path: &str, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match kind {
            Kind::Object(fields, presences) => self.object(node, fields, presences, path, depth),
            Kind::Strings(check) => self.strings(node, check, path),
            Kind::List(item, size) => self.list(node, item, *size, path, depth),
            Kind::Text(check) => self.text(node, check, path),
            Kind::NumberOrText(_) if node.tag() == Tag::Int => {}
            Kind::NumberOrText(check) => self.text(node, check, path),
            Kind::Number(least, most) => self.number(node, *least, *most, path),
            Kind::Switch if node.as_bool().is_none() => {
                self.fault(path, node, "must be true or false");
            }
            Kind::Switch | Kind::Anything => {}
        }
    }

    fn object(
        &mut self,
        node: &'n Node,
        fields: &[(&str, Kind)],
        presences: &[Presence],
        path: &str,
        depth: usize,
    ) {
        let Some(mapping) = node.as_mapping() else {
            return self.fault(path, node, "must be an object");
        };
        for (key, value) in mapping.iter() {
            let inner = join(path, key);
            match fields.iter().find(|(name, _)| *name == key) {
                Some(_) if value.is_null() => {}
                Some((_, kind)) => self.walk(value, kind, &inner, depth + 1),
                None => self.pruned.push((inner, value)),
            }
        }
        for presence in presences {
            if let Some(phrase) = missing(node, presence) {
                self.fault(path, node, phrase);
            }
        }
    }

    fn strings(&mut self, node: &'n Node, check: &Check, path: &str) {
        let Some(mapping) = node.as_mapping() else {
            return self.fault(path, node, "must be an object");
        };
        for (key, value) in mapping.iter().filter(|(_, value)| !value.is_null()) {
            self.text(value, check, &join(path, key));
        }
    }

    fn list(&mut self, node: &'n Node, item: &Kind, size: Size, path: &str, depth: usize) {
        let Some(items) = node.as_sequence() else {
            return self.fault(path, node, "must be a list");
        };
        if items.len() > size.most {
            let phrase = match size.most {
                0 => "is not supported by this version of Cilium".to_owned(),
                most => format!("has {} items, and may have {most}", items.len()),
            };
            self.fault(path, node, phrase);
        }
        if items.len() < size.least {
            self.fault(path, node, "must not be empty");
        }
        for (index, value) in items.iter().enumerate() {
            self.walk(value, item, &format!("{path}[{index}]"), depth + 1);
        }
    }

    fn text(&mut self, node: &'n Node, check: &Check, path: &str) {
        match node.tag() {
            Tag::Str | Tag::Timestamp | Tag::Binary => self.passes(node, check, path),
            _ => self.fault(path, node, "must be a string: put it in quotes"),
        }
    }

    fn passes(&mut self, node: &'n Node, check: &Check, path: &str) {
        let text = node.scalar_text().unwrap_or_default();
        if !(check.passes)(text) {
            self.fault(path, node, format!("`{text}` is not {}", check.what));
        }
    }

    fn number(&mut self, node: &'n Node, least: i64, most: i64, path: &str) {
        let number = node.scalar_text().and_then(|t| t.parse::<i64>().ok());
        match number.filter(|_| node.tag() == Tag::Int) {
            Some(number) if (least..=most).contains(&number) => {}
            Some(number) => self.fault(
                path,
                node,
                format!("{number} is not between {least} and {most}"),
            ),
            None => self.fault(path, node, "must be a number"),
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// What is wrong with which fields are there.
fn missing(node: &Node, presence: &Presence) -> Option<String> {
    let there = |names: &[&str]| names.iter().filter(|n| field(node, n).is_some()).count();
    match presence {
        Presence::All(names) if there(names) < names.len() => {
            let name = names.iter().find(|n| field(node, n).is_none())?;
            Some(format!("it has no {name}"))
        }
        Presence::AnyOf(names) if there(names) == 0 => {
            Some(format!("it has none of {}", names.join(", ")))
        }
        Presence::OneOf(names) if there(names) == 0 => {
            Some(format!("it has no {}", names.join(" or ")))
        }
        Presence::OneOf(names) if there(names) > 1 => {
            Some(format!("it has more than one of {}", names.join(", ")))
        }
        _ => None,
    }
}
