//! `CiliumNetworkPolicy` and `CiliumClusterwideNetworkPolicy`.
//!
//! A policy that the agent refuses is as good as absent, although `kubectl apply` succeeds: everything it
//! was to deny stays open. [`read`] gives what is wrong with it instead.

use super::label::{NAMESPACE, Selector, items};
use super::network::{NamePattern, Network};
use super::policy::{Number, Peer, Peers, Policy, Port, Ports, Rule, Side};
use super::ports::Protocol;
use crate::diagnostic::Place;
use crate::kube::Resource;
use crate::yaml::Node;

/// The kinds that this file reads.
pub(super) const KINDS: [&str; 2] = ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"];

/// As many ports as one entry of `toPorts` may hold.
const MAX_PORTS: usize = 40;

/// The names that `fromEntities` and `toEntities` may hold.
const ENTITIES: [&str; 13] = [
    "all",
    "world",
    "world-ipv4",
    "world-ipv6",
    "cluster",
    "host",
    "remote-node",
    "kube-apiserver",
    "init",
    "ingress",
    "health",
    "unmanaged",
    "none",
];

/// The fields of a rule that say whom it is about. Cilium takes one of them in a rule.
const PEER_FIELDS: [&str; 8] = [
    "Endpoints",
    "Entities",
    "CIDR",
    "CIDRSet",
    "FQDNs",
    "Groups",
    "Nodes",
    "Services",
];

/// Why a policy is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong, in words that finish "the agent refuses the policy: ".
    pub reason: String,
    /// Where it is written.
    pub place: Option<Place>,
}

/// Reads the policies of one object: one for `spec`, one for each item of `specs`.
///
/// Policies that select nodes are left out: they are about no pod.
pub(super) fn read(resource: &Resource) -> Result<Vec<Policy>, Refusal> {
    let node = resource.node();
    let specs = node
        .get("spec")
        .into_iter()
        .map(|spec| ("spec".to_owned(), spec))
        .chain(
            items(node.get("specs"))
                .iter()
                .enumerate()
                .map(|(index, spec)| (format!("specs[{index}]"), spec)),
        );
    let mut policies = Vec::new();
    for (path, spec) in specs {
        let reader = Reader { resource, spec };
        policies.extend(reader.policy(&path)?);
    }
    Ok(policies)
}

struct Reader<'r> {
    resource: &'r Resource,
    spec: &'r Node,
}

/// The lists of rules: their field, and whether they deny.
type Lists = [(&'static str, bool); 2];
const INGRESS: Lists = [("ingress", false), ("ingressDeny", true)];
const EGRESS: Lists = [("egress", false), ("egressDeny", true)];

impl Reader<'_> {
    fn refuse<T>(&self, node: &Node, reason: impl Into<String>) -> Result<T, Refusal> {
        Err(Refusal {
            reason: reason.into(),
            place: self.resource.place_of(node),
        })
    }

    fn policy(&self, path: &str) -> Result<Option<Policy>, Refusal> {
        let selectors = [
            self.spec.get("endpointSelector"),
            self.spec.get("nodeSelector"),
        ];
        let endpoints = match selectors {
            [Some(endpoints), None] => endpoints,
            [None, Some(_)] => return Ok(None),
            [None, None] => return self.refuse(self.spec, "it has no endpointSelector"),
            [Some(_), Some(node)] => {
                return self.refuse(node, "it has endpointSelector and nodeSelector");
            }
        };
        let has_rules = INGRESS
            .iter()
            .chain(&EGRESS)
            .any(|(field, _)| !items(self.spec.get(field)).is_empty());
        if !has_rules {
            return self.refuse(
                self.spec,
                "it has no rule: an empty list is as good as none, and denies nothing",
            );
        }
        let own = self.selector(endpoints)?;
        let is_specific = !own.is_everything();
        let subject = match self.resource.namespace() {
            "" => Selector::pods().and(own),
            namespace => own.in_namespace(namespace),
        };
        Ok(Some(Policy {
            id: self.resource.id().to_string(),
            place: self.resource.place(),
            subject,
            is_specific,
            ingress: self.side(path, INGRESS, "from")?,
            egress: self.side(path, EGRESS, "to")?,
        }))
    }

    fn side(&self, path: &str, lists: Lists, way: &str) -> Result<Side, Refusal> {
        let mut side = Side::default();
        for (field, denies) in lists {
            for (index, node) in items(self.spec.get(field)).iter().enumerate() {
                let rule = self.rule(format!("{path}.{field}[{index}]"), node, way)?;
                if denies {
                    side.deny.push(rule);
                } else {
                    side.allow.push(rule);
                }
            }
        }
        let asked = self
            .spec
            .lookup(&["enableDefaultDeny", lists[0].0])
            .and_then(Node::as_bool);
        side.default_deny = asked.unwrap_or(!side.allow.is_empty() || !side.deny.is_empty());
        side.asked = asked.is_some();
        side.audit = asked == Some(false) && !(side.allow.is_empty() && side.deny.is_empty());
        Ok(side)
    }

    fn rule(&self, path: String, node: &Node, way: &str) -> Result<Rule, Refusal> {
        let icmp = !items(node.get("icmps")).is_empty();
        let to_ports = items(node.get("toPorts"));
        if icmp && !to_ports.is_empty() {
            return self.refuse(node, "a rule has icmps and toPorts");
        }
        let peers = self.peers(node, way)?;
        let mut dns = Vec::new();
        let mut ports = Vec::new();
        for entry in to_ports {
            let listed = items(entry.get("ports"));
            if listed.len() > MAX_PORTS {
                return self.refuse(
                    entry,
                    format!(
                        "an entry of toPorts has {} ports, more than {MAX_PORTS}",
                        listed.len()
                    ),
                );
            }
            for port in listed {
                ports.push(self.port(port)?);
            }
            let names = items(entry.lookup(&["rules", "dns"]));
            if way == "from" && !names.is_empty() {
                return self.refuse(entry, "a rule of ingress has rules.dns");
            }
            dns.extend(names.iter().filter_map(name_pattern));
        }
        // A rule that says neither who nor which ports allows nothing. It still asks for default deny.
        let says_nothing = matches!(peers, Peers::Everyone) && to_ports.is_empty();
        Ok(Rule {
            path,
            peers: if says_nothing {
                Peers::Of(Vec::new())
            } else {
                peers
            },
            ports: if to_ports.is_empty() && !icmp {
                Ports::Every
            } else {
                Ports::Of(ports)
            },
            dns,
        })
    }

    /// Whom a rule is about. A field that is there and empty is about nobody.
    fn peers(&self, node: &Node, way: &str) -> Result<Peers, Refusal> {
        let list = |suffix: &str| node.get(&format!("{way}{suffix}"));
        let mut filled = PEER_FIELDS.iter().filter(|f| !items(list(f)).is_empty());
        if let (Some(first), Some(second)) = (filled.next(), filled.next()) {
            return self.refuse(
                node,
                format!("a rule has {way}{first} and {way}{second}; write one rule for each"),
            );
        }
        if PEER_FIELDS
            .iter()
            .all(|f| list(f).is_none_or(Node::is_null))
        {
            return Ok(Peers::Everyone);
        }
        let mut peers = Vec::new();
        for selector in items(list("Endpoints")) {
            peers.push(Peer::Labels(self.peer_selector(selector)?));
        }
        for entity in items(list("Entities")) {
            peers.extend(self.entity(entity)?);
        }
        for network in items(list("CIDR")) {
            peers.push(self.network(network, &[])?);
        }
        for entry in items(list("CIDRSet")) {
            if let Some(network) = entry.get("cidr") {
                peers.push(self.network(network, items(entry.get("except")))?);
            }
        }
        peers.extend(
            items(list("FQDNs"))
                .iter()
                .filter_map(name_pattern)
                .map(Peer::Name),
        );
        peers.extend(
            items(list("Services"))
                .iter()
                .filter_map(|s| self.service(s)),
        );
        Ok(Peers::Of(peers))
    }

    fn selector(&self, node: &Node) -> Result<Selector, Refusal> {
        Selector::of_cilium(node).or_else(|reason| self.refuse(node, reason))
    }

    /// A peer's selector. Without a namespace it means the policy's own, or any for a clusterwide policy.
    fn peer_selector(&self, node: &Node) -> Result<Selector, Refusal> {
        let selector = self.selector(node)?;
        if selector.is_reserved() || selector.names_namespace() {
            return Ok(selector);
        }
        Ok(match self.resource.namespace() {
            "" => selector.with_key(NAMESPACE),
            _ if selector.names_namespace_labels() => selector,
            namespace => selector.in_namespace(namespace),
        })
    }

    fn entity(&self, node: &Node) -> Result<Vec<Peer>, Refusal> {
        let name = node.scalar_text().unwrap_or_default();
        if !ENTITIES.contains(&name) {
            return self.refuse(node, format!("`{name}` is no entity"));
        }
        let reserved = |key: &&str| Peer::Labels(Selector::reserved(key));
        let everything = |text| Peer::Network {
            network: Network::parse(text).expect("it is a network"),
            except: Vec::new(),
        };
        Ok(match name {
            "all" => vec![Peer::Labels(Selector::everything())],
            "world-ipv4" => vec![everything("0.0.0.0/0")],
            "world-ipv6" => vec![everything("::/0")],
            "cluster" => [
                "host",
                "remote-node",
                "init",
                "ingress",
                "health",
                "unmanaged",
                "kube-apiserver",
            ]
            .iter()
            .map(reserved)
            .chain([Peer::Labels(Selector::pods())])
            .collect(),
            other => vec![reserved(&other)],
        })
    }

    fn network(&self, node: &Node, except: &[Node]) -> Result<Peer, Refusal> {
        let parse = |node: &Node| {
            let text = node.scalar_text().unwrap_or_default();
            Network::parse(text).map_or_else(
                || self.refuse(node, format!("`{text}` is no IP network")),
                Ok,
            )
        };
        Ok(Peer::Network {
            network: parse(node)?,
            except: except.iter().map(parse).collect::<Result<_, _>>()?,
        })
    }

    fn service(&self, node: &Node) -> Option<Peer> {
        let service = node.get("k8sService")?;
        let text = |key| service.get(key).and_then(Node::scalar_text);
        Some(Peer::Service {
            name: text("serviceName")?.to_owned(),
            namespace: text("namespace")
                .unwrap_or(self.resource.namespace())
                .to_owned(),
        })
    }

    fn port(&self, node: &Node) -> Result<Port, Refusal> {
        let text = node
            .get("port")
            .and_then(Node::scalar_text)
            .unwrap_or_default();
        let protocol = match node.get("protocol").and_then(Node::scalar_text) {
            None | Some("" | "ANY") => None,
            Some(name) => match Protocol::parse(name) {
                Some(protocol) => Some(protocol),
                None => return self.refuse(node, format!("`{name}` is no protocol")),
            },
        };
        let number = match text.parse::<u16>() {
            Ok(first) => {
                let end = node.get("endPort").and_then(Node::scalar_text);
                let last = end.and_then(|t| t.parse().ok()).unwrap_or(first).max(first);
                Number::Between(first, last)
            }
            Err(_) if is_service_name(text) => Number::Named(text.to_ascii_lowercase()),
            Err(_) => return self.refuse(node, format!("`{text}` is no port")),
        };
        Ok(Port { number, protocol })
    }
}

fn name_pattern(node: &Node) -> Option<NamePattern> {
    let pattern = node.get("matchName").or_else(|| node.get("matchPattern"))?;
    pattern.scalar_text().map(NamePattern::new)
}

/// An IANA service name: up to 15 letters, digits and dashes, at least one a letter.
fn is_service_name(text: &str) -> bool {
    text.len() <= 15
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}
