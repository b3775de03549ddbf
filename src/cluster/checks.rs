//! What `check` and `flows` judge: the objects of a cluster together, as its hosts hold them.

use std::collections::BTreeSet;

use indexmap::IndexMap;

pub use crate::validate::flows::{Analysis, Assumptions, PodReference, analyse, html, json, table};

use super::{Cluster, Root, references};
use crate::admission::{self, Judge, Versions};
use crate::diagnostic::{Code, Diagnostic, Place, Report, Severity};
use crate::files::TreePath;
use crate::kube::{ResMap, Resource};
use crate::overlay;
use crate::pipeline::Judged;
use crate::project::{Checks, Level};
use crate::validate::{self, CheckOptions};

/// Reports every finding on a cluster: those of builds and overlays, the gate's, and those of the checks.
pub fn findings(cluster: &Cluster, strict: bool) -> Report {
    let mut report = Report::default();
    for (_, judged) in cluster.landed() {
        let warnings = judged.landed.warnings.findings.iter();
        let found = judged.found.findings.iter();
        report.findings.extend(warnings.chain(found).cloned());
    }
    for beside in beside_each_other(cluster) {
        report
            .findings
            .extend(judged(&beside, cluster.versions).findings);
    }
    report.findings.extend(cluster.gaps(strict).findings);
    if strict {
        report.findings.extend(unjudged(cluster));
    }
    report.findings.extend(unused(cluster, strict).findings);
    super::by_cause(report)
}

/// The entries of `for` that select nothing in the whole project, where all of it was rendered.
pub fn unused(cluster: &Cluster, strict: bool) -> Report {
    let count = cluster.count();
    if count.skipped + count.failed > 0 || !cluster.report.is_empty() {
        return Report::default();
    }
    let is_asked = |place: &Place| {
        let project = TreePath::parse(&place.file).and_then(|file| file.parent());
        let mut below = cluster.below.iter();
        project.is_some_and(|project| below.any(|path| project.is_within(path)))
    };
    let severity = match strict {
        true => Severity::Error,
        false => Severity::Warning,
    };
    let usages = cluster.landed().map(|(_, judged)| &judged.landed.usage);
    overlay::unused(usages, is_asked, severity)
}

/// The roots of each cluster, those that were rendered.
fn beside_each_other(cluster: &Cluster) -> Vec<Vec<(&Root, &Judged)>> {
    let numbers: BTreeSet<usize> = cluster.roots.iter().map(|root| root.cluster).collect();
    let of = |number: usize| {
        cluster
            .landed()
            .filter(move |(root, _)| root.cluster == number)
    };
    let groups = numbers
        .into_iter()
        .map(|number| of(number).collect::<Vec<_>>());
    groups.filter(|group| !group.is_empty()).collect()
}

/// The kinds that have no schema, and how many objects of each are applied.
pub fn without_schema(cluster: &Cluster) -> IndexMap<String, usize> {
    let mut unknown = IndexMap::new();
    for beside in beside_each_other(cluster) {
        let (objects, _) = together(beside);
        for (kind, count) in admission::without_schema(&objects, Judge::new(cluster.versions)) {
            *unknown.entry(kind).or_default() += count;
        }
    }
    unknown
}

/// Each kind without a schema, for those who asked that every object be judged.
fn unjudged(cluster: &Cluster) -> impl Iterator<Item = Diagnostic> {
    let told = |(kind, count): (String, usize)| {
        let phrase = format!("{kind} has no schema, so that {count} objects are not judged");
        Diagnostic::new(Code::SchemaNone, phrase).help("keep its CRD in the repository")
    };
    without_schema(cluster).into_iter().map(told)
}

fn judged(roots: &[(&Root, &Judged)], versions: Versions) -> Report {
    let Some((_, first)) = roots.first() else {
        return Report::default();
    };
    let (objects, assumptions) = together(roots.iter().copied());
    let mut report = validate::check(&objects, &options(&first.checks, assumptions, versions));
    report.findings.extend(references::check(&objects).findings);
    report
}

fn options(checks: &Checks, assumptions: Assumptions, versions: Versions) -> CheckOptions {
    CheckOptions {
        schema: severity(checks.schema),
        flows: severity(checks.flows),
        deprecated: severity(checks.deprecated),
        versions,
        assumptions,
    }
}

fn severity(level: Level) -> Option<Severity> {
    match level {
        Level::Error => Some(Severity::Error),
        Level::Warning => Some(Severity::Warning),
        Level::Off => None,
    }
}

/// An object as it will be when what sealed it is gone: here nobody may have the key.
fn as_opened(resource: &Resource) -> Resource {
    let mut object = resource.clone();
    if object.node().lookup(&["sops", "mac"]).is_some() {
        object.change(|node| {
            node.as_mapping_mut()
                .and_then(|fields| fields.remove("sops"))
        });
    }
    object
}

/// What runs beside each other in a cluster, from several roots: their objects, and what is in the cluster
/// beside them. An object that two roots have is there once.
pub fn together<'a>(
    roots: impl IntoIterator<Item = (&'a Root, &'a Judged)>,
) -> (ResMap, Assumptions) {
    let mut objects = ResMap::new();
    let mut assumptions: Option<Assumptions> = None;
    for (_, judged) in roots {
        for resource in &judged.landed.resources {
            // A second one is the same object, applied by another root.
            let _ = objects.push(as_opened(resource));
        }
        let said = &judged.assumptions;
        assumptions = Some(match assumptions {
            Some(mut all) => {
                all.clusters.extend(said.clusters.iter().cloned());
                all
            }
            None => said.clone(),
        });
    }
    let mut assumptions = assumptions.unwrap_or_default();
    assumptions.clusters.sort();
    assumptions.clusters.dedup();
    (objects, assumptions)
}
