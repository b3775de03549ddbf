//! What an overlay is applied to: an object of the build, or one that a chart makes in the cluster.

use std::cell::OnceCell;

use minijinja::Value;

use super::convert::to_value;
use super::root::Root;
use super::select::Selected;
use crate::diagnostic::Place;
use crate::kube::{Gvk, Resource};
use crate::yaml::Node;

/// What an overlay is applied to.
#[derive(Debug)]
pub(super) struct OverlayTarget<'a> {
    pub(super) gvk: Gvk,
    /// Its name in the cluster.
    pub(super) name: String,
    /// Its namespace in the cluster; empty where nothing says it.
    pub(super) namespace: String,
    /// Its name as the root lists it, before the root's own prefix and suffix.
    pub(super) source_name: String,
    /// Its namespace as the root lists it; `None` where the root moves everything into one.
    pub(super) source_namespace: Option<String>,
    /// The object; `None` where a chart makes it.
    pub(super) resource: Option<&'a Resource>,
    pub(super) place: Option<Place>,
    value: OnceCell<Value>,
}

/// Fills in variables as the host does after the build.
pub(super) type Substitute<'a> = Option<&'a dyn Fn(&str) -> String>;

impl<'a> OverlayTarget<'a> {
    /// The target that an object of the build is.
    pub(super) fn of_object(
        resource: &'a Resource,
        root: &Root,
        destination: Option<&str>,
        substitute: Substitute<'_>,
    ) -> Self {
        let built = resource.name();
        let source_name = root
            .name_before(resource.gvk(), built)
            .unwrap_or_else(|| resource.original_name());
        let filled = |text: &str| substitute.map_or_else(|| text.to_owned(), |fill| fill(text));
        let own = Some(resource.namespace()).filter(|n| !n.is_empty());
        let namespace = root
            .namespace
            .as_deref()
            .or(own)
            .or(destination)
            .unwrap_or_default();
        Self {
            gvk: resource.gvk().clone(),
            name: filled(built),
            namespace: filled(namespace),
            source_name: source_name.to_owned(),
            source_namespace: root
                .namespace
                .is_none()
                .then(|| resource.namespace().to_owned())
                .filter(|n| !n.is_empty()),
            resource: Some(resource),
            place: resource.place(),
            value: OnceCell::new(),
        }
    }

    /// The target that something makes in the cluster, and that the build does not hold.
    pub(super) fn made(gvk: Gvk, name: &str, namespace: &str, place: Option<Place>) -> Self {
        Self {
            gvk,
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            source_name: name.to_owned(),
            source_namespace: None,
            resource: None,
            place,
            value: OnceCell::new(),
        }
    }

    /// The same target in a namespace that the project says.
    pub(super) fn in_namespace(&self, namespace: &str) -> Self {
        Self {
            gvk: self.gvk.clone(),
            name: self.name.clone(),
            namespace: namespace.to_owned(),
            source_name: self.source_name.clone(),
            source_namespace: self.source_namespace.clone(),
            resource: self.resource,
            place: self.place.clone(),
            value: OnceCell::new(),
        }
    }

    /// How it is called in messages: kind, namespace and name.
    pub(super) fn display(&self) -> String {
        let Self {
            gvk,
            name,
            namespace,
            ..
        } = self;
        if namespace.is_empty() {
            format!("{}/{name}", gvk.kind)
        } else {
            format!("{}/{namespace}/{name}", gvk.kind)
        }
    }

    /// What selectors look at.
    pub(super) fn selected(&self) -> Selected<'_> {
        let metadata = |key| {
            self.resource
                .and_then(|r| r.node().lookup(&["metadata", key]))
        };
        Selected {
            group: &self.gvk.group,
            version: &self.gvk.version,
            kind: &self.gvk.kind,
            name: &self.name,
            namespace: &self.namespace,
            labels: metadata("labels"),
            annotations: metadata("annotations"),
        }
    }

    /// A text of its metadata's annotations, and the node.
    pub(super) fn annotation(&self, key: &str) -> Option<&'a Node> {
        self.resource?
            .node()
            .lookup(&["metadata", "annotations", key])
    }

    /// What expressions and files read as `target`.
    pub(super) fn value(&self) -> Value {
        self.value.get_or_init(|| self.build_value()).clone()
    }

    fn build_value(&self) -> Value {
        let empty = || Value::from_pairs(std::iter::empty::<(&str, Value)>());
        let metadata = |key| {
            let node = self
                .resource
                .and_then(|r| r.node().lookup(&["metadata", key]));
            node.map_or_else(empty, to_value)
        };
        let source = Value::from_pairs([
            ("name", Value::from(self.source_name.as_str())),
            (
                "namespace",
                Value::from(self.source_namespace.as_deref().unwrap_or_default()),
            ),
        ]);
        Value::from_pairs([
            ("group", Value::from(&*self.gvk.group)),
            ("version", Value::from(&*self.gvk.version)),
            ("kind", Value::from(&*self.gvk.kind)),
            ("name", Value::from(self.name.as_str())),
            ("namespace", Value::from(self.namespace.as_str())),
            ("labels", metadata("labels")),
            ("annotations", metadata("annotations")),
            (
                "object",
                self.resource.map_or_else(empty, |r| to_value(r.node())),
            ),
            ("source", source),
        ])
    }
}
