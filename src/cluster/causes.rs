//! Findings that share a cause, as one finding with the places where it shows.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Place, Report, Severity};

/// How many places of many a finding names.
const MAX_NAMED: usize = 5;

/// What two findings of one cause have in common.
type Cause = (Code, Severity, String, Vec<String>, Vec<String>);

/// Joins findings that say the same of several places. The order is that of the first of each.
pub fn by_cause(report: Report) -> Report {
    let mut order: Vec<Cause> = Vec::new();
    let mut groups: BTreeMap<Cause, Vec<Diagnostic>> = BTreeMap::new();
    for finding in report.findings {
        let cause = cause(&finding);
        let group = groups.entry(cause.clone()).or_insert_with(|| {
            order.push(cause);
            Vec::new()
        });
        group.push(finding);
    }
    let joined = order.iter().filter_map(|cause| groups.remove(cause));
    Report {
        findings: joined.filter_map(joined_finding).collect(),
    }
}

fn cause(finding: &Diagnostic) -> Cause {
    // Values that are not there are one fact of the project, whichever root asks.
    (
        finding.code(),
        finding.severity(),
        finding.phrase().to_owned(),
        finding.notes().to_vec(),
        finding.remedies().to_vec(),
    )
}

fn joined_finding(group: Vec<Diagnostic>) -> Option<Diagnostic> {
    let mut places: Vec<Place> = Vec::new();
    for place in group.iter().filter_map(|finding| finding.place()) {
        if !places.contains(place) {
            places.push(place.clone());
        }
    }
    let first = group.into_iter().next()?;
    let others = places.len().saturating_sub(1);
    if others == 0 {
        return Some(first);
    }
    let named: Vec<String> = places
        .iter()
        .skip(1)
        .take(MAX_NAMED)
        .map(ToString::to_string)
        .collect();
    let rest = others - named.len();
    let more = match rest {
        0 => String::new(),
        _ => format!(" and {rest} more"),
    };
    Some(first.note(format!("also at {}{more}", named.join(", "))))
}
