//! `spec.replica`, whose field paths upstream calls `spec.replicaCluster`.

use serde_json::Value;

use super::{bootstrap::external, forbidden};
use crate::admission::Reason;
use crate::admission::native::Look;
use crate::admission::webhooks::cnpg::{Judging, settings};

pub(super) fn check(cluster: &Value, judging: &mut Judging<'_>) {
    let replica = cluster.down(&["spec", "replica"]);
    if replica.is_null() {
        return;
    }
    mode(cluster, replica, judging);
    promotion_token(cluster, replica, judging);
}

/// `validateReplicaMode`, `validateReplicaClusterExternalClusters`.
fn mode(cluster: &Value, replica: &Value, judging: &mut Judging<'_>) {
    if !replica.text("primary").is_empty() && replica.has("enabled") {
        forbidden(
            judging,
            &["spec", "replicaCluster", "enabled"],
            "must not be set beside primary",
        );
    }
    let bootstrap = cluster.down(&["spec", "bootstrap"]);
    if settings::is_replica(cluster) {
        let is_copy = bootstrap.has("pg_basebackup") || bootstrap.has("recovery");
        let is_new = cluster.at("metadata").text("resourceVersion").is_empty();
        if bootstrap.is_null() {
            judging.add(
                &["spec", "bootstrap"],
                Reason::Required,
                "is required for a replica",
            );
        } else if !is_copy && is_new {
            judging.invalid(
                &["spec", "replicaCluster"],
                "needs the bootstrap method pg_basebackup or recovery",
            );
        }
    }
    const UNKNOWN: &str = "must be the name of one of spec.externalClusters";
    let is_unknown = |name: &str| external(cluster, name).is_none();
    if is_unknown(replica.text("source")) {
        judging.invalid(&["spec", "replicaCluster", "primaryServerName"], UNKNOWN);
    }
    for field in ["self", "primary"] {
        let name = replica.text(field);
        if !name.is_empty() && is_unknown(name) {
            judging.invalid(&["spec", "replicaCluster", field], UNKNOWN);
        }
    }
}

/// `validatePromotionToken`.
fn promotion_token(cluster: &Value, replica: &Value, judging: &mut Judging<'_>) {
    let token = replica.text("promotionToken");
    if token.is_empty() {
        return;
    }
    let at = |field| ["spec", "replicaCluster", field];
    if replica.has("minApplyDelay") {
        judging.invalid(
            &at("minApplyDelay"),
            "must not be set beside promotionToken",
        );
    } else if settings::is_replica(cluster) {
        judging.invalid(&at("token"), "is for a primary Cluster only");
    } else if !is_token(token) {
        judging.invalid(&at("token"), "is not what `status.demotionToken` held");
    }
}

/// `AsPgControldataToken`: base64 of a JSON object that names a checkpoint and the system.
fn is_token(token: &str) -> bool {
    use ::base64::Engine as _;
    let Ok(bytes) = ::base64::prelude::BASE64_STANDARD.decode(token) else {
        return false;
    };
    let content: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    [
        "latestCheckpointTimelineID",
        "latestCheckpointREDOWALFile",
        "databaseSystemIdentifier",
        "latestCheckpointREDOLocation",
        "timeOfLatestCheckpoint",
        "operatorVersion",
    ]
    .iter()
    .all(|field| !content.text(field).is_empty())
}
