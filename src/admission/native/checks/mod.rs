//! What Go code checks in built-in kinds, kind by kind.
//!
//! `pkg/apis/*/validation` and the strategies of `pkg/registry` of k8s.io/kubernetes v1.34 are the reference; a file
//! names the part that it follows. What only other objects can tell (a namespace, a class, a quota) is not looked at.

mod admission;
mod autoscaling;
mod batch;
mod config;
mod container;
mod crd;
mod cron;
mod network;
mod pod;
mod rbac;
mod resources;
mod scheduling;
mod security;
mod service;
mod storage;
mod volume;
mod workload;

pub(super) use resources::quantity;
use serde_json::Value;

use super::look::Look;
use super::meta::{self, NameTest};
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::verdict::Causes;

/// A check of a kind.
type Check = fn(&Value, &mut Causes);

/// Kinds by group and name, the test of their names, and their checks.
const KINDS: &[(&str, &str, NameTest, Check)] = &[
    ("", "Pod", names::dns1123_subdomain, workload::pod),
    (
        "",
        "PodTemplate",
        names::dns1123_subdomain,
        workload::pod_template,
    ),
    (
        "",
        "ReplicationController",
        names::dns1123_subdomain,
        workload::replication_controller,
    ),
    (
        "apps",
        "Deployment",
        names::dns1123_subdomain,
        workload::deployment,
    ),
    (
        "apps",
        "StatefulSet",
        names::dns1123_subdomain,
        workload::stateful_set,
    ),
    (
        "apps",
        "DaemonSet",
        names::dns1123_subdomain,
        workload::daemon_set,
    ),
    (
        "apps",
        "ReplicaSet",
        names::dns1123_subdomain,
        workload::replica_set,
    ),
    ("batch", "Job", names::dns1123_subdomain, batch::job),
    (
        "batch",
        "CronJob",
        names::dns1123_subdomain,
        batch::cron_job,
    ),
    ("", "Service", names::dns1035_label, service::service),
    (
        "",
        "ConfigMap",
        names::dns1123_subdomain,
        config::config_map,
    ),
    ("", "Secret", names::dns1123_subdomain, config::secret),
    (
        "",
        "ServiceAccount",
        names::dns1123_subdomain,
        config::service_account,
    ),
    ("", "Namespace", names::dns1123_label, config::namespace),
    (
        "",
        "LimitRange",
        names::dns1123_subdomain,
        resources::limit_range,
    ),
    (
        "",
        "ResourceQuota",
        names::dns1123_subdomain,
        resources::resource_quota,
    ),
    (
        "",
        "PersistentVolumeClaim",
        names::dns1123_subdomain,
        storage::claim,
    ),
    (
        "",
        "PersistentVolume",
        names::dns1123_subdomain,
        storage::persistent_volume,
    ),
    (
        "",
        "Endpoints",
        names::dns1123_subdomain,
        network::endpoints,
    ),
    (
        "storage.k8s.io",
        "StorageClass",
        names::dns1123_subdomain,
        storage::class,
    ),
    (
        "storage.k8s.io",
        "CSIDriver",
        names::dns1123_subdomain,
        storage::csi_driver,
    ),
    (
        "networking.k8s.io",
        "Ingress",
        names::dns1123_subdomain,
        network::ingress,
    ),
    (
        "networking.k8s.io",
        "IngressClass",
        names::dns1123_subdomain,
        network::ingress_class,
    ),
    (
        "networking.k8s.io",
        "NetworkPolicy",
        names::dns1123_subdomain,
        network::network_policy,
    ),
    (
        "discovery.k8s.io",
        "EndpointSlice",
        names::dns1123_subdomain,
        network::endpoint_slice,
    ),
    (
        "autoscaling",
        "HorizontalPodAutoscaler",
        names::dns1123_subdomain,
        autoscaling::autoscaler,
    ),
    (
        "policy",
        "PodDisruptionBudget",
        names::dns1123_subdomain,
        autoscaling::disruption_budget,
    ),
    (
        "rbac.authorization.k8s.io",
        "Role",
        names::path_segment,
        rbac::role,
    ),
    (
        "rbac.authorization.k8s.io",
        "ClusterRole",
        names::path_segment,
        rbac::cluster_role,
    ),
    (
        "rbac.authorization.k8s.io",
        "RoleBinding",
        names::path_segment,
        rbac::role_binding,
    ),
    (
        "rbac.authorization.k8s.io",
        "ClusterRoleBinding",
        names::path_segment,
        rbac::cluster_role_binding,
    ),
    (
        "scheduling.k8s.io",
        "PriorityClass",
        names::dns1123_subdomain,
        scheduling::priority_class,
    ),
    (
        "node.k8s.io",
        "RuntimeClass",
        names::dns1123_subdomain,
        scheduling::runtime_class,
    ),
    (
        "coordination.k8s.io",
        "Lease",
        names::dns1123_subdomain,
        scheduling::lease,
    ),
    (
        "apiregistration.k8s.io",
        "APIService",
        names::path_segment,
        admission::api_service,
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
        names::dns1123_subdomain,
        admission::webhooks,
    ),
    (
        "admissionregistration.k8s.io",
        "MutatingWebhookConfiguration",
        names::dns1123_subdomain,
        admission::webhooks,
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicy",
        names::dns1123_subdomain,
        admission::policy,
    ),
    (
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicyBinding",
        names::dns1123_subdomain,
        admission::binding,
    ),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        names::dns1123_subdomain,
        crd::definition,
    ),
];

/// The test of the names of a kind.
pub(in crate::admission) fn name_test(group: &str, kind: &str) -> NameTest {
    let row = KINDS.iter().find(|(g, k, ..)| *g == group && *k == kind);
    row.map_or(names::path_segment, |(_, _, test, _)| *test)
}

/// Checks an object of a built-in kind, with its defaults set.
pub(super) fn check(group: &str, kind: &str, object: &Value, causes: &mut Causes) {
    if let Some((.., check)) = KINDS.iter().find(|(g, k, ..)| *g == group && *k == kind) {
        check(object, causes);
    }
}

/// A number that may not be less than nothing.
fn not_negative(value: &Value, field: &str, path: &Path<'_>, causes: &mut Causes) {
    if value.int(field).is_some_and(|number| number < 0) {
        causes.invalid(&path.field(field), "must be greater than or equal to 0");
    }
}

/// Several numbers that may not be less than nothing.
fn none_negative(value: &Value, fields: &[&str], path: &Path<'_>, causes: &mut Causes) {
    for field in fields {
        not_negative(value, field, path, causes);
    }
}

/// A text that is one of those that are known; an empty one is as it is absent.
fn one_of(value: &Value, field: &str, known: &[&str], path: &Path<'_>, causes: &mut Causes) {
    let text = value.text(field);
    if value.has(field) && !known.contains(&text) && !super::look::is_open(text) {
        causes.unsupported(&path.field(field), known);
        if let Some(near) = crate::diagnostic::nearest(text, known.iter().copied()) {
            causes.help(format!("did you mean {near}?"));
        }
    }
}

/// A port by number or name.
fn port(value: &Value, path: &Path<'_>, causes: &mut Causes) {
    match value.as_str() {
        Some(name) => meta::text(name, names::port_name, path, causes),
        None => port_number(value.as_i64().unwrap_or_default(), path, causes),
    }
}

fn port_number(number: i64, path: &Path<'_>, causes: &mut Causes) {
    if !(1..=65535).contains(&number) {
        causes.invalid(path, "must be between 1 and 65535, inclusive");
    }
}

/// A whole number or a percentage, neither less than nothing.
fn int_or_percent(value: &Value, path: &Path<'_>, causes: &mut Causes) {
    match (value.as_str(), value.as_i64()) {
        (Some(text), _) if names::percent(text).is_none() && !super::look::is_open(text) => {
            causes.invalid(path, "must be a whole number or a percentage such as 25%");
        }
        (None, Some(number)) if number < 0 => {
            causes.invalid(path, "must be greater than or equal to 0");
        }
        _ => {}
    }
}

/// As [`int_or_percent`], and at most everything.
fn part(value: &Value, path: &Path<'_>, causes: &mut Causes) {
    int_or_percent(value, path, causes);
    if value
        .as_str()
        .and_then(names::percent)
        .is_some_and(|percent| percent > 100)
    {
        causes.invalid(path, "must not be greater than 100%");
    }
}

/// Whether a number or percentage is nothing.
fn is_nothing(value: &Value) -> bool {
    match value.as_str() {
        Some(text) => names::percent(text) == Some(0),
        None => value.as_i64().unwrap_or_default() == 0,
    }
}

/// Names that are in a list twice, by their position.
fn twice<'v>(names: impl IntoIterator<Item = &'v str>) -> Vec<usize> {
    let mut seen = std::collections::BTreeSet::new();
    let names = names.into_iter().enumerate();
    names
        .filter(|(_, name)| !seen.insert(*name))
        .map(|(index, _)| index)
        .collect()
}
