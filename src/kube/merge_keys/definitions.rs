//! Merge keys from an OpenAPI document of the user's own (`openapi.path`).

use std::collections::BTreeMap;

use super::{FieldShape, MergeKeys, Shape};
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
    /// Whether the built-in types are there too, and win.
    has_built_in: bool,
}

impl Definitions {
    /// Takes the definitions of a document; there are none when it has no `definitions`.
    pub fn new(document: &Node) -> Self {
        let schemas = document.get("definitions").and_then(Node::as_mapping);
        let mut found = Self {
            schemas: schemas.cloned().unwrap_or_default(),
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

    /// Lays the built-in types over the definitions.
    #[must_use]
    pub fn with_built_in(mut self) -> Self {
        self.has_built_in = true;
        self
    }

    /// The shape of a whole object.
    pub(super) fn object(&self, api_version: &str, kind: &str) -> Option<Shape<'_>> {
        if let Some(shape) = super::built_in_object(api_version, kind).filter(|_| self.has_built_in)
        {
            return Some(shape);
        }
        let key = (api_version.to_owned(), kind.to_owned());
        let position = *self.objects.get(&key)?;
        Some(Shape::Custom(self, &self.schemas.entries()[position].value))
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
            if let Some(shape) = super::built_in_type(name).filter(|_| self.has_built_in) {
                return Some(shape);
            }
            let position = *self
                .by_name
                .get(&name.replace("~1", "/").replace("~0", "~"))?;
            schema = &self.schemas.entries()[position].value;
        }
        None
    }
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

fn objects_of(schema: &Node) -> impl Iterator<Item = (String, String)> {
    let kinds = schema.get("x-kubernetes-group-version-kind");
    let kinds = kinds.and_then(Node::as_sequence).unwrap_or_default();
    kinds.iter().filter_map(|object| {
        let (version, kind) = (text(object, "version")?, text(object, "kind")?);
        let api_version = match text(object, "group") {
            Some(group) if !group.is_empty() => format!("{group}/{version}"),
            _ => version.to_owned(),
        };
        Some((api_version, kind.to_owned()))
    })
}

fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Node::as_str)
}
