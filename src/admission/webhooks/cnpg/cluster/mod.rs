//! What the operator says of a Cluster: `internal/webhook/v1/cluster_webhook.go` of CloudNativePG 1.28 to 1.30.
//!
//! The functions have upstream's names and its field paths, odd ones included (`spec.superusersecret.name`,
//! `spec.replicaCluster`). A field that a version does not have was dropped before, so that a newer check finds
//! nothing there. Of a pod patch only its form is judged, not whether it applies to the pod that the operator makes.
//! Pinned by the recorded cases `cluster-*` and `update-*` of the group `admission`.

mod barman;
mod bootstrap;
mod changes;
mod postgresql;
mod replica;
mod storage;
mod workload;

use serde_json::Value;

use super::{Cnpg, Judging};
use crate::admission::Reason;
use crate::admission::native::Look;
use crate::admission::quantity::Quantity;

/// Checks a Cluster, and the change from the one that is there.
pub(super) fn check(hook: &Cnpg, cluster: &Value, old: Option<&Value>, judging: &mut Judging<'_>) {
    bootstrap::check(cluster, judging);
    image(cluster, judging);
    secrets(cluster, judging);
    synchronous_replicas(cluster, judging);
    storage::check(cluster, judging);
    name(cluster, judging);
    workload::check(hook, cluster, judging);
    replica::check(cluster, judging);
    barman::check(cluster, judging);
    postgresql::check(cluster, judging);
    if let Some(old) = old {
        changes::check(cluster, old, judging);
    }
    warnings(cluster, judging);
}

/// The number of instances.
fn instances(cluster: &Value) -> i64 {
    cluster.at("spec").int("instances").unwrap_or_default()
}

fn parameter<'c>(cluster: &'c Value, name: &str) -> &'c str {
    cluster
        .down(&["spec", "postgresql", "parameters"])
        .text(name)
}

/// A quantity of a field that may be a number.
fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}

/// A step to an item of a list.
fn item(index: usize) -> String {
    format!("[{index}]")
}

/// `validateImageName`, `validateImagePullPolicy`, `validatePrimaryUpdateStrategy`.
fn image(cluster: &Value, judging: &mut Judging<'_>) {
    let spec = cluster.at("spec");
    let image = spec.text("imageName");
    if !image.is_empty() {
        let tag = super::settings::tag(image);
        let wrong = match tag {
            "latest" => Some("must have a tag other than latest: upgrades cannot be seen by it"),
            "" => Some("must have a tag: upgrades cannot be seen by a digest alone"),
            tag if super::settings::major_of_tag(tag).is_none() => {
                Some("must have a tag that starts with the version of PostgreSQL")
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            judging.invalid(&["spec", "imageName"], wrong);
        }
    }
    if !["", "Always", "Never", "IfNotPresent"].contains(&spec.text("imagePullPolicy")) {
        judging.invalid(
            &["spec", "imagePullPolicy"],
            "must be Always, Never or IfNotPresent",
        );
    }
    let strategy = spec.text("primaryUpdateStrategy");
    if strategy == "supervised" && instances(cluster) == 1 {
        judging.invalid(
            &["spec", "primaryUpdateStrategy"],
            "must not be supervised with one instance",
        );
    }
}

/// `validateSuperuserSecret`, `validateCerts`.
fn secrets(cluster: &Value, judging: &mut Judging<'_>) {
    let spec = cluster.at("spec");
    if spec.has("superuserSecret") && spec.at("superuserSecret").text("name").is_empty() {
        judging.invalid(&["spec", "superusersecret", "name"], "must not be empty");
    }
    let certificates = spec.at("certificates");
    let is_given = |field: &str| !certificates.text(field).is_empty();
    let at = |field| ["spec", "certificates", field];
    if is_given("serverTLSSecret") {
        if !certificates.items("serverAltDNSNames").is_empty() {
            judging.invalid(
                &at("serveraltdnsnames"),
                "must not be set beside serverTLSSecret",
            );
        }
        if !is_given("serverCASecret") {
            judging.invalid(&at("servercasecret"), "is required beside serverTLSSecret");
        }
    }
    if is_given("replicationTLSSecret") && !is_given("clientCASecret") {
        judging.invalid(
            &at("clientcasecret"),
            "is required beside replicationTLSSecret",
        );
    }
}

/// `validateMinSyncReplicas`, `validateMaxSyncReplicas`.
fn synchronous_replicas(cluster: &Value, judging: &mut Judging<'_>) {
    let spec = cluster.at("spec");
    let number = |field: &str| spec.int(field).unwrap_or_default();
    let (least, most) = (number("minSyncReplicas"), number("maxSyncReplicas"));
    if least > most {
        judging.invalid(
            &["spec", "minSyncReplicas"],
            "must not be greater than maxSyncReplicas",
        );
    }
    if most >= instances(cluster) {
        judging.invalid(
            &["spec", "maxSyncReplicas"],
            "must be lower than the number of instances",
        );
    }
}

/// `validateName`.
fn name(cluster: &Value, judging: &mut Judging<'_>) {
    let name = cluster.at("metadata").text("name");
    if crate::admission::names::dns1035_label(name).is_some() {
        judging.invalid(&["metadata", "name"], "must be a DNS-1035 label");
    }
    if name.len() > 50 {
        judging.invalid(&["metadata", "name"], "must be no more than 50 characters");
    }
}

/// `getAdmissionWarnings`.
fn warnings(cluster: &Value, judging: &mut Judging<'_>) {
    let spec = cluster.at("spec");
    if spec.has("nodeMaintenanceWindow") {
        judging.warn(
            &["spec", "nodeMaintenanceWindow"],
            "write enablePDB instead",
        );
    }
    let externals = spec.items("externalClusters").iter();
    let is_in_tree = spec.at("backup").has("barmanObjectStore")
        || externals.into_iter().any(|e| e.has("barmanObjectStore"));
    if is_in_tree {
        judging.warn(
            &["in-tree-barman"],
            "is deprecated and goes in CloudNativePG 1.31: use the Barman Cloud plugin",
        );
    }
    let backup = spec.at("backup");
    if !backup.text("retentionPolicy").is_empty() && !backup.has("barmanObjectStore") {
        judging.warn(
            &["spec", "backup", "retentionPolicy"],
            "is for in-tree Barman alone: write it into the configuration of the plugin",
        );
    }
    storage::warnings(spec, judging);
    if parameter(cluster, "shared_buffers").parse::<i64>().is_ok() {
        judging.warn(
            &["spec", "postgresql", "parameters", "shared_buffers"],
            "should have a unit, such as MB",
        );
    }
    monitoring(spec.at("monitoring"), judging);
    let is_synchronous = spec.at("postgresql").has("synchronous")
        || spec.int("minSyncReplicas").unwrap_or_default() > 0;
    if instances(cluster) > 1 && !super::settings::is_replica(cluster) && !is_synchronous {
        judging.warn(
            &["spec", "postgresql", "synchronous"],
            "is not set: the loss of the primary can lose transactions",
        );
    }
}

fn monitoring(monitoring: &Value, judging: &mut Judging<'_>) {
    let lists = ["podMonitorMetricRelabelings", "podMonitorRelabelings"];
    let used = lists
        .into_iter()
        .filter(|list| !monitoring.items(list).is_empty());
    let switch = monitoring
        .flag("enablePodMonitor")
        .then_some("enablePodMonitor");
    for field in used.chain(switch) {
        judging.warn(
            &["spec", "monitoring", field],
            "is deprecated: write a PodMonitor",
        );
    }
}

/// Adds that a field may not be there.
fn forbidden(judging: &mut Judging<'_>, steps: &[&str], message: &str) {
    judging.add(steps, Reason::Forbidden, message);
}
