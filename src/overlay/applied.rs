//! Tells whether a patch would change an object, so that applying overlays twice changes nothing.

use crate::yaml::Node;

/// Whether an object is already what a patch makes of it: a strategic merge patch, or a list of JSON
/// patch operations.
pub(super) fn is_applied(patch: &Node, object: &Node) -> bool {
    if let Some(operations) = patch.as_sequence() {
        return operations.iter().all(|o| operation_is_applied(o, object));
    }
    let fields = patch.as_mapping().into_iter().flat_map(|m| m.iter());
    fields
        .filter(|(key, _)| !matches!(*key, "apiVersion" | "kind"))
        .all(|(key, value)| match key {
            "metadata" => metadata_is_applied(value, object.get("metadata")),
            _ => is_merged(value, object.get(key)),
        })
}

fn metadata_is_applied(patch: &Node, metadata: Option<&Node>) -> bool {
    let fields = patch.as_mapping().into_iter().flat_map(|m| m.iter());
    fields
        .filter(|(key, _)| !matches!(*key, "name" | "namespace"))
        .all(|(key, value)| is_merged(value, metadata.and_then(|m| m.get(key))))
}

/// Maps merge, everything else replaces; null removes. Directives (`$patch`) always count as a change.
fn is_merged(patch: &Node, present: Option<&Node>) -> bool {
    let Some(mapping) = patch.as_mapping() else {
        return if patch.is_null() {
            present.is_none()
        } else {
            present == Some(patch)
        };
    };
    let no_directive = mapping.iter().all(|(key, _)| !key.starts_with('$'));
    no_directive
        && present.is_some_and(|p| {
            mapping
                .iter()
                .all(|(key, value)| is_merged(value, p.get(key)))
        })
}

fn operation_is_applied(operation: &Node, object: &Node) -> bool {
    let text = |key| {
        operation
            .get(key)
            .and_then(Node::as_str)
            .unwrap_or_default()
    };
    let present = pointed(object, text("path"));
    match text("op") {
        "add" | "replace" => present.is_some() && present == operation.get("value"),
        "remove" => present.is_none(),
        "test" => true,
        _ => false,
    }
}

/// Follows a JSON pointer.
fn pointed<'a>(node: &'a Node, pointer: &str) -> Option<&'a Node> {
    let mut node = node;
    for part in pointer.split('/').skip(1) {
        let key = part.replace("~1", "/").replace("~0", "~");
        node = match node.as_sequence() {
            Some(items) => items.get(key.parse::<usize>().ok()?)?,
            None => node.get(&key)?,
        };
    }
    Some(node)
}
