//! One rule of one direction, whatever kind of object it comes from.
//!
//! Upstream: `pkg/policy/types/policyentry.go`. CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy, NetworkPolicy and
//! ClusterNetworkPolicy all become entries; from there on Cilium knows no difference but the tier.

use super::auth::AuthType;
use super::names::Pattern;
use super::ports::PortKey;
use super::selector::Selector;
use super::verdict::Direction;
use crate::diagnostic::Place;

/// Which entries are looked at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    /// ClusterNetworkPolicies of the administrator.
    Admin,
    /// CiliumNetworkPolicies and NetworkPolicies.
    Normal,
    /// What counts where nothing else does.
    Baseline,
}

/// What an entry does with what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    /// Drops it. It wins over what allows on the same level.
    Deny,
    /// Lets it pass.
    Allow,
    /// Leaves it to the next tier.
    Pass,
}

/// The level of an entry: lower ones are looked at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Level {
    pub(super) tier: Tier,
    /// Hundredths, as the rules of a ClusterNetworkPolicy are counted.
    pub(super) priority: i64,
}

impl Level {
    /// That of policies without an order.
    pub(super) const NORMAL: Self = Self {
        tier: Tier::Normal,
        priority: 0,
    };
}

/// What looks into the traffic that a port rule lets pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Parser {
    /// Nothing.
    #[default]
    None,
    /// Envoy, at the TLS handshake.
    Tls,
    /// Envoy, by HTTP rules.
    Http,
    /// A listener of a CiliumEnvoyConfig.
    Listener,
    /// The DNS proxy.
    Dns,
}

/// What a port rule asks of the traffic beside its port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Inspection {
    pub(super) parser: Parser,
    /// The names that may be asked for; none where the rule has no DNS rule.
    pub(super) dns: Vec<Pattern>,
    /// Whether it has HTTP rules.
    pub(super) http: bool,
    pub(super) server_names: bool,
    /// The Secrets of TLS that it ends, and that it begins.
    pub(super) terminating: Option<String>,
    pub(super) originating: Option<String>,
    /// The listener, and its rank.
    pub(super) listener: Option<(String, i64)>,
    /// Whether the listener is in the namespace of the endpoint.
    pub(super) in_namespace: bool,
}

/// Ports, and what is asked of the traffic to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PortRule {
    pub(super) ports: Vec<PortKey>,
    pub(super) inspection: Inspection,
}

/// Whom a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Peers {
    /// Nobody, whatever the ports.
    Nobody,
    /// These. An empty list with ports is everybody, and nobody without.
    Of(Vec<Selector>),
    /// What the objects do not say: groups of a cloud. It may be anybody beyond the cluster.
    Unknown,
}

/// One rule of one direction.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The policy, by its position.
    pub(super) policy: usize,
    /// Its path in the object, such as `spec.ingress[0]`.
    pub(super) path: String,
    pub(super) place: Option<Place>,
    pub(super) direction: Direction,
    pub(super) level: Level,
    pub(super) action: Action,
    /// The namespace whose endpoints it may select; every one where there is none.
    pub(super) namespace: Option<String>,
    pub(super) subject: Selector,
    /// Whether it selects nodes instead of endpoints.
    pub(super) on_nodes: bool,
    /// Whether what no rule allows is dropped.
    pub(super) default_deny: bool,
    pub(super) peers: Peers,
    /// No rule for ports: every port. One without ports: none.
    pub(super) ports: Vec<PortRule>,
    pub(super) auth: Option<AuthType>,
}
