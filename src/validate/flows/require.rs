//! What [`Analysis::require`] reports: needed flows that are dropped, and what to do.

use super::endpoint::{Endpoint, Role};
use super::evaluate::{Ground, Mode, Verdict};
use super::matrix::Importance;
use super::policy::{Direction, Policy, Rule};
use super::{Analysis, NeededFlow, discover, refused_finding, remedy};
use crate::diagnostic::{Code, Diagnostic, Report, Severity};

/// The port of OpenShift's DNS pods, which policies see instead of their Service's 53.
const DNS_OF_OPENSHIFT: u16 = 5353;

impl Analysis {
    /// Reports every needed flow that is dropped, now or once the policies enforce, and every policy that
    /// is refused.
    ///
    /// What is [`Importance::Required`] is an error, [`Code::FlowDropped`]; what is advised is left out. A flow
    /// is a warning where a rule is there for its port and the render does not tell whether it is for this peer:
    /// Prometheus may be elsewhere than it is taken to be.
    pub fn require(&self) -> Report {
        let mut report = Report::default();
        for refused in &self.refused {
            report.push(refused_finding(refused));
        }
        let required = |n: &&NeededFlow| n.importance == Importance::Required;
        for need in self.needs.iter().filter(required) {
            report.findings.extend(self.dropped(need));
        }
        report
    }

    /// A flow that is needed, and for what: the end of a sentence.
    pub(in crate::validate) fn sentence(&self, need: &NeededFlow) -> String {
        format!(
            "{} → {}:{}/{}, needed for {}",
            self.endpoints[need.from].title(),
            self.endpoints[need.to].title(),
            need.port,
            need.protocol.as_str(),
            need.why
        )
    }

    fn dropped(&self, need: &NeededFlow) -> Option<Diagnostic> {
        let (verb, verdict) = self.fate(need);
        if verdict.passes() || self.may_pass_by_address(need, &verdict) || self.is_told(need) {
            return None;
        }
        let phrase = format!("{verb} {}", self.sentence(need));
        let mut finding = Diagnostic::new(Code::FlowDropped, phrase);
        for advice in self.advice(need, &verdict) {
            finding = finding
                .or_at(advice.place)
                .note(advice.reason)
                .help(advice.what);
        }
        Some(match self.doubt(need, &verdict) {
            Some(doubt) => doubt.tell(finding),
            None => finding,
        })
    }

    /// Whether it is dropped now or only once the policies enforce, and why.
    fn fate(&self, need: &NeededFlow) -> (&'static str, Verdict<'_>) {
        let now = self.verdict_on(need, Mode::AsWritten);
        if now.passes() {
            let then = self.verdict_on(need, Mode::AsEnforced);
            return ("enforce would drop", then);
        }
        ("dropped:", now)
    }

    /// Whether the same is told of the Jobs that make the first instance of the Cluster.
    pub(in crate::validate) fn is_told(&self, need: &NeededFlow) -> bool {
        let from = &self.endpoints[need.from];
        let of_first = |n: &&NeededFlow| {
            let first = &self.endpoints[n.from];
            (n.id, n.to) == (need.id, need.to)
                && n.from != need.from
                && first.cluster == from.cluster
                && !self.fate(n).1.passes()
        };
        discover::joins(from) && self.needs.iter().any(|n| of_first(&n))
    }

    /// What to do at each end at which a flow does not pass.
    pub(super) fn advice(&self, need: &NeededFlow, verdict: &Verdict<'_>) -> Vec<remedy::Advice> {
        let (from, to) = (&self.endpoints[need.from], &self.endpoints[need.to]);
        let blocked = ends(verdict).filter(|(_, ground)| !ground.passes());
        blocked
            .map(|(direction, ground)| remedy::of(need, direction, &ground, from, to))
            .collect()
    }

    /// Whether a NetworkPolicy lets a pod reach addresses on the API server's port. Cilium does not take them for
    /// the API server; other network plugins do, and the render does not tell which one reads the policy.
    fn may_pass_by_address(&self, need: &NeededFlow, verdict: &Verdict<'_>) -> bool {
        let (from, to) = (&self.endpoints[need.from], &self.endpoints[need.to]);
        let Ground::DeniedByDefault(policy) = verdict.egress else {
            return false;
        };
        let opens =
            |p: &Policy| p.is_kubernetes() && p.opens_addresses(need.protocol, need.port, to);
        to.role == Role::ApiServer
            && verdict.ingress.passes()
            && policy.is_kubernetes()
            && self.policies.iter().any(|p| p.selects(from) && opens(p))
    }

    /// Why a flow may pass although no rule is seen to allow it; `None` where that is sure at one end.
    fn doubt(&self, need: &NeededFlow, verdict: &Verdict<'_>) -> Option<Doubt> {
        let mut doubt = None;
        for (direction, ground) in ends(verdict).filter(|(_, ground)| !ground.passes()) {
            let Ground::DeniedByDefault(policy) = ground else {
                return None;
            };
            let subject = self.subject(need, direction);
            let peer = self.subject(need, direction.other());
            let found = if peer.assumed && self.guessed.contains(&peer.role) {
                Doubt::Place(peer.role)
            } else if policy.is_kubernetes()
                && matches!(peer.role, Role::ApiServer | Role::RemoteNode)
            {
                Doubt::Node
            } else {
                return None;
            };
            if !self.admits_strangers(need, subject, direction) {
                return None;
            }
            doubt = Some(found);
        }
        doubt
    }

    /// The end of a flow that is governed in a direction.
    fn subject(&self, need: &NeededFlow, direction: Direction) -> &Endpoint {
        match direction {
            Direction::Egress => &self.endpoints[need.from],
            Direction::Ingress => &self.endpoints[need.to],
        }
    }

    /// Whether a rule names a flow's port for pods or addresses, and means nobody that the analysis knows.
    fn admits_strangers(
        &self,
        need: &NeededFlow,
        subject: &Endpoint,
        direction: Direction,
    ) -> bool {
        let to = &self.endpoints[need.to];
        let names_port = |rule: &Rule| {
            let ports = rule.ports.numbers(to);
            let by_pods = to.role == Role::Dns && ports.contains(need.protocol, DNS_OF_OPENSHIFT);
            rule.ports.are_named() && (by_pods || ports.contains(need.protocol, need.port))
        };
        let is_for_strangers = |rule: &&Rule| {
            names_port(rule)
                && rule.peers.are_places()
                && !self.endpoints.iter().any(|e| rule.peers.include(e))
        };
        let selecting = self.policies.iter().filter(|p| p.selects(subject));
        selecting
            .flat_map(|p| &p.side(direction).allow)
            .any(|rule| is_for_strangers(&rule))
    }
}

/// The two ends of a flow, and what decides there.
fn ends<'p>(verdict: &Verdict<'p>) -> impl Iterator<Item = (Direction, Ground<'p>)> + use<'p> {
    [
        (Direction::Egress, verdict.egress),
        (Direction::Ingress, verdict.ingress),
    ]
    .into_iter()
}

/// What the render does not tell.
#[derive(Debug, Clone, Copy)]
enum Doubt {
    /// Where someone is.
    Place(Role),
    /// What the network plugin takes a node for.
    Node,
}

impl Doubt {
    fn tell(self, finding: Diagnostic) -> Diagnostic {
        let finding = finding.with_severity(Severity::Warning);
        let name = match self {
            Self::Node => {
                return finding.note("a rule is there for this port; Cilium does not take nodes for pods or addresses, and another network plugin may");
            }
            Self::Place(Role::Operator) => "operator",
            Self::Place(Role::Dns) => "dns",
            Self::Place(_) => "prometheus",
        };
        finding
            .note("a rule is there for this port, for others than those that are taken to be there")
            .help(format!("or say where it is: overlays.parameters.{name}, or `plugin flows --{name} NAMESPACE/LABEL=VALUE`"))
    }
}
