//! Webhooks, admission policies and API services. `pkg/apis/admissionregistration/validation`,
//! `k8s.io/kube-aggregator/pkg/apis/apiregistration/validation`.

use serde_json::Value;

use super::super::look::Look;
use super::super::meta;
use super::{one_of, twice};
use crate::admission::cel::{Environment, Program, Ty, check};
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::verdict::Causes;

/// An APIService.
pub(super) fn api_service(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    let (group, version) = (spec.text("group"), spec.text("version"));
    let name = format!("{version}.{group}");
    if object.at("metadata").text("name") != name {
        let metadata = Path::ROOT.field("metadata");
        causes.invalid(
            &metadata.field("name"),
            "must be the version and the group with a dot between them",
        );
    }
    if !group.is_empty() {
        meta::text(
            group,
            names::dns1123_subdomain,
            &path.field("group"),
            causes,
        );
    }
    meta::text(
        version,
        names::dns1035_label,
        &path.field("version"),
        causes,
    );
    let numbers = [("groupPriorityMinimum", 20_000), ("versionPriority", 1_000)];
    for (field, most) in numbers {
        if !(1..=most).contains(&spec.int(field).unwrap_or_default()) {
            causes.invalid(
                &path.field(field),
                format!("must be positive and less than {most}"),
            );
        }
    }
    let has_bundle = !spec.text("caBundle").is_empty();
    if !spec.has("service") {
        if has_bundle {
            causes.invalid(
                &path.field("caBundle"),
                "local APIServices may not have a caBundle",
            );
        }
        if spec.flag("insecureSkipTLSVerify") {
            causes.invalid(
                &path.field("insecureSkipTLSVerify"),
                "local APIServices may not have it",
            );
        }
        return;
    }
    let place = path.field("service");
    for field in ["namespace", "name"]
        .iter()
        .filter(|f| spec.at("service").text(f).is_empty())
    {
        causes.required(&place.field(field), "");
    }
    if spec.flag("insecureSkipTLSVerify") && has_bundle {
        causes.invalid(
            &path.field("insecureSkipTLSVerify"),
            "may not be true if caBundle is present",
        );
    }
}

/// A configuration of webhooks.
pub(super) fn webhooks(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("webhooks");
    let list = object.items("webhooks");
    for (index, hook) in list.iter().enumerate() {
        webhook(hook, &path.index(index), causes);
    }
    for index in twice(list.iter().map(|hook| hook.text("name"))) {
        causes.duplicate(&path.index(index).field("name"));
    }
}

fn webhook(hook: &Value, path: &Path<'_>, causes: &mut Causes) {
    if let Some(fault) = names::fully_qualified(hook.text("name"), 3) {
        causes.invalid(
            &path.field("name"),
            format!("{fault} (a domain of three segments or more)"),
        );
    }
    let rules = path.field("rules");
    for (index, rule) in hook.items("rules").iter().enumerate() {
        self::rule(rule, &rules.index(index), causes);
    }
    one_of(hook, "failurePolicy", &["Fail", "Ignore"], path, causes);
    one_of(hook, "matchPolicy", &["Equivalent", "Exact"], path, causes);
    one_of(
        hook,
        "reinvocationPolicy",
        &["IfNeeded", "Never"],
        path,
        causes,
    );
    match hook.text("sideEffects") {
        "" => causes.required(
            &path.field("sideEffects"),
            "must specify one of None, NoneOnDryRun",
        ),
        _ => one_of(hook, "sideEffects", &["None", "NoneOnDryRun"], path, causes),
    }
    if hook
        .int("timeoutSeconds")
        .is_some_and(|s| !(1..=30).contains(&s))
    {
        causes.invalid(
            &path.field("timeoutSeconds"),
            "must be between 1 and 30 seconds",
        );
    }
    for field in ["namespaceSelector", "objectSelector"] {
        meta::selector(hook.at(field), &path.field(field), causes);
    }
    versions(hook, &path.field("admissionReviewVersions"), causes);
    client(hook.at("clientConfig"), &path.field("clientConfig"), causes);
    conditions(
        hook.items("matchConditions"),
        false,
        &path.field("matchConditions"),
        causes,
    );
}

fn versions(hook: &Value, path: &Path<'_>, causes: &mut Causes) {
    let versions = hook.words("admissionReviewVersions");
    if versions.is_empty() {
        causes.required(path, "must specify one of v1, v1beta1");
        return;
    }
    for (index, version) in versions.iter().enumerate() {
        meta::text(version, names::dns1035_label, &path.index(index), causes);
    }
    for index in twice(versions.iter().copied()) {
        causes.invalid(&path.index(index), "is there twice");
    }
    if !versions.iter().any(|v| matches!(*v, "v1" | "v1beta1")) {
        causes.invalid(path, "must include at least one of v1, v1beta1");
    }
}

fn client(config: &Value, path: &Path<'_>, causes: &mut Causes) {
    match (config.has("url"), config.has("service")) {
        (true, true) | (false, false) => {
            causes.required(&path.field("url"), "exactly one of url or service");
        }
        (true, false) => {
            let url = config.text("url");
            let place = path.field("url");
            match url.strip_prefix("https://") {
                None => causes.invalid(&place, "must start with https://"),
                Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                    causes.invalid(&place, "must have a host");
                }
                Some(rest) if rest.contains(['?', '#', '@']) => {
                    causes.invalid(&place, "may have neither user, query nor fragment");
                }
                Some(_) => {}
            }
        }
        (false, true) => {
            let at = path.field("service");
            let service = config.at("service");
            for field in ["name", "namespace"]
                .iter()
                .filter(|f| service.text(f).is_empty())
            {
                causes.required(&at.field(field), "");
            }
            if let Some(number) = service.int("port") {
                super::port_number(number, &at.field("port"), causes);
            }
            if service.has("path") && !service.text("path").starts_with('/') {
                causes.invalid(&at.field("path"), "must start with '/'");
            }
        }
    }
}

const OPERATIONS: &[&str] = &["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

fn rule(rule: &Value, path: &Path<'_>, causes: &mut Causes) {
    let place = path.field("operations");
    let operations = rule.words("operations");
    if operations.is_empty() {
        causes.required(&place, "");
    }
    if operations.len() > 1 && operations.contains(&"*") {
        causes.invalid(&place, "may have no other operation beside '*'");
    }
    for (index, operation) in operations.iter().enumerate() {
        if !OPERATIONS.contains(operation) {
            causes.unsupported(&place.index(index), OPERATIONS);
        }
    }
    for field in ["apiGroups", "apiVersions"] {
        let given = rule.words(field);
        let place = path.field(field);
        if given.is_empty() {
            causes.required(&place, "");
        }
        if given.len() > 1 && given.contains(&"*") {
            causes.invalid(&place, "may have nothing else beside '*'");
        }
        if field == "apiVersions" {
            for (index, _) in given.iter().enumerate().filter(|(_, v)| v.is_empty()) {
                causes.required(&place.index(index), "");
            }
        }
    }
    resources(&rule.words("resources"), &path.field("resources"), causes);
    one_of(rule, "scope", &["*", "Cluster", "Namespaced"], path, causes);
}

fn resources(given: &[&str], path: &Path<'_>, causes: &mut Causes) {
    if given.is_empty() {
        causes.required(path, "");
    }
    for (index, one) in given.iter().enumerate() {
        let at = path.index(index);
        let Some((resource, part)) = one.split_once('/') else {
            if one.is_empty() {
                causes.required(&at, "");
            }
            continue;
        };
        let before = &given[..index];
        if before.contains(&&*format!("{resource}/*")) || before.contains(&&*format!("*/{part}")) {
            causes.invalid(&at, "is part of one before it that has a '*'");
        }
    }
    if given.len() > 1 && given.contains(&"*/*") {
        causes.invalid(path, "may have nothing else beside '*/*'");
    }
    let is_plain = |one: &&&str| !one.contains('/') && **one != "*";
    if given.contains(&"*") && given.iter().any(|one| is_plain(&one)) {
        causes.invalid(path, "may have no other resource beside '*'");
    }
}

/// The variables that every expression of a policy sees.
fn environment(has_params: bool) -> Environment<'static> {
    let mut environment = Environment::default();
    for name in [
        "object",
        "oldObject",
        "request",
        "namespaceObject",
        "authorizer",
    ] {
        environment.declare(name, Ty::Dyn);
    }
    if has_params {
        environment.declare("params", Ty::Dyn);
    }
    environment
}

/// An expression that must compile, and have one of some types.
fn expression(
    text: &str,
    environment: &Environment<'_>,
    wanted: Option<&Ty>,
    path: &Path<'_>,
    causes: &mut Causes,
) -> Ty {
    if text.trim().is_empty() {
        causes.required(path, "");
        return Ty::Dyn;
    }
    match Program::parse(text).and_then(|program| check(&program, environment)) {
        Ok(ty) => {
            if wanted.is_some_and(|wanted| *wanted != ty) {
                let name = wanted.map_or("bool", Ty::name);
                causes.invalid(
                    path,
                    format!("must evaluate to {name} but is {}", ty.name()),
                );
            }
            ty
        }
        Err(error) => {
            causes.invalid(path, format!("does not compile: {error}"));
            Ty::Dyn
        }
    }
}

fn conditions(list: &[Value], has_params: bool, path: &Path<'_>, causes: &mut Causes) {
    let environment = environment(has_params);
    for (index, one) in list.iter().enumerate() {
        let at = path.index(index);
        expression(
            one.text("expression"),
            &environment,
            Some(&Ty::Bool),
            &at.field("expression"),
            causes,
        );
        meta::required_text(
            one.text("name"),
            names::qualified_name,
            &at.field("name"),
            causes,
        );
    }
    for index in twice(list.iter().map(|one| one.text("name"))) {
        causes.duplicate(&path.index(index).field("name"));
    }
    if list.len() > 64 {
        causes.add(
            path,
            crate::admission::verdict::Reason::TooLong,
            "may have 64 items at most",
        );
    }
}

fn match_resources(resources: &Value, path: &Path<'_>, causes: &mut Causes) {
    one_of(
        resources,
        "matchPolicy",
        &["Equivalent", "Exact"],
        path,
        causes,
    );
    for field in ["namespaceSelector", "objectSelector"] {
        meta::selector(resources.at(field), &path.field(field), causes);
    }
    for field in ["resourceRules", "excludeResourceRules"] {
        let list = path.field(field);
        for (index, one) in resources.items(field).iter().enumerate() {
            rule(one, &list.index(index), causes);
        }
    }
}

/// A ValidatingAdmissionPolicy.
pub(super) fn policy(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    one_of(spec, "failurePolicy", &["Fail", "Ignore"], &path, causes);
    let has_params = spec.has("paramKind");
    if has_params {
        let place = path.field("paramKind");
        for field in ["apiVersion", "kind"]
            .iter()
            .filter(|f| spec.at("paramKind").text(f).is_empty())
        {
            causes.required(&place.field(field), "");
        }
    }
    let place = path.field("matchConstraints");
    if spec.has("matchConstraints") {
        match_resources(spec.at("matchConstraints"), &place, causes);
        if spec
            .at("matchConstraints")
            .items("resourceRules")
            .is_empty()
        {
            causes.required(&place.field("resourceRules"), "");
        }
    } else {
        causes.required(&place, "");
    }
    conditions(
        spec.items("matchConditions"),
        has_params,
        &path.field("matchConditions"),
        causes,
    );
    let environment = variables(
        spec,
        environment(has_params),
        &path.field("variables"),
        causes,
    );
    validations(spec, &environment, &path, causes);
}

/// Variables see those before them.
fn variables(
    spec: &Value,
    base: Environment<'static>,
    path: &Path<'_>,
    causes: &mut Causes,
) -> Environment<'static> {
    let mut known: Vec<(String, Ty)> = Vec::new();
    let mut current = base.clone();
    for (index, variable) in spec.items("variables").iter().enumerate() {
        let at = path.index(index);
        current = base.clone();
        current.declare("variables", Ty::Fields(known.clone()));
        meta::required_text(
            variable.text("name"),
            names::c_identifier,
            &at.field("name"),
            causes,
        );
        let ty = expression(
            variable.text("expression"),
            &current,
            None,
            &at.field("expression"),
            causes,
        );
        known.push((variable.text("name").to_owned(), ty));
    }
    if !known.is_empty() {
        current = base;
        current.declare("variables", Ty::Fields(known));
    }
    current
}

fn validations(spec: &Value, environment: &Environment<'_>, path: &Path<'_>, causes: &mut Causes) {
    let (checks, audits) = (spec.items("validations"), spec.items("auditAnnotations"));
    if checks.is_empty() && audits.is_empty() {
        for field in ["validations", "auditAnnotations"] {
            causes.required(
                &path.field(field),
                "one of them must contain at least one item",
            );
        }
    }
    let list = path.field("validations");
    for (index, one) in checks.iter().enumerate() {
        let at = list.index(index);
        expression(
            one.text("expression"),
            environment,
            Some(&Ty::Bool),
            &at.field("expression"),
            causes,
        );
        if !one.text("messageExpression").trim().is_empty() {
            let place = at.field("messageExpression");
            expression(
                one.text("messageExpression"),
                environment,
                Some(&Ty::String),
                &place,
                causes,
            );
        }
        if one.has("message") && one.text("message").trim().is_empty() {
            causes.invalid(&at.field("message"), "must be left out or not empty");
        }
        let reasons = [
            "Forbidden",
            "Invalid",
            "RequestEntityTooLarge",
            "Unauthorized",
        ];
        one_of(one, "reason", &reasons, &at, causes);
    }
    let list = path.field("auditAnnotations");
    for (index, one) in audits.iter().enumerate() {
        let at = list.index(index);
        meta::required_text(
            one.text("key"),
            names::qualified_name,
            &at.field("key"),
            causes,
        );
        expression(
            one.text("valueExpression"),
            environment,
            None,
            &at.field("valueExpression"),
            causes,
        );
    }
    for index in twice(audits.iter().map(|one| one.text("key"))) {
        causes.duplicate(&list.index(index).field("key"));
    }
}

/// A ValidatingAdmissionPolicyBinding.
pub(super) fn binding(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    meta::required_text(
        spec.text("policyName"),
        names::dns1123_subdomain,
        &path.field("policyName"),
        causes,
    );
    let reference = spec.at("paramRef");
    if !reference.is_null() {
        let at = path.field("paramRef");
        match (reference.has("name"), reference.has("selector")) {
            (true, true) => {
                for field in ["name", "selector"] {
                    causes.forbidden(&at.field(field), "name and selector are mutually exclusive");
                }
            }
            (false, false) => causes.required(&at, "one of name or selector"),
            _ => {}
        }
        match reference.text("parameterNotFoundAction") {
            "" => causes.required(&at.field("parameterNotFoundAction"), ""),
            _ => one_of(
                reference,
                "parameterNotFoundAction",
                &["Allow", "Deny"],
                &at,
                causes,
            ),
        }
    }
    if spec.has("matchResources") {
        match_resources(
            spec.at("matchResources"),
            &path.field("matchResources"),
            causes,
        );
    }
    let list = path.field("validationActions");
    let actions = spec.words("validationActions");
    if actions.is_empty() {
        causes.required(&list, "at least one validation action is required");
    }
    for (index, action) in actions.iter().enumerate() {
        if !matches!(*action, "Audit" | "Deny" | "Warn") {
            causes.unsupported(&list.index(index), &["Audit", "Deny", "Warn"]);
        }
    }
    for index in twice(actions.iter().copied()) {
        causes.duplicate(&list.index(index));
    }
    if actions.contains(&"Deny") && actions.contains(&"Warn") {
        causes.invalid(&list, "must not contain both Deny and Warn");
    }
}
