//! Policies that enforce where audit is meant, because they lack `enableDefaultDeny`.

use crate::diagnostic::{Code, Diagnostic, Report};
use crate::validate::flows::{Direction, Endpoint, Policy, Role};

/// `audits` tells that the project wants audit for what nothing else is said of.
pub(super) fn check(policies: &[Policy], pods: &[Endpoint], audits: bool, report: &mut Report) {
    let mut told = Vec::new();
    for pod in pods {
        for direction in [Direction::Ingress, Direction::Egress] {
            let selecting: Vec<&Policy> = policies.iter().filter(|p| p.selects(pod)).collect();
            let auditing = selecting.iter().find(|p| p.audits(direction));
            let is_meant = selecting.iter().any(|p| p.enforces_as_asked(direction));
            let why = match auditing {
                Some(policy) => format!("{} only audits", policy.id),
                None if audits && is_cnpg(pod) && !is_meant => {
                    "network_policies_mode only audits".to_owned()
                }
                None => continue,
            };
            for enforces in selecting.iter().filter(|p| p.enforces_unasked(direction)) {
                if !told.contains(&(&enforces.id, direction)) {
                    told.push((&enforces.id, direction));
                    report.push(finding(enforces, &why, direction, &pod.title()));
                }
            }
        }
    }
}

/// Whether the project's mode is about a pod.
fn is_cnpg(pod: &Endpoint) -> bool {
    matches!(
        pod.role,
        Role::Operator | Role::Instance | Role::Job | Role::Pooler | Role::BackupPlugin
    )
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
