//! Jinja2's filters, by group.

mod collection;
mod json;
mod markup;
mod number;
mod select;
mod string;

use minijinja::value::ValueKind;
use minijinja::{Error, State, UndefinedBehavior, Value};

pub(super) use markup::escaped;

use super::python::{Native, text::str_of, undefined};

/// Every filter by name.
pub(super) fn tables() -> impl Iterator<Item = &'static (&'static str, Native)> {
    [
        collection::TABLE,
        json::TABLE,
        markup::TABLE,
        number::TABLE,
        select::TABLE,
        string::TABLE,
    ]
    .into_iter()
    .flatten()
}

/// A filter's value as text; strict languages refuse an unset one.
fn soft_text(state: &mut State<'_, '_>, value: Option<&Value>) -> Result<String, Error> {
    let value = value.ok_or_else(undefined)?;
    super::python::iterate::assert_set(state, value)?;
    Ok(str_of(value))
}

/// The part of a value that a name or number leads to, as subscripts find it; unset when there is none.
fn item(state: &State<'_, '_>, value: &Value, key: &Value) -> Result<Value, Error> {
    if value.is_undefined() {
        let chains = state.undefined_behavior() == UndefinedBehavior::Chainable;
        return if chains {
            Ok(Value::UNDEFINED)
        } else {
            Err(undefined())
        };
    }
    value.get_item(key)
}

/// Follows a path such as `k.0`, or a number, from a value.
fn attribute(state: &State<'_, '_>, value: &Value, path: &Value) -> Result<Value, Error> {
    attribute_or(state, value, path, None)
}

/// The same with a default, which takes the place of what is not set at any step (Jinja2 3.1, `make_attrgetter`).
fn attribute_or(
    state: &State<'_, '_>,
    value: &Value,
    path: &Value,
    default: Option<&Value>,
) -> Result<Value, Error> {
    let or_default = |found: Value| match default {
        Some(default) if found.is_undefined() => default.clone(),
        _ => found,
    };
    if path.kind() != ValueKind::String {
        return item(state, value, path).map(or_default);
    }
    let mut found = value.clone();
    for part in path.as_str().unwrap_or_default().split('.') {
        let index = (!part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<u64>().ok())
            .flatten();
        let key = index.map_or_else(|| Value::from(part), Value::from);
        found = or_default(item(state, &found, &key)?);
    }
    Ok(found)
}

/// A string's lower case, for comparisons that ignore case; other values as they are.
fn fold_case(value: Value, case_sensitive: bool) -> Value {
    match value.as_str() {
        Some(text) if !case_sensitive => Value::from(text.to_lowercase()),
        _ => value,
    }
}

fn is_set(flag: Option<&Value>) -> bool {
    flag.is_some_and(Value::is_true)
}
