//! The cluster generator: a set of parameters for each registered cluster.
//!
//! Follows applicationset/generators/cluster.go: of two Secrets with one name the later counts, the cluster that Argo CD
//! runs in is one of them unless a selector asks for anything or a Secret has its very address. Cases: `clusters-*`.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Context;
use crate::argocd::applicationsets::Failure;
use crate::argocd::applicationsets::names;
use crate::argocd::applicationsets::params::{self, Params};
use crate::argocd::applicationsets::selector::{Selector, Values};
use crate::argocd::applicationsets::world::{Cluster, IN_CLUSTER, IN_CLUSTER_SERVER};
use crate::go::template::Value;

pub(super) fn generate(context: &Context<'_>, generator: &Json) -> Result<Vec<Params>, Failure> {
    let none = Json::Object(serde_json::Map::new());
    let selector = Selector::read(generator.get("selector").unwrap_or(&none), Values::OfLabels)?;
    let mut by_name: BTreeMap<&str, &Cluster> = BTreeMap::new();
    for cluster in &context.world.clusters {
        let labels = cluster.secret.get("metadata").and_then(|m| m.get("labels"));
        let label = |key: &str| labels.and_then(|l| l.get(key)).and_then(Json::as_str);
        if selector.matches(label) {
            by_name.insert(&cluster.name, cluster);
        }
    }
    let mut all = Vec::new();
    for cluster in by_name.values() {
        let mut params = of_cluster(cluster, context.renderer.is_go);
        context.renderer.add_values(generator, &mut params)?;
        all.push(params);
    }
    let is_listed = by_name
        .values()
        .any(|cluster| cluster.server == IN_CLUSTER_SERVER);
    if selector.is_empty() && !is_listed {
        let mut params = basics(IN_CLUSTER, IN_CLUSTER, IN_CLUSTER_SERVER, "");
        context.renderer.add_values(generator, &mut params)?;
        all.push(params);
    }
    if generator.get("flatList").and_then(Json::as_bool) == Some(true) {
        let clusters = all.into_iter().map(Value::map).collect();
        return Ok(vec![Params::from([(
            "clusters".into(),
            Value::list(clusters),
        )])]);
    }
    Ok(all)
}

fn basics(name: &str, normalized: &str, server: &str, project: &str) -> Params {
    let pairs = [
        ("name", name),
        ("nameNormalized", normalized),
        ("server", server),
        ("project", project),
    ];
    pairs
        .into_iter()
        .map(|(key, value)| (key.into(), params::text(value)))
        .collect()
}

fn of_cluster(cluster: &Cluster, is_go: bool) -> Params {
    let project = cluster.project.as_deref().unwrap_or_default();
    let normalized = names::normalized(&cluster.name);
    let mut params = basics(&cluster.name, &normalized, &cluster.server, project);
    let mut metadata = Params::new();
    for field in ["annotations", "labels"] {
        let entries: BTreeMap<String, String> = cluster.secret["metadata"]
            .get(field)
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect();
        if is_go && !entries.is_empty() {
            metadata.insert(field.into(), params::strings(&entries));
        }
        if !is_go {
            for (key, value) in &entries {
                params.insert(
                    format!("metadata.{field}.{key}").into(),
                    params::text(value),
                );
            }
        }
    }
    if is_go {
        params.insert("metadata".into(), Value::map(metadata));
    }
    params
}
