//! A network policy, of whichever kind, as what it asks for in each direction.

use std::net::IpAddr;

use super::endpoint::Endpoint;
use super::label::{NAMESPACE, Selector};
use super::network::{NamePattern, Network};
use super::ports::{PortSet, Protocol, Range};
use crate::diagnostic::Place;

/// The way a packet goes, as the endpoint sees it that a policy selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To the endpoint.
    Ingress,
    /// From the endpoint.
    Egress,
}

impl Direction {
    /// The other way.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Ingress => Self::Egress,
            Self::Egress => Self::Ingress,
        }
    }

    /// Its name, as policies write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// A policy that its host accepts.
#[derive(Debug, Clone)]
pub struct Policy {
    /// `Kind/namespace/name`.
    pub id: String,
    /// Where it is written.
    pub place: Option<Place>,
    pub(super) subject: Selector,
    /// Whether it selects by more than a namespace.
    pub(super) is_specific: bool,
    pub(super) ingress: Side,
    pub(super) egress: Side,
}

impl Policy {
    /// Whether it is about a pod.
    pub(in crate::validate) fn selects(&self, pod: &Endpoint) -> bool {
        pod.is_pod() && self.subject.matches(&pod.labels)
    }

    /// Whether it is a NetworkPolicy, which every network plugin reads in its way.
    pub(super) fn is_kubernetes(&self) -> bool {
        self.id.starts_with("NetworkPolicy/")
    }

    /// Whether a rule of it allows a port for somebody.
    pub(super) fn opens(
        &self,
        direction: Direction,
        protocol: Protocol,
        port: u16,
        to: &Endpoint,
    ) -> bool {
        let mut rules = self.side(direction).allow.iter();
        rules.any(|r| r.peers.are_places() && r.ports.numbers(to).contains(protocol, port))
    }

    /// Whether a rule of it allows addresses to be reached on a port.
    pub(super) fn opens_addresses(&self, protocol: Protocol, port: u16, to: &Endpoint) -> bool {
        let by_address = |peers: &Peers| match peers {
            Peers::Everyone => false,
            Peers::Of(peers) => peers.iter().any(|p| matches!(p, Peer::Network { .. })),
        };
        let rules = self.egress.allow.iter();
        let mut open = rules.filter(|r| by_address(&r.peers));
        open.any(|r| r.ports.numbers(to).contains(protocol, port))
    }

    /// Whether it would be about a pod if that were in its namespace.
    pub(in crate::validate) fn would_select(&self, pod: &Endpoint) -> bool {
        let namespace = self.id.split('/').nth(1).unwrap_or_default();
        let mut labels = pod.labels.clone();
        for label in labels.iter_mut().filter(|l| l.key == NAMESPACE) {
            namespace.clone_into(&mut label.value);
        }
        pod.is_pod() && self.subject.matches(&labels)
    }

    /// Whether it selects by more than a namespace.
    pub(in crate::validate) fn is_specific(&self) -> bool {
        self.is_specific
    }

    /// Whether it drops what no rule allows.
    pub(in crate::validate) fn enforces(&self, direction: Direction) -> bool {
        self.side(direction).default_deny
    }

    /// Whether it would, and was switched off by hand.
    pub(in crate::validate) fn audits(&self, direction: Direction) -> bool {
        self.side(direction).audit
    }

    /// Whether it drops what no rule allows because nothing says that it should not.
    pub(in crate::validate) fn enforces_unasked(&self, direction: Direction) -> bool {
        self.side(direction).default_deny && !self.side(direction).asked
    }

    pub(super) fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }
}

/// What a policy says of one direction.
#[derive(Debug, Clone, Default)]
pub(super) struct Side {
    /// Whether what no rule allows is dropped.
    pub(super) default_deny: bool,
    /// Whether that was switched off by hand.
    pub(super) audit: bool,
    /// Whether either was said by hand.
    pub(super) asked: bool,
    pub(super) allow: Vec<Rule>,
    pub(super) deny: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// Its path: `spec.egress[2]`.
    pub(super) path: String,
    pub(super) peers: Peers,
    pub(super) ports: Ports,
    /// The names that the rule lets through the DNS proxy, where it has `rules.dns`.
    pub(super) dns: Vec<NamePattern>,
}

/// Whom a rule is about.
#[derive(Debug, Clone)]
pub(super) enum Peers {
    /// Nothing is said: everyone.
    Everyone,
    /// Any of these; nobody when there is none.
    Of(Vec<Peer>),
}

/// One way to say whom a rule is about.
#[derive(Debug, Clone)]
pub(super) enum Peer {
    Labels(Selector),
    Network {
        network: Network,
        except: Vec<Network>,
    },
    Name(NamePattern),
    /// The pods behind a Service.
    Service {
        namespace: String,
        name: String,
    },
}

/// Which ports a rule is about.
#[derive(Debug, Clone)]
pub(super) enum Ports {
    Every,
    Of(Vec<Port>),
}

/// One port, or a range of them; no protocol means any.
#[derive(Debug, Clone)]
pub(super) struct Port {
    pub(super) number: Number,
    pub(super) protocol: Option<Protocol>,
}

/// A port by number or by name.
#[derive(Debug, Clone)]
pub(super) enum Number {
    Between(u16, u16),
    Named(String),
}

impl Peers {
    /// Whether pods or addresses are meant.
    pub(super) fn are_places(&self) -> bool {
        let is_place = |peer: &Peer| match peer {
            Peer::Labels(selector) => !selector.is_reserved(),
            Peer::Network { .. } | Peer::Service { .. } => true,
            Peer::Name(_) => false,
        };
        matches!(self, Self::Of(peers) if peers.iter().any(is_place))
    }

    /// Whether the peer is meant, or may be: a render does not show the labels of every pod.
    pub(super) fn include(&self, peer: &Endpoint) -> bool {
        match self {
            Self::Everyone => true,
            Self::Of(peers) => peers.iter().any(|p| p.is(peer) || p.may_be(peer)),
        }
    }

    /// Whether the peer is meant for sure, as it must be to be denied.
    pub(super) fn include_surely(&self, peer: &Endpoint) -> bool {
        match self {
            Self::Everyone => true,
            Self::Of(peers) => peers.iter().any(|p| p.is(peer)),
        }
    }

    /// Whether the peer is met by its name alone, which only the DNS proxy can tell.
    pub(super) fn include_by_name_only(&self, peer: &Endpoint) -> bool {
        match self {
            Self::Everyone => false,
            Self::Of(peers) => {
                let (names, others): (Vec<_>, Vec<_>) =
                    peers.iter().partition(|p| matches!(p, Peer::Name(_)));
                names.iter().any(|p| p.is(peer)) && !others.iter().any(|p| p.is(peer))
            }
        }
    }
}

impl Peer {
    fn may_be(&self, peer: &Endpoint) -> bool {
        matches!(self, Self::Labels(selector) if peer.has_guessed_labels && selector.may_match(&peer.labels))
    }

    fn is(&self, peer: &Endpoint) -> bool {
        match self {
            Self::Labels(selector) => selector.matches(&peer.labels),
            Self::Network { network, except } => is_within(network, except, peer),
            Self::Name(pattern) => peer.dns_name.as_deref().is_some_and(|n| pattern.matches(n)),
            Self::Service { namespace, name } => peer
                .services
                .iter()
                .any(|(ns, n)| ns == namespace && n == name),
        }
    }
}

/// Networks are about what lies beyond the cluster: Cilium knows pods and nodes by identity instead.
fn is_within(network: &Network, except: &[Network], peer: &Endpoint) -> bool {
    if !peer.is_world() {
        return false;
    }
    let holds =
        |address: IpAddr| network.contains(address) && !except.iter().any(|e| e.contains(address));
    match peer.address {
        Some(address) => holds(address),
        // The address behind a name is not known: only a network that leaves nothing out holds it.
        None => network.is_everything() && except.is_empty(),
    }
}

impl Ports {
    /// Whether it is said which.
    pub(super) fn are_named(&self) -> bool {
        matches!(self, Self::Of(_))
    }

    /// The ports in numbers; names are those of the endpoint that is connected to.
    pub(super) fn numbers(&self, destination: &Endpoint) -> PortSet {
        let Self::Of(ports) = self else {
            return PortSet::all();
        };
        PortSet::of(ports.iter().flat_map(|p| p.ranges(destination)).collect())
    }
}

impl Port {
    fn ranges(&self, destination: &Endpoint) -> Vec<Range> {
        let fits = |protocol: &Protocol| self.protocol.is_none_or(|p| p == *protocol);
        let range = |protocol, first, last| Range {
            protocol,
            first,
            last,
        };
        match &self.number {
            // Port 0 is every port.
            Number::Between(0, 0) => Protocol::ALL
                .into_iter()
                .filter(fits)
                .map(|p| range(p, 0, u16::MAX))
                .collect(),
            Number::Between(first, last) => Protocol::ALL
                .into_iter()
                .filter(fits)
                .map(|p| range(p, *first, *last))
                .collect(),
            Number::Named(name) => destination
                .ports
                .iter()
                .filter(|p| p.name == *name && fits(&p.protocol))
                .map(|p| range(p.protocol, p.number, p.number))
                .collect(),
        }
    }
}
