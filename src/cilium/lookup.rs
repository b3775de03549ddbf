//! What the rows of an endpoint say to a flow.
//!
//! Upstream: `pkg/policy/mapstate.go` (insertWithChanges, insertWithPasses, lookup). The policy map of Cilium is built so
//! that the entry that a packet finds is the one of the highest precedence: tier, then priority, then denials, then what
//! is allowed; a Pass leaves the flow to the next tier. The rows are walked in that order instead, for 64 peers at once.
//! What is doubtful is walked twice, once in favour of the flow and once against it: a verdict holds where both agree.

use std::collections::BTreeMap;

use super::auth::{AuthType, Candidate, required};
use super::endpoint::{EndpointPolicy, Row, RowPeers, Sets, Side, Sure};
use super::entry::{Action, Entry, Parser, Tier};
use super::identity::{Identity, Unknown};
use super::options::Options;
use super::ports::{NamedPort, Numbers, Protocol};
use super::repository::Policy;
use super::verdict::{Direction, End, Flow, FlowVerdict, State};

/// The peers that a flow surely passes to, and those to which it is surely dropped, as bits of one word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) allowed: u64,
    pub(super) denied: u64,
}

/// What lookups need beside the policy of the endpoint.
#[derive(Debug)]
pub(super) struct Lookup<'w> {
    pub(super) identities: &'w [Identity],
    pub(super) sets: &'w Sets,
    pub(super) entries: &'w [Entry],
    pub(super) policies: &'w [Policy],
    pub(super) options: &'w Options,
    /// The nodes that pods run on.
    pub(super) hosts: &'w [u64],
    /// The identities that call a port so.
    pub(super) named: &'w BTreeMap<(String, Protocol, u16), Vec<u64>>,
    /// The identities whose ports nobody knows.
    pub(super) portless: &'w [u64],
}

/// One of the two walks.
#[derive(Debug, Clone, Copy)]
struct Walk {
    undecided: u64,
    passed: u64,
    /// What was decided as this walk hopes for.
    reached: u64,
}

impl Walk {
    const START: Self = Self {
        undecided: u64::MAX,
        passed: 0,
        reached: 0,
    };

    fn open(&self) -> u64 {
        self.undecided & !self.passed
    }
}

impl Lookup<'_> {
    /// Decides on the peers of one word.
    pub(super) fn decide(
        &self,
        policy: &EndpointPolicy,
        direction: Direction,
        flow: Flow,
        word: usize,
    ) -> Decision {
        let side = policy.side(direction);
        if policy.contradiction.is_some() {
            return Decision::default();
        }
        // `against` counts what allows only where it is sure, `favour` what denies.
        let (mut against, mut favour, mut vague) = (Walk::START, Walk::START, 0_u64);
        let mut tier = Tier::Admin;
        for row in &side.rows {
            if row.level.tier != tier {
                tier = row.level.tier;
                against.passed = 0;
                favour.passed = 0;
            }
            let (sure, possible) = self.bits(row, direction, &policy.ports, flow, word);
            if possible == 0 {
                continue;
            }
            match row.action {
                Action::Deny => {
                    against.undecided &= !(against.open() & possible);
                    favour.reached |= favour.open() & sure;
                    favour.undecided &= !(favour.open() & sure);
                }
                Action::Allow => {
                    against.reached |= against.open() & sure;
                    against.undecided &= !(against.open() & sure);
                    favour.undecided &= !(favour.open() & possible);
                }
                Action::Pass => {
                    vague |= (against.open() | favour.open()) & possible & !sure;
                    against.passed |= against.open() & sure;
                    favour.passed |= favour.open() & sure;
                }
            }
        }
        let hosts = self.own_nodes(side, direction, word);
        against.reached |= against.undecided & hosts;
        favour.undecided &= !hosts;
        if side.default_deny == Sure::No {
            against.reached |= against.undecided;
        }
        if side.default_deny == Sure::Yes {
            favour.reached |= favour.undecided & !hosts;
        }
        Decision {
            allowed: against.reached & !vague,
            denied: favour.reached & !vague,
        }
    }

    /// The nodes that reach the endpoint, whatever allows it.
    fn own_nodes(&self, side: &Side, direction: Direction, word: usize) -> u64 {
        match direction {
            Direction::Ingress if side.admits_node && self.options.allow_localhost => {
                self.hosts[word]
            }
            _ => 0,
        }
    }

    /// The peers of one word that a row is surely about, and those that it may be about.
    fn bits(
        &self,
        row: &Row,
        direction: Direction,
        own: &[NamedPort],
        flow: Flow,
        word: usize,
    ) -> (u64, u64) {
        let (ports, possible_ports) = self.by_port(row, direction, own, flow, word);
        if possible_ports == 0 {
            return (0, 0);
        }
        let (sure, possible) = match row.peers {
            RowPeers::Everybody => (u64::MAX, u64::MAX),
            RowPeers::Set(set) => {
                let set = self.sets.get(set);
                (set.sure[word], set.possible[word])
            }
            RowPeers::Unknown => (0, u64::MAX),
        };
        let sure = if row.doubt.is_some() { 0 } else { sure & ports };
        (sure, possible & possible_ports)
    }

    fn by_port(
        &self,
        row: &Row,
        direction: Direction,
        own: &[NamedPort],
        flow: Flow,
        word: usize,
    ) -> (u64, u64) {
        let all_or_none = |holds: bool| if holds { (u64::MAX, u64::MAX) } else { (0, 0) };
        match (&row.key.protocol, &row.key.numbers) {
            (None, _) => (u64::MAX, u64::MAX),
            (Some(protocol), _) if *protocol != flow.protocol => (0, 0),
            (Some(_), Numbers::Between(first, last)) => {
                all_or_none((*first..=*last).contains(&flow.port))
            }
            (Some(protocol), Numbers::Named(name)) if direction == Direction::Ingress => {
                let is_it =
                    |p: &NamedPort| p.protocol == *protocol && p.name.eq_ignore_ascii_case(name);
                all_or_none(
                    own.iter()
                        .find(|p| is_it(p))
                        .is_some_and(|p| p.number == flow.port),
                )
            }
            (Some(protocol), Numbers::Named(name)) => {
                let found = self.named.get(&(name.clone(), *protocol, flow.port));
                let sure = found.map_or(0, |bits| bits[word]);
                (sure, sure | self.portless[word])
            }
        }
    }

    /// Decides on one peer, and says by which rules.
    pub(super) fn end(
        &self,
        policy: &EndpointPolicy,
        direction: Direction,
        flow: Flow,
        peer: usize,
    ) -> End {
        if let Some(reason) = &policy.contradiction {
            return End {
                why: Some(format!("its policies contradict each other: {reason}")),
                ..End::plain(State::Contradiction)
            };
        }
        let side = policy.side(direction);
        if side.enforced == Sure::No {
            return End::plain(State::Open);
        }
        let (word, bit) = (peer / 64, 1_u64 << (peer % 64));
        let decision = self.decide(policy, direction, flow, word);
        let fate = match (decision.allowed & bit != 0, decision.denied & bit != 0) {
            (true, _) => FlowVerdict::Allowed,
            (false, true) => FlowVerdict::Denied,
            (false, false) => return self.doubtful(policy, direction, flow, peer),
        };
        let end = self.decisive(policy, direction, flow, peer);
        let needs_handshake = matches!(
            end.state,
            State::NeedsAuthentication | State::AuthenticationFails
        );
        if end.state.fate() == fate || needs_handshake {
            return end;
        }
        // What is doubtful does not matter, and another rule than the first sure one may decide.
        End::plain(if fate == FlowVerdict::Allowed {
            State::Allowed
        } else {
            State::DeniedByDefault
        })
    }

    fn is_sure(
        &self,
        row: &Row,
        policy: &EndpointPolicy,
        direction: Direction,
        flow: Flow,
        peer: usize,
    ) -> bool {
        self.bits(row, direction, &policy.ports, flow, peer / 64).0 & (1 << (peer % 64)) != 0
    }

    /// The sure rows of the level that decides on a peer, and what they do.
    pub(super) fn deciding<'p>(
        &self,
        policy: &'p EndpointPolicy,
        direction: Direction,
        flow: Flow,
        peer: usize,
    ) -> (Option<Action>, Vec<&'p Row>) {
        let rows = &policy.side(direction).rows;
        let mut passed = None;
        let mut at = 0;
        while at < rows.len() {
            let (level, action) = (rows[at].level, rows[at].action);
            let end = at
                + rows[at..]
                    .iter()
                    .take_while(|r| (r.level, r.action) == (level, action))
                    .count();
            let own = rows[at..end].iter();
            at = end;
            if passed == Some(level.tier) {
                continue;
            }
            let found: Vec<&Row> = own
                .filter(|r| self.is_sure(r, policy, direction, flow, peer))
                .collect();
            match (found.is_empty(), action) {
                (true, _) => {}
                (false, Action::Pass) => passed = Some(level.tier),
                (false, action) => return (Some(action), found),
            }
        }
        (None, Vec::new())
    }

    fn decisive(
        &self,
        policy: &EndpointPolicy,
        direction: Direction,
        flow: Flow,
        peer: usize,
    ) -> End {
        let side = policy.side(direction);
        let (action, rows) = self.deciding(policy, direction, flow, peer);
        let bit = 1_u64 << (peer % 64);
        let state = match action {
            Some(Action::Deny) => State::DeniedByRule,
            Some(Action::Allow | Action::Pass) => self.allowed(side, &rows, flow),
            None if side.default_deny == Sure::No => State::Open,
            None if self.own_nodes(side, direction, peer / 64) & bit != 0 => State::OwnNode,
            None => return self.by(State::DeniedByDefault, side.deniers.iter().copied(), false),
        };
        self.by(state, rows.iter().map(|r| r.entry), true)
    }

    fn allowed(&self, side: &Side, rows: &[&Row], flow: Flow) -> State {
        let is_proxied = rows.iter().any(|r| r.parser != Parser::None);
        let passes = if is_proxied {
            State::Proxied
        } else {
            State::Allowed
        };
        if !side.has_auth {
            return passes;
        }
        let candidates: Vec<Candidate> = rows.iter().map(|r| candidate(r, flow)).collect();
        match required(&candidates) {
            AuthType::Disabled => passes,
            AuthType::Required => State::NeedsAuthentication,
            AuthType::AlwaysFails => State::AuthenticationFails,
        }
    }

    /// An end with the policies of entries.
    fn by(&self, state: State, entries: impl Iterator<Item = usize>, with_rule: bool) -> End {
        let entries: Vec<usize> = entries.collect();
        let mut by: Vec<String> = entries
            .iter()
            .map(|e| self.policies[self.entries[*e].policy].id.clone())
            .collect();
        by.sort();
        by.dedup();
        let first = entries.first().map(|e| &self.entries[*e]);
        End {
            by,
            rule: first.filter(|_| with_rule).map(|e| e.path.clone()),
            place: first.and_then(|e| e.place.clone()),
            why: (state == State::NeedsAuthentication)
                .then(|| "whether mutual authentication is set up between the two".to_owned()),
            ..End::plain(state)
        }
    }

    /// An end that depends on what is not known, with the first row that does.
    fn doubtful(
        &self,
        policy: &EndpointPolicy,
        direction: Direction,
        flow: Flow,
        peer: usize,
    ) -> End {
        let bit = 1_u64 << (peer % 64);
        let side = policy.side(direction);
        for row in &side.rows {
            let (sure, possible) = self.bits(row, direction, &policy.ports, flow, peer / 64);
            if possible & bit != 0 && sure & bit == 0 {
                let entry = &self.entries[row.entry];
                let (why, is_about_place) = self.reason(row, entry, peer);
                return End {
                    why: Some(why),
                    is_about_place,
                    ..self.by(State::Unknown, std::iter::once(row.entry), true)
                };
            }
        }
        let doubt = side.doubt.unwrap_or(Unknown::OwnLabels);
        End {
            why: Some(doubt.reason("the endpoint")),
            ..self.by(State::Unknown, side.deniers.iter().copied(), false)
        }
    }

    fn reason(&self, row: &Row, entry: &Entry, peer: usize) -> (String, bool) {
        if let Some(doubt) = row.doubt {
            return (doubt.reason("the endpoint"), doubt == Unknown::Place);
        }
        if row.peers == RowPeers::Unknown {
            return (Unknown::Groups.reason(""), false);
        }
        let identity = &self.identities[peer];
        let super::entry::Peers::Of(selectors) = &entry.peers else {
            return (Unknown::Groups.reason(""), false);
        };
        let maybe = selectors
            .iter()
            .find_map(|s| match s.matches(identity, self.options.ipv6) {
                super::selector::Match::Maybe(unknown) => Some(unknown),
                _ => None,
            });
        match maybe {
            Some(unknown) => (unknown.reason(&identity.title), unknown == Unknown::Place),
            None => (
                format!("the names of the ports of {}", identity.title),
                false,
            ),
        }
    }
}

/// A row as an entry of the policy map.
fn candidate(row: &Row, flow: Flow) -> Candidate {
    let rank = match row.parser {
        Parser::None => 0,
        Parser::Listener => 1,
        Parser::Dns => 2,
        Parser::Tls => 3,
        Parser::Http => 4,
    };
    Candidate {
        specific: row.peers != RowPeers::Everybody,
        prefix: row.key.prefix(flow.port),
        rank,
        auth: row.auth,
    }
}
