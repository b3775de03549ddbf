//! Who may talk to whom under the network policies of a render.
//!
//! [`analyse`] finds the pods of a render ([`Endpoint`]), reads its Cilium and Kubernetes policies, and
//! holds them against the flows that CloudNativePG needs (`matrix.rs`, which is data). A verdict follows
//! what Cilium does, and is Cilium's own: the room `cilium` judges, and this one knows who needs what.

mod discover;
mod endpoint;
mod evaluate;
mod label;
mod matrix;
mod monitor;
mod ports;
mod remedy;
mod report;
mod require;

use discover::Population;

pub use discover::{Assumptions, PodReference};
pub(super) use discover::{assumed_operator, instances_of, pooler_of};
pub use endpoint::{Endpoint, Role};
pub use evaluate::{By, DecidedBy, Mode, Verdict};
pub use matrix::Importance;
pub(super) use monitor::Monitor;
pub use report::{html, json, table};

pub use crate::cilium::{Direction, FlowVerdict, Policy, Protocol, Refusal};
use crate::diagnostic::{Code, Diagnostic};
use crate::kube::ResMap;
use evaluate::Judge;
use matrix::{NEEDS, Need, To, When};
use monitor::Scraped;

/// A flow that CloudNativePG needs, between two endpoints of the analysis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededFlow {
    /// The row of the matrix.
    pub id: &'static str,
    /// The endpoint that connects, by its position.
    pub from: usize,
    /// The endpoint that is connected to, by its position.
    pub to: usize,
    /// The port.
    pub port: u16,
    /// The protocol.
    pub protocol: Protocol,
    /// Whether something breaks without it.
    pub importance: Importance,
    /// What it is for.
    pub why: &'static str,
}

/// A policy that its host refuses: it denies nothing, although it was applied.
#[derive(Debug, Clone)]
pub struct Refused {
    /// `Kind/namespace/name`.
    pub id: String,
    /// Why, and where.
    pub refusal: Refusal,
}

/// What a render says about who talks to whom.
#[derive(Debug)]
pub struct Analysis {
    /// Everyone.
    pub endpoints: Vec<Endpoint>,
    /// The policies that do not count.
    pub refused: Vec<Refused>,
    /// The flows that CloudNativePG needs here.
    pub needs: Vec<NeededFlow>,
    /// The operator, where nothing in the render is about CloudNativePG.
    assumed_operator: Option<Endpoint>,
    judge: Judge,
}

/// Analyses a render.
pub fn analyse(resources: &ResMap, assumptions: &Assumptions) -> Analysis {
    analyse_without(resources, &[], assumptions)
}

/// Analyses a render as if some of its policies were not there.
pub(super) fn analyse_without(
    resources: &ResMap,
    ids: &[String],
    assumptions: &Assumptions,
) -> Analysis {
    let resources = discover::complete(resources, assumptions);
    let mut population = discover::population(&resources, assumptions);
    let needs = needs(&population, &resources);
    let mut endpoints = std::mem::take(&mut population.endpoints);
    // A render without CNPG may still deny everything where the operator is known to be.
    let shows_operator = endpoints.iter().any(|e| e.role == Role::Operator);
    endpoints.extend((!shows_operator).then(|| assumed_operator(assumptions)));
    let objects = evaluate::without(&resources, ids);
    let judge = Judge::new(objects, &mut endpoints, assumptions);
    let refused = judge.policies().iter().filter_map(|policy| {
        Some(Refused {
            id: policy.id.clone(),
            refusal: policy.refusal.clone()?,
        })
    });
    Analysis {
        assumed_operator: if shows_operator {
            None
        } else {
            endpoints.pop()
        },
        refused: refused.collect(),
        needs,
        endpoints,
        judge,
    }
}

impl Analysis {
    /// The endpoint of a title, such as `identity/keycloak-postgres` or `kube-apiserver`.
    pub fn endpoint(&self, title: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|e| e.title() == title)
    }

    /// The policies that count.
    pub fn policies(&self) -> impl Iterator<Item = &Policy> {
        let all = self.judge.policies().iter();
        all.filter(|policy| policy.refusal.is_none())
    }

    /// The pods.
    pub(super) fn pods(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().filter(|e| e.is_pod())
    }

    /// The operator: where the render shows it, else where it is taken to be.
    pub(super) fn operator(&self) -> Option<&Endpoint> {
        let found = self.pods().find(|p| p.role == Role::Operator);
        found.or(self.assumed_operator.as_ref())
    }

    /// The policies that select an endpoint.
    pub(super) fn selecting(&self, endpoint: &Endpoint) -> impl Iterator<Item = &Policy> {
        let world = self.judge.world(Mode::AsWritten);
        let found = world.selecting(&endpoint.reference);
        found.into_iter().map(|index| &self.judge.policies()[index])
    }

    /// Whether a policy would select pods if they were in its namespace.
    pub(super) fn would_select(&self, policy: &Policy, pod: &Endpoint) -> bool {
        let world = self.judge.world(Mode::AsWritten);
        let at = self
            .judge
            .policies()
            .iter()
            .position(|p| std::ptr::eq(p, policy));
        at.is_some_and(|index| world.would_select(index, &pod.reference))
    }

    /// Decides on a flow.
    pub fn verdict(
        &self,
        from: &Endpoint,
        to: &Endpoint,
        protocol: Protocol,
        port: u16,
        mode: Mode,
    ) -> Verdict {
        self.judge.verdict(from, to, protocol, port, mode)
    }

    /// Decides on a flow that is needed.
    pub fn verdict_on(&self, need: &NeededFlow, mode: Mode) -> Verdict {
        let (from, to) = (&self.endpoints[need.from], &self.endpoints[need.to]);
        self.verdict(from, to, need.protocol, need.port, mode)
    }

    /// Whether policies deny an endpoint by default in one direction; `None` where that cannot be known.
    pub fn denies_by_default(
        &self,
        endpoint: &Endpoint,
        direction: Direction,
        mode: Mode,
    ) -> Option<bool> {
        self.judge
            .world(mode)
            .denies_by_default(&endpoint.reference, direction)
    }

    /// The ports on which one endpoint surely reaches another, in words.
    pub fn open_ports(&self, from: &Endpoint, to: &Endpoint, mode: Mode) -> String {
        let world = self.judge.world(mode);
        ports::in_words(&world.open_ports(&from.reference, &to.reference))
    }

    /// What an operator cannot do without and no policy allows, in words. A NetworkPolicy with a rule for the port is
    /// given the benefit of the doubt: not every network plugin takes a node for what Cilium takes it for.
    pub(super) fn operator_lacks(&self, operator: &Endpoint) -> Vec<&'static str> {
        let Some(server) = self.endpoints.iter().find(|e| e.role == Role::ApiServer) else {
            return Vec::new();
        };
        let needs = [
            (
                server,
                operator,
                Direction::Ingress,
                9443,
                "its webhooks (ingress 9443/TCP)",
            ),
            (
                operator,
                server,
                Direction::Egress,
                6443,
                "the API server (egress 6443/TCP)",
            ),
        ];
        let lacks =
            |(from, to, direction, port, _): &(&Endpoint, &Endpoint, Direction, u16, &str)| {
                let verdict = self.verdict(from, to, Protocol::Tcp, *port, Mode::AsWritten);
                verdict.fate() == FlowVerdict::Denied
                    && !self.may_be_read_otherwise(operator, *direction, *port)
            };
        needs
            .iter()
            .filter(|need| lacks(need))
            .map(|(.., what)| *what)
            .collect()
    }

    /// Whether a NetworkPolicy has a rule for a port, which another network plugin may take to be about nodes.
    pub(super) fn may_be_read_otherwise(
        &self,
        subject: &Endpoint,
        direction: Direction,
        port: u16,
    ) -> bool {
        let world = self.judge.world(Mode::AsWritten);
        self.selecting(subject).any(Policy::is_kubernetes)
            && world.has_rule_for(&subject.reference, direction, Protocol::Tcp, port)
    }
}

/// The finding for a policy that is refused.
pub(super) fn refused_finding(refused: &Refused) -> Diagnostic {
    let phrase = format!("{} is refused: {}", refused.id, refused.refusal.reason);
    Diagnostic::new(Code::PolicyRefused, phrase)
        .at(refused.refusal.place.clone())
        .note("kubectl apply succeeds, and the agent sets status condition Valid to False: the policy denies nothing")
}

/// The flows that are needed here: each row of the matrix, between all that it is about.
fn needs(population: &Population, resources: &ResMap) -> Vec<NeededFlow> {
    let scraped = Scraped::of(resources);
    let mut needs = Vec::new();
    for row in NEEDS {
        for (from, to, port) in pairs(population, row) {
            let ends = (&population.endpoints[from], &population.endpoints[to]);
            let is_told_of = !(ends.0.assumed && ends.1.assumed);
            if is_told_of && applies(row, ends.0, ends.1, &scraped, resources) {
                needs.push(NeededFlow {
                    id: row.id,
                    from,
                    to,
                    port,
                    protocol: row.protocol,
                    importance: row.importance,
                    why: row.why,
                });
            }
        }
    }
    needs
}

/// The pairs of endpoints that a row is about, with the port.
fn pairs(population: &Population, row: &Need) -> Vec<(usize, usize, u16)> {
    let is_linked = |role| {
        matches!(
            role,
            Role::Client | Role::ObjectStore | Role::ExternalDatabase
        )
    };
    let of_role = |role: Role| {
        population
            .endpoints
            .iter()
            .enumerate()
            .filter(move |(_, e)| e.role == role)
            .map(|(i, _)| i)
    };
    let port = match row.port {
        To::Port(port) => port,
        To::Linked => 0,
    };
    if is_linked(row.from) || is_linked(row.to) {
        return linked_pairs(population, row, port);
    }
    of_role(row.from)
        .flat_map(|from| of_role(row.to).map(move |to| (from, to, port)))
        .filter(|(from, to, _)| {
            let clusters = [*from, *to].map(|i| population.endpoints[i].cluster.as_ref());
            matches!(clusters, [None, _] | [_, None]) || clusters[0] == clusters[1]
        })
        .collect()
}

/// Clients → instance or pooler; instance or Job → object store or external database.
fn linked_pairs(population: &Population, row: &Need, port: u16) -> Vec<(usize, usize, u16)> {
    let mut found = Vec::new();
    for (own, endpoint) in population.endpoints.iter().enumerate() {
        for link in population
            .links
            .iter()
            .filter(|l| endpoint.cluster.as_ref() == Some(&l.cluster))
        {
            if row.from == Role::Client && link.role == Role::Client && endpoint.role == row.to {
                let is_meant = match &link.pooler {
                    Some(pooler) => endpoint.name == *pooler && endpoint.role == Role::Pooler,
                    None => endpoint.role == Role::Instance,
                };
                found.extend(is_meant.then_some((link.endpoint, own, port)));
            } else if link.role == row.to && endpoint.role == row.from {
                found.push((own, link.endpoint, link.port));
            }
        }
    }
    found
}

fn applies(
    row: &Need,
    from: &Endpoint,
    to: &Endpoint,
    scraped: &Scraped<'_>,
    resources: &ResMap,
) -> bool {
    match row.when {
        When::Always => true,
        When::SeveralInstances => to.count > 1,
        When::Scraped => scraped.includes(to),
        When::Join => discover::joins(from),
        When::Bootstrap => !discover::joins(from),
        When::BackupPlugin => {
            !from.assumed && !to.assumed || resources.iter().any(discover::uses_plugin)
        }
    }
}
