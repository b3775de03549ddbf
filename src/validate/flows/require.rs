//! What [`Analysis::require`] reports: needed flows that are dropped, and what to do.

use super::endpoint::{Endpoint, Role};
use super::evaluate::{DecidedBy, Mode, Verdict};
use super::matrix::Importance;
use super::{Analysis, NeededFlow, discover, refused_finding, remedy};
use crate::cilium::{Direction, FlowVerdict};
use crate::diagnostic::{Code, Diagnostic, Report, Severity};

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
        let doubt = match verdict.fate() {
            FlowVerdict::Allowed => return None,
            FlowVerdict::Unknown => Some(self.elsewhere(need, &verdict)?),
            FlowVerdict::Denied => self.of_nodes(need, &verdict),
        };
        if self.is_told(need) {
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
        Some(match doubt {
            Some(doubt) => doubt.tell(finding),
            None => finding,
        })
    }

    /// Whether it is dropped now or only once the policies enforce, and why.
    fn fate(&self, need: &NeededFlow) -> (&'static str, Verdict) {
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
                && self.fate(n).1.fate() != FlowVerdict::Allowed
        };
        discover::joins(from) && self.needs.iter().any(|n| of_first(&n))
    }

    /// What to do at each end at which a flow does not pass.
    pub(super) fn advice(&self, need: &NeededFlow, verdict: &Verdict) -> Vec<remedy::Advice> {
        let (from, to) = (&self.endpoints[need.from], &self.endpoints[need.to]);
        let blocked = ends(verdict).filter(|(_, ground)| {
            ground.fate() == FlowVerdict::Denied || matches!(ground, DecidedBy::Elsewhere(Some(_)))
        });
        blocked
            .map(|(direction, ground)| remedy::of(need, direction, ground, from, to))
            .collect()
    }

    /// Who may be elsewhere than it is taken to be, where that alone decides.
    fn elsewhere(&self, need: &NeededFlow, verdict: &Verdict) -> Option<Doubt> {
        let mut doubtful = ends(verdict).filter(|(_, g)| g.fate() == FlowVerdict::Unknown);
        let (direction, ground) = doubtful.next()?;
        let peer = self.subject(need, direction.other());
        matches!(ground, DecidedBy::Elsewhere(_)).then_some(Doubt::Place(peer.role))
    }

    /// Whether a NetworkPolicy drops what another network plugin may let nodes do.
    fn of_nodes(&self, need: &NeededFlow, verdict: &Verdict) -> Option<Doubt> {
        let is_about_nodes = |(direction, ground): (Direction, &DecidedBy)| {
            let (subject, peer) = (
                self.subject(need, direction),
                self.subject(need, direction.other()),
            );
            let is_node = matches!(peer.role, Role::ApiServer | Role::RemoteNode);
            let by_kubernetes =
                matches!(ground, DecidedBy::DeniedByDefault(by) if by.is_kubernetes());
            is_node && by_kubernetes && self.may_be_read_otherwise(subject, direction, need.port)
        };
        let mut denied = ends(verdict).filter(|(_, g)| g.fate() == FlowVerdict::Denied);
        denied.all(is_about_nodes).then_some(Doubt::Node)
    }

    /// The end of a flow that is governed in a direction.
    fn subject(&self, need: &NeededFlow, direction: Direction) -> &Endpoint {
        match direction {
            Direction::Egress => &self.endpoints[need.from],
            Direction::Ingress => &self.endpoints[need.to],
        }
    }
}

/// The two ends of a flow, and what decides there.
fn ends(verdict: &Verdict) -> impl Iterator<Item = (Direction, &DecidedBy)> {
    [
        (Direction::Egress, &verdict.egress),
        (Direction::Ingress, &verdict.ingress),
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
