//! `toServices`: what the Services of the objects are in front of.
//!
//! Upstream: `pkg/policy/k8s/service.go` (resolveToServices, processRule): a Service with a selector becomes a selector
//! of pods of its namespace, one without becomes the addresses of its endpoints. Only `egress` is resolved, `egressDeny`
//! is not; a Service that is not there leaves nothing behind. Pinned by `services/*` of the recorded cases. Service
//! default/kubernetes is in every cluster, without a selector, with the API server behind it.

use std::net::IpAddr;

use super::cidr::Cidr;
use super::label::{Keys, Label, NAMESPACE, Requirement, Source, Test, requirements};
use super::read::{field, items, strings, text};
use crate::kube::Resource;
use crate::yaml::Node;

/// A Service, and what is behind it.
#[derive(Debug)]
struct Service {
    namespace: String,
    name: String,
    labels: Vec<Label>,
    selector: Vec<(String, String)>,
    addresses: Vec<IpAddr>,
}

/// The Services of the objects.
#[derive(Debug, Default)]
pub(super) struct Services {
    all: Vec<Service>,
    /// Whether others may be there that the objects do not show.
    pub(super) may_be_others: bool,
    knows_api_server: bool,
}

/// What a `toServices` comes to.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) endpoints: Vec<Vec<Requirement>>,
    pub(super) addresses: Vec<Cidr>,
    /// Whether the objects do not show one of the Services, or what is behind it.
    pub(super) doubtful: bool,
    /// Whether the API server is among them, and nobody knows where it is.
    pub(super) api_server: bool,
}

impl Services {
    /// Finds the Services, and the addresses that EndpointSlices give them.
    pub(super) fn of<'r>(
        objects: impl Iterator<Item = &'r Resource> + Clone,
        api_server: Option<&[IpAddr]>,
    ) -> Self {
        let mut all: Vec<Service> = objects.clone().filter_map(service).collect();
        if !all.iter().any(|s| s.is("default", "kubernetes")) {
            all.push(Service {
                namespace: "default".to_owned(),
                name: "kubernetes".to_owned(),
                labels: [("component", "apiserver"), ("provider", "kubernetes")]
                    .map(|(k, v)| Label::kubernetes(k, v))
                    .into(),
                selector: Vec::new(),
                addresses: api_server.unwrap_or_default().to_vec(),
            });
        }
        for slice in objects {
            let Some((name, addresses)) = endpoint_slice(slice) else {
                continue;
            };
            let owner = all
                .iter_mut()
                .find(|s| s.is(slice.effective_namespace(), name));
            if let Some(owner) = owner {
                owner.addresses.extend(addresses);
            }
        }
        Self {
            all,
            knows_api_server: api_server.is_some(),
            may_be_others: false,
        }
    }

    /// What the items of a `toServices` come to.
    pub(super) fn resolve(&self, wanted: &[Node]) -> Resolved {
        let mut resolved = Resolved::default();
        for one in wanted {
            let mut found = false;
            for service in self.all.iter().filter(|s| is_meant(one, s)) {
                found = true;
                let is_api_server = service.is("default", "kubernetes");
                if is_api_server && !self.knows_api_server {
                    resolved.api_server = true;
                } else if service.selector.is_empty() {
                    resolved.doubtful |= service.addresses.is_empty() && self.may_be_others;
                    resolved
                        .addresses
                        .extend(service.addresses.iter().copied().map(Cidr::host));
                } else {
                    resolved.endpoints.push(service.requirements());
                }
            }
            resolved.doubtful |= !found && self.may_be_others;
        }
        resolved
    }
}

impl Service {
    fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    fn requirements(&self) -> Vec<Requirement> {
        let own = self.selector.iter().map(|(key, value)| {
            let (source, key) = Source::split(key);
            Requirement::new(source, key, Test::In(vec![value.into()]))
        });
        own.chain([Requirement::is(NAMESPACE, &self.namespace)])
            .collect()
    }
}

fn is_meant(wanted: &Node, service: &Service) -> bool {
    let in_namespace = |node: &Node| {
        text(node, "namespace").is_none_or(|n| n.is_empty() || n == service.namespace)
    };
    if let Some(selector) = field(wanted, "k8sServiceSelector") {
        let labels = field(selector, "selector")
            .map(|s| requirements(s, "", Keys::WithSource))
            .unwrap_or_default();
        // The source of a key does not matter here.
        let meets = |mut r: Requirement| {
            r.source = None;
            r.matches(&service.labels)
        };
        return in_namespace(selector) && labels.into_iter().all(meets);
    }
    field(wanted, "k8sService").is_some_and(|node| {
        in_namespace(node) && text(node, "serviceName").unwrap_or_default() == service.name
    })
}

fn service(resource: &Resource) -> Option<Service> {
    if !resource.gvk().group.is_empty() || resource.kind() != "Service" {
        return None;
    }
    let node = resource.node();
    let own = |path: &[&str]| strings(node.lookup(path));
    Some(Service {
        namespace: resource.effective_namespace().to_owned(),
        name: resource.name().to_owned(),
        labels: own(&["metadata", "labels"])
            .map(|(k, v)| Label::kubernetes(k, v))
            .collect(),
        selector: own(&["spec", "selector"])
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect(),
        addresses: Vec::new(),
    })
}

/// The Service of an EndpointSlice or Endpoints, and its addresses.
fn endpoint_slice(resource: &Resource) -> Option<(&str, Vec<IpAddr>)> {
    let node = resource.node();
    let parse = |n: &Node| n.scalar_text()?.parse().ok();
    match (resource.gvk().group.as_str(), resource.kind()) {
        ("discovery.k8s.io", "EndpointSlice") => {
            let name = node.lookup(&["metadata", "labels", "kubernetes.io/service-name"])?;
            let endpoints = items(node, "endpoints").iter();
            let addresses = endpoints
                .flat_map(|e| items(e, "addresses"))
                .filter_map(parse);
            Some((name.scalar_text()?, addresses.collect()))
        }
        ("", "Endpoints") => {
            let subsets = items(node, "subsets")
                .iter()
                .flat_map(|s| items(s, "addresses"));
            let addresses = subsets.filter_map(|a| field(a, "ip")).filter_map(parse);
            Some((resource.name(), addresses.collect()))
        }
        _ => None,
    }
}
