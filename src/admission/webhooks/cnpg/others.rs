//! What the operator says of kinds other than Cluster: `pooler_webhook.go`, `backup_webhook.go`,
//! `scheduledbackup_webhook.go`, `database_webhook.go`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::schedule::{Schedule, read};
use super::{Cnpg, Judging};
use crate::admission::Reason;
use crate::admission::native::Look;

/// What of PgBouncer may be set.
const PGBOUNCER: &str = " application_name_add_host auth_type auth_user autodb_idle_timeout cancel_wait_timeout \
client_idle_timeout client_login_timeout client_tls_ciphers client_tls_sslmode client_tls13_ciphers default_pool_size \
disable_pqexec dns_max_ttl dns_nxdomain_ttl idle_transaction_timeout ignore_startup_parameters listen_backlog \
log_connections log_disconnections log_pooler_errors log_stats max_client_conn max_db_connections max_packet_size \
max_prepared_statements max_user_connections min_pool_size pkt_buf query_timeout query_wait_timeout reserve_pool_size \
reserve_pool_timeout sbuf_loopcnt server_check_delay server_check_query server_connect_timeout server_fast_close \
server_idle_timeout server_lifetime server_login_retry server_reset_query server_reset_query_always \
server_round_robin server_tls_ciphers server_tls13_ciphers server_tls_protocols server_tls_sslmode stats_period \
suspend_timeout tcp_defer_accept tcp_socket_buffer tcp_keepalive tcp_keepcnt tcp_keepidle tcp_keepintvl \
tcp_user_timeout track_extra_parameters verbose ";

/// Checks a Pooler.
pub(super) fn pooler(pooler: &Value, judging: &mut Judging<'_>) {
    let spec = pooler.at("spec");
    let bouncer = spec.at("pgbouncer");
    let is_named = |secret: &str| !bouncer.at(secret).text("name").is_empty();
    let has_login = is_named("authQuerySecret") || is_named("serverTLSSecret");
    let has_query = !bouncer.text("authQuery").is_empty();
    match (has_login, has_query) {
        (true, false) => judging.invalid(
            &["spec", "pgbouncer", "authQuery"],
            "is required beside a secret for it",
        ),
        (false, true) => judging.invalid(
            &["spec", "pgbouncer", "authQuerySecret", "name"],
            "is required beside authQuery",
        ),
        _ => {}
    }
    let is_unknown = |name: &str| !PGBOUNCER.contains(&format!(" {name} "));
    if bouncer
        .entries("parameters")
        .iter()
        .any(|(name, _)| is_unknown(name))
    {
        judging.invalid(
            &["spec", "cluster", "parameters"],
            "has a parameter that may not be set",
        );
    }
    if spec.at("cluster").text("name") == pooler.at("metadata").text("name") {
        judging.invalid(
            &["metadata", "name"],
            "must differ from the name of the Cluster",
        );
    }
    monitoring(spec, is_named("clientTLSSecret"), judging);
    if has_login || has_query {
        judging.warn(
            &["pooler-integration"],
            "the operator does not set the Cluster up for this Pooler",
        );
    }
    if is_named("authQuerySecret") {
        judging.warn(&["spec", "pgbouncer", "authQuerySecret"], "is deprecated");
    }
}

fn monitoring(spec: &Value, has_client: bool, judging: &mut Judging<'_>) {
    let monitoring = spec.at("monitoring");
    let is_monitored = monitoring.flag("enablePodMonitor");
    if monitoring.at("tls").flag("enabled") && is_monitored && !has_client {
        let steps = ["spec", "pgbouncer", "clientTLSSecret"];
        judging.add(
            &steps,
            Reason::Required,
            "is required where metrics have TLS and a PodMonitor is made",
        );
    }
    let lists = ["podMonitorMetricRelabelings", "podMonitorRelabelings"];
    if is_monitored || lists.iter().any(|list| !monitoring.items(list).is_empty()) {
        judging.warn(&["spec", "monitoring"], "is deprecated: write a PodMonitor");
    }
}

/// Checks a ScheduledBackup.
pub(super) fn scheduled_backup(hook: &Cnpg, object: &Value, judging: &mut Judging<'_>) {
    match read(object.at("spec").text("schedule")) {
        None => judging.invalid(
            &["spec", "schedule"],
            "is not a schedule of six fields, seconds first",
        ),
        Some(Schedule::Odd) => judging.warn(
            &["spec", "schedule"],
            "should have six fields, seconds first",
        ),
        Some(Schedule::Full) => {}
    }
    method(hook, object, judging);
}

fn method(hook: &Cnpg, object: &Value, judging: &mut Judging<'_>) {
    let spec = object.at("spec");
    let method = spec.text("method");
    if method == "volumeSnapshot" && !hook.has_snapshots {
        judging.invalid(
            &["spec", "method"],
            "needs the kind VolumeSnapshot, which the cluster does not have",
        );
    }
    for field in ["online", "onlineConfiguration"] {
        if method == "barmanObjectStore" && spec.has(field) {
            judging.invalid(&["spec", field], "is for the method volumeSnapshot alone");
        }
    }
}

/// Checks a Backup.
pub(super) fn backup(hook: &Cnpg, object: &Value, judging: &mut Judging<'_>) {
    method(hook, object, judging);
    let spec = object.at("spec");
    if spec.text("method") == "plugin" && !spec.has("pluginConfiguration") {
        judging.invalid(
            &["spec", "pluginConfiguration"],
            "is required for the method plugin",
        );
    }
    let name = "cnpg.io/volumeSnapshotDeadline";
    let deadline = object.down(&["metadata", "annotations"]).text(name);
    if !deadline.is_empty() && deadline.parse::<i64>().is_err() {
        judging.invalid(&["metadata", "annotations", name], "must be a whole number");
    }
}

/// Checks a Database.
pub(super) fn database(object: &Value, judging: &mut Judging<'_>) {
    let spec = object.at("spec");
    for list in ["extensions", "schemas", "fdws", "servers"] {
        twice(spec, &["spec", list], judging);
        for (at, item) in spec.items(list).iter().enumerate() {
            twice(
                item,
                &["spec", list, &format!("[{at}]"), "options"],
                judging,
            );
        }
    }
    let wrappers: BTreeSet<&str> = spec.items("fdws").iter().map(|f| f.text("name")).collect();
    for (at, server) in spec.items("servers").iter().enumerate() {
        let is_there = server.text("ensure") != "absent";
        if is_there && !wrappers.contains(server.text("fdw")) {
            let steps = ["spec", "servers", &format!("[{at}]"), "fdw"];
            judging.invalid(&steps, "must be the name of one of spec.fdws");
        }
    }
}

fn twice(holder: &Value, steps: &[&str], judging: &mut Judging<'_>) {
    let list = steps.last().copied().unwrap_or_default();
    let mut seen = BTreeSet::new();
    for (at, item) in holder.items(list).iter().enumerate() {
        if !seen.insert(item.text("name")) {
            let index = format!("[{at}]");
            let at = [steps, &[&index, "name"]].concat();
            judging.add(&at, Reason::Duplicate, "is there twice");
        }
    }
}
