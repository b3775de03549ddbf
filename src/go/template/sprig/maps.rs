//! Maps, after sprig's dict.go. `set`, `unset` and `merge` change the map that they are given.

use std::rc::Rc;

use crate::go::template::fault::{Fault, Result};
use crate::go::template::function::{Call, Function, row};
use crate::go::template::print;
use crate::go::template::value::{Map, Value, deeper};

use super::strings::{self, text};

pub(super) static TABLE: &[Function] = &[
    row("dict", "a*", dict),
    row("get", "ms", |_, v| {
        Ok(map(v, 0)?
            .get(text(v, 1))
            .unwrap_or_else(|| Value::string("")))
    }),
    row("set", "msa", |call, v| {
        call.budget.bytes(text(v, 1).len() + 64)?;
        map(v, 0)?.set(text(v, 1), v[2].clone());
        Ok(v[0].clone())
    }),
    row("unset", "ms", |_, v| {
        map(v, 0)?.unset(text(v, 1));
        Ok(v[0].clone())
    }),
    row("hasKey", "ms", |_, v| {
        Ok(Value::Bool(map(v, 0)?.get(text(v, 1)).is_some()))
    }),
    row("pluck", "sm*", pluck),
    row("keys", "m*", |call, v| {
        let mut names = Vec::new();
        for index in 0..v.len() {
            names.extend(map(v, index)?.entries().keys().cloned());
        }
        strings::strings(call, names)
    }),
    row("pick", "ms*", |call, v| filtered(call, v, true)),
    row("omit", "ms*", |call, v| filtered(call, v, false)),
    row("values", "m", |call, v| {
        let values = map(v, 0)?.entries().values().cloned().collect();
        call.list(values)
    }),
    row("dig", "sa*", dig),
];

/// The merging of maps, which slim-sprig leaves out.
pub(super) static MERGES: &[Function] = &[
    row("merge", "mm*", |call, v| merge_all(call, v, false)),
    row("mustMerge", "mm*", |call, v| merge_all(call, v, false)),
    row("mergeOverwrite", "mm*", |call, v| merge_all(call, v, true)),
    row("mustMergeOverwrite", "mm*", |call, v| {
        merge_all(call, v, true)
    }),
];

fn map(values: &[Value], index: usize) -> Result<&Map> {
    match values.get(index) {
        Some(Value::Map(map)) => Ok(map),
        _ => Err(Fault::new("a map is missing")),
    }
}

fn dict(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    call.budget.bytes(size_of_val(values))?;
    let mut entries: Vec<(Rc<str>, Value)> = Vec::new();
    for pair in values.chunks(2) {
        let value = pair.get(1).cloned().unwrap_or_else(|| Value::string(""));
        entries.push((print::plain(&pair[0])?.into(), value));
    }
    Ok(Value::map(entries))
}

fn pluck(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let mut found = Vec::new();
    for index in 1..values.len() {
        found.extend(map(values, index)?.get(text(values, 0)));
    }
    call.list(found)
}

fn filtered(call: &Call<'_>, values: &[Value], keeps: bool) -> Result<Value> {
    let entries = map(values, 0)?.entries();
    call.budget.step((entries.len() * values.len()) as u64)?;
    let named = |key: &str| (1..values.len()).any(|i| text(values, i) == key);
    let kept = entries.iter().filter(|(key, _)| named(key) == keeps);
    Ok(Value::map(kept.map(|(k, v)| (Rc::clone(k), v.clone()))))
}

/// `dig "a" "b" default map`: the value below keys, or the default.
fn dig(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    let [keys @ .., default, Value::Map(map)] = values else {
        return Err(Fault::new("it takes keys, a default and a map"));
    };
    if keys.is_empty() {
        return Err(Fault::new("it takes at least one key"));
    }
    let mut map = map.clone();
    for (index, key) in keys.iter().enumerate() {
        let key = key
            .as_str()
            .ok_or_else(|| Fault::new("a key is a string"))?;
        let Some(value) = map.get(key) else {
            return Ok(default.clone());
        };
        if index + 1 == keys.len() {
            return Ok(value);
        }
        match value {
            Value::Map(next) => map = next,
            other => {
                let found = other.type_name();
                return Err(Fault::new(format!("{key:?} is a {found} and not a map")));
            }
        }
    }
    Ok(default.clone())
}

fn merge_all(call: &Call<'_>, values: &[Value], overwrites: bool) -> Result<Value> {
    let target = map(values, 0)?;
    for index in 1..values.len() {
        merge(call, target, map(values, index)?, overwrites, 0)?;
    }
    Ok(values[0].clone())
}

/// mergo: what is empty on the left is filled, what is not empty on the right overwrites where asked.
fn merge(call: &Call<'_>, into: &Map, from: &Map, overwrites: bool, depth: u32) -> Result<()> {
    let depth = deeper(depth)?;
    if into.is_same(from) {
        return Ok(());
    }
    let entries: Vec<(Rc<str>, Value)> = (from.entries().iter())
        .map(|(k, v)| (Rc::clone(k), v.clone()))
        .collect();
    call.budget.step(entries.len() as u64)?;
    call.budget.bytes(entries.len() * size_of::<Value>())?;
    for (key, value) in entries {
        match (into.get(&key), &value) {
            (Some(Value::Map(inner)), Value::Map(other)) => {
                merge(call, &inner, other, overwrites, depth)?;
            }
            (Some(known), _) if known.is_true() && !(overwrites && value.is_true()) => {}
            (Some(_), _) if !value.is_true() => {}
            _ => into.set(&key, value),
        }
    }
    Ok(())
}
