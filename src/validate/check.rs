//! Everything that `check` looks for beside the gate, with the gravity that the project gives it.

use super::flows::{Assumptions, analyse};
use super::{deprecated, lints};
use crate::admission::{self, Judge, Versions};
use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::kube::ResMap;

/// How grave each kind of finding is; `None` leaves the check out.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// The verdict of the API server on each object.
    pub schema: Option<Severity>,
    /// Flows that CloudNativePG needs.
    pub flows: Option<Severity>,
    /// Fields and versions that are deprecated.
    pub deprecated: Option<Severity>,
    /// The versions of the cluster that judges.
    pub versions: Versions,
    /// What is in the cluster beside the render.
    pub assumptions: Assumptions,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            schema: Some(Severity::Error),
            flows: Some(Severity::Error),
            deprecated: Some(Severity::Warning),
            versions: Versions::default(),
            assumptions: Assumptions::default(),
        }
    }
}

/// Judges the objects of a render that passed the gate.
///
/// The findings come check by check: schema, what is known to go wrong, flows, deprecated fields. A policy
/// that is refused is told of once.
pub fn check(resources: &ResMap, options: &CheckOptions) -> Report {
    let mut report = Report::default();
    let mut add = |found: Report, severity: Severity| {
        let findings = found.findings.into_iter();
        let graver = |f: &Diagnostic| f.severity().min(severity);
        report.findings.extend(findings.map(|f| {
            let severity = graver(&f);
            f.with_severity(severity)
        }));
    };
    if let Some(severity) = options.schema {
        let judge = Judge::new(options.versions);
        add(admission::judge(resources, judge), severity);
    }
    let mut analysis = analyse(resources, &options.assumptions);
    let found = lints(resources, &analysis, &options.assumptions);
    add(found, Severity::Warning);
    if let Some(severity) = options.flows {
        analysis.refused.clear();
        add(analysis.require(), severity);
    }
    if let Some(severity) = options.deprecated {
        add(deprecated::check(resources), severity);
    }
    report
}
