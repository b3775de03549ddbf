//! Pods, Services and roles of a Cluster, its plugins and its annotations.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{item, postgresql};
use crate::admission::Reason;
use crate::admission::names;
use crate::admission::native::Look;
use crate::admission::webhooks::cnpg::{Cnpg, Judging};

pub(super) fn check(hook: &Cnpg, cluster: &Value, judging: &mut Judging<'_>) {
    let spec = cluster.at("spec");
    let affinity = spec.at("affinity").text("podAntiAffinityType");
    if !["", "preferred", "required"].contains(&affinity) {
        judging.invalid(
            &["spec", "affinity", "podAntiAffinityType"],
            "must be preferred or required",
        );
    }
    tolerations(spec, judging);
    for (index, variable) in spec.items("env").iter().enumerate() {
        if is_reserved(variable.text("name")) {
            let steps = ["spec", "postgresql", "env", &item(index), "name"];
            judging.invalid(&steps, "is reserved for the operator");
        }
    }
    services(cluster, judging);
    roles(spec, judging);
    postgresql::resources(cluster, judging);
    postgresql::extensions(cluster, hook.needs_extension_images, judging);
    annotations(cluster, judging);
    plugins(spec, judging);
    if !spec.text("serviceAccountName").is_empty() && spec.has("serviceAccountTemplate") {
        judging.invalid(
            &["spec", "serviceAccountName"],
            "must not be set beside serviceAccountTemplate",
        );
    }
    primary_lease(spec.at("primaryLease"), judging);
}

/// `IsReservedEnvironmentVariable`.
pub(super) fn is_reserved(name: &str) -> bool {
    let name = name.to_uppercase();
    name.starts_with("CNPG_")
        || name.starts_with("PG")
        || ["POD_NAME", "NAMESPACE", "CLUSTER_NAME"].contains(&name.as_str())
}

/// `validateTolerations`.
fn tolerations(spec: &Value, judging: &mut Judging<'_>) {
    for (index, toleration) in spec.at("affinity").items("tolerations").iter().enumerate() {
        let index = item(index);
        let mut invalid = |field: &str, message: &str| {
            judging.invalid(&["spec", "affinity", "toleration", &index, field], message);
        };
        let (key, operator) = (toleration.text("key"), toleration.text("operator"));
        let (value, effect) = (toleration.text("value"), toleration.text("effect"));
        if !key.is_empty() && names::qualified_name(key).is_some() {
            invalid("key", "must be the key of a label");
        }
        if key.is_empty() && operator != "Exists" {
            invalid("operator", "must be Exists without a key");
        }
        if toleration.has("tolerationSeconds") && effect != "NoExecute" {
            invalid("effect", "must be NoExecute beside tolerationSeconds");
        }
        match operator {
            "" | "Equal" if names::label_value(value).is_some() => {
                invalid("operator", "needs a value that a label may have");
            }
            "" | "Equal" => {}
            "Exists" if !value.is_empty() => invalid("operator", "must not be Exists with a value"),
            "Exists" => {}
            _ => invalid("operator", "must be Equal or Exists"),
        }
        if !["", "NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect) {
            invalid(
                "effect",
                "must be NoSchedule, PreferNoSchedule or NoExecute",
            );
        }
    }
}

/// `validateManagedServices`.
fn services(cluster: &Value, judging: &mut Judging<'_>) {
    let services = cluster.down(&["spec", "managed", "services"]);
    let base = ["spec", "managed", "services"];
    let disabled = services.words("disabledDefaultServices");
    if disabled.iter().any(|kind| kind.eq_ignore_ascii_case("rw")) {
        judging.invalid(
            &[&base[..], &["disabledDefaultServices"]].concat(),
            "must not have rw",
        );
    }
    let own = cluster.at("metadata").text("name");
    let reserved = ["rw", "ro", "r", "any"].map(|kind| format!("{own}-{kind}"));
    let mut seen = BTreeSet::new();
    let mut is_twice = false;
    for (index, service) in services.items("additional").iter().enumerate() {
        let template = service.at("serviceTemplate");
        let name = template.at("metadata").text("name");
        // Upstream writes the index into the name of the field; both read the same.
        let index = item(index);
        let steps = [&base[..], &["additional", index.as_str()]].concat();
        let mut invalid = |message: &str| judging.invalid(&steps, message);
        if reserved.iter().any(|reserved| reserved == name) {
            invalid("has the name of a Service of the operator");
        }
        if !template.at("spec").entries("selector").is_empty() {
            invalid("must not have a selector");
        }
        if name.is_empty() {
            invalid("must have a name");
        }
        is_twice |= !seen.insert(name);
    }
    if is_twice {
        judging.invalid(
            &[&base[..], &["additional"]].concat(),
            "must not have a name twice",
        );
    }
}

/// `validateManagedRoles`.
fn roles(spec: &Value, judging: &mut Judging<'_>) {
    let mut seen = BTreeSet::new();
    let mut invalid = |message: &str| judging.invalid(&["spec", "managed", "roles"], message);
    for role in spec.at("managed").items("roles") {
        let name = role.text("name");
        if !seen.insert(name) {
            invalid("must not have a name twice");
        }
        if role.int("connectionLimit").unwrap_or(-1) < -1 {
            invalid("must have a connectionLimit of -1 or more");
        }
        if is_reserved_role(name) {
            invalid("must not have a role of the operator or of PostgreSQL");
        }
        if role.flag("disablePassword") && role.has("passwordSecret") {
            invalid("must have one of disablePassword and passwordSecret");
        }
    }
}

/// `IsRoleReserved`.
pub(in crate::admission::webhooks::cnpg) fn is_reserved_role(name: &str) -> bool {
    ["postgres", "streaming_replica"].contains(&name)
        || name.starts_with("cnpg_")
        || name.starts_with("pg_")
}

/// `validatePluginConfiguration`.
fn plugins(spec: &Value, judging: &mut Judging<'_>) {
    let is_archiver = |plugin: &&Value| {
        plugin.at("enabled").as_bool().unwrap_or(true) && plugin.flag("isWALArchiver")
    };
    let archivers = spec.items("plugins").iter().filter(is_archiver).count();
    if archivers > 0 && spec.at("backup").has("barmanObjectStore") {
        judging.invalid(
            &["spec", "plugins"],
            "must not archive WAL beside barmanObjectStore",
        );
    }
    if archivers > 1 {
        judging.invalid(&["spec", "plugins"], "must have one archiver of WAL only");
    }
}

/// `validateHibernationAnnotation`, `validatePodPatchAnnotation`, `validateLivenessPingerProbe`.
fn annotations(cluster: &Value, judging: &mut Judging<'_>) {
    let annotations = cluster.down(&["metadata", "annotations"]);
    type Row = (&'static str, fn(&str) -> bool, &'static str);
    let rows: [Row; 3] = [
        (
            "cnpg.io/hibernation",
            |value| ["on", "off"].contains(&value),
            "must be on or off",
        ),
        (
            "cnpg.io/podPatch",
            is_json_patch,
            "must be a JSON patch that applies to the pod",
        ),
        (
            "alpha.cnpg.io/livenessPinger",
            |value| {
                serde_json::from_str::<Value>(value).is_ok_and(|p| p.at("enabled").is_boolean())
            },
            "must be a JSON object with `enabled`",
        ),
    ];
    for (name, is_right, message) in rows {
        if annotations.has(name) && !is_right(annotations.text(name)) {
            judging.invalid(&["metadata", "annotations", name], message);
        }
    }
}

fn is_json_patch(text: &str) -> bool {
    let Ok(Value::Array(operations)) = serde_json::from_str::<Value>(text) else {
        return false;
    };
    operations.iter().all(|operation| {
        let needs = match operation.text("op") {
            "add" | "replace" | "test" => operation.get("value").is_some(),
            "move" | "copy" => operation.text("from").starts_with('/'),
            "remove" => true,
            _ => false,
        };
        needs && operation.text("path").starts_with('/')
    })
}

/// `validatePrimaryLease`, with the operator's own defaults.
fn primary_lease(lease: &Value, judging: &mut Judging<'_>) {
    if lease.is_null() {
        return;
    }
    let of = |field: &str, default: i64| lease.int(field).unwrap_or(default);
    let (duration, renew) = (
        of("leaseDurationSeconds", 15),
        of("renewDeadlineSeconds", 10),
    );
    let mut invalid = |field: &str, message: &str| {
        judging.add(&["spec", "primaryLease", field], Reason::Invalid, message);
    };
    if duration <= renew {
        invalid(
            "leaseDurationSeconds",
            "must be greater than renewDeadlineSeconds",
        );
    }
    if renew.saturating_mul(5) <= of("retryPeriodSeconds", 2).saturating_mul(6) {
        invalid(
            "renewDeadlineSeconds",
            "must be greater than 1.2 times retryPeriodSeconds",
        );
    }
}
