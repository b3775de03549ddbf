//! Metadata as flat names: `age__list_0__map_recipient`, as dotenv and ini files carry them.

use std::collections::BTreeMap;

use super::super::document::{Branch, Element, Item, Value, entry};

const MAP: &str = "__map_";
const LIST: &str = "__list_";

/// The most parts a name may have: metadata nest five levels deep.
const MAX_PARTS: usize = 16;

/// The longest name that is taken apart: each part is looked for in all that is left.
const MAX_NAME_BYTES: usize = 4096;

#[derive(Default)]
struct Tree {
    value: Option<Value>,
    keys: BTreeMap<String, Self>,
    items: BTreeMap<usize, Self>,
}

/// Builds the tree of flat names. Fails with a phrase when names contradict each other.
pub(super) fn unflatten(flat: Vec<(String, Value)>) -> Result<Branch, String> {
    let mut root = Tree::default();
    for (name, value) in flat {
        let mut tree = &mut root;
        if name.len() > MAX_NAME_BYTES {
            return Err("a metadata name is too long".to_owned());
        }
        let steps = steps(&name);
        if steps.len() > MAX_PARTS {
            return Err("a metadata name has too many parts".to_owned());
        }
        for step in steps {
            tree = match step {
                Step::Key(key) => tree.keys.entry(key.to_owned()).or_default(),
                Step::Item(index) => tree.items.entry(index).or_default(),
            };
        }
        if tree.value.replace(value).is_some() {
            return Err(format!("the metadata name `{name}` stands twice"));
        }
    }
    match convert(root)? {
        Value::Branch(branch) => Ok(branch),
        _ => Err("the metadata are not a mapping".to_owned()),
    }
}

enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

fn steps(name: &str) -> Vec<Step<'_>> {
    let next = |text: &str, from: usize| {
        let rest = &text[from..];
        [rest.find(MAP), rest.find(LIST)]
            .into_iter()
            .flatten()
            .min()
            .map(|at| at + from)
    };
    let mut end = next(name, 0).unwrap_or(name.len());
    let mut steps = vec![Step::Key(&name[..end])];
    let mut rest = &name[end..];
    while !rest.is_empty() {
        let (marker, is_list) = if rest.starts_with(MAP) {
            (MAP, false)
        } else {
            (LIST, true)
        };
        end = next(rest, marker.len()).unwrap_or(rest.len());
        let part = &rest[marker.len()..end];
        // An index that is no number counts as 0, as in sops.
        steps.push(if is_list {
            Step::Item(part.parse().unwrap_or(0))
        } else {
            Step::Key(part)
        });
        rest = &rest[end..];
    }
    steps
}

fn convert(tree: Tree) -> Result<Value, String> {
    let kinds = [
        tree.value.is_some(),
        !tree.keys.is_empty(),
        !tree.items.is_empty(),
    ];
    match kinds {
        [true, false, false] => Ok(tree.value.unwrap_or(Value::Null)),
        [false, _, false] => {
            let entries = tree
                .keys
                .into_iter()
                .map(|(key, t)| Ok(entry(key, convert(t)?)));
            Ok(Value::Branch(entries.collect::<Result<_, String>>()?))
        }
        [false, false, true] => {
            let complete = tree.items.keys().copied().eq(0..tree.items.len());
            if !complete {
                return Err("a metadata list lacks an item".to_owned());
            }
            let items = tree
                .items
                .into_values()
                .map(|t| convert(t).map(Element::Value));
            Ok(Value::List(items.collect::<Result<_, _>>()?))
        }
        _ => Err("a metadata name is both a value and a list or mapping".to_owned()),
    }
}

/// The flat names and texts of metadata, sorted by name.
pub(super) fn flatten(branch: &Branch) -> Vec<(String, String)> {
    let mut flat = Vec::new();
    flatten_branch(branch, "", &mut flat);
    flat.sort();
    flat
}

fn flatten_branch(branch: &Branch, prefix: &str, flat: &mut Vec<(String, String)>) {
    for item in branch {
        if let Item::Entry(entry) = item {
            flatten_value(
                &entry.value,
                format!("{prefix}{}", entry.key.as_str()),
                flat,
            );
        }
    }
}

fn flatten_value(value: &Value, name: String, flat: &mut Vec<(String, String)>) {
    match value {
        Value::Null | Value::TooLarge => {}
        Value::Branch(branch) => flatten_branch(branch, &format!("{name}{MAP}"), flat),
        Value::List(items) => {
            let values = items.iter().filter_map(|e| match e {
                Element::Value(value) => Some(value),
                Element::Comment(_) => None,
            });
            for (index, value) in values.enumerate() {
                flatten_value(value, format!("{name}{LIST}{index}"), flat);
            }
        }
        scalar => flat.push((name, super::to_flat_text(scalar))),
    }
}

#[cfg(test)]
mod tests {
    use super::{flatten, unflatten};
    use crate::sops::document::Value;

    #[test]
    fn names_come_back_as_they_were() {
        let names = [
            "age__list_0__map_enc",
            "age__list_0__map_recipient",
            "mac",
            "version",
        ];
        let flat = names
            .iter()
            .map(|n| ((*n).to_owned(), Value::text(*n)))
            .collect();
        let branch = unflatten(flat).expect("the names agree");
        let back: Vec<String> = flatten(&branch).into_iter().map(|(name, _)| name).collect();
        assert_eq!(back, names);
    }

    #[test]
    fn contradictions_are_refused() {
        let try_names = |names: &[&str]| {
            unflatten(
                names
                    .iter()
                    .map(|n| ((*n).to_owned(), Value::Null))
                    .collect(),
            )
            .is_err()
        };
        assert!(try_names(&["age__list_1__map_enc"]));
        assert!(try_names(&["mac", "mac"]));
        assert!(try_names(&["mac", "mac__map_x"]));
    }
}
