//! Requests, limits, limit ranges and quotas. `pkg/apis/core/validation`: `validateResourceRequirements`,
//! `ValidateLimitRange`, `ValidateResourceQuota`; `pkg/apis/core/helper`.

use serde_json::Value;

use super::super::look::{Look, is_open};
use super::super::meta;
use super::twice;
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::quantity::Quantity;
use crate::admission::verdict::{Causes, Reason};

/// Resources that only whole numbers of make sense.
const WHOLE: &[&str] = &[
    "pods",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "resourcequotas",
    "services.nodeports",
    "services.loadbalancers",
];

const OF_CONTAINERS: &[&str] = &["cpu", "memory", "ephemeral-storage"];

/// The quantity of a value that was read before.
pub(in crate::admission::native) fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}

fn is_huge(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// A resource of Kubernetes itself, which may be promised more often than it is there.
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name) && !name.starts_with("requests.")
}

fn may_overcommit(name: &str) -> bool {
    is_native(name) && !is_huge(name)
}

/// A quantity that is not negative, and whole where only whole ones make sense.
fn value(name: &str, value: &Value, path: &Path<'_>, causes: &mut Causes) {
    let Some(amount) = quantity(value) else {
        return;
    };
    if amount.sign().is_lt() {
        causes.invalid(path, "must be greater than or equal to 0");
    }
    let is_whole = WHOLE.contains(&name) || is_extended(name);
    if is_whole && !amount.is_whole() {
        causes.invalid(path, "must be an integer");
    }
}

fn container_name(name: &str, path: &Path<'_>, causes: &mut Causes) {
    meta::text(name, names::qualified_name, path, causes);
    if !name.contains('/') && !OF_CONTAINERS.contains(&name) && !is_huge(name) && !is_open(name) {
        causes.invalid(
            path,
            "must be a standard resource of containers or a name with a domain",
        );
        if let Some(near) = crate::diagnostic::nearest(name, OF_CONTAINERS.iter().copied()) {
            causes.help(format!("did you mean {near}?"));
        }
    }
}

/// What a container asks for.
pub(super) fn requirements(
    resources: &Value,
    claims: &[&str],
    path: &Path<'_>,
    causes: &mut Causes,
) {
    let (limits, requests) = (path.field("limits"), path.field("requests"));
    for (name, amount) in resources.entries("limits") {
        let at = limits.key(name);
        container_name(name, &at, causes);
        value(name, amount, &at, causes);
    }
    for (name, amount) in resources.entries("requests") {
        let at = requests.key(name);
        container_name(name, &at, causes);
        value(name, amount, &at, causes);
        let limit = resources.at("limits").at(name);
        match (quantity(amount), quantity(limit)) {
            (Some(asked), Some(most)) if asked != most && !may_overcommit(name) => {
                causes.invalid(
                    &requests.key(name),
                    format!("must be equal to the limit of {name}"),
                );
            }
            (Some(asked), Some(most)) if asked > most => {
                causes.invalid(
                    &requests.key(name),
                    format!("must be less than or equal to the limit of {name}"),
                );
            }
            (_, None) if limit.is_null() && !may_overcommit(name) => {
                causes.required(
                    &limits,
                    "a resource that cannot be overcommitted needs a limit",
                );
            }
            _ => {}
        }
    }
    let all: Vec<&str> = ["limits", "requests"]
        .iter()
        .flat_map(|f| resources.entries(f))
        .map(|(n, _)| n)
        .collect();
    if all.iter().any(|n| is_huge(n)) && !all.iter().any(|n| matches!(*n, "cpu" | "memory")) {
        causes.forbidden(path, "huge pages need cpu or memory beside them");
    }
    let place = path.field("claims");
    for (index, claim) in resources.items("claims").iter().enumerate() {
        let name = claim.text("name");
        if name.is_empty() {
            causes.required(&place.index(index), "");
        } else if !claims.contains(&name) {
            causes.add(
                &place.index(index),
                Reason::NotFound,
                "must be one of the pod's resourceClaims",
            );
        }
    }
}

/// A LimitRange.
pub(super) fn limit_range(object: &Value, causes: &mut Causes) {
    let spec = Path::ROOT.field("spec");
    let path = spec.field("limits");
    let list = object.at("spec").items("limits");
    for (index, one) in list.iter().enumerate() {
        let at = path.index(index);
        let kind = one.text("type");
        let is_known =
            matches!(kind, "Pod" | "Container" | "PersistentVolumeClaim") || kind.contains('/');
        if !is_known && !is_open(kind) {
            causes.invalid(
                &at.field("type"),
                "must be a standard limit type or a name with a domain",
            );
        }
        limits(one, kind, &at, causes);
    }
    for index in twice(list.iter().map(|one| one.text("type"))) {
        causes.duplicate(&path.index(index).field("type"));
    }
}

fn limits(one: &Value, kind: &str, path: &Path<'_>, causes: &mut Causes) {
    if kind == "Pod" {
        for field in ["default", "defaultRequest"] {
            if !one.entries(field).is_empty() {
                causes.forbidden(&path.field(field), "may not be specified when type is Pod");
            }
        }
    }
    let least = one.at("min").has("storage") || one.at("max").has("storage");
    if kind == "PersistentVolumeClaim" && !least {
        causes.required(
            &path.field("limits"),
            "either minimum or maximum storage must be given",
        );
    }
    let mut seen: Vec<&str> = [
        "max",
        "min",
        "default",
        "defaultRequest",
        "maxLimitRequestRatio",
    ]
    .iter()
    .flat_map(|field| one.entries(field))
    .map(|(name, _)| name)
    .collect();
    seen.sort_unstable();
    seen.dedup();
    // What is compared, and what the first may not exceed.
    let rules = [
        ("min", "max"),
        ("defaultRequest", "max"),
        ("default", "max"),
        ("min", "defaultRequest"),
        ("min", "default"),
        ("defaultRequest", "default"),
    ];
    for name in seen {
        let of = |field: &str| quantity(one.at(field).at(name));
        for (low, high) in rules {
            if of(low).zip(of(high)).is_some_and(|(low, high)| low > high) {
                let message = format!("is more than {high} allows for {name}");
                causes.invalid(&path.field(low).key(name), message);
            }
        }
        if of("maxLimitRequestRatio").is_some_and(|ratio| ratio < Quantity::of(1)) {
            causes.invalid(
                &path.field("maxLimitRequestRatio").key(name),
                "must be 1 or more",
            );
        }
    }
}

const SCOPES: &[&str] = &[
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];

/// A ResourceQuota.
pub(super) fn resource_quota(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    let hard = path.field("hard");
    for (name, amount) in spec.entries("hard") {
        let at = hard.key(name);
        meta::text(name, names::qualified_name, &at, causes);
        if !name.contains('/') && !is_quota_name(name) && !is_open(name) {
            causes.invalid(
                &at,
                "must be a standard resource of quotas or a name with a domain",
            );
        }
        value(name, amount, &at, causes);
    }
    let scopes = spec.words("scopes");
    let names: Vec<&str> = spec
        .entries("hard")
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let place = path.field("scopes");
    for scope in &scopes {
        if !SCOPES.contains(scope) {
            causes.invalid(&place, "has a scope that is not known");
        } else if names.iter().any(|name| !scope_takes(scope, name)) {
            causes.invalid(
                &place,
                "has a scope that does not apply to a resource of the quota",
            );
        }
    }
    let conflicts = [
        ("BestEffort", "NotBestEffort"),
        ("Terminating", "NotTerminating"),
    ];
    if conflicts
        .iter()
        .any(|(a, b)| scopes.contains(a) && scopes.contains(b))
    {
        causes.invalid(&place, "has scopes that exclude each other");
    }
    scope_selector(spec, &path, causes);
}

fn scope_selector(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let selector = path.field("scopeSelector");
    let list = selector.field("matchExpressions");
    for (index, one) in spec
        .at("scopeSelector")
        .items("matchExpressions")
        .iter()
        .enumerate()
    {
        let at = list.index(index);
        let (scope, operator) = (one.text("scopeName"), one.text("operator"));
        let count = one.items("values").len();
        if !SCOPES.contains(&scope) {
            causes.invalid(&at.field("scopeName"), "is a scope that is not known");
        }
        match operator {
            "In" | "NotIn" if count == 0 => {
                causes.required(&at.field("values"), "operator In and NotIn need values");
            }
            "Exists" | "DoesNotExist" if count > 0 => {
                causes.invalid(
                    &at.field("values"),
                    "operator Exists and DoesNotExist take no values",
                );
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            _ => causes.invalid(
                &at.field("operator"),
                "must be one of In, NotIn, Exists, DoesNotExist",
            ),
        }
        let only_exists = !matches!(scope, "PriorityClass" | "VolumeAttributesClass");
        if only_exists && SCOPES.contains(&scope) && operator != "Exists" {
            causes.invalid(&at.field("operator"), "must be Exists for this scope");
        }
    }
}

fn is_quota_name(name: &str) -> bool {
    const OTHERS: &[&str] = &[
        "cpu",
        "memory",
        "ephemeral-storage",
        "storage",
        "requests.cpu",
        "requests.memory",
        "requests.storage",
        "requests.ephemeral-storage",
        "limits.cpu",
        "limits.memory",
        "limits.ephemeral-storage",
    ];
    WHOLE.contains(&name)
        || OTHERS.contains(&name)
        || is_huge(name)
        || name.starts_with("requests.hugepages-")
        || name.starts_with("count/")
}

/// Whether a scope narrows what a resource counts.
fn scope_takes(scope: &str, name: &str) -> bool {
    let of_pods = matches!(
        name,
        "pods"
            | "cpu"
            | "memory"
            | "ephemeral-storage"
            | "requests.cpu"
            | "requests.memory"
            | "limits.cpu"
            | "limits.memory"
            | "requests.ephemeral-storage"
            | "limits.ephemeral-storage"
    ) || is_huge(name)
        || name.starts_with("requests.")
        || name == "count/pods";
    match scope {
        "BestEffort" => matches!(name, "pods" | "count/pods"),
        "VolumeAttributesClass" => matches!(
            name,
            "persistentvolumeclaims" | "requests.storage" | "count/persistentvolumeclaims"
        ),
        _ => of_pods,
    }
}
