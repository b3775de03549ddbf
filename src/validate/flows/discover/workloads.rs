//! Pods from the templates of workloads.

use super::{labels, text};
use crate::cilium::{NamedPort, Protocol};
use crate::kube::Resource;
use crate::validate::flows::endpoint::{Endpoint, Role};
use crate::validate::flows::label::items;
use crate::yaml::Node;

/// Where the template of a kind's pods is.
const TEMPLATES: &[(&str, &[&str])] = &[
    ("Deployment", &["spec", "template"]),
    ("StatefulSet", &["spec", "template"]),
    ("DaemonSet", &["spec", "template"]),
    ("ReplicaSet", &["spec", "template"]),
    ("ReplicationController", &["spec", "template"]),
    ("Rollout", &["spec", "template"]),
    ("Job", &["spec", "template"]),
    ("CronJob", &["spec", "jobTemplate", "spec", "template"]),
    ("Pod", &[]),
];

/// What pods are by one of their labels.
const ROLES: &[(&str, &str, Role)] = &[
    ("app.kubernetes.io/name", "cloudnative-pg", Role::Operator),
    (
        "app.kubernetes.io/name",
        "plugin-barman-cloud",
        Role::BackupPlugin,
    ),
    ("app", "barman-cloud", Role::BackupPlugin),
    ("app.kubernetes.io/name", "prometheus", Role::Prometheus),
    ("k8s-app", "kube-dns", Role::Dns),
];

/// The pods of one workload.
pub(super) fn of(resource: &Resource) -> Option<Endpoint> {
    let (_, path) = TEMPLATES
        .iter()
        .find(|(kind, _)| *kind == resource.kind())?;
    let template = resource.node().lookup(path)?;
    let spec = template.get("spec")?;
    let mut own = labels(template.lookup(&["metadata", "labels"]));
    if resource.kind() == "Job" {
        own.push((
            "batch.kubernetes.io/job-name".to_owned(),
            resource.name().to_owned(),
        ));
    }
    let role = ROLES
        .iter()
        .find(|(key, value, _)| own.iter().any(|(k, v)| k == key && v == value))
        .map_or(Role::Workload, |(_, _, role)| *role);
    let mut endpoint = if spec.get("hostNetwork").and_then(Node::as_bool) == Some(true) {
        // Policies of pods are not about a pod with the network of its node.
        let name = format!(
            "{}/{} (host network)",
            resource.effective_namespace(),
            resource.name()
        );
        let mut endpoint = Endpoint::entity(&name, role);
        endpoint.assumed = false;
        endpoint
    } else {
        let account = spec.get("serviceAccountName").and_then(Node::scalar_text);
        let mut pod = Endpoint::pod(resource.name(), resource.effective_namespace(), role, own);
        pod.run_as(account.unwrap_or("default"));
        pod
    };
    endpoint.place = resource.place();
    endpoint.ports = named_ports(spec);
    endpoint.count = text(resource, &["spec", "replicas"])
        .and_then(|t| t.parse().ok())
        .unwrap_or(1);
    Some(endpoint)
}

fn named_ports(spec: &Node) -> Vec<NamedPort> {
    let containers = ["containers", "initContainers"]
        .into_iter()
        .flat_map(|field| items(spec.get(field)));
    containers
        .flat_map(|c| items(c.get("ports")))
        .filter_map(named_port)
        .collect()
}

fn named_port(node: &Node) -> Option<NamedPort> {
    let text = |key| node.get(key).and_then(Node::scalar_text);
    Some(NamedPort {
        name: text("name")?.to_owned(),
        number: text("containerPort")?.parse().ok()?,
        protocol: text("protocol")
            .and_then(Protocol::parse)
            .unwrap_or(Protocol::Tcp),
    })
}
