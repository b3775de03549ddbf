//! Pods from the templates of workloads.

use super::identity::Pod;
use super::ports::{NamedPort, Protocol};
use super::read::{field, items, strings, text};
use crate::kube::Resource;
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

/// The pods of a workload; `None` for any other object.
pub(super) fn of(resource: &Resource) -> Option<Pod> {
    let (_, path) = TEMPLATES
        .iter()
        .find(|(kind, _)| *kind == resource.kind())?;
    let template = resource.node().lookup(path)?;
    let spec = field(template, "spec")?;
    let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let mut labels: Vec<_> = strings(template.lookup(&["metadata", "labels"]))
        .map(own)
        .collect();
    if resource.kind() == "Job" {
        for key in ["batch.kubernetes.io/job-name", "job-name"] {
            labels.push((key.to_owned(), resource.name().to_owned()));
        }
    }
    let namespace = resource.effective_namespace();
    Some(Pod {
        reference: format!("pod:{namespace}/{}", resource.name()),
        namespace: namespace.to_owned(),
        labels,
        service_account: text(spec, "serviceAccountName").map(str::to_owned),
        ports: named_ports(spec),
        host_network: field(spec, "hostNetwork").and_then(Node::as_bool) == Some(true),
        place: resource.place(),
        ..Pod::default()
    })
}

fn named_ports(spec: &Node) -> Vec<NamedPort> {
    let lists = ["containers", "initContainers"];
    let containers = lists.iter().flat_map(|list| items(spec, list));
    containers
        .flat_map(|c| items(c, "ports"))
        .filter_map(named_port)
        .collect()
}

fn named_port(node: &Node) -> Option<NamedPort> {
    Some(NamedPort {
        name: text(node, "name")?.to_owned(),
        number: text(node, "containerPort")?.parse().ok()?,
        protocol: text(node, "protocol").map_or(Some(Protocol::Tcp), Protocol::parse)?,
    })
}
