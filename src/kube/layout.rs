//! One file for each object of a render, under names that stay the same from render to render.

use std::collections::BTreeMap;

use crate::diagnostic::{Result, Source};
use crate::kube::{ResMap, Resource};
use crate::yaml::{self, Node};

/// The directory of objects that have no namespace.
const CLUSTER: &str = "_cluster";

/// A file of objects.
#[derive(Debug, Default)]
pub struct LaidOut {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether one of the objects is a Secret, so that only the owner may read the file.
    pub holds_secrets: bool,
}

/// Whether an object is a Secret, or a list that holds one.
pub fn holds_a_secret(node: &Node) -> bool {
    let items = node.get("items").and_then(Node::as_sequence);
    node.get("kind").and_then(Node::as_str) == Some("Secret")
        || items.is_some_and(|items| items.iter().any(holds_a_secret))
}

/// Writes each object to a file of its own: `NAMESPACE/KIND-NAME.yaml`, in lower case, `_cluster/` for what
/// has no namespace, the API group added to the kind where two objects would share a name.
///
/// Fails where an object cannot be written as a manifest.
pub fn files(resources: &ResMap) -> Result<BTreeMap<String, LaidOut>> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for resource in resources.iter() {
        *taken.entry(path(resource, "")).or_default() += 1;
    }
    let mut files = BTreeMap::new();
    for resource in resources.iter() {
        let short = path(resource, "");
        let name = if taken[&short] == 1 {
            short
        } else {
            path(resource, &resource.gvk().group)
        };
        let file: &mut LaidOut = files.entry(name).or_default();
        file.holds_secrets |= holds_a_secret(resource.node());
        let document = &mut file.bytes;
        if !document.is_empty() {
            document.extend_from_slice(b"---\n");
        }
        yaml::write_manifest(document, resource.node()).map_err(|error| {
            match resource.source() {
                Some(source) => error.at(source),
                None => error.at(&Source::committed(resource.id().to_string())),
            }
        })?;
    }
    Ok(files)
}

fn path(resource: &Resource, group: &str) -> String {
    let namespace = match resource.namespace() {
        "" => CLUSTER,
        namespace => namespace,
    };
    let dot = if group.is_empty() { "" } else { "." };
    let kind = resource.kind().to_lowercase();
    format!(
        "{}/{}{dot}{group}-{}.yaml",
        safe(namespace),
        safe(&kind),
        safe(resource.name())
    )
}

/// A part of a path: what is not a letter, a digit, `-`, `_` or `.` becomes `%XX`, as in a URL.
fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for (index, byte) in text.bytes().enumerate() {
        let plain =
            byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || (byte == b'.' && index > 0);
        if plain {
            safe.push(char::from(byte));
        } else {
            safe.push_str(&format!("%{byte:02X}"));
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resmap(texts: &[&str]) -> ResMap {
        let mut map = ResMap::new();
        for text in texts {
            let node = yaml::parse(text, yaml::ParseOptions::default())
                .unwrap()
                .remove(0);
            map.push(Resource::new(node, None)).unwrap();
        }
        map
    }

    #[test]
    fn names_are_stable_and_never_clash() {
        let map = resmap(&[
            "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}}",
            "{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: web, namespace: shop}}",
            "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: 'system:x/../y'}}",
        ]);
        let names: Vec<String> = files(&map).unwrap().into_keys().collect();
        assert_eq!(
            names,
            [
                "_cluster/clusterrole-system%3Ax%2F..%2Fy.yaml",
                "shop/service-web.yaml",
                "shop/service.serving.knative.dev-web.yaml"
            ]
        );
    }
}
