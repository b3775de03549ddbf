//! Decides what may flow between two endpoints under a set of policies.

use super::endpoint::Endpoint;
use super::policy::{Direction, Peers, Policy, Rule};
use super::ports::{PortSet, Protocol};

/// Whether policies are taken as they are, or as if those that only audit enforced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// As they are written.
    #[default]
    AsWritten,
    /// As if `enableDefaultDeny` were not switched off, but in policies that select a whole namespace or
    /// cluster: those only add what is allowed.
    AsEnforced,
}

/// What decides on a flow at one of its ends.
#[derive(Debug, Clone, Copy)]
pub enum Ground<'p> {
    /// No policy denies by default there, and none denies this.
    Ungoverned,
    /// It is no pod, or the node of the pod itself.
    NoPod,
    /// A rule allows it: the policy, and the rule's path.
    Allowed(&'p Policy, &'p str),
    /// A rule denies it: the policy, and the rule's path.
    Forbidden(&'p Policy, &'p str),
    /// The policy denies by default, and no rule of any policy allows it.
    DeniedByDefault(&'p Policy),
    /// A rule would allow it by a name that the DNS proxy never learns.
    NameUnknown(&'p Policy, &'p str),
}

impl Ground<'_> {
    /// Whether packets pass.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Ungoverned | Self::NoPod | Self::Allowed(..))
    }
}

/// What becomes of a flow: the ground at each end.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'p> {
    /// At the end that connects.
    pub egress: Ground<'p>,
    /// At the end that is connected to.
    pub ingress: Ground<'p>,
}

impl Verdict<'_> {
    /// Whether packets pass at both ends.
    pub fn passes(&self) -> bool {
        self.egress.passes() && self.ingress.passes()
    }

    /// Whether no policy has a say in it.
    pub fn is_ungoverned(&self) -> bool {
        let is_open = |g: &Ground<'_>| matches!(g, Ground::Ungoverned | Ground::NoPod);
        is_open(&self.egress) && is_open(&self.ingress)
    }
}

/// Decides on one flow.
pub(super) fn verdict<'p>(
    policies: &'p [Policy],
    from: &Endpoint,
    to: &Endpoint,
    protocol: Protocol,
    port: u16,
    mode: Mode,
) -> Verdict<'p> {
    let judge = |direction| End::new(policies, from, to, direction, mode).ground(protocol, port);
    Verdict {
        egress: judge(Direction::Egress),
        ingress: judge(Direction::Ingress),
    }
}

/// Every port on which `from` may reach `to`.
pub(super) fn open_ports(
    policies: &[Policy],
    from: &Endpoint,
    to: &Endpoint,
    mode: Mode,
) -> PortSet {
    let open = |direction| End::new(policies, from, to, direction, mode).open();
    open(Direction::Egress).intersection(&open(Direction::Ingress))
}

/// The policies that deny an endpoint by default, in one direction.
pub(super) fn governing<'p>(
    policies: &'p [Policy],
    endpoint: &Endpoint,
    direction: Direction,
    mode: Mode,
) -> Vec<&'p Policy> {
    policies
        .iter()
        .filter(|p| {
            endpoint.is_pod()
                && p.subject.matches(&endpoint.labels)
                && denies_by_default(p, direction, mode)
        })
        .collect()
}

fn denies_by_default(policy: &Policy, direction: Direction, mode: Mode) -> bool {
    let side = policy.side(direction);
    side.default_deny || (mode == Mode::AsEnforced && side.audit && policy.is_specific)
}

/// One end of a flow: the policies that select it, and the other end.
struct End<'p, 'e> {
    policies: Vec<&'p Policy>,
    peer: &'e Endpoint,
    destination: &'e Endpoint,
    direction: Direction,
    mode: Mode,
    is_governable: bool,
}

impl<'p, 'e> End<'p, 'e> {
    fn new(
        policies: &'p [Policy],
        from: &'e Endpoint,
        to: &'e Endpoint,
        direction: Direction,
        mode: Mode,
    ) -> Self {
        let (subject, peer) = match direction {
            Direction::Egress => (from, to),
            Direction::Ingress => (to, from),
        };
        // Cilium lets a node reach its own pods, for the kubelet's probes.
        let is_own_node = direction == Direction::Ingress && peer.is_host();
        let is_governable = subject.is_pod() && !is_own_node;
        let policies = policies
            .iter()
            .filter(|p| is_governable && p.subject.matches(&subject.labels))
            .collect();
        Self {
            policies,
            peer,
            destination: to,
            direction,
            mode,
            is_governable,
        }
    }

    fn ground(&self, protocol: Protocol, port: u16) -> Ground<'p> {
        if !self.is_governable {
            return Ground::NoPod;
        }
        let is_about = |rule: &Rule, includes: fn(&Peers, &Endpoint) -> bool| {
            includes(&rule.peers, self.peer)
                && rule
                    .ports
                    .numbers(self.destination)
                    .contains(protocol, port)
        };
        if let Some((policy, rule)) = self
            .rules(true)
            .find(|(_, r)| is_about(r, Peers::include_surely))
        {
            return Ground::Forbidden(policy, &rule.path);
        }
        let mut by_name = None;
        for (policy, rule) in self
            .rules(false)
            .filter(|(_, r)| is_about(r, Peers::include))
        {
            if self.knows(rule) {
                return Ground::Allowed(policy, &rule.path);
            }
            by_name = by_name.or(Some((policy, rule)));
        }
        match (self.denier(), by_name) {
            (None, _) => Ground::Ungoverned,
            (Some(_), Some((policy, rule))) => Ground::NameUnknown(policy, &rule.path),
            (Some(policy), None) => Ground::DeniedByDefault(policy),
        }
    }

    fn open(&self) -> PortSet {
        let union = |deny: bool| {
            self.rules(deny)
                .filter(|(_, r)| match deny {
                    true => r.peers.include_surely(self.peer),
                    false => r.peers.include(self.peer) && self.knows(r),
                })
                .fold(PortSet::default(), |set, (_, r)| {
                    set.union(&r.ports.numbers(self.destination))
                })
        };
        let open = if self.is_governable && self.denier().is_some() {
            union(false)
        } else {
            PortSet::all()
        };
        open.without(&union(true))
    }

    /// The policy that denies by default; of several the one that is about this pod rather than about all.
    fn denier(&self) -> Option<&'p Policy> {
        let policies = self.policies.iter().copied();
        let mut denying = policies.filter(|p| denies_by_default(p, self.direction, self.mode));
        let first = denying.next()?;
        if first.is_specific {
            return Some(first);
        }
        Some(denying.find(|p| p.is_specific).unwrap_or(first))
    }

    fn rules(&self, deny: bool) -> impl Iterator<Item = (&'p Policy, &'p Rule)> {
        let direction = self.direction;
        self.policies.iter().copied().flat_map(move |policy| {
            let side = policy.side(direction);
            let rules = if deny { &side.deny } else { &side.allow };
            rules.iter().map(move |rule| (policy, rule))
        })
    }

    /// Whether a rule that goes by names is of use: the DNS proxy must see the answer.
    fn knows(&self, rule: &Rule) -> bool {
        if !rule.peers.include_by_name_only(self.peer) {
            return true;
        }
        let Some(name) = self.peer.dns_name.as_deref() else {
            return true;
        };
        self.rules(false)
            .any(|(_, r)| r.dns.iter().any(|pattern| pattern.matches(name)))
    }
}
