//! Filters of text.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::{is_set, soft_text};
use crate::template::python::arguments::{bind, split};
use crate::template::python::iterate::assert_set;
use crate::template::python::printf::printf;
use crate::template::python::strings::{capitalize, centered, lines, replace};
use crate::template::python::text::{repr_of, str_of};
use crate::template::python::{Dict, Native, failed, tuple, undefined};

pub(super) const TABLE: &[(&str, Native)] = &[
    ("capitalize", |s, a| plain(s, "capitalize", a, capitalize)),
    ("lower", |s, a| plain(s, "lower", a, str::to_lowercase)),
    ("upper", |s, a| plain(s, "upper", a, str::to_uppercase)),
    ("string", |s, a| plain(s, "string", a, str::to_owned)),
    ("title", |s, a| plain(s, "title", a, title)),
    ("pprint", pprint),
    ("wordcount", wordcount),
    ("center", center),
    ("indent", indent),
    ("replace", replace_filter),
    ("trim", trim),
    ("truncate", truncate),
    ("wordwrap", wordwrap),
    ("format", format_filter),
];

fn plain(
    state: &mut State<'_, '_>,
    name: &str,
    arguments: &[Value],
    change: impl Fn(&str) -> String,
) -> Result<Value, Error> {
    let [value] = bind(name, arguments, ["value"])?;
    Ok(Value::from(change(&soft_text(state, value.as_ref())?)))
}

/// Words start large; unlike `str.title` an apostrophe starts none.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut starts = true;
    for character in text.chars() {
        if starts {
            out.extend(character.to_uppercase());
        } else {
            out.extend(character.to_lowercase());
        }
        starts = character.is_whitespace() || matches!(character, '-' | '(' | '{' | '[' | '<');
    }
    out
}

fn pprint(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value] = bind("pprint", arguments, ["value"])?;
    Ok(Value::from(repr_of(&sorted(&value.unwrap_or_default()))))
}

/// Python's pprint sorts the keys of dicts.
fn sorted(value: &Value) -> Value {
    let Some(dict) = value.downcast_object_ref::<Dict>() else {
        return value.clone();
    };
    let mut entries: Vec<(Value, Value)> = dict
        .entries()
        .into_iter()
        .map(|(k, v)| (k, sorted(&v)))
        .collect();
    entries.sort_by_key(|(key, _)| str_of(key));
    Dict::value(entries.into_iter().collect())
}

fn wordcount(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value] = bind("wordcount", arguments, ["s"])?;
    let text = soft_text(state, value.as_ref())?;
    let words = text.split(|c: char| c != '_' && !c.is_alphanumeric());
    Ok(Value::from(words.filter(|w| !w.is_empty()).count()))
}

fn size(value: Option<&Value>, default: usize) -> Result<usize, Error> {
    /// Wider than any line of a manifest.
    const MAX: usize = 1_000_000;
    match value.filter(|v| !v.is_none()) {
        None => Ok(default),
        Some(value) => match value.as_i64() {
            Some(size) => Ok(usize::try_from(size.max(0)).unwrap_or(MAX).min(MAX)),
            None => Err(failed("the width is no integer")),
        },
    }
}

fn center(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, width] = bind("center", arguments, ["value", "width"])?;
    let text = soft_text(state, value.as_ref())?;
    let width = size(width.as_ref(), 80)?;
    state.consume_fuel((width / 64) as u64)?;
    Ok(Value::from(centered(&text, width, " ")))
}

/// A value that must be text already.
fn text(state: &mut State<'_, '_>, value: Option<&Value>) -> Result<String, Error> {
    match value {
        Some(value) if value.kind() == ValueKind::String => soft_text(state, Some(value)),
        Some(value) if value.is_undefined() => Err(undefined()),
        _ => Err(failed("the filter wants a string")),
    }
}

fn indent(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, width, first, blank] = bind("indent", arguments, ["s", "width", "first", "blank"])?;
    let indention = match &width {
        Some(width) if width.kind() == ValueKind::String => str_of(width),
        width => " ".repeat(size(width.as_ref(), 4)?),
    };
    // The added newline is Jinja2's own: it keeps the last one.
    let text = text(state, value.as_ref())? + "\n";
    let blank = is_set(blank.as_ref());
    let lines = lines(&text, false);
    state.consume_fuel((lines.len().saturating_mul(indention.len()) / 64) as u64)?;
    let mut out = String::with_capacity(text.len() + lines.len() * indention.len());
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let wanted = if index == 0 {
            is_set(first.as_ref())
        } else {
            blank || !line.is_empty()
        };
        if wanted {
            out.push_str(&indention);
        }
        out.push_str(line);
    }
    Ok(Value::from(out))
}

fn replace_filter(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, old, new, count] = bind("replace", arguments, ["s", "old", "new", "count"])?;
    if old.is_none() || new.is_none() {
        return Err(failed("replace wants what is replaced, and by what"));
    }
    let text = soft_text(state, value.as_ref())?;
    let old = soft_text(state, old.as_ref())?;
    let new = soft_text(state, new.as_ref())?;
    replace(state, &text, &old, &new, count.as_ref()).map(Value::from)
}

fn trim(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, characters] = bind("trim", arguments, ["value", "chars"])?;
    let text = soft_text(state, value.as_ref())?;
    Ok(Value::from(match characters.filter(|c| !c.is_none()) {
        Some(set) => {
            let set = str_of(&set);
            text.trim_matches(|c| set.contains(c)).to_owned()
        }
        None => text.trim().to_owned(),
    }))
}

fn truncate(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let names = ["s", "length", "killwords", "end", "leeway"];
    let [value, length, kill, end, leeway] = bind("truncate", arguments, names)?;
    let value = value.unwrap_or_default();
    assert_set(state, &value)?;
    let length = size(length.as_ref(), 255)?;
    let end = end.map_or_else(|| "...".to_owned(), |e| str_of(&e));
    let leeway = size(leeway.as_ref(), 5)?;
    let count = if value.is_undefined() {
        Some(0)
    } else {
        value.len()
    };
    let count = count.ok_or_else(|| failed("truncate wants a string"))?;
    let room = length
        .checked_sub(end.chars().count())
        .ok_or_else(|| failed("truncate has no room for its end"))?;
    if count <= length + leeway {
        return Ok(value);
    }
    let text = text(state, Some(&value))?;
    let mut cut: String = text.chars().take(room).collect();
    if !is_set(kill.as_ref())
        && let Some(blank) = cut.rfind(' ')
    {
        cut.truncate(blank);
    }
    Ok(Value::from(cut + &end))
}

fn wordwrap(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let names = [
        "s",
        "width",
        "break_long_words",
        "wrapstring",
        "break_on_hyphens",
    ];
    let [value, width, long, wrap, hyphens] = bind("wordwrap", arguments, names)?;
    if value.as_ref().is_some_and(Value::is_undefined) {
        return Err(undefined());
    }
    let text = text(state, value.as_ref())?;
    let width = size(width.as_ref(), 79)?.max(1);
    let long = long.is_none_or(|l| l.is_true());
    let hyphens = hyphens.is_none_or(|h| h.is_true());
    let wrap = wrap
        .filter(|w| !w.is_none())
        .map_or_else(|| "\n".to_owned(), |w| str_of(&w));
    let mut rows = Vec::new();
    for line in lines(&text, false) {
        let wrapped = wrap_line(line, width, long, hyphens);
        // A line of nothing is a row, too.
        rows.extend(if wrapped.is_empty() {
            vec![String::new()]
        } else {
            wrapped
        });
    }
    state.consume_fuel((rows.len().saturating_mul(wrap.len()) / 64) as u64)?;
    Ok(Value::from(rows.join(&wrap)))
}

/// Breaks a line as Python's textwrap does: at blanks, which are dropped there, and after hyphens.
fn wrap_line(line: &str, width: usize, break_long: bool, break_hyphens: bool) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = String::new();
    let mut used = 0;
    let mut chunks: std::collections::VecDeque<String> = chunks(line, break_hyphens).into();
    while let Some(mut chunk) = chunks.pop_front() {
        let length = chunk.chars().count();
        if used + length <= width {
            if !(row.is_empty() && chunk.trim().is_empty() && !rows.is_empty()) {
                row.push_str(&chunk);
                used += length;
            }
            continue;
        }
        if length > width && break_long && used < width && !chunk.trim().is_empty() {
            let rest: String = chunk.chars().skip(width - used).collect();
            chunk = chunk.chars().take(width - used).collect();
            row.push_str(&chunk);
            chunks.push_front(rest);
        } else if row.is_empty() {
            row.push_str(&chunk);
        } else {
            chunks.push_front(chunk);
        }
        push_row(&mut rows, &mut row);
        used = 0;
    }
    push_row(&mut rows, &mut row);
    rows
}

fn push_row(rows: &mut Vec<String>, row: &mut String) {
    let text = row.trim_end().to_owned();
    row.clear();
    if !text.is_empty() {
        rows.push(text);
    }
}

/// Words and blanks in turn; words end after a hyphen between letters.
fn chunks(line: &str, break_hyphens: bool) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let characters: Vec<char> = line.chars().collect();
    for (index, &character) in characters.iter().enumerate() {
        let blank = character.is_whitespace();
        let starts = match index.checked_sub(1).map(|i| characters[i]) {
            None => true,
            Some(before) => {
                let after_hyphen = break_hyphens
                    && before == '-'
                    && index >= 2
                    && characters[index - 2].is_alphanumeric()
                    && character.is_alphabetic();
                before.is_whitespace() != blank || after_hyphen
            }
        };
        if starts {
            found.push(String::new());
        }
        if let Some(last) = found.last_mut() {
            last.push(character);
        }
    }
    found
}

fn format_filter(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split(arguments);
    let (pattern, rest) = positional
        .split_first()
        .ok_or_else(|| failed("format wants a string"))?;
    if !rest.is_empty() && !named.is_empty() {
        return Err(failed(
            "format takes arguments by position or by name, not both",
        ));
    }
    let pattern = soft_text(state, Some(pattern))?;
    let value = if named.is_empty() {
        tuple(rest.to_vec())
    } else {
        Dict::value(named.into_iter().collect())
    };
    printf(state, &pattern, &value)
}
