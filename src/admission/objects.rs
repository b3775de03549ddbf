//! The verdicts on a set of objects, as findings at the lines that their authors wrote.

use indexmap::IndexMap;
use rayon::prelude::*;

use super::decode::{Reading, decode, has_words};
use super::verdict::{Cause, Causes, Reason, Verdict};
use super::{Judge, Sending};
use crate::diagnostic::{Code, Diagnostic, Report, Severity};
use crate::kube::{ResMap, Resource};

/// The kinds that have no schema, and how many objects there are of each.
pub fn without_schema(resources: &ResMap, judge: Judge) -> IndexMap<String, usize> {
    let judge = with_definitions(resources, judge);
    let mut unknown = IndexMap::new();
    for resource in resources.iter().filter(|r| !judge.knows(r.gvk())) {
        *unknown.entry(resource.gvk().to_string()).or_default() += 1;
    }
    unknown
}

/// Judges every object. The kinds of CRDs among them are learned first.
pub fn judge(resources: &ResMap, judge: Judge) -> Report {
    let judge = with_definitions(resources, judge);
    let all: Vec<&Resource> = resources.iter().filter(|r| !is_sealed(r)).collect();
    let found: Vec<Vec<Diagnostic>> = all.par_iter().map(|one| judge_one(one, &judge)).collect();
    Report {
        findings: found.into_iter().flatten().collect(),
    }
}

/// Whether an object is sealed by SOPS still: nobody sends it as it is, and what it holds is not known.
fn is_sealed(resource: &Resource) -> bool {
    resource.node().lookup(&["sops", "mac"]).is_some()
}

/// Judges every object as it is written, by a reader of YAML 1.1: nothing builds it first.
pub fn judge_written(resources: &ResMap, judge: Judge) -> Report {
    let judge = with_definitions(resources, judge);
    let all: Vec<&Resource> = resources.iter().collect();
    let one = |resource: &&Resource| by(resource, &judge, Reading::Written);
    let found: Vec<Vec<Diagnostic>> = all.par_iter().map(one).collect();
    Report {
        findings: found.into_iter().flatten().collect(),
    }
}

/// The judge, which knows the kinds of the CRDs among the objects as well.
fn with_definitions(resources: &ResMap, mut judge: Judge) -> Judge {
    let is_crd = |r: &&Resource| {
        r.gvk()
            .is("apiextensions.k8s.io", "CustomResourceDefinition")
    };
    for crd in resources.iter().filter(is_crd) {
        judge.define(&decode(crd.node(), Reading::Built, &mut Causes::default()));
    }
    judge
}

fn judge_one(resource: &Resource, judge: &Judge) -> Vec<Diagnostic> {
    let mut found = by(resource, judge, Reading::Built);
    if has_words(resource.node()) {
        by_reading(resource, judge, &mut found);
    }
    found
}

fn by(resource: &Resource, judge: &Judge, reading: Reading) -> Vec<Diagnostic> {
    let mut twice = Causes::default();
    let object = decode(resource.node(), reading, &mut twice);
    let verdict = judge.admit(&object, None, Sending::Create);
    findings(resource, &verdict, &twice)
}

/// Plain words that kustomize quotes, and everyone else reads as true or false: what either reading takes is no error.
fn by_reading(resource: &Resource, judge: &Judge, found: &mut Vec<Diagnostic>) {
    let written = by(resource, judge, Reading::Written);
    let is_in =
        |list: &[Diagnostic], one: &Diagnostic| list.iter().any(|other| other.path() == one.path());
    found.retain(|one| is_in(&written, one));
    let only = written
        .into_iter()
        .filter(|one| !is_in(found, one))
        .map(|one| {
            one.with_severity(Severity::Warning)
                .note("kustomize quotes the word; kubectl and other readers of YAML 1.1 do not")
        });
    let only: Vec<Diagnostic> = only.collect();
    found.extend(only);
}

/// Errors, what would be dropped without a word, and, as warnings, what only a server-side apply refuses.
fn findings(resource: &Resource, verdict: &Verdict, twice: &Causes) -> Vec<Diagnostic> {
    let causes = verdict
        .errors
        .iter()
        .chain(&verdict.unknown)
        .chain(&twice.list);
    let mut findings: Vec<Diagnostic> = causes
        .filter(|cause| !is_of_status(cause))
        .map(|cause| finding(resource, cause, code_of(cause.reason)))
        .collect();
    let warnings = verdict
        .warnings
        .iter()
        .map(|cause| finding(resource, cause, code_of(cause.reason)));
    let apply = verdict.apply.iter().map(|cause| {
        let found = finding(resource, cause, Code::SchemaApply);
        found.note("a server-side apply, as Flux does it, is refused; a plain one warns")
    });
    findings.extend(
        warnings
            .chain(apply)
            .map(|found| found.with_severity(Severity::Warning)),
    );
    findings
}

/// The API server drops the status of what is applied, once it knows its fields.
fn is_of_status(cause: &Cause) -> bool {
    let field = cause.field.as_str();
    let is_status = field == "status" || field.starts_with("status.");
    is_status && cause.reason != Reason::Unknown
}

fn finding(resource: &Resource, cause: &Cause, code: Code) -> Diagnostic {
    let field = cause.field.as_str();
    let subject = if field.is_empty() { "it" } else { field };
    let is_about_key = cause.reason == Reason::Unknown || cause.message.contains("twice");
    let node = match is_about_key {
        true => cause.field.locate_key(resource.node()),
        false => cause.field.locate(resource.node()),
    };
    let found = Diagnostic::new(
        code,
        format!("{subject} {} in {}", cause.message, resource.id()),
    )
    .at(resource.place_of(node))
    .about(field);
    match &cause.help {
        Some(help) => found.help(help.clone()),
        None => found,
    }
}

fn code_of(reason: Reason) -> Code {
    match reason {
        Reason::Unknown => Code::SchemaUnknown,
        Reason::Decode | Reason::Type => Code::SchemaType,
        Reason::Required => Code::SchemaMissing,
        Reason::NoKind => Code::SchemaKind,
        Reason::Invalid
        | Reason::Unsupported
        | Reason::Duplicate
        | Reason::Forbidden
        | Reason::TooLong
        | Reason::NotFound => Code::SchemaValue,
    }
}
