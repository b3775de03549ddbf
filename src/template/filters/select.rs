//! Filters that choose or change items: `map`, `select` and their like.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, State, Value};

use super::{attribute, attribute_or, fold_case, is_set};
use crate::template::python::arguments::{bind, split};
use crate::template::python::iterate::{assert_set, items};
use crate::template::python::views::Generator;
use crate::template::python::{Native, failed};

pub(super) const TABLE: &[(&str, Native)] = &[
    ("map", map),
    ("select", |s, a| choose(s, a, false, true)),
    ("reject", |s, a| choose(s, a, false, false)),
    ("selectattr", |s, a| choose(s, a, true, true)),
    ("rejectattr", |s, a| choose(s, a, true, false)),
    ("unique", unique),
];

fn map(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split(arguments);
    let (source, rest) = positional.split_first().ok_or(ErrorKind::MissingArgument)?;
    let all = items_if_true(state, source)?;
    let get = |name: &str| {
        named
            .iter()
            .find(|(k, _)| k.as_str() == Some(name))
            .map(|(_, v)| v.clone())
    };
    let mut mapped = Vec::with_capacity(all.len());
    if let Some(path) = get("attribute").filter(|_| rest.is_empty()) {
        let default = get("default");
        if let Some((unknown, _)) = named
            .iter()
            .find(|(k, _)| !matches!(k.as_str(), Some("attribute" | "default")))
        {
            return Err(failed(format!("map has no argument {unknown}")));
        }
        for item in &all {
            mapped.push(attribute_or(state, item, &path, default.as_ref())?);
        }
        return Ok(Generator::value(mapped));
    }
    let (name, rest) = rest
        .split_first()
        .ok_or_else(|| failed("map wants a filter or an attribute"))?;
    let name = name
        .as_str()
        .ok_or_else(|| failed("map wants the name of a filter"))?;
    let mut call = vec![Value::UNDEFINED];
    call.extend_from_slice(rest);
    call.extend(arguments.last().filter(|a| a.is_kwargs()).cloned());
    for item in all {
        call[0] = item;
        mapped.push(state.apply_filter(name, &call)?);
    }
    Ok(Generator::value(mapped))
}

/// The items of a value; none of one that is false, whatever it is.
fn items_if_true(state: &mut State<'_, '_>, value: &Value) -> Result<Vec<Value>, Error> {
    assert_set(state, value)?;
    if value.is_true() {
        items(state, value)
    } else {
        Ok(Vec::new())
    }
}

/// Whether Python could look a value up in a set.
fn is_hashable(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Map => false,
        ValueKind::Seq if value.is_tuple() => value
            .try_iter()
            .is_ok_and(|mut items| items.all(|i| is_hashable(&i))),
        ValueKind::Seq => false,
        _ => true,
    }
}

/// `select`, `reject` and, by a part of each item, `selectattr` and `rejectattr`.
fn choose(
    state: &mut State<'_, '_>,
    arguments: &[Value],
    by_attribute: bool,
    keep: bool,
) -> Result<Value, Error> {
    let (source, mut rest) = arguments.split_first().ok_or(ErrorKind::MissingArgument)?;
    let mut path = None;
    if by_attribute {
        let (first, after) = rest
            .split_first()
            .ok_or_else(|| failed("the name of an attribute is missing"))?;
        (path, rest) = (Some(first), after);
    }
    let test = rest.split_first();
    let mut kept = Vec::new();
    for item in items_if_true(state, source)? {
        let value = match path {
            Some(path) => attribute(state, &item, path)?,
            None => item.clone(),
        };
        let holds = match test {
            Some((name, more)) => {
                let name = name
                    .as_str()
                    .ok_or_else(|| failed("the name of a test is no string"))?;
                let mut call = vec![value];
                call.extend_from_slice(more);
                state.perform_test(name, &call)?
            }
            None => {
                assert_set(state, &value)?;
                value.is_true()
            }
        };
        if holds == keep {
            kept.push(item);
        }
    }
    Ok(Generator::value(kept))
}

fn unique(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, case, path] = bind(
        "unique",
        arguments,
        ["value", "case_sensitive", "attribute"],
    )?;
    let case = is_set(case.as_ref());
    let mut seen = indexmap::IndexSet::new();
    let mut kept = Vec::new();
    for item in items(state, &value.unwrap_or_default())? {
        let key = match path.as_ref().filter(|p| !p.is_none()) {
            Some(path) => attribute(state, &item, path)?,
            None => item.clone(),
        };
        if !is_hashable(&key) {
            return Err(failed("unique compares no lists and mappings"));
        }
        if seen.insert(fold_case(key, case)) {
            kept.push(item);
        }
    }
    Ok(Generator::value(kept))
}
