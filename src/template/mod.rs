//! Renders Jinja text with a context, as Jinja2 and makejinja do.
//!
//! [`Engine`] renders and evaluates; [`Settings`] say which language. A text is translated from Jinja2's
//! language to MiniJinja's (`dialect`), whose values are given Python's meaning (`python`). The room never
//! decrypts, and never looks at what a text means. Start with [`Engine`].

mod cache;
mod checks;
mod dialect;
mod engine;
mod error;
mod family;
mod filters;
mod functions;
pub mod makejinja;
mod needs;
mod own_message;
mod python;
mod reader;
mod scope;
mod settings;
mod tests;
mod view;
mod vocabulary;

use minijinja::Value;

/// Builds a list of values, which templates may change.
pub fn list(items: Vec<Value>) -> Value {
    python::List::value(items)
}

/// Builds a mapping of values, which templates may change.
pub fn mapping(entries: impl IntoIterator<Item = (Value, Value)>) -> Value {
    python::Dict::value(entries.into_iter().collect())
}

/// Sets a key of a mapping that [`mapping`] or [`context`] built.
pub fn insert(mapping: &Value, key: Value, value: Value) {
    if let Some(dict) = mapping.downcast_object_ref::<python::Dict>() {
        dict.insert(key, value);
    }
}

pub use engine::{Engine, Rendered, context, kind_of};
pub use needs::needs;
pub use settings::{Delimiters, Limits, Settings, Undefined};
pub use view::{Mount, View, ViewSettings};
