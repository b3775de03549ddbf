//! Jobs and CronJobs. `pkg/apis/batch/validation`.

use serde_json::Value;

use super::super::look::{Look, is_open};
use super::super::meta;
use super::{cron, none_negative, one_of, workload};
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::verdict::Causes;

/// A Job, whose name its pods have as a label.
pub(super) fn job(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    let name = object.at("metadata").text("name");
    if name.len() > 63 && !is_open(name) {
        let template = path.field("template");
        causes.invalid(
            &template.field("labels"),
            "would hold the name of the Job, which must be no more than 63 characters",
        );
    }
    job_spec(spec, &path, causes);
    let is_manual = spec.flag("manualSelector");
    if !is_manual && spec.has("selector") {
        causes.invalid(
            &path.field("selector"),
            "is made by the API server unless manualSelector is true",
        );
    }
    if is_manual {
        let selector = spec.at("selector");
        let labels = spec.at("template").at("metadata").at("labels");
        if selector.is_null() {
            causes.required(&path.field("selector"), "");
        } else {
            meta::selector(selector, &path.field("selector"), causes);
        }
        if meta::selects(selector, labels) == Some(false) {
            let template = path.field("template");
            let metadata = template.field("metadata");
            causes.invalid(&metadata.field("labels"), "do not match the selector");
        }
    }
}

fn job_spec(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let numbers = [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ];
    none_negative(spec, &numbers, path, causes);
    completion(spec, path, causes);
    workload::template(spec.at("template"), &[], &path.field("template"), causes);
    let template = path.field("template");
    let pod = template.field("spec");
    let policy = spec.at("template").at("spec").text("restartPolicy");
    if matches!(policy, "Always" | "") {
        causes.required(
            &pod.field("restartPolicy"),
            "valid values are OnFailure and Never",
        );
    }
    let has_failure_policy = spec.has("podFailurePolicy");
    if has_failure_policy && policy == "OnFailure" {
        causes.invalid(
            &pod.field("restartPolicy"),
            "must be Never when podFailurePolicy is specified",
        );
    }
    failure_policy(spec, path, causes);
    success_policy(spec, path, causes);
    one_of(
        spec,
        "podReplacementPolicy",
        &["Failed", "TerminatingOrFailed"],
        path,
        causes,
    );
    if has_failure_policy && spec.text("podReplacementPolicy") == "TerminatingOrFailed" {
        causes.unsupported(&path.field("podReplacementPolicy"), &["Failed"]);
    }
}

fn completion(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    one_of(
        spec,
        "completionMode",
        &["NonIndexed", "Indexed"],
        path,
        causes,
    );
    if spec.text("completionMode") == "Indexed" {
        if !spec.has("completions") {
            causes.required(
                &path.field("completions"),
                "completionMode Indexed needs it",
            );
        }
        if spec.int("parallelism").is_some_and(|n| n > 100_000) {
            causes.invalid(
                &path.field("parallelism"),
                "must be less than or equal to 100000 when completionMode is Indexed",
            );
        }
    } else {
        if spec.has("backoffLimitPerIndex") {
            causes.invalid(
                &path.field("backoffLimitPerIndex"),
                "needs completionMode: Indexed",
            );
        }
        if spec.has("maxFailedIndexes") {
            causes.invalid(
                &path.field("maxFailedIndexes"),
                "needs completionMode: Indexed",
            );
        }
    }
    if spec.has("maxFailedIndexes") && !spec.has("backoffLimitPerIndex") {
        causes.required(
            &path.field("backoffLimitPerIndex"),
            "maxFailedIndexes needs it",
        );
    }
    if spec.has("managedBy") {
        let text = spec.text("managedBy");
        if !text.contains('/') {
            causes.invalid(
                &path.field("managedBy"),
                "must be a domain and a path, as example.com/name",
            );
        }
    }
}

fn failure_policy(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let policy = path.field("podFailurePolicy");
    let list = policy.field("rules");
    let rules = spec.at("podFailurePolicy").items("rules");
    if rules.len() > 20 {
        causes.add(
            &list,
            crate::admission::verdict::Reason::TooLong,
            "may have 20 rules at most",
        );
    }
    let pod = spec.at("template").at("spec");
    let containers: Vec<&str> = ["containers", "initContainers"]
        .iter()
        .flat_map(|list| pod.items(list))
        .map(|c| c.text("name"))
        .collect();
    for (index, rule) in rules.iter().enumerate() {
        let at = list.index(index);
        let actions = ["Count", "FailIndex", "FailJob", "Ignore"];
        match rule.text("action") {
            "" => causes.required(&at.field("action"), ""),
            "FailIndex" if !spec.has("backoffLimitPerIndex") => {
                causes.invalid(&at.field("action"), "FailIndex needs backoffLimitPerIndex");
            }
            _ => one_of(rule, "action", &actions, &at, causes),
        }
        match (
            rule.has("onExitCodes"),
            rule.items("onPodConditions").is_empty(),
        ) {
            (true, false) => {
                causes.invalid(&at, "may have one of onExitCodes and onPodConditions only");
            }
            (false, true) => {
                causes.invalid(&at, "must have one of onExitCodes and onPodConditions");
            }
            (true, true) => exit_codes(
                rule.at("onExitCodes"),
                &containers,
                &at.field("onExitCodes"),
                causes,
            ),
            (false, false) => conditions(rule, &at.field("onPodConditions"), causes),
        }
    }
}

fn exit_codes(codes: &Value, containers: &[&str], path: &Path<'_>, causes: &mut Causes) {
    match codes.text("operator") {
        "" => causes.required(&path.field("operator"), ""),
        _ => one_of(codes, "operator", &["In", "NotIn"], path, causes),
    }
    if codes.has("containerName") && !containers.contains(&codes.text("containerName")) {
        causes.invalid(
            &path.field("containerName"),
            "must be a container of the template",
        );
    }
    let list = path.field("values");
    let values = codes.items("values");
    if values.is_empty() {
        causes.invalid(&list, "must have at least one value");
    }
    for (index, value) in values.iter().enumerate() {
        if value.as_i64() == Some(0) && codes.text("operator") == "In" {
            causes.invalid(&list.index(index), "must not be 0 for the In operator");
        }
        if index > 0 && values[..index].contains(value) {
            causes.duplicate(&list.index(index));
        } else if index > 0 && value.as_i64() < values[index - 1].as_i64() {
            causes.invalid(&list, "must be ordered");
        }
    }
}

fn conditions(rule: &Value, path: &Path<'_>, causes: &mut Causes) {
    for (index, one) in rule.items("onPodConditions").iter().enumerate() {
        let at = path.index(index);
        meta::required_text(
            one.text("type"),
            names::qualified_name,
            &at.field("type"),
            causes,
        );
        one_of(one, "status", &["False", "True", "Unknown"], &at, causes);
    }
}

fn success_policy(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    if !spec.has("successPolicy") {
        return;
    }
    let policy = path.field("successPolicy");
    if spec.text("completionMode") != "Indexed" {
        causes.invalid(&policy, "needs completionMode: Indexed");
    }
    let list = policy.field("rules");
    let rules = spec.at("successPolicy").items("rules");
    if rules.is_empty() {
        causes.required(&list, "at least one rule must be specified");
    }
    for (index, rule) in rules.iter().enumerate() {
        if !rule.has("succeededCount") && !rule.has("succeededIndexes") {
            causes.required(&list.index(index), "succeededCount or succeededIndexes");
        }
    }
}

/// A CronJob.
pub(super) fn cron_job(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    let name = object.at("metadata").text("name");
    if name.len() > 52 && !is_open(name) {
        let metadata = Path::ROOT.field("metadata");
        causes.invalid(
            &metadata.field("name"),
            "must be no more than 52 characters",
        );
    }
    schedule(spec, &path, causes);
    none_negative(
        spec,
        &[
            "startingDeadlineSeconds",
            "successfulJobsHistoryLimit",
            "failedJobsHistoryLimit",
        ],
        &path,
        causes,
    );
    one_of(
        spec,
        "concurrencyPolicy",
        &["Allow", "Forbid", "Replace"],
        &path,
        causes,
    );
    let template = path.field("jobTemplate");
    let job = spec.at("jobTemplate");
    meta::accessories(job.at("metadata"), &template.field("metadata"), causes);
    let place = template.field("spec");
    job_spec(job.at("spec"), &place, causes);
    if job.at("spec").has("selector") {
        causes.invalid(&place.field("selector"), "is made by the API server");
    }
    if job.at("spec").flag("manualSelector") {
        causes.unsupported(&place.field("manualSelector"), &["false"]);
    }
}

fn schedule(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let (text, place) = (spec.text("schedule"), path.field("schedule"));
    if text.is_empty() {
        causes.required(&place, "");
    } else if text.contains("TZ") {
        causes.invalid(&place, "cannot use TZ or CRON_TZ, use timeZone instead");
    } else if let Some(fault) = cron::fault(text).filter(|_| !is_open(text)) {
        causes.invalid(&place, fault);
    }
    if spec.has("timeZone") {
        zone(spec.text("timeZone"), &path.field("timeZone"), causes);
    }
}

fn zone(name: &str, path: &Path<'_>, causes: &mut Causes) {
    if name.is_empty() {
        causes.invalid(path, "must be left out or not empty");
    } else if !is_zone(name) && !is_open(name) {
        causes.invalid(path, "is not a known time zone");
        causes.help("write a name of the tz database such as Europe/Berlin, in its case");
    }
}

/// Whether a name has the form of one of the tz database: the database itself is not in the binary.
fn is_zone(name: &str) -> bool {
    const AREAS: &[&str] = &[
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Brazil",
        "Canada",
        "Chile",
        "Etc",
        "Europe",
        "Indian",
        "Mexico",
        "Pacific",
        "US",
    ];
    const ALONE: &[&str] = &[
        "CET",
        "CST6CDT",
        "Cuba",
        "EET",
        "EST",
        "EST5EDT",
        "Egypt",
        "Eire",
        "GB",
        "GB-Eire",
        "GMT",
        "GMT+0",
        "GMT-0",
        "GMT0",
        "Greenwich",
        "HST",
        "Hongkong",
        "Iceland",
        "Iran",
        "Israel",
        "Jamaica",
        "Japan",
        "Kwajalein",
        "Libya",
        "MET",
        "MST",
        "MST7MDT",
        "NZ",
        "NZ-CHAT",
        "Navajo",
        "PRC",
        "PST8PDT",
        "Poland",
        "Portugal",
        "ROC",
        "ROK",
        "Singapore",
        "Turkey",
        "UCT",
        "UTC",
        "Universal",
        "W-SU",
        "WET",
        "Zulu",
    ];
    if ALONE.contains(&name) {
        return true;
    }
    let is_part = |part: &str| {
        part.bytes()
            .next()
            .is_some_and(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'))
    };
    name.split_once('/')
        .is_some_and(|(area, rest)| AREAS.contains(&area) && rest.split('/').all(is_part))
}
