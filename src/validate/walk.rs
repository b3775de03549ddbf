//! Walks over the scalars of a document, and tells where they are.

use std::fmt::Write as _;

use crate::yaml::{Node, Value};

/// One step from a collection to what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'n> {
    Key(&'n str),
    Index(usize),
}

/// Whether a scalar is a key or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Key,
    Value,
}

/// Visits every scalar of a document, keys before their values, in order.
pub(super) fn scalars<'n>(node: &'n Node, visit: &mut dyn FnMut(&[Step<'n>], Role, &'n Node)) {
    descend(node, &mut Vec::new(), visit);
}

fn descend<'n>(
    node: &'n Node,
    path: &mut Vec<Step<'n>>,
    visit: &mut dyn FnMut(&[Step<'n>], Role, &'n Node),
) {
    match node.value() {
        Value::Scalar(_) => visit(path, Role::Value, node),
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index));
                descend(item, path, visit);
                path.pop();
            }
        }
        Value::Mapping(mapping) => {
            for entry in mapping.entries() {
                path.push(Step::Key(entry.key.scalar_text().unwrap_or_default()));
                visit(path, Role::Key, &entry.key);
                descend(&entry.value, path, visit);
                path.pop();
            }
        }
    }
}

/// Writes a path as users read it: `spec.containers[0].image`, with keys that hold dots in brackets.
pub(super) fn show(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        // Writing to a String does not fail.
        let _ = match step {
            Step::Index(index) => write!(text, "[{index}]"),
            Step::Key(key) if key.contains(['.', '/', '[']) => write!(text, "[{key}]"),
            Step::Key(key) if text.is_empty() => write!(text, "{key}"),
            Step::Key(key) => write!(text, ".{key}"),
        };
    }
    text
}

/// The keys of a path, with nothing for an index.
pub(super) fn keys<'n>(path: &[Step<'n>]) -> Vec<&'n str> {
    path.iter()
        .filter_map(|step| match step {
            Step::Key(key) => Some(*key),
            Step::Index(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Step, show};

    #[test]
    fn keys_with_dots_stand_in_brackets() {
        let path = [
            Step::Key("metadata"),
            Step::Key("labels"),
            Step::Key("app.kubernetes.io/name"),
        ];
        assert_eq!(show(&path), "metadata.labels[app.kubernetes.io/name]");
        assert_eq!(
            show(&[Step::Key("a"), Step::Index(2), Step::Key("b")]),
            "a[2].b"
        );
    }
}
