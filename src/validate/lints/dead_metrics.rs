//! Metric names that no exporter has: an alert on them can never fire.

use std::collections::BTreeMap;

use super::servers::Servers;
use super::{list, promql};
use crate::diagnostic::{Code, Diagnostic, Report, nearest};
use crate::kube::{ResMap, Resource};
use crate::validate::walk::{self, Role as Part};
use crate::yaml::{self, Node, ParseOptions};

/// The metrics of CNPG 1.28 to 1.30, its poolers included, and of the Barman Cloud plugin 0.14: a name, and when it is
/// there.
const METRICS: &str = include_str!("metrics.txt");

/// What the metrics that are judged begin with.
const PREFIXES: [&str; 2] = ["cnpg_", "barman_cloud_cloudnative_pg_io_"];

/// Labels that dashboards hold in the form of a metric, as in `label_values(up, cnpg_cluster)`.
const LABELS: [&str; 1] = ["cnpg_cluster"];

pub(super) fn check(resources: &ResMap, made_elsewhere: &[String], report: &mut Report) {
    let mut readers = readers(resources).peekable();
    if readers.peek().is_none() {
        return;
    }
    let known = known();
    let servers = Servers::of(resources);
    let mut made = made(resources);
    made.extend_from_slice(made_elsewhere);
    let is_made = |name: &str| made.iter().any(|prefix| name.starts_with(prefix.as_str()));
    for reader in readers {
        for name in reader.names() {
            let finding = match known.get(name.as_str()) {
                None if is_made(&name) => None,
                None => Some(dead(&reader, &name, &known)),
                Some(when) => limited(&reader, &name, when, &servers),
            };
            let place = reader.resource.place_of(reader.node);
            report.findings.extend(finding.map(|f| f.at(place)));
        }
    }
}

/// What becomes of a thing that reads a metric which is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An expression of an alert or a recording rule.
    Rule,
    /// A panel or a variable of a dashboard.
    Dashboard,
    /// A pattern of metric names of a monitor.
    Relabeling,
}

/// Something that reads metrics: a text, and where it stands.
struct Reader<'r> {
    kind: Kind,
    resource: &'r Resource,
    node: &'r Node,
    texts: Vec<String>,
}

impl<'r> Reader<'r> {
    fn new(kind: Kind, resource: &'r Resource, node: &'r Node, texts: Vec<String>) -> Self {
        Self {
            kind,
            resource,
            node,
            texts,
        }
    }

    /// The names of metrics in it, each once.
    fn names(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for text in &self.texts {
            let found = if self.kind == Kind::Relabeling {
                alternatives(text)
            } else {
                names(text)
            };
            for name in found {
                if !all.iter().any(|n| n == name) {
                    all.push(name.to_owned());
                }
            }
        }
        all
    }
}

/// Everything in a render that reads metrics by name.
fn readers(resources: &ResMap) -> impl Iterator<Item = Reader<'_>> {
    let rules = rules(resources).filter_map(|(resource, rule)| {
        let node = rule.get("expr")?;
        let text = node.scalar_text()?.to_owned();
        Some(Reader::new(Kind::Rule, resource, node, vec![text]))
    });
    let others = resources
        .iter()
        .flat_map(|r| dashboards(r).into_iter().chain(relabelings(r)));
    rules.chain(others)
}

/// The dashboards in a ConfigMap or a `GrafanaDashboard`.
fn dashboards(resource: &Resource) -> Vec<Reader<'_>> {
    let node = resource.node();
    let texts: Vec<&Node> = match (resource.gvk().group.as_str(), resource.kind()) {
        ("", "ConfigMap") => node
            .get("data")
            .and_then(Node::as_mapping)
            .into_iter()
            .flat_map(|m| m.iter())
            .filter(|(key, _)| key.ends_with(".json"))
            .map(|(_, value)| value)
            .collect(),
        ("grafana.integreatly.org", "GrafanaDashboard") => {
            node.lookup(&["spec", "json"]).into_iter().collect()
        }
        _ => Vec::new(),
    };
    let read = |node: &'_ Node| {
        let text = node
            .scalar_text()
            .filter(|t| PREFIXES.iter().any(|p| t.contains(p)))?;
        let json: serde_json::Value = serde_json::from_str(text).ok()?;
        let mut texts = Vec::new();
        expressions(&json, &mut texts);
        Some(texts)
    };
    let found = texts.into_iter();
    found
        .filter_map(|n| read(n).map(|texts| Reader::new(Kind::Dashboard, resource, n, texts)))
        .collect()
}

/// The texts of a dashboard that Prometheus evaluates.
fn expressions(json: &serde_json::Value, into: &mut Vec<String>) {
    match json {
        serde_json::Value::Array(items) => items.iter().for_each(|i| expressions(i, into)),
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str() {
                    Some(text) if matches!(key.as_str(), "expr" | "query" | "definition") => {
                        into.push(text.to_owned());
                    }
                    _ => expressions(value, into),
                }
            }
        }
        _ => {}
    }
}

/// The patterns of metric names in the relabelings of a monitor.
fn relabelings(resource: &Resource) -> Vec<Reader<'_>> {
    let field = match resource.kind() {
        "PodMonitor" => "podMetricsEndpoints",
        "ServiceMonitor" => "endpoints",
        _ => return Vec::new(),
    };
    let by_name = |row: &&Node| {
        let labels = list(row, &["sourceLabels"]);
        labels.len() == 1 && labels[0].scalar_text() == Some("__name__")
    };
    let endpoints = list(resource.node(), &["spec", field]).iter();
    let rows = endpoints.flat_map(|e| list(e, &["metricRelabelings"]));
    rows.filter(by_name)
        .filter_map(|row| row.get("regex"))
        .filter_map(|node| {
            let text = node.scalar_text()?.to_owned();
            Some(Reader::new(Kind::Relabeling, resource, node, vec![text]))
        })
        .collect()
}

/// The alternatives of a pattern that are plain names; what holds more of a pattern is not judged.
fn alternatives(pattern: &str) -> Vec<&str> {
    let inner = pattern.trim_start_matches('^').trim_end_matches('$');
    let inner = inner
        .strip_prefix('(')
        .and_then(|p| p.strip_suffix(')'))
        .unwrap_or(inner);
    let is_name = |p: &&str| p.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let is_ours = |p: &&str| PREFIXES.iter().any(|prefix| p.starts_with(prefix));
    inner.split('|').filter(is_name).filter(is_ours).collect()
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

/// What the series of the custom queries and recording rules of a render begin with.
pub(super) fn made(resources: &ResMap) -> Vec<String> {
    let mut prefixes = Vec::new();
    for resource in resources.iter().filter(|r| holds_queries(r)) {
        walk::scalars(resource.node(), &mut |_, part, node| {
            let text = node.scalar_text().unwrap_or_default();
            if part == Part::Value && text.contains("query:") {
                prefixes.extend(queries(text).iter().map(|name| format!("cnpg_{name}_")));
            }
        });
    }
    let recorded = rules(resources).filter_map(|(_, rule)| rule.get("record")?.scalar_text());
    prefixes.extend(recorded.map(str::to_owned));
    prefixes
}

/// Whether custom queries may stand in an object: in a ConfigMap, a Secret, or the values of the operator's chart.
fn holds_queries(resource: &Resource) -> bool {
    matches!(
        (resource.gvk().group.as_str(), resource.kind()),
        ("", "ConfigMap" | "Secret") | ("helm.toolkit.fluxcd.io", "HelmRelease")
    )
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

/// The metrics that an expression names, each once.
fn names(expression: &str) -> Vec<&str> {
    let mut names = promql::series(expression);
    names.retain(|name| PREFIXES.iter().any(|p| name.starts_with(p)) && !LABELS.contains(name));
    names
}

fn dead(reader: &Reader<'_>, name: &str, known: &BTreeMap<&str, &str>) -> Diagnostic {
    let phrase = format!(
        "{} reads {name}, which no exporter has",
        reader.resource.id()
    );
    let finding = Diagnostic::warning(Code::MetricDead, phrase).note(match reader.kind {
        Kind::Rule => "the expression never gives a result, so its alert never fires",
        Kind::Dashboard => "the panel stays empty",
        Kind::Relabeling => "the pattern fits no series",
    });
    match replacement(name).or_else(|| nearest(name, known.keys().copied())) {
        Some(near) => finding.help(format!("did you mean {near}?")),
        None => finding.help("where a custom query of another root makes it, check both roots in one run; what CNPG has is in its manual under Monitoring"),
    }
}

/// Names that are seen in rules, and what they were to be.
fn replacement(name: &str) -> Option<&'static str> {
    const SEEN: [(&str, &str); 7] = [
        ("cnpg_pg_replication_fenced", "cnpg_collector_fencing_on"),
        (
            "cnpg_pg_wal_archive_failures_total",
            "cnpg_pg_stat_archiver_failed_count",
        ),
        ("cnpg_pg_stat_activity_count", "cnpg_backends_total"),
        ("cnpg_cluster_status", "cnpg_collector_up"),
        ("cnpg_pg_data_capacity_bytes", "cnpg_pg_database_size_bytes"),
        (
            "cnpg_pg_backup_last_failed_time",
            "cnpg_collector_last_failed_backup_timestamp",
        ),
        (
            "cnpg_pg_backup_last_successful_time",
            "cnpg_collector_last_available_backup_timestamp",
        ),
    ];
    SEEN.iter()
        .find(|(seen, _)| *seen == name)
        .map(|(_, meant)| *meant)
}

/// Metrics that only some servers have.
fn limited(reader: &Reader<'_>, name: &str, when: &str, servers: &Servers) -> Option<Diagnostic> {
    if reader.kind != Kind::Rule {
        return None;
    }
    let expression = reader.texts.first().map_or("", String::as_str);
    let (only, help) = match when {
        "-16" if !servers.are_all_old() && !expression.contains("cnpg_pg_stat_checkpointer_") => (
            "PostgreSQL before 17",
            "join both families with `or`: cnpg_pg_stat_checkpointer_… is there since 17",
        ),
        "17-"
            if servers.is_one_old()
                && name.contains("checkpointer")
                && !expression.contains("cnpg_pg_stat_bgwriter_") =>
        {
            (
                "PostgreSQL 17 and later",
                "join both families with `or`: cnpg_pg_stat_bgwriter_… is there before 17",
            )
        }
        "native-backup" if !servers.do_without_plugin() => (
            "backups that CNPG makes itself, and is 0 with the Barman Cloud plugin",
            "with the plugin read barman_cloud_cloudnative_pg_io_…",
        ),
        _ => return None,
    };
    let phrase = format!(
        "{} reads {name}, which is only there for {only}",
        reader.resource.id()
    );
    Some(Diagnostic::warning(Code::MetricDead, phrase).help(help))
}

#[cfg(test)]
mod tests {
    use super::{known, replacement};

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
