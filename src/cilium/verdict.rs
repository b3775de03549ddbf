//! What is said of a flow.

use super::ports::Protocol;
use crate::diagnostic::Place;

/// A direction of traffic, as seen from an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Into the endpoint.
    Ingress,
    /// Out of the endpoint.
    Egress,
}

impl Direction {
    /// As it is written in a policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Ingress => Self::Egress,
            Self::Egress => Self::Ingress,
        }
    }
}

/// What decides at one end of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It is not an endpoint that Cilium polices.
    NoEndpoint,
    /// No policy enforces here, and none denies.
    Open,
    /// A rule allows it.
    Allowed,
    /// A rule allows it through a proxy, which may refuse what it does not like.
    Proxied,
    /// The node reaches its own pods.
    OwnNode,
    /// A rule allows it after a handshake, which is not known to work.
    NeedsAuthentication,
    /// A rule denies it.
    DeniedByRule,
    /// Policies deny by default, and no rule allows it.
    DeniedByDefault,
    /// A rule allows it after a handshake that never works.
    AuthenticationFails,
    /// The policies of the endpoint contradict each other, and Cilium cannot compute what holds.
    Contradiction,
    /// It depends on what the objects do not say.
    Unknown,
}

/// What becomes of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlowVerdict {
    /// It passes.
    Allowed,
    /// It is dropped.
    Denied,
    /// It cannot be known.
    Unknown,
}

impl FlowVerdict {
    /// As queries write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
        }
    }
}

impl State {
    /// As queries write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoEndpoint => "none",
            Self::Open => "open",
            Self::Allowed => "allowed",
            Self::Proxied => "proxied",
            Self::OwnNode => "host",
            Self::NeedsAuthentication => "authentication",
            Self::DeniedByRule => "denied-by-rule",
            Self::DeniedByDefault => "denied-by-default",
            Self::AuthenticationFails => "authentication-fails",
            Self::Contradiction => "error",
            Self::Unknown => "unknown",
        }
    }

    /// What becomes of a flow by this end alone.
    pub fn fate(self) -> FlowVerdict {
        match self {
            Self::NoEndpoint | Self::Open | Self::Allowed | Self::Proxied | Self::OwnNode => {
                FlowVerdict::Allowed
            }
            Self::DeniedByRule | Self::DeniedByDefault | Self::AuthenticationFails => {
                FlowVerdict::Denied
            }
            Self::NeedsAuthentication | Self::Contradiction | Self::Unknown => FlowVerdict::Unknown,
        }
    }
}

/// What decides at one end of a flow, and the rules that do.
#[derive(Debug, Clone)]
pub struct End {
    /// What decides.
    pub state: State,
    /// The policies whose rules decide, or that deny by default.
    pub by: Vec<String>,
    /// The path of the first rule that decides, such as `spec.ingress[0]`.
    pub rule: Option<String>,
    /// Where that is written.
    pub place: Option<Place>,
    /// What would have to be known.
    pub why: Option<String>,
    /// Whether that is where pods are, which somebody can say.
    pub is_about_place: bool,
}

impl End {
    /// An end that no rule decides on.
    pub(super) fn plain(state: State) -> Self {
        Self {
            state,
            by: Vec::new(),
            rule: None,
            place: None,
            why: None,
            is_about_place: false,
        }
    }
}

/// The verdict on a flow.
#[derive(Debug, Clone)]
pub struct Answer {
    /// At the end that connects.
    pub egress: End,
    /// At the end that is connected to.
    pub ingress: End,
    /// What a name needs that is not fulfilled, where the flow goes to a name.
    pub name: Option<String>,
    /// Overrides the fate of the ends, where the flow goes to a name.
    pub(super) fate: Option<FlowVerdict>,
}

impl Answer {
    /// What becomes of the flow. What one end surely drops is dropped, whatever the other does.
    pub fn fate(&self) -> FlowVerdict {
        if let Some(fate) = self.fate {
            return fate;
        }
        match (self.egress.state.fate(), self.ingress.state.fate()) {
            (FlowVerdict::Denied, _) | (_, FlowVerdict::Denied) => FlowVerdict::Denied,
            (FlowVerdict::Unknown, _) | (_, FlowVerdict::Unknown) => FlowVerdict::Unknown,
            (FlowVerdict::Allowed, FlowVerdict::Allowed) => FlowVerdict::Allowed,
        }
    }

    /// What would have to be known, or what a name needs.
    pub fn why(&self) -> Option<&str> {
        let ends = [&self.egress, &self.ingress].into_iter();
        self.name
            .as_deref()
            .or_else(|| ends.filter_map(|e| e.why.as_deref()).next())
    }
}

/// A port and its protocol, as they are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flow {
    pub(super) protocol: Protocol,
    pub(super) port: u16,
}
