//! The standard functions and operators, and those of cel-go's extensions.

use std::rc::Rc;

use super::eval::Budget;
use super::library;
use super::value::Cel;
use crate::admission::time;
use crate::go::regexp;

type Outcome<'v> = Result<Cel<'v>, String>;

const NO_OVERLOAD: &str = "no such overload";

/// The types that an expression can name.
pub(super) fn type_named(name: &str) -> Option<&'static str> {
    const NAMES: [&str; 13] = [
        "bool",
        "bytes",
        "double",
        "int",
        "list",
        "map",
        "null_type",
        "string",
        "type",
        "uint",
        "optional_type",
        "google.protobuf.Duration",
        "google.protobuf.Timestamp",
    ];
    NAMES.iter().find(|n| **n == name).copied()
}

/// Calls a function, as a method when it has a target.
pub(super) fn call<'v>(
    function: &str,
    target: Option<&Cel<'v>>,
    arguments: &[Cel<'v>],
    budget: &mut Budget,
) -> Outcome<'v> {
    let operands: Vec<&Cel<'v>> = target.into_iter().chain(arguments).collect();
    let cost: usize = operands.iter().filter_map(|o| o.size()).sum();
    budget.spend(1 + cost / 10)?;
    let tried = operator(function, &operands)
        .or_else(|| conversion(function, &operands))
        .or_else(|| strings(function, &operands))
        .or_else(|| lists(function, &operands))
        .or_else(|| times(function, &operands))
        .or_else(|| optionals(function, &operands))
        .or_else(|| library::call(function, &operands));
    tried.unwrap_or_else(|| Err(NO_OVERLOAD.to_owned()))
}

fn int<'v>(value: usize) -> Cel<'v> {
    Cel::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

fn operator<'v>(function: &str, operands: &[&Cel<'v>]) -> Option<Outcome<'v>> {
    let bool = |value: bool| Some(Ok(Cel::Bool(value)));
    match (function, operands) {
        ("!_", [Cel::Bool(value)]) => bool(!value),
        ("_==_", [a, b]) => bool(a.equals(b)),
        ("_!=_", [a, b]) => bool(!a.equals(b)),
        ("_<_", [a, b]) => bool(a.compare(b)?.is_lt()),
        ("_<=_", [a, b]) => bool(a.compare(b)?.is_le()),
        ("_>_", [a, b]) => bool(a.compare(b)?.is_gt()),
        ("_>=_", [a, b]) => bool(a.compare(b)?.is_ge()),
        ("@in", [a, b]) => bool(contains(b, a)?),
        ("-_", [Cel::Int(a)]) => Some(a.checked_neg().map(Cel::Int).ok_or_else(overflow)),
        ("-_", [Cel::Double(a)]) => Some(Ok(Cel::Double(-a))),
        ("_+_", [a, b]) => add(a, b),
        ("_-_" | "_*_" | "_/_" | "_%_", [a, b]) => arithmetic(function, a, b),
        _ => None,
    }
}

fn overflow() -> String {
    "integer overflow".to_owned()
}

fn contains(collection: &Cel<'_>, value: &Cel<'_>) -> Option<bool> {
    match collection.type_name() {
        "list" => Some(collection.items()?.iter().any(|item| item.equals(value))),
        "map" => Some(collection.get(value).is_some()),
        _ => None,
    }
}

fn add<'v>(a: &Cel<'v>, b: &Cel<'v>) -> Option<Outcome<'v>> {
    if let (Some(a), Some(b)) = (a.as_str(), b.as_str()) {
        return Some(Ok(Cel::string(format!("{a}{b}"))));
    }
    let joined = match (a, b) {
        (Cel::Bytes(a), Cel::Bytes(b)) => Cel::Bytes(a.iter().chain(b.iter()).copied().collect()),
        (Cel::Duration(a), Cel::Duration(b)) => Cel::Duration(a + b),
        (Cel::Timestamp(a), Cel::Duration(b)) | (Cel::Duration(b), Cel::Timestamp(a)) => {
            Cel::Timestamp(a + b)
        }
        _ => match (a.items(), b.items()) {
            (Some(a), Some(b)) => return Some(Ok(joined_lists(a, b, false))),
            _ => return arithmetic("_+_", a, b),
        },
    };
    Some(Ok(joined))
}

/// Two lists one after the other; a set takes no value twice.
fn joined_lists<'v>(mut a: Vec<Cel<'v>>, b: Vec<Cel<'v>>, is_set: bool) -> Cel<'v> {
    for item in b {
        if !is_set || !a.iter().any(|x| x.equals(&item)) {
            a.push(item);
        }
    }
    Cel::list(a)
}

fn arithmetic<'v>(function: &str, a: &Cel<'v>, b: &Cel<'v>) -> Option<Outcome<'v>> {
    let result = match (a, b) {
        (Cel::Int(a), Cel::Int(b)) => {
            if *b == 0 && matches!(function, "_/_" | "_%_") {
                return Some(Err("divide by zero".to_owned()));
            }
            let result = match function {
                "_+_" => a.checked_add(*b),
                "_-_" => a.checked_sub(*b),
                "_*_" => a.checked_mul(*b),
                "_/_" => a.checked_div(*b),
                _ => a.checked_rem(*b),
            };
            result.map(Cel::Int)
        }
        (Cel::Uint(a), Cel::Uint(b)) => {
            if *b == 0 && matches!(function, "_/_" | "_%_") {
                return Some(Err("divide by zero".to_owned()));
            }
            let result = match function {
                "_+_" => a.checked_add(*b),
                "_-_" => a.checked_sub(*b),
                "_*_" => a.checked_mul(*b),
                "_/_" => a.checked_div(*b),
                _ => a.checked_rem(*b),
            };
            result.map(Cel::Uint)
        }
        (Cel::Double(a), Cel::Double(b)) => Some(Cel::Double(match function {
            "_+_" => a + b,
            "_-_" => a - b,
            "_*_" => a * b,
            "_/_" => a / b,
            _ => return None,
        })),
        (Cel::Duration(a), Cel::Duration(b)) if function == "_-_" => Some(Cel::Duration(a - b)),
        (Cel::Timestamp(a), Cel::Timestamp(b)) if function == "_-_" => Some(Cel::Duration(a - b)),
        (Cel::Timestamp(a), Cel::Duration(b)) if function == "_-_" => Some(Cel::Timestamp(a - b)),
        _ => return None,
    };
    Some(result.ok_or_else(overflow))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the ranges are checked, and numbers convert as in Go"
)]
fn conversion<'v>(function: &str, operands: &[&Cel<'v>]) -> Option<Outcome<'v>> {
    let [value] = operands else { return None };
    let or = |converted: Option<Cel<'v>>, what: &str| {
        Some(converted.ok_or_else(|| format!("{what} conversion error")))
    };
    match (function, value) {
        ("dyn", value) => Some(Ok((*value).clone())),
        ("type", value) => Some(Ok(Cel::Type(value.type_name()))),
        ("size", value) => value.size().map(|size| Ok(int(size))),
        ("int", Cel::Int(_))
        | ("uint", Cel::Uint(_))
        | ("double", Cel::Double(_))
        | ("bool", Cel::Bool(_)) => Some(Ok((*value).clone())),
        ("int", Cel::Uint(n)) => or(i64::try_from(*n).ok().map(Cel::Int), "int"),
        ("int", Cel::Double(d)) => {
            let fits = d.is_finite() && d.abs() < 9.2e18;
            or(fits.then_some(Cel::Int(*d as i64)), "int")
        }
        ("int", Cel::Timestamp(t)) => or(
            i64::try_from(t.div_euclid(1_000_000_000))
                .ok()
                .map(Cel::Int),
            "int",
        ),
        ("int", text) => or(text.as_str()?.parse().ok().map(Cel::Int), "int"),
        ("uint", Cel::Int(n)) => or(u64::try_from(*n).ok().map(Cel::Uint), "uint"),
        ("uint", Cel::Double(d)) => {
            let fits = (0.0..1.8e19).contains(d);
            or(fits.then_some(Cel::Uint(*d as u64)), "uint")
        }
        ("uint", text) => or(text.as_str()?.parse().ok().map(Cel::Uint), "uint"),
        ("double", Cel::Int(n)) => Some(Ok(Cel::Double(*n as f64))),
        ("double", Cel::Uint(n)) => Some(Ok(Cel::Double(*n as f64))),
        ("double", text) => or(text.as_str()?.parse().ok().map(Cel::Double), "double"),
        ("bool", text) => match text.as_str()? {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(Ok(Cel::Bool(true))),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(Ok(Cel::Bool(false))),
            _ => or(None, "bool"),
        },
        ("string", value) => or(to_string(value).map(Cel::string), "string"),
        ("bytes", Cel::Bytes(_)) => Some(Ok((*value).clone())),
        ("bytes", text) => Some(Ok(Cel::Bytes(text.as_str()?.as_bytes().into()))),
        ("duration", Cel::Duration(_)) | ("timestamp", Cel::Timestamp(_)) => {
            Some(Ok((*value).clone()))
        }
        ("duration", text) => or(
            time::duration(text.as_str()?).map(Cel::Duration),
            "duration",
        ),
        ("timestamp", Cel::Int(n)) => Some(Ok(Cel::Timestamp(i128::from(*n) * 1_000_000_000))),
        ("timestamp", text) => or(
            time::timestamp(text.as_str()?).map(Cel::Timestamp),
            "timestamp",
        ),
        _ => None,
    }
}

fn to_string(value: &Cel<'_>) -> Option<String> {
    Some(match value {
        Cel::Bool(b) => b.to_string(),
        Cel::Int(n) => n.to_string(),
        Cel::Uint(n) => n.to_string(),
        Cel::Double(d) => {
            let mut out = Vec::new();
            crate::go::float::write_general(&mut out, *d);
            String::from_utf8(out).ok()?
        }
        Cel::Bytes(bytes) => String::from_utf8(bytes.to_vec()).ok()?,
        Cel::Duration(nanos) => time::write_seconds(*nanos),
        Cel::Timestamp(nanos) => time::write_timestamp(*nanos)?,
        Cel::Ip(ip) => ip.to_string(),
        Cel::Cidr(cidr) => cidr.to_string(),
        other => other.as_str()?.to_owned(),
    })
}

fn matches(text: &str, pattern: &str) -> Result<bool, String> {
    match regexp::compile(pattern) {
        Ok(regex) => Ok(regex.is_match(text)),
        Err(_) => Err("error parsing regexp".to_owned()),
    }
}

fn index_of(text: &str, part: &str, from: usize) -> Option<i64> {
    let start = text
        .char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .nth(from)?;
    let found = text[start..]
        .find(part)
        .map(|at| text[..start + at].chars().count());
    Some(found.map_or(-1, |at| i64::try_from(at).unwrap_or(i64::MAX)))
}

fn last_index_of(text: &str, part: &str) -> i64 {
    let found = text.rfind(part).map(|at| text[..at].chars().count());
    found.map_or(-1, |at| i64::try_from(at).unwrap_or(i64::MAX))
}

fn substring(text: &str, from: i64, to: i64) -> Result<String, String> {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    if from < 0 || to < from || to > length {
        return Err("index out of range".to_owned());
    }
    let (from, count) = (
        usize::try_from(from).unwrap_or(0),
        usize::try_from(to - from).unwrap_or(0),
    );
    Ok(text.chars().skip(from).take(count).collect())
}

fn strings<'v>(function: &str, operands: &[&Cel<'v>]) -> Option<Outcome<'v>> {
    let text = operands.first()?.as_str()?;
    let argument = |at: usize| operands.get(at).and_then(|o| o.as_str());
    let number = |at: usize| match operands.get(at) {
        Some(Cel::Int(n)) => Some(*n),
        _ => None,
    };
    let string = |text: String| Some(Ok(Cel::string(text)));
    match (function, operands.len()) {
        ("contains", 2) => Some(Ok(Cel::Bool(text.contains(argument(1)?)))),
        ("startsWith", 2) => Some(Ok(Cel::Bool(text.starts_with(argument(1)?)))),
        ("endsWith", 2) => Some(Ok(Cel::Bool(text.ends_with(argument(1)?)))),
        ("matches", 2) => Some(matches(text, argument(1)?).map(Cel::Bool)),
        ("charAt", 2) => {
            Some(substring(text, number(1)?, number(1)?.checked_add(1)?).map(Cel::string))
        }
        ("indexOf", 2) => index_of(text, argument(1)?, 0).map(|at| Ok(Cel::Int(at))),
        ("indexOf", 3) => {
            let from = usize::try_from(number(2)?).ok()?;
            index_of(text, argument(1)?, from).map(|at| Ok(Cel::Int(at)))
        }
        ("lastIndexOf", 2) => Some(Ok(Cel::Int(last_index_of(text, argument(1)?)))),
        ("lowerAscii", 1) => string(text.to_ascii_lowercase()),
        ("upperAscii", 1) => string(text.to_ascii_uppercase()),
        ("trim", 1) => string(text.trim().to_owned()),
        ("reverse", 1) => string(text.chars().rev().collect()),
        ("replace", 3) => string(text.replace(argument(1)?, argument(2)?)),
        ("replace", 4) => string(match usize::try_from(number(3)?) {
            Ok(count) => text.replacen(argument(1)?, argument(2)?, count),
            Err(_) => text.replace(argument(1)?, argument(2)?),
        }),
        ("split", 2) => Some(Ok(split(text, argument(1)?, -1))),
        ("split", 3) => Some(Ok(split(text, argument(1)?, number(2)?))),
        ("substring", 2) => {
            let length = i64::try_from(text.chars().count()).ok()?;
            Some(substring(text, number(1)?, length).map(Cel::string))
        }
        ("substring", 3) => Some(substring(text, number(1)?, number(2)?).map(Cel::string)),
        _ => None,
    }
}

fn split<'v>(text: &str, by: &str, limit: i64) -> Cel<'v> {
    let part = |part: &str| Cel::string(part);
    let parts = match (by.is_empty(), usize::try_from(limit)) {
        (_, Ok(0)) => Vec::new(),
        (true, _) => text.chars().map(|c| Cel::string(c.to_string())).collect(),
        (false, Ok(limit)) => text.splitn(limit, by).map(part).collect(),
        (false, Err(_)) => text.split(by).map(part).collect(),
    };
    Cel::list(parts)
}

fn lists<'v>(function: &str, operands: &[&Cel<'v>]) -> Option<Outcome<'v>> {
    let items = operands.first()?.items()?;
    let other = || operands.get(1).and_then(|o| o.items());
    let bool = |value: bool| Some(Ok(Cel::Bool(value)));
    let has = |items: &[Cel<'v>], value: &Cel<'v>| items.iter().any(|i| i.equals(value));
    match (function, operands.len()) {
        ("isSorted", 1) => bool(
            items
                .windows(2)
                .all(|w| w[0].compare(&w[1]).is_some_and(std::cmp::Ordering::is_le)),
        ),
        ("sum", 1) => Some(sum(&items)),
        ("min" | "max", 1) => Some(extreme(&items, function == "max")),
        ("indexOf", 2) => Some(Ok(place(items.iter().position(|i| i.equals(operands[1]))))),
        ("lastIndexOf", 2) => Some(Ok(place(items.iter().rposition(|i| i.equals(operands[1]))))),
        ("join", 1 | 2) => {
            let by = operands.get(1).map_or(Some(""), |o| o.as_str())?;
            let words: Option<Vec<&str>> = items.iter().map(Cel::as_str).collect();
            Some(
                words
                    .map(|w| Cel::string(w.join(by)))
                    .ok_or_else(|| NO_OVERLOAD.to_owned()),
            )
        }
        ("slice", 3) => match (operands[1], operands[2]) {
            (Cel::Int(from), Cel::Int(to)) => {
                let range = usize::try_from(*from).ok()?..usize::try_from(*to).ok()?;
                let part = items.get(range).map(|part| Cel::list(part.to_vec()));
                Some(part.ok_or_else(|| "index out of range".to_owned()))
            }
            _ => None,
        },
        ("distinct", 1) => Some(Ok(joined_lists(Vec::new(), items, true))),
        ("flatten", 1) => Some(Ok(Cel::list(
            items
                .iter()
                .flat_map(|i| i.items().unwrap_or_else(|| vec![i.clone()]))
                .collect(),
        ))),
        ("sort", 1) => {
            let mut items = items;
            items.sort_by(|a, b| a.compare(b).unwrap_or(std::cmp::Ordering::Equal));
            Some(Ok(Cel::list(items)))
        }
        ("reverse", 1) => Some(Ok(Cel::list(items.into_iter().rev().collect()))),
        ("sets.contains", 2) => bool(other()?.iter().all(|i| has(&items, i))),
        ("sets.intersects", 2) => bool(other()?.iter().any(|i| has(&items, i))),
        ("sets.equivalent", 2) => {
            let other = other()?;
            bool(other.iter().all(|i| has(&items, i)) && items.iter().all(|i| has(&other, i)))
        }
        _ => None,
    }
}

fn place<'v>(position: Option<usize>) -> Cel<'v> {
    position.map_or(Cel::Int(-1), int)
}

fn sum<'v>(items: &[Cel<'v>]) -> Outcome<'v> {
    let Some((first, rest)) = items.split_first() else {
        return Ok(Cel::Int(0));
    };
    rest.iter().try_fold(first.clone(), |total, item| {
        add(&total, item).unwrap_or_else(|| Err(NO_OVERLOAD.to_owned()))
    })
}

fn extreme<'v>(items: &[Cel<'v>], is_max: bool) -> Outcome<'v> {
    let by = |a: &&Cel<'v>, b: &&Cel<'v>| a.compare(b).unwrap_or(std::cmp::Ordering::Equal);
    let found = match is_max {
        true => items.iter().max_by(by),
        false => items.iter().min_by(by),
    };
    found
        .cloned()
        .ok_or_else(|| "min or max of an empty list".to_owned())
}

fn times<'v>(function: &str, operands: &[&Cel<'v>]) -> Option<Outcome<'v>> {
    match operands {
        [Cel::Duration(nanos)] => {
            let unit = match function {
                "getHours" => 3_600_000_000_000,
                "getMinutes" => 60_000_000_000,
                "getSeconds" => 1_000_000_000,
                "getMilliseconds" => 1_000_000,
                _ => return None,
            };
            i64::try_from(nanos / unit).ok().map(|n| Ok(Cel::Int(n)))
        }
        [Cel::Timestamp(nanos)] => time::part(*nanos, function).map(|n| Ok(Cel::Int(n))),
        _ => None,
    }
}

fn optionals<'v>(function: &str, operands: &[&Cel<'v>]) -> Option<Outcome<'v>> {
    let some = |value: &Cel<'v>| Cel::Optional(Some(Rc::new(value.clone())));
    let result = match (function, operands) {
        ("optional.of", [value]) => some(value),
        ("optional.none", []) => Cel::Optional(None),
        ("optional.ofNonZeroValue", [value]) => match is_zero(value) {
            true => Cel::Optional(None),
            false => some(value),
        },
        ("hasValue", [Cel::Optional(inner)]) => Cel::Bool(inner.is_some()),
        ("value", [Cel::Optional(inner)]) => {
            let value = inner.as_ref().map(|v| (**v).clone());
            return Some(value.ok_or_else(|| "optional.none() dereference".to_owned()));
        }
        _ => return None,
    };
    Some(Ok(result))
}

fn is_zero(value: &Cel<'_>) -> bool {
    match value {
        Cel::Null | Cel::Bool(false) | Cel::Int(0) | Cel::Uint(0) => true,
        Cel::Double(d) => *d == 0.0,
        Cel::Duration(n) => *n == 0,
        other => other.size() == Some(0),
    }
}
