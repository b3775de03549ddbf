//! The compact form of schemas, one for CRDs and for Kubernetes' own kinds.

use std::sync::OnceLock;

use indexmap::IndexMap;
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use crate::admission::cel::Program;
use crate::go::regexp;

/// A type, by its number in its arena.
pub(crate) type Number = usize;

/// What a value must be. All that is absent is not asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Type {
    #[serde(rename = "type")]
    pub(crate) kind: Option<Kind>,
    /// The type of Go that reads itself from JSON, in built-in kinds.
    pub(crate) go: Option<Reader>,
    pub(crate) properties: IndexMap<String, Number>,
    pub(crate) required: Vec<String>,
    /// The type of the values of keys that `properties` does not name.
    pub(crate) values: Option<Number>,
    pub(crate) items: Option<Number>,
    /// Whether fields that are not named are kept.
    pub(crate) open: bool,
    /// Whether it is an object of Kubernetes, with `apiVersion`, `kind` and `metadata`.
    pub(crate) embedded: bool,
    pub(crate) int_or_string: bool,
    pub(crate) nullable: bool,
    pub(crate) default: Option<Value>,
    #[serde(rename = "enum")]
    pub(crate) known: Vec<Value>,
    pub(crate) pattern: Option<String>,
    #[serde(skip)]
    pub(super) regex: OnceLock<Option<Regex>>,
    pub(crate) format: Option<String>,
    pub(crate) minimum: Option<f64>,
    pub(crate) maximum: Option<f64>,
    pub(crate) exclusive_minimum: bool,
    pub(crate) exclusive_maximum: bool,
    pub(crate) multiple_of: Option<f64>,
    pub(crate) min_length: Option<usize>,
    pub(crate) max_length: Option<usize>,
    pub(crate) min_items: Option<usize>,
    pub(crate) max_items: Option<usize>,
    pub(crate) min_properties: Option<usize>,
    pub(crate) max_properties: Option<usize>,
    pub(crate) unique_items: bool,
    pub(crate) one_of: Vec<Number>,
    pub(crate) any_of: Vec<Number>,
    pub(crate) all_of: Vec<Number>,
    pub(crate) not: Option<Number>,
    pub(crate) list: Option<List>,
    /// The fields that tell the items of a list map apart.
    pub(crate) keys: Vec<String>,
    /// `atomic` or `granular`.
    pub(crate) map: Option<String>,
    pub(crate) rules: Vec<Rule>,
}

/// The JSON types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

/// The types of Go that read themselves from JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Reader {
    Quantity,
    Time,
    Duration,
    IntOrString,
    Any,
}

/// How the items of a list are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum List {
    Atomic,
    Set,
    Map,
}

/// A rule of `x-kubernetes-validations`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Rule {
    pub(crate) rule: String,
    pub(crate) message: String,
    pub(crate) message_expression: String,
    pub(crate) reason: String,
    pub(crate) field_path: String,
    pub(crate) optional_old_self: bool,
    #[serde(skip)]
    program: OnceLock<Result<Program, String>>,
}

impl Rule {
    /// The rule, compiled once.
    pub(crate) fn program(&self) -> Result<&Program, &str> {
        let program = self.program.get_or_init(|| Program::parse(&self.rule));
        program.as_ref().map_err(String::as_str)
    }

    /// Whether it compares with the object before.
    pub(crate) fn is_transition(&self) -> bool {
        self.program().is_ok_and(|program| program.uses("oldSelf"))
    }
}

impl Kind {
    /// Its name, in words that finish "must be …".
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Object => "a mapping",
            Self::Array => "a list",
            Self::String => "a string",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
        }
    }
}

impl Type {
    /// The pattern, compiled once; `None` where there is none, or none that we can read.
    pub(crate) fn regex(&self) -> Option<&Regex> {
        let compile = || {
            let pattern = self.pattern.as_deref()?;
            regexp::compile(pattern).ok()
        };
        self.regex.get_or_init(compile).as_ref()
    }

    /// Whether two versions of it are merged field by field, so that rules may compare them.
    pub(crate) fn is_list_map(&self) -> bool {
        self.list == Some(List::Map)
    }
}
