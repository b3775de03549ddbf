//! Default deny where the operator runs, without a policy that lets the operator work.

use crate::diagnostic::{Code, Diagnostic, Report};
use crate::validate::flows::{
    Assumptions, Direction, Endpoint, Policy, Role, assumed_operator, operator_lacks,
};

pub(super) fn check(
    policies: &[Policy],
    pods: &[Endpoint],
    assumptions: &Assumptions,
    report: &mut Report,
) {
    let found = pods.iter().find(|p| p.role == Role::Operator).cloned();
    // A render without CNPG may still deny everything where the operator is known to be.
    let operator = found.unwrap_or_else(|| assumed_operator(assumptions));
    let selecting: Vec<&Policy> = policies.iter().filter(|p| p.selects(&operator)).collect();
    let denies = |p: &Policy| {
        [Direction::Ingress, Direction::Egress]
            .iter()
            .any(|d| p.enforces(*d))
    };
    let blanket = selecting.iter().find(|p| !p.is_specific() && denies(p));
    let has_own = selecting.iter().any(|p| p.is_specific());
    let lacks = operator_lacks(policies, &operator);
    if let (Some(policy), false, false) = (blanket, has_own, lacks.is_empty()) {
        report.push(finding(policy, &operator.title(), &lacks));
    }
}

fn finding(policy: &Policy, operator: &str, lacks: &[&str]) -> Diagnostic {
    let phrase = format!(
        "{} cuts {operator} off: no policy allows {}",
        policy.id,
        lacks.join(" and ")
    );
    Diagnostic::warning(Code::PolicyBlocksOperator, phrase)
        .at(policy.place.clone())
        .note("without its webhooks every change of a Cluster fails; without the API server the operator stops")
        .help("apply the overlay cnpg-operator-policy first; `plugin flows --require` says when nothing is dropped")
}
