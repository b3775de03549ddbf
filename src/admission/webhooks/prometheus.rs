//! The admission webhook of prometheus-operator, for PrometheusRules.
//!
//! `pkg/admission` hands the groups to Prometheus' own reader (`model/rulefmt`), which reads expressions and parses the
//! templates of alerts. Label names are those of before UTF-8 names. Pinned by the cases of the recorded group `rules`.

use serde_json::Value;

use super::super::{Causes, Webhook};
use crate::admission::native::Look;
use crate::admission::path::Path;
use crate::go::promql;
use crate::go::template::{
    Call, Function, Functions, Options, Result, Template, Value as Filled, row,
};
use crate::kube::Gvk;

/// The webhook.
#[derive(Debug)]
pub(crate) struct PrometheusOperator;

/// What Prometheus sets before the text of a template.
const DEFINITIONS: &str = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}";

/// Names of Prometheus' own template functions (`template/template.go`); they are parsed and never called.
const FUNCTIONS: &[Function] = &[
    row("args", "", uncalled),
    row("externalURL", "", uncalled),
    row("first", "", uncalled),
    row("graphLink", "", uncalled),
    row("humanize", "", uncalled),
    row("humanize1024", "", uncalled),
    row("humanizeDuration", "", uncalled),
    row("humanizePercentage", "", uncalled),
    row("humanizeTimestamp", "", uncalled),
    row("label", "", uncalled),
    row("match", "", uncalled),
    row("now", "", uncalled),
    row("parseDuration", "", uncalled),
    row("pathPrefix", "", uncalled),
    row("query", "", uncalled),
    row("reReplaceAll", "", uncalled),
    row("safeHtml", "", uncalled),
    row("sortByLabel", "", uncalled),
    row("stripDomain", "", uncalled),
    row("stripPort", "", uncalled),
    row("strvalue", "", uncalled),
    row("tableLink", "", uncalled),
    row("title", "", uncalled),
    row("tmpl", "", uncalled),
    row("toDuration", "", uncalled),
    row("toLower", "", uncalled),
    row("toTime", "", uncalled),
    row("toUpper", "", uncalled),
    row("urlQueryEscape", "", uncalled),
    row("value", "", uncalled),
];

fn uncalled(_: &Call<'_>, _: &[Filled]) -> Result<Filled> {
    Ok(Filled::string(""))
}

impl Webhook for PrometheusOperator {
    fn selects(&self, gvk: &Gvk) -> bool {
        gvk.group == "monitoring.coreos.com" && gvk.kind == "PrometheusRule"
    }

    fn validate(
        &self,
        _gvk: &Gvk,
        object: &Value,
        _old: Option<&Value>,
        errors: &mut Causes,
        _warnings: &mut Causes,
    ) {
        let functions = Functions::new(&[FUNCTIONS]);
        let root = Path::ROOT;
        let spec = root.field("spec");
        let groups = spec.field("groups");
        for (index, group) in object.at("spec").items("groups").iter().enumerate() {
            let group_path = groups.index(index);
            let rules = group_path.field("rules");
            for (index, rule) in group.items("rules").iter().enumerate() {
                check(rule, &rules.index(index), &functions, errors);
            }
        }
    }
}

/// Judges one rule: `RuleNode.Validate`.
fn check(rule: &Value, path: &Path<'_>, functions: &Functions, errors: &mut Causes) {
    let (alert, record) = (rule.text("alert"), rule.text("record"));
    match (alert.is_empty(), record.is_empty()) {
        (false, false) => errors.invalid(path, "must have one of alert and record"),
        (true, true) => errors.required(path, "alert or record"),
        _ => {}
    }
    expression(rule, &path.field("expr"), errors);
    if !record.is_empty() {
        if !rule.entries("annotations").is_empty() {
            errors.invalid(
                &path.field("annotations"),
                "must not be set where series are recorded",
            );
        }
        for field in ["for", "keep_firing_for"] {
            if !["", "0s"].contains(&rule.text(field)) {
                errors.invalid(
                    &path.field(field),
                    "must not be set where series are recorded",
                );
            }
        }
        if !is_name(record, true) {
            errors.invalid(&path.field("record"), "must be the name of a metric");
        }
    }
    let labels = path.field("labels");
    for (name, text) in rule.texts("labels") {
        if !is_name(name, false) || name == "__name__" {
            errors.invalid(&labels.field(name), "must be the name of a label");
        }
        if !alert.is_empty() {
            template(text, &labels.field(name), functions, errors);
        }
    }
    let annotations = path.field("annotations");
    for (name, text) in rule.texts("annotations") {
        if !is_name(name, false) {
            errors.invalid(&annotations.field(name), "must be the name of a label");
        }
        template(text, &annotations.field(name), functions, errors);
    }
}

fn expression(rule: &Value, path: &Path<'_>, errors: &mut Causes) {
    let expression = match rule.at("expr") {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    if expression.is_empty() {
        return errors.required(path, "an expression");
    }
    if let Err(fault) = promql::check(&expression) {
        let column = expression[..fault.at].chars().count() + 1;
        errors.invalid(
            path,
            format!(
                "is not an expression of Prometheus: {} (at character {column})",
                fault.phrase
            ),
        );
    }
}

fn template(text: &str, path: &Path<'_>, functions: &Functions, errors: &mut Causes) {
    if !text.contains("{{") {
        return;
    }
    let whole = format!("{DEFINITIONS}{text}");
    if Template::parse(&whole, &Options::default(), functions).is_err() {
        errors.invalid(path, "is not a template of Prometheus");
    }
}

/// Whether a text names a label, or a metric, which may have colons.
fn is_name(text: &str, may_have_colons: bool) -> bool {
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_' || (may_have_colons && c == ':');
    let mut letters = text.chars();
    letters.next().is_some_and(is_start) && letters.all(|c| is_start(c) || c.is_ascii_digit())
}
