//! Names, labels, annotations and the rest of an object's metadata, and label selectors.
//!
//! `k8s.io/apimachinery/pkg/api/validation/objectmeta.go` and `pkg/apis/meta/v1/validation` v0.34 are the reference.

use serde_json::Value;

use super::look::{Look, is_open};
use crate::admission::names::{self, Fault};
use crate::admission::path::Path;
use crate::admission::verdict::{Causes, Reason};
use crate::kube::Scope;

/// All annotations together may have so many bytes.
const ANNOTATION_BYTES: usize = 256 << 10;

/// A test of a name.
pub(super) type NameTest = fn(&str) -> Fault;

/// Says what is wrong with a text, unless it holds a variable that is filled later.
pub(super) fn text(value: &str, test: NameTest, path: &Path<'_>, causes: &mut Causes) {
    if let Some(fault) = test(value).filter(|_| !is_open(value)) {
        causes.invalid(path, fault);
    }
}

/// As [`text`], where an empty text is one that is missing.
pub(super) fn required_text(value: &str, test: NameTest, path: &Path<'_>, causes: &mut Causes) {
    match value {
        "" => causes.required(path, ""),
        value => text(value, test, path, causes),
    }
}

/// Judges the metadata of an object.
pub(in crate::admission) fn object_meta(
    object: &Value,
    scope: Scope,
    name_test: NameTest,
    causes: &mut Causes,
) {
    let meta = object.at("metadata");
    let path = Path::ROOT.field("metadata");
    let (name, prefix) = (meta.text("name"), meta.text("generateName"));
    let place = path.field("name");
    if name.is_empty() && prefix.is_empty() {
        causes.required(&place, "name or generateName");
    } else if !name.is_empty() {
        text(name, name_test, &place, causes);
    }
    if !prefix.is_empty() {
        let masked = format!("{}a", prefix.trim_end_matches('-'));
        text(&masked, name_test, &path.field("generateName"), causes);
    }
    let namespace = meta.text("namespace");
    if scope == Scope::Namespaced && !namespace.is_empty() {
        text(
            namespace,
            names::dns1123_label,
            &path.field("namespace"),
            causes,
        );
    }
    accessories(meta, &path, causes);
}

/// Judges what the metadata of an object that is to be created may not have.
pub(in crate::admission) fn meta_of_new(object: &Value, causes: &mut Causes) {
    let meta = object.at("metadata");
    let path = Path::ROOT.field("metadata");
    if meta.has("uid") {
        causes.add(
            &path.field("uid"),
            Reason::Invalid,
            "may not be set on an object that is to be created",
        );
    }
    if !meta.text("resourceVersion").is_empty() {
        let message = "may not be set on an object that is to be created";
        causes.add(&path.field("resourceVersion"), Reason::Invalid, message);
    }
}

/// What metadata has beside its names, also in a template.
pub(super) fn accessories(meta: &Value, path: &Path<'_>, causes: &mut Causes) {
    labels(meta.at("labels"), &path.field("labels"), causes);
    annotations(meta, &path.field("annotations"), causes);
    let finalizers = path.field("finalizers");
    for (index, name) in meta.words("finalizers").into_iter().enumerate() {
        finalizer(name, &finalizers.index(index), causes);
    }
    let owners = path.field("ownerReferences");
    let mut controllers = 0;
    for (index, owner) in meta.items("ownerReferences").iter().enumerate() {
        let place = owners.index(index);
        for field in ["apiVersion", "kind", "name", "uid"] {
            if owner.text(field).is_empty() {
                causes.invalid(&place.field(field), "must not be empty");
            }
        }
        controllers += usize::from(owner.flag("controller"));
    }
    if controllers > 1 {
        causes.invalid(&owners, "may have one controller only");
    }
}

/// A finalizer: one of the standard ones, or a name with a domain.
pub(super) fn finalizer(name: &str, path: &Path<'_>, causes: &mut Causes) {
    if names::qualified_name(name).is_some() && !is_open(name) {
        text(name, names::qualified_name, path, causes);
    } else if !name.contains('/') && !matches!(name, "orphan" | "foregroundDeletion" | "kubernetes")
    {
        causes.invalid(
            path,
            "is neither a standard finalizer nor a name with a domain",
        );
    }
}

/// The labels of a map: keys and values.
pub(super) fn labels(labels: &Value, path: &Path<'_>, causes: &mut Causes) {
    let Some(entries) = labels.as_object() else {
        return;
    };
    for (key, value) in entries {
        let place = path.key(key);
        if let Some(fault) = names::qualified_name(key).filter(|_| !is_open(key)) {
            causes.invalid(&place, format!("has a key that {}", verb(fault)));
        }
        text(
            value.as_str().unwrap_or_default(),
            names::label_value,
            &place,
            causes,
        );
    }
}

fn verb(fault: &str) -> &str {
    fault
}

fn annotations(meta: &Value, path: &Path<'_>, causes: &mut Causes) {
    let mut size = 0;
    for (key, value) in meta.texts("annotations") {
        // Only the case of the key is not looked at.
        if let Some(fault) =
            names::qualified_name(&key.to_ascii_lowercase()).filter(|_| !is_open(key))
        {
            causes.invalid(&path.key(key), format!("has a key that {fault}"));
        }
        size += key.len() + value.len();
    }
    if size > ANNOTATION_BYTES {
        causes.add(
            path,
            Reason::TooLong,
            format!("may have {ANNOTATION_BYTES} bytes at most"),
        );
    }
}

/// A selector by labels and expressions.
pub(super) fn selector(selector: &Value, path: &Path<'_>, causes: &mut Causes) {
    labels(
        selector.at("matchLabels"),
        &path.field("matchLabels"),
        causes,
    );
    let expressions = path.field("matchExpressions");
    for (index, one) in selector.items("matchExpressions").iter().enumerate() {
        expression(one, &expressions.index(index), causes);
    }
}

fn expression(one: &Value, path: &Path<'_>, causes: &mut Causes) {
    let count = one.items("values").len();
    let values = path.field("values");
    match one.text("operator") {
        "In" | "NotIn" if count == 0 => {
            causes.required(&values, "operator In and NotIn need values");
        }
        "Exists" | "DoesNotExist" if count > 0 => {
            causes.forbidden(&values, "operator Exists and DoesNotExist take no values");
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        _ => causes.invalid(
            &path.field("operator"),
            "must be one of In, NotIn, Exists, DoesNotExist",
        ),
    }
    text(
        one.text("key"),
        names::qualified_name,
        &path.field("key"),
        causes,
    );
    for (index, value) in one.words("values").into_iter().enumerate() {
        text(value, names::label_value, &values.index(index), causes);
    }
}

/// Whether a selector selects labels; `None` when nothing can be said of it.
pub(super) fn selects(selector: &Value, labels: &Value) -> Option<bool> {
    let mut result = true;
    for (key, wanted) in selector.texts("matchLabels") {
        let found = labels.get(key).and_then(Value::as_str);
        if is_open(wanted) || found.is_some_and(is_open) {
            return None;
        }
        result &= found == Some(wanted);
    }
    for one in selector.items("matchExpressions") {
        let found = labels.get(one.text("key")).and_then(Value::as_str);
        let is_in = found.is_some_and(|found| one.words("values").contains(&found));
        result &= match one.text("operator") {
            "In" => is_in,
            "NotIn" => !is_in,
            "Exists" => found.is_some(),
            "DoesNotExist" => found.is_none(),
            _ => false,
        };
    }
    Some(result)
}

/// Whether a selector has no requirement at all.
pub(super) fn is_empty_selector(selector: &Value) -> bool {
    let has_labels = selector
        .at("matchLabels")
        .as_object()
        .is_some_and(|m| !m.is_empty());
    !has_labels && selector.items("matchExpressions").is_empty()
}
