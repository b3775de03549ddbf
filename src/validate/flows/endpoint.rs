//! Who talks: pods by their labels, and what is no pod by its entity, name or address.

use std::net::IpAddr;

use crate::cilium::NamedPort;
use crate::diagnostic::Place;

/// What an endpoint is to CloudNativePG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The CNPG operator.
    Operator,
    /// The instances of a Cluster.
    Instance,
    /// The Jobs of a Cluster: initdb, join, recovery.
    Job,
    /// The pods of a Pooler.
    Pooler,
    /// The Barman Cloud plugin.
    BackupPlugin,
    /// Prometheus.
    Prometheus,
    /// The cluster's DNS.
    Dns,
    /// The Kubernetes API server.
    ApiServer,
    /// Other nodes, which also hide the API server in tunnel mode.
    RemoteNode,
    /// The node itself: the kubelet.
    Host,
    /// Pods that use a Cluster.
    Client,
    /// Where backups go.
    ObjectStore,
    /// A PostgreSQL beyond the render, from which a Cluster starts or which it follows.
    ExternalDatabase,
    /// Any other pod.
    Workload,
}

/// One kind of pod, or something that is no pod.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// What reports call it.
    pub name: String,
    /// Its namespace; empty for what is no pod.
    pub namespace: String,
    /// What it is to CloudNativePG.
    pub role: Role,
    /// The Cluster it belongs to or uses, as namespace and name.
    pub cluster: Option<(String, String)>,
    /// The object it comes from; `None` when it is assumed to be there.
    pub place: Option<Place>,
    /// Whether no object of the render tells of it.
    pub assumed: bool,
    /// What it is asked for as; set by the judge.
    pub(super) reference: String,
    pub(super) labels: Vec<(String, String)>,
    pub(super) service_account: Option<String>,
    /// The keys of labels in which its pods differ.
    pub(super) varying: Vec<String>,
    /// Whether its own labels are a guess, because what makes its pods is not in the render.
    pub(super) has_guessed_labels: bool,
    pub(super) ports: Vec<NamedPort>,
    pub(super) dns_name: Option<String>,
    pub(super) address: Option<IpAddr>,
    /// The Services in front of it, as namespace and name.
    pub(super) services: Vec<(String, String)>,
    /// How many there are, where it matters: one instance has no other to talk to.
    pub(super) count: u32,
}

impl Endpoint {
    /// Builds a kind of pod.
    pub(super) fn pod(
        name: impl Into<String>,
        namespace: &str,
        role: Role,
        labels: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        Self {
            labels: labels.into_iter().collect(),
            namespace: namespace.to_owned(),
            ..Self::unlabelled(name, role)
        }
    }

    /// Says under which service account a pod runs.
    pub(super) fn run_as(&mut self, account: &str) {
        self.service_account = Some(account.to_owned());
    }

    /// Builds what is not a pod: the API server, a node.
    pub(super) fn entity(name: &str, role: Role) -> Self {
        Self {
            assumed: true,
            ..Self::unlabelled(name, role)
        }
    }

    /// Builds what lies beyond the cluster.
    pub(super) fn world(name: impl Into<String>, role: Role) -> Self {
        let name = name.into();
        let address = name.parse().ok();
        Self {
            dns_name: address.is_none().then(|| name.clone()),
            address,
            ..Self::unlabelled(name, role)
        }
    }

    fn unlabelled(name: impl Into<String>, role: Role) -> Self {
        Self {
            name: name.into(),
            namespace: String::new(),
            role,
            cluster: None,
            place: None,
            assumed: false,
            reference: String::new(),
            labels: Vec::new(),
            service_account: None,
            varying: Vec::new(),
            has_guessed_labels: false,
            ports: Vec::new(),
            dns_name: None,
            address: None,
            services: Vec::new(),
            count: 1,
        }
    }

    /// Whether policies can select it.
    pub fn is_pod(&self) -> bool {
        !self.namespace.is_empty()
    }

    /// Whether it is the node that a pod runs on, to which Cilium leaves every way open.
    pub(super) fn is_host(&self) -> bool {
        self.role == Role::Host
    }

    /// The value of a pod's own label.
    pub(super) fn label(&self, key: &str) -> Option<&str> {
        self.own_labels()
            .find(|(k, _)| *k == key)
            .map(|(_, value)| value)
    }

    /// The pod's own labels.
    pub fn own_labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.labels
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// What reports call it: with its namespace, where it has one.
    pub fn title(&self) -> String {
        if self.is_pod() {
            format!("{}/{}", self.namespace, self.name)
        } else {
            self.name.clone()
        }
    }
}
