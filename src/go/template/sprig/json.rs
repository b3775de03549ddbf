//! JSON as `encoding/json` reads and writes it: numbers are floats, keys are sorted, `<` is escaped.

use serde_json::Value as Json;

use crate::go::template::fault::{Cause, Fault, Result};
use crate::go::template::function::{Call, Function, row};
use crate::go::template::value::{Value, deeper};
use crate::go::{float, json};

use super::strings::text;

pub(super) static TABLE: &[Function] = &[
    row("fromJson", "s", |call, v| {
        Ok(parse(call, text(v, 0)).unwrap_or(Value::Nil))
    }),
    row("mustFromJson", "s", |call, v| parse(call, text(v, 0))),
    row("toJson", "a", |call, v| lenient(call, &v[0], Style::Plain)),
    row("mustToJson", "a", |call, v| {
        written(call, &v[0], Style::Plain)
    }),
    row("toPrettyJson", "a", |call, v| {
        lenient(call, &v[0], Style::Pretty)
    }),
    row("mustToPrettyJson", "a", |call, v| {
        written(call, &v[0], Style::Pretty)
    }),
    row("toRawJson", "a", |call, v| written(call, &v[0], Style::Raw)),
    row("mustToRawJson", "a", |call, v| {
        written(call, &v[0], Style::Raw)
    }),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Pretty,
    Raw,
}

fn parse(call: &Call<'_>, text: &str) -> Result<Value> {
    call.budget.bytes(text.len())?;
    let json: Json = serde_json::from_str(text).map_err(|_| Fault::new("it is not JSON"))?;
    Ok(from_json(&json))
}

/// A value from JSON, as Go reads it into `interface {}`: every number is a float.
pub fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Value::string(text),
        Json::Array(items) => Value::list(items.iter().map(from_json).collect()),
        Json::Object(entries) => {
            Value::map((entries.iter()).map(|(key, value)| (key.as_str().into(), from_json(value))))
        }
    }
}

/// JSON from a value. Fails where it nests too deeply.
pub fn to_json(value: &Value) -> Result<Json> {
    let mut out = Vec::new();
    write(&mut out, value, Style::Plain, 0)?;
    serde_json::from_slice(&out).map_err(|_| Fault::new("the value has no form in JSON"))
}

fn lenient(call: &Call<'_>, value: &Value, style: Style) -> Result<Value> {
    match written(call, value, style) {
        Err(fault) if fault.cause != Cause::Limit => Ok(Value::string("")),
        result => result,
    }
}

fn written(call: &Call<'_>, value: &Value, style: Style) -> Result<Value> {
    let mut out = Vec::new();
    write(&mut out, value, style, 0)?;
    call.string(String::from_utf8_lossy(&out).into_owned())
}

fn write(out: &mut Vec<u8>, value: &Value, style: Style, depth: u32) -> Result<()> {
    match value {
        Value::Missing | Value::Nil => out.extend_from_slice(b"null"),
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Int(value, _) => out.extend_from_slice(value.to_string().as_bytes()),
        Value::Float(value) => {
            if !float::write_json(out, *value) {
                return Err(Fault::new("JSON has no such number"));
            }
        }
        Value::String(text) => write_text(out, text, style),
        Value::Object(object) => write_text(out, &object.print(), style),
        Value::List(list) => {
            let depth = deeper(depth)?;
            out.push(b'[');
            for (index, item) in list.items().iter().enumerate() {
                separate(out, index, style, depth);
                write(out, item, style, depth)?;
            }
            finish(out, list.items().is_empty(), style, depth);
            out.push(b']');
        }
        Value::Map(map) => {
            let depth = deeper(depth)?;
            let entries = map.entries();
            out.push(b'{');
            for (index, (key, item)) in entries.iter().enumerate() {
                separate(out, index, style, depth);
                write_text(out, key, style);
                out.extend_from_slice(if style == Style::Pretty { b": " } else { b":" });
                write(out, item, style, depth)?;
            }
            finish(out, entries.is_empty(), style, depth);
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_text(out: &mut Vec<u8>, text: &str, style: Style) {
    if style != Style::Raw {
        return json::write_string(out, text);
    }
    let mut quoted = Vec::new();
    json::write_string(&mut quoted, text);
    let quoted = String::from_utf8_lossy(&quoted);
    // A backslash of the text itself is doubled, so a lone `\u003c` can only be ours.
    let mut rest = quoted.as_ref();
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let escape = &rest[at..];
        let plain = [("\\u003c", "<"), ("\\u003e", ">"), ("\\u0026", "&")];
        let known = plain
            .iter()
            .find(|(written, _)| escape.starts_with(written));
        let taken = match known {
            Some((written, plain)) => {
                out.extend_from_slice(plain.as_bytes());
                written.len()
            }
            None => {
                out.extend_from_slice(&escape.as_bytes()[..2]);
                2
            }
        };
        rest = &escape[taken..];
    }
    out.extend_from_slice(rest.as_bytes());
}

fn separate(out: &mut Vec<u8>, index: usize, style: Style, depth: u32) {
    if index > 0 {
        out.push(b',');
    }
    break_line(out, style, depth);
}

fn finish(out: &mut Vec<u8>, is_empty: bool, style: Style, depth: u32) {
    if !is_empty {
        break_line(out, style, depth - 1);
    }
}

fn break_line(out: &mut Vec<u8>, style: Style, depth: u32) {
    if style == Style::Pretty {
        out.push(b'\n');
        out.extend((0..depth).flat_map(|_| *b"  "));
    }
}
