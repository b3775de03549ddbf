//! Metric names that no exporter has: an alert on them can never fire.

use std::collections::BTreeMap;

use super::list;
use crate::diagnostic::{Code, Diagnostic, Report, nearest};
use crate::kube::{ResMap, Resource};
use crate::yaml::{self, Node, ParseOptions};

/// The metrics of CNPG 1.28 and of the Barman Cloud plugin 0.14: a name, and when it is there.
const METRICS: &str = include_str!("metrics.txt");

/// What the metrics that are judged begin with.
const PREFIXES: [&str; 2] = ["cnpg_", "barman_cloud_cloudnative_pg_io_"];

/// Labels that expressions hold in the form of a metric.
const LABELS: [&str; 1] = ["cnpg_cluster"];

pub(super) fn check(resources: &ResMap, report: &mut Report) {
    let mut rules = rules(resources).peekable();
    if rules.peek().is_none() {
        return;
    }
    let known = known();
    let own = own_metrics(resources);
    for (resource, rule) in rules {
        let Some(expression) = rule.get("expr") else {
            continue;
        };
        let text = expression.scalar_text().unwrap_or_default();
        for name in names(text) {
            let finding = match known.get(name) {
                None if own.iter().any(|prefix| name.starts_with(prefix.as_str())) => None,
                None => Some(dead(resource, name, &known)),
                Some(when) => limited(resource, name, when, text),
            };
            report
                .findings
                .extend(finding.map(|f| f.at(resource.place_of(expression))));
        }
    }
}

/// The rules of every `PrometheusRule`, with the object they are in.
fn rules(resources: &ResMap) -> impl Iterator<Item = (&Resource, &Node)> {
    resources
        .iter()
        .filter(|r| r.gvk().is("monitoring.coreos.com", "PrometheusRule"))
        .flat_map(|r| {
            list(r.node(), &["spec", "groups"])
                .iter()
                .map(move |g| (r, g))
        })
        .flat_map(|(r, group)| list(group, &["rules"]).iter().map(move |rule| (r, rule)))
}

fn known() -> BTreeMap<&'static str, &'static str> {
    METRICS
        .lines()
        .map(|line| line.split_once(' ').unwrap_or((line, "")))
        .collect()
}

/// What the series of the custom queries of a render begin with.
fn own_metrics(resources: &ResMap) -> Vec<String> {
    let mut prefixes = Vec::new();
    for resource in resources.iter().filter(|r| r.gvk().is("", "ConfigMap")) {
        let Some(data) = resource.node().get("data").and_then(Node::as_mapping) else {
            continue;
        };
        for (_, value) in data.iter() {
            let text = value.scalar_text().unwrap_or_default();
            if text.contains("query:") {
                prefixes.extend(queries(text).iter().map(|name| format!("cnpg_{name}_")));
            }
        }
    }
    prefixes
}

/// The names of the queries in a text of custom queries.
pub(super) fn queries(text: &str) -> Vec<String> {
    let Ok(Some(node)) = yaml::parse_first(text, ParseOptions::default()) else {
        return Vec::new();
    };
    let Some(mapping) = node.as_mapping() else {
        return Vec::new();
    };
    mapping
        .iter()
        .filter(|(_, query)| query.get("query").is_some())
        .map(|(name, query)| {
            query
                .get("name")
                .and_then(Node::scalar_text)
                .unwrap_or(name)
                .to_owned()
        })
        .collect()
}

/// The metrics that an expression names, each once. Texts in quotes are values of labels.
fn names(expression: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (index, part) in expression.split('"').enumerate() {
        let words = part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
        for word in words.filter(|_| index % 2 == 0) {
            let is_metric = PREFIXES.iter().any(|p| word.starts_with(p)) && !LABELS.contains(&word);
            if is_metric && !names.contains(&word) {
                names.push(word);
            }
        }
    }
    names
}

fn dead(resource: &Resource, name: &str, known: &BTreeMap<&str, &str>) -> Diagnostic {
    let phrase = format!("{} reads {name}, which no exporter has", resource.id());
    let finding = Diagnostic::warning(Code::MetricDead, phrase)
        .note("the expression never gives a result, so its alert never fires");
    match replacement(name).or_else(|| nearest(name, known.keys().copied())) {
        Some(near) => finding.help(format!("did you mean {near}?")),
        None => finding.help("cnpg_collector_… and the default queries of CNPG are listed in its manual under Monitoring"),
    }
}

/// Names that are seen in rules, and what they were to be.
fn replacement(name: &str) -> Option<&'static str> {
    const SEEN: [(&str, &str); 5] = [
        ("cnpg_pg_replication_fenced", "cnpg_collector_fencing_on"),
        (
            "cnpg_pg_wal_archive_failures_total",
            "cnpg_pg_stat_archiver_failed_count",
        ),
        ("cnpg_pg_stat_activity_count", "cnpg_backends_total"),
        ("cnpg_cluster_status", "cnpg_collector_up"),
        ("cnpg_pg_data_capacity_bytes", "cnpg_pg_database_size_bytes"),
    ];
    SEEN.iter()
        .find(|(seen, _)| *seen == name)
        .map(|(_, meant)| *meant)
}

/// Metrics that only some servers have.
fn limited(resource: &Resource, name: &str, when: &str, expression: &str) -> Option<Diagnostic> {
    let (only, help) = match when {
        "-16" if !expression.contains("cnpg_pg_stat_checkpointer_") => (
            "PostgreSQL before 17",
            "join both families with `or`: cnpg_pg_stat_checkpointer_… is there since 17",
        ),
        "17-"
            if name.contains("checkpointer") && !expression.contains("cnpg_pg_stat_bgwriter_") =>
        {
            (
                "PostgreSQL 17 and later",
                "join both families with `or`: cnpg_pg_stat_bgwriter_… is there before 17",
            )
        }
        "native-backup" => (
            "backups that CNPG makes itself, and is 0 with the Barman Cloud plugin",
            "with the plugin read barman_cloud_cloudnative_pg_io_…",
        ),
        _ => return None,
    };
    let phrase = format!(
        "{} reads {name}, which is only there for {only}",
        resource.id()
    );
    Some(Diagnostic::warning(Code::MetricDead, phrase).help(help))
}

#[cfg(test)]
mod tests {
    use super::{known, names, replacement};

    #[test]
    fn names_are_found_outside_quotes() {
        let text =
            r#"max by (cnpg_cluster) (cnpg_last_error{job="cnpg_x"}) == 1 or cnpg_last_error"#;
        assert_eq!(names(text), ["cnpg_last_error"]);
    }

    #[test]
    fn replacements_are_metrics() {
        for name in [
            "cnpg_pg_replication_fenced",
            "cnpg_pg_data_capacity_bytes",
            "cnpg_cluster_status",
        ] {
            let meant = replacement(name).expect("it is in the table");
            assert!(known().contains_key(meant), "{meant}");
        }
    }
}
