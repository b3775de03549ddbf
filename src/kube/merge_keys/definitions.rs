//! Merge keys from an OpenAPI document of the user's own (`openapi.path`).

use std::collections::BTreeMap;

use super::{FieldShape, MergeKeys, Shape};
use crate::kube::{Gvk, Scope};
use crate::yaml::{Mapping, Node};

/// How many `$ref`s in a row are followed: a longer row is a circle.
const MAX_REFERENCES: usize = 64;

/// The `definitions` of an OpenAPI document; they are followed when they are asked for.
#[derive(Debug, Clone, Default)]
pub struct Definitions {
    schemas: Mapping,
    /// Positions of schemas by name.
    by_name: BTreeMap<String, usize>,
    /// Positions of the schemas of whole objects by `apiVersion` and kind.
    objects: BTreeMap<(String, String), usize>,
    /// Where the objects of a kind live, by `apiVersion` and kind, as the document's paths tell.
    scopes: BTreeMap<(String, String), Scope>,
    built_in: BuiltIn,
}

/// Whether the built-in types are there beside those of a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BuiltIn {
    /// They are not.
    #[default]
    Absent,
    /// They are, and those of the document win.
    Below,
    /// They are, and win.
    Above,
}

impl Definitions {
    /// Takes the definitions of a document; there are none when it has no `definitions`.
    pub fn new(document: &Node) -> Self {
        let schemas = document.get("definitions").and_then(Node::as_mapping);
        let mut found = Self {
            schemas: schemas.cloned().unwrap_or_default(),
            scopes: scopes_of(document),
            ..Self::default()
        };
        for (position, (name, schema)) in found.schemas.iter().enumerate() {
            found.by_name.insert(name.to_owned(), position);
            for object in objects_of(schema) {
                found.objects.insert(object, position);
            }
        }
        found
    }

    /// Where the objects of a kind live, when the document or Kubernetes knows it.
    pub fn scope(&self, gvk: &Gvk) -> Option<Scope> {
        if gvk.is_built_in() {
            return Some(gvk.scope());
        }
        let key = (gvk.api_version(), gvk.kind.to_string());
        self.scopes.get(&key).copied()
    }

    /// Adds the built-in types to the definitions.
    #[must_use]
    pub fn with_built_in(mut self, built_in: BuiltIn) -> Self {
        self.built_in = built_in;
        self
    }

    /// The one that wins of what is built in and the document's own.
    fn choose<'a>(
        &self,
        built_in: impl FnOnce() -> Option<Shape<'static>>,
        own: Option<&'a Node>,
    ) -> Option<ResolvedSchema<'a>> {
        let own = own.map(ResolvedSchema::Own);
        let built_in = || built_in().map(ResolvedSchema::BuiltIn);
        match self.built_in {
            BuiltIn::Absent => own,
            BuiltIn::Below => own.or_else(built_in),
            BuiltIn::Above => built_in().or(own),
        }
    }

    fn schema(&self, position: Option<&usize>) -> Option<&Node> {
        position.map(|&position| &self.schemas.entries()[position].value)
    }

    /// The shape of a whole object.
    pub(super) fn object(&self, api_version: &str, kind: &str) -> Option<Shape<'_>> {
        let key = (api_version.to_owned(), kind.to_owned());
        let own = self.schema(self.objects.get(&key));
        let found = self.choose(|| super::built_in_object(api_version, kind), own)?;
        Some(match found {
            ResolvedSchema::BuiltIn(shape) => shape,
            ResolvedSchema::Own(schema) => Shape::Custom(self, schema),
        })
    }

    /// The shape of a field of a value that has `schema`.
    pub(super) fn field<'a>(&'a self, schema: &'a Node, name: &str) -> FieldShape<'a> {
        let declared = schema.get("properties").and_then(|p| p.get(name));
        let field = declared.or_else(|| schema.get("additionalProperties"));
        let resolved = field
            .filter(|f| f.as_mapping().is_some())
            .map_or(Shape::Unknown, |f| self.resolve(f));
        self.of_resolved(resolved)
    }

    /// What a schema that stands for itself says, its reference followed.
    pub fn of_schema<'a>(&'a self, schema: &'a Node) -> FieldShape<'a> {
        match self.follow(schema) {
            Some(resolved) => self.of_resolved(resolved),
            None => FieldShape::of(Shape::Plain),
        }
    }

    fn of_resolved<'a>(&'a self, resolved: Shape<'a>) -> FieldShape<'a> {
        let array = match resolved {
            Shape::Custom(_, field) if is_array(field) => field,
            other => return FieldShape::of(other),
        };
        FieldShape {
            value: array
                .get("items")
                .map_or(Shape::Unknown, |items| self.resolve(items)),
            merge: merge_keys(array),
        }
    }

    /// Follows a schema's references; what leads nowhere is unknown.
    fn resolve<'a>(&'a self, schema: &'a Node) -> Shape<'a> {
        self.follow(schema).unwrap_or(Shape::Unknown)
    }

    fn follow<'a>(&'a self, schema: &'a Node) -> Option<Shape<'a>> {
        let mut schema = schema;
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = text(schema, "$ref").filter(|r| !r.is_empty()) else {
                return Some(Shape::Custom(self, schema));
            };
            let name = reference.strip_prefix("#/definitions/")?;
            let own_name = name.replace("~1", "/").replace("~0", "~");
            let own = self.schema(self.by_name.get(&own_name));
            schema = match self.choose(|| super::built_in_type(name), own)? {
                ResolvedSchema::BuiltIn(shape) => return Some(shape),
                ResolvedSchema::Own(schema) => schema,
            };
        }
        None
    }
}

/// A schema that a name led to.
enum ResolvedSchema<'a> {
    BuiltIn(Shape<'static>),
    Own(&'a Node),
}

fn is_array(schema: &Node) -> bool {
    let declared = schema.get("type");
    let only = declared.and_then(Node::as_sequence);
    match only {
        Some([one]) => one.as_str() == Some("array"),
        Some(_) => false,
        None => declared.and_then(Node::as_str) == Some("array"),
    }
}

/// The keys of a list that has the strategy `merge`.
fn merge_keys(schema: &Node) -> Option<MergeKeys<'_>> {
    let strategy = text(schema, "x-kubernetes-patch-strategy")?;
    if !strategy.split(',').any(|s| s == "merge") {
        return None;
    }
    if let Some(keys) = schema.get("x-kubernetes-list-map-keys") {
        return keys.as_sequence().map(MergeKeys::Several);
    }
    let key = text(schema, "x-kubernetes-patch-merge-key");
    Some(key.map_or(MergeKeys::BuiltIn(&[]), MergeKeys::One))
}

const KIND: &str = "x-kubernetes-group-version-kind";

fn objects_of(schema: &Node) -> impl Iterator<Item = (String, String)> {
    let kinds = schema.get(KIND).and_then(Node::as_sequence);
    kinds.unwrap_or_default().iter().filter_map(object_of)
}

/// The `apiVersion` and kind of an object.
fn object_of(object: &Node) -> Option<(String, String)> {
    let (version, kind) = (text(object, "version")?, text(object, "kind")?);
    let api_version = match text(object, "group") {
        Some(group) if !group.is_empty() => format!("{group}/{version}"),
        _ => version.to_owned(),
    };
    Some((api_version, kind.to_owned()))
}

/// Where objects live: in a namespace when one of the paths to get them goes through one.
fn scopes_of(document: &Node) -> BTreeMap<(String, String), Scope> {
    let mut scopes = BTreeMap::new();
    let paths = document.get("paths").and_then(Node::as_mapping);
    for (path, item) in paths.into_iter().flat_map(|paths| paths.iter()) {
        let object = item.lookup(&["get", KIND]).and_then(object_of);
        let Some(object) = object.filter(|_| path.starts_with('/')) else {
            continue;
        };
        let scope = scopes.entry(object).or_insert(Scope::Cluster);
        if path.contains("namespaces/{namespace}") {
            *scope = Scope::Namespaced;
        }
    }
    scopes
}

fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Node::as_str)
}
