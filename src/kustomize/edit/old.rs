//! Fields under old names, which a change leaves alone where it does not concern them.

use crate::yaml::{Mapping, Node};

/// Old names of lists and the new ones.
const RENAMED: [(&str, &str); 2] = [("bases", "resources"), ("imageTags", "images")];

/// The generators, whose `env` has become `envs`.
const GENERATORS: [&str; 2] = ["configMapGenerator", "secretGenerator"];

/// Gives fields that are as they were before the change back the names that they were written under.
pub(super) fn restore(after: &mut Node, before: &Node, written: &Node) {
    let Some(after) = after.as_mapping_mut() else {
        return;
    };
    for (old, new) in RENAMED {
        if written.get(old).is_some() && after.get(new) == before.get(new) {
            for field in [old, new] {
                put(after, field, written.get(field));
            }
        }
    }
    for field in GENERATORS {
        let (Some(before), Some(written)) = (items(before, field), items(written, field)) else {
            continue;
        };
        let after = after.get_mut(field).and_then(Node::as_sequence_mut);
        for entry in after.into_iter().flatten() {
            if let Some(at) = before.iter().position(|old| old == entry) {
                *entry = written[at].clone();
            }
        }
    }
}

fn items<'n>(node: &'n Node, field: &str) -> Option<&'n [Node]> {
    node.get(field)?.as_sequence()
}

fn put(fields: &mut Mapping, field: &str, value: Option<&Node>) {
    match value {
        Some(value) => {
            fields.insert(field, value.clone());
        }
        None => {
            fields.remove(field);
        }
    }
}
