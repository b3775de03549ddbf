//! Policies that enforce where others of the same pods only audit, because they lack `enableDefaultDeny`.

use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::ResMap;
use crate::validate::flows::{Assumptions, Direction, Policy, pods};

pub(super) fn check(
    resources: &ResMap,
    policies: &[Policy],
    assumptions: &Assumptions,
    report: &mut Report,
) {
    if policies.len() < 2 {
        return;
    }
    let pods = pods(resources, assumptions);
    let mut told = Vec::new();
    for pod in &pods {
        for direction in [Direction::Ingress, Direction::Egress] {
            let selecting: Vec<&Policy> = policies.iter().filter(|p| p.selects(pod)).collect();
            let Some(audits) = selecting.iter().find(|p| p.audits(direction)) else {
                continue;
            };
            for enforces in selecting.iter().filter(|p| p.enforces_unasked(direction)) {
                if !told.contains(&(&enforces.id, direction)) {
                    told.push((&enforces.id, direction));
                    report.push(finding(enforces, audits, direction, &pod.title()));
                }
            }
        }
    }
}

fn finding(enforces: &Policy, audits: &Policy, direction: Direction, pod: &str) -> Diagnostic {
    let side = direction.as_str();
    let phrase = format!(
        "{} enforces {side} of {pod}, which {} only audits",
        enforces.id, audits.id
    );
    Diagnostic::warning(Code::PolicyEnforces, phrase)
        .at(enforces.place.clone())
        .note("a rule without enableDefaultDeny asks for default deny, and one policy that asks decides for all of a pod")
        .help(format!("set spec.enableDefaultDeny.{side}: false here too, until all of them enforce"))
}
