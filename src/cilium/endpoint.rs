//! The policy of an endpoint: the entries that select it, as rows.
//!
//! Upstream: `computePolicyEnforcementAndRules` of `pkg/policy/repository.go` (when an endpoint is denied by default),
//! `mergeL4Filter` of `pkg/policy/rule.go` (what a rule without peers or ports is), `pkg/policy/distillery.go`. One policy
//! is made for all endpoints that the same entries select and that name the same ports.

use std::collections::BTreeMap;

use super::auth::AuthType;
use super::conflict;
use super::entry::{Action, Entry, Inspection, Level, Parser, Peers, PortRule};
use super::identity::{Identity, Kind, Unknown};
use super::options::{Enforcement, Options};
use super::ports::{NamedPort, PortKey};
use super::selector::{Match, Selector};
use super::verdict::Direction;

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sure {
    No,
    Maybe,
    Yes,
}

/// The peers of a row: a set of identities, or all there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowPeers {
    Everybody,
    /// By its position in [`Sets`].
    Set(usize),
    /// Perhaps anybody.
    Unknown,
}

/// One rule for one port, on one endpoint.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) level: Level,
    pub(super) action: Action,
    pub(super) peers: RowPeers,
    pub(super) key: PortKey,
    /// Why the entry may not select the endpoint; `None` where it surely does.
    pub(super) doubt: Option<Unknown>,
    /// The entry, by its position.
    pub(super) entry: usize,
    pub(super) parser: Parser,
    pub(super) auth: Option<AuthType>,
    /// The rule that it comes from, by its position in the entry.
    pub(super) rule: Option<usize>,
}

/// What holds for one direction of an endpoint.
#[derive(Debug, Clone)]
pub(super) struct Side {
    /// Whether any policy has a say.
    pub(super) enforced: Sure,
    /// Whether what no row allows is dropped.
    pub(super) default_deny: Sure,
    /// In the order in which they count.
    pub(super) rows: Vec<Row>,
    pub(super) has_auth: bool,
    /// The entries that deny by default.
    pub(super) deniers: Vec<usize>,
    /// Why it may not be denied by default.
    pub(super) doubt: Option<Unknown>,
    /// Whether the node reaches it by a rule that Cilium adds.
    pub(super) admits_node: bool,
}

/// What holds for an endpoint.
#[derive(Debug)]
pub(super) struct EndpointPolicy {
    pub(super) ingress: Side,
    pub(super) egress: Side,
    /// Why it cannot be computed.
    pub(super) contradiction: Option<String>,
    pub(super) ports: Vec<NamedPort>,
}

impl EndpointPolicy {
    pub(super) fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }
}

/// Which identities selectors select, as sets of bits.
#[derive(Debug, Default)]
pub(super) struct Sets {
    selectors: BTreeMap<Selector, usize>,
    unions: BTreeMap<Vec<usize>, usize>,
    all: Vec<Set>,
    words: usize,
}

/// The identities that are selected, and those that perhaps are.
#[derive(Debug, Clone)]
pub(super) struct Set {
    pub(super) sure: Vec<u64>,
    /// Those that are sure among them.
    pub(super) possible: Vec<u64>,
}

impl Set {
    fn empty(words: usize) -> Self {
        Self {
            sure: vec![0; words],
            possible: vec![0; words],
        }
    }
}

impl Sets {
    /// Builds the sets over the identities.
    pub(super) fn new(identities: usize) -> Self {
        Self {
            words: identities.div_ceil(64).max(1),
            ..Self::default()
        }
    }

    /// How many words of 64 identities a set has.
    pub(super) fn words(&self) -> usize {
        self.words
    }

    /// A set by its position.
    pub(super) fn get(&self, set: usize) -> &Set {
        &self.all[set]
    }

    /// The set of a selector.
    pub(super) fn of(&mut self, selector: &Selector, world: &Members<'_>) -> usize {
        if let Some(found) = self.selectors.get(selector) {
            return *found;
        }
        let mut set = Set::empty(self.words);
        for index in world.candidates(selector) {
            let bit = 1_u64 << (index % 64);
            match selector.matches(&world.identities[index], world.ipv6) {
                Match::Yes => {
                    set.sure[index / 64] |= bit;
                    set.possible[index / 64] |= bit;
                }
                Match::Maybe(_) => set.possible[index / 64] |= bit,
                Match::No => {}
            }
        }
        world.set_guesses_apart(&mut set);
        self.all.push(set);
        self.selectors.insert(selector.clone(), self.all.len() - 1);
        self.all.len() - 1
    }

    /// The set of several selectors.
    pub(super) fn union(&mut self, selectors: &[Selector], world: &Members<'_>) -> usize {
        let mut parts: Vec<usize> = selectors.iter().map(|s| self.of(s, world)).collect();
        parts.sort_unstable();
        parts.dedup();
        if let [one] = parts.as_slice() {
            return *one;
        }
        if let Some(found) = self.unions.get(&parts) {
            return *found;
        }
        let mut set = Set::empty(self.words);
        for part in &parts {
            let own = &self.all[*part];
            for word in 0..self.words {
                set.sure[word] |= own.sure[word];
                set.possible[word] |= own.possible[word];
            }
        }
        self.all.push(set);
        self.unions.insert(parts, self.all.len() - 1);
        self.all.len() - 1
    }
}

/// The identities, and those of each namespace.
#[derive(Debug)]
pub(super) struct Members<'w> {
    pub(super) identities: &'w [Identity],
    pub(super) by_namespace: &'w BTreeMap<String, Vec<usize>>,
    pub(super) ipv6: bool,
}

impl Members<'_> {
    /// A selector that means pods that are known does not mean those whose place is a guess.
    fn set_guesses_apart(&self, set: &mut Set) {
        let is_guess = |i: &Identity| i.unknown.contains(&Unknown::Place);
        let bits = |word: usize, bits: u64| {
            (0..64)
                .filter(move |b| bits >> b & 1 == 1)
                .map(move |b| word * 64 + b)
        };
        let sure = set
            .sure
            .iter()
            .enumerate()
            .flat_map(|(word, b)| bits(word, *b));
        let means_known = sure.into_iter().any(|at| {
            let identity = &self.identities[at];
            identity.kind == Kind::Pod && !is_guess(identity)
        });
        if means_known {
            let possible = set.possible.clone();
            for at in possible
                .iter()
                .enumerate()
                .flat_map(|(word, b)| bits(word, *b))
            {
                if is_guess(&self.identities[at]) {
                    let bit = 1_u64 << (at % 64);
                    set.possible[at / 64] &= !bit | set.sure[at / 64];
                }
            }
        }
    }

    /// Those that a selector may select.
    fn candidates(&self, selector: &Selector) -> Vec<usize> {
        match selector.namespaces() {
            Some(names) => {
                let found = names
                    .iter()
                    .filter_map(|n| self.by_namespace.get(n.as_str()));
                found.flatten().copied().collect()
            }
            None => (0..self.identities.len()).collect(),
        }
    }
}

/// The entries that select an endpoint: their position, and why they may not.
pub(super) type Selected = Vec<(usize, Option<Unknown>)>;

/// Builds the policy of the endpoints that the same entries select.
pub(super) fn build(
    identity: &Identity,
    selected: &Selected,
    entries: &[Entry],
    options: &Options,
    peers_of: &mut dyn FnMut(usize) -> RowPeers,
) -> EndpointPolicy {
    let of = |direction| -> Selected {
        let all = selected.iter().copied();
        all.filter(|(e, _)| entries[*e].direction == direction)
            .collect()
    };
    let (ingress, egress) = (of(Direction::Ingress), of(Direction::Egress));
    let is_off = options.enforcement == Enforcement::Never;
    let has_namespace = identity.namespace.is_some();
    let clash =
        |side: &Selected| conflict::find(side.iter().map(|(e, _)| &entries[*e]), has_namespace);
    let contradiction = if is_off {
        None
    } else {
        clash(&ingress).or_else(|| clash(&egress))
    };
    EndpointPolicy {
        ingress: side(identity, &ingress, entries, options, peers_of),
        egress: side(identity, &egress, entries, options, peers_of),
        contradiction,
        ports: identity.ports.clone(),
    }
}

fn side(
    identity: &Identity,
    selected: &Selected,
    entries: &[Entry],
    options: &Options,
    peers_of: &mut dyn FnMut(usize) -> RowPeers,
) -> Side {
    if options.enforcement == Enforcement::Never {
        return Side {
            enforced: Sure::No,
            default_deny: Sure::No,
            rows: Vec::new(),
            has_auth: false,
            deniers: Vec::new(),
            doubt: None,
            admits_node: false,
        };
    }
    let always = options.enforcement == Enforcement::Always
        || (identity.kind == Kind::OfCilium && identity.is_reserved("init"));
    let sure_of = |all: &mut dyn Iterator<Item = &(usize, Option<Unknown>)>| {
        let sureness = all.map(|(_, doubt)| {
            if doubt.is_none() {
                Sure::Yes
            } else {
                Sure::Maybe
            }
        });
        sureness.max().unwrap_or(Sure::No)
    };
    let mut denying = selected.iter().filter(|(e, _)| entries[*e].default_deny);
    let deniers = denying.clone().map(|(e, _)| *e).collect();
    let doubt = denying.clone().find_map(|(_, doubt)| *doubt);
    let mut rows: Vec<Row> = Vec::new();
    for (index, doubt) in selected {
        add_rows(&mut rows, *index, *doubt, &entries[*index], peers_of);
    }
    rows.sort_by_key(|r| (r.level, r.action));
    Side {
        enforced: if always {
            Sure::Yes
        } else {
            sure_of(&mut selected.iter())
        },
        default_deny: if always {
            Sure::Yes
        } else {
            sure_of(&mut denying)
        },
        has_auth: rows.iter().any(|r| r.auth.is_some()),
        rows,
        deniers,
        doubt,
        // Cilium adds the rule to those that select the endpoint, and adds it to none.
        admits_node: identity.kind != Kind::Host
            && (!always || selected.iter().any(|(_, doubt)| doubt.is_none())),
    }
}

fn add_rows(
    rows: &mut Vec<Row>,
    index: usize,
    doubt: Option<Unknown>,
    entry: &Entry,
    peers_of: &mut dyn FnMut(usize) -> RowPeers,
) {
    let peers = match &entry.peers {
        Peers::Nobody => return,
        Peers::Of(all) if all.is_empty() && entry.ports.is_empty() => return,
        Peers::Of(all) if all.is_empty() => RowPeers::Everybody,
        Peers::Of(_) => peers_of(index),
        Peers::Unknown => RowPeers::Unknown,
    };
    let mut add = |key: PortKey, rule: Option<usize>, inspection: &Inspection| {
        rows.push(Row {
            level: entry.level,
            action: entry.action,
            peers,
            key,
            doubt,
            entry: index,
            parser: inspection.parser,
            auth: entry.auth,
            rule,
        });
    };
    if entry.ports.is_empty() {
        add(PortKey::EVERYTHING, None, &Inspection::default());
    }
    for (at, rule) in entry.ports.iter().enumerate() {
        let PortRule { ports, inspection } = rule;
        for key in ports {
            add(key.clone(), Some(at), inspection);
        }
    }
}
