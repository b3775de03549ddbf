//! What `check` judges: the objects of a root, by the gate and by every check that its project asks for.

pub use crate::validate::flows::{Analysis, Assumptions, PodReference, analyse, html, json, table};
pub use crate::validate::series_of;

use crate::diagnostic::{Report, Severity};
use crate::kube::ResMap;
use crate::validate::{self, CheckOptions};

use crate::pipeline::{Landed, Root};
use crate::project::{Checks, Level};

/// Reports every finding on a root: those of its build and overlays, the gate's, and those of the checks.
pub fn findings(
    root: &Root<'_>,
    checks: &Checks,
    landed: &Landed,
    assumptions: &Assumptions,
) -> Report {
    let mut report = landed.warnings.clone();
    let found = judged(root, checks, &landed.resources, assumptions);
    report.findings.extend(root.masked(found).findings);
    report
}

fn judged(
    root: &Root<'_>,
    checks: &Checks,
    resources: &ResMap,
    assumptions: &Assumptions,
) -> Report {
    let options = CheckOptions {
        schema: severity(checks.schema),
        flows: severity(checks.flows),
        deprecated: severity(checks.deprecated),
        assumptions: assumptions.clone(),
    };
    let mut report = root.gate(resources);
    let found = validate::check(resources, &options);
    report.findings.extend(found.findings);
    report
}

fn severity(level: Level) -> Option<Severity> {
    match level {
        Level::Error => Some(Severity::Error),
        Level::Warning => Some(Severity::Warning),
        Level::Off => None,
    }
}

/// What runs beside each other in a cluster, from several roots: their objects, what is in the cluster beside
/// them, and what the user should know. An object that two roots have is there once.
pub fn together(roots: Vec<(Landed, Assumptions)>) -> (ResMap, Assumptions, Report) {
    let (mut objects, mut warnings) = (ResMap::new(), Report::default());
    let mut assumptions: Option<Assumptions> = None;
    for (rendered, said) in roots {
        for resource in rendered.resources.into_resources() {
            // A second one is the same object, applied by another root.
            let _ = objects.push(resource);
        }
        warnings.findings.extend(rendered.warnings.findings);
        assumptions = Some(match assumptions {
            Some(mut all) => {
                all.audits |= said.audits;
                all.clusters.extend(said.clusters);
                all
            }
            None => said,
        });
    }
    let mut assumptions = assumptions.unwrap_or_default();
    assumptions.clusters.sort();
    assumptions.clusters.dedup();
    (objects, assumptions, warnings)
}
