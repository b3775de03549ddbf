//! Says which rule would let a flow through, and where to add it.

use super::NeededFlow;
use super::endpoint::{Endpoint, Role};
use super::evaluate::{By, DecidedBy};
use crate::cilium::Direction;
use crate::diagnostic::Place;

/// The label by which Cilium knows a pod's namespace.
const NAMESPACE: &str = "io.kubernetes.pod.namespace";

/// Why a flow is dropped at one end, and what to do.
pub(super) struct Advice {
    pub(super) place: Option<Place>,
    pub(super) reason: String,
    pub(super) what: String,
}

/// Labels that tell pods apart, best first: all of a set must be there.
const TELLING: &[&[&str]] = &[
    &["cnpg.io/cluster"],
    &["k8s-app"],
    &["app.kubernetes.io/managed-by", "app.kubernetes.io/instance"],
    &["app.kubernetes.io/name"],
    &["app"],
];

/// Advises on one end of a flow that does not pass there.
pub(super) fn of(
    need: &NeededFlow,
    direction: Direction,
    ground: &DecidedBy,
    from: &Endpoint,
    to: &Endpoint,
) -> Advice {
    let (subject, peer) = match direction {
        Direction::Egress => (from, to),
        Direction::Ingress => (to, from),
    };
    let side = direction.as_str();
    match ground {
        DecidedBy::Forbidden(policy) => Advice {
            place: policy.place.clone(),
            reason: format!(
                "{} denies it with {}, which no other rule outweighs",
                policy.id, policy.rule
            ),
            what: format!(
                "take {} out of {} of {}",
                peer.title(),
                policy.rule,
                policy.id
            ),
        },
        DecidedBy::NameUnknown(policy, _) => Advice {
            place: policy.place.clone(),
            reason: format!(
                "{} of {} allows it by name, and no rule lets the DNS proxy see names",
                policy.rule, policy.id
            ),
            what: format!(
                "add to the rule for port 53 of {}: rules: {{dns: [{{matchPattern: \"*\"}}]}}",
                policy.id
            ),
        },
        DecidedBy::DeniedByDefault(policy) | DecidedBy::Elsewhere(Some(policy)) => Advice {
            place: policy.place.clone(),
            reason: format!(
                "{} denies {side} of {} by default, and no rule allows it",
                policy.id,
                subject.title()
            ),
            what: addition(policy, direction, need, subject, peer),
        },
        // These pass; nobody asks for advice on them.
        DecidedBy::Ungoverned
        | DecidedBy::NoPod
        | DecidedBy::Allowed(_)
        | DecidedBy::Unknown(..)
        | DecidedBy::Elsewhere(None) => Advice {
            place: None,
            reason: format!("{side} of {} is open", subject.title()),
            what: "nothing is to be done".to_owned(),
        },
    }
}

/// The rule to add, as it is written in a policy of that kind.
fn addition(
    policy: &By,
    direction: Direction,
    need: &NeededFlow,
    subject: &Endpoint,
    peer: &Endpoint,
) -> String {
    let way = match direction {
        Direction::Ingress => "from",
        Direction::Egress => "to",
    };
    let is_cilium = !policy.is_kubernetes();
    let (port, protocol) = (need.port, need.protocol.as_str());
    let rule = if is_cilium {
        format!(
            "- {way}{}\n  toPorts: [{{ports: [{{port: \"{port}\", protocol: {protocol}}}]}}]",
            cilium_peer(subject, peer)
        )
    } else if peer.is_pod() {
        let namespace = format!(
            "namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {}}}}}",
            peer.namespace
        );
        let pods = format!(
            "podSelector: {{matchLabels: {{{}}}}}",
            labels(peer).join(", ")
        );
        format!(
            "- {way}: [{{{namespace}, {pods}}}]\n  ports: [{{port: {port}, protocol: {protocol}}}]"
        )
    } else {
        return format!(
            "add a CiliumNetworkPolicy for {} that allows it: a NetworkPolicy has no name for {} that Cilium knows",
            subject.title(),
            peer.title()
        );
    };
    let side = direction.as_str();
    if policy.is_specific {
        format!("add to {side} of {}:\n{rule}", policy.id)
    } else {
        // A rule there would be for every pod of the namespace.
        format!(
            "give {} a policy of its own with this {side} rule:\n{rule}",
            subject.title()
        )
    }
}

/// `Endpoints: […]`, `Entities: […]`, `FQDNs: […]` or `CIDR: […]`.
fn cilium_peer(subject: &Endpoint, peer: &Endpoint) -> String {
    if peer.is_pod() {
        let mut all = Vec::new();
        if peer.namespace != subject.namespace {
            all.push(format!("k8s:{}: {}", NAMESPACE, peer.namespace));
        }
        all.extend(labels(peer));
        return format!("Endpoints: [{{matchLabels: {{{}}}}}]", all.join(", "));
    }
    match (peer.role, &peer.dns_name, peer.address) {
        (Role::ApiServer, ..) => "Entities: [kube-apiserver]".to_owned(),
        (Role::RemoteNode, ..) => "Entities: [kube-apiserver, remote-node, host]".to_owned(),
        (_, Some(name), _) => format!("FQDNs: [{{matchName: {name}}}]"),
        (_, _, Some(address)) => format!("CIDR: [{address}]"),
        _ => "Entities: [remote-node, host]".to_owned(),
    }
}

/// The labels by which to select a pod.
fn labels(endpoint: &Endpoint) -> Vec<String> {
    let telling = TELLING
        .iter()
        .find(|keys| keys.iter().all(|k| endpoint.label(k).is_some()));
    match telling {
        Some(keys) => keys
            .iter()
            .map(|key| format!("{key}: {}", endpoint.label(key).unwrap_or_default()))
            .collect(),
        None => endpoint
            .own_labels()
            .map(|(key, value)| format!("{key}: {value}"))
            .collect(),
    }
}
