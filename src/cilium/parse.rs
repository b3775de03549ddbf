//! CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy become entries.
//!
//! Upstream: `pkg/k8s/apis/cilium.io/utils/utils.go` (ParseToCiliumRule and getEndpointSelector: where namespace and
//! cluster are added), `pkg/policy/utils/parserules.go` (RulesToPolicyEntries and mergeEndpointSelectors: one entry a
//! rule). The surprising parts, each pinned by the recorded cases: an empty list of endpoints, entities, CIDRs or nodes
//! is nobody, while an empty list of names, groups or services is as good as none, which with ports is everybody
//! (`empty-peers/*`, `services/*`); a `reserved:` key switches off what is added (`selectors/from-reserved-and-app`).

use super::auth::AuthType;
use super::cidr::Cidr;
use super::entry::{Action, Entry, Inspection, Level, Parser, Peers, PortRule};
use super::icmp;
use super::label::{
    CLUSTER, Keys, NAMESPACE, NAMESPACE_LABELS, Requirement, Source, Test, requirements,
};
use super::names::Pattern;
use super::options::Options;
use super::ports::{ANY, Numbers, PortKey, Protocol, is_service_name, parse_number};
use super::read::{field, items, list, text};
use super::selector::{Network, Selector, Whom};
use super::services::Services;
use super::verdict::Direction;
use crate::kube::Resource;
use crate::yaml::Node;

/// Reads the rules of one object.
pub(super) struct RuleParser<'p> {
    pub(super) policy: usize,
    pub(super) resource: &'p Resource,
    /// None for a clusterwide policy.
    pub(super) namespace: Option<&'p str>,
    pub(super) options: &'p Options,
    pub(super) services: &'p Services,
}

/// The lists of rules: their field, direction and action.
const LISTS: [(&str, Direction, Action); 4] = [
    ("ingress", Direction::Ingress, Action::Allow),
    ("ingressDeny", Direction::Ingress, Action::Deny),
    ("egress", Direction::Egress, Action::Allow),
    ("egressDeny", Direction::Egress, Action::Deny),
];

impl RuleParser<'_> {
    /// The entries of one `spec`.
    pub(super) fn entries(&self, spec: &Node, path: &str) -> Vec<Entry> {
        let node_selector = field(spec, "nodeSelector");
        let subject = match (field(spec, "endpointSelector"), node_selector) {
            (Some(node), _) => self.subject(node),
            (None, Some(node)) => Selector::Labels(requirements(node, "", Keys::WithSource)),
            (None, None) => return Vec::new(),
        };
        let matches_init = field(spec, "endpointSelector").is_some_and(selects_init);
        let mut entries = Vec::new();
        for (name, direction, action) in LISTS {
            for (index, rule) in items(spec, name).iter().enumerate() {
                entries.push(Entry {
                    policy: self.policy,
                    path: format!("{path}.{name}[{index}]"),
                    place: self.resource.place_of(rule),
                    direction,
                    level: Level::NORMAL,
                    action,
                    namespace: self.namespace.map(str::to_owned),
                    subject: subject.clone(),
                    on_nodes: node_selector.is_some(),
                    default_deny: self.default_deny(spec, direction),
                    peers: self.peers(rule, direction, action, matches_init),
                    ports: self.ports(rule, action),
                    auth: field(rule, "authentication")
                        .filter(|_| action == Action::Allow)
                        .and_then(|a| AuthType::parse(text(a, "mode")?)),
                });
            }
        }
        entries
    }

    /// The endpoints: those of the own namespace, which replaces one that is written with `k8s:`.
    fn subject(&self, node: &Node) -> Selector {
        let mut all = requirements(node, "", Keys::WithSource);
        if let Some(namespace) = self.namespace {
            let is_replaced = |r: &Requirement| {
                let by_label = matches!(r.test, Test::In(_));
                by_label && r.source == Some(Source::Kubernetes) && r.key == NAMESPACE
            };
            let labels = field(node, "matchLabels")
                .and_then(Node::as_mapping)
                .map_or(0, crate::yaml::Mapping::len);
            let mut position = 0;
            all.retain(|r| {
                position += 1;
                position > labels || !is_replaced(r)
            });
            all.push(Requirement::is(NAMESPACE, namespace));
        }
        Selector::Labels(sorted(all))
    }

    fn default_deny(&self, spec: &Node, direction: Direction) -> bool {
        let switch = field(spec, "enableDefaultDeny").and_then(|s| field(s, direction.as_str()));
        switch.and_then(Node::as_bool).unwrap_or(true) || !self.options.non_default_deny
    }

    fn peers(
        &self,
        rule: &Node,
        direction: Direction,
        action: Action,
        matches_init: bool,
    ) -> Peers {
        let way = match direction {
            Direction::Ingress => "from",
            Direction::Egress => "to",
        };
        let get = |kind: &str| list(rule, &format!("{way}{kind}"));
        let (endpoints, nodes, entities) = (get("Endpoints"), get("Nodes"), get("Entities"));
        let (cidrs, sets) = (get("CIDR"), get("CIDRSet"));
        let resolved = match (direction, action) {
            (Direction::Egress, Action::Allow) => self.services.resolve(items(rule, "toServices")),
            _ => super::services::Resolved::default(),
        };
        let endpoints_are_added = !resolved.endpoints.is_empty();
        let addresses_are_added = !resolved.addresses.is_empty() || resolved.api_server;
        let is_empty = |found: Option<&[Node]>| found.is_some_and(<[Node]>::is_empty);
        if (is_empty(endpoints) && !endpoints_are_added)
            || is_empty(nodes)
            || is_empty(entities)
            || is_empty(cidrs)
            || (is_empty(sets) && !addresses_are_added)
        {
            return Peers::Nobody;
        }
        if get("Groups").is_some_and(|groups| !groups.is_empty()) || resolved.doubtful {
            return Peers::Unknown;
        }
        let mut all: Vec<Selector> = Vec::new();
        for node in endpoints.unwrap_or_default() {
            all.push(self.endpoints(requirements(node, "", Keys::WithSource), node, matches_init));
        }
        for generated in resolved.endpoints {
            all.push(Selector::Labels(sorted(self.in_cluster(generated))));
        }
        for node in nodes.unwrap_or_default() {
            let mut own = requirements(node, "", Keys::WithSource);
            own.push(Requirement::reserved("remote-node"));
            all.push(Selector::Labels(sorted(self.in_cluster(own))));
        }
        for name in entities
            .unwrap_or_default()
            .iter()
            .filter_map(Node::scalar_text)
        {
            all.extend(Selector::entity(
                name,
                &self.options.cluster_name,
                self.options.ipv6,
            ));
        }
        all.extend(cidrs.unwrap_or_default().iter().filter_map(cidr));
        all.extend(sets.unwrap_or_default().iter().filter_map(cidr_rule));
        all.extend(resolved.addresses.into_iter().map(Selector::network));
        all.extend(
            resolved
                .api_server
                .then_some(Selector::Perhaps(Whom::ApiServer)),
        );
        if action == Action::Allow {
            all.extend(
                items(rule, "toFQDNs")
                    .iter()
                    .filter_map(name_pattern)
                    .map(Selector::Names),
            );
        }
        Peers::Of(all)
    }

    /// What `fromEndpoints` and `toEndpoints` select, with namespace and cluster where they name none.
    fn endpoints(&self, mut own: Vec<Requirement>, node: &Node, matches_init: bool) -> Selector {
        let has_reserved = keys(node).any(|key| key.starts_with("reserved:"));
        if has_reserved {
            return Selector::Labels(sorted(own));
        }
        let names_labels = |r: &Requirement| {
            matches!(r.source, None | Some(Source::Kubernetes))
                && r.key.starts_with(NAMESPACE_LABELS)
        };
        let names_namespace = own.iter().any(Requirement::names_namespace);
        match self.namespace {
            _ if names_namespace => {}
            None if matches_init => {}
            None => own.push(Requirement::new(
                Some(Source::Kubernetes),
                NAMESPACE,
                Test::Exists,
            )),
            Some(_) if own.iter().any(names_labels) => {}
            Some(namespace) => own.push(Requirement::is(NAMESPACE, namespace)),
        }
        Selector::Labels(sorted(self.in_cluster(own)))
    }

    fn in_cluster(&self, mut own: Vec<Requirement>) -> Vec<Requirement> {
        let names_cluster = |r: &Requirement| {
            matches!(r.source, None | Some(Source::Kubernetes)) && r.key == CLUSTER
        };
        if let Some(cluster) = self.options.local_cluster()
            && !own.iter().any(names_cluster)
        {
            own.push(Requirement::is(CLUSTER, cluster));
        }
        own
    }

    fn ports(&self, rule: &Node, action: Action) -> Vec<PortRule> {
        let ports = items(rule, "toPorts").iter().map(|node| PortRule {
            ports: items(node, "ports").iter().flat_map(port_keys).collect(),
            inspection: match action {
                Action::Allow => self.inspection(node),
                Action::Deny | Action::Pass => Inspection::default(),
            },
        });
        let icmps = items(rule, "icmps").iter().map(|node| PortRule {
            ports: items(node, "fields").iter().filter_map(icmp_key).collect(),
            inspection: Inspection::default(),
        });
        ports.chain(icmps).collect()
    }

    fn inspection(&self, node: &Node) -> Inspection {
        let rules = field(node, "rules");
        let dns: Vec<Pattern> = rules
            .map_or(&[][..], |r| items(r, "dns"))
            .iter()
            .filter_map(name_pattern)
            .collect();
        let http = rules.is_some_and(|r| !items(r, "http").is_empty());
        let server_names = !items(node, "serverNames").is_empty();
        let secret = |name| field(node, name).map(|tls| format!("{tls:?}"));
        let (terminating, originating) = (secret("terminatingTLS"), secret("originatingTLS"));
        let listener = field(node, "listener");
        let parser = match () {
            () if listener.is_some() => Parser::Listener,
            () if !dns.is_empty() => Parser::Dns,
            () if http => Parser::Http,
            () if server_names || terminating.is_some() || originating.is_some() => Parser::Tls,
            () => Parser::None,
        };
        let kind = listener.and_then(|l| text(field(l, "envoyConfig")?, "kind"));
        Inspection {
            parser,
            dns,
            http,
            server_names,
            terminating,
            originating,
            listener: listener.map(|l| self.listener(l)),
            in_namespace: kind == Some("CiliumEnvoyConfig"),
        }
    }

    fn listener(&self, node: &Node) -> (String, i64) {
        let config = field(node, "envoyConfig");
        let of_config = |key| config.and_then(|c| text(c, key)).unwrap_or_default();
        let namespace = match of_config("kind") {
            "CiliumClusterwideEnvoyConfig" => "",
            _ => self.namespace.unwrap_or_default(),
        };
        let name = format!(
            "{namespace}/{}/{}",
            of_config("name"),
            text(node, "name").unwrap_or_default()
        );
        let priority = text(node, "priority")
            .and_then(|t| t.parse().ok())
            .unwrap_or(0);
        (name, if priority == 0 { 126 } else { priority })
    }
}

/// Requirements in an order of their own, so that selectors that ask the same are the same.
pub(super) fn sorted(mut all: Vec<Requirement>) -> Vec<Requirement> {
    all.sort();
    all.dedup();
    all
}

/// The keys of a selector as they are written.
fn keys(node: &Node) -> impl Iterator<Item = &str> {
    let labels = field(node, "matchLabels").and_then(Node::as_mapping);
    let expressions = items(node, "matchExpressions")
        .iter()
        .filter_map(|e| text(e, "key"));
    labels
        .into_iter()
        .flat_map(|m| m.iter().map(|(key, _)| key))
        .chain(expressions)
}

/// Whether a selector is about pods that have no labels yet.
fn selects_init(node: &Node) -> bool {
    keys(node).any(|key| key == "reserved:init")
}

fn cidr(node: &Node) -> Option<Selector> {
    let text = node.scalar_text()?;
    let host = || text.parse().ok().map(Cidr::host);
    Cidr::parse(text).or_else(host).map(Selector::network)
}

/// An item of `fromCIDRSet`, or an `ipBlock`.
pub(super) fn cidr_rule(node: &Node) -> Option<Selector> {
    let except = items(node, "except")
        .iter()
        .filter_map(|e| Cidr::parse(e.scalar_text()?))
        .collect();
    let network = match (
        text(node, "cidr"),
        text(node, "cidrGroupRef"),
        field(node, "cidrGroupSelector"),
    ) {
        (Some(text), ..) => Network::Cidr(Cidr::parse(text)?),
        (None, Some(name), _) => Network::Group(name.to_owned()),
        (None, None, Some(labels)) => Network::GroupLabels(of_groups(labels)),
        (None, None, None) => return None,
    };
    Some(Selector::Network(network, except))
}

/// Requirements on labels of a CIDR group.
fn of_groups(node: &Node) -> Vec<Requirement> {
    sorted(requirements(node, "", Keys::Groups))
}

/// A `matchName` or `matchPattern`.
pub(super) fn name_pattern(node: &Node) -> Option<Pattern> {
    let name = text(node, "matchName").map(Pattern::name);
    name.or_else(|| text(node, "matchPattern").map(Pattern::with_stars))
}

fn icmp_key(node: &Node) -> Option<PortKey> {
    let protocol = match text(node, "family") {
        Some("IPv6") => Protocol::IcmpV6,
        _ => Protocol::Icmp,
    };
    let kind = icmp::parse(text(node, "type")?, protocol)?;
    Some(PortKey {
        protocol: Some(protocol),
        numbers: Numbers::range(kind, kind),
    })
}

/// A port of a rule: one key for each protocol that it is about.
pub(super) fn port_keys(node: &Node) -> Vec<PortKey> {
    let written = text(node, "port").unwrap_or_default();
    let numbers = if is_service_name(written) {
        Numbers::Named(written.to_ascii_lowercase())
    } else {
        let first = parse_number(written).unwrap_or(0);
        let last = text(node, "endPort")
            .and_then(|t| t.parse().ok())
            .unwrap_or(0);
        Numbers::range(first, last)
    };
    let protocols = text(node, "protocol").and_then(Protocol::parse);
    let one = protocols.as_ref().map(std::slice::from_ref);
    let keys = one.unwrap_or(&ANY).iter();
    keys.map(|protocol| PortKey {
        protocol: Some(*protocol),
        numbers: numbers.clone(),
    })
    .collect()
}
