//! Prints an analysis.

mod html;
mod json;
mod table;

pub use html::html;
pub use json::json;
pub use table::table;

use super::endpoint::{Endpoint, Role};
use super::evaluate::{DecidedBy, Mode};
use super::{Analysis, NeededFlow};
use crate::cilium::Direction;
use crate::cilium::FlowVerdict as Passing;

/// What becomes of a flow, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReportedVerdict {
    /// A rule allows it.
    Allowed,
    /// No policy has a say.
    Open,
    /// It passes now, and would be dropped once the policies enforce.
    Endangered,
    /// It cannot be known.
    Unknown,
    /// It is dropped.
    Dropped,
}

impl ReportedVerdict {
    const ALL: [Self; 5] = [
        Self::Dropped,
        Self::Endangered,
        Self::Unknown,
        Self::Open,
        Self::Allowed,
    ];

    fn of(analysis: &Analysis, need: &NeededFlow) -> Self {
        let now = analysis.verdict_on(need, Mode::AsWritten);
        let then = || analysis.verdict_on(need, Mode::AsEnforced).fate();
        match now.fate() {
            Passing::Denied => Self::Dropped,
            Passing::Unknown => Self::Unknown,
            Passing::Allowed if then() == Passing::Denied => Self::Endangered,
            Passing::Allowed if now.is_ungoverned() => Self::Open,
            Passing::Allowed => Self::Allowed,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Open => "open",
            Self::Endangered => "audit",
            Self::Unknown => "unknown",
            Self::Dropped => "dropped",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Allowed => "rules allow them",
            Self::Open => "no policy has a say in them",
            Self::Endangered => "they pass now, and enforce would drop them",
            Self::Unknown => "they depend on what is not known",
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
        shown.retain(|e| is_needed(e) || analysis.selecting(e).next().is_some());
        shown.truncate(MAX_SHOWN);
    }
    shown
}

/// What decides at one end, in words.
fn ground(ground: &DecidedBy, direction: Direction) -> String {
    let side = direction.as_str();
    match ground {
        DecidedBy::NoPod => String::new(),
        DecidedBy::Ungoverned => format!("{side} is open"),
        DecidedBy::Allowed(by) => format!("{} {}", by.id, by.rule),
        DecidedBy::Forbidden(by) => format!("denied by {} {}", by.id, by.rule),
        DecidedBy::DeniedByDefault(by) => format!("{side} denied by default by {}", by.id),
        DecidedBy::NameUnknown(by, why) => format!("{} {} goes by a name: {why}", by.id, by.rule),
        DecidedBy::Unknown(_, why) => format!("{side} depends on {why}"),
        DecidedBy::Elsewhere(_) => format!("{side} depends on where the other end is"),
    }
}

/// What decides on a needed flow: as it is, or as it would be where enforcing changes that.
fn reasons(analysis: &Analysis, need: &NeededFlow) -> Vec<String> {
    let mode = match ReportedVerdict::of(analysis, need) {
        ReportedVerdict::Endangered => Mode::AsEnforced,
        _ => Mode::AsWritten,
    };
    let verdict = analysis.verdict_on(need, mode);
    if analysis.endpoints[need.from].is_host() && verdict.passes() {
        return vec!["Cilium lets a node reach its own pods".to_owned()];
    }
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
    let governs = |mode| analysis.denies_by_default(endpoint, direction, mode);
    match (
        endpoint.is_pod(),
        governs(Mode::AsWritten),
        governs(Mode::AsEnforced),
    ) {
        (false, ..) => "no pod",
        (_, Some(true), _) => "denied by default",
        (_, None, _) => "unknown",
        (_, Some(false), Some(true)) => "audited",
        (_, Some(false), _) => "open",
    }
}
