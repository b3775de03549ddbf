//! A path into a document, `["data"]["list"][0]`: what is there, and setting and removing it.
//!
//! Follows `TreeBranch.Truncate`, `Set` and `Unset` of sops 3.13 (sops.go). Comments count as items of a list there,
//! and so they do here. Where sops panics (an index into a mapping, a negative one, a comment that is looked into)
//! these fail. Pinned by the runs `set-*`, `unset-*` and `decrypt-extract-*` of the program `sops`.

use super::document::{Branch, Branches, Element, Entry, Item, Key, Value, entry, find};
use crate::diagnostic::{Code, Diagnostic, Result};

/// A path into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl KeyPath {
    /// Reads a path: keys in quotes and indexes, each in brackets. Fails with [`Code::Usage`].
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || Diagnostic::new(Code::Usage, "the path is not of the form [\"key\"][0]");
        let steps = text.split('[').filter(|part| !part.is_empty()).map(|part| {
            let inner = part.strip_suffix(']').ok_or_else(wrong)?;
            if let Some(quote @ ('"' | '\'')) = inner.chars().next() {
                let key = inner[1..].strip_suffix(quote).ok_or_else(wrong)?;
                return Ok(Step::Key(key.to_owned()));
            }
            inner.parse().map(Step::Index).map_err(|_| wrong())
        });
        let steps = steps.collect::<Result<Vec<_>>>()?;
        if steps.is_empty() {
            Err(wrong())
        } else {
            Ok(Self(steps))
        }
    }

    /// Finds the part in the first document. Comments count as items of a list, as in sops.
    pub(super) fn find<'a>(&self, branches: &'a Branches) -> Result<&'a Value> {
        let missing = |what: String| Diagnostic::new(Code::SopsExtract, what);
        let mut steps = self.0.iter();
        let Some(Step::Key(first)) = steps.next() else {
            return Err(missing(
                "the document is a mapping, and has no items".to_owned(),
            ));
        };
        let no_key = |key: &str| missing(format!("there is no key `{key}` where --extract looks"));
        let root = branches.first().and_then(|branch| find(branch, first));
        let mut value = &root.ok_or_else(|| no_key(first))?.value;
        for step in steps {
            value = match (step, value) {
                (Step::Key(key), Value::Branch(branch)) => {
                    &find(branch, key).ok_or_else(|| no_key(key))?.value
                }
                (Step::Index(index), Value::List(list)) => match list.get(*index) {
                    Some(Element::Value(value)) => value,
                    _ => {
                        return Err(missing(format!(
                            "there is no item {index} where --extract looks"
                        )));
                    }
                },
                (Step::Key(key), _) => return Err(no_key(key)),
                (Step::Index(index), _) => {
                    return Err(missing(format!(
                        "there is no list for item {index} where --extract looks"
                    )));
                }
            };
        }
        Ok(value)
    }
}

impl KeyPath {
    /// Sets what is there, and makes the way to it; returns whether anything changed. An index beyond the end of a
    /// list adds to it.
    pub(super) fn set(&self, branch: &mut Branch, value: Value) -> Result<bool> {
        set_in_branch(branch, &self.0, value)
    }

    /// Removes what is there; returns `false` where there is nothing. Fails with [`Code::SopsExtract`] where the
    /// path leads through a value that holds nothing.
    pub(super) fn unset(&self, branch: &mut Branch) -> Result<bool> {
        unset_in_branch(branch, &self.0)
    }
}

fn astray(step: &Step) -> Diagnostic {
    let phrase = match step {
        Step::Key(key) => format!("there is no mapping for the key `{key}`"),
        Step::Index(index) => format!("there is no list for item {index}"),
    };
    Diagnostic::new(Code::SopsExtract, phrase)
}

fn set_in(value: &mut Value, path: &[Step], new: Value) -> Result<bool> {
    let Some(step) = path.first() else {
        let changed = *value != new;
        *value = new;
        return Ok(changed);
    };
    match (value, step) {
        (Value::Branch(branch), _) => set_in_branch(branch, path, new),
        (Value::List(list), Step::Index(index)) => match list.get_mut(*index) {
            Some(Element::Value(value)) => set_in(value, &path[1..], new),
            Some(comment) if path.len() == 1 => {
                *comment = Element::Value(new);
                Ok(true)
            }
            Some(Element::Comment(_)) => Err(astray(step)),
            None => {
                list.push(Element::Value(way_to(&path[1..], new)));
                Ok(true)
            }
        },
        (Value::List(_), Step::Key(_)) => Err(astray(step)),
        (scalar, _) => {
            *scalar = way_to(path, new);
            Ok(true)
        }
    }
}

fn set_in_branch(branch: &mut Branch, path: &[Step], new: Value) -> Result<bool> {
    let Some(Step::Key(key)) = path.first() else {
        return Err(path
            .first()
            .map_or_else(|| Diagnostic::new(Code::Usage, "the path is empty"), astray));
    };
    if let Some(found) = find_mut(branch, key) {
        return set_in(&mut found.value, &path[1..], new);
    }
    branch.push(entry(key, way_to(&path[1..], new)));
    Ok(true)
}

/// A value below the keys and lists that lead to it.
fn way_to(path: &[Step], value: Value) -> Value {
    path.iter().rev().fold(value, |value, step| match step {
        Step::Key(key) => Value::Branch(vec![entry(key, value)]),
        Step::Index(_) => Value::List(vec![Element::Value(value)]),
    })
}

fn unset_in(value: &mut Value, path: &[Step]) -> Result<bool> {
    let Some(step) = path.first() else {
        return Ok(false);
    };
    match (value, step) {
        (Value::Branch(branch), _) => unset_in_branch(branch, path),
        (Value::List(list), Step::Index(index)) => match list.get_mut(*index) {
            None => Ok(false),
            Some(_) if path.len() == 1 => {
                list.remove(*index);
                Ok(true)
            }
            Some(Element::Value(value)) => unset_in(value, &path[1..]),
            Some(Element::Comment(_)) => Err(astray(step)),
        },
        _ => Err(astray(step)),
    }
}

fn unset_in_branch(branch: &mut Branch, path: &[Step]) -> Result<bool> {
    let Some(step @ Step::Key(key)) = path.first() else {
        return Err(path
            .first()
            .map_or_else(|| Diagnostic::new(Code::Usage, "the path is empty"), astray));
    };
    let is_it = |item: &Item| matches!(item, Item::Entry(e) if e.key == Key::Text(key.clone()));
    match (branch.iter().position(is_it), path) {
        (None, _) => Ok(false),
        (Some(at), [_]) => {
            branch.remove(at);
            Ok(true)
        }
        (Some(at), [_, rest @ ..]) => match &mut branch[at] {
            Item::Entry(entry) => unset_in(&mut entry.value, rest),
            Item::Comment(_) => Err(astray(step)),
        },
        (Some(_), []) => Ok(false),
    }
}

fn find_mut<'a>(branch: &'a mut Branch, key: &str) -> Option<&'a mut Entry> {
    branch.iter_mut().find_map(|item| match item {
        Item::Entry(entry) if entry.key.as_str() == key => Some(entry),
        Item::Entry(_) | Item::Comment(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::KeyPath;

    #[test]
    fn reads_keys_and_indexes() {
        assert!(KeyPath::parse("[\"data\"]['x'][0]").is_ok());
        for text in ["", "data", "[\"data\"", "[data]", "[\"]"] {
            assert!(KeyPath::parse(text).is_err(), "{text}");
        }
    }
}
