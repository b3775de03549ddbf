//! Typed reading: from nodes to the structs of a configuration, with places in errors.

mod access;
mod deserializer;
mod error;
mod node;
mod spanned;

use serde::de::DeserializeOwned;

pub use spanned::Spanned;

use super::Node;
use crate::diagnostic::{Result, Source};
use deserializer::NodeDeserializer;

/// Reads a value of a type from a node.
///
/// Structs say `#[serde(deny_unknown_fields)]`. Types are strict: a number is no text. Fails with
/// [`Code::FieldType`](crate::diagnostic::Code::FieldType), `FieldUnknown` (which names the nearest known
/// field) or `FieldMissing` at the place of the field. Messages hold names of fields and of enum variants,
/// never other values. A field may be a
/// [`Spanned`] to know its own place, or a [`Node`] to be read later.
///
/// ```
/// use prerender::{diagnostic::Source, yaml};
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Image { name: String }
/// let source = Source::committed("kustomization.yaml");
/// let node = yaml::parse("nmae: shop", Default::default()).expect("valid YAML").remove(0);
/// let error = yaml::from_node::<Image>(&node, &source).err().expect("a typing error");
/// assert_eq!(error.phrase(), "unknown field `nmae`");
/// assert_eq!(error.remedies(), ["did you mean `name`?"]);
/// ```
pub fn from_node<T: DeserializeOwned>(node: &Node, source: &Source) -> Result<T> {
    T::deserialize(NodeDeserializer::new(node))
        .map_err(|error| error.at(node.mark()).at_source(source))
}

#[cfg(test)]
mod tests;
