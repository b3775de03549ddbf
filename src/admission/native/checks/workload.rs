//! Pods and what makes them. `pkg/apis/apps/validation`, `pkg/apis/core/validation` (`ValidatePodTemplateSpec`).

use serde_json::Value;

use super::super::look::Look;
use super::super::meta;
use super::{int_or_percent, is_nothing, none_negative, one_of, part, pod as pods, storage};
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::verdict::Causes;

/// A Pod.
pub(super) fn pod(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    pods::spec(spec, object.at("metadata"), &[], &path, causes);
    if spec.has("priority")
        && spec.text("priorityClassName").is_empty()
        && spec.int("priority") != Some(0)
    {
        causes.forbidden(
            &path.field("priority"),
            "it is computed from the priorityClassName",
        );
    }
    let place = path.field("containers");
    for (index, container) in spec.items("containers").iter().enumerate() {
        let image = container.text("image");
        if image.trim() != image {
            causes.invalid(
                &place.index(index).field("image"),
                "must not have leading or trailing whitespace",
            );
        }
    }
    if spec.text("subdomain").contains('.') {
        causes.invalid(&path.field("subdomain"), "must not contain dots");
    }
}

/// A PodTemplate.
pub(super) fn pod_template(object: &Value, causes: &mut Causes) {
    template(
        object.at("template"),
        &[],
        &Path::ROOT.field("template"),
        causes,
    );
}

/// Judges a template of pods. `claims` are volumes that come from elsewhere.
pub(super) fn template(template: &Value, claims: &[&str], path: &Path<'_>, causes: &mut Causes) {
    let metadata = template.at("metadata");
    meta::accessories(metadata, &path.field("metadata"), causes);
    pods::spec(
        template.at("spec"),
        metadata,
        claims,
        &path.field("spec"),
        causes,
    );
}

/// A template must restart its pods always.
fn always(template: &Value, path: &Path<'_>, causes: &mut Causes) {
    let spec = path.field("spec");
    let policy = template.at("spec").text("restartPolicy");
    if !matches!(policy, "" | "Always") {
        causes.unsupported(&spec.field("restartPolicy"), &["Always"]);
    }
    if template.at("spec").has("activeDeadlineSeconds") {
        causes.forbidden(
            &spec.field("activeDeadlineSeconds"),
            "its pods run until they are removed",
        );
    }
}

/// A selector must be there and select the pods of the template.
fn selector(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let (selector, place) = (spec.at("selector"), path.field("selector"));
    if selector.is_null() {
        causes.required(&place, "");
    } else {
        meta::selector(selector, &place, causes);
        if meta::is_empty_selector(selector) {
            causes.invalid(&place, "an empty selector is invalid");
        }
    }
    let labels = spec.at("template").at("metadata").at("labels");
    if meta::is_empty_selector(selector) || meta::selects(selector, labels) == Some(false) {
        let template = path.field("template");
        let metadata = template.field("metadata");
        causes.invalid(&metadata.field("labels"), "do not match the selector");
    }
}

fn counts(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let numbers = [
        "replicas",
        "minReadySeconds",
        "revisionHistoryLimit",
        "progressDeadlineSeconds",
    ];
    none_negative(spec, &numbers, path, causes);
}

/// A Deployment.
pub(super) fn deployment(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    selector(spec, &path, causes);
    template(spec.at("template"), &[], &path.field("template"), causes);
    always(spec.at("template"), &path.field("template"), causes);
    counts(spec, &path, causes);
    let ready = spec.int("minReadySeconds").unwrap_or(0);
    if spec
        .int("progressDeadlineSeconds")
        .is_some_and(|deadline| deadline <= ready)
    {
        causes.invalid(
            &path.field("progressDeadlineSeconds"),
            "must be greater than minReadySeconds",
        );
    }
    strategy(spec.at("strategy"), &path.field("strategy"), causes);
}

fn strategy(strategy: &Value, path: &Path<'_>, causes: &mut Causes) {
    let rolling = strategy.at("rollingUpdate");
    let place = path.field("rollingUpdate");
    match strategy.text("type") {
        "Recreate" if !rolling.is_null() => {
            causes.forbidden(
                &place,
                "may not be specified when strategy type is Recreate",
            );
        }
        "Recreate" => {}
        "RollingUpdate" => {
            let (unavailable, surge) = (rolling.at("maxUnavailable"), rolling.at("maxSurge"));
            part(unavailable, &place.field("maxUnavailable"), causes);
            int_or_percent(surge, &place.field("maxSurge"), causes);
            if is_nothing(unavailable) && is_nothing(surge) {
                causes.invalid(
                    &place.field("maxUnavailable"),
                    "may not be 0 when maxSurge is 0",
                );
            }
        }
        _ => one_of(
            strategy,
            "type",
            &["Recreate", "RollingUpdate"],
            path,
            causes,
        ),
    }
}

/// A ReplicaSet.
pub(super) fn replica_set(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    selector(spec, &path, causes);
    template(spec.at("template"), &[], &path.field("template"), causes);
    always(spec.at("template"), &path.field("template"), causes);
    counts(spec, &path, causes);
}

/// A ReplicationController, whose selector is a map.
pub(super) fn replication_controller(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    let labels = spec.at("template").at("metadata").at("labels");
    let wanted = spec.texts("selector");
    if wanted.iter().any(|(key, value)| labels.text(key) != *value) {
        let template = path.field("template");
        let metadata = template.field("metadata");
        causes.invalid(&metadata.field("labels"), "do not match the selector");
    }
    if wanted.is_empty() && labels.as_object().is_none_or(serde_json::Map::is_empty) {
        causes.required(&path.field("selector"), "");
    }
    template(spec.at("template"), &[], &path.field("template"), causes);
    always(spec.at("template"), &path.field("template"), causes);
    counts(spec, &path, causes);
}

/// A DaemonSet.
pub(super) fn daemon_set(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    selector(spec, &path, causes);
    template(spec.at("template"), &[], &path.field("template"), causes);
    always(spec.at("template"), &path.field("template"), causes);
    counts(spec, &path, causes);
    let update = spec.at("updateStrategy");
    let place = path.field("updateStrategy");
    match update.text("type") {
        "OnDelete" => {}
        "RollingUpdate" => {
            let rolling = update.at("rollingUpdate");
            let at = place.field("rollingUpdate");
            let (unavailable, surge) = (rolling.at("maxUnavailable"), rolling.at("maxSurge"));
            part(unavailable, &at.field("maxUnavailable"), causes);
            part(surge, &at.field("maxSurge"), causes);
            match (is_nothing(unavailable), is_nothing(surge)) {
                (true, true) => causes.required(
                    &at.field("maxUnavailable"),
                    "it may not be 0 when maxSurge is 0",
                ),
                (false, false) => {
                    causes.invalid(
                        &at.field("maxSurge"),
                        "may not be set when maxUnavailable is non-zero",
                    );
                }
                _ => {}
            }
        }
        _ => one_of(
            update,
            "type",
            &["RollingUpdate", "OnDelete"],
            &place,
            causes,
        ),
    }
}

/// A StatefulSet.
pub(super) fn stateful_set(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    one_of(
        spec,
        "podManagementPolicy",
        &["OrderedReady", "Parallel"],
        &path,
        causes,
    );
    if !spec.text("serviceName").is_empty() {
        meta::text(
            spec.text("serviceName"),
            names::dns1123_label,
            &path.field("serviceName"),
            causes,
        );
    }
    selector(spec, &path, causes);
    let claims: Vec<&str> = spec
        .items("volumeClaimTemplates")
        .iter()
        .map(|claim| claim.at("metadata").text("name"))
        .collect();
    template(
        spec.at("template"),
        &claims,
        &path.field("template"),
        causes,
    );
    always(spec.at("template"), &path.field("template"), causes);
    counts(spec, &path, causes);
    let ordinals = path.field("ordinals");
    super::not_negative(spec.at("ordinals"), "start", &ordinals, causes);
    update_strategy(
        spec.at("updateStrategy"),
        &path.field("updateStrategy"),
        causes,
    );
    retention(
        spec,
        &path.field("persistentVolumeClaimRetentionPolicy"),
        causes,
    );
    let place = path.field("volumeClaimTemplates");
    for (index, claim) in spec.items("volumeClaimTemplates").iter().enumerate() {
        let at = place.index(index);
        let metadata = at.field("metadata");
        let name = claim.at("metadata").text("name");
        meta::required_text(
            name,
            names::dns1123_subdomain,
            &metadata.field("name"),
            causes,
        );
        storage::claim_spec(claim.at("spec"), &at.field("spec"), causes);
    }
}

fn update_strategy(strategy: &Value, path: &Path<'_>, causes: &mut Causes) {
    let rolling = strategy.at("rollingUpdate");
    let place = path.field("rollingUpdate");
    match strategy.text("type") {
        "OnDelete" if !rolling.is_null() => {
            causes.invalid(&place, "is only allowed for updateStrategy RollingUpdate");
        }
        "OnDelete" => {}
        "RollingUpdate" => {
            super::not_negative(rolling, "partition", &place, causes);
            part(
                rolling.at("maxUnavailable"),
                &place.field("maxUnavailable"),
                causes,
            );
        }
        _ => one_of(
            strategy,
            "type",
            &["RollingUpdate", "OnDelete"],
            path,
            causes,
        ),
    }
}

fn retention(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let policy = spec.at("persistentVolumeClaimRetentionPolicy");
    for field in ["whenDeleted", "whenScaled"] {
        one_of(policy, field, &["Retain", "Delete"], path, causes);
    }
}
