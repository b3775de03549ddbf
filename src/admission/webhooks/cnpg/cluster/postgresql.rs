//! `spec.postgresql` and what depends on parameters: `validateConfiguration` and its kin.

use serde_json::Value;

use super::{forbidden, instances, item, parameter, quantity};
use crate::admission::Reason;
use crate::admission::native::Look;
use crate::admission::quantity::Quantity;
use crate::admission::webhooks::cnpg::{Judging, defaults, settings};
use crate::go::regexp;

/// Parameters of PostgreSQL that the operator sets itself, `FixedConfigurationParameters` of
/// `pkg/postgres/configuration.go`. Those that have a default may be set to that (case cluster-parameter-log-directory).
const FIXED: &str = " allow_system_table_mods archive_cleanup_command archive_command archive_mode bonjour bonjour_name \
cluster_name config_file data_directory data_sync_retry edb_audit edb_audit_destination edb_audit_directory \
edb_audit_filename edb_audit_rotation_day edb_audit_rotation_seconds edb_audit_rotation_size edb_audit_tag \
edb_log_every_bulk_value event_source external_pid_file hba_file hot_standby ident_file jit_provider \
listen_addresses log_destination log_directory log_file_mode log_filename log_rotation_age log_rotation_size \
log_truncate_on_rotation logging_collector pg_failover_slots.primary_dsn pg_failover_slots.standby_slot_names port \
primary_conninfo primary_slot_name promote_trigger_file recovery_end_command recovery_min_apply_delay \
recovery_target recovery_target_action recovery_target_inclusive recovery_target_lsn recovery_target_name \
recovery_target_time recovery_target_timeline recovery_target_xid restart_after_crash restore_command \
shared_preload_libraries ssl ssl_ca_file ssl_cert_file ssl_crl_file ssl_dh_params_file ssl_key_file \
ssl_passphrase_command ssl_passphrase_command_supports_reload ssl_prefer_server_ciphers stats_temp_directory \
synchronized_standby_slots synchronous_standby_names syslog_facility syslog_ident syslog_sequence_numbers \
syslog_split_messages temp_tablespaces unix_socket_directories unix_socket_group unix_socket_permissions ";

const PARAMETERS: [&str; 3] = ["spec", "postgresql", "parameters"];

pub(super) fn check(cluster: &Value, judging: &mut Judging<'_>) {
    let postgresql = cluster.down(&["spec", "postgresql"]);
    synchronous(cluster, postgresql, judging);
    ldap(postgresql, judging);
    slots(cluster, judging);
    if let Some(major) = settings::major(cluster) {
        if major < 13 {
            judging.invalid(&["spec", "imageName"], "must be of PostgreSQL 13 or newer");
        }
        names(cluster, judging);
        wal_level(cluster, judging);
        booleans(cluster, judging);
        sizes(cluster, judging);
    }
    let election = postgresql.at("syncReplicaElectionConstraint");
    if election.flag("enabled") && election.items("nodeLabelsAntiAffinity").is_empty() {
        let field = ["syncReplicaElectionConstraint", "nodeLabelsAntiAffinity"];
        judging.invalid(
            &[&["spec", "postgresql"][..], &field].concat(),
            "must name a label where the constraint is enabled",
        );
    }
}

fn invalid(judging: &mut Judging<'_>, name: &str, message: &str) {
    judging.invalid(&[&PARAMETERS[..], &[name]].concat(), message);
}

/// `validateSynchronousReplicaConfiguration`, `validateFailoverQuorumAlphaAnnotation`, `validateFailoverQuorum`.
fn synchronous(cluster: &Value, postgresql: &Value, judging: &mut Judging<'_>) {
    let steps = ["spec", "postgresql", "synchronous"];
    let given = postgresql.at("synchronous");
    let spec = cluster.at("spec");
    let name = "alpha.cnpg.io/failoverQuorum";
    let annotation = cluster.down(&["metadata", "annotations", name]).as_str();
    let active = annotation.map(go_bool);
    if active == Some(None) {
        judging.invalid(&["metadata", "annotations", name], "must be true or false");
    }
    if given.is_null() {
        if active == Some(Some(true)) {
            judging.add(
                &steps,
                Reason::Required,
                "is required for a quorum of failover",
            );
        }
        return;
    }
    let outside = given.items("standbyNamesPre").len() + given.items("standbyNamesPost").len();
    let outside = i64::try_from(outside).unwrap_or(i64::MAX);
    let number = given.int("number").unwrap_or_default();
    if number >= instances(cluster).saturating_add(outside) {
        judging.invalid(
            &steps,
            "must have a number lower than that of instances and standby names",
        );
    }
    if given.flag("failoverQuorum") && number <= outside {
        judging.invalid(
            &steps,
            "must have a number greater than that of standby names for a quorum of failover",
        );
    }
    let old_style = ["minSyncReplicas", "maxSyncReplicas"];
    if old_style
        .iter()
        .any(|f| spec.int(f).unwrap_or_default() > 0)
    {
        judging.invalid(
            &steps,
            "must not be set beside minSyncReplicas and maxSyncReplicas",
        );
    }
}

/// Go's `strconv.ParseBool`.
fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// `validateLDAP`.
fn ldap(postgresql: &Value, judging: &mut Judging<'_>) {
    let ldap = postgresql.at("ldap");
    if ldap.is_null() {
        return;
    }
    let steps = ["spec", "postgresql", "ldap"];
    if ldap.text("server").is_empty() {
        judging.invalid(&steps, "must have a server");
    }
    if ldap.has("bindSearchAuth") && ldap.has("bindAsAuth") {
        judging.invalid(&steps, "must have one of bindAsAuth and bindSearchAuth");
    }
}

/// The names of parameters, and those that are fixed.
fn names(cluster: &Value, judging: &mut Judging<'_>) {
    let name = regexp::compile(r"^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$");
    let is_name = |text: &str| name.as_ref().is_ok_and(|name| name.is_match(text));
    for (name, value) in cluster.down(&["spec", "postgresql"]).entries("parameters") {
        if !is_name(name) {
            invalid(judging, name, "must be the name of a parameter");
            continue;
        }
        let mut defaults = defaults::PARAMETERS.iter();
        let default = match name {
            "archive_mode" => Some(settings::archive_mode(cluster)),
            _ => defaults.find(|(n, _)| *n == name).map(|(_, value)| *value),
        };
        if FIXED.contains(&format!(" {name} ")) && value.as_str() != default {
            invalid(judging, name, "is set by the operator itself");
        }
    }
}

fn wal_level(cluster: &Value, judging: &mut Judging<'_>) {
    let level = parameter(cluster, "wal_level");
    let needs_more = instances(cluster) > 1
        || settings::archive_mode(cluster) != "off"
        || settings::is_replica(cluster);
    match level {
        "logical" | "replica" => {}
        "minimal" => {
            if needs_more {
                invalid(
                    judging,
                    "wal_level",
                    "must be logical or replica with more instances than one, with archiving and in a replica",
                );
            }
            if parameter(cluster, "max_wal_senders") != "0" {
                invalid(
                    judging,
                    "max_wal_senders",
                    "must be 0 where wal_level is minimal",
                );
            }
        }
        _ => invalid(judging, "wal_level", "must be logical, replica or minimal"),
    }
}

/// `ParsePostgresConfigBoolean`.
fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "1" | "on" | "y" | "ye" | "yes" | "t" | "tr" | "tru" | "true" => Some(true),
        "0" | "of" | "off" | "n" | "no" | "f" | "fa" | "fal" | "fals" | "false" => Some(false),
        _ => None,
    }
}

fn booleans(cluster: &Value, judging: &mut Judging<'_>) {
    let parameters = cluster.down(&PARAMETERS);
    for name in [
        "hot_standby_feedback",
        "sync_replication_slots",
        "wal_log_hints",
    ] {
        if parameters.has(name) && boolean(parameters.text(name)).is_none() {
            invalid(judging, name, "must be a boolean of PostgreSQL");
        }
    }
    if boolean(parameters.text("wal_log_hints")) == Some(false) && instances(cluster) > 1 {
        invalid(
            judging,
            "wal_log_hints",
            "must be on with more instances than one",
        );
    }
}

/// `parsePostgresQuantityValue`: a size of PostgreSQL, as a quantity.
pub(super) fn size(text: &str) -> Option<Quantity> {
    let text = match text.parse::<i64>() {
        Ok(_) => format!("{text}MB"),
        Err(_) => text.to_owned(),
    };
    let bare = text.strip_suffix('B')?.replace(' ', "");
    let bare = match bare.parse::<i64>() {
        Ok(_) => bare,
        Err(_) => format!("{bare}i").replace("ki", "Ki"),
    };
    Quantity::parse(&bare).ok()
}

/// `shared_buffers`, and `validateWalSizeConfiguration`.
fn sizes(cluster: &Value, judging: &mut Judging<'_>) {
    let buffers = parameter(cluster, "shared_buffers");
    if !buffers.is_empty() && size(buffers).is_none() {
        invalid(
            judging,
            "shared_buffers",
            "must be a size of PostgreSQL, such as 256MB",
        );
    }
    let of = |name: &str, default: &str| {
        let given = parameter(cluster, name);
        let text = if given.is_empty() { default } else { given };
        (!given.is_empty(), size(text))
    };
    let rows = [
        ("min_wal_size", of("min_wal_size", "80MB")),
        ("max_wal_size", of("max_wal_size", "1GB")),
    ];
    for (name, (_, size)) in rows {
        if size.is_none() {
            invalid(judging, name, "must be a size of PostgreSQL, such as 1GB");
        }
    }
    let is_some = |size: &Quantity| size.sign().is_ne();
    let [least, most] = rows.map(|(_, (_, size))| size.filter(is_some));
    if least.zip(most).is_some_and(|(least, most)| least >= most) {
        invalid(judging, "min_wal_size", "must be smaller than max_wal_size");
    }
    let volume = super::storage::size_of(cluster.down(&["spec", "walStorage"]));
    for (name, (is_given, size)) in rows {
        let is_full = size
            .filter(is_some)
            .zip(volume)
            .is_some_and(|(s, v)| s >= v);
        if is_given && is_full {
            invalid(
                judging,
                name,
                "must be smaller than the volume of spec.walStorage",
            );
        }
    }
}

/// `validateReplicationSlots`, `validateSynchronizeLogicalDecoding`, `validatePgFailoverSlots`.
fn slots(cluster: &Value, judging: &mut Judging<'_>) {
    let slots = cluster.down(&["spec", "replicationSlots"]);
    let available = slots.at("highAvailability");
    let is_available = available.at("enabled").as_bool().unwrap_or(true);
    let replicas = slots.at("synchronizeReplicas");
    let patterns = replicas.words("excludePatterns");
    if patterns
        .iter()
        .any(|pattern| regexp::compile(pattern).is_err())
    {
        let field = ["synchronizeReplicas", "excludePatterns"];
        judging.invalid(
            &[&["spec", "replicationSlots"][..], &field].concat(),
            "must be regular expressions",
        );
    }
    let parameters = cluster.down(&["spec", "postgresql"]);
    let mut names = parameters.entries("parameters").into_iter();
    let has_extension = names.any(|(name, _)| name.starts_with("pg_failover_slots."));
    let is_on = |name: &str| boolean(parameter(cluster, name)) == Some(true);
    if has_extension {
        if !is_on("hot_standby_feedback") {
            invalid(
                judging,
                "hot_standby_feedback",
                "must be on for pg_failover_slots",
            );
        }
        if available.is_null() || !is_available {
            judging.invalid(
                &["spec", "replicationSlots", "highAvailability"],
                "must be enabled for pg_failover_slots",
            );
        }
    }
    if !available.flag("synchronizeLogicalDecoding") || has_extension {
        return;
    }
    if settings::major(cluster).is_some_and(|major| major < 17) {
        let field = ["highAvailability", "synchronizeLogicalDecoding"];
        return judging.invalid(
            &[&["spec", "replicationSlots"][..], &field].concat(),
            "needs pg_failover_slots before PostgreSQL 17",
        );
    }
    for name in ["hot_standby_feedback", "sync_replication_slots"] {
        if !is_on(name) {
            invalid(judging, name, "must be on for synchronizeLogicalDecoding");
        }
    }
}

/// `validateResources`.
pub(super) fn resources(cluster: &Value, judging: &mut Judging<'_>) {
    let resources = cluster.down(&["spec", "resources"]);
    let of =
        |side: &str, name: &str| quantity(resources.at(side).at(name)).filter(|q| q.sign().is_ne());
    let base = ["spec", "resources", "requests"];
    for (name, step) in [
        ("cpu", "cpu"),
        ("memory", "memory"),
        ("ephemeral-storage", "storage"),
    ] {
        let pair = of("requests", name).zip(of("limits", name));
        if pair.is_some_and(|(request, limit)| request > limit) {
            judging.invalid(
                &[&base[..], &[step]].concat(),
                "must not be more than the limit",
            );
        }
    }
    let mut huge = Vec::new();
    for (name, value) in resources.entries("limits") {
        huge.extend(quantity(value).filter(|_| name.starts_with("hugepages-")));
    }
    for (name, value) in resources.entries("requests") {
        if !name.starts_with("hugepages-") {
            continue;
        }
        match (of("limits", name), quantity(value)) {
            (Some(limit), Some(request)) if limit != request => {
                judging.invalid(&[&base[..], &[name]].concat(), "must be equal to the limit");
            }
            (None, Some(request)) => huge.push(request),
            _ => {}
        }
    }
    let is_bare = ["requests", "limits"]
        .iter()
        .all(|side| of(side, "cpu").is_none() && of(side, "memory").is_none());
    if is_bare && !huge.is_empty() {
        forbidden(
            judging,
            &["spec", "resources"],
            "needs cpu or memory beside huge pages",
        );
    }
    let buffers = size(parameter(cluster, "shared_buffers"));
    let is_short = |buffers: Quantity| {
        of("requests", "memory").is_some_and(|memory| buffers > memory)
            && !huge.iter().any(|pages| buffers <= *pages)
    };
    if buffers.is_some_and(is_short) {
        judging.invalid(&base, "must not have less memory than shared_buffers");
    }
}

/// `validateExtensions`; before 1.29 each needs an image, also beside a catalog.
pub(super) fn extensions(cluster: &Value, needs_image: bool, judging: &mut Judging<'_>) {
    let spec = cluster.at("spec");
    let (mut names, mut volumes) = (Vec::new(), Vec::new());
    for (index, extension) in spec.at("postgresql").items("extensions").iter().enumerate() {
        let index = item(index);
        let base = ["spec", "postgresql", "extensions", index.as_str()];
        let name = extension.text("name");
        let at = [&base[..], &["name"]].concat();
        if name.is_empty() {
            judging.invalid(&at, "must not be empty");
            continue;
        }
        if names.contains(&name) {
            judging.add(&at, Reason::Duplicate, "is there twice");
            continue;
        }
        names.push(name);
        let volume = name.replace('_', "-");
        if volumes.contains(&volume) {
            judging.invalid(&at, "needs a volume of the same name as another extension");
        }
        volumes.push(volume);
        let has_image = !extension.at("image").text("reference").is_empty();
        if !has_image && (needs_image || !spec.has("imageCatalogRef")) {
            judging.invalid(
                &[&base[..], &["image", "reference"]].concat(),
                "is required without a catalog of images",
            );
        }
        // 1.28 does not look further.
        if needs_image {
            continue;
        }
        for list in [
            "extension_control_path",
            "dynamic_library_path",
            "ld_library_path",
            "bin_path",
        ] {
            paths(
                &extension.words(list),
                &[&base[..], &[list]].concat(),
                judging,
            );
        }
        environment(extension.items("env"), &base, judging);
    }
}

fn paths(paths: &[&str], steps: &[&str], judging: &mut Judging<'_>) {
    for (index, path) in paths.iter().enumerate() {
        let at = item(index);
        let at = [steps, &[at.as_str()]].concat();
        let climbs = path.split('/').any(|part| part == "..");
        if path.is_empty() {
            judging.invalid(&at, "must not be empty");
        } else if paths[..index].contains(path) {
            judging.add(&at, Reason::Duplicate, "is there twice");
        } else if climbs {
            judging.invalid(&at, "must not lead out of the extension");
        }
    }
}

fn environment(variables: &[Value], base: &[&str], judging: &mut Judging<'_>) {
    for (index, variable) in variables.iter().enumerate() {
        let at = item(index);
        let name = variable.text("name");
        let steps = [base, &["env", at.as_str(), "name"]].concat();
        if super::workload::is_reserved(name) {
            judging.invalid(&steps, "is reserved for the operator");
        }
        if ["PATH", "LD_LIBRARY_PATH"].contains(&name) {
            forbidden(
                judging,
                &steps,
                "has a field of its own: bin_path or ld_library_path",
            );
        }
        if has_unknown_placeholder(variable.text("value")) {
            let steps = [base, &["env", at.as_str(), "value"]].concat();
            judging.invalid(&steps, "must have no placeholder other than ${image_root}");
        }
        if variables[..index]
            .iter()
            .any(|other| other.text("name") == name)
        {
            judging.add(&steps, Reason::Duplicate, "is there twice");
        }
    }
}

/// A `${…}` with an odd number of `$` before it that is not `${image_root}`.
fn has_unknown_placeholder(value: &str) -> bool {
    value.match_indices("${").any(|(at, _)| {
        let dollars = value[..=at]
            .bytes()
            .rev()
            .take_while(|b| *b == b'$')
            .count();
        let name = value[at + 2..].split_once('}').map(|(name, _)| name);
        dollars % 2 == 1 && name.is_some_and(|name| name != "image_root")
    })
}
