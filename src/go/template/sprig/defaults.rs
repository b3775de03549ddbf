//! Defaults, choices and types.

use crate::go::template::fault::{Fault, Result};
use crate::go::template::function::{Call, Function, row};
use crate::go::template::print;
use crate::go::template::value::Value;

pub(super) static TABLE: &[Function] = &[
    row("default", "aa*", default),
    row("empty", "a", |_, v| Ok(Value::Bool(!v[0].is_true()))),
    row("coalesce", "a*", |_, v| {
        Ok(v.iter()
            .find(|v| v.is_true())
            .cloned()
            .unwrap_or(Value::Nil))
    }),
    row("all", "a*", |_, v| {
        Ok(Value::Bool(v.iter().all(Value::is_true)))
    }),
    row("any", "a*", |_, v| {
        Ok(Value::Bool(v.iter().any(Value::is_true)))
    }),
    row("ternary", "aab", |_, v| {
        Ok(if v[2].is_true() {
            v[0].clone()
        } else {
            v[1].clone()
        })
    }),
    row("deepCopy", "a", |call, v| {
        call.budget.step(size(&v[0]))?;
        v[0].deep_copy(0)
    }),
    row("mustDeepCopy", "a", |call, v| {
        call.budget.step(size(&v[0]))?;
        v[0].deep_copy(0)
    }),
    row("typeOf", "a", |_, v| Ok(Value::string(v[0].type_name()))),
    row("typeIs", "sa", |_, v| {
        Ok(Value::Bool(v[0].as_str() == Some(v[1].type_name())))
    }),
    row("typeIsLike", "sa", |_, v| {
        let name = v[1].type_name();
        let given = v[0].as_str().unwrap_or_default();
        Ok(Value::Bool(given == name || format!("*{given}") == name))
    }),
    row("kindOf", "a", |_, v| Ok(Value::string(v[0].kind_name()))),
    row("kindIs", "sa", |_, v| {
        Ok(Value::Bool(v[0].as_str() == Some(v[1].kind_name())))
    }),
    row("deepEqual", "aa", |_, v| {
        Ok(Value::Bool(v[0].deep_equal(&v[1], 0)?))
    }),
    row("fail", "s", |_, _| {
        Err(Fault::new("the template says that it fails"))
    }),
    row("hello", "", |_, _| Ok(Value::string("Hello!"))),
    row("toString", "a", |call, v| call.string(print::plain(&v[0])?)),
];

fn default(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    match values.get(1) {
        Some(given) if given.is_true() => Ok(given.clone()),
        _ => Ok(values[0].clone()),
    }
}

fn size(value: &Value) -> u64 {
    match value {
        Value::List(list) => list.items().len() as u64,
        Value::Map(map) => map.entries().len() as u64,
        _ => 1,
    }
}
