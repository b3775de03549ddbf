//! Keys of Secrets and ConfigMaps that objects name.

use super::made::Thing;
use super::text;
use crate::kube::Resource;
use crate::yaml::Node;

/// A key that an object names.
#[derive(Debug)]
pub struct Named<'a> {
    /// What is named.
    pub thing: Thing,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The key.
    pub key: String,
    /// Whether it may be missing.
    pub is_optional: bool,
    /// The object that names it.
    pub by: &'a Resource,
    /// The node that does.
    pub node: &'a Node,
}

/// The fields that name a key, in the groups of [`DATABASES`] and in any object.
const FIELDS: [(&str, Thing, bool); 15] = [
    ("secretKeyRef", Thing::Secret, false),
    ("configMapKeyRef", Thing::ConfigMap, false),
    ("accessKeyId", Thing::Secret, true),
    ("secretAccessKey", Thing::Secret, true),
    ("sessionToken", Thing::Secret, true),
    ("connectionString", Thing::Secret, true),
    ("storageAccount", Thing::Secret, true),
    ("storageKey", Thing::Secret, true),
    ("storageSasToken", Thing::Secret, true),
    ("applicationCredentials", Thing::Secret, true),
    ("endpointCA", Thing::Secret, true),
    ("sslKey", Thing::Secret, true),
    ("sslCert", Thing::Secret, true),
    ("sslRootCert", Thing::Secret, true),
    ("password", Thing::Secret, true),
];

/// The groups in which a field of another name than that of a reference is one.
const DATABASES: [&str; 2] = ["postgresql.cnpg.io", "barmancloud.cnpg.io"];

/// How deep an object is looked into: the API server takes no deeper ones.
const MAX_DEPTH: usize = 100;

/// The keys that an object names.
pub(super) fn by(object: &Resource) -> Vec<Named<'_>> {
    let mut found = Vec::new();
    let is_database = DATABASES.contains(&object.gvk().group.as_str());
    // A definition of a kind names nothing, although its schema has such fields.
    if object.kind() != "CustomResourceDefinition" {
        walk(object, object.node(), is_database, 0, &mut found);
    }
    found
}

fn walk<'a>(
    object: &'a Resource,
    node: &'a Node,
    is_database: bool,
    depth: usize,
    found: &mut Vec<Named<'a>>,
) {
    if depth > MAX_DEPTH {
        return;
    }
    for item in node.as_sequence().into_iter().flatten() {
        walk(object, item, is_database, depth + 1, found);
    }
    for (field, value) in node.as_mapping().into_iter().flat_map(|m| m.iter()) {
        let row = FIELDS
            .iter()
            .find(|(name, _, special)| *name == field && (is_database || !special));
        match row.and_then(|(_, thing, _)| named(object, value, *thing)) {
            Some(named) => found.push(named),
            None => walk(object, value, is_database, depth + 1, found),
        }
    }
}

fn named<'a>(object: &'a Resource, node: &'a Node, thing: Thing) -> Option<Named<'a>> {
    let (name, key) = (text(node, &["name"])?, text(node, &["key"])?);
    Some(Named {
        thing,
        namespace: object.namespace().to_owned(),
        name: name.to_owned(),
        key: key.to_owned(),
        is_optional: node.get("optional").and_then(Node::as_bool) == Some(true),
        by: object,
        node: node.get("key").unwrap_or(node),
    })
}
