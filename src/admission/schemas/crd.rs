//! Schemas of CustomResourceDefinitions that a repository holds.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Schema;
use super::arena::Arena;
use super::types::{Number, Rule, Type};
use crate::kube::Scope;

/// How deep a schema may nest: what goes deeper is taken as open.
const DEEPEST: usize = 100;

/// One kind that a CRD serves.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    /// The `apiVersion`.
    pub(crate) api_version: String,
    /// The kind.
    pub(crate) kind: String,
    /// Its schema.
    pub(crate) schema: Schema,
}

/// The kinds that a CRD serves, by its document. A version without a schema is open.
pub(crate) fn definitions(crd: &Value) -> Vec<Definition> {
    let spec = &crd["spec"];
    let (Some(group), Some(kind)) = (spec["group"].as_str(), spec["names"]["kind"].as_str()) else {
        return Vec::new();
    };
    let scope = match spec["scope"].as_str() {
        Some("Cluster") => Scope::Cluster,
        _ => Scope::Namespaced,
    };
    let versions = spec["versions"].as_array().map_or(&[][..], Vec::as_slice);
    let served = versions
        .iter()
        .filter(|v| v["served"].as_bool() != Some(false));
    let define = |version: &Value| {
        Some(Definition {
            api_version: format!("{group}/{}", version["name"].as_str()?),
            kind: kind.to_owned(),
            schema: schema_of(&version["schema"]["openAPIV3Schema"], scope),
        })
    };
    served.filter_map(define).collect()
}

/// A schema from its OpenAPI form. What cannot be read of it is not asked for.
pub(crate) fn schema_of(schema: &Value, scope: Scope) -> Schema {
    let mut arena = Arena::default();
    let root = add(&mut arena, schema, 0);
    Schema {
        arena: Arc::new(arena),
        root,
        scope,
        is_native: false,
    }
}

fn add(arena: &mut Arena, schema: &Value, depth: usize) -> Number {
    let Some(fields) = schema.as_object().filter(|_| depth < DEEPEST) else {
        return arena.push(Type {
            open: true,
            ..Type::default()
        });
    };
    let mut kind: Type = read(fields);
    if let Some(properties) = fields.get("properties").and_then(Value::as_object) {
        for (name, value) in properties {
            kind.properties
                .insert(name.clone(), add(arena, value, depth + 1));
        }
    }
    let mut child = |name: &str| {
        let value = fields
            .get(name)
            .filter(|v| v.is_object() || v.as_bool() == Some(true));
        value.map(|v| add(arena, v, depth + 1))
    };
    kind.values = child("additionalProperties");
    kind.items = child("items");
    kind.not = child("not");
    let mut several = |name: &str| -> Vec<Number> {
        let list = fields.get(name).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .map(|v| add(arena, v, depth + 1))
            .collect()
    };
    kind.one_of = several("oneOf");
    kind.any_of = several("anyOf");
    kind.all_of = several("allOf");
    arena.push(kind)
}

/// The fields of a schema that hold no schemas. One that has another type than it should is left out.
fn read(fields: &Map<String, Value>) -> Type {
    let of = |name: &str| fields.get(name);
    let is = |name: &str| of(name).and_then(Value::as_bool).unwrap_or_default();
    let float = |name: &str| of(name).and_then(Value::as_f64);
    let size = |name: &str| {
        let number = of(name).and_then(Value::as_u64);
        number.and_then(|n| usize::try_from(n).ok())
    };
    let string = |name: &str| of(name).and_then(Value::as_str).map(str::to_owned);
    Type {
        kind: of("type").and_then(|v| serde_json::from_value(v.clone()).ok()),
        required: strings(of("required")),
        open: is("x-kubernetes-preserve-unknown-fields"),
        embedded: is("x-kubernetes-embedded-resource"),
        int_or_string: is("x-kubernetes-int-or-string"),
        nullable: is("nullable"),
        default: of("default").cloned(),
        known: of("enum")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default(),
        pattern: string("pattern"),
        format: string("format"),
        minimum: float("minimum"),
        maximum: float("maximum"),
        exclusive_minimum: is("exclusiveMinimum"),
        exclusive_maximum: is("exclusiveMaximum"),
        multiple_of: float("multipleOf"),
        min_length: size("minLength"),
        max_length: size("maxLength"),
        min_items: size("minItems"),
        max_items: size("maxItems"),
        min_properties: size("minProperties"),
        max_properties: size("maxProperties"),
        unique_items: is("uniqueItems"),
        list: of("x-kubernetes-list-type").and_then(|v| serde_json::from_value(v.clone()).ok()),
        keys: strings(of("x-kubernetes-list-map-keys")),
        map: string("x-kubernetes-map-type"),
        rules: rules(of("x-kubernetes-validations")),
        ..Type::default()
    }
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items
        .filter_map(|v| v.as_str().map(str::to_owned))
        .collect()
}

fn rules(value: Option<&Value>) -> Vec<Rule> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items
        .filter_map(|v| serde_json::from_value(v.clone()).ok())
        .collect()
}
