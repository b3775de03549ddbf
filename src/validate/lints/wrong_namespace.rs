//! What selects or holds something for CloudNativePG and lives in a namespace where that has no effect.

use super::{dead_metrics, list};
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::{ResMap, Resource};
use crate::validate::flows::{Analysis, Assumptions, Endpoint, Policy, Role};
use crate::validate::walk;
use crate::yaml::Node;

pub(super) fn check(
    resources: &ResMap,
    analysis: &Analysis,
    assumptions: &Assumptions,
    report: &mut Report,
) {
    for policy in analysis.policies() {
        report.findings.extend(selects_nothing(policy, analysis));
    }
    let of_operator = |p: &&Endpoint| p.role == Role::Operator;
    let operator = analysis.pods().find(of_operator);
    let home = operator.map_or(assumptions.operator.namespace.as_str(), |o| &o.namespace);
    for resource in resources.iter().filter(|r| r.gvk().is("", "ConfigMap")) {
        report
            .findings
            .extend(queries_beside_the_operator(resource, resources, home));
    }
    // Where there are Clusters, each is held against the monitors.
    let has_clusters = super::clusters(resources).next().is_some();
    for resource in resources
        .iter()
        .filter(|r| !has_clusters && r.gvk().is("monitoring.coreos.com", "PodMonitor"))
    {
        report.findings.extend(trusts_from_afar(resource));
    }
}

/// A policy whose labels are those of CNPG's pods in another namespace, and of none in its own.
fn selects_nothing(policy: &Policy, analysis: &Analysis) -> Option<Diagnostic> {
    let known = analysis
        .pods()
        .filter(|p| !p.assumed && p.role != Role::Workload)
        // In `default` is what says no namespace: its host may set one.
        .filter(|p| p.namespace != "default");
    let meant: Vec<&Endpoint> = known.filter(|p| analysis.would_select(policy, p)).collect();
    let selects = |p: &Endpoint| {
        analysis
            .selecting(p)
            .any(|other| std::ptr::eq(other, policy))
    };
    let is_idle = policy.is_specific && !analysis.pods().any(selects);
    let pod = meant.first().filter(|_| is_idle)?;
    let phrase = format!(
        "{} selects nothing: {} is in {}",
        policy.id, pod.name, pod.namespace
    );
    Some(
        Diagnostic::warning(Code::PolicyDeniesNothing, phrase)
            .at(policy.place.clone())
            .note("a policy selects pods of its own namespace alone")
            .help(format!("set metadata.namespace: {}", pod.namespace)),
    )
}

/// Custom queries in the operator's namespace, where no Cluster is: CNPG reads them from the Cluster's.
fn queries_beside_the_operator(
    map: &Resource,
    resources: &ResMap,
    home: &str,
) -> Option<Diagnostic> {
    let data = map.node().get("data").and_then(Node::as_mapping)?;
    let (_, queries) = data.iter().find(|(_, value)| {
        let text = value.scalar_text().unwrap_or_default();
        text.contains("query:") && !dead_metrics::queries(text).is_empty()
    })?;
    let mut clusters = super::clusters(resources);
    let is_home = map.effective_namespace() == home;
    if !is_home || clusters.any(|c| c.effective_namespace() == home) || is_named(map, resources) {
        return None;
    }
    let phrase = format!("no Cluster reads the queries of {}", map.id());
    Some(
        Diagnostic::warning(Code::QueriesUnreachable, phrase)
            .at(map.place_of(queries))
            .note(format!("CNPG looks in the namespace of each Cluster, logs a warning, and has no such metric; {home} is the operator's"))
            .help("put one into the namespace of each Cluster that names it, as the overlay cnpg-custom-metrics does"),
    )
}

/// Whether another object names it, such as the operator's own configuration.
fn is_named(map: &Resource, resources: &ResMap) -> bool {
    let others = resources.iter().filter(|r| !std::ptr::eq(*r, map));
    others.into_iter().any(|other| {
        let mut found = false;
        walk::scalars(other.node(), &mut |path, _, node| {
            found |= path.len() > 2 && node.scalar_text() == Some(map.name());
        });
        found
            && !other
                .gvk()
                .is("kustomize.toolkit.fluxcd.io", "Kustomization")
    })
}

/// A monitor for pods of other namespaces that reads the CA from its own.
fn trusts_from_afar(monitor: &Resource) -> Option<Diagnostic> {
    let node = monitor.node();
    let own = monitor.effective_namespace();
    let any = node.lookup(&["spec", "namespaceSelector", "any"]);
    let names = list(node, &["spec", "namespaceSelector", "matchNames"]);
    let is_afar = any.and_then(Node::as_bool) == Some(true)
        || names.iter().any(|n| n.scalar_text() != Some(own));
    let mut is_cnpg = false;
    if let Some(selector) = node.lookup(&["spec", "selector"]) {
        walk::scalars(selector, &mut |_, _, node| {
            is_cnpg |= node
                .scalar_text()
                .is_some_and(|t| t.starts_with("cnpg.io/"));
        });
    }
    let endpoints = list(node, &["spec", "podMetricsEndpoints"]);
    let ca = endpoints
        .iter()
        .find_map(|e| e.lookup(&["tlsConfig", "ca", "secret", "name"]))?;
    if !is_afar || !is_cnpg {
        return None;
    }
    let phrase = format!(
        "{} reads the CA {} from {own}, for pods of other namespaces",
        monitor.id(),
        ca.scalar_text().unwrap_or_default()
    );
    Some(
        Diagnostic::warning(Code::MonitorTls, phrase)
            .at(monitor.place_of(ca))
            .note(format!("each Cluster has a CA of its own, in its own namespace; the Prometheus operator looks for the Secret in {own}, and drops the monitor"))
            .help("give each Cluster with TLS a PodMonitor in its namespace, as the overlay cnpg-metrics-tls does"),
    )
}
