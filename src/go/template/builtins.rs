//! The functions that `text/template` knows by itself, after text/template/funcs.go. `and` and `or` are
//! part of the evaluation, since they stop early.

use std::fmt::Write as _;

use super::compare::{eq, ge, gt, le, lt, ne};
use super::fault::{Fault, Result};
use super::function::{Call, Function, row};
use super::print;
use super::value::{Element, IntType, Value};

/// The rows.
pub(super) static TABLE: &[Function] = &[
    row("call", "ra*", call),
    row("eq", "rr*", eq),
    row("ge", "rr", ge),
    row("gt", "rr", gt),
    row("html", "a*", html),
    row("index", "rr*", index),
    row("js", "a*", js),
    row("le", "rr", le),
    row("len", "r", len),
    row("lt", "rr", lt),
    row("ne", "rr", ne),
    row("not", "r", not),
    row("print", "a*", |call, values| {
        call.string(print::sprint(values)?)
    }),
    row("printf", "sa*", printf),
    row("println", "a*", |call, values| {
        call.string(print::sprintln(values)?)
    }),
    row("slice", "rr*", slice),
    row("urlquery", "a*", urlquery),
];

/// What a key that is not in a map of such elements is.
pub(super) fn zero_of(element: Element) -> Value {
    match element {
        Element::Any => Value::Nil,
        Element::String => Value::string(""),
        Element::Int => Value::int(0),
    }
}

fn call(_: &Call<'_>, _: &[Value]) -> Result<Value> {
    Err(Fault::new("the argument is not a function"))
}

fn not(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    Ok(Value::Bool(!values[0].is_true()))
}

fn len(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    let length = match &values[0] {
        Value::String(text) => text.len(),
        Value::List(list) => list.items().len(),
        Value::Map(map) => map.entries().len(),
        other => return Err(Fault::new(format!("a {} has no length", other.type_name()))),
    };
    Ok(Value::length(length))
}

fn printf(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let format = values[0].as_str().unwrap_or_default();
    call.string(print::sprintf(format, &values[1..])?)
}

fn index(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    let (first, indices) = values.split_first().expect("the row asks for one");
    if first.is_nothing() {
        return Err(Fault::new("nothing cannot be indexed"));
    }
    let mut item = first.clone();
    for index in indices {
        item = index_one(&item, index)?;
    }
    Ok(item)
}

fn index_one(item: &Value, index: &Value) -> Result<Value> {
    match item {
        Value::Map(map) => {
            let key = (index.as_str()).ok_or_else(|| Fault::new("the key of a map is a string"))?;
            Ok(map.get(key).unwrap_or_else(|| zero_of(map.element)))
        }
        Value::List(list) => {
            let at = position(index, list.items().len())?;
            (list.items().get(at).cloned()).ok_or_else(|| Fault::new("the index is out of range"))
        }
        Value::String(text) => {
            let at = position(index, text.len())?;
            let byte = text.as_bytes().get(at);
            let byte = byte.ok_or_else(|| Fault::new("the index is out of range"))?;
            Ok(Value::Int(i64::from(*byte), IntType::Uint8))
        }
        Value::Missing | Value::Nil => Err(Fault::new("nothing cannot be indexed")),
        other => Err(Fault::new(format!(
            "a {} cannot be indexed",
            other.type_name()
        ))),
    }
}

fn position(index: &Value, limit: usize) -> Result<usize> {
    let Value::Int(at, _) = index else {
        return Err(Fault::new("an index is an integer"));
    };
    (usize::try_from(*at).ok())
        .filter(|at| *at <= limit)
        .ok_or_else(|| Fault::new("the index is out of range"))
}

fn slice(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let (item, indices) = values.split_first().expect("the row asks for one");
    let length = match item {
        Value::String(text) if indices.len() < 3 => text.len(),
        Value::List(list) if indices.len() < 4 => list.items().len(),
        other => {
            return Err(Fault::new(format!(
                "a {} cannot be sliced so",
                other.type_name()
            )));
        }
    };
    let start = indices.first().map_or(Ok(0), |i| position(i, length))?;
    let end = indices.get(1).map_or(Ok(length), |i| position(i, length))?;
    if start > end {
        return Err(Fault::new("a slice ends before it begins"));
    }
    match item {
        Value::List(list) => Ok(Value::list_of(
            list.items()[start..end].to_vec(),
            list.element,
        )),
        Value::String(text) => {
            call.string(String::from_utf8_lossy(&text.as_bytes()[start..end]).into_owned())
        }
        _ => Ok(Value::Missing),
    }
}

fn joined(values: &[Value]) -> Result<String> {
    let shown: Vec<Value> = values
        .iter()
        .map(|v| {
            if v.is_nothing() {
                Value::string("<no value>")
            } else {
                v.clone()
            }
        })
        .collect();
    print::sprint(&shown)
}

fn html(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let text = joined(values)?;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0' => out.push(char::REPLACEMENT_CHARACTER),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    call.string(out)
}

fn js(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let text = joined(values)?;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '\'' | '"' => {
                out.push('\\');
                out.push(c);
            }
            '<' | '>' | '&' | '=' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c if print::is_printable(c) => out.push(c),
            c => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
        }
    }
    call.string(out)
}

fn urlquery(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    call.string(query_escape(&joined(values)?))
}

/// `url.QueryEscape`.
pub(super) fn query_escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
