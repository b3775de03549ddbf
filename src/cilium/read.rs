//! Reads fields of a document as the API server leaves them: a null field is pruned, and as good as absent.

use crate::yaml::Node;

/// A field that is there and not null.
pub(super) fn field<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    node.get(key).filter(|n| !n.is_null())
}

/// A field that is a list; `None` where it is absent, which is not the same as empty.
pub(super) fn list<'n>(node: &'n Node, key: &str) -> Option<&'n [Node]> {
    field(node, key).and_then(Node::as_sequence)
}

/// The items of a list; none where it is absent.
pub(super) fn items<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    list(node, key).unwrap_or_default()
}

/// The text of a scalar field.
pub(super) fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    field(node, key).and_then(Node::scalar_text)
}

/// The entries of a map of strings.
pub(super) fn strings<'n>(
    node: Option<&'n Node>,
) -> impl Iterator<Item = (&'n str, &'n str)> + use<'n> {
    node.and_then(Node::as_mapping)
        .into_iter()
        .flat_map(crate::yaml::Mapping::iter)
        .map(|(key, value)| {
            let value = if value.is_null() {
                None
            } else {
                value.scalar_text()
            };
            (key, value.unwrap_or_default())
        })
}
