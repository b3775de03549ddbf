//! Policies that look as if they denied, and deny nothing.

use super::list;
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::{ResMap, Resource};
use crate::validate::flows::{Refused, refused_finding};
use crate::yaml::Node;

pub(super) fn check(resources: &ResMap, refused: &[Refused], report: &mut Report) {
    for refused in refused {
        let finding = refused_finding(refused).with_severity(crate::diagnostic::Severity::Warning);
        report.push(finding.help(
            "for default deny write one empty rule: ingress: [{}], egress: [{}]; and look at status.conditions, not at the exit code of apply",
        ));
    }
    for resource in resources
        .iter()
        .filter(|r| r.kind() == "CiliumNetworkPolicy")
    {
        report.findings.extend(allows_its_namespace(resource));
    }
}

/// `ingress: [{fromEndpoints: [{}]}]` in a policy that selects every pod: it lets the namespace in.
fn allows_its_namespace(resource: &Resource) -> Option<Diagnostic> {
    let named_for_denying = resource.name().contains("deny");
    let spec = resource.node().get("spec")?;
    let is_empty = |node: &Node| node.as_mapping().is_some_and(|m| m.is_empty());
    let selects_all = spec.get("endpointSelector").is_some_and(is_empty);
    let rule = [("ingress", "fromEndpoints"), ("egress", "toEndpoints")]
        .iter()
        .flat_map(|(side, peers)| list(spec, &[side]).iter().filter_map(move |r| r.get(peers)))
        .find(|peers| peers.as_sequence().is_some_and(|p| p.iter().any(is_empty)))?;
    (named_for_denying && selects_all).then(|| {
        let phrase = format!("{} allows every pod of its namespace", resource.id());
        Diagnostic::warning(Code::PolicyDeniesNothing, phrase)
            .at(resource.place_of(rule))
            .note("an empty selector among the peers is every pod of the policy's namespace, not nobody")
            .help("for default deny write one empty rule: ingress: [{}], egress: [{}]")
    })
}
