//! Prints an analysis.

mod html;
mod json;
mod table;

pub use html::html;
pub use json::json;
pub use table::table;

use super::endpoint::{Endpoint, Role};
use super::evaluate::{Ground, Mode};
use super::policy::Direction;
use super::{Analysis, NeededFlow};

/// What becomes of a flow, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// A rule allows it.
    Allowed,
    /// No policy has a say.
    Open,
    /// It passes now, and would be dropped once the policies enforce.
    Endangered,
    /// It is dropped.
    Dropped,
}

impl Fate {
    const ALL: [Self; 4] = [Self::Dropped, Self::Endangered, Self::Open, Self::Allowed];

    fn of(analysis: &Analysis, need: &NeededFlow) -> Self {
        let now = analysis.verdict_on(need, Mode::AsWritten);
        if !now.passes() {
            Self::Dropped
        } else if !analysis.verdict_on(need, Mode::AsEnforced).passes() {
            Self::Endangered
        } else if now.is_ungoverned() {
            Self::Open
        } else {
            Self::Allowed
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Open => "open",
            Self::Endangered => "audit",
            Self::Dropped => "dropped",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Allowed => "rules allow them",
            Self::Open => "no policy has a say in them",
            Self::Endangered => "they pass now, and enforce would drop them",
            Self::Dropped => "policies drop them",
        }
    }
}

/// How many endpoints are held against each other; the pairs grow with the square.
const MAX_SHOWN: usize = 60;

/// The endpoints that are worth holding against each other: those that CloudNativePG or a policy is about,
/// and what is no pod; everyone, where that is few.
fn shown(analysis: &Analysis) -> Vec<&Endpoint> {
    let mut shown: Vec<&Endpoint> = analysis.endpoints.iter().collect();
    if shown.len() > MAX_SHOWN {
        let is_needed = |e: &Endpoint| e.role != Role::Workload;
        shown.retain(|e| is_needed(e) || analysis.policies.iter().any(|p| p.selects(e)));
        shown.truncate(MAX_SHOWN);
    }
    shown
}

/// What decides at one end, in words.
fn ground(ground: &Ground<'_>, direction: Direction) -> String {
    let side = direction.as_str();
    match ground {
        Ground::NoPod => String::new(),
        Ground::Ungoverned => format!("{side} is open"),
        Ground::Allowed(policy, rule) => format!("{} {rule}", policy.id),
        Ground::Forbidden(policy, rule) => format!("denied by {} {rule}", policy.id),
        Ground::DeniedByDefault(policy) => format!("{side} denied by default by {}", policy.id),
        Ground::NameUnknown(policy, rule) => {
            format!(
                "{} {rule} goes by a name that the DNS proxy never sees",
                policy.id
            )
        }
    }
}

/// What decides on a needed flow: as it is, or as it would be where enforcing changes that.
fn reasons(analysis: &Analysis, need: &NeededFlow) -> Vec<String> {
    let mode = match Fate::of(analysis, need) {
        Fate::Endangered => Mode::AsEnforced,
        _ => Mode::AsWritten,
    };
    if analysis.endpoints[need.from].is_host() {
        return vec!["Cilium lets a node reach its own pods".to_owned()];
    }
    let verdict = analysis.verdict_on(need, mode);
    [
        (verdict.egress, Direction::Egress),
        (verdict.ingress, Direction::Ingress),
    ]
    .iter()
    .map(|(end, direction)| ground(end, *direction))
    .filter(|text| !text.is_empty())
    .collect()
}

/// Whether policies deny a pod by default in one direction.
fn posture(analysis: &Analysis, endpoint: usize, direction: Direction) -> &'static str {
    let endpoint = &analysis.endpoints[endpoint];
    let governs = |mode| !analysis.governing(endpoint, direction, mode).is_empty();
    match (
        endpoint.is_pod(),
        governs(Mode::AsWritten),
        governs(Mode::AsEnforced),
    ) {
        (false, ..) => "no pod",
        (_, true, _) => "denied by default",
        (_, false, true) => "audited",
        (_, false, false) => "open",
    }
}
