//! The policies of the objects: which count, and what they come to.
//!
//! Upstream: `pkg/policy/k8s/cilium_network_policy.go`, `pkg/policy/repository.go`. What the API server or the agent
//! refuses takes no effect, all of it; the rest becomes entries.

use std::fmt;
use std::net::IpAddr;

use super::cluster_network_policy;
use super::crd;
use super::entry::{Entry, Level};
use super::network_policy;
use super::options::Options;
use super::parse::RuleParser;
use super::read::{field, items};
use super::sanitize::Checker;
use super::schema;
use super::services::Services;
use super::verdict::Direction;
use super::world::Assumed;
use crate::diagnostic::Place;
use crate::kube::Resource;
use crate::yaml::Node;

/// The kinds of Cilium's own policies: their name, and whether they are for the whole cluster.
const CILIUM: [(&str, bool); 2] = [
    ("CiliumNetworkPolicy", false),
    ("CiliumClusterwideNetworkPolicy", true),
];

/// Who refuses a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedBy {
    /// It is never stored.
    ApiServer,
    /// It is stored, its condition Valid is False, and nothing of it counts.
    Agent,
}

impl fmt::Display for RefusedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ApiServer => "api-server",
            Self::Agent => "agent",
        })
    }
}

/// Why a policy is refused, and where.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Who refuses it.
    pub by: RefusedBy,
    /// What is wrong.
    pub reason: String,
    /// Where it is written.
    pub place: Option<Place>,
}

/// A field that the API server drops without a word.
#[derive(Debug, Clone)]
pub struct Pruned {
    /// The path, such as `spec.ingress[0].toPort`.
    pub path: String,
    /// Where it is written.
    pub place: Option<Place>,
}

/// A policy of the objects.
#[derive(Debug, Clone)]
pub struct Policy {
    /// `Kind/namespace/name`.
    pub id: String,
    /// Where it is written.
    pub place: Option<Place>,
    /// Why it takes no effect.
    pub refusal: Option<Refusal>,
    /// Whether it selects by more than a namespace.
    pub is_specific: bool,
    /// What it says of default deny on the way in.
    pub ingress: Posture,
    /// What it says of default deny on the way out.
    pub egress: Posture,
}

/// What a policy says of default deny in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Posture {
    /// It has a rule, and drops what no rule allows.
    pub enforces: bool,
    /// It has a rule, and that was switched off by hand.
    pub audits: bool,
    /// Either was said by hand.
    pub asked: bool,
}

impl Policy {
    /// What it says of default deny in a direction.
    pub fn posture(&self, direction: Direction) -> Posture {
        match direction {
            Direction::Ingress => self.ingress,
            Direction::Egress => self.egress,
        }
    }

    /// Whether it is a NetworkPolicy, which every network plugin reads in its way.
    pub fn is_kubernetes(&self) -> bool {
        self.id.starts_with("NetworkPolicy/")
    }
}

/// The kinds that are judged.
enum Form {
    Cilium { clusterwide: bool },
    Kubernetes,
    Cluster,
    CidrGroup,
}

impl Form {
    fn of(resource: &Resource) -> Option<Self> {
        let gvk = resource.gvk();
        let (group, kind, version) = cluster_network_policy::KIND;
        match (gvk.group.as_str(), resource.kind()) {
            ("cilium.io", "CiliumCIDRGroup") => Some(Self::CidrGroup),
            ("cilium.io", kind) => {
                let known = CILIUM.iter().find(|(name, _)| *name == kind);
                known.map(|(_, clusterwide)| Self::Cilium {
                    clusterwide: *clusterwide,
                })
            }
            ("networking.k8s.io", network_policy::KIND) => Some(Self::Kubernetes),
            (g, k) if g == group && k == kind && gvk.version == version => Some(Self::Cluster),
            _ => None,
        }
    }
}

/// What is refused of an object, and by whom; `None` where it is taken, or is not a policy.
pub fn refusal(resource: &Resource, options: &Options) -> Option<Refusal> {
    let refused = |by, node: &Node, reason: String| Refusal {
        by,
        reason,
        place: resource.place_of(node),
    };
    match Form::of(resource)? {
        Form::Cilium { clusterwide } => {
            let verdict = crd::judge(resource.node(), &schema::POLICY);
            if let Some(fault) = verdict.faults.first() {
                let reason = format!("{} {}", fault.path, fault.phrase);
                return Some(refused(
                    RefusedBy::ApiServer,
                    fault.node,
                    reason.trim().to_owned(),
                ));
            }
            let checker = Checker {
                options,
                clusterwide,
            };
            let faults = specs(resource.node()).filter_map(|(_, spec)| checker.spec(spec).err());
            let first = faults.into_iter().next();
            first.map(|fault| refused(RefusedBy::Agent, fault.node, fault.reason))
        }
        Form::CidrGroup => {
            let verdict = crd::judge(resource.node(), &schema::CIDR_GROUP);
            let fault = verdict.faults.into_iter().next()?;
            let reason = format!("{} {}", fault.path, fault.phrase);
            Some(refused(RefusedBy::ApiServer, fault.node, reason))
        }
        Form::Kubernetes => {
            let fault = network_policy::entries(0, resource, options).err()?;
            Some(refused(RefusedBy::Agent, fault.0, fault.1))
        }
        Form::Cluster if !options.cluster_network_policy => Some(refused(
            RefusedBy::Agent,
            resource.node(),
            "enable-k8s-cluster-network-policy is off: nobody reads it".to_owned(),
        )),
        Form::Cluster => {
            let fault = cluster_network_policy::entries(0, resource, options).err()?;
            Some(refused(RefusedBy::Agent, fault.0, fault.1))
        }
    }
}

/// The fields of a policy of Cilium's that the API server drops without a word.
pub fn unknown_fields(resource: &Resource) -> Vec<Pruned> {
    let kind = match Form::of(resource) {
        Some(Form::Cilium { .. }) => &schema::POLICY,
        Some(Form::CidrGroup) => &schema::CIDR_GROUP,
        _ => return Vec::new(),
    };
    let pruned = crd::judge(resource.node(), kind).pruned.into_iter();
    pruned
        .map(|(path, node)| Pruned {
            path,
            place: resource.place_of(node),
        })
        .collect()
}

/// The `spec` and the `specs` of a policy, with their paths.
fn specs(node: &Node) -> impl Iterator<Item = (String, &Node)> {
    let one = field(node, "spec").map(|spec| ("spec".to_owned(), spec));
    let more = items(node, "specs").iter().enumerate();
    one.into_iter()
        .chain(more.map(|(index, spec)| (format!("specs[{index}]"), spec)))
}

/// The policies of the objects, and what they come to.
#[derive(Debug, Default)]
pub(super) struct Repository<'r> {
    pub(super) policies: Vec<Policy>,
    pub(super) entries: Vec<Entry>,
    pub(super) groups: Vec<&'r Resource>,
    /// Whether policies that audit are taken to enforce.
    enforce: bool,
}

impl<'r> Repository<'r> {
    /// Reads the objects.
    pub(super) fn read(
        objects: impl Iterator<Item = &'r Resource> + Clone,
        options: &Options,
        api_server: Option<&[IpAddr]>,
        assumed: &Assumed,
    ) -> Self {
        let mut services = Services::of(objects.clone(), api_server);
        services.may_be_others = assumed.may_be_other_services;
        let mut repository = Self {
            enforce: assumed.enforce,
            ..Self::default()
        };
        for resource in objects {
            if let Some(form) = Form::of(resource) {
                repository.add(resource, &form, options, &services);
            }
        }
        repository
    }

    fn add(&mut self, resource: &'r Resource, form: &Form, options: &Options, services: &Services) {
        let refusal = refusal(resource, options);
        if matches!(form, Form::CidrGroup) {
            if refusal.is_none() {
                self.groups.push(resource);
            }
            return;
        }
        let index = self.policies.len();
        let mut own = match refusal {
            Some(_) => Vec::new(),
            None => entries(index, resource, form, options, services),
        };
        let policy = Policy {
            id: id(resource, form),
            place: resource.place(),
            refusal,
            is_specific: own.iter().any(|e| e.subject.is_specific()),
            ingress: posture(resource, &own, Direction::Ingress),
            egress: posture(resource, &own, Direction::Egress),
        };
        if self.enforce && policy.is_specific {
            let audits = |e: &Entry| policy.posture(e.direction).audits;
            for entry in own.iter_mut().filter(|e| e.level == Level::NORMAL) {
                entry.default_deny |= audits(entry);
            }
        }
        self.entries.append(&mut own);
        self.policies.push(policy);
    }
}

/// What the entries of a policy and its switches say of default deny.
fn posture(resource: &Resource, entries: &[Entry], direction: Direction) -> Posture {
    let mut own = entries.iter().filter(|e| e.direction == direction);
    let switch = specs(resource.node()).find_map(|(_, spec)| {
        let switches = field(spec, "enableDefaultDeny")?;
        field(switches, direction.as_str())?.as_bool()
    });
    let has_rule = own.clone().next().is_some();
    Posture {
        enforces: own.any(|e| e.default_deny),
        audits: has_rule && switch == Some(false),
        asked: switch.is_some(),
    }
}

fn entries(
    policy: usize,
    resource: &Resource,
    form: &Form,
    options: &Options,
    services: &Services,
) -> Vec<Entry> {
    match form {
        Form::Cilium { clusterwide } => {
            let parser = RuleParser {
                policy,
                resource,
                namespace: (!clusterwide).then(|| resource.effective_namespace()),
                options,
                services,
            };
            let all = specs(resource.node());
            all.flat_map(|(path, spec)| parser.entries(spec, &path))
                .collect()
        }
        Form::Kubernetes => network_policy::entries(policy, resource, options).unwrap_or_default(),
        Form::Cluster => {
            cluster_network_policy::entries(policy, resource, options).unwrap_or_default()
        }
        Form::CidrGroup => Vec::new(),
    }
}

/// `Kind/namespace/name`, with the namespace that the object has in a cluster.
fn id(resource: &Resource, form: &Form) -> String {
    let (kind, name) = (resource.kind(), resource.name());
    match form {
        Form::Cilium { clusterwide: false } | Form::Kubernetes => {
            format!("{kind}/{}/{name}", resource.effective_namespace())
        }
        _ => format!("{kind}/{name}"),
    }
}
