//! Who makes Secrets and ConfigMaps, and with which keys.

use std::collections::BTreeSet;

use super::{MadeBy, list, text};
use crate::kube::{ResMap, Resource};
use crate::yaml::Node;

/// What is named and made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A Secret.
    Secret,
    /// A ConfigMap.
    ConfigMap,
}

impl Thing {
    /// Its kind.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        }
    }
}

/// Something that is made, by the objects of the cluster.
#[derive(Debug)]
pub struct Provider<'a> {
    /// The object that makes it: the first where there are several.
    pub by: &'a Resource,
    /// Its keys; `None` where they are not known.
    pub keys: Option<BTreeSet<String>>,
}

pub(super) fn all(objects: &ResMap) -> MadeBy<'_> {
    let mut all = MadeBy::new();
    for object in objects {
        let Some((thing, name, keys)) = by(object) else {
            continue;
        };
        let key = (thing, object.namespace().to_owned(), name);
        match all.entry(key) {
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(Provider { by: object, keys });
            }
            // What several make has the keys of all of them, as far as they are known.
            std::collections::btree_map::Entry::Occupied(mut slot) => {
                let made = slot.get_mut();
                made.keys = made
                    .keys
                    .take()
                    .zip(keys)
                    .map(|(a, b)| a.union(&b).cloned().collect());
            }
        }
    }
    all
}

type Keys = Option<BTreeSet<String>>;

fn by(object: &Resource) -> Option<(Thing, String, Keys)> {
    let (gvk, node) = (object.gvk(), object.node());
    let own = || object.name().to_owned();
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "Secret") => Some((
            Thing::Secret,
            own(),
            Some(keys(node, &["data", "stringData"])),
        )),
        ("", "ConfigMap") => Some((
            Thing::ConfigMap,
            own(),
            Some(keys(node, &["data", "binaryData"])),
        )),
        ("bitnami.com", "SealedSecret") => {
            let name = text(node, &["spec", "template", "metadata", "name"]);
            Some((
                Thing::Secret,
                name.map_or_else(own, str::to_owned),
                sealed(node),
            ))
        }
        ("external-secrets.io", "ExternalSecret") => external(node, own()),
        ("cert-manager.io", "Certificate") => {
            let name = text(node, &["spec", "secretName"])?;
            Some((Thing::Secret, name.to_owned(), None))
        }
        _ => None,
    }
}

fn keys(node: &Node, fields: &[&str]) -> BTreeSet<String> {
    let maps = fields
        .iter()
        .filter_map(|field| node.get(field)?.as_mapping());
    maps.flat_map(|map| map.iter().map(|(key, _)| key.to_owned()))
        .collect()
}

fn sealed(node: &Node) -> Keys {
    let spec = node.get("spec")?;
    let mut found = keys(spec, &["encryptedData"]);
    found.extend(
        spec.get("template")
            .map(|t| keys(t, &["data"]))
            .unwrap_or_default(),
    );
    Some(found)
}

/// The Secret of an ExternalSecret. What `dataFrom` brings is known where a template takes its place.
fn external(node: &Node, own: String) -> Option<(Thing, String, Keys)> {
    let spec = node.get("spec")?;
    if text(spec, &["target", "creationPolicy"]) == Some("None") {
        return None;
    }
    let name = text(spec, &["target", "name"]).map_or(own, str::to_owned);
    let template = spec.lookup(&["target", "template"]);
    let filled = template
        .map(|template| keys(template, &["data"]))
        .unwrap_or_default();
    let has_more = template.is_some_and(|template| !list(template, &["templateFrom"]).is_empty());
    let merges = text(spec, &["target", "template", "mergePolicy"]) == Some("Merge")
        || text(spec, &["target", "creationPolicy"]) == Some("Merge");
    let keys = match (has_more, filled.is_empty() || merges) {
        (true, _) => None,
        (false, false) => Some(filled),
        (false, true) => listed(spec).map(|listed| listed.union(&filled).cloned().collect()),
    };
    Some((Thing::Secret, name, keys))
}

/// The keys of `data`, where there is no `dataFrom`.
fn listed(spec: &Node) -> Keys {
    if !list(spec, &["dataFrom"]).is_empty() {
        return None;
    }
    let entries = list(spec, &["data"]).iter();
    Some(
        entries
            .filter_map(|entry| text(entry, &["secretKey"]))
            .map(str::to_owned)
            .collect(),
    )
}
