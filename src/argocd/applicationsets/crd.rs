//! Admission of Argo CD's own kinds, as an API server with its CRDs does it.
//!
//! Follows `PruneWithOptions`, `PruneNonNullableNullsWithoutDefaults` and `ValidateCustomResource` of
//! k8s.io/apiextensions-apiserver: fields that the schema does not name are dropped, and so are nulls, but not
//! within fields that keep anything; then types, required fields, enums and patterns are judged. These CRDs have
//! no defaults and nothing nullable. Metadata follows `ValidateObjectMeta`. Cases: `null-*`, `name-*`, `tmpl-unknown-*`.

use std::sync::OnceLock;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::names;
use crate::go::regexp;

/// The schemas of `argoproj.io`, types once each, referred to by number.
const SCHEMAS: &str = include_str!("argoproj.io.json");

#[derive(Debug, Deserialize)]
struct Group {
    kinds: IndexMap<String, usize>,
    types: Vec<Type>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Type {
    #[serde(rename = "type")]
    kind: Option<String>,
    properties: IndexMap<String, usize>,
    required: Vec<String>,
    values: Option<usize>,
    items: Option<usize>,
    open: bool,
    int_or_string: bool,
    #[serde(rename = "enum")]
    choices: Vec<Value>,
    pattern: Option<String>,
    min_length: Option<usize>,
    max_length: Option<usize>,
}

/// What became of an object.
#[derive(Debug, Default)]
pub(super) struct Admitted {
    /// Why it is refused; empty where it is taken.
    pub(super) errors: Vec<String>,
    /// The fields that were dropped because nothing knows them.
    pub(super) unknown: Vec<String>,
}

fn group() -> &'static Group {
    static GROUP: OnceLock<Group> = OnceLock::new();
    GROUP.get_or_init(|| serde_json::from_str(SCHEMAS).expect("the schemas are built in"))
}

fn type_of(kind: &str) -> Option<usize> {
    group().kinds.get(&format!("v1alpha1/{kind}")).copied()
}

/// Admits an object of one of the kinds: what is unknown or null is taken out of it.
pub(super) fn admit(object: &mut Value) -> Admitted {
    let mut admitted = Admitted::default();
    let kind = object
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if let Some(number) = type_of(kind) {
        let Some(fields) = object.as_object_mut() else {
            return admitted;
        };
        let mut walk = Walk {
            path: String::new(),
            admitted: &mut admitted,
        };
        walk.prune_root(fields, &group().types[number]);
        walk.check(object, number);
    }
    admitted.errors.extend(names::check_metadata(object));
    admitted
}

struct Walk<'a> {
    path: String,
    admitted: &'a mut Admitted,
}

impl Walk<'_> {
    fn within<T>(&mut self, part: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 && !part.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(part);
        let result = work(self);
        self.path.truncate(length);
        result
    }

    /// Metadata is pruned by its Go type and not by the schema.
    fn prune_root(&mut self, fields: &mut Map<String, Value>, kind: &Type) {
        fields.retain(|_, value| !value.is_null());
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|_, value| !value.is_null());
        }
        self.prune_object(fields, kind, true);
    }

    fn prune(&mut self, value: &mut Value, number: usize) {
        let kind = &group().types[number];
        match value {
            Value::Object(fields) => self.prune_object(fields, kind, false),
            Value::Array(items) => {
                let Some(inner) = kind.items else { return };
                for (index, item) in items.iter_mut().enumerate() {
                    self.within(&format!("[{index}]"), |walk| walk.prune(item, inner));
                }
            }
            _ => {}
        }
    }

    fn prune_object(&mut self, fields: &mut Map<String, Value>, kind: &Type, is_root: bool) {
        if kind.open {
            return;
        }
        let names: Vec<String> = fields.keys().cloned().collect();
        for name in names {
            let known = kind.properties.get(&name).copied().or(kind.values);
            if is_root && name == "metadata" {
                continue;
            }
            let Some(inner) = known else {
                if kind.kind.as_deref() == Some("object") || kind.kind.is_none() {
                    fields.shift_remove(&name);
                    self.within(&name, |walk| {
                        let path = walk.path.clone();
                        walk.admitted.unknown.push(path);
                    });
                }
                continue;
            };
            let is_null = fields.get(&name).is_some_and(Value::is_null);
            if is_null && !group().types[inner].open {
                fields.shift_remove(&name);
                continue;
            }
            if let Some(value) = fields.get_mut(&name) {
                self.within(&name, |walk| walk.prune(value, inner));
            }
        }
    }

    fn error(&mut self, why: &str) {
        let error = format!("{}: {why}", self.path);
        self.admitted.errors.push(error);
    }

    fn check(&mut self, value: &Value, number: usize) {
        let kind = &group().types[number];
        if kind.int_or_string {
            if !matches!(value, Value::Number(_) | Value::String(_)) {
                self.error("it is not a number or a string");
            }
            return;
        }
        if let Some(wanted) = &kind.kind
            && !is_of(value, wanted)
        {
            return self.error(&format!("it is not of type {wanted}"));
        }
        if !kind.choices.is_empty() && !kind.choices.contains(value) {
            self.error("it is not one of the values that are allowed");
        }
        match value {
            Value::String(text) => self.check_text(text, kind),
            Value::Object(fields) => {
                for name in &kind.required {
                    if !fields.contains_key(name) {
                        self.within(name, |walk| walk.error("it is required"));
                    }
                }
                for (name, value) in fields {
                    if let Some(inner) = kind.properties.get(name).copied().or(kind.values) {
                        self.within(name, |walk| walk.check(value, inner));
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let Some(inner) = kind.items {
                        self.within(&format!("[{index}]"), |walk| walk.check(item, inner));
                    }
                }
            }
            _ => {}
        }
    }

    fn check_text(&mut self, text: &str, kind: &Type) {
        let length = text.chars().count();
        if kind.min_length.is_some_and(|least| length < least) {
            self.error("it is too short");
        }
        if kind.max_length.is_some_and(|most| length > most) {
            self.error("it is too long");
        }
        let pattern = kind
            .pattern
            .as_deref()
            .and_then(|p| regexp::compile(p).ok());
        if pattern.is_some_and(|pattern| !pattern.is_match(text)) {
            self.error("it does not fit its pattern");
        }
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match (kind, value) {
        ("object", Value::Object(_))
        | ("array", Value::Array(_))
        | ("string", Value::String(_))
        | ("boolean", Value::Bool(_))
        | ("number", Value::Number(_)) => true,
        ("integer", Value::Number(number)) => {
            number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|f| f.fract() == 0.0)
        }
        _ => false,
    }
}

/// Writes an object as Go writes its type: what is empty is left out, where its field says so.
///
/// A field is kept where the schema requires it, where it is a structure, and where it is a pointer to a number or
/// a truth, of which there are a few.
pub(super) fn as_typed(object: &mut Value) {
    const POINTERS: &[&str] = &[
        "allowEmpty",
        "enabled",
        "factor",
        "prune",
        "revisionHistoryLimit",
        "selfHeal",
        "string",
    ];
    fn walk(value: &mut Value, kind: &Type) {
        if kind.open {
            return;
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    if let Some(inner) = kind.properties.get(name).copied().or(kind.values) {
                        walk(value, &group().types[inner]);
                    }
                }
                if kind.values.is_some() {
                    return;
                }
                fields.retain(|name, value| {
                    let inner = kind.properties.get(name).map(|n| &group().types[*n]);
                    let is_structure = inner.is_some_and(|t| t.open || !t.properties.is_empty());
                    let keeps = kind.required.contains(name) || POINTERS.contains(&name.as_str());
                    keeps || (is_structure && name != "jsonnet") || !is_empty(value)
                });
            }
            Value::Array(items) => {
                if let Some(inner) = kind.items {
                    for item in items {
                        walk(item, &group().types[inner]);
                    }
                }
            }
            _ => {}
        }
    }
    if let Some(number) = type_of("Application") {
        walk(object, &group().types[number]);
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, value| name == "name" || !is_empty(value));
    }
}

/// Whether Go's `omitempty` leaves a value out.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// The first value of an Application that has not the type that Go wants, required fields aside.
pub(super) fn wrong_type(object: &Value) -> Option<String> {
    fn walk(path: &str, value: &Value, number: usize) -> Option<String> {
        let kind = &group().types[number];
        if value.is_null() || kind.int_or_string {
            return None;
        }
        if let Some(wanted) = &kind.kind
            && !is_of(value, wanted)
        {
            return Some(format!("{path} is not of type {wanted}"));
        }
        match value {
            Value::Object(fields) => fields.iter().find_map(|(name, value)| {
                let inner = kind.properties.get(name).copied().or(kind.values)?;
                walk(&format!("{path}.{name}"), value, inner)
            }),
            Value::Array(items) => items.iter().find_map(|item| walk(path, item, kind.items?)),
            _ => None,
        }
    }
    walk("patch", object, type_of("Application")?)
}
