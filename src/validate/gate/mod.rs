//! What every render must keep, one rule a file.

mod delimiters;
mod duplicates;
mod empty;
mod identity;
mod plaintext;
mod retyped;
mod sealed;

pub use plaintext::is_telling;

use secrecy::SecretString;

use crate::diagnostic::{Report, Severity};
use crate::kube::ResMap;

/// How grave the gate's findings are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Severities {
    /// Errors: with a project file, and in host commands.
    #[default]
    Strict,
    /// Warnings: where whatever kustomize accepts is printed.
    Lenient,
}

/// What the gate has to know of a render.
#[derive(Debug, Default)]
pub struct GateOptions<'a> {
    /// How grave its findings are.
    pub severities: Severities,
    /// The opening delimiters of the project's templates. `{{`, `{%` and `{#` are never looked for.
    pub delimiters: &'a [String],
    /// Values of `values:` and `substituteFrom` that `checks.sensitive` lists.
    pub sensitive: &'a [SecretString],
    /// What was opened of sealed files that are not values.
    pub sealed: &'a [SecretString],
    /// Sealed values whose names say that they are secret: where they stand is a warning.
    pub named: &'a [SecretString],
    /// Objects that may hold values of sealed manifests: `Kind/name` or `Kind/namespace/name`, `*` for any.
    pub plaintext_allowed: &'a [String],
    /// Whether sealed files pass through unopened.
    pub keep_sealed: bool,
    /// Whether there must be at least one object.
    pub must_have_objects: bool,
}

/// Judges the objects of a render.
///
/// The findings come rule by rule, and within a rule in the order of the objects. Those on values that
/// YAML 1.1 retypes are warnings always.
pub fn gate(resources: &ResMap, options: &GateOptions<'_>) -> Report {
    let mut report = Report::default();
    identity::check(resources, &mut report);
    duplicates::check(resources, &mut report);
    let mut retyped = Report::default();
    for resource in resources {
        // One after the other while the object is at hand: a large build is larger than the processor's caches.
        sealed::check(resource, options, &mut report);
        retyped::check(resource, &mut retyped);
    }
    delimiters::check(resources, options, &mut report);
    plaintext::check(resources, options, &mut report);
    empty::check(resources, options, &mut report);
    if options.severities == Severities::Lenient {
        let findings = std::mem::take(&mut report.findings).into_iter();
        report.findings = findings
            .map(|finding| finding.with_severity(Severity::Warning))
            .collect();
    }
    report.findings.extend(retyped.findings);
    report
}
