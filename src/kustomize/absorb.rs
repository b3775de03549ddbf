//! How a generated object meets one of the same id.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::{metadata, scalar};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::kube::{Behavior, ResMap, Resource};
use crate::yaml::{Mapping, Node};

/// Adds a generated object, or lays it over the one that has, or had, its id.
pub(super) fn absorb(resources: &mut ResMap, mut generated: Resource) -> Result<()> {
    let behavior = generated.history().behavior;
    let found = resources.positions_of_any(&generated.id());
    match (&found[..], behavior) {
        ([], Behavior::Create | Behavior::Unspecified) => resources.push(generated),
        ([], Behavior::Merge | Behavior::Replace) => Err(nothing_there(&generated, resources)),
        ([position], Behavior::Merge | Behavior::Replace) => {
            let old = resources
                .get(*position)
                .expect("the look-up gives positions");
            // A patch may have made another kind of it.
            if old.gvk() != generated.gvk() {
                return Err(nothing_there(&generated, resources));
            }
            take_metadata(&mut generated, old);
            if behavior == Behavior::Merge {
                merge_data(&mut generated, old);
                if let Some(origin) = &old.history().origin {
                    generated.history_mut().origin = Some(origin.clone());
                }
            }
            resources.replace(*position, generated);
            Ok(())
        }
        ([position], Behavior::Create | Behavior::Unspecified) => {
            Err(already_there(&generated, resources.get(*position)))
        }
        ([..], _) => Err(Diagnostic::new(
            Code::GeneratorBehavior,
            format!(
                "{} objects have, or had, the id {}",
                found.len(),
                generated.id()
            ),
        )
        .at(generated.place())),
    }
}

/// Gives the generated object what stays of the old one: its name, namespace and history, and the labels
/// and annotations that it does not set itself.
fn take_metadata(generated: &mut Resource, old: &Resource) {
    for field in ["labels", "annotations"] {
        let mut pairs = metadata::map_of(old.node(), field);
        pairs.extend(metadata::map_of(generated.node(), field));
        generated.change(|node| metadata::replace_map(node, field, &pairs));
    }
    generated.change(|node| {
        metadata::set(node, "name", old.name());
        metadata::set_namespace(node, old.namespace());
    });
    let mut history = old.history().clone();
    history.needs_hash &= generated.history().needs_hash;
    history.origin = generated.history().origin.clone().or(history.origin);
    if !generated.history().transformations.is_empty() {
        history.transformations = generated.history().transformations.clone();
    }
    *generated.history_mut() = history;
}

/// Lays the data of the generated object over the old one's; every value becomes a text.
fn merge_data(generated: &mut Resource, old: &Resource) {
    let mut all: BTreeMap<&str, BTreeMap<CompactString, CompactString>> = BTreeMap::new();
    for field in ["data", "binaryData"] {
        let mut pairs = texts(old.node(), field);
        pairs.extend(texts(generated.node(), field));
        all.insert(field, pairs);
    }
    generated.change(|node| {
        let Some(mapping) = node.as_mapping_mut() else {
            return;
        };
        for (field, pairs) in all {
            mapping.remove(field);
            if !pairs.is_empty() {
                mapping.insert(field, mapping_of(pairs));
            }
        }
    });
}

fn texts(node: &Node, field: &str) -> BTreeMap<CompactString, CompactString> {
    let pairs = node.get(field).and_then(Node::as_mapping);
    let pairs = pairs.into_iter().flat_map(Mapping::iter);
    let text = |value: &Node| {
        let text = value.scalar_text().filter(|_| !value.is_null());
        CompactString::from(text.unwrap_or_default())
    };
    pairs
        .map(|(key, value)| (key.into(), text(value)))
        .collect()
}

fn mapping_of(pairs: BTreeMap<CompactString, CompactString>) -> Node {
    let mut node = Node::mapping();
    let mapping = node.as_mapping_mut().expect("made above");
    for (key, text) in pairs {
        scalar::push(mapping, &key, scalar::block_string(text));
    }
    node
}

fn nothing_there(generated: &Resource, resources: &ResMap) -> Diagnostic {
    let word = match generated.history().behavior {
        Behavior::Merge => "merge into",
        _ => "replace",
    };
    let phrase = format!("there is no {} to {word}", generated.id());
    let error = Diagnostic::new(Code::GeneratorBehavior, phrase).at(generated.place());
    let same_kind = resources.iter().filter(|r| r.kind() == generated.kind());
    let names: Vec<&str> = same_kind.clone().map(Resource::original_name).collect();
    if let Some(near) = crate::diagnostic::nearest(generated.name(), names.iter().copied()) {
        let id = same_kind
            .clone()
            .find(|r| r.original_name() == near)
            .map(Resource::original_id);
        if let Some(id) = id {
            return error.help(format!("did you mean {id}? The namespace counts too"));
        }
    }
    error.help("leave behavior out, or name one that this kustomization includes")
}

fn already_there(generated: &Resource, old: Option<&Resource>) -> Diagnostic {
    let phrase = format!("{} is there already", generated.id());
    let error = Diagnostic::new(Code::GeneratorBehavior, phrase)
        .at(generated.place())
        .help("say behavior: merge or behavior: replace, or choose another name");
    match old.and_then(Resource::place) {
        Some(place) => error.note(format!("it is at {place}")),
        None => error,
    }
}
