//! Which pods the monitors of a render scrape.

use super::endpoint::{Endpoint, Role};
use super::label::{Selector, items};
use crate::kube::{ResMap, Resource};
use crate::yaml::Node;

/// A `PodMonitor`.
#[derive(Debug)]
pub(in crate::validate) struct Monitor<'r> {
    pub(in crate::validate) resource: &'r Resource,
    selector: Selector,
}

impl<'r> Monitor<'r> {
    /// Reads a `PodMonitor`; `None` for any other object, and for one whose selector cannot be read.
    pub(in crate::validate) fn of(resource: &'r Resource) -> Option<Self> {
        if !resource.gvk().is("monitoring.coreos.com", "PodMonitor") {
            return None;
        }
        let selector = resource.node().lookup(&["spec", "selector"])?;
        Some(Self {
            resource,
            selector: Selector::read(selector).ok()?,
        })
    }

    /// Whether it scrapes a pod: by its labels, and by the namespaces that it looks into.
    pub(in crate::validate) fn scrapes(&self, pod: &Endpoint) -> bool {
        self.selector.matches(&pod.labels) && self.looks_into(&pod.namespace)
    }

    fn looks_into(&self, namespace: &str) -> bool {
        let selector = self.resource.node().lookup(&["spec", "namespaceSelector"]);
        let any = selector.and_then(|s| s.get("any")).and_then(Node::as_bool) == Some(true);
        let names = items(selector.and_then(|s| s.get("matchNames")));
        any || names.iter().any(|n| n.scalar_text() == Some(namespace))
            || (names.is_empty() && self.resource.effective_namespace() == namespace)
    }

    /// What it asks each pod for.
    pub(in crate::validate) fn endpoints(&self) -> &'r [Node] {
        items(
            self.resource
                .node()
                .lookup(&["spec", "podMetricsEndpoints"]),
        )
    }
}

/// What the render scrapes: by its monitors, and by `enablePodMonitor`.
pub(super) struct Scraped<'r> {
    monitors: Vec<Monitor<'r>>,
    by_flag: Vec<(String, String)>,
}

impl<'r> Scraped<'r> {
    pub(super) fn of(resources: &'r ResMap) -> Self {
        let has_flag = |resource: &&Resource| {
            let flag = resource
                .node()
                .lookup(&["spec", "monitoring", "enablePodMonitor"]);
            resource.gvk().group == "postgresql.cnpg.io"
                && flag.and_then(Node::as_bool) == Some(true)
        };
        let name = |r: &Resource| (r.effective_namespace().to_owned(), r.name().to_owned());
        Self {
            monitors: resources.iter().filter_map(Monitor::of).collect(),
            by_flag: resources.iter().filter(has_flag).map(name).collect(),
        }
    }

    pub(super) fn includes(&self, pod: &Endpoint) -> bool {
        let is_made = matches!(pod.role, Role::Instance | Role::Pooler);
        let has_flag =
            |(namespace, name): &(String, String)| *namespace == pod.namespace && *name == pod.name;
        (is_made && self.by_flag.iter().any(has_flag))
            || self.monitors.iter().any(|m| m.scrapes(pod))
    }
}
