//! Pods that the CNPG operator makes: instances, Jobs and poolers, with the labels of CNPG 1.28.

use super::{labels, text};
use crate::cilium::{NamedPort, Protocol};
use crate::kube::Resource;
use crate::validate::flows::endpoint::{Endpoint, Role};

/// The API group of CloudNativePG.
const GROUP: &str = "postgresql.cnpg.io";

/// The label that tells what a Job of a Cluster does, and its value for those that join an instance.
const JOB_ROLE: &str = "cnpg.io/jobRole";
const JOIN: &str = "join";

const INSTANCE_PORTS: &[(&str, u16)] = &[("postgresql", 5432), ("metrics", 9187), ("status", 8000)];
const POOLER_PORTS: &[(&str, u16)] = &[("pgbouncer", 5432), ("metrics", 9127)];

/// The pods of a Cluster or a Pooler; none for any other object.
pub(super) fn of(resource: &Resource) -> Vec<Endpoint> {
    if resource.gvk().is(GROUP, "Cluster") {
        let instances = instances_of(resource);
        let join = (instances.count > 1).then(|| join_job(resource));
        let jobs = [instances, bootstrap_jobs(resource)].into_iter();
        jobs.chain(join).collect()
    } else if resource.gvk().is(GROUP, "Pooler") {
        vec![pooler_of(resource)]
    } else {
        Vec::new()
    }
}

/// The instance that stands for every Cluster, in a render that has none.
pub(super) fn any_instance() -> Endpoint {
    let mut endpoint = Endpoint::pod(
        "any CNPG cluster",
        "another-namespace",
        Role::Instance,
        instance_labels("any-cluster"),
    );
    endpoint.assumed = true;
    endpoint.ports = ports(INSTANCE_PORTS);
    endpoint
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

/// What all pods of a Cluster have.
fn common_labels(cluster: &str, component: &str) -> Vec<(String, String)> {
    owned(&[
        ("cnpg.io/cluster", cluster),
        ("app.kubernetes.io/name", "postgresql"),
        ("app.kubernetes.io/instance", cluster),
        ("app.kubernetes.io/component", component),
        ("app.kubernetes.io/managed-by", "cloudnative-pg"),
    ])
}

fn instance_labels(cluster: &str) -> Vec<(String, String)> {
    let mut all = common_labels(cluster, "database");
    all.extend(owned(&[
        ("cnpg.io/podRole", "instance"),
        ("cnpg.io/instanceName", &format!("{cluster}-1")),
        ("cnpg.io/instanceRole", "primary"),
        ("role", "primary"),
    ]));
    all
}

fn ports(table: &[(&str, u16)]) -> Vec<NamedPort> {
    table
        .iter()
        .map(|(name, number)| NamedPort {
            name: (*name).to_owned(),
            number: *number,
            protocol: Protocol::Tcp,
        })
        .collect()
}

/// Puts what a Cluster hands down before what the operator sets, which wins.
fn with_inherited(resource: &Resource, own: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut all = labels(
        resource
            .node()
            .lookup(&["spec", "inheritedMetadata", "labels"]),
    );
    all.retain(|(key, _)| own.iter().all(|(k, _)| k != key));
    all.extend(own);
    all
}

/// The instances of a Cluster.
pub(in crate::validate) fn instances_of(resource: &Resource) -> Endpoint {
    let name = resource.name();
    let own = with_inherited(resource, instance_labels(name));
    let mut endpoint = belonging(resource, name, Role::Instance, own);
    endpoint.ports = ports(INSTANCE_PORTS);
    endpoint.count = text(resource, &["spec", "instances"])
        .and_then(|t| t.parse().ok())
        .unwrap_or(1);
    if endpoint.count > 1 {
        // One of them is the primary, and the others are replicas.
        endpoint.varying = ["cnpg.io/instanceRole", "role"].map(str::to_owned).into();
    }
    for service in ["rw", "ro", "r"] {
        endpoint
            .services
            .push((endpoint.namespace.clone(), format!("{name}-{service}")));
    }
    endpoint
}

/// The Jobs that make the first instance.
fn bootstrap_jobs(resource: &Resource) -> Endpoint {
    let bootstrap = |path: &[&str]| {
        let node = resource.node().lookup(&["spec", "bootstrap"]);
        node.and_then(|n| n.lookup(path)).is_some()
    };
    let role = if bootstrap(&["recovery", "volumeSnapshots"]) {
        "snapshot-recovery"
    } else if bootstrap(&["recovery"]) {
        "full-recovery"
    } else if bootstrap(&["pg_basebackup"]) {
        "pgbasebackup"
    } else if bootstrap(&["initdb", "import"]) {
        "import"
    } else {
        "initdb"
    };
    job(resource, "jobs", role, "1")
}

/// The Job that makes each other instance.
fn join_job(resource: &Resource) -> Endpoint {
    job(resource, "join job", JOIN, "2")
}

fn job(resource: &Resource, title: &str, role: &str, instance: &str) -> Endpoint {
    let name = resource.name();
    let mut own = common_labels(name, "database");
    own.extend(owned(&[
        (JOB_ROLE, role),
        ("cnpg.io/instanceName", &format!("{name}-{instance}")),
    ]));
    let title = format!("{name} ({title})");
    belonging(resource, &title, Role::Job, with_inherited(resource, own))
}

/// Whether a Job joins an instance to the others.
pub(in crate::validate::flows) fn joins(job: &Endpoint) -> bool {
    job.label(JOB_ROLE) == Some(JOIN)
}

/// The pods of a Pooler.
pub(in crate::validate) fn pooler_of(resource: &Resource) -> Endpoint {
    let name = resource.name();
    let cluster = text(resource, &["spec", "cluster", "name"]).unwrap_or_default();
    let mut own = labels(
        resource
            .node()
            .lookup(&["spec", "template", "metadata", "labels"]),
    );
    own.extend(common_labels(cluster, "pooler"));
    own.extend(owned(&[
        ("cnpg.io/podRole", "pooler"),
        ("cnpg.io/poolerName", name),
    ]));
    let mut endpoint = belonging(resource, name, Role::Pooler, own);
    endpoint.cluster = Some((endpoint.namespace.clone(), cluster.to_owned()));
    endpoint.ports = ports(POOLER_PORTS);
    endpoint
        .services
        .push((endpoint.namespace.clone(), name.to_owned()));
    endpoint
}

fn belonging(resource: &Resource, title: &str, role: Role, own: Vec<(String, String)>) -> Endpoint {
    let namespace = resource.effective_namespace();
    let mut endpoint = Endpoint::pod(title, namespace, role, own);
    endpoint.cluster = Some((namespace.to_owned(), resource.name().to_owned()));
    endpoint.place = resource.place();
    // The operator makes a service account for each Cluster and each Pooler, of the same name.
    endpoint.run_as(resource.name());
    endpoint
}
