//! Names, labels and annotations of a document, as kyaml reads and writes them.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::{Feature, Level, scalar};
use crate::kube::{Behavior, History, PreviousId, Resource};
use crate::yaml::{self, Entry, Mapping, Node, Schema, Style, Tag};

const INTERNAL: &str = "internal.config.kubernetes.io/";

/// Annotations that are the build's own; they never reach the output.
const OWN: [&str; 18] = [
    "internal.config.kubernetes.io/previousKinds",
    "internal.config.kubernetes.io/previousNames",
    "internal.config.kubernetes.io/prefixes",
    "internal.config.kubernetes.io/suffixes",
    "internal.config.kubernetes.io/previousNamespaces",
    "internal.config.kubernetes.io/allowNameChange",
    "internal.config.kubernetes.io/allowKindChange",
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/generatorBehavior",
    "internal.config.kubernetes.io/needsHashSuffix",
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
];

/// The annotation that tells where an object came from.
pub(super) const ORIGIN: &str = "config.kubernetes.io/origin";

/// The annotation that says that helm made an object: no namespace is set there from v5.8 on.
pub(super) const FROM_HELM: &str = "config.kubernetes.io/helm-generated";

/// The annotation that tells what changed an object.
pub(super) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

/// Sets a text of `metadata`, which is made when it is missing.
pub(super) fn set(node: &mut Node, key: &str, text: &str) {
    set_field(metadata(node), key, text);
}

/// Sets a text of a mapping: in the style of the one that is there, as a text where there is none.
pub(super) fn set_field(mapping: Option<&mut Mapping>, key: &str, text: &str) {
    let Some(mapping) = mapping else {
        return;
    };
    match mapping.get_mut(key) {
        Some(field) => scalar::set_untagged(field, text),
        None => {
            mapping.insert(key, scalar::string(text));
        }
    }
}

/// Sets labels or annotations one by one over those that are there.
pub(super) fn set_map(
    node: &mut Node,
    field: &str,
    pairs: &BTreeMap<CompactString, CompactString>,
) {
    if pairs.is_empty() {
        return;
    }
    let Some(metadata) = metadata(node) else {
        return;
    };
    let map = metadata.get_or_insert_with(field, Node::mapping);
    if map.as_mapping().is_none() {
        *map = Node::mapping();
    }
    let map = map.as_mapping_mut().expect("made above where it was not");
    let is_new = map.is_empty();
    for (name, value) in pairs {
        let value = scalar::block_string(value.clone());
        if is_new {
            scalar::push(map, name, value);
        } else {
            insert(map, name, value);
        }
    }
}

/// Notes that helm made an object, in an annotation as the reference does: a patch can take it away.
pub(super) fn mark_from_helm(node: &mut Node) {
    let Some(metadata) = metadata(node) else {
        return;
    };
    let annotations = metadata.get_or_insert_with("annotations", Node::mapping);
    if annotations.is_null() {
        *annotations = Node::mapping();
    }
    if let Some(annotations) = annotations.as_mapping_mut() {
        annotations.insert(
            FROM_HELM,
            Node::string("true").with_style(Style::SingleQuoted),
        );
    }
}

/// Sets a key. The type of a new one is left to its text, as in the reference: a number is refused where
/// the object is written.
pub(super) fn insert(mapping: &mut Mapping, key: &str, value: Node) {
    match mapping.get_mut(key) {
        Some(slot) => *slot = value,
        None => mapping.entries_mut().push(Entry {
            key: scalar::untagged(key),
            value,
        }),
    }
}

/// The labels or annotations: the text of each value, whatever its type.
pub(super) fn map_of(node: &Node, field: &str) -> BTreeMap<CompactString, CompactString> {
    let map = node.lookup(&["metadata", field]).and_then(Node::as_mapping);
    let pairs = map.into_iter().flat_map(Mapping::iter);
    pairs
        .map(|(name, value)| (name.into(), value.scalar_text().unwrap_or_default().into()))
        .collect()
}

/// Replaces the labels or annotations: all values become texts, and nothing is left of an empty map.
pub(super) fn replace_map(
    node: &mut Node,
    field: &str,
    pairs: &BTreeMap<CompactString, CompactString>,
) {
    if let Some(metadata) = metadata(node) {
        metadata.remove(field);
    }
    set_map(node, field, pairs);
}

/// What the reference does to the annotations of every object before it prints it: the build's own and
/// those of [`ORIGIN`] and [`TRANSFORMATIONS`] go, the rest become texts.
pub(super) fn tidy_annotations(node: &mut Node, level: Level) {
    let Some(metadata) = metadata(node) else {
        return;
    };
    let Some(map) = metadata.get_mut("annotations") else {
        return;
    };
    let Some(map) = map.as_mapping_mut() else {
        metadata.remove("annotations");
        return;
    };
    map.entries_mut().retain(|entry| {
        let key = entry.key.scalar_text().unwrap_or_default();
        !(OWN.contains(&key)
            || key == ORIGIN
            || key == TRANSFORMATIONS
            || key == FROM_HELM && level.has(Feature::HelmNamespace))
    });
    for entry in map.entries_mut() {
        let key = entry.key.as_str().unwrap_or_default();
        if yaml::resolve(key, Schema::Go) != Tag::Str {
            entry.key = scalar::untagged(key).with_mark(entry.key.mark());
        }
        if entry.value.as_str().is_none() {
            let text = entry.value.scalar_text().unwrap_or_default();
            entry.value = Node::string(text).with_mark(entry.value.mark());
        }
    }
    if map.is_empty() {
        metadata.remove("annotations");
    }
}

/// The mapping of `metadata`, made when it is missing or null.
fn metadata(node: &mut Node) -> Option<&mut Mapping> {
    let metadata = node
        .as_mapping_mut()?
        .get_or_insert_with("metadata", Node::mapping);
    if metadata.is_null() {
        *metadata = Node::mapping();
    }
    metadata.as_mapping_mut()
}

/// Sets the namespace, or removes it when it is empty.
pub(super) fn set_namespace(node: &mut Node, namespace: &str) {
    let Some(metadata) = metadata(node) else {
        return;
    };
    if namespace.is_empty() {
        metadata.remove("namespace");
    } else {
        set_field(Some(metadata), "namespace", namespace);
    }
}

/// Takes what a build left in the annotations of an object: what it was called, and what was added to its
/// name.
pub(super) fn read_history(resource: &mut Resource) {
    let annotations = resource.node().lookup(&["metadata", "annotations"]);
    let Some(annotations) = annotations.and_then(Node::as_mapping) else {
        return;
    };
    if !annotations.iter().any(|(key, _)| key.starts_with(INTERNAL)) {
        return;
    }
    let list = |name: &str| -> Vec<CompactString> {
        let text = annotations.get(&format!("{INTERNAL}{name}"));
        let text = text.and_then(Node::scalar_text);
        text.map(|t| t.split(',').map(CompactString::from).collect())
            .unwrap_or_default()
    };
    let (names, namespaces, kinds) = (
        list("previousNames"),
        list("previousNamespaces"),
        list("previousKinds"),
    );
    let previous = names.into_iter().zip(namespaces).zip(kinds);
    let history = History {
        previous: previous
            .map(|((name, namespace), kind)| PreviousId {
                name,
                namespace,
                kind,
            })
            .collect(),
        prefixes: list("prefixes"),
        suffixes: list("suffixes"),
        needs_hash: list("needsHashSuffix") == ["enabled"],
        behavior: Behavior::parse(list("generatorBehavior").first().map_or("", |b| &**b)),
        ..History::default()
    };
    *resource.history_mut() = history;
}
