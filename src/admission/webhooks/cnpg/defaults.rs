//! The defaults of a Cluster, as `setDefaults` of `api/v1/cluster_defaults.go` sets them on admission.

use serde_json::{Value, json};

use super::settings;
use crate::admission::native::Look;
use crate::admission::time;

/// The image of the newest operator.
const IMAGE: &str = "ghcr.io/cloudnative-pg/postgresql:18.4-system-trixie";

/// Parameters of PostgreSQL that are set unless the user does.
pub(super) const PARAMETERS: [(&str, &str); 21] = [
    ("archive_timeout", "5min"),
    ("dynamic_shared_memory_type", "posix"),
    ("full_page_writes", "on"),
    ("log_destination", "csvlog"),
    ("log_directory", "/controller/log"),
    ("log_filename", "postgres"),
    ("log_rotation_age", "0"),
    ("log_rotation_size", "0"),
    ("log_truncate_on_rotation", "false"),
    ("logging_collector", "on"),
    ("max_parallel_workers", "32"),
    ("max_replication_slots", "32"),
    ("max_worker_processes", "32"),
    ("shared_memory_type", "mmap"),
    ("ssl_max_protocol_version", "TLSv1.3"),
    ("ssl_min_protocol_version", "TLSv1.3"),
    ("wal_keep_size", "512MB"),
    ("wal_level", "logical"),
    ("wal_log_hints", "on"),
    ("wal_receiver_timeout", "5s"),
    ("wal_sender_timeout", "5s"),
];

/// Sets the defaults of a Cluster.
pub(super) fn set(cluster: &mut Value) {
    let annotations = cluster.down(&["metadata", "annotations"]).clone();
    if !cluster.at("spec").is_object() {
        return;
    }
    if !cluster.at("spec").has("imageCatalogRef") {
        fill(cluster, &["spec", "imageName"], json!(IMAGE));
    }
    bootstrap(cluster);
    let affinity = cluster.down(&["spec", "affinity"]);
    if affinity.at("enablePodAntiAffinity").as_bool() != Some(false) {
        let kind = ["spec", "affinity", "podAntiAffinityType"];
        fill(cluster, &kind, json!("preferred"));
    }
    if cluster.at("spec").has("backup") {
        let target = ["spec", "backup", "target"];
        fill(cluster, &target, json!("prefer-standby"));
    }
    parameters(cluster);
    zeros(cluster);
    slots(cluster);
    monitoring(cluster);
    tablespaces(cluster);
    probes(cluster, annotations.text("alpha.cnpg.io/livenessPinger"));
}

/// Sets a field that is absent or empty, and makes what is above it. A mapping that is given as null stays: the schema
/// refuses it.
fn fill(object: &mut Value, steps: &[&str], value: Value) {
    let Some((last, above)) = steps.split_last() else {
        return;
    };
    let mut at = object;
    for step in above {
        let Some(fields) = at.as_object_mut() else {
            return;
        };
        at = fields.entry(*step).or_insert_with(|| json!({}));
    }
    let Some(fields) = at.as_object_mut() else {
        return;
    };
    let field = fields.entry(*last).or_insert(Value::Null);
    if field.is_null() || field.as_str() == Some("") {
        *field = value;
    }
}

fn bootstrap(cluster: &mut Value) {
    let bootstrap = cluster.down(&["spec", "bootstrap"]);
    let named = ["recovery", "pg_basebackup"]
        .into_iter()
        .find(|method| bootstrap.has(method));
    let method = named.unwrap_or("initdb");
    let is_monolith = bootstrap.down(&["initdb", "import"]).text("type") == "monolith";
    if named.is_some() || !is_monolith {
        fill(
            cluster,
            &["spec", "bootstrap", method, "database"],
            json!("app"),
        );
    }
    let database = cluster
        .down(&["spec", "bootstrap", method])
        .text("database")
        .to_owned();
    if !database.is_empty() {
        fill(
            cluster,
            &["spec", "bootstrap", method, "owner"],
            json!(database),
        );
    }
    if method == "initdb" {
        for (name, value) in [
            ("encoding", "UTF8"),
            ("localeCollate", "C"),
            ("localeCType", "C"),
        ] {
            fill(
                cluster,
                &["spec", "bootstrap", "initdb", name],
                json!(value),
            );
        }
    }
}

fn parameters(cluster: &mut Value) {
    if settings::major(cluster).is_none() {
        return;
    }
    let mode = settings::archive_mode(cluster);
    for (name, value) in PARAMETERS {
        let steps = ["spec", "postgresql", "parameters", name];
        if !cluster.down(&steps).is_string() {
            fill(cluster, &steps, json!(value));
        }
    }
    if let Some(given) = cluster.pointer_mut("/spec/postgresql/parameters/archive_mode") {
        *given = Value::Null;
    }
    fill(
        cluster,
        &["spec", "postgresql", "parameters", "archive_mode"],
        json!(mode),
    );
}

/// What Go always prints.
fn zeros(cluster: &mut Value) {
    let election = [
        "spec",
        "postgresql",
        "syncReplicaElectionConstraint",
        "enabled",
    ];
    fill(cluster, &election, json!(false));
    fill(cluster, &["spec", "logLevel"], json!("info"));
    if cluster.down(&["spec", "postgresql"]).has("synchronous") {
        let durability = ["spec", "postgresql", "synchronous", "dataDurability"];
        fill(cluster, &durability, json!("required"));
        let quorum = ["spec", "postgresql", "synchronous", "failoverQuorum"];
        fill(cluster, &quorum, json!(false));
    }
    // Go prints a duration anew: 4h is 4h0m0s.
    if let Some(delay) = cluster.pointer_mut("/spec/replica/minApplyDelay")
        && let Some(nanos) = delay.as_str().and_then(time::duration)
    {
        *delay = json!(time::write_duration(nanos));
    }
    // A reference without a group has a null there, which the schema refuses (case cluster-snapshots-no-group).
    for volume in ["storage", "walStorage"] {
        let pointer = format!("/spec/bootstrap/recovery/volumeSnapshots/{volume}");
        if let Some(Value::Object(reference)) = cluster.pointer_mut(&pointer) {
            reference.entry("apiGroup").or_insert(Value::Null);
        }
    }
}

fn slots(cluster: &mut Value) {
    let slots = ["spec", "replicationSlots"];
    let high = ["spec", "replicationSlots", "highAvailability"];
    let available = json!({"enabled": true, "slotPrefix": "_cnpg_"});
    fill(cluster, &slots, json!({"updateInterval": 30}));
    fill(cluster, &high, available);
    let replicas = ["spec", "replicationSlots", "synchronizeReplicas"];
    fill(cluster, &replicas, json!({"enabled": true}));
}

fn monitoring(cluster: &mut Value) {
    const NAME: &str = "cnpg-default-monitoring";
    let monitoring = cluster.down(&["spec", "monitoring"]);
    if monitoring.flag("disableDefaultQueries") {
        return;
    }
    let mut maps = monitoring.items("customQueriesConfigMap").to_vec();
    if !maps.iter().any(|map| map.text("name") == NAME) {
        maps.insert(0, json!({"key": "queries", "name": NAME}));
    }
    let steps = ["spec", "monitoring", "customQueriesConfigMap"];
    fill(cluster, &steps, json!([]));
    if let Some(list) = cluster.pointer_mut("/spec/monitoring/customQueriesConfigMap") {
        *list = Value::Array(maps);
    }
    for name in ["disableDefaultQueries", "enablePodMonitor"] {
        fill(cluster, &["spec", "monitoring", name], json!(false));
    }
}

fn tablespaces(cluster: &mut Value) {
    let bootstrap = cluster.down(&["spec", "bootstrap"]);
    let methods = ["recovery", "pg_basebackup", "initdb"];
    let owners = methods.map(|method| bootstrap.at(method).text("owner"));
    let owner = owners.into_iter().find(|owner| !owner.is_empty());
    let owner = owner.unwrap_or("postgres").to_owned();
    let spaces = cluster.pointer_mut("/spec/tablespaces");
    for space in spaces.and_then(Value::as_array_mut).into_iter().flatten() {
        fill(space, &["owner", "name"], json!(owner));
    }
}

fn probes(cluster: &mut Value, pinger: &str) {
    let pinger: Option<Value> = serde_json::from_str(pinger).ok();
    let given = pinger.filter(|pinger| pinger.at("enabled").is_boolean());
    let time = |name: &str| {
        let given = given.as_ref().and_then(|pinger| pinger.int(name));
        given.filter(|time| *time != 0).unwrap_or(1000)
    };
    let check = json!({
        "enabled": given.as_ref().is_none_or(|pinger| pinger.flag("enabled")),
        "requestTimeout": time("requestTimeout"),
        "connectionTimeout": time("connectionTimeout"),
    });
    let steps = ["spec", "probes", "liveness", "isolationCheck"];
    fill(cluster, &steps, check);
}
