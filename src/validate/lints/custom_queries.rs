//! Custom queries that CNPG does not find, or whose series get another name than expected.

use super::{clusters, dead_metrics, list};
use crate::diagnostic::{Code, Diagnostic, Report, nearest};
use crate::kube::{ResMap, Resource};
use crate::yaml::Node;

pub(super) fn check(resources: &ResMap, report: &mut Report) {
    for cluster in clusters(resources) {
        for (field, kind) in [
            ("customQueriesConfigMap", "ConfigMap"),
            ("customQueriesSecret", "Secret"),
        ] {
            for reference in list(cluster.node(), &["spec", "monitoring", field]) {
                report
                    .findings
                    .extend(judge(resources, cluster, kind, reference));
            }
        }
    }
    for resource in resources.iter().filter(|r| r.gvk().is("", "ConfigMap")) {
        prefixes(resource, report);
    }
}

fn judge(
    resources: &ResMap,
    cluster: &Resource,
    kind: &str,
    reference: &Node,
) -> Option<Diagnostic> {
    let field = |key| {
        reference
            .get(key)
            .and_then(Node::scalar_text)
            .unwrap_or_default()
    };
    let (name, key) = (field("name"), field("key"));
    let mut named = resources
        .iter()
        .filter(|r| r.gvk().is("", kind) && r.name() == name);
    let own = named
        .clone()
        .find(|r| r.effective_namespace() == cluster.effective_namespace());
    match (own, named.next()) {
        (Some(own), _) => missing_key(cluster, own, key, reference),
        (None, Some(elsewhere)) => {
            let namespace = cluster.effective_namespace();
            let phrase = format!(
                "{} reads queries from {kind}/{name}, which is not in {namespace}",
                cluster.id()
            );
            let finding = Diagnostic::warning(Code::QueriesUnreachable, phrase)
                .at(cluster.place_of(reference))
                .note(format!("there is one in {}; CNPG looks in the Cluster's own namespace, logs a warning, and has no such metric", elsewhere.effective_namespace()))
                .help(format!("put a {kind} of that name into {namespace}"));
            Some(finding)
        }
        // It may be made by something else.
        (None, None) => None,
    }
}

fn missing_key(
    cluster: &Resource,
    own: &Resource,
    key: &str,
    reference: &Node,
) -> Option<Diagnostic> {
    let keys: Vec<&str> = ["data", "stringData"]
        .iter()
        .filter_map(|f| own.node().get(f).and_then(Node::as_mapping))
        .flat_map(|m| m.iter().map(|(k, _)| k))
        .collect();
    if keys.contains(&key) || keys.is_empty() {
        return None;
    }
    let phrase = format!(
        "{} reads the key {key} of {}, which has no such key",
        cluster.id(),
        own.id()
    );
    let finding =
        Diagnostic::warning(Code::QueriesUnreachable, phrase).at(cluster.place_of(reference));
    Some(match nearest(key, keys.iter().copied()) {
        Some(near) => finding.help(format!("did you mean {near}?")),
        None => finding.help(format!("it has {}", keys.join(", "))),
    })
}

/// The exporter puts `cnpg_` before the name of each query.
fn prefixes(resource: &Resource, report: &mut Report) {
    let Some(data) = resource.node().get("data").and_then(Node::as_mapping) else {
        return;
    };
    for (_, value) in data.iter() {
        let text = value.scalar_text().unwrap_or_default();
        if !text.contains("cnpg_") || !text.contains("query:") {
            continue;
        }
        for name in dead_metrics::queries(text)
            .iter()
            .filter(|n| n.starts_with("cnpg_"))
        {
            let phrase = format!(
                "the query {name} of {} gives series named cnpg_{name}_…",
                resource.id()
            );
            report.push(
                Diagnostic::warning(Code::QueriesUnreachable, phrase)
                    .at(resource.place_of(value))
                    .help("leave the prefix out: the exporter adds it"),
            );
        }
    }
}
