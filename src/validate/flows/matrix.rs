//! The flows that CloudNativePG needs, as data. Facts of CNPG 1.28 and Barman Cloud plugin 0.14.

use super::endpoint::Role;
use crate::cilium::Protocol;

/// How much a flow matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Importance {
    /// Without it something breaks.
    Required,
    /// Some clusters need it; others do not miss it.
    Advised,
}

/// When a flow is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Wherever both ends are.
    Always,
    /// Where a Cluster has more than one instance.
    SeveralInstances,
    /// Where a monitor of the render scrapes the target.
    Scraped,
    /// Where a Cluster of the render uses the Barman Cloud plugin.
    BackupPlugin,
    /// From the Jobs that make the first instance.
    Bootstrap,
    /// From the Jobs that make the other ones.
    Join,
}

/// Which port a flow goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    /// This one.
    Port(u16),
    /// The one that the object that points at the target tells.
    Linked,
}

/// One flow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    pub(super) id: &'static str,
    pub(super) from: Role,
    pub(super) to: Role,
    pub(super) port: To,
    pub(super) protocol: Protocol,
    pub(super) when: When,
    pub(super) importance: Importance,
    pub(super) why: &'static str,
}

/// A row: name, ends, port, protocol, condition, importance, reason.
#[expect(clippy::too_many_arguments, reason = "the columns of a table")]
const fn row(
    id: &'static str,
    from: Role,
    to: Role,
    port: To,
    protocol: Protocol,
    when: When,
    importance: Importance,
    why: &'static str,
) -> Need {
    Need {
        id,
        from,
        to,
        port,
        protocol,
        when,
        importance,
        why,
    }
}

use Importance::{Advised, Required};
use Protocol::{Tcp, Udp};
use Role::{
    ApiServer, BackupPlugin, Client, Dns, ExternalDatabase, Host, Instance, Job, ObjectStore,
    Operator, Pooler, Prometheus, RemoteNode,
};
use To::{Linked, Port};
use When::{Always, Scraped, SeveralInstances};

/// The rows of the flow matrix.
#[rustfmt::skip]
pub(super) const NEEDS: &[Need] = &[
    // The operator.
    row("webhook",             ApiServer,    Operator,  Port(9443), Tcp, Always,  Required, "admission webhooks: every change of a Cluster fails without them"),
    row("webhook-tunnel",      RemoteNode,   Operator,  Port(9443), Tcp, Always,  Required, "admission webhooks: in tunnel mode the API server shows as a remote node"),
    row("webhook-host",        Host,         Operator,  Port(9443), Tcp, Always,  Required, "admission webhooks and probes from the operator's own node"),
    row("operator-api",        Operator,     ApiServer, Port(6443), Tcp, Always,  Required, "everything the operator does"),
    row("operator-api-443",    Operator,     ApiServer, Port(443),  Tcp, Always,  Advised,  "the API server's Service, where it is not translated before the policy is applied"),
    row("operator-dns",        Operator,     Dns,       Port(53),   Udp, Always,  Required, "names of Services"),
    row("operator-dns-tcp",    Operator,     Dns,       Port(53),   Tcp, Always,  Required, "names of Services: truncated answers are asked for again over TCP"),
    row("instance-status",     Operator,     Instance,  Port(8000), Tcp, Always,  Required, "instance status, WAL and backup control"),
    row("instance-sql",        Operator,     Instance,  Port(5432), Tcp, Always,  Advised,  "SQL, which CNPG's own example allows"),
    row("plugin-grpc",         Operator,     BackupPlugin, Port(9090), Tcp, When::BackupPlugin, Required, "the plugin: a Cluster that uses it is neither reconciled nor backed up"),
    row("operator-metrics",    Prometheus,   Operator,  Port(8080), Tcp, Scraped, Required, "metrics of the operator"),
    // The Barman Cloud plugin.
    row("plugin-api",          BackupPlugin, ApiServer, Port(6443), Tcp, Always,  Required, "the plugin's controller and leader election"),
    row("plugin-api-443",      BackupPlugin, ApiServer, Port(443),  Tcp, Always,  Advised,  "the API server's Service, where it is not translated before the policy is applied"),
    row("plugin-dns",          BackupPlugin, Dns,       Port(53),   Udp, Always,  Required, "names of Services"),
    row("plugin-dns-tcp",      BackupPlugin, Dns,       Port(53),   Tcp, Always,  Required, "names of Services: truncated answers are asked for again over TCP"),
    row("plugin-probe",        Host,         BackupPlugin, Port(9090), Tcp, Always, Required, "probes of the kubelet"),
    // Instances.
    row("instance-api",        Instance,     ApiServer, Port(6443), Tcp, Always,  Required, "the instance manager: the pod exits without it"),
    row("instance-api-443",    Instance,     ApiServer, Port(443),  Tcp, Always,  Advised,  "the API server's Service, where it is not translated before the policy is applied"),
    row("instance-dns",        Instance,     Dns,       Port(53),   Udp, Always,  Required, "names of the cluster's Services and of the object store"),
    row("instance-dns-tcp",    Instance,     Dns,       Port(53),   Tcp, Always,  Required, "names: truncated answers are asked for again over TCP"),
    row("replication",         Instance,     Instance,  Port(5432), Tcp, SeveralInstances, Required, "replication"),
    row("isolation-check",     Instance,     Instance,  Port(8000), Tcp, SeveralInstances, Required, "the primary's isolation check: without it and the API the kubelet restarts the primary"),
    row("instance-probe",      Host,         Instance,  Port(8000), Tcp, Always,  Required, "probes of the kubelet"),
    row("instance-metrics",    Prometheus,   Instance,  Port(9187), Tcp, Scraped, Required, "metrics of the instances"),
    row("instance-proxy",      ApiServer,    Instance,  Port(8000), Tcp, Always,  Advised,  "kubectl cnpg status, which goes through the API server"),
    row("instance-backup",     Instance,     ObjectStore, Linked,   Tcp, Always,  Required, "WAL archive, backup and restore"),
    row("instance-external",   Instance,     ExternalDatabase, Linked, Tcp, Always, Required, "the source of a replica cluster"),
    // Jobs: initdb, import, join, recovery.
    row("job-api",             Job,          ApiServer, Port(6443), Tcp, Always,  Required, "the instance manager, which the Jobs of a cluster run too"),
    row("job-api-443",         Job,          ApiServer, Port(443),  Tcp, Always,  Advised,  "the API server's Service, where it is not translated before the policy is applied"),
    row("job-dns",             Job,          Dns,       Port(53),   Udp, Always,  Required, "names of the cluster's Services and of the object store"),
    row("job-dns-tcp",         Job,          Dns,       Port(53),   Tcp, Always,  Required, "names: truncated answers are asked for again over TCP"),
    row("join",                Job,          Instance,  Port(5432), Tcp, When::Join, Required, "joining: a new instance copies the primary"),
    row("job-restore",         Job,          ObjectStore, Linked,   Tcp, When::Bootstrap, Required, "restoring from a backup"),
    row("job-import",          Job,          ExternalDatabase, Linked, Tcp, When::Bootstrap, Required, "importing from another database"),
    // Poolers.
    row("pooler-sql",          Pooler,       Instance,  Port(5432), Tcp, Always,  Required, "what the pooler is there for"),
    row("pooler-api",          Pooler,       ApiServer, Port(6443), Tcp, Always,  Required, "the pooler's manager"),
    row("pooler-api-443",      Pooler,       ApiServer, Port(443),  Tcp, Always,  Advised,  "the API server's Service, where it is not translated before the policy is applied"),
    row("pooler-dns",          Pooler,       Dns,       Port(53),   Udp, Always,  Required, "the name of the cluster's Service"),
    row("pooler-dns-tcp",      Pooler,       Dns,       Port(53),   Tcp, Always,  Required, "names: truncated answers are asked for again over TCP"),
    row("pooler-probe",        Host,         Pooler,    Port(5432), Tcp, Always,  Required, "probes of the kubelet"),
    row("pooler-metrics",      Prometheus,   Pooler,    Port(9127), Tcp, Scraped, Required, "metrics of the poolers"),
    // Clients.
    row("client-sql",          Client,       Instance,  Port(5432), Tcp, Always,  Required, "the application's connection"),
    row("client-pooler",       Client,       Pooler,    Port(5432), Tcp, Always,  Required, "the application's connection"),
];
