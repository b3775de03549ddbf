//! Policies that enforce where audit is meant, because they lack `enableDefaultDeny`.

use crate::diagnostic::{Code, Diagnostic, Report};
use crate::validate::flows::{Analysis, Direction, Policy};

/// What the project's own mode says counts for what overlays add, and for no policy that was there before.
pub(super) fn check(analysis: &Analysis, report: &mut Report) {
    let mut told = Vec::new();
    for pod in analysis.pods() {
        for direction in [Direction::Ingress, Direction::Egress] {
            let selecting: Vec<&Policy> = analysis.selecting(pod).collect();
            let auditing = selecting.iter().find(|p| p.posture(direction).audits);
            let Some(auditing) = auditing else {
                continue;
            };
            let why = format!("{} only audits", auditing.id);
            let is_unasked = |p: &&&Policy| {
                let posture = p.posture(direction);
                posture.enforces && !posture.asked
            };
            for policy in selecting.iter().filter(is_unasked) {
                if !told.contains(&(&policy.id, direction)) {
                    told.push((&policy.id, direction));
                    report.push(finding(policy, &why, direction, &pod.title()));
                }
            }
        }
    }
}

fn finding(enforces: &Policy, why: &str, direction: Direction, pod: &str) -> Diagnostic {
    let side = direction.as_str();
    let phrase = format!("{} enforces {side} of {pod}, which {why}", enforces.id);
    Diagnostic::warning(Code::PolicyEnforces, phrase)
        .at(enforces.place.clone())
        .note("a rule without enableDefaultDeny asks for default deny, and one policy that asks decides for all of a pod")
        .help(if enforces.id.starts_with("Cilium") {
            format!("set spec.enableDefaultDeny.{side}: false here too, until all of them enforce")
        } else {
            "a NetworkPolicy always enforces: write a CiliumNetworkPolicy with enableDefaultDeny".to_owned()
        })
}
