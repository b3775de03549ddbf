//! Default deny where the operator runs, without a policy that lets the operator work.

use crate::diagnostic::{Code, Diagnostic, Report};
use crate::validate::flows::{Analysis, Policy};

pub(super) fn check(analysis: &Analysis, report: &mut Report) {
    let Some(operator) = analysis.operator() else {
        return;
    };
    let selecting: Vec<&Policy> = analysis.selecting(operator).collect();
    let denies = |p: &Policy| p.ingress.enforces || p.egress.enforces;
    let blanket = selecting.iter().find(|p| !p.is_specific && denies(p));
    let has_own = selecting.iter().any(|p| p.is_specific);
    let lacks = analysis.operator_lacks(operator);
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
