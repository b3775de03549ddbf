//! An object as Go's `Unstructured` sees it: fields of the wrong type read as if they were not there.

use serde_json::{Map, Value};

/// The string at a path; empty where there is none, or something else.
pub fn text<'o>(object: &'o Value, path: &[&str]) -> &'o str {
    at(object, path).and_then(Value::as_str).unwrap_or_default()
}

/// The value at a path.
pub fn at<'o>(object: &'o Value, path: &[&str]) -> Option<&'o Value> {
    path.iter().try_fold(object, |value, key| value.get(key))
}

/// Group, version and kind; all empty where the apiVersion has more than two parts.
pub fn gvk(object: &Value) -> (&str, &str, &str) {
    let kind = text(object, &["kind"]);
    match text(object, &["apiVersion"]).split_once('/') {
        Some((_, version)) if version.contains('/') => ("", "", ""),
        Some((group, version)) => (group, version, kind),
        None => ("", text(object, &["apiVersion"]), kind),
    }
}

/// `metadata.name`.
pub fn name(object: &Value) -> &str {
    text(object, &["metadata", "name"])
}

/// `metadata.namespace`.
pub fn namespace(object: &Value) -> &str {
    text(object, &["metadata", "namespace"])
}

/// Sets or removes `metadata.namespace`; where metadata is not a mapping nothing happens, as in Go.
pub fn set_namespace(object: &mut Value, namespace: &str) {
    if namespace.is_empty() {
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.shift_remove("namespace");
        }
        return;
    }
    if let Some(metadata) = child(object, "metadata") {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
}

/// A mapping below a mapping, made where it is missing; `None` where something else is there.
pub fn child<'o>(object: &'o mut Value, key: &str) -> Option<&'o mut Map<String, Value>> {
    let parent = object.as_object_mut()?;
    parent
        .entry(key)
        .or_insert_with(|| Value::Object(Map::new()))
        .as_object_mut()
}

/// `Kind/name`, for messages.
pub fn shown(object: &Value) -> String {
    format!("{}/{}", text(object, &["kind"]), name(object))
}
