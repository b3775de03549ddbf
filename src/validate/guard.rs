//! Objects that must not drop what CloudNativePG needs, such as a default deny that an overlay adds.

use std::collections::BTreeSet;

use super::flows::{
    Analysis, Assumptions, FlowVerdict, Importance, Mode, NeededFlow, analyse_without,
};
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::{ResId, ResMap};

/// How many flows are told; the rest is counted.
const MAX_TOLD: usize = 8;

/// Refuses policies by which a flow is dropped that CloudNativePG needs, and that would pass without them.
///
/// `guarded` are the identities of the policies. Fails with [`Code::FlowDropped`], one finding for all of
/// them: the flows, and what to do.
pub fn guard(resources: &ResMap, guarded: &[&ResId], assumptions: &Assumptions) -> Report {
    if guarded.is_empty() {
        return Report::default();
    }
    let analysis = analyse_without(resources, &[], assumptions);
    let names: Vec<String> = guarded.iter().map(ToString::to_string).collect();
    let dropped = dropped(&analysis);
    let blocked = |need: &NeededFlow| blocked_ends(&analysis, need);
    let ends: Vec<Vec<usize>> = dropped
        .iter()
        .map(|i| blocked(&analysis.needs[*i]))
        .collect();
    let others = analyse_without(resources, &names, assumptions);
    let passes = |i: &usize| {
        let need = &analysis.needs[*i];
        let same = others.needs.iter().find(|n| *n == need);
        same.is_some_and(|n| others.verdict_on(n, Mode::AsWritten).fate() != FlowVerdict::Denied)
    };
    let told: Vec<(usize, Vec<usize>)> = dropped
        .into_iter()
        .zip(ends)
        .filter(|(i, _)| passes(i))
        .collect();
    let mut own = analysis.policies().filter(|p| names.contains(&p.id));
    let Some(policy) = own.next().filter(|_| !told.is_empty()) else {
        return Report::default();
    };
    Report::from(finding(&analysis, &policy.id, &told).at(policy.place.clone()))
}

/// The flows that are required and dropped, by position.
fn dropped(analysis: &Analysis) -> Vec<usize> {
    let is_dropped = |need: &NeededFlow| {
        need.importance == Importance::Required
            && analysis.verdict_on(need, Mode::AsWritten).fate() == FlowVerdict::Denied
            && !analysis.is_told(need)
    };
    let needs = analysis.needs.iter().enumerate();
    needs
        .filter(|(_, n)| is_dropped(n))
        .map(|(i, _)| i)
        .collect()
}

/// The ends at which a flow does not pass.
fn blocked_ends(analysis: &Analysis, need: &NeededFlow) -> Vec<usize> {
    let verdict = analysis.verdict_on(need, Mode::AsWritten);
    let ends = [(need.from, &verdict.egress), (need.to, &verdict.ingress)];
    let blocked = ends
        .iter()
        .filter(|(_, ground)| ground.fate() == FlowVerdict::Denied);
    blocked.map(|(end, _)| *end).collect()
}

fn finding(analysis: &Analysis, policy: &str, told: &[(usize, Vec<usize>)]) -> Diagnostic {
    let flows = if told.len() == 1 { "a flow" } else { "flows" };
    let phrase = format!("{policy} is refused: it would drop {flows} that CloudNativePG needs");
    let mut finding = Diagnostic::new(Code::FlowDropped, phrase);
    for (need, _) in told.iter().take(MAX_TOLD) {
        finding = finding.note(analysis.sentence(&analysis.needs[*need]));
    }
    if told.len() > MAX_TOLD {
        finding = finding.note(format!("and {} more", told.len() - MAX_TOLD));
    }
    let ends: BTreeSet<usize> = told.iter().flat_map(|(_, ends)| ends.clone()).collect();
    let pods: Vec<String> = ends
        .iter()
        .map(|e| analysis.endpoints[*e].title())
        .collect();
    finding.help(format!(
        "give {} a policy that allows them, or leave the default deny out; `plugin flows --require` tells each rule",
        pods.join(", ")
    ))
}
