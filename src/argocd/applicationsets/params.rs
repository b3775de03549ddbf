//! Parameters: what a generator makes and a template is filled with.
//!
//! They are values of Go, since templates tell `map[string]string` from `map[string]any` and every number of a
//! file is a float. Merging follows dario.cat/mergo with `WithOverride`, flattening github.com/jeremywohl/flatten.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value as Json;

use super::Failure;
use crate::go::template::{Element, Map, Value, plain, sprig};

/// Parameters by name.
pub(super) type Params = BTreeMap<Rc<str>, Value>;

/// Parameters of an object of JSON; `None` where it is something else.
pub(super) fn of_json(json: &Json) -> Option<Params> {
    let fields = json.as_object()?;
    Some(
        (fields.iter())
            .map(|(key, value)| (key.as_str().into(), sprig::from_json(value)))
            .collect(),
    )
}

/// A string.
pub(super) fn text(value: &str) -> Value {
    Value::string(value)
}

/// A `map[string]string`.
pub(super) fn strings(entries: &BTreeMap<String, String>) -> Value {
    let entries = entries.iter().map(|(k, v)| (k.as_str().into(), text(v)));
    Value::map_of(entries, Element::String)
}

/// What `%v` prints.
pub(super) fn printed(value: &Value) -> String {
    plain(value).unwrap_or_default()
}

/// Names joined by dots down to what is no map and no list; empty ones vanish.
pub(super) fn flattened(params: &Params) -> Vec<(String, Value)> {
    let mut out = Vec::new();
    for (key, value) in params {
        flatten(key.to_string(), value, &mut out);
    }
    out
}

fn flatten(key: String, value: &Value, out: &mut Vec<(String, Value)>) {
    match value {
        Value::Map(map) => {
            for (name, value) in map.entries().iter() {
                flatten(format!("{key}.{name}"), value, out);
            }
        }
        Value::List(list) if list.element == Element::Any => {
            for (index, value) in list.items().iter().enumerate() {
                flatten(format!("{key}.{index}"), value, out);
            }
        }
        scalar => out.push((key, scalar.clone())),
    }
}

/// Merges `from` over `into`: maps merge, of lists and scalars those of `from` count, but an empty list.
pub(super) fn override_with(into: &mut Params, from: &Params) -> Result<(), Failure> {
    for (key, value) in from {
        match (into.get(key), value) {
            (Some(Value::Map(known)), Value::Map(other)) => merge_maps(known, other)?,
            (Some(Value::List(_)), Value::List(list)) if list.items().is_empty() => {}
            _ => {
                into.insert(Rc::clone(key), value.clone());
            }
        }
    }
    Ok(())
}

/// mergo panics where a `map[string]any` is merged over a `map[string]string`; the host catches it, and nothing is made.
fn merge_maps(into: &Map, from: &Map) -> Result<(), Failure> {
    if into.is_same(from) {
        return Ok(());
    }
    let entries: Vec<(Rc<str>, Value)> = (from.entries().iter())
        .map(|(k, v)| (Rc::clone(k), v.clone()))
        .collect();
    if into.element == Element::String && from.element == Element::Any && !entries.is_empty() {
        return Err(Failure::new(
            "`values` of a cluster generator cannot be merged with an object called `values`: Argo CD panics",
        ));
    }
    for (key, value) in entries {
        match (into.get(&key), &value) {
            (Some(Value::Map(known)), Value::Map(other)) => merge_maps(&known, other)?,
            (Some(Value::List(_)), Value::List(list)) if list.items().is_empty() => {}
            _ => into.set(&key, value),
        }
    }
    Ok(())
}

/// The parameters as one value, for a template. Maps in them are copied, so that no template changes another's.
pub(super) fn root(params: &Params) -> Value {
    let copied = params.iter().map(|(key, value)| {
        let value = value.deep_copy(0).unwrap_or_else(|_| value.clone());
        (Rc::clone(key), value)
    });
    Value::map(copied)
}
