//! One object of a build.

use std::sync::Arc;

use super::{Gvk, ResId};
use crate::diagnostic::{Place, Source};
use crate::yaml::Node;

/// One object: its document, and where it came from.
#[derive(Debug, Clone)]
pub struct Resource {
    node: Node,
    gvk: Gvk,
    source: Option<Arc<Source>>,
}

impl Resource {
    /// Builds an object from its document and the text it stands in.
    pub fn new(node: Node, source: Option<Arc<Source>>) -> Self {
        let text = |key| {
            node.get(key)
                .and_then(Node::scalar_text)
                .unwrap_or_default()
        };
        let gvk = Gvk::new(text("apiVersion"), text("kind"));
        Self { node, gvk, source }
    }

    /// The document.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> &Gvk {
        &self.gvk
    }

    /// The kind.
    pub fn kind(&self) -> &str {
        &self.gvk.kind
    }

    /// `metadata.name`, or empty.
    pub fn name(&self) -> &str {
        self.metadata("name")
    }

    /// `metadata.namespace`, or empty.
    pub fn namespace(&self) -> &str {
        self.metadata("namespace")
    }

    /// The identity.
    pub fn id(&self) -> ResId {
        ResId {
            gvk: self.gvk.clone(),
            namespace: self.namespace().into(),
            name: self.name().into(),
        }
    }

    /// The text it was read from, where there is one.
    pub fn source(&self) -> Option<&Arc<Source>> {
        self.source.as_ref()
    }

    /// The place of its document.
    pub fn place(&self) -> Option<Place> {
        let mark = self.node.mark();
        self.source
            .as_ref()
            .map(|s| s.place(mark.line, mark.column))
    }

    fn metadata(&self, key: &str) -> &str {
        self.node
            .lookup(&["metadata", key])
            .and_then(Node::scalar_text)
            .unwrap_or_default()
    }
}
