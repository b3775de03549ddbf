//! Asks Cilium's judge what becomes of flows between the endpoints of an analysis.

use super::discover::Assumptions;
use super::endpoint::{Endpoint, Role};
use crate::cilium::{Answer, Assumed, End, FlowVerdict, Pod, Policy, PolicyWorld, Protocol, State};
use crate::diagnostic::Place;
use crate::kube::{ResMap, Resource};

/// The ports of the API server: which one it has the objects do not say.
const API_SERVER: [u16; 2] = [6443, 443];

/// Whether policies are taken as they are, or as if those that only audit enforced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// As they are written.
    #[default]
    AsWritten,
    /// As if `enableDefaultDeny` were not switched off, but in policies that select a whole namespace or
    /// cluster: those only add what is allowed.
    AsEnforced,
}

/// The policy that decides, and its rule.
#[derive(Debug, Clone)]
pub struct By {
    /// `Kind/namespace/name`.
    pub id: String,
    /// The path of the rule; empty where none decides.
    pub rule: String,
    /// Where that is written.
    pub place: Option<Place>,
    /// Whether the policy selects by more than a namespace.
    pub is_specific: bool,
}

impl By {
    /// Whether it is a NetworkPolicy, which every network plugin reads in its way.
    pub(super) fn is_kubernetes(&self) -> bool {
        self.id.starts_with("NetworkPolicy/")
    }
}

/// What decides on a flow at one of its ends.
#[derive(Debug, Clone)]
pub enum DecidedBy {
    /// No policy denies by default there, and none denies this.
    Ungoverned,
    /// It is not an endpoint, or the node of the pod itself.
    NoPod,
    /// A rule allows it.
    Allowed(By),
    /// A rule denies it.
    Forbidden(By),
    /// The policy denies by default, and no rule of any policy allows it.
    DeniedByDefault(By),
    /// A rule would allow it by a name that the DNS proxy never learns: why.
    NameUnknown(By, String),
    /// It cannot be known: why.
    Unknown(Option<By>, String),
    /// It cannot be known, because the peer is only taken to be where it usually is.
    Elsewhere(Option<By>),
}

impl DecidedBy {
    /// What becomes of the flow by this end alone.
    pub fn fate(&self) -> FlowVerdict {
        match self {
            Self::Ungoverned | Self::NoPod | Self::Allowed(_) => FlowVerdict::Allowed,
            Self::Forbidden(_) | Self::DeniedByDefault(_) | Self::NameUnknown(..) => {
                FlowVerdict::Denied
            }
            Self::Unknown(..) | Self::Elsewhere(_) => FlowVerdict::Unknown,
        }
    }

    /// Whether packets surely pass.
    pub fn passes(&self) -> bool {
        self.fate() == FlowVerdict::Allowed
    }
}

/// What becomes of a flow: the ground at each end.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// At the end that connects.
    pub egress: DecidedBy,
    /// At the end that is connected to.
    pub ingress: DecidedBy,
}

impl Verdict {
    /// What becomes of the flow.
    pub fn fate(&self) -> FlowVerdict {
        match (self.egress.fate(), self.ingress.fate()) {
            (FlowVerdict::Denied, _) | (_, FlowVerdict::Denied) => FlowVerdict::Denied,
            (FlowVerdict::Unknown, _) | (_, FlowVerdict::Unknown) => FlowVerdict::Unknown,
            (FlowVerdict::Allowed, FlowVerdict::Allowed) => FlowVerdict::Allowed,
        }
    }

    /// Whether packets surely pass at both ends.
    pub fn passes(&self) -> bool {
        self.fate() == FlowVerdict::Allowed
    }

    /// Whether no policy has a say in it.
    pub fn is_ungoverned(&self) -> bool {
        let is_open = |g: &DecidedBy| matches!(g, DecidedBy::Ungoverned | DecidedBy::NoPod);
        is_open(&self.egress) && is_open(&self.ingress)
    }
}

/// The endpoints as Cilium sees them: as policies are written, and as if those that audit enforced.
#[derive(Debug)]
pub(super) struct Judge {
    written: PolicyWorld,
    enforced: PolicyWorld,
}

impl Judge {
    /// Builds both worlds over the policies of the objects.
    pub(super) fn new<'r>(
        objects: impl Iterator<Item = &'r Resource> + Clone,
        endpoints: &mut [Endpoint],
        assumptions: &Assumptions,
    ) -> Self {
        refer(endpoints);
        let resolver = endpoints.iter().find(|e| e.role == Role::Dns);
        let guessed = assumptions.guessed();
        let mut assumed = Assumed {
            pods: endpoints
                .iter()
                .filter(|e| e.is_pod())
                .map(|e| pod(e, &guessed))
                .collect(),
            resolver: resolver.map(|e| e.reference.clone()),
            all_pods: true,
            may_be_other_services: true,
            cluster_may_differ: true,
            ..Assumed::default()
        };
        let references: Vec<&str> = endpoints.iter().map(|e| e.reference.as_str()).collect();
        let written = PolicyWorld::new(objects.clone(), &assumed, &references);
        assumed.enforce = true;
        Self {
            written,
            enforced: PolicyWorld::new(objects, &assumed, &references),
        }
    }

    /// The policies of the objects.
    pub(super) fn policies(&self) -> &[Policy] {
        self.written.policies()
    }

    pub(super) fn world(&self, mode: Mode) -> &PolicyWorld {
        match mode {
            Mode::AsWritten => &self.written,
            Mode::AsEnforced => &self.enforced,
        }
    }

    /// Decides on one flow.
    pub(super) fn verdict(
        &self,
        from: &Endpoint,
        to: &Endpoint,
        protocol: Protocol,
        port: u16,
        mode: Mode,
    ) -> Verdict {
        let ask = |port| {
            self.world(mode)
                .ask(&from.reference, &to.reference, protocol, port)
        };
        let Some(answer) = ask(port) else {
            return Verdict {
                egress: DecidedBy::NoPod,
                ingress: DecidedBy::NoPod,
            };
        };
        let is_api_server = to.role == Role::ApiServer && API_SERVER.contains(&port);
        if is_api_server && answer.fate() == FlowVerdict::Denied {
            let others = API_SERVER.iter().filter(|p| **p != port);
            let passes = |a: Answer| a.fate() != FlowVerdict::Denied;
            if others.copied().any(|p| ask(p).is_some_and(passes)) {
                let why = "which port the API server has: 6443 or 443".to_owned();
                return Verdict {
                    egress: DecidedBy::Unknown(self.by(&answer.egress), why),
                    ingress: self.ground(&answer.ingress),
                };
            }
        }
        self.told(&answer)
    }

    fn told(&self, answer: &Answer) -> Verdict {
        let egress = match (&answer.name, answer.fate(), self.by(&answer.egress)) {
            (Some(why), FlowVerdict::Denied, Some(by)) => DecidedBy::NameUnknown(by, why.clone()),
            (Some(why), FlowVerdict::Unknown, by) => DecidedBy::Unknown(by, why.clone()),
            _ => self.ground(&answer.egress),
        };
        Verdict {
            egress,
            ingress: self.ground(&answer.ingress),
        }
    }

    fn by(&self, end: &End) -> Option<By> {
        // Of several policies the one that is about this pod rather than about all.
        let found = |id: &&String| self.policies().iter().find(|p| p.id == **id);
        let all: Vec<&Policy> = end.by.iter().filter_map(|id| found(&id)).collect();
        let policy = all.iter().find(|p| p.is_specific).or(all.first())?;
        Some(By {
            id: policy.id.clone(),
            rule: end.rule.clone().unwrap_or_default(),
            place: end
                .place
                .clone()
                .filter(|_| end.rule.is_some())
                .or_else(|| policy.place.clone()),
            is_specific: policy.is_specific,
        })
    }

    fn ground(&self, end: &End) -> DecidedBy {
        let why = || {
            end.why
                .clone()
                .unwrap_or_else(|| "it cannot be known".to_owned())
        };
        match (end.state, self.by(end)) {
            (State::NoEndpoint | State::OwnNode, _) => DecidedBy::NoPod,
            (State::Allowed | State::Proxied, Some(by)) => DecidedBy::Allowed(by),
            (State::Open | State::Allowed | State::Proxied, _) => DecidedBy::Ungoverned,
            (State::DeniedByRule | State::AuthenticationFails, Some(by)) => {
                DecidedBy::Forbidden(by)
            }
            (State::DeniedByDefault, Some(by)) => DecidedBy::DeniedByDefault(by),
            (_, by) if end.is_about_place => DecidedBy::Elsewhere(by),
            (_, by) => DecidedBy::Unknown(by, why()),
        }
    }
}

/// Gives each endpoint the reference by which it is asked for.
fn refer(endpoints: &mut [Endpoint]) {
    for index in 0..endpoints.len() {
        let endpoint = &endpoints[index];
        let mut reference = match endpoint.role {
            Role::ApiServer => "entity:kube-apiserver".to_owned(),
            Role::Host => "entity:host".to_owned(),
            _ if endpoint.is_pod() => format!("pod:{}/{}", endpoint.namespace, endpoint.name),
            _ => match (&endpoint.address, &endpoint.dns_name) {
                (Some(address), _) => format!("ip:{address}"),
                (None, Some(name)) => format!("fqdn:{name}"),
                (None, None) => "entity:remote-node".to_owned(),
            },
        };
        let is_taken = |r: &str| endpoints[..index].iter().any(|e| e.reference == r);
        if reference.starts_with("pod:") && is_taken(&reference) {
            reference.push_str(&format!("#{index}"));
        }
        endpoints[index].reference = reference;
    }
}

fn pod(endpoint: &Endpoint, guessed: &[Role]) -> Pod {
    Pod {
        reference: endpoint.reference.clone(),
        namespace: endpoint.namespace.clone(),
        labels: endpoint.labels.clone(),
        service_account: endpoint.service_account.clone(),
        ports: endpoint.ports.clone(),
        has_guessed_labels: endpoint.has_guessed_labels,
        is_guess: endpoint.assumed && guessed.contains(&endpoint.role),
        varying: endpoint.varying.clone(),
        place: endpoint.place.clone(),
        ..Pod::default()
    }
}

/// The objects but those of some identities.
pub(super) fn without<'r>(
    resources: &'r ResMap,
    ids: &'r [String],
) -> impl Iterator<Item = &'r Resource> + Clone {
    resources
        .iter()
        .filter(move |r| !ids.contains(&r.id().to_string()))
}
