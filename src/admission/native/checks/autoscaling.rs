//! Autoscalers and disruption budgets. `pkg/apis/autoscaling/validation`, `pkg/apis/policy/validation`.

use serde_json::Value;

use super::super::look::Look;
use super::super::meta;
use super::{one_of, part, resources};
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::verdict::Causes;

/// A HorizontalPodAutoscaler.
pub(super) fn autoscaler(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    let (least, most) = (
        spec.int("minReplicas"),
        spec.int("maxReplicas").unwrap_or(0),
    );
    if least.is_some_and(|n| n < 1) {
        causes.invalid(
            &path.field("minReplicas"),
            "must be greater than or equal to 1",
        );
    }
    if most < 1 {
        causes.invalid(&path.field("maxReplicas"), "must be greater than 0");
    }
    if least.is_some_and(|least| most < least) {
        causes.invalid(
            &path.field("maxReplicas"),
            "must be greater than or equal to minReplicas",
        );
    }
    target(
        spec.at("scaleTargetRef"),
        &path.field("scaleTargetRef"),
        causes,
    );
    let list = path.field("metrics");
    for (index, metric) in spec.items("metrics").iter().enumerate() {
        self::metric(metric, &list.index(index), causes);
    }
    if spec
        .int("targetCPUUtilizationPercentage")
        .is_some_and(|n| n < 1)
    {
        causes.invalid(
            &path.field("targetCPUUtilizationPercentage"),
            "must be greater than 0",
        );
    }
    let behavior = path.field("behavior");
    for direction in ["scaleUp", "scaleDown"] {
        let rules = spec.at("behavior").at(direction);
        if !rules.is_null() {
            scaling(rules, &behavior.field(direction), causes);
        }
    }
}

fn target(target: &Value, path: &Path<'_>, causes: &mut Causes) {
    for field in ["kind", "name"] {
        match target.text(field) {
            "" => causes.required(&path.field(field), ""),
            text => meta::text(text, names::path_segment, &path.field(field), causes),
        }
    }
    let is_core = matches!(target.text("kind"), "ReplicationController");
    let version = target.text("apiVersion");
    if !version.contains('/') && !is_core {
        causes.invalid(&path.field("apiVersion"), "must name an API group");
    }
}

const METRICS: &[(&str, &str)] = &[
    ("ContainerResource", "containerResource"),
    ("External", "external"),
    ("Object", "object"),
    ("Pods", "pods"),
    ("Resource", "resource"),
];

fn metric(metric: &Value, path: &Path<'_>, causes: &mut Causes) {
    let kind = metric.text("type");
    let Some((_, source)) = METRICS.iter().find(|(name, _)| *name == kind) else {
        match kind {
            "" => causes.required(&path.field("type"), "a metric must have a type"),
            _ => one_of(
                metric,
                "type",
                &[
                    "ContainerResource",
                    "External",
                    "Object",
                    "Pods",
                    "Resource",
                ],
                path,
                causes,
            ),
        }
        return;
    };
    let place = path.field(source);
    let value = metric.at(source);
    if value.is_null() {
        causes.required(&place, "its type needs it");
    }
    for (_, other) in METRICS
        .iter()
        .filter(|(_, other)| other != source && metric.has(other))
    {
        causes.forbidden(&path.field(other), "it is not of the type of the metric");
    }
    if value.is_null() {
        return;
    }
    let goal = place.field("target");
    match kind {
        "Resource" | "ContainerResource" => {
            if value.text("name").is_empty() {
                causes.required(&place.field("name"), "must specify a resource name");
            }
            if kind == "ContainerResource" && value.text("container").is_empty() {
                causes.required(&place.field("container"), "must specify a container");
            }
            let (utilization, amount) = (
                value.at("target").has("averageUtilization"),
                value.at("target").has("averageValue"),
            );
            match (utilization, amount) {
                (false, false) => {
                    causes.required(&goal.field("averageUtilization"), "or averageValue");
                }
                (true, true) => causes.forbidden(
                    &goal.field("averageValue"),
                    "one of averageUtilization and averageValue is the most",
                ),
                _ => {}
            }
        }
        _ => {
            let metric_place = place.field("metric");
            if value.at("metric").text("name").is_empty() {
                causes.required(&metric_place.field("name"), "must specify a metric name");
            }
            meta::selector(
                value.at("metric").at("selector"),
                &metric_place.field("selector"),
                causes,
            );
            let given = ["value", "averageValue"]
                .iter()
                .filter(|f| value.at("target").has(f))
                .count();
            if given == 0 {
                causes.required(&goal.field("averageValue"), "must specify a target");
            }
            if kind == "Object" {
                target(
                    value.at("describedObject"),
                    &place.field("describedObject"),
                    causes,
                );
            }
        }
    }
    goals(value.at("target"), &goal, causes);
}

fn goals(target: &Value, path: &Path<'_>, causes: &mut Causes) {
    match target.text("type") {
        "" => causes.required(&path.field("type"), "must specify a target type"),
        _ => one_of(
            target,
            "type",
            &["Utilization", "Value", "AverageValue"],
            path,
            causes,
        ),
    }
    if target.int("averageUtilization").is_some_and(|n| n < 1) {
        causes.invalid(&path.field("averageUtilization"), "must be greater than 0");
    }
    for field in ["value", "averageValue"] {
        if resources::quantity(target.at(field)).is_some_and(|q| !q.sign().is_gt()) {
            causes.invalid(&path.field(field), "must be positive");
        }
    }
}

fn scaling(rules: &Value, path: &Path<'_>, causes: &mut Causes) {
    if rules
        .int("stabilizationWindowSeconds")
        .is_some_and(|s| !(0..=3600).contains(&s))
    {
        causes.invalid(
            &path.field("stabilizationWindowSeconds"),
            "must be between 0 and 3600",
        );
    }
    one_of(
        rules,
        "selectPolicy",
        &["Max", "Min", "Disabled"],
        path,
        causes,
    );
    let list = path.field("policies");
    if rules.has("policies") && rules.items("policies").is_empty() {
        causes.required(&list, "must specify at least one policy");
    }
    for (index, policy) in rules.items("policies").iter().enumerate() {
        let at = list.index(index);
        match policy.text("type") {
            "" => causes.required(&at.field("type"), ""),
            _ => one_of(policy, "type", &["Pods", "Percent"], &at, causes),
        }
        if policy.int("value").unwrap_or(0) <= 0 {
            causes.invalid(&at.field("value"), "must be greater than zero");
        }
        if !(1..=1800).contains(&policy.int("periodSeconds").unwrap_or(0)) {
            causes.invalid(&at.field("periodSeconds"), "must be between 1 and 1800");
        }
    }
}

/// A PodDisruptionBudget.
pub(super) fn disruption_budget(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    let (least, most) = (spec.has("minAvailable"), spec.has("maxUnavailable"));
    if least && most {
        causes.invalid(
            &path.field("maxUnavailable"),
            "and minAvailable cannot both be set",
        );
    }
    part(spec.at("minAvailable"), &path.field("minAvailable"), causes);
    part(
        spec.at("maxUnavailable"),
        &path.field("maxUnavailable"),
        causes,
    );
    meta::selector(spec.at("selector"), &path.field("selector"), causes);
    one_of(
        spec,
        "unhealthyPodEvictionPolicy",
        &["AlwaysAllow", "IfHealthyBudget"],
        &path,
        causes,
    );
}
