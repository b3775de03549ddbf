//! Objects that must not drop what CloudNativePG needs, such as a default deny that an overlay adds.

use super::flows::{Analysis, Assumptions, Importance, Mode, NeededFlow, analyse};
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
    let mut analysis = analyse(resources, assumptions);
    let names: Vec<String> = guarded.iter().map(ToString::to_string).collect();
    let mut before: Vec<bool> = passing(&analysis);
    let (own, others) = std::mem::take(&mut analysis.policies)
        .into_iter()
        .partition(|p| names.contains(&p.id));
    analysis.policies = others;
    let after = passing(&analysis);
    for (before, after) in before.iter_mut().zip(after) {
        *before |= !after;
    }
    let own: Vec<super::flows::Policy> = own;
    let needs = analysis.needs.iter().zip(before);
    let dropped: Vec<&NeededFlow> = needs.filter(|(_, fine)| !fine).map(|(n, _)| n).collect();
    let Some(policy) = own.first().filter(|_| !dropped.is_empty()) else {
        return Report::default();
    };
    let finding = finding(&analysis, &policy.id, &dropped);
    Report::from(finding.at(policy.place.clone()))
}

/// Whether each flow that is required passes; what is advised counts as passing.
fn passing(analysis: &Analysis) -> Vec<bool> {
    let passes = |need: &NeededFlow| {
        need.importance != Importance::Required
            || analysis.verdict_on(need, Mode::AsWritten).passes()
    };
    analysis.needs.iter().map(passes).collect()
}

fn finding(analysis: &Analysis, policy: &str, dropped: &[&NeededFlow]) -> Diagnostic {
    let flows = if dropped.len() == 1 {
        "a flow"
    } else {
        "flows"
    };
    let phrase = format!("{policy} is refused: it would drop {flows} that CloudNativePG needs");
    let mut finding = Diagnostic::new(Code::FlowDropped, phrase);
    let mut pods: Vec<String> = Vec::new();
    for need in dropped {
        for end in [need.from, need.to] {
            let endpoint = &analysis.endpoints[end];
            if endpoint.is_pod() && policy_namespace(policy) == endpoint.namespace {
                pods.push(endpoint.title());
            }
        }
    }
    pods.sort();
    pods.dedup();
    for need in dropped.iter().take(MAX_TOLD) {
        finding = finding.note(analysis.sentence(need));
    }
    if dropped.len() > MAX_TOLD {
        finding = finding.note(format!("and {} more", dropped.len() - MAX_TOLD));
    }
    finding.help(format!(
        "give {} a policy that allows them first; `plugin flows --require` tells each rule that is missing",
        pods.join(", ")
    ))
}

/// The namespace in `Kind/namespace/name`.
fn policy_namespace(id: &str) -> &str {
    id.split('/').nth(1).unwrap_or_default()
}
