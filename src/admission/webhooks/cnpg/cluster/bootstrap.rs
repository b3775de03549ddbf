//! `spec.bootstrap` and `spec.externalClusters`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{forbidden, item};
use crate::admission::Reason;
use crate::admission::native::Look;
use crate::admission::time;
use crate::admission::webhooks::cnpg::Judging;

const METHODS: [&str; 3] = ["initdb", "recovery", "pg_basebackup"];

pub(super) fn check(cluster: &Value, judging: &mut Judging<'_>) {
    let bootstrap = cluster.down(&["spec", "bootstrap"]);
    for method in METHODS {
        if bootstrap.has(method) {
            application_database(bootstrap.at(method), method, judging);
        }
    }
    init_db(bootstrap.at("initdb"), judging);
    if METHODS.iter().filter(|m| bootstrap.has(m)).count() > 1 {
        forbidden(judging, &["spec", "bootstrap"], "must have one method only");
    }
    sources(cluster, judging);
    if bootstrap.has("recovery") {
        recovery_target(bootstrap.at("recovery"), judging);
        volume_snapshots(cluster, judging);
    }
    external_clusters(cluster, judging);
}

/// Whether a Cluster knows another one by a name; the one that it knows.
pub(super) fn external<'c>(cluster: &'c Value, name: &str) -> Option<&'c Value> {
    let externals = cluster.at("spec").items("externalClusters").iter();
    externals.into_iter().find(|e| e.text("name") == name)
}

/// `validateApplicationDatabase`.
fn application_database(options: &Value, method: &str, judging: &mut Judging<'_>) {
    let (database, owner) = (options.text("database"), options.text("owner"));
    match (database.is_empty(), owner.is_empty()) {
        (false, true) => judging.invalid(
            &["spec", "bootstrap", method, "owner"],
            "is required beside database",
        ),
        (true, false) => judging.invalid(
            &["spec", "bootstrap", method, "database"],
            "is required beside owner",
        ),
        _ => {}
    }
}

/// `validateInitDB`, `validateImport`.
fn init_db(options: &Value, judging: &mut Judging<'_>) {
    let size = options.int("walSegmentSize").unwrap_or_default();
    if size != 0 && size & (size - 1) != 0 {
        judging.invalid(
            &["spec", "bootstrap", "initdb", "walSegmentSize"],
            "must be a power of 2",
        );
    }
    for list in ["secretRefs", "configMapRefs"] {
        let references = options.at("postInitApplicationSQLRefs").items(list).iter();
        let is_half = |r: &Value| r.text("name").is_empty() || r.text("key").is_empty();
        if references.into_iter().any(is_half) {
            let field = "postInitApplicationSQLRefs";
            judging.invalid(
                &["spec", "bootstrap", "initdb", field, list],
                "must have key and name in each",
            );
        }
    }
    let import = options.at("import");
    match import.text("type") {
        "microservice" => microservice(import, judging),
        "monolith" => monolith(import, judging),
        _ => {}
    }
}

fn microservice(import: &Value, judging: &mut Judging<'_>) {
    let mut invalid = |rest: &[&str], message: &str| {
        judging.invalid(
            &[&["spec", "bootstrap", "initdb", "import"], rest].concat(),
            message,
        );
    };
    let databases = import.words("databases");
    if databases.len() != 1 {
        invalid(&["databases"], "must be one database for a microservice");
    }
    if !import.items("roles").is_empty() {
        invalid(&["roles"], "must not be set for a microservice");
    }
    if databases.len() == 1 && databases[0].contains('*') {
        invalid(
            &["databases", "0"],
            "must not be a wildcard for a microservice",
        );
    }
}

fn monolith(import: &Value, judging: &mut Judging<'_>) {
    let mut invalid = |field: &str, message: &str| {
        judging.invalid(&["spec", "bootstrap", "initdb", "import", field], message);
    };
    if import.items("databases").is_empty() {
        invalid("databases", "must have a database for a monolith");
    }
    for list in ["databases", "roles"] {
        let words = import.words(list);
        if words.len() > 1 && words.contains(&"*") {
            invalid(list, "must not have a name beside the wildcard");
        }
    }
    if !import.items("postImportApplicationSQL").is_empty() {
        invalid("postImportApplicationSQL", "must not be set for a monolith");
    }
}

/// `validateBootstrapPgBaseBackupSource`, `validateBootstrapRecoverySource`.
fn sources(cluster: &Value, judging: &mut Judging<'_>) {
    const UNKNOWN: &str = "must be the name of one of spec.externalClusters";
    let bootstrap = cluster.down(&["spec", "bootstrap"]);
    let copy = bootstrap.at("pg_basebackup");
    if bootstrap.has("pg_basebackup") && external(cluster, copy.text("source")).is_none() {
        judging.invalid(&["spec", "bootstrap", "pg_basebackup", "source"], UNKNOWN);
    }
    let source = bootstrap.at("recovery").text("source");
    if source.is_empty() {
        return;
    }
    let steps = ["spec", "bootstrap", "recovery", "source"];
    match external(cluster, source) {
        None => judging.invalid(&steps, UNKNOWN),
        Some(external) if !is_reachable(external) => judging.invalid(
            &steps,
            "names a Cluster with neither connectionParameters nor plugin nor barmanObjectStore",
        ),
        Some(_) => {}
    }
}

fn is_reachable(external: &Value) -> bool {
    ["connectionParameters", "barmanObjectStore", "plugin"]
        .iter()
        .any(|field| external.has(field))
}

/// `validateRecoveryTarget`.
fn recovery_target(recovery: &Value, judging: &mut Judging<'_>) {
    let target = recovery.at("recoveryTarget");
    if target.is_null() {
        return;
    }
    let mut invalid = |field: Option<&str>, reason: Reason, message: &str| {
        let mut steps = vec!["spec", "bootstrap", "recovery", "recoveryTarget"];
        steps.extend(field);
        judging.add(&steps, reason, message);
    };
    let is_given = |field: &str| !target.text(field).is_empty();
    let by_text = ["targetLSN", "targetName", "targetXID", "targetTime"];
    let given = by_text.iter().filter(|field| is_given(field)).count();
    if given + usize::from(target.has("targetImmediate")) > 1 {
        invalid(None, Reason::Invalid, "must have one target only");
    }
    if is_given("targetTime") && !is_target_time(target.text("targetTime")) {
        invalid(
            None,
            Reason::Invalid,
            "must have a time stamp as targetTime",
        );
    }
    if is_given("targetLSN") && !is_lsn(target.text("targetLSN")) {
        invalid(
            None,
            Reason::Invalid,
            "must have an LSN as targetLSN, such as 0/3000000",
        );
    }
    if is_given("targetXID") && target.text("targetXID").parse::<u32>().is_err() {
        invalid(
            Some("targetXID"),
            Reason::Invalid,
            "must be a whole number of 32 bits",
        );
    }
    let name = target.text("targetName");
    if name.len() >= 64 {
        invalid(
            Some("targetName"),
            Reason::Invalid,
            "must be shorter than 64 bytes",
        );
    }
    if name.chars().any(|c| c.is_ascii_control()) {
        invalid(
            Some("targetName"),
            Reason::Invalid,
            "must not have control characters",
        );
    }
    let by_label = is_given("targetName") || is_given("targetXID") || target.has("targetImmediate");
    if by_label && !recovery.has("volumeSnapshots") && !is_given("backupID") {
        invalid(None, Reason::Required, "must have backupID for this target");
    }
    let timeline = target.text("targetTLI");
    if !["", "latest"].contains(&timeline) && timeline.parse::<i64>().is_ok_and(|t| t < 1)
        || !["", "latest"].contains(&timeline) && timeline.parse::<i64>().is_err()
    {
        invalid(
            Some("targetTLI"),
            Reason::Invalid,
            "must be latest or a positive whole number",
        );
    }
}

/// `ParseTargetTime` of `barman-cloud/pkg/types`: RFC 3339, with a space or without a zone as well.
fn is_target_time(text: &str) -> bool {
    let normal = text.trim().replacen(' ', "T", 1);
    let bare = |suffix: &str| time::timestamp(&format!("{normal}{suffix}")).is_some();
    // `+02` and `+0200` are offsets of PostgreSQL.
    let padded = match normal.rfind(['+', '-']) {
        Some(at) if at > 10 => {
            let digits: String = normal[at + 1..].chars().filter(|c| *c != ':').collect();
            let digits = format!("{digits:0<4}");
            format!("{}{}:{}", &normal[..=at], &digits[..2], &digits[2..])
        }
        _ => normal.clone(),
    };
    time::date(text).is_some() || bare("") || bare("Z") || time::timestamp(&padded).is_some()
}

fn is_lsn(text: &str) -> bool {
    let is_half =
        |half: &str| (1..=8).contains(&half.len()) && half.bytes().all(|b| b.is_ascii_hexdigit());
    text.split_once('/')
        .is_some_and(|(high, low)| is_half(high) && is_half(low))
}

/// `validateBootstrapRecoveryDataSource`.
fn volume_snapshots(cluster: &Value, judging: &mut Judging<'_>) {
    let recovery = cluster.down(&["spec", "bootstrap", "recovery"]);
    let snapshots = recovery.at("volumeSnapshots");
    if snapshots.is_null() {
        return;
    }
    let base = ["spec", "bootstrap", "recovery"];
    let mut invalid =
        |rest: &[&str], message: &str| judging.invalid(&[&base, rest].concat(), message);
    if recovery.has("backup") {
        return invalid(&["backup"], "must not be set beside volumeSnapshots");
    }
    if !recovery.at("recoveryTarget").text("backupID").is_empty() {
        let steps = ["recoveryTarget", "backupID"];
        return invalid(&steps, "must not be set beside volumeSnapshots");
    }
    const KINDS: &str = "must be a VolumeSnapshot or a PersistentVolumeClaim, with its apiGroup";
    if !is_volume(snapshots.at("storage")) {
        invalid(&["storage"], KINDS);
    }
    let steps = ["dataSource", "walStorage"];
    if snapshots.has("walStorage") && !cluster.at("spec").has("walStorage") {
        invalid(&steps, "needs spec.walStorage");
    }
    if snapshots.has("walStorage") && !is_volume(snapshots.at("walStorage")) {
        invalid(&steps, KINDS);
    }
}

fn is_volume(source: &Value) -> bool {
    matches!(
        (source.text("apiGroup"), source.text("kind")),
        ("snapshot.storage.k8s.io", "VolumeSnapshot") | ("", "PersistentVolumeClaim")
    )
}

/// `validateExternalClusters`.
fn external_clusters(cluster: &Value, judging: &mut Judging<'_>) {
    let externals = cluster.at("spec").items("externalClusters");
    let names: BTreeSet<&str> = externals.iter().map(|e| e.text("name")).collect();
    for (index, external) in externals.iter().enumerate() {
        external_cluster(external, &item(index), judging);
    }
    if names.len() != externals.len() {
        judging.invalid(&["spec", "externalClusters"], "must not have a name twice");
    }
}

fn external_cluster(external: &Value, index: &str, judging: &mut Judging<'_>) {
    const UNSAFE: &str = "must not have a slash, a backslash or be '..'";
    let base = ["spec", "externalClusters", index];
    if !is_reachable(external) {
        judging.add(
            &base,
            Reason::Required,
            "needs connectionParameters, plugin or barmanObjectStore",
        );
    }
    if is_unsafe(external.text("name")) {
        judging.invalid(&[&base[..], &["name"]].concat(), UNSAFE);
    }
    for selector in ["sslCert", "sslKey", "sslRootCert"] {
        for field in ["name", "key"] {
            if is_unsafe(external.at(selector).text(field)) {
                judging.invalid(&[&base[..], &[selector, field]].concat(), UNSAFE);
            }
        }
    }
}

fn is_unsafe(part: &str) -> bool {
    part == "." || part == ".." || part.contains(['/', '\\'])
}
