//! Order: Python compares numbers, strings, lists and tuples, each with its like alone.

use std::cmp::Ordering;

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::number::Number;
use super::{failed, is_tuple, type_name, undefined};

/// Compares two values. Fails where Python does.
pub(in crate::template) fn compare(a: &Value, b: &Value) -> Result<Ordering, Error> {
    if a.is_undefined() || b.is_undefined() {
        return Err(undefined());
    }
    if let (Some(a), Some(b)) = (Number::of(a), Number::of(b)) {
        return Ok(a.compare(b).unwrap_or(Ordering::Greater));
    }
    match (a.kind(), b.kind()) {
        (ValueKind::String, ValueKind::String) => Ok(a.as_str().cmp(&b.as_str())),
        (ValueKind::Bytes, ValueKind::Bytes) => Ok(a.as_bytes().cmp(&b.as_bytes())),
        (ValueKind::Seq, ValueKind::Seq) if is_tuple(a) == is_tuple(b) => {
            let (mut left, mut right) = (a.try_iter()?, b.try_iter()?);
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return Ok(Ordering::Equal),
                    (None, Some(_)) => return Ok(Ordering::Less),
                    (Some(_), None) => return Ok(Ordering::Greater),
                    (Some(a), Some(b)) if a == b => {}
                    (Some(a), Some(b)) => return compare(&a, &b),
                }
            }
        }
        _ => Err(failed(format!(
            "{} and {} have no order",
            type_name(a),
            type_name(b)
        ))),
    }
}

/// Sorts values by their keys; equal ones keep their order, in reverse too.
pub(in crate::template) fn sorted(
    mut keyed: Vec<(Value, Value)>,
    reverse: bool,
) -> Result<Vec<Value>, Error> {
    let mut fault = None;
    keyed.sort_by(|(a, _), (b, _)| {
        if fault.is_some() {
            return Ordering::Equal;
        }
        let order = compare(a, b).unwrap_or_else(|e| {
            fault = Some(e);
            Ordering::Equal
        });
        if reverse { order.reverse() } else { order }
    });
    match fault {
        Some(fault) => Err(fault),
        None => Ok(keyed.into_iter().map(|(_, value)| value).collect()),
    }
}

/// `a < b <= c …`: operands and operators in turn.
pub(in crate::template) fn chain(
    state: &mut State<'_, '_>,
    arguments: &[Value],
) -> Result<Value, Error> {
    let mut left = arguments.first().cloned().unwrap_or_default();
    for pair in arguments[1..].chunks(2) {
        let [operator, right] = pair else { break };
        if !holds(state, operator.as_str().unwrap_or_default(), &left, right)? {
            return Ok(Value::from(false));
        }
        left = right.clone();
    }
    Ok(Value::from(true))
}

/// Whether a comparison holds.
pub(in crate::template) fn holds(
    state: &mut State<'_, '_>,
    operator: &str,
    a: &Value,
    b: &Value,
) -> Result<bool, Error> {
    super::iterate::assert_set(state, a)?;
    super::iterate::assert_set(state, b)?;
    super::iterate::measure(a)?;
    super::iterate::measure(b)?;
    Ok(match operator {
        "==" => a == b,
        "!=" => a != b,
        "in" => contains(b, a)?,
        "not in" => !contains(b, a)?,
        "<" => compare(a, b)? == Ordering::Less,
        "<=" => compare(a, b)? != Ordering::Greater,
        ">" => compare(a, b)? == Ordering::Greater,
        _ => compare(a, b)? != Ordering::Less,
    })
}

/// Whether a container holds a value.
///
/// A string holds strings alone, and an unset container nothing.
pub(in crate::template) fn contains(container: &Value, value: &Value) -> Result<bool, Error> {
    match container.kind() {
        ValueKind::Undefined => Ok(false),
        ValueKind::String => match (container.as_str(), value.as_str()) {
            (Some(text), Some(part)) => Ok(text.contains(part)),
            _ => Err(failed("a string contains strings alone")),
        },
        ValueKind::Map => Ok(container
            .as_object()
            .is_some_and(|o| o.get_value(value).is_some())),
        ValueKind::Seq | ValueKind::Iterable => Ok(container.try_iter()?.any(|i| i == *value)),
        _ => Err(failed(format!("{} contains nothing", type_name(container)))),
    }
}
