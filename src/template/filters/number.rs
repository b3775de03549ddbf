//! Filters of numbers.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::is_set;
use crate::template::python::arguments::bind;
use crate::template::python::number::Number;
use crate::template::python::{Native, failed, type_name, undefined};

pub(super) const TABLE: &[(&str, Native)] = &[
    ("abs", abs),
    ("int", int),
    ("float", float),
    ("round", round),
    ("filesizeformat", file_size),
];

fn number(value: &Value) -> Result<Number, Error> {
    if value.is_undefined() {
        return Err(undefined());
    }
    Number::of(value).ok_or_else(|| failed(format!("{} is no number", type_name(value))))
}

fn abs(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value] = bind("abs", arguments, ["x"])?;
    Ok(match number(&value.unwrap_or_default())? {
        Number::Integer(i) => Number::Integer(i.saturating_abs()).into(),
        Number::Float(f) => Value::from(f.abs()),
    })
}

fn int(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, default, base] = bind("int", arguments, ["value", "default", "base"])?;
    let value = value.unwrap_or_default();
    if value.is_undefined() {
        return Err(undefined());
    }
    let base = base
        .and_then(|b| b.as_i64())
        .and_then(|b| u32::try_from(b).ok())
        .unwrap_or(10);
    let parsed = match value.kind() {
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            parse_integer(text, base).or_else(|| truncated(parse_float(text)?))
        }
        _ => match Number::of(&value) {
            Some(Number::Integer(i)) => Some(i),
            Some(Number::Float(f)) => truncated(f),
            None => None,
        },
    };
    Ok(match parsed {
        Some(integer) => Number::Integer(integer).into(),
        None => default.unwrap_or_else(|| Value::from(0)),
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked first"
)]
fn truncated(float: f64) -> Option<i128> {
    (float.is_finite() && float.abs() < 1e38).then(|| float.trunc() as i128)
}

/// Python's `int(text, base)`.
fn parse_integer(text: &str, base: u32) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixed = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find_map(|(prefix, radix)| Some((lower.strip_prefix(prefix)?, radix)));
    let (digits, radix) = match (prefixed, base) {
        (Some((rest, radix)), _) if base == 0 || base == radix => {
            (rest.strip_prefix('_').unwrap_or(rest), radix)
        }
        (_, 0)
            if lower.len() > 1
                && lower.starts_with('0')
                && !lower.trim_matches(['0', '_']).is_empty() =>
        {
            return None;
        }
        (_, 0) => (lower.as_str(), 10),
        (_, radix @ 2..=36) => (lower.as_str(), radix),
        _ => return None,
    };
    let tidy =
        !digits.starts_with(['_', '+', '-']) && !digits.ends_with('_') && !digits.contains("__");
    let value = i128::from_str_radix(&digits.replace('_', ""), radix)
        .ok()
        .filter(|_| tidy)?;
    Some(if negative { -value } else { value })
}

/// Python's `float(text)`.
fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim();
    let tidy = !text.starts_with('_') && !text.ends_with('_') && !text.contains("__");
    text.replace('_', "").parse().ok().filter(|_| tidy)
}

fn float(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, default] = bind("float", arguments, ["value", "default"])?;
    let value = value.unwrap_or_default();
    if value.is_undefined() {
        return Err(undefined());
    }
    let parsed = match value.kind() {
        ValueKind::String => parse_float(value.as_str().unwrap_or_default()),
        _ => Number::of(&value).map(Number::as_float),
    };
    Ok(parsed.map_or_else(|| default.unwrap_or_else(|| Value::from(0.0)), Value::from))
}

fn round(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, precision, method] = bind("round", arguments, ["value", "precision", "method"])?;
    let value = number(&value.unwrap_or_default())?;
    let precision = precision
        .and_then(|p| p.as_i64())
        .unwrap_or(0)
        .clamp(-30, 300);
    let method = method.map_or_else(|| "common".to_owned(), |m| m.to_string());
    let precision = i32::try_from(precision).unwrap_or(0);
    let scale = 10f64.powi(precision);
    match (method.as_str(), value) {
        ("common", Number::Integer(i)) if precision >= 0 => Ok(Number::Integer(i).into()),
        ("common", number) => {
            let rounded = round_half_even(number.as_float(), precision);
            Ok(match number {
                Number::Integer(_) => {
                    truncated(rounded).map_or(Value::from(rounded), |i| Number::Integer(i).into())
                }
                Number::Float(_) => Value::from(rounded),
            })
        }
        ("ceil", number) => Ok(Value::from((number.as_float() * scale).ceil() / scale)),
        ("floor", number) => Ok(Value::from((number.as_float() * scale).floor() / scale)),
        _ => Err(failed("round knows the methods common, ceil and floor")),
    }
}

/// Rounds the decimal value, ties to even, as Python's `round` does.
fn round_half_even(value: f64, precision: i32) -> f64 {
    if let Ok(digits) = usize::try_from(precision) {
        return format!("{value:.digits$}").parse().unwrap_or(value);
    }
    let scale = 10f64.powi(-precision);
    (value / scale).round_ties_even() * scale
}

fn file_size(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, binary] = bind("filesizeformat", arguments, ["value", "binary"])?;
    let value = value.unwrap_or_default();
    let bytes = match value.as_str().and_then(parse_float) {
        Some(bytes) => bytes,
        None => number(&value)?.as_float(),
    };
    let (base, units) = if is_set(binary.as_ref()) {
        (
            1024.0,
            ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"],
        )
    } else {
        (1000.0, ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"])
    };
    if bytes == 1.0 {
        return Ok(Value::from("1 Byte"));
    }
    if bytes < base {
        return Ok(Value::from(format!("{} Bytes", bytes.trunc())));
    }
    let mut unit = base;
    for (index, name) in units.iter().enumerate() {
        if bytes < unit * base || index + 1 == units.len() {
            return Ok(Value::from(format!("{:.1} {name}", bytes / unit)));
        }
        unit *= base;
    }
    Ok(Value::from(bytes))
}
