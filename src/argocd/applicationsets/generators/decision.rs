//! The cluster decision generator: clusters that another controller names in a status.
//!
//! Follows applicationset/generators/duck_type.go. `values` are not filled here. Cases: `decision-*`.

use serde_json::Value as Json;

use super::{Context, items, text};
use crate::argocd::applicationsets::Failure;
use crate::argocd::applicationsets::params::{self, Params};
use crate::argocd::applicationsets::selector::{Selector, Values};
use crate::argocd::applicationsets::world::{IN_CLUSTER, IN_CLUSTER_SERVER, NAMESPACE};
use crate::argocd::wire::object;
use crate::go::template::sprig;

pub(super) fn generate(context: &Context<'_>, generator: &Json) -> Result<Vec<Params>, Failure> {
    let reference = text(generator, "configMapRef");
    let map = context.world.find("ConfigMap", reference);
    let map = map.ok_or_else(|| Failure::new(format!("there is no ConfigMap {reference:?}")))?;
    let setting = |key: &str| object::text(map, &["data", key]);
    let (version, kind) = (setting("apiVersion"), setting("kind"));
    if kind.is_empty() || version.find('/').is_none_or(|at| at < 1) {
        return Err(Failure::new(format!(
            "the ConfigMap {reference:?} names no apiVersion with a group, or no kind"
        )));
    }
    let chosen = chosen(context, generator, version, kind)?;
    let list_key = match setting("statusListKey") {
        "" => "clusters",
        key => key,
    };
    let match_key = setting("matchKey");
    if match_key.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for resource in chosen {
        let Some(status) = resource
            .get("status")
            .filter(|s| s.as_object().is_some_and(|s| !s.is_empty()))
        else {
            continue;
        };
        if !status.get(list_key).is_some_and(Json::is_array) {
            return Err(Failure::new(format!(
                "the status has no list {list_key:?}: Argo CD panics"
            )));
        }
        for decision in items(status, list_key) {
            all.extend(of_decision(context, generator, decision, match_key)?);
        }
    }
    Ok(all)
}

/// The resources that a name or a selector chooses.
fn chosen<'w>(
    context: &Context<'w>,
    generator: &Json,
    version: &str,
    kind: &str,
) -> Result<Vec<&'w Json>, Failure> {
    let name = text(generator, "name");
    let selector = generator.get("labelSelector");
    let is_selecting = selector.is_some_and(|s| {
        ["matchLabels", "matchExpressions"]
            .iter()
            .any(|key| s.get(*key).is_some())
    });
    if name.is_empty() != is_selecting {
        return Err(Failure::new(
            "clusterDecisionResource needs either a name or a labelSelector",
        ));
    }
    let none = Json::Object(serde_json::Map::new());
    let selector = Selector::read(selector.unwrap_or(&none), Values::OfLabels)?;
    let is_chosen = |resource: &&Json| {
        let labels = resource.get("metadata").and_then(|m| m.get("labels"));
        let label = |key: &str| labels.and_then(|l| l.get(key)).and_then(Json::as_str);
        object::text(resource, &["apiVersion"]) == version
            && is_plural_of(kind, object::text(resource, &["kind"]))
            && object::namespace(resource) == NAMESPACE
            && (if name.is_empty() {
                selector.matches(label)
            } else {
                object::name(resource) == name
            })
    };
    let mut found: Vec<&Json> = context.world.objects().iter().filter(is_chosen).collect();
    found.sort_by_key(|resource| object::name(resource).to_owned());
    match found.is_empty() {
        true => Err(Failure::new(
            "there is no resource of this kind that says which clusters to take",
        )),
        false => Ok(found),
    }
}

/// Whether a name of resources is the plural of a kind.
fn is_plural_of(plural: &str, kind: &str) -> bool {
    let kind = kind.to_lowercase();
    let plural = plural.to_lowercase();
    let stem = kind.strip_suffix('y').unwrap_or(&kind);
    plural == format!("{kind}s")
        || plural == format!("{kind}es")
        || plural == format!("{stem}ies")
        || plural == kind
}

fn of_decision(
    context: &Context<'_>,
    generator: &Json,
    decision: &Json,
    match_key: &str,
) -> Result<Option<Params>, Failure> {
    let fields = decision.as_object();
    let fields =
        fields.ok_or_else(|| Failure::new("a decision is not an object: Argo CD panics"))?;
    let printed = |value: &Json| params::printed(&sprig::from_json(value));
    let wanted = fields
        .get(match_key)
        .filter(|v| !v.is_null())
        .map(printed)
        .unwrap_or_default();
    let Some((name, server)) = known_cluster(context, &wanted) else {
        return Ok(None);
    };
    let mut params = Params::from([
        ("name".into(), params::text(&name)),
        ("server".into(), params::text(&server)),
    ]);
    for (key, value) in fields {
        params.insert(key.as_str().into(), params::text(&printed(value)));
    }
    let values = generator.get("values").and_then(Json::as_object);
    let values = (values.into_iter().flatten())
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    context.renderer.put_values(&values, &mut params);
    Ok(Some(params))
}

fn known_cluster(context: &Context<'_>, name: &str) -> Option<(String, String)> {
    if name.is_empty() {
        return None;
    }
    let clusters = &context.world.clusters;
    if let Some(cluster) = clusters.iter().find(|cluster| cluster.name == name) {
        return Some((cluster.name.clone(), cluster.server.clone()));
    }
    let is_listed = clusters
        .iter()
        .any(|cluster| cluster.server == IN_CLUSTER_SERVER);
    (name == IN_CLUSTER && !is_listed)
        .then(|| (IN_CLUSTER.to_owned(), IN_CLUSTER_SERVER.to_owned()))
}
