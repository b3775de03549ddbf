//! What is known to go wrong with CloudNativePG's monitoring, policies and passwords, one rule a file.
//!
//! The rules look at the user's own manifests as at the overlays'. A finding tells the place, what it
//! means and what to do. All are warnings; `check` decides what stops a run.

mod custom_queries;
mod dead_metrics;
mod default_deny;
mod denies_nothing;
mod double_scraping;
mod enforces_in_audit;
mod fighting_secrets;
mod idle_monitors;
mod promql;
mod servers;
mod tls_monitors;
mod wrong_namespace;

use crate::diagnostic::Report;
use crate::kube::{ResMap, Resource};
use crate::validate::flows::{Analysis, Assumptions, Monitor};
use crate::yaml::Node;

/// What the series begin with that the custom queries and recording rules of a render make.
pub fn series_of(resources: &ResMap) -> Vec<String> {
    dead_metrics::made(resources)
}

/// Reports what every rule finds, rule by rule.
pub fn lints(resources: &ResMap, analysis: &Analysis, assumptions: &Assumptions) -> Report {
    let mut report = Report::default();
    dead_metrics::check(resources, &assumptions.series, &mut report);
    denies_nothing::check(resources, &analysis.refused, &mut report);
    enforces_in_audit::check(analysis, &mut report);
    default_deny::check(analysis, &mut report);
    custom_queries::check(resources, &mut report);
    wrong_namespace::check(resources, analysis, assumptions, &mut report);
    let monitors: Vec<Monitor<'_>> = resources.iter().filter_map(Monitor::of).collect();
    tls_monitors::check(resources, &monitors, &mut report);
    double_scraping::check(resources, &monitors, &mut report);
    idle_monitors::check(resources, &mut report);
    fighting_secrets::check(resources, &mut report);
    report
}

/// The Clusters of a render.
fn clusters(resources: &ResMap) -> impl Iterator<Item = &Resource> {
    resources
        .iter()
        .filter(|r| r.gvk().is("postgresql.cnpg.io", "Cluster"))
}

/// The text of a field, by its path.
fn text<'r>(resource: &'r Resource, path: &[&str]) -> Option<&'r str> {
    resource.node().lookup(path).and_then(Node::scalar_text)
}

/// The items of a list, by its path.
fn list<'n>(node: &'n Node, path: &[&str]) -> &'n [Node] {
    node.lookup(path)
        .and_then(Node::as_sequence)
        .unwrap_or_default()
}
