//! Selectors: which identities a rule is about.
//!
//! Upstream: `pkg/policy/types/selector.go` (LabelSelector, CIDRSelector, FQDNSelector), `pkg/policy/api/entity.go`.
//! Differs on purpose: what is not known of an identity makes a selector doubtful ([`Match::Maybe`]).

use super::cidr::Cidr;
use super::identity::{Identity, Unknown};
use super::label::{CIDR_GROUP_NAME, CLUSTER, Label, Requirement, Source, Test, lies_within};
use super::names::Pattern;

/// The names that `fromEntities` and `toEntities` may hold.
pub(super) const ENTITIES: [&str; 12] = [
    "all",
    "world",
    "cluster",
    "cluster-mesh",
    "host",
    "init",
    "ingress",
    "unmanaged",
    "remote-node",
    "health",
    "none",
    "kube-apiserver",
];

/// What `cluster` is beside the pods of the cluster.
const OF_THE_CLUSTER: [&str; 7] = [
    "host",
    "remote-node",
    "init",
    "ingress",
    "health",
    "unmanaged",
    "kube-apiserver",
];

/// Whether a selector selects an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    Yes,
    No,
    /// It depends on this.
    Maybe(Unknown),
}

/// A selector of identities. Two that are equal share the rules of a port, as in Cilium.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Selector {
    /// By labels; no requirement selects everything.
    Labels(Vec<Requirement>),
    /// By address: in the network or groups, and in none of the exceptions.
    Network(Network, Vec<Cidr>),
    /// By the names that an address was learned for.
    Names(Pattern),
    /// What cannot be known.
    Perhaps(Whom),
}

/// Whom a selector may select that nobody can be sure of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whom {
    /// Every pod, by a fault of Cilium 1.20.
    Pods,
    /// The API server, where it is outside of the cluster.
    ApiServer,
}

/// A network, or groups of networks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Network {
    Cidr(Cidr),
    Group(String),
    GroupLabels(Vec<Requirement>),
}

impl Selector {
    /// Selects everything.
    pub(super) fn everything() -> Self {
        Self::Labels(Vec::new())
    }

    /// Whether it selects everything, whatever is known.
    pub(super) fn is_everything(&self) -> bool {
        matches!(self, Self::Labels(requirements) if requirements.is_empty())
    }

    /// Selects one network.
    pub(super) fn network(cidr: Cidr) -> Self {
        Self::Network(Network::Cidr(cidr), Vec::new())
    }

    /// The selectors of an entity; `cluster` is the name of the own one.
    pub(super) fn entity(name: &str, cluster: &str, ipv6: bool) -> Vec<Self> {
        let reserved = |key: &str| Self::Labels(vec![Requirement::reserved(key)]);
        let all_of = |own: Requirement| {
            let others = OF_THE_CLUSTER.iter().map(|key| reserved(key));
            others.chain([Self::Labels(vec![own])]).collect()
        };
        match name {
            "all" => vec![Self::everything()],
            "world" if ipv6 => ["world", "world-ipv4", "world-ipv6"].map(reserved).into(),
            "cluster" => all_of(Requirement::is(CLUSTER, cluster)),
            "cluster-mesh" => all_of(Requirement::new(
                Some(Source::Kubernetes),
                CLUSTER,
                Test::Exists,
            )),
            other => vec![reserved(other)],
        }
    }

    /// Whether it selects by more than a namespace.
    pub(super) fn is_specific(&self) -> bool {
        match self {
            Self::Labels(requirements) => requirements.iter().any(|r| !r.names_namespace()),
            Self::Network(..) | Self::Names(_) | Self::Perhaps(_) => true,
        }
    }

    /// The namespaces outside of which it selects nothing.
    pub(super) fn namespaces(&self) -> Option<&[compact_str::CompactString]> {
        let Self::Labels(requirements) = self else {
            return None;
        };
        requirements.iter().find_map(|r| match &r.test {
            Test::In(values) if r.names_namespace() => Some(&**values),
            _ => None,
        })
    }

    /// The networks that it names.
    pub(super) fn networks(&self) -> impl Iterator<Item = Cidr> + '_ {
        let (own, except) = match self {
            Self::Network(network, except) => match network {
                Network::Cidr(cidr) => (Some(*cidr), except.as_slice()),
                Network::Group(_) | Network::GroupLabels(_) => (None, except.as_slice()),
            },
            Self::Labels(_) | Self::Names(_) | Self::Perhaps(_) => (None, [].as_slice()),
        };
        own.into_iter().chain(except.iter().copied())
    }

    /// Whether it selects an identity.
    pub(super) fn matches(&self, identity: &Identity, ipv6: bool) -> Match {
        match self {
            Self::Labels(requirements) => all(requirements.iter().map(|r| meets(r, identity))),
            Self::Network(network, except) => by_address(network, except, identity, ipv6),
            Self::Perhaps(Whom::Pods) if identity.namespace.is_some() => {
                Match::Maybe(Unknown::Fault)
            }
            Self::Perhaps(Whom::ApiServer) if identity.is_reserved("kube-apiserver") => {
                Match::Maybe(Unknown::ApiServer)
            }
            Self::Perhaps(_) => Match::No,
            Self::Names(pattern) => {
                let key = pattern.as_str();
                let has = |l: &Label| l.source == Source::Fqdn && l.key == key;
                if identity.labels.iter().any(has) {
                    Match::Yes
                } else {
                    Match::No
                }
            }
        }
    }
}

/// All of them, as doubtful as the most doubtful.
fn all(matches: impl Iterator<Item = Match>) -> Match {
    let mut result = Match::Yes;
    for one in matches {
        match one {
            Match::No => return Match::No,
            Match::Maybe(_) => result = one,
            Match::Yes => {}
        }
    }
    result
}

fn sure(matches: bool) -> Match {
    if matches { Match::Yes } else { Match::No }
}

/// Whether an identity meets a requirement, as far as its labels are known.
fn meets(requirement: &Requirement, identity: &Identity) -> Match {
    for unknown in &identity.unknown {
        let concerned = match unknown {
            Unknown::OwnLabels => requirement.names_own_label(),
            Unknown::NamespaceLabels => requirement.names_namespace_label(),
            Unknown::NodeLabels => requirement.names_node_label(),
            Unknown::Place => requirement.names_pod(),
            Unknown::Which => identity.varying.iter().any(|key| *key == requirement.key),
            Unknown::Cluster => {
                requirement.key == CLUSTER && !requirement.matches(&identity.labels)
            }
            Unknown::ApiServer => requirement.names_place(),
            Unknown::Address | Unknown::Groups | Unknown::Fault => false,
        };
        // A guess that is met is as good as known.
        let is_met = *unknown == Unknown::Place && requirement.matches(&identity.labels);
        if concerned && !is_met {
            return Match::Maybe(*unknown);
        }
    }
    sure(requirement.matches(&identity.labels))
}

fn by_address(network: &Network, except: &[Cidr], identity: &Identity, ipv6: bool) -> Match {
    let is_beyond = |l: &Label| match l.source {
        Source::Cidr => true,
        Source::Reserved => l.key.starts_with("world"),
        _ => false,
    };
    if identity.unknown.contains(&Unknown::ApiServer) {
        return Match::Maybe(Unknown::ApiServer);
    }
    if !identity.labels.iter().any(is_beyond) {
        let selects_all = matches!(network, Network::GroupLabels(all) if all.is_empty());
        return if selects_all {
            Match::Maybe(Unknown::Fault)
        } else {
            Match::No
        };
    }
    let within = |cidr: &Cidr| identity.labels.iter().any(|l| lies_within(l, cidr, ipv6));
    let is_vague = identity.unknown.contains(&Unknown::Address);
    let doubtful = |found: bool| match (found, is_vague) {
        (true, _) => Match::Yes,
        (false, true) => Match::Maybe(Unknown::Address),
        (false, false) => Match::No,
    };
    let own = match network {
        Network::Cidr(cidr) => doubtful(within(cidr)),
        Network::Group(name) => {
            let named = |l: &Label| {
                l.source == Source::CidrGroup
                    && l.key.strip_prefix(CIDR_GROUP_NAME) == Some(&*format!("/{name}"))
            };
            doubtful(identity.labels.iter().any(named))
        }
        Network::GroupLabels(requirements) => {
            doubtful(requirements.iter().all(|r| r.matches(&identity.labels)))
        }
    };
    let exceptions = except.iter().map(|cidr| match doubtful(within(cidr)) {
        Match::Yes => Match::No,
        Match::No => Match::Yes,
        maybe @ Match::Maybe(_) => maybe,
    });
    all(std::iter::once(own).chain(exceptions))
}
