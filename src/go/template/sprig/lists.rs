//! Lists, after sprig's list.go. What takes no list refuses it.

use crate::go::template::fault::{Fault, Result};
use crate::go::template::function::{Call, Function, row};
use crate::go::template::value::{Element, List, Value};

use super::numbers::to_int;
use super::strings::int;

pub(super) static TABLE: &[Function] = &[
    row("list", "a*", |call, v| call.list(v.to_vec())),
    row("tuple", "a*", |call, v| call.list(v.to_vec())),
    row("append", "aa", append),
    row("push", "aa", append),
    row("mustAppend", "aa", append),
    row("mustPush", "aa", append),
    row("prepend", "aa", prepend),
    row("mustPrepend", "aa", prepend),
    row("first", "a", first),
    row("mustFirst", "a", first),
    row("last", "a", last),
    row("mustLast", "a", last),
    row("rest", "a", rest),
    row("mustRest", "a", rest),
    row("initial", "a", initial),
    row("mustInitial", "a", initial),
    row("reverse", "a", reverse),
    row("mustReverse", "a", reverse),
    row("compact", "a", compact),
    row("mustCompact", "a", compact),
    row("uniq", "a", uniq),
    row("mustUniq", "a", uniq),
    row("without", "aa*", without),
    row("mustWithout", "aa*", without),
    row("has", "aa", has),
    row("mustHas", "aa", has),
    row("slice", "aa*", slice),
    row("mustSlice", "aa*", slice),
    row("concat", "a*", concat),
    row("chunk", "ia", chunk),
    row("mustChunk", "ia", chunk),
];

fn list(value: &Value) -> Result<&List> {
    match value {
        Value::List(list) => Ok(list),
        other => Err(Fault::new(format!("a {} is not a list", other.type_name()))),
    }
}

fn append(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let mut items = list(&values[0])?.items().to_vec();
    items.push(values[1].clone());
    call.list(items)
}

fn prepend(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let mut items = vec![values[1].clone()];
    items.extend_from_slice(list(&values[0])?.items());
    call.list(items)
}

fn first(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    Ok(list(&values[0])?
        .items()
        .first()
        .cloned()
        .unwrap_or(Value::Nil))
}

fn last(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    Ok(list(&values[0])?
        .items()
        .last()
        .cloned()
        .unwrap_or(Value::Nil))
}

fn rest(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let items = list(&values[0])?.items();
    call.list(items.get(1..).unwrap_or_default().to_vec())
}

fn initial(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let items = list(&values[0])?.items();
    call.list(items[..items.len().saturating_sub(1)].to_vec())
}

fn reverse(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    call.list(list(&values[0])?.items().iter().rev().cloned().collect())
}

fn compact(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let items = list(&values[0])?.items().iter();
    call.list(items.filter(|item| item.is_true()).cloned().collect())
}

fn contains(call: &Call<'_>, items: &[Value], wanted: &Value) -> Result<bool> {
    call.budget.step(items.len() as u64)?;
    for item in items {
        if item.deep_equal(wanted, 0)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn uniq(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let mut kept = Vec::new();
    for item in list(&values[0])?.items() {
        if !contains(call, &kept, item)? {
            kept.push(item.clone());
        }
    }
    call.list(kept)
}

fn without(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let mut kept = Vec::new();
    for item in list(&values[0])?.items() {
        if !contains(call, &values[1..], item)? {
            kept.push(item.clone());
        }
    }
    call.list(kept)
}

fn has(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    if values[1].is_nothing() {
        return Ok(Value::Bool(false));
    }
    let found = contains(call, list(&values[1])?.items(), &values[0])?;
    Ok(Value::Bool(found))
}

fn slice(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    let list = list(&values[0])?;
    let length = list.items().len();
    if length == 0 {
        return Ok(Value::Nil);
    }
    let bound = |index: usize, otherwise: usize| match values.get(index) {
        Some(value) => usize::try_from(to_int(value))
            .ok()
            .filter(|at| *at <= length),
        None => Some(otherwise),
    };
    match (bound(1, 0), bound(2, length)) {
        (Some(start), Some(end)) if start <= end => Ok(Value::list_of(
            list.items()[start..end].to_vec(),
            list.element,
        )),
        _ => Err(Fault::new("the slice is out of range")),
    }
}

fn concat(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let mut items = Vec::new();
    for value in values {
        items.extend_from_slice(list(value)?.items());
    }
    call.list(items)
}

fn chunk(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let size = usize::try_from(int(values, 0))
        .ok()
        .filter(|size| *size > 0);
    let size = size.ok_or_else(|| Fault::new("the size of a chunk is at least 1"))?;
    let chunks = list(&values[1])?.items().chunks(size);
    call.list(
        chunks
            .map(|c| Value::list_of(c.to_vec(), Element::Any))
            .collect(),
    )
}
