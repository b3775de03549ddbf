//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`: numbers compare within their kind, never an int with a float.

use super::fault::{Fault, Result};
use super::function::Call;
use super::value::Value;

#[derive(PartialEq, Eq)]
enum Kind {
    Nothing,
    Bool,
    Int,
    Float,
    String,
    Other,
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::Missing | Value::Nil => Kind::Nothing,
        Value::Bool(_) => Kind::Bool,
        Value::Int(..) => Kind::Int,
        Value::Float(_) => Kind::Float,
        Value::String(_) => Kind::String,
        Value::List(_) | Value::Map(_) | Value::Object(_) => Kind::Other,
    }
}

fn incompatible(a: &Value, b: &Value) -> Fault {
    Fault::new(format!(
        "{} and {} cannot be compared",
        a.type_name(),
        b.type_name()
    ))
}

fn equal(a: &Value, b: &Value) -> Result<bool> {
    if kind(a) != kind(b) {
        if a.is_nothing() || b.is_nothing() {
            return Ok(false);
        }
        return Err(incompatible(a, b));
    }
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Int(a, _), Value::Int(b, _)) => Ok(a == b),
        (Value::Float(a), Value::Float(b)) => Ok(a == b),
        (Value::String(a), Value::String(b)) => Ok(a == b),
        (Value::List(_) | Value::Map(_), _) => Err(Fault::new(format!(
            "a {} cannot be compared",
            a.type_name()
        ))),
        _ => a.deep_equal(b, 0),
    }
}

pub(super) fn eq(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    let [first, others @ ..] = values else {
        return Err(Fault::new("an argument is missing"));
    };
    if others.is_empty() {
        return Err(Fault::new("there is nothing to compare with"));
    }
    for other in others {
        if equal(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

pub(super) fn ne(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    Ok(Value::Bool(!equal(&values[0], &values[1])?))
}

fn less(a: &Value, b: &Value) -> Result<bool> {
    match (a, b) {
        (Value::Int(a, _), Value::Int(b, _)) => Ok(a < b),
        (Value::Float(a), Value::Float(b)) => Ok(a < b),
        (Value::String(a), Value::String(b)) => Ok(a < b),
        _ => Err(incompatible(a, b)),
    }
}

pub(super) fn lt(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    Ok(Value::Bool(less(&values[0], &values[1])?))
}

pub(super) fn le(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    let (a, b) = (&values[0], &values[1]);
    Ok(Value::Bool(less(a, b)? || equal(a, b)?))
}

pub(super) fn gt(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    Ok(Value::Bool(!le(call, values)?.is_true()))
}

pub(super) fn ge(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    Ok(Value::Bool(!lt(call, values)?.is_true()))
}
