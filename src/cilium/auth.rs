//! Mutual authentication.
//!
//! Upstream: `pkg/policy/types/auth.go`, and `authPreferredInsert` and `lookup` of `pkg/policy/mapstate.go`. A rule
//! that says nothing takes the requirement of a broader one.

/// What a rule asks of the peers, from the weakest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AuthType {
    /// Nothing, in so many words.
    Disabled,
    /// A handshake.
    Required,
    /// What never works: a mode for tests.
    AlwaysFails,
}

impl AuthType {
    /// Reads a mode.
    pub(super) fn parse(mode: &str) -> Option<Self> {
        match mode {
            "disabled" => Some(Self::Disabled),
            "required" => Some(Self::Required),
            "test-always-fail" => Some(Self::AlwaysFails),
            _ => None,
        }
    }
}

/// An entry of the policy map that allows a flow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// Whether it is for the peer, not for everybody.
    pub(super) specific: bool,
    /// How many bits of protocol and port it fixes.
    pub(super) prefix: u8,
    /// The rank of what looks into the traffic; higher ones win.
    pub(super) rank: u8,
    pub(super) auth: Option<AuthType>,
}

/// What is asked of a flow that entries of one level allow.
pub(super) fn required(candidates: &[Candidate]) -> AuthType {
    let of = |specific: bool| {
        let side: Vec<_> = candidates
            .iter()
            .filter(|c| c.specific == specific)
            .copied()
            .collect();
        most_specific(&merged(side))
    };
    let chosen = match (of(true), of(false)) {
        (Some(peer), Some(every)) if every.rank > peer.rank => override_by(every, None),
        (Some(peer), Some(every)) if peer.rank > every.rank => override_by(peer, None),
        (Some(peer), Some(every)) if every.prefix > peer.prefix => override_by(every, Some(peer)),
        (Some(peer), every) => override_by(peer, every),
        (None, Some(every)) => override_by(every, None),
        (None, None) => None,
    };
    chosen.unwrap_or(AuthType::Disabled)
}

fn override_by(entry: Candidate, other: Option<Candidate>) -> Option<AuthType> {
    let own = entry.auth;
    own.or_else(|| other.and_then(|o| o.auth))
}

/// Entries with the same key are one: what is said wins over what is not, and the stronger over the weaker.
fn merged(mut side: Vec<Candidate>) -> Vec<Candidate> {
    side.sort_by_key(|c| std::cmp::Reverse((c.prefix, c.rank, c.auth)));
    let mut all: Vec<Candidate> = Vec::new();
    for one in side {
        match all.last_mut().filter(|last| last.prefix == one.prefix) {
            Some(last) => last.auth = last.auth.max(one.auth),
            None => all.push(one),
        }
    }
    all
}

/// The entry with the longest prefix that no broader one of a higher rank covers; it takes what a broader one asks.
fn most_specific(side: &[Candidate]) -> Option<Candidate> {
    let best = |c: &Candidate| {
        side.iter()
            .filter(|o| o.prefix <= c.prefix)
            .map(|o| o.rank)
            .max()
    };
    let mut chosen = *side
        .iter()
        .find(|c| c.auth.is_some() || Some(c.rank) >= best(c))?;
    chosen.rank = best(&chosen).unwrap_or(chosen.rank);
    if chosen.auth.is_none() {
        let broader = side.iter().filter(|o| o.prefix < chosen.prefix);
        chosen.auth = broader.filter_map(|o| o.auth).next();
    }
    Some(chosen)
}
