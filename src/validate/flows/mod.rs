//! Who may talk to whom under the network policies of a render.
//!
//! [`analyse`] finds the pods of a render ([`Endpoint`]), reads its Cilium and Kubernetes policies, and
//! holds them against the flows that CloudNativePG needs (`matrix.rs`, which is data). A verdict follows
//! what Cilium does: policies add up, deny rules win, `enableDefaultDeny` decides whether what no rule
//! allows is dropped, and a policy that the agent refuses is as good as absent.
//!
//! Not judged: policies on nodes, `fromRequires`, `toGroups`, `toNodes`, and what a layer-7 rule does to a
//! flow that it lets through. A NetworkPolicy is taken as Cilium enforces it: an `ipBlock` is about what
//! lies beyond the cluster.

mod cilium;
mod discover;
mod endpoint;
mod evaluate;
mod kubernetes;
mod label;
mod matrix;
mod monitor;
mod network;
mod policy;
mod ports;
mod remedy;
mod report;
mod require;

use discover::Population;

pub use cilium::Refusal;
pub use discover::{Assumptions, PodReference};
pub(super) use discover::{assumed_operator, instances_of, pooler_of};
pub use endpoint::{Endpoint, Role};
pub use evaluate::{Ground, Mode, Verdict};
pub use matrix::Importance;
pub(super) use monitor::Monitor;
pub use policy::{Direction, Policy};
pub use ports::Protocol;
pub use report::{html, json, table};

use crate::diagnostic::{Code, Diagnostic};
use crate::kube::{ResMap, Resource};
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
#[derive(Debug, Default)]
pub struct Analysis {
    /// Everyone.
    pub endpoints: Vec<Endpoint>,
    /// The policies that count.
    pub policies: Vec<Policy>,
    /// The policies that do not.
    pub refused: Vec<Refused>,
    /// The flows that CloudNativePG needs here.
    pub needs: Vec<NeededFlow>,
    /// Who is taken to be where it usually is, because neither the render nor the project tells.
    guessed: Vec<Role>,
}

/// Analyses a render.
pub fn analyse(resources: &ResMap, assumptions: &Assumptions) -> Analysis {
    let (policies, refused) = policies(resources);
    let resources = discover::complete(resources, assumptions);
    let population = discover::population(&resources, assumptions);
    Analysis {
        policies,
        refused,
        needs: needs(&population, &resources),
        endpoints: population.endpoints,
        guessed: assumptions.guessed(),
    }
}

/// The policies of a render: those that count, and those that are refused.
pub(super) fn policies(resources: &ResMap) -> (Vec<Policy>, Vec<Refused>) {
    let (mut policies, mut refused) = (Vec::new(), Vec::new());
    for resource in resources.iter() {
        match read(resource) {
            Ok(read) => policies.extend(read),
            Err(refusal) => refused.push(Refused {
                id: resource.id().to_string(),
                refusal,
            }),
        }
    }
    (policies, refused)
}

/// The pods of a render.
pub(super) fn pods(resources: &ResMap, assumptions: &Assumptions) -> Vec<Endpoint> {
    let resources = discover::complete(resources, assumptions);
    let mut endpoints = discover::population(&resources, assumptions).endpoints;
    endpoints.retain(Endpoint::is_pod);
    endpoints
}

/// What the operator cannot do without and no policy allows, in words. A NetworkPolicy with a rule for the port is
/// given the benefit of the doubt: not every network plugin takes a node for what Cilium takes it for.
pub(super) fn operator_lacks(policies: &[Policy], operator: &Endpoint) -> Vec<&'static str> {
    let server = discover::api_server();
    let passes = |from, to, port| {
        evaluate::verdict(policies, from, to, Protocol::Tcp, port, Mode::AsWritten).passes()
    };
    let by_kubernetes = || policies.iter().filter(|p| p.is_kubernetes());
    let may_pass = |direction, to, port| {
        let mut selecting = by_kubernetes().filter(|p| p.selects(operator));
        selecting.any(|p| p.opens(direction, Protocol::Tcp, port, to))
    };
    let (webhooks, api) = (9443, 6443);
    let is_admitted =
        passes(&server, operator, webhooks) || may_pass(Direction::Ingress, operator, webhooks);
    let is_let_out = passes(operator, &server, api) || may_pass(Direction::Egress, &server, api);
    let needs = [
        (is_admitted, "its webhooks (ingress 9443/TCP)"),
        (is_let_out, "the API server (egress 6443/TCP)"),
    ];
    let lacking = needs.into_iter().filter(|(passes, _)| !passes);
    lacking.map(|(_, what)| what).collect()
}

/// The policies of an object; none for any other kind.
fn read(resource: &Resource) -> Result<Vec<Policy>, Refusal> {
    match (resource.gvk().group.as_str(), resource.kind()) {
        ("cilium.io", kind) if cilium::KINDS.contains(&kind) => cilium::read(resource),
        ("networking.k8s.io", kubernetes::KIND) => kubernetes::read(resource).map(|p| vec![p]),
        _ => Ok(Vec::new()),
    }
}

impl Analysis {
    /// The endpoint of a title, such as `identity/keycloak-postgres` or `kube-apiserver`.
    pub fn endpoint(&self, title: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|e| e.title() == title)
    }

    /// Decides on a flow.
    pub fn verdict(
        &self,
        from: &Endpoint,
        to: &Endpoint,
        protocol: Protocol,
        port: u16,
        mode: Mode,
    ) -> Verdict<'_> {
        evaluate::verdict(&self.policies, from, to, protocol, port, mode)
    }

    /// Decides on a flow that is needed.
    pub fn verdict_on(&self, need: &NeededFlow, mode: Mode) -> Verdict<'_> {
        let (from, to) = (&self.endpoints[need.from], &self.endpoints[need.to]);
        self.verdict(from, to, need.protocol, need.port, mode)
    }

    /// The policies that deny an endpoint by default in one direction.
    pub fn governing(&self, endpoint: &Endpoint, direction: Direction, mode: Mode) -> Vec<&Policy> {
        evaluate::governing(&self.policies, endpoint, direction, mode)
    }

    /// The ports on which one endpoint may reach another, in words.
    pub fn open_ports(&self, from: &Endpoint, to: &Endpoint, mode: Mode) -> String {
        evaluate::open_ports(&self.policies, from, to, mode).to_string()
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
