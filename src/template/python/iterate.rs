//! What can be iterated, and how.

use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{Error, State, UndefinedBehavior, Value};

use super::list::List;
use super::views::{Group, Range};
use super::{Dict, charge, failed, is_tuple, too_much, type_name, undefined};

/// Fails when a strict language uses an unset name.
pub(in crate::template) fn assert_set(
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    // The value of `a if false` is unset, and silent in strict mode too: only formatting tells them apart.
    let strict = value.is_undefined() && state.undefined_behavior() == UndefinedBehavior::Strict;
    if strict && state.format(value.clone()).is_err() {
        return Err(undefined());
    }
    Ok(())
}

/// Deeper values are mistakes, or hold themselves.
const MAX_DEPTH: usize = 200;

/// More values in one are mistakes: some hold others twice, and those others again.
const MAX_VALUES: usize = 1_000_000;

/// Refuses a value that is too deep or too large to be walked through.
pub(in crate::template) fn measure(value: &Value) -> Result<(), Error> {
    let mut left = MAX_VALUES;
    walk(value, 0, &mut left)
}

fn walk(value: &Value, depth: usize, left: &mut usize) -> Result<(), Error> {
    *left = left
        .checked_sub(1)
        .ok_or_else(|| too_much("the value is too large"))?;
    let inner = |items: Vec<Value>, left: &mut usize| {
        if depth >= MAX_DEPTH {
            return Err(too_much("the value is nested too deep"));
        }
        items
            .iter()
            .try_for_each(|item| walk(item, depth + 1, left))
    };
    match value.kind() {
        ValueKind::Seq => match value.downcast_object_ref::<List>() {
            Some(list) => inner(list.items(), left),
            None if is_tuple(value) => inner(value.try_iter()?.collect(), left),
            None => Ok(()),
        },
        ValueKind::Map => match value.downcast_object_ref::<Dict>() {
            Some(dict) => inner(dict.entries().into_values().collect(), left),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Drops values one after the other: deep ones would need a deep stack.
pub(super) fn release(mut open: Vec<Value>) {
    while let Some(value) = open.pop() {
        match value.kind() {
            ValueKind::Seq => {
                if let Some(list) = value.downcast_object::<List>() {
                    drop(value);
                    open.extend(
                        Arc::into_inner(list)
                            .map(List::into_items)
                            .unwrap_or_default(),
                    );
                }
            }
            ValueKind::Map => {
                if let Some(dict) = value.downcast_object::<Dict>() {
                    drop(value);
                    open.extend(
                        Arc::into_inner(dict)
                            .map(Dict::into_items)
                            .unwrap_or_default(),
                    );
                }
            }
            _ => {}
        }
    }
}

/// The items of anything that can be iterated, charged to the render's fuel.
pub(in crate::template) fn items(
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<Vec<Value>, Error> {
    assert_set(state, value)?;
    let items = match value.kind() {
        ValueKind::Undefined => Vec::new(),
        ValueKind::None | ValueKind::Bool | ValueKind::Number => {
            return Err(failed(format!("{} cannot be iterated", type_name(value))));
        }
        _ => value.try_iter()?.collect(),
    };
    state.consume_fuel(items.len() as u64)?;
    Ok(items)
}

/// What `for` iterates: the value itself, or a list where MiniJinja would count or iterate otherwise.
pub(in crate::template) fn iterate(
    state: &mut State<'_, '_>,
    arguments: &[Value],
) -> Result<Value, Error> {
    charge(state)?;
    let value = arguments.first().cloned().unwrap_or_default();
    match value.kind() {
        ValueKind::Seq | ValueKind::Map => Ok(value),
        _ => Ok(List::value(items(state, &value)?)),
    }
}

/// The entries of a mapping or of a list of pairs.
pub(in crate::template) fn pairs(value: &Value) -> Result<Vec<(Value, Value)>, Error> {
    if value.kind() == ValueKind::Map {
        let pairs = value.as_object().and_then(|o| o.try_iter_pairs());
        return Ok(pairs.into_iter().flatten().collect());
    }
    let mut found = Vec::new();
    for pair in value.try_iter()? {
        let parts: Vec<Value> = pair.try_iter()?.collect();
        let [key, value]: [Value; 2] = parts
            .try_into()
            .map_err(|_| failed("a dict is made of pairs"))?;
        found.push((key, value));
    }
    Ok(found)
}

/// Whether a value is a list: ours, or one that MiniJinja made.
pub(in crate::template) fn is_plain_sequence(value: &Value) -> bool {
    value.kind() == ValueKind::Seq
        && value.downcast_object_ref::<Range>().is_none()
        && value.downcast_object_ref::<Group>().is_none()
}

/// Whether a value is a dict: ours, or one that MiniJinja made.
pub(in crate::template) fn is_plain_map(value: &Value) -> bool {
    let Some(object) = value.as_object().filter(|_| value.kind() == ValueKind::Map) else {
        return false;
    };
    value.downcast_object_ref::<Dict>().is_some()
        || value.is_kwargs()
        || object.type_name().contains("Map<")
}

/// Whether a value was made by `namespace(…)`.
pub(in crate::template) fn is_namespace(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|o| o.type_name().ends_with("::Namespace"))
}
