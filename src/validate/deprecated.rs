//! Fields and API versions that are deprecated, or gone.

use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::{ResMap, Resource};

/// A field of a kind: since when it is deprecated, and what to use.
struct Field {
    group: &'static str,
    kind: &'static str,
    path: &'static [&'static str],
    since: &'static str,
    instead: &'static str,
}

const CNPG: &str = "postgresql.cnpg.io";

/// The fields.
const FIELDS: &[Field] = &[
    Field {
        group: CNPG,
        kind: "Cluster",
        path: &["spec", "monitoring", "enablePodMonitor"],
        since: "CNPG 1.25.4, 1.26.2 and 1.27.1",
        instead: "write a PodMonitor, or use the overlay cnpg-podmonitor",
    },
    Field {
        group: CNPG,
        kind: "Pooler",
        path: &["spec", "monitoring", "enablePodMonitor"],
        since: "CNPG 1.25.4, 1.26.2 and 1.27.1",
        instead: "write a PodMonitor, or use the overlay cnpg-podmonitor",
    },
    Field {
        group: CNPG,
        kind: "Cluster",
        path: &["spec", "backup", "barmanObjectStore"],
        since: "CNPG 1.26",
        instead: "use the Barman Cloud plugin: an ObjectStore, and spec.plugins",
    },
    Field {
        group: CNPG,
        kind: "Cluster",
        path: &["spec", "backup", "retentionPolicy"],
        since: "CNPG 1.26",
        instead: "set retentionPolicy in the spec of the ObjectStore",
    },
];

/// A version of a group: from when it is gone, and what to use. An empty kind means all of them.
struct Version {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    gone: &'static str,
    instead: &'static str,
}

const fn gone(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    gone: &'static str,
    instead: &'static str,
) -> Version {
    Version {
        group,
        version,
        kind,
        gone,
        instead,
    }
}

/// The versions.
const VERSIONS: &[Version] = &[
    gone("apps", "v1beta1", "", "Kubernetes 1.16", "apps/v1"),
    gone("apps", "v1beta2", "", "Kubernetes 1.16", "apps/v1"),
    gone(
        "extensions",
        "v1beta1",
        "PodSecurityPolicy",
        "Kubernetes 1.16",
        "Pod Security Admission",
    ),
    gone(
        "extensions",
        "v1beta1",
        "",
        "Kubernetes 1.22",
        "apps/v1 or networking.k8s.io/v1",
    ),
    gone(
        "networking.k8s.io",
        "v1beta1",
        "Ingress",
        "Kubernetes 1.22",
        "networking.k8s.io/v1",
    ),
    gone(
        "networking.k8s.io",
        "v1beta1",
        "IngressClass",
        "Kubernetes 1.22",
        "networking.k8s.io/v1",
    ),
    gone(
        "rbac.authorization.k8s.io",
        "v1beta1",
        "",
        "Kubernetes 1.22",
        "rbac.authorization.k8s.io/v1",
    ),
    gone(
        "admissionregistration.k8s.io",
        "v1beta1",
        "MutatingWebhookConfiguration",
        "Kubernetes 1.22",
        "admissionregistration.k8s.io/v1",
    ),
    gone(
        "admissionregistration.k8s.io",
        "v1beta1",
        "ValidatingWebhookConfiguration",
        "Kubernetes 1.22",
        "admissionregistration.k8s.io/v1",
    ),
    gone(
        "apiextensions.k8s.io",
        "v1beta1",
        "",
        "Kubernetes 1.22",
        "apiextensions.k8s.io/v1",
    ),
    gone("batch", "v1beta1", "CronJob", "Kubernetes 1.25", "batch/v1"),
    gone(
        "policy",
        "v1beta1",
        "PodSecurityPolicy",
        "Kubernetes 1.25",
        "Pod Security Admission",
    ),
    gone("policy", "v1beta1", "", "Kubernetes 1.25", "policy/v1"),
    gone(
        "autoscaling",
        "v2beta1",
        "",
        "Kubernetes 1.25",
        "autoscaling/v2",
    ),
    gone(
        "autoscaling",
        "v2beta2",
        "",
        "Kubernetes 1.26",
        "autoscaling/v2",
    ),
    gone(
        "storage.k8s.io",
        "v1beta1",
        "CSIStorageCapacity",
        "Kubernetes 1.27",
        "storage.k8s.io/v1",
    ),
    gone(
        "apiregistration.k8s.io",
        "v1beta1",
        "",
        "Kubernetes 1.22",
        "apiregistration.k8s.io/v1",
    ),
    gone(
        "certificates.k8s.io",
        "v1beta1",
        "CertificateSigningRequest",
        "Kubernetes 1.22",
        "certificates.k8s.io/v1",
    ),
    gone(
        "coordination.k8s.io",
        "v1beta1",
        "Lease",
        "Kubernetes 1.22",
        "coordination.k8s.io/v1",
    ),
    gone(
        "scheduling.k8s.io",
        "v1beta1",
        "PriorityClass",
        "Kubernetes 1.22",
        "scheduling.k8s.io/v1",
    ),
    gone(
        "storage.k8s.io",
        "v1beta1",
        "CSIDriver",
        "Kubernetes 1.22",
        "storage.k8s.io/v1",
    ),
    gone(
        "storage.k8s.io",
        "v1beta1",
        "StorageClass",
        "Kubernetes 1.22",
        "storage.k8s.io/v1",
    ),
    gone(
        "node.k8s.io",
        "v1beta1",
        "RuntimeClass",
        "Kubernetes 1.25",
        "node.k8s.io/v1",
    ),
    gone(
        "discovery.k8s.io",
        "v1beta1",
        "EndpointSlice",
        "Kubernetes 1.25",
        "discovery.k8s.io/v1",
    ),
    gone(
        "flowcontrol.apiserver.k8s.io",
        "v1beta1",
        "",
        "Kubernetes 1.26",
        "flowcontrol.apiserver.k8s.io/v1",
    ),
    gone(
        "flowcontrol.apiserver.k8s.io",
        "v1beta2",
        "",
        "Kubernetes 1.29",
        "flowcontrol.apiserver.k8s.io/v1",
    ),
    gone(
        "flowcontrol.apiserver.k8s.io",
        "v1beta3",
        "",
        "Kubernetes 1.32",
        "flowcontrol.apiserver.k8s.io/v1",
    ),
];

/// Reports each of them that a render uses.
pub(super) fn check(resources: &ResMap) -> Report {
    let mut report = Report::default();
    for resource in resources.iter() {
        report
            .findings
            .extend(VERSIONS.iter().find_map(|v| version(resource, v)));
        report
            .findings
            .extend(FIELDS.iter().filter_map(|f| field(resource, f)));
    }
    report
}

fn version(resource: &Resource, row: &Version) -> Option<Diagnostic> {
    let gvk = resource.gvk();
    let is_meant = gvk.group == row.group
        && gvk.version == row.version
        && (row.kind.is_empty() || gvk.kind == row.kind);
    is_meant.then(|| {
        let phrase = format!(
            "{} of {} is gone since {}",
            gvk.api_version(),
            resource.id(),
            row.gone
        );
        let key = resource
            .node()
            .as_mapping()
            .and_then(|m| m.get("apiVersion"));
        Diagnostic::new(Code::Deprecated, phrase)
            .at(key.and_then(|k| resource.place_of(k)))
            .help(format!("use {}", row.instead))
    })
}

fn field(resource: &Resource, row: &Field) -> Option<Diagnostic> {
    if !resource.gvk().is(row.group, row.kind) {
        return None;
    }
    let (last, parents) = row.path.split_last()?;
    let entry = resource.node().lookup(parents)?.as_mapping()?.entry(last)?;
    let is_off = entry.value.as_bool() == Some(false) || entry.value.is_null();
    (!is_off).then(|| {
        let phrase = format!(
            "{} of {} is deprecated since {}",
            row.path.join("."),
            resource.id(),
            row.since
        );
        Diagnostic::new(Code::Deprecated, phrase)
            .at(resource.place_of(&entry.key))
            .help(row.instead)
    })
}
