//! What the operator refuses of a Cluster: a part of `cluster_webhook.go`.

use serde_json::Value;

use super::Judging;
use crate::admission::Reason;
use crate::admission::native::Look;

/// Parameters of PostgreSQL that the operator sets itself, `FixedConfigurationParameters` of
/// `pkg/postgres/configuration.go`: refused whatever their value is (case cluster-parameter-port-same).
const FIXED: [&str; 50] = [
    "allow_alter_system",
    "allow_system_table_mods",
    "archive_cleanup_command",
    "archive_command",
    "bonjour",
    "bonjour_name",
    "cluster_name",
    "config_file",
    "data_directory",
    "data_sync_retry",
    "edb_audit",
    "edb_audit_destination",
    "edb_audit_directory",
    "edb_audit_filename",
    "edb_audit_rotation_day",
    "edb_audit_rotation_seconds",
    "edb_audit_rotation_size",
    "edb_audit_tag",
    "edb_log_every_bulk_value",
    "event_source",
    "external_pid_file",
    "hba_file",
    "hot_standby",
    "ident_file",
    "jit_provider",
    "listen_addresses",
    "log_destination",
    "log_directory",
    "log_file_mode",
    "log_filename",
    "log_rotation_age",
    "log_rotation_size",
    "log_truncate_on_rotation",
    "logging_collector",
    "port",
    "primary_conninfo",
    "primary_slot_name",
    "promote_trigger_file",
    "recovery_end_command",
    "recovery_min_apply_delay",
    "recovery_target",
    "recovery_target_action",
    "recovery_target_inclusive",
    "restart_after_crash",
    "restore_command",
    "shared_preload_libraries",
    "ssl",
    "ssl_ca_file",
    "ssl_cert_file",
    "ssl_key_file",
];

/// Checks a Cluster, and the change from the one that is there.
pub(super) fn check(cluster: &Value, old: Option<&Value>, judging: &mut Judging<'_>) {
    parameters(cluster, judging);
    if let Some(old) = old {
        storage(cluster, old, judging);
    }
}

fn parameters(cluster: &Value, judging: &mut Judging<'_>) {
    let set_by_default: Vec<&str> = super::defaults::PARAMETERS
        .iter()
        .map(|(n, _)| *n)
        .collect();
    let given = cluster.down(&["spec", "postgresql"]);
    for (name, _) in given.entries("parameters") {
        if FIXED.contains(&name) && !set_by_default.contains(&name) {
            let steps = ["spec", "postgresql", "parameters", name];
            judging.invalid(&steps, "is set by the operator itself");
        }
    }
}

/// A volume that was there stays (cases update-wal-storage-removed and its kin).
fn storage(cluster: &Value, old: &Value, judging: &mut Judging<'_>) {
    let (new, old) = (cluster.at("spec"), old.at("spec"));
    if old.has("walStorage") && !new.has("walStorage") {
        judging.add(
            &["spec", "walStorage"],
            Reason::Invalid,
            "cannot be removed",
        );
    }
}
