//! Finds who talks in a render: workloads, what CloudNativePG makes, what charts make.
//!
//! What every cluster has (the API server, nodes, DNS) is added, and so are the operator and Prometheus
//! where no object of the render tells of them: a render is seldom the whole cluster.

mod charts;
mod cnpg;
mod links;
mod made;
mod workloads;

use super::endpoint::{Endpoint, Role};
use super::label::items;
use crate::cilium::{NamedPort, Protocol};
use crate::kube::{ResMap, Resource};
use crate::yaml::Node;

pub(super) use cnpg::joins;
pub(in crate::validate) use cnpg::{instances_of, pooler_of};
pub(super) use links::{Link, uses_plugin};
pub(super) use made::complete;

/// Where pods are that the render does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodReference {
    /// Their namespace.
    pub namespace: String,
    /// Their labels.
    pub labels: Vec<(String, String)>,
}

impl PodReference {
    /// Names pods by one label.
    pub fn new(namespace: &str, key: &str, value: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            labels: vec![(key.to_owned(), value.to_owned())],
        }
    }
}

/// What is taken to be in the cluster, unless the render shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumptions {
    /// The CNPG operator.
    pub operator: PodReference,
    /// Prometheus.
    pub prometheus: PodReference,
    /// The cluster's DNS.
    pub dns: PodReference,
    /// Clusters that the project declares because a chart makes them: namespace and name.
    pub clusters: Vec<(String, String)>,
    /// What the series begin with that other renders make, by custom queries and recording rules.
    pub series: Vec<String>,
}

impl Default for Assumptions {
    fn default() -> Self {
        const NAME: &str = "app.kubernetes.io/name";
        Self {
            operator: PodReference::new("cnpg-system", NAME, "cloudnative-pg"),
            prometheus: PodReference::new("monitoring", NAME, "prometheus"),
            dns: PodReference::new("kube-system", "k8s-app", "kube-dns"),
            clusters: Vec::new(),
            series: Vec::new(),
        }
    }
}

impl Assumptions {
    /// Whose place nobody has told: it is the usual one.
    pub(super) fn guessed(&self) -> Vec<Role> {
        let usual = Self::default();
        let places = [
            (Role::Operator, &self.operator, &usual.operator),
            (Role::Prometheus, &self.prometheus, &usual.prometheus),
            (Role::Dns, &self.dns, &usual.dns),
        ];
        let untold = places.into_iter().filter(|(_, told, usual)| told == usual);
        untold.map(|(role, ..)| role).collect()
    }
}

/// The operator, where it is taken to be.
pub(in crate::validate) fn assumed_operator(assumptions: &Assumptions) -> Endpoint {
    assume("CNPG operator", Role::Operator, &assumptions.operator)
}

/// Everyone, and who uses what.
#[derive(Debug, Default)]
pub(super) struct Population {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) links: Vec<Link>,
}

/// Finds everyone in a render.
pub(super) fn population(resources: &ResMap, assumptions: &Assumptions) -> Population {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    let mut owners: Vec<&Resource> = Vec::new();
    for resource in resources.iter() {
        endpoints.extend(workloads::of(resource));
        endpoints.extend(cnpg::of(resource));
        endpoints.extend(charts::of(resource, resources));
        owners.resize(endpoints.len(), resource);
    }
    let shows = |role: Role| endpoints.iter().any(|e| e.role == role);
    let is_about_cnpg = [Role::Operator, Role::Instance, Role::Pooler]
        .into_iter()
        .any(shows);
    let mut assumed = entities();
    if is_about_cnpg {
        let pods = [
            (Role::Operator, "CNPG operator", &assumptions.operator),
            (Role::Prometheus, "Prometheus", &assumptions.prometheus),
            (Role::Dns, "DNS", &assumptions.dns),
        ];
        let missing = pods.into_iter().filter(|(role, ..)| !shows(*role));
        assumed.extend(missing.map(|(role, name, pods)| assume(name, role, pods)));
        if !shows(Role::Instance) {
            assumed.push(cnpg::any_instance());
        }
        if !shows(Role::BackupPlugin) && resources.iter().any(uses_plugin) {
            let plugin = PodReference::new(
                &assumptions.operator.namespace,
                "app.kubernetes.io/name",
                "plugin-barman-cloud",
            );
            assumed.push(assume("Barman Cloud plugin", Role::BackupPlugin, &plugin));
        }
    }
    endpoints.extend(assumed);
    name_services(&mut endpoints, resources);
    let links = links::find(&mut endpoints, &owners, resources);
    Population { endpoints, links }
}

fn assume(name: &str, role: Role, pods: &PodReference) -> Endpoint {
    let mut endpoint = Endpoint::pod(name, &pods.namespace, role, pods.labels.iter().cloned());
    endpoint.assumed = true;
    endpoint.ports = usual_ports(role);
    endpoint
}

/// The ports that the pods of a role name, as their charts and manifests have them.
pub(super) fn usual_ports(role: Role) -> Vec<NamedPort> {
    const OPERATOR: &[(&str, u16, Protocol)] = &[
        ("webhook-server", 9443, Protocol::Tcp),
        ("metrics", 8080, Protocol::Tcp),
    ];
    const DNS: &[(&str, u16, Protocol)] = &[
        ("dns", 53, Protocol::Udp),
        ("dns-tcp", 53, Protocol::Tcp),
        ("metrics", 9153, Protocol::Tcp),
    ];
    let table = match role {
        Role::Operator => OPERATOR,
        Role::Dns => DNS,
        _ => &[],
    };
    let named = |(name, number, protocol): &(&str, u16, Protocol)| NamedPort {
        name: (*name).to_owned(),
        number: *number,
        protocol: *protocol,
    };
    table.iter().map(named).collect()
}

/// The API server.
pub(super) fn api_server() -> Endpoint {
    Endpoint::entity("kube-apiserver", Role::ApiServer)
}

/// What is not a pod.
fn entities() -> Vec<Endpoint> {
    vec![
        api_server(),
        Endpoint::entity("remote-node", Role::RemoteNode),
        Endpoint::entity("host", Role::Host),
    ]
}

/// Notes for each pod which Services of the render are in front of it.
fn name_services(endpoints: &mut [Endpoint], resources: &ResMap) {
    for service in resources.iter().filter(|r| r.gvk().is("", "Service")) {
        let selector = labels(service.node().lookup(&["spec", "selector"]));
        if selector.is_empty() {
            continue;
        }
        for endpoint in endpoints
            .iter_mut()
            .filter(|e| e.namespace == service.effective_namespace())
        {
            if selector
                .iter()
                .all(|(key, value)| endpoint.label(key) == Some(value))
            {
                let name = (endpoint.namespace.clone(), service.name().to_owned());
                endpoint.services.push(name);
            }
        }
    }
}

/// The entries of a mapping of labels.
fn labels(node: Option<&Node>) -> Vec<(String, String)> {
    let Some(mapping) = node.and_then(Node::as_mapping) else {
        return Vec::new();
    };
    mapping
        .iter()
        .map(|(key, value)| {
            (
                key.to_owned(),
                value.scalar_text().unwrap_or_default().to_owned(),
            )
        })
        .collect()
}

/// The text of a field, by its path.
fn text<'r>(resource: &'r Resource, path: &[&str]) -> Option<&'r str> {
    resource.node().lookup(path).and_then(Node::scalar_text)
}

/// The items of a list, by its path.
fn list<'r>(resource: &'r Resource, path: &[&str]) -> &'r [Node] {
    items(resource.node().lookup(path))
}
