//! ClusterNetworkPolicy (`policy.networking.k8s.io/v1alpha2`) becomes entries, where the agent reads it.
//!
//! Upstream: `pkg/k8s/cluster_network_policy.go` (ParseClusterNetworkPolicy). Tier Admin comes before other policies,
//! Baseline after them; rules count in hundredths after the priority of the policy; none denies by default. Names also
//! allow the DNS of `k8s-app: kube-dns` by the ports `dns` and `dns-tcp`. Pinned by `clusternetworkpolicy/*`.

use super::entry::{Action, Entry, Inspection, Level, Parser, Peers, PortRule, Tier};
use super::label::{CLUSTER, Keys, Requirement, Test, requirements};
use super::names::Pattern;
use super::network_policy::in_namespaces;
use super::options::Options;
use super::parse::sorted;
use super::ports::{ANY, Numbers, PortKey, Protocol};
use super::read::{field, items, text};
use super::selector::{Selector, Whom};
use super::verdict::Direction;
use crate::kube::Resource;
use crate::yaml::Node;

/// Group, kind and version that this file reads.
pub(super) const KIND: (&str, &str, &str) = (
    "policy.networking.k8s.io",
    "ClusterNetworkPolicy",
    "v1alpha2",
);

type Faulty<'r, T> = Result<T, (&'r Node, String)>;

/// Reads a policy. Fails with the value that the agent does not take, and why.
pub(super) fn entries<'r>(
    policy: usize,
    resource: &'r Resource,
    options: &'r Options,
) -> Faulty<'r, Vec<Entry>> {
    let Some(spec) = field(resource.node(), "spec") else {
        return Ok(Vec::new());
    };
    let reader = Reader {
        policy,
        resource,
        spec,
        options,
    };
    let mut entries = reader.rules("ingress", "from", Direction::Ingress)?;
    entries.extend(reader.rules("egress", "to", Direction::Egress)?);
    Ok(entries)
}

struct Reader<'r> {
    policy: usize,
    resource: &'r Resource,
    spec: &'r Node,
    options: &'r Options,
}

impl<'r> Reader<'r> {
    fn level(&self, index: usize) -> Level {
        let priority: i64 = text(self.spec, "priority")
            .and_then(|t| t.parse().ok())
            .unwrap_or(0);
        Level {
            tier: match text(self.spec, "tier") {
                Some("Baseline") => Tier::Baseline,
                _ => Tier::Admin,
            },
            priority: priority * 100 + i64::try_from(index).unwrap_or(i64::MAX / 200),
        }
    }

    fn subject(&self) -> Selector {
        let subject = field(self.spec, "subject");
        let of = |name| subject.and_then(|s| field(s, name));
        match (of("namespaces"), of("pods")) {
            (Some(node), _) => Selector::Labels(sorted(in_namespaces(node))),
            (None, Some(node)) => self.pods(node, None),
            (None, None) => Selector::Labels(vec![Requirement::reserved("none")]),
        }
    }

    fn rules(&self, list: &str, way: &str, direction: Direction) -> Faulty<'r, Vec<Entry>> {
        let mut entries = Vec::new();
        let subject = self.subject();
        for (index, rule) in items(self.spec, list).iter().enumerate() {
            let action = match text(rule, "action") {
                Some("Deny") => Action::Deny,
                Some("Pass") => Action::Pass,
                _ => Action::Allow,
            };
            let base = Entry {
                policy: self.policy,
                path: format!("spec.{list}[{index}]"),
                place: self.resource.place_of(rule),
                direction,
                level: self.level(index),
                action,
                namespace: None,
                subject: subject.clone(),
                on_nodes: false,
                default_deny: false,
                peers: Peers::Of(vec![Selector::everything()]),
                ports: items(rule, "protocols").iter().map(protocol).collect(),
                auth: None,
            };
            match items(rule, way) {
                [] => entries.push(base),
                peers => {
                    for peer in peers {
                        entries.extend(self.peer(peer, &base)?);
                    }
                }
            }
        }
        Ok(entries)
    }

    fn peer(&self, node: &'r Node, base: &Entry) -> Faulty<'r, Vec<Entry>> {
        let with = |peers: Vec<Selector>| Entry {
            peers: Peers::Of(peers),
            ..base.clone()
        };
        if let Some(pods) = field(node, "pods") {
            return Ok(vec![with(vec![
                self.pods(pods, self.options.local_cluster()),
            ])]);
        }
        if let Some(namespaces) = field(node, "namespaces") {
            let all = in_namespaces(namespaces);
            let excludes = |r: &Requirement| matches!(r.test, Test::NotIn(_) | Test::DoesNotExist);
            let is_faulty = all.iter().all(excludes);
            let mut peers = vec![Selector::Labels(sorted(all))];
            peers.extend(is_faulty.then_some(Selector::Perhaps(Whom::Pods)));
            return Ok(vec![with(peers)]);
        }
        if base.direction == Direction::Egress {
            if let Some(nodes) = field(node, "nodes") {
                return Ok(vec![with(vec![self.nodes(nodes)?])]);
            }
            if field(node, "networks").is_some() {
                let networks = items(node, "networks").iter().filter_map(Node::scalar_text);
                let networks = networks.filter_map(super::cidr::Cidr::parse);
                return Ok(vec![with(networks.map(Selector::network).collect())]);
            }
            if let Some(names) = field(node, "domainNames") {
                return self.names(node, names, base);
            }
        }
        // What cannot be read fails closed.
        Ok(match base.action {
            Action::Allow => Vec::new(),
            Action::Deny | Action::Pass => vec![Entry {
                action: Action::Deny,
                ..with(vec![Selector::everything()])
            }],
        })
    }

    fn pods(&self, node: &Node, cluster: Option<&str>) -> Selector {
        let empty = Node::mapping();
        let own = field(node, "podSelector")
            .map(|p| requirements(p, "", Keys::Kubernetes))
            .unwrap_or_default();
        let names_cluster = own.iter().any(|r| r.key == CLUSTER);
        let mut all = in_namespaces(field(node, "namespaceSelector").unwrap_or(&empty));
        all.extend(own);
        if let Some(cluster) = cluster.filter(|_| !names_cluster) {
            all.push(Requirement::is(CLUSTER, cluster));
        }
        Selector::Labels(sorted(all))
    }

    fn nodes(&self, node: &'r Node) -> Faulty<'r, Selector> {
        if !self.options.node_selector_labels {
            return Err((
                node,
                "nodes is for clusters with enable-node-selector-labels".to_owned(),
            ));
        }
        let mut all = requirements(node, "", Keys::Kubernetes);
        for requirement in &mut all {
            requirement.source = Some(super::label::Source::Node);
        }
        all.push(Requirement::reserved("remote-node"));
        if let Some(cluster) = self.options.local_cluster() {
            all.push(Requirement::is(CLUSTER, cluster));
        }
        Ok(Selector::Labels(sorted(all)))
    }

    fn names(&self, peer: &'r Node, names: &'r Node, base: &Entry) -> Faulty<'r, Vec<Entry>> {
        if base.action != Action::Allow {
            return Err((names, "domainNames is for `action: Accept` only".to_owned()));
        }
        if !self.options.l7_proxy {
            return Err((
                names,
                "domainNames needs the L7 proxy, which is switched off".to_owned(),
            ));
        }
        let patterns: Vec<Pattern> = items(peer, "domainNames")
            .iter()
            .filter_map(Node::scalar_text)
            .map(domain_name)
            .collect();
        let dns = PortRule {
            ports: ["dns", "dns-tcp"].into_iter().flat_map(named).collect(),
            inspection: Inspection {
                parser: Parser::Dns,
                dns: patterns.clone(),
                ..Inspection::default()
            },
        };
        let resolver = Requirement::new(None, "k8s-app", Test::In(vec!["kube-dns".into()]));
        Ok(vec![
            Entry {
                peers: Peers::Of(vec![Selector::Labels(vec![resolver])]),
                ports: vec![dns],
                ..base.clone()
            },
            Entry {
                peers: Peers::Of(patterns.into_iter().map(Selector::Names).collect()),
                ..base.clone()
            },
        ])
    }
}

/// A star at the start is one label or more, as Kubernetes means it.
fn domain_name(text: &str) -> Pattern {
    match text.strip_prefix('*') {
        Some(rest) if !rest.starts_with('*') => Pattern::with_stars(&format!("**{rest}")),
        Some(_) => Pattern::with_stars(text),
        None => Pattern::name(text),
    }
}

fn named(name: &str) -> Vec<PortKey> {
    let key = |protocol: &Protocol| PortKey {
        protocol: Some(*protocol),
        numbers: Numbers::Named(name.to_ascii_lowercase()),
    };
    ANY.iter().map(key).collect()
}

/// One item of `protocols`.
fn protocol(node: &Node) -> PortRule {
    let of = |name: &str, protocol: Protocol| field(node, name).map(|n| (n, protocol));
    let found = of("tcp", Protocol::Tcp)
        .or_else(|| of("udp", Protocol::Udp))
        .or_else(|| of("sctp", Protocol::Sctp));
    let ports = match (found, text(node, "destinationNamedPort")) {
        (Some((inner, protocol)), _) => vec![PortKey {
            protocol: Some(protocol),
            numbers: field(inner, "destinationPort").map_or(Numbers::ALL, numbers),
        }],
        (None, Some(name)) => named(name),
        (None, None) => Vec::new(),
    };
    PortRule {
        ports,
        inspection: Inspection::default(),
    }
}

fn numbers(port: &Node) -> Numbers {
    let number = |node: &Node, key| text(node, key).and_then(|t| t.parse().ok()).unwrap_or(0);
    match field(port, "range") {
        Some(range) => Numbers::range(number(range, "start"), number(range, "end")),
        None => Numbers::range(number(port, "number"), 0),
    }
}
