//! Clusters and Poolers that no object of the render shows: the `cluster` chart of CloudNativePG makes them,
//! or the project declares them.

use std::borrow::Cow;

use super::{Assumptions, charts, list, text};
use crate::kube::{ResMap, Resource};
use crate::yaml::{Mapping, Node, Tag, Value};

/// The chart that makes Clusters.
const CHART: &str = "cluster";

/// How many instances the chart makes where nothing is said.
const INSTANCES: &str = "3";

/// The objects of a render with those that charts make of them.
pub(in crate::validate::flows) fn complete<'r>(
    resources: &'r ResMap,
    assumptions: &Assumptions,
) -> Cow<'r, ResMap> {
    let mut added: Vec<Resource> = resources
        .iter()
        .flat_map(|r| by_chart(r, resources))
        .collect();
    for (namespace, name) in &assumptions.clusters {
        let is_there = |r: &Resource| {
            r.gvk().is("postgresql.cnpg.io", "Cluster")
                && (r.effective_namespace(), r.name()) == (namespace.as_str(), name.as_str())
        };
        if !resources.iter().chain(&added).any(is_there) {
            let spec = mapping([("instances", Node::string(INSTANCES))]);
            added.push(Resource::new(
                object("Cluster", namespace, name, spec),
                None,
            ));
        }
    }
    if added.is_empty() {
        return Cow::Borrowed(resources);
    }
    let mut all = resources.clone();
    added.into_iter().for_each(|r| all.push_unchecked(r));
    Cow::Owned(all)
}

/// Whether an object is a release of the chart.
pub(super) fn is_cluster_chart(resource: &Resource, resources: &ResMap) -> bool {
    let is_ours = |text: &str| text.contains("cnpg") || text.contains("cloudnative-pg");
    match (resource.gvk().group.as_str(), resource.kind()) {
        ("helm.toolkit.fluxcd.io", "HelmRelease") => {
            let source = ["spec", "chart", "spec", "sourceRef", "name"];
            match charts::chart_of(resource, resources) {
                Some(chart) if chart.contains('/') => {
                    is_ours(chart) && chart.ends_with("/charts/cluster")
                }
                Some(CHART) => {
                    let name = text(resource, &source).unwrap_or_default();
                    let repository = resources
                        .iter()
                        .find(|r| r.name() == name && r.gvk().group == "source.toolkit.fluxcd.io");
                    let url = repository.and_then(|r| text(r, &["spec", "url"]));
                    is_ours(name) || url.is_some_and(is_ours)
                }
                _ => false,
            }
        }
        ("argoproj.io", "Application") => sources(resource).iter().any(|source| {
            let text = |key| {
                source
                    .get(key)
                    .and_then(Node::scalar_text)
                    .unwrap_or_default()
            };
            text("chart").rsplit('/').next() == Some(CHART)
                && (is_ours(text("repoURL")) || is_ours(text("chart")))
        }),
        _ => false,
    }
}

/// The sources of an Application.
fn sources(application: &Resource) -> Vec<&Node> {
    let single = application.node().lookup(&["spec", "source"]);
    single
        .into_iter()
        .chain(list(application, &["spec", "sources"]))
        .collect()
}

/// A release: its name, its namespace, and the values that it sets.
struct Release<'r> {
    name: String,
    namespace: &'r str,
    values: Option<&'r Node>,
}

fn release(resource: &Resource) -> Release<'_> {
    if resource.kind() == "Application" {
        let helm = sources(resource).into_iter().find_map(|s| s.get("helm"));
        let name = helm
            .and_then(|h| h.get("releaseName"))
            .and_then(Node::scalar_text);
        return Release {
            name: name.unwrap_or(resource.name()).to_owned(),
            namespace: text(resource, &["spec", "destination", "namespace"]).unwrap_or("default"),
            values: helm.and_then(|h| h.get("valuesObject")),
        };
    }
    let target = text(resource, &["spec", "targetNamespace"]);
    Release {
        name: charts::release_name(resource),
        namespace: target.unwrap_or(resource.effective_namespace()),
        values: resource.node().lookup(&["spec", "values"]),
    }
}

/// The Cluster and the Poolers that a release of the chart makes.
fn by_chart(resource: &Resource, resources: &ResMap) -> Vec<Resource> {
    if !is_cluster_chart(resource, resources) {
        return Vec::new();
    }
    let release = release(resource);
    let value = |path: &[&str]| release.values.and_then(|v| v.lookup(path));
    let said = |path: &[&str]| {
        let text = value(path).and_then(Node::scalar_text);
        text.filter(|t| !t.is_empty())
    };
    let name = full_name(
        &release.name,
        said(&["fullnameOverride"]),
        said(&["nameOverride"]),
    );
    let namespace = said(&["namespaceOverride"]).unwrap_or(release.namespace);
    let made = |kind, name: &str, spec| {
        let node = object(kind, namespace, name, spec).with_mark(resource.node().mark());
        Resource::new(node, resource.source().cloned())
    };
    let mut all = vec![made("Cluster", &name, cluster(&value))];
    let poolers = value(&["poolers"]).and_then(Node::as_sequence);
    for pooler in poolers.unwrap_or_default() {
        let own = pooler
            .get("name")
            .and_then(Node::scalar_text)
            .unwrap_or_default();
        let is_monitored = has_monitor(pooler.get("monitoring"));
        let spec = mapping([
            ("cluster", mapping([("name", Node::string(name.as_str()))])),
            (
                "monitoring",
                mapping([("enablePodMonitor", Node::bool(is_monitored))]),
            ),
        ]);
        all.push(made("Pooler", &format!("{name}-pooler-{own}"), spec));
    }
    all
}

/// How the chart names its Cluster.
fn full_name(release: &str, full: Option<&str>, own: Option<&str>) -> String {
    let own = own.unwrap_or(CHART);
    match full {
        Some(full) => full.to_owned(),
        None if release.contains(own) => release.to_owned(),
        None => format!("{release}-{own}"),
    }
}

fn has_monitor(monitoring: Option<&Node>) -> bool {
    let flag = |path: &[&str]| {
        monitoring
            .and_then(|m| m.lookup(path))
            .and_then(Node::as_bool)
    };
    flag(&["enabled"]) == Some(true) && flag(&["podMonitor", "enabled"]) != Some(false)
}

/// The parts of the Cluster's spec that tell with whom it talks.
fn cluster<'v>(value: &dyn Fn(&[&str]) -> Option<&'v Node>) -> Node {
    let copied = |path: &[&str]| value(path).cloned();
    let mut spec = vec![
        (
            "instances",
            copied(&["cluster", "instances"]).unwrap_or_else(|| Node::string(INSTANCES)),
        ),
        (
            "monitoring",
            mapping([(
                "enablePodMonitor",
                Node::bool(has_monitor(value(&["cluster", "monitoring"]))),
            )]),
        ),
    ];
    spec.extend(copied(&["cluster", "plugins"]).map(|plugins| ("plugins", plugins)));
    if value(&["backups", "enabled"]).and_then(Node::as_bool) == Some(true) {
        let store = store(&|key| value(&["backups", key]));
        spec.push(("backup", mapping([("barmanObjectStore", store)])));
    }
    let origin = match text_of(value(&["recovery", "method"])) {
        "pg_basebackup" => &["recovery", "pgBaseBackup", "source"][..],
        "import" => &["recovery", "import", "source"],
        _ => &["replica", "origin", "pg_basebackup"],
    };
    let mut external = Vec::new();
    if matches!(text_of(value(&["mode"])), "recovery" | "replica") {
        external.extend(
            value(origin).map(|source| mapping([("connectionParameters", source.clone())])),
        );
        if text_of(value(&["recovery", "method"])) == "object_store" {
            let store = store(&|key| value(&["recovery", key]));
            external.push(mapping([("barmanObjectStore", store)]));
        }
    }
    spec.push(("externalClusters", Node::sequence(external)));
    mapping(spec)
}

/// An object store as the chart's values say it.
fn store<'v>(value: &dyn Fn(&str) -> Option<&'v Node>) -> Node {
    let endpoint = value("endpointURL").filter(|n| !text_of(Some(n)).is_empty());
    let credentials = match text_of(value("provider")) {
        "azure" => "azureCredentials",
        "google" => "googleCredentials",
        _ => "s3Credentials",
    };
    let endpoint = endpoint.map(|url| ("endpointURL", url.clone()));
    mapping(endpoint.into_iter().chain([(credentials, Node::mapping())]))
}

fn text_of(node: Option<&Node>) -> &str {
    node.and_then(Node::scalar_text).unwrap_or_default()
}

fn object(kind: &str, namespace: &str, name: &str, spec: Node) -> Node {
    mapping([
        ("apiVersion", Node::string("postgresql.cnpg.io/v1")),
        ("kind", Node::string(kind)),
        (
            "metadata",
            mapping([
                ("name", Node::string(name)),
                ("namespace", Node::string(namespace)),
            ]),
        ),
        ("spec", spec),
    ])
}

fn mapping<'k>(fields: impl IntoIterator<Item = (&'k str, Node)>) -> Node {
    let mut mapping = Mapping::default();
    for (key, value) in fields {
        mapping.insert(key, value);
    }
    Node::new(Value::Mapping(mapping), Tag::Map)
}
