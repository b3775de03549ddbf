//! The compact form of schemas.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use indexmap::IndexMap;
use regex::Regex;
use serde::Deserialize;

use crate::kube::Resource;

/// A type, by its number in the group.
pub(super) type Number = usize;

/// The types of one API group.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    /// `version/Kind` → the type of the whole object.
    kinds: BTreeMap<String, Number>,
    types: Vec<Type>,
}

/// What a value must be. All that is absent is not asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Type {
    #[serde(rename = "type")]
    pub(super) kind: Option<Kind>,
    pub(super) properties: IndexMap<String, Number>,
    pub(super) required: Vec<String>,
    /// The type of the values of keys that `properties` does not name.
    pub(super) values: Option<Number>,
    pub(super) items: Option<Number>,
    /// Whether fields that are not named are kept.
    pub(super) open: bool,
    pub(super) int_or_string: bool,
    pub(super) nullable: bool,
    #[serde(rename = "enum")]
    pub(super) one_of_values: Vec<serde_json::Value>,
    pub(super) pattern: Option<String>,
    #[serde(skip)]
    compiled: OnceLock<Option<Regex>>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) min_items: Option<usize>,
    pub(super) max_items: Option<usize>,
    pub(super) min_properties: Option<usize>,
    pub(super) max_properties: Option<usize>,
    /// Sets of fields of which exactly one must be there.
    #[serde(rename = "oneOf")]
    pub(super) exactly_one: Vec<Vec<String>>,
    /// Sets of fields of which at least one must be there.
    #[serde(rename = "anyOf")]
    pub(super) at_least_one: Vec<Vec<String>>,
}

/// The JSON types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

impl Kind {
    /// Its name, in words that finish "must be …".
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Object => "a mapping",
            Self::Array => "a list",
            Self::String => "text",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
        }
    }
}

impl Type {
    /// The pattern, compiled once; `None` where there is none, or none that we can read.
    pub(super) fn regex(&self) -> Option<&Regex> {
        let compile = || self.pattern.as_deref().and_then(|p| Regex::new(p).ok());
        self.compiled.get_or_init(compile).as_ref()
    }
}

impl Group {
    /// The type of an object; `None` when its version or kind is not built in.
    pub(super) fn kind(&self, resource: &Resource) -> Option<Number> {
        let name = format!("{}/{}", resource.gvk().version, resource.kind());
        self.kinds.get(&name).copied()
    }

    pub(super) fn get(&self, number: Number) -> &Type {
        &self.types[number]
    }

    /// Whether every number that is referred to is there.
    #[cfg(test)]
    pub(super) fn is_whole(&self) -> bool {
        let refer = |t: &Type| {
            t.properties
                .values()
                .chain(&t.values)
                .chain(&t.items)
                .all(|n| *n < self.types.len())
        };
        self.kinds.values().all(|n| *n < self.types.len()) && self.types.iter().all(refer)
    }
}
