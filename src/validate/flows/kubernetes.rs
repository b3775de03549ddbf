//! `NetworkPolicy` of `networking.k8s.io`, as Cilium enforces it.

use super::cilium::Refusal;
use super::label::{NAMESPACE_LABELS, Selector, items};
use super::network::Network;
use super::policy::{Number, Peer, Peers, Policy, Port, Ports, Rule, Side};
use super::ports::Protocol;
use crate::kube::Resource;
use crate::yaml::Node;

/// The kind that this file reads.
pub(super) const KIND: &str = "NetworkPolicy";

/// Reads a policy.
pub(super) fn read(resource: &Resource) -> Result<Policy, Refusal> {
    let empty = Node::mapping();
    let spec = resource.node().get("spec").unwrap_or(&empty);
    let reader = Reader { resource };
    let own = reader.selector(spec.get("podSelector").unwrap_or(&empty), "")?;
    let is_specific = !own.is_everything();
    // Without types a policy is about ingress, and about egress when it has a rule for it.
    let types = items(spec.get("policyTypes"));
    let is_about = |name: &str, otherwise: bool| {
        if types.is_empty() {
            otherwise
        } else {
            types.iter().any(|t| t.scalar_text() == Some(name))
        }
    };
    let has_egress = !items(spec.get("egress")).is_empty();
    Ok(Policy {
        id: resource.id().to_string(),
        place: resource.place(),
        subject: own.in_namespace(reader.namespace()),
        is_specific,
        ingress: reader.side(spec, ["ingress", "from"], is_about("Ingress", true))?,
        egress: reader.side(spec, ["egress", "to"], is_about("Egress", has_egress))?,
    })
}

struct Reader<'r> {
    resource: &'r Resource,
}

impl Reader<'_> {
    fn namespace(&self) -> &str {
        self.resource.effective_namespace()
    }

    fn selector(&self, node: &Node, prefix: &str) -> Result<Selector, Refusal> {
        Selector::of_kubernetes(node, prefix).map_err(|reason| Refusal {
            reason,
            place: self.resource.place_of(node),
        })
    }

    fn side(&self, spec: &Node, [field, way]: [&str; 2], applies: bool) -> Result<Side, Refusal> {
        let mut side = Side {
            default_deny: applies,
            ..Side::default()
        };
        if applies {
            for (index, node) in items(spec.get(field)).iter().enumerate() {
                side.allow
                    .push(self.rule(format!("spec.{field}[{index}]"), node, way)?);
            }
        }
        Ok(side)
    }

    fn rule(&self, path: String, node: &Node, way: &str) -> Result<Rule, Refusal> {
        let peers = items(node.get(way));
        let ports = items(node.get("ports"));
        let peers = match peers {
            [] => Peers::Everyone,
            peers => Peers::Of(
                peers
                    .iter()
                    .map(|p| self.peer(p))
                    .collect::<Result<_, _>>()?,
            ),
        };
        let ports = match ports {
            [] => Ports::Every,
            ports => Ports::Of(ports.iter().map(port).collect()),
        };
        Ok(Rule {
            path,
            peers,
            ports,
            dns: Vec::new(),
        })
    }

    fn peer(&self, node: &Node) -> Result<Peer, Refusal> {
        if let Some(block) = node.get("ipBlock") {
            return self.block(block);
        }
        let pods = node
            .get("podSelector")
            .map(|p| self.selector(p, ""))
            .transpose()?;
        let namespaces = node
            .get("namespaceSelector")
            .map(|n| self.selector(n, NAMESPACE_LABELS))
            .transpose()?;
        Ok(Peer::Labels(match (pods, namespaces) {
            (pods, Some(namespaces)) => Selector::pods()
                .and(namespaces)
                .and(pods.unwrap_or_default()),
            (pods, None) => pods.unwrap_or_default().in_namespace(self.namespace()),
        }))
    }

    fn block(&self, node: &Node) -> Result<Peer, Refusal> {
        let parse = |node: &Node| {
            let text = node.scalar_text().unwrap_or_default();
            Network::parse(text).ok_or_else(|| Refusal {
                reason: format!("`{text}` is no IP network"),
                place: self.resource.place_of(node),
            })
        };
        let empty = Node::null();
        Ok(Peer::Network {
            network: parse(node.get("cidr").unwrap_or(&empty))?,
            except: items(node.get("except"))
                .iter()
                .map(parse)
                .collect::<Result<_, _>>()?,
        })
    }
}

/// A port; without a number every port of the protocol, which is TCP when it is not said.
fn port(node: &Node) -> Port {
    let text = |key| node.get(key).and_then(Node::scalar_text);
    let protocol = text("protocol")
        .and_then(Protocol::parse)
        .unwrap_or(Protocol::Tcp);
    let number = match text("port") {
        None => Number::Between(0, 0),
        Some(name) => name.parse::<u16>().map_or_else(
            |_| Number::Named(name.to_owned()),
            |first| {
                let last = text("endPort")
                    .and_then(|t| t.parse().ok())
                    .unwrap_or(first);
                Number::Between(first, last.max(first))
            },
        ),
    };
    Port {
        number,
        protocol: Some(protocol),
    }
}
