//! NetworkPolicy of `networking.k8s.io` becomes entries.
//!
//! Upstream: `pkg/k8s/network_policy.go` (ParseNetworkPolicy). Rules of a direction count even when `policyTypes` leaves
//! it out; without a rule the direction is denied when the types name it, and ingress also when they do not name
//! egress. Pinned by `networkpolicy/*` of the recorded cases.

use super::entry::{Action, Entry, Inspection, Level, Peers, PortRule};
use super::label::{
    CLUSTER, Keys, NAMESPACE, NAMESPACE_LABELS, Requirement, Source, Test, requirements,
};
use super::options::Options;
use super::parse::{cidr_rule, sorted};
use super::ports::{Numbers, PortKey, Protocol, is_service_name, parse_number};
use super::read::{field, items, text};
use super::selector::Selector;
use super::verdict::Direction;
use crate::kube::Resource;
use crate::yaml::Node;

/// The kind that this file reads.
pub(super) const KIND: &str = "NetworkPolicy";

/// Reads a policy. Fails with the value that the agent does not take, and why.
pub(super) fn entries<'r>(
    policy: usize,
    resource: &'r Resource,
    options: &'r Options,
) -> Result<Vec<Entry>, (&'r Node, String)> {
    let Some(spec) = field(resource.node(), "spec") else {
        return Ok(Vec::new());
    };
    let reader = Reader {
        policy,
        resource,
        namespace: resource.effective_namespace(),
        options,
    };
    let has = |name: &str| {
        items(spec, "policyTypes")
            .iter()
            .any(|t| t.scalar_text() == Some(name))
    };
    let mut entries = reader.rules(spec, "ingress", "from", Direction::Ingress)?;
    if entries.is_empty() && (has("Ingress") || !has("Egress")) {
        entries.push(reader.entry(spec, "spec".to_owned(), Direction::Ingress));
    }
    let mut egress = reader.rules(spec, "egress", "to", Direction::Egress)?;
    if egress.is_empty() && has("Egress") {
        egress.push(reader.entry(spec, "spec".to_owned(), Direction::Egress));
    }
    entries.append(&mut egress);
    let mut subject = field(spec, "podSelector")
        .map(|s| requirements(s, "", Keys::Kubernetes))
        .unwrap_or_default();
    replace_namespace(&mut subject, reader.namespace);
    let subject = Selector::Labels(sorted(subject));
    for entry in &mut entries {
        entry.subject = subject.clone();
    }
    Ok(entries)
}

/// Asks for a namespace, instead of what the labels of a selector ask for.
fn replace_namespace(all: &mut Vec<Requirement>, namespace: &str) {
    all.retain(|r| {
        !(r.key == NAMESPACE && matches!(&r.test, Test::In(values) if values.len() == 1))
    });
    all.push(Requirement::is(NAMESPACE, namespace));
}

struct Reader<'r> {
    policy: usize,
    resource: &'r Resource,
    namespace: &'r str,
    options: &'r Options,
}

impl<'r> Reader<'r> {
    /// An entry that allows nothing.
    fn entry(&self, node: &Node, path: String, direction: Direction) -> Entry {
        Entry {
            policy: self.policy,
            path,
            place: self.resource.place_of(node),
            direction,
            level: Level::NORMAL,
            action: Action::Allow,
            namespace: Some(self.namespace.to_owned()),
            subject: Selector::everything(),
            on_nodes: false,
            default_deny: true,
            peers: Peers::Nobody,
            ports: Vec::new(),
            auth: None,
        }
    }

    fn rules(
        &self,
        spec: &'r Node,
        list: &str,
        way: &str,
        direction: Direction,
    ) -> Result<Vec<Entry>, (&'r Node, String)> {
        let mut entries = Vec::new();
        for (index, rule) in items(spec, list).iter().enumerate() {
            let ports = items(rule, "ports")
                .iter()
                .map(port)
                .collect::<Result<Vec<_>, _>>()?;
            let peers = items(rule, way);
            let all: Vec<Peers> = match peers {
                [] => vec![Peers::Of(vec![Selector::everything()])],
                peers => peers
                    .iter()
                    .map(|p| self.peer(p))
                    .collect::<Result<_, _>>()?,
            };
            for peers in all {
                entries.push(Entry {
                    peers,
                    ports: ports.clone(),
                    ..self.entry(rule, format!("spec.{list}[{index}]"), direction)
                });
            }
        }
        Ok(entries)
    }

    fn peer(&self, node: &'r Node) -> Result<Peers, (&'r Node, String)> {
        let (pods, namespaces) = (field(node, "podSelector"), field(node, "namespaceSelector"));
        let mut all = Vec::new();
        if pods.is_some() || namespaces.is_some() {
            all.push(self.pods(pods, namespaces));
        }
        if let Some(block) = field(node, "ipBlock") {
            if let Err(fault) = super::sanitize::cidr_rule(block) {
                return Err((fault.node, fault.reason));
            }
            all.extend(cidr_rule(block));
        }
        Ok(if all.is_empty() {
            Peers::Nobody
        } else {
            Peers::Of(all)
        })
    }

    fn pods(&self, pods: Option<&Node>, namespaces: Option<&Node>) -> Selector {
        let mut all = pods
            .map(|p| requirements(p, "", Keys::Kubernetes))
            .unwrap_or_default();
        let names_cluster = all.iter().any(|r| r.key == CLUSTER);
        match namespaces {
            Some(node) => all.extend(in_namespaces(node)),
            None => replace_namespace(&mut all, self.namespace),
        }
        if let Some(cluster) = self.options.local_cluster().filter(|_| !names_cluster) {
            all.push(Requirement::is(CLUSTER, cluster));
        }
        Selector::Labels(sorted(all))
    }
}

/// What a selector of namespaces asks of a pod: labels of its namespace, or that it is in one at all.
pub(super) fn in_namespaces(node: &Node) -> Vec<Requirement> {
    let all = requirements(node, NAMESPACE_LABELS, Keys::Kubernetes);
    if all.is_empty() {
        return vec![Requirement::new(
            Some(Source::Kubernetes),
            NAMESPACE,
            Test::Exists,
        )];
    }
    all
}

/// A port; without a number every port of the protocol, which is TCP where it is not said.
fn port(node: &Node) -> Result<PortRule, (&Node, String)> {
    let name = text(node, "protocol").unwrap_or("TCP");
    let protocol =
        Protocol::parse(name).ok_or_else(|| (node, format!("`{name}` is not a protocol")))?;
    let written = text(node, "port").unwrap_or("0");
    let numbers = if is_service_name(written) {
        Numbers::Named(written.to_ascii_lowercase())
    } else {
        let first =
            parse_number(written).ok_or_else(|| (node, format!("`{written}` is not a port")))?;
        let last = text(node, "endPort")
            .and_then(|t| t.parse().ok())
            .unwrap_or(0);
        Numbers::range(first, last)
    };
    Ok(PortRule {
        ports: vec![PortKey {
            protocol: Some(protocol),
            numbers,
        }],
        inspection: Inspection::default(),
    })
}
