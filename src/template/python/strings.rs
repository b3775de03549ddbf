//! Methods of strings.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, State, Value};

use super::arguments::bind;
use super::format::format;
use super::iterate::items;
use super::text::str_of;
use super::{List, failed, tuple};

/// The widest text that padding may make.
const MAX_WIDTH: usize = 1_000_000;

/// Calls a method of strings.
pub(super) fn method(
    state: &mut State<'_, '_>,
    value: &Value,
    name: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    let text = value.as_str().unwrap_or_default();
    if let Some(result) = without_arguments(text, name) {
        let [] = bind(name, arguments, [])?;
        return Ok(result);
    }
    if let Some(answer) = answers(text, name) {
        let [] = bind(name, arguments, [])?;
        return Ok(Value::from(answer));
    }
    match name {
        "strip" | "lstrip" | "rstrip" => strip(text, name, arguments),
        "split" | "rsplit" => split(text, name, arguments),
        "splitlines" => {
            let [keep] = bind(name, arguments, ["keepends"])?;
            let keep = keep.is_some_and(|k| k.is_true());
            Ok(list(lines(text, keep)))
        }
        "partition" | "rpartition" => partition(text, name, arguments),
        "replace" => {
            let [old, new, count] = bind(name, arguments, ["old", "new", "count"])?;
            replace(state, text, &string(old)?, &string(new)?, count.as_ref()).map(Value::from)
        }
        "find" | "rfind" | "index" | "rindex" => find(text, name, arguments),
        "count" => {
            let [part, start, end] = bind(name, arguments, ["sub", "start", "end"])?;
            let (_, text) = window(text, start.as_ref(), end.as_ref());
            let part = string(part)?;
            let count = if part.is_empty() {
                text.chars().count() + 1
            } else {
                text.matches(&part).count()
            };
            Ok(Value::from(count))
        }
        "startswith" | "endswith" => affix(state, text, name, arguments),
        "removeprefix" | "removesuffix" => {
            let [affix] = bind(name, arguments, ["affix"])?;
            let affix = string(affix)?;
            let rest = if name == "removeprefix" {
                text.strip_prefix(affix.as_str())
            } else {
                text.strip_suffix(affix.as_str())
            };
            Ok(Value::from(rest.unwrap_or(text)))
        }
        "center" | "ljust" | "rjust" | "zfill" => {
            let padded = pad(text, name, arguments)?;
            state.consume_fuel(padded.as_str().map_or(0, |p| p.len() as u64 / 64))?;
            Ok(padded)
        }
        "expandtabs" => {
            let [size] = bind(name, arguments, ["tabsize"])?;
            let size = size.map_or(Ok(8), usize::try_from)?;
            Ok(Value::from(expand_tabs(text, size.min(MAX_WIDTH))))
        }
        "join" => {
            let [parts] = bind(name, arguments, ["iterable"])?;
            join(state, text, &parts.unwrap_or_default())
        }
        "format" => format(state, text, arguments),
        "format_map" => {
            let [map] = bind(name, arguments, ["mapping"])?;
            let pairs = super::iterate::pairs(&map.unwrap_or_default())?;
            let named = super::arguments::named(pairs.into_iter().map(|(k, v)| (k.to_string(), v)));
            format(state, text, &[named])
        }
        "encode" => {
            let [_encoding, _errors] = bind(name, arguments, ["encoding", "errors"])?;
            Ok(Value::from_bytes(text.as_bytes().to_vec()))
        }
        "translate" | "maketrans" => Err(failed(format!("the method {name} is not supported"))),
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn without_arguments(text: &str, name: &str) -> Option<Value> {
    Some(Value::from(match name {
        "upper" => text.to_uppercase(),
        "lower" => text.to_lowercase(),
        "casefold" => text.to_lowercase().replace('ß', "ss"),
        "capitalize" => capitalize(text),
        "title" => title(text),
        "swapcase" => text
            .chars()
            .flat_map(|c| -> Box<dyn Iterator<Item = char>> {
                if c.is_uppercase() {
                    Box::new(c.to_lowercase())
                } else {
                    Box::new(c.to_uppercase())
                }
            })
            .collect(),
        _ => return None,
    }))
}

fn answers(text: &str, name: &str) -> Option<bool> {
    let all = |test: fn(char) -> bool| !text.is_empty() && text.chars().all(test);
    let cased = |upper: bool| {
        let has = |test: fn(char) -> bool| text.chars().any(test);
        if upper {
            has(char::is_uppercase) && !has(char::is_lowercase)
        } else {
            has(char::is_lowercase) && !has(char::is_uppercase)
        }
    };
    Some(match name {
        "isdigit" | "isdecimal" => all(|c| c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric())),
        "isnumeric" => all(char::is_numeric),
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isspace" => all(char::is_whitespace),
        "isascii" => text.is_ascii(),
        "isupper" => cased(true),
        "islower" => cased(false),
        "istitle" => text == title(text) && text.chars().any(char::is_alphabetic),
        "isidentifier" => {
            let mut characters = text.chars();
            let starts = characters
                .next()
                .is_some_and(|c| c == '_' || c.is_alphabetic());
            starts && characters.all(|c| c == '_' || c.is_alphanumeric())
        }
        "isprintable" => !text.chars().any(char::is_control),
        _ => return None,
    })
}

fn string(value: Option<Value>) -> Result<String, Error> {
    let value = value.ok_or_else(|| Error::from(ErrorKind::MissingArgument))?;
    match value.as_str().filter(|_| value.kind() == ValueKind::String) {
        Some(text) => Ok(text.to_owned()),
        None => Err(failed(format!(
            "{} stands where a string is expected",
            super::type_name(&value)
        ))),
    }
}

/// An argument that is none, or missing, or a string.
fn optional_string(value: Option<Value>) -> Result<Option<String>, Error> {
    value
        .filter(|v| !v.is_none())
        .map(|v| string(Some(v)))
        .transpose()
}

fn list<'a>(parts: impl IntoIterator<Item = &'a str>) -> Value {
    List::value(parts.into_iter().map(Value::from).collect())
}

/// The first letter large, the others small.
pub(in crate::template) fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    first + &characters.as_str().to_lowercase()
}

/// Each run of letters starts with a large one: what `str.title` does.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for character in text.chars() {
        if inside {
            out.extend(character.to_lowercase());
        } else {
            out.extend(character.to_uppercase());
        }
        inside = character.is_alphabetic();
    }
    out
}

fn strip(text: &str, name: &str, arguments: &[Value]) -> Result<Value, Error> {
    let [characters] = bind(name, arguments, ["chars"])?;
    let characters = optional_string(characters)?;
    let drop = |c: char| match &characters {
        Some(set) => set.contains(c),
        None => c.is_whitespace(),
    };
    Ok(Value::from(match name {
        "lstrip" => text.trim_start_matches(drop),
        "rstrip" => text.trim_end_matches(drop),
        _ => text.trim_matches(drop),
    }))
}

fn split(text: &str, name: &str, arguments: &[Value]) -> Result<Value, Error> {
    let [separator, limit] = bind(name, arguments, ["sep", "maxsplit"])?;
    let limit = limit
        .and_then(|l| usize::try_from(l).ok())
        .map_or(usize::MAX, |l| l.saturating_add(1));
    let right = name == "rsplit";
    let Some(separator) = optional_string(separator)? else {
        return Ok(list(words(text, limit, right)));
    };
    if separator.is_empty() {
        return Err(failed("the separator is empty"));
    }
    if right {
        let mut parts: Vec<&str> = text.rsplitn(limit, separator.as_str()).collect();
        parts.reverse();
        return Ok(list(parts));
    }
    Ok(list(text.splitn(limit, separator.as_str())))
}

/// Splits at runs of blanks into at most `limit` parts.
fn words(text: &str, limit: usize, right: bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if parts.len() + 1 >= limit {
            // The last part keeps the blanks of the far end, as Python's does.
            let whole = if right {
                text.trim_end()
            } else {
                text.trim_start()
            };
            let keep = if right {
                &text[..whole
                    .len()
                    .min(rest.len() + (text.len() - text.trim_start().len()))]
            } else {
                &text[text.len() - (rest.len() + (text.len() - text.trim_end().len()))..]
            };
            parts.push(keep);
            break;
        }
        let cut = if right {
            rest.rfind(char::is_whitespace)
        } else {
            rest.find(char::is_whitespace)
        };
        match (cut, right) {
            (Some(at), false) => {
                parts.push(&rest[..at]);
                rest = rest[at..].trim_start();
            }
            (Some(at), true) => {
                let width = rest[at..].chars().next().map_or(1, char::len_utf8);
                parts.push(&rest[at + width..]);
                rest = rest[..at].trim_end();
            }
            (None, _) => {
                parts.push(rest);
                break;
            }
        }
    }
    if right {
        parts.reverse();
    }
    parts
}

/// The lines of a text, cut where Python cuts.
pub(in crate::template) fn lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let is_end = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(at) = rest.find(is_end) else {
            found.push(rest);
            break;
        };
        let width = if rest[at..].starts_with("\r\n") {
            2
        } else {
            rest[at..].chars().next().map_or(1, char::len_utf8)
        };
        found.push(&rest[..if keep_ends { at + width } else { at }]);
        rest = &rest[at + width..];
    }
    found
}

fn partition(text: &str, name: &str, arguments: &[Value]) -> Result<Value, Error> {
    let [separator] = bind(name, arguments, ["sep"])?;
    let separator = string(separator)?;
    let right = name == "rpartition";
    let found = if right {
        text.rsplit_once(&separator)
    } else {
        text.split_once(&separator)
    };
    let parts = match found {
        Some((head, tail)) => [head, &separator, tail],
        None if right => ["", "", text],
        None => [text, "", ""],
    };
    Ok(tuple(parts.map(Value::from).to_vec()))
}

/// Replaces, charging what a longer text costs before it is made.
pub(in crate::template) fn replace(
    state: &mut State<'_, '_>,
    text: &str,
    old: &str,
    new: &str,
    count: Option<&Value>,
) -> Result<String, Error> {
    let limit = count
        .filter(|c| !c.is_none())
        .and_then(Value::as_i64)
        .and_then(|c| usize::try_from(c).ok())
        .unwrap_or(usize::MAX);
    if new.len() > old.len() {
        let hits = (text.len() / old.len().max(1) + 1).min(limit);
        state.consume_fuel((hits.saturating_mul(new.len()) / 64) as u64)?;
    }
    Ok(text.replacen(old, new, limit))
}

/// The part of a text between two character positions, and where it starts.
fn window<'a>(text: &'a str, start: Option<&Value>, end: Option<&Value>) -> (usize, &'a str) {
    let count = text.chars().count();
    let place = |value: Option<&Value>, default: usize| match value.and_then(Value::as_i64) {
        Some(i) if i < 0 => {
            count.saturating_sub(usize::try_from(i.unsigned_abs()).unwrap_or(usize::MAX))
        }
        Some(i) => usize::try_from(i).unwrap_or(usize::MAX).min(count),
        None => default,
    };
    let (start, end) = (place(start, 0), place(end, count));
    let byte = |position: usize| {
        text.char_indices()
            .nth(position)
            .map_or(text.len(), |(b, _)| b)
    };
    (start, &text[byte(start)..byte(end.max(start))])
}

fn find(text: &str, name: &str, arguments: &[Value]) -> Result<Value, Error> {
    let [part, start, end] = bind(name, arguments, ["sub", "start", "end"])?;
    let (offset, text) = window(text, start.as_ref(), end.as_ref());
    let part = string(part)?;
    let found = if name.starts_with('r') {
        text.rfind(&part)
    } else {
        text.find(&part)
    };
    match found {
        Some(at) => Ok(Value::from(offset + text[..at].chars().count())),
        None if name.ends_with("find") => Ok(Value::from(-1)),
        None => Err(failed(format!("{name} finds nothing"))),
    }
}

fn affix(
    state: &mut State<'_, '_>,
    text: &str,
    name: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    let [affix, start, end] = bind(name, arguments, ["prefix", "start", "end"])?;
    let (_, text) = window(text, start.as_ref(), end.as_ref());
    let affix = affix.unwrap_or_default();
    let choices = if super::is_tuple(&affix) {
        items(state, &affix)?
    } else {
        vec![affix]
    };
    let mut found = false;
    for choice in choices {
        let choice = string(Some(choice))?;
        found |= if name == "startswith" {
            text.starts_with(&choice)
        } else {
            text.ends_with(&choice)
        };
    }
    Ok(Value::from(found))
}

fn pad(text: &str, name: &str, arguments: &[Value]) -> Result<Value, Error> {
    let [width, fill] = bind(name, arguments, ["width", "fillchar"])?;
    let width = width
        .and_then(|w| w.as_i64())
        .ok_or_else(|| Error::from(ErrorKind::MissingArgument))?;
    let fill = optional_string(fill)?
        .unwrap_or_else(|| if name == "zfill" { "0" } else { " " }.to_owned());
    let width = usize::try_from(width.max(0)).unwrap_or(usize::MAX);
    if width > MAX_WIDTH {
        return Err(failed("the width is too large"));
    }
    let missing = width.saturating_sub(text.chars().count());
    let padded = match name {
        "ljust" => format!("{text}{}", fill.repeat(missing)),
        "rjust" => format!("{}{text}", fill.repeat(missing)),
        "zfill" => {
            let (sign, digits) = match text.strip_prefix(['-', '+']) {
                Some(digits) => text.split_at(text.len() - digits.len()),
                None => ("", text),
            };
            format!("{sign}{}{digits}", fill.repeat(missing))
        }
        _ => centered(text, width, &fill),
    };
    Ok(Value::from(padded))
}

/// Text in the middle of a width, the odd blank where Python puts it.
pub(in crate::template) fn centered(text: &str, width: usize, fill: &str) -> String {
    let missing = width.saturating_sub(text.chars().count());
    let left = missing / 2 + (missing & width & 1);
    format!("{}{text}{}", fill.repeat(left), fill.repeat(missing - left))
}

fn expand_tabs(text: &str, size: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut column = 0;
    for character in text.chars() {
        match character {
            '\t' => {
                let blanks = if size == 0 { 0 } else { size - column % size };
                out.push_str(&" ".repeat(blanks));
                column += blanks;
            }
            '\n' | '\r' => {
                out.push(character);
                column = 0;
            }
            c => {
                out.push(c);
                column += 1;
            }
        }
    }
    out
}

fn join(state: &mut State<'_, '_>, separator: &str, parts: &Value) -> Result<Value, Error> {
    let parts = items(state, parts)?;
    state.consume_fuel((separator.len().saturating_mul(parts.len()) / 64) as u64)?;
    if parts.iter().any(|p| p.kind() != ValueKind::String) {
        return Err(failed("join wants strings"));
    }
    let texts: Vec<String> = parts.iter().map(str_of).collect();
    Ok(Value::from(texts.join(separator)))
}
