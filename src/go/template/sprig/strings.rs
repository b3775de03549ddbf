//! Strings: what both sets have.

use sha2::{Digest as _, Sha256, Sha512};

use crate::go::template::fault::{Fault, Result};
use crate::go::template::function::{Call, Function, row};
use crate::go::template::print;
use crate::go::template::value::{Element, Value};

pub(super) static TABLE: &[Function] = &[
    row("trunc", "is", trunc),
    row("trim", "s", |call, v| {
        call.string(text(v, 0).trim_matches(is_space).to_owned())
    }),
    row("upper", "s", |call, v| {
        call.string(text(v, 0).to_uppercase())
    }),
    row("lower", "s", |call, v| {
        call.string(text(v, 0).to_lowercase())
    }),
    row("title", "s", title),
    row("substr", "iis", substr),
    row("repeat", "is", repeat),
    row("trimall", "ss", trim_all),
    row("trimAll", "ss", trim_all),
    row("trimSuffix", "ss", |call, v| {
        let (suffix, text) = (text(v, 0), text(v, 1));
        call.string(text.strip_suffix(suffix).unwrap_or(text).to_owned())
    }),
    row("trimPrefix", "ss", |call, v| {
        let (prefix, text) = (text(v, 0), text(v, 1));
        call.string(text.strip_prefix(prefix).unwrap_or(text).to_owned())
    }),
    row("contains", "ss", |_, v| {
        Ok(Value::Bool(text(v, 1).contains(text(v, 0))))
    }),
    row("hasPrefix", "ss", |_, v| {
        Ok(Value::Bool(text(v, 1).starts_with(text(v, 0))))
    }),
    row("hasSuffix", "ss", |_, v| {
        Ok(Value::Bool(text(v, 1).ends_with(text(v, 0))))
    }),
    row("quote", "a*", quote),
    row("squote", "a*", squote),
    row("cat", "a*", cat),
    row("indent", "is", |call, v| indent(call, v, "")),
    row("nindent", "is", |call, v| indent(call, v, "\n")),
    row("replace", "sss", replace),
    row("plural", "ssi", |_, v| {
        Ok(if int(v, 2) == 1 {
            v[0].clone()
        } else {
            v[1].clone()
        })
    }),
    row("sha1sum", "s", |call, v| {
        call.string(hex(&super::made::sha1(text(v, 0).as_bytes())))
    }),
    row("sha256sum", "s", |call, v| {
        call.string(hex(&Sha256::digest(text(v, 0))))
    }),
    row("sha512sum", "s", |call, v| {
        call.string(hex(&Sha512::digest(text(v, 0))))
    }),
    row("adler32sum", "s", |call, v| {
        call.string(adler32(text(v, 0).as_bytes()).to_string())
    }),
    row("split", "ss", |call, v| {
        let parts = text(v, 1).split(text(v, 0));
        numbered(call, go_split(parts, text(v, 0), text(v, 1), usize::MAX))
    }),
    row("splitn", "sis", splitn),
    row("splitList", "ss", |call, v| {
        let parts = go_split(
            text(v, 1).split(text(v, 0)),
            text(v, 0),
            text(v, 1),
            usize::MAX,
        );
        strings(call, parts)
    }),
    row("join", "sa", join),
    row("sortAlpha", "a", |call, v| {
        let mut parts = texts(&v[0])?;
        parts.sort();
        strings(call, parts)
    }),
    row("toStrings", "a", |call, v| strings(call, texts(&v[0])?)),
];

/// The string at a place, where the row says that it is one.
pub(super) fn text(values: &[Value], index: usize) -> &str {
    values
        .get(index)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The integer at a place, where the row says that it is one.
pub(super) fn int(values: &[Value], index: usize) -> i64 {
    match values.get(index) {
        Some(Value::Int(value, _)) => *value,
        _ => 0,
    }
}

/// White space as `unicode.IsSpace` has it.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{200b}')
}

pub(super) fn strings<S: AsRef<str>>(call: &Call<'_>, parts: Vec<S>) -> Result<Value> {
    let bytes: usize = parts
        .iter()
        .map(|p| p.as_ref().len() + size_of::<Value>())
        .sum();
    call.budget.bytes(bytes)?;
    Ok(Value::strings(parts))
}

/// A part of a string by bytes; what is cut within a character becomes U+FFFD, as it does on the way out of Go.
fn cut(text: &str, start: usize, end: usize) -> String {
    String::from_utf8_lossy(&text.as_bytes()[start..end]).into_owned()
}

fn trunc(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let (count, text) = (int(values, 0), text(values, 1));
    let size = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if text.len() <= size {
        return Ok(values[1].clone());
    }
    call.string(match count < 0 {
        true => cut(text, text.len() - size, text.len()),
        false => cut(text, 0, size),
    })
}

fn substr(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let text = text(values, 2);
    let (start, end) = (int(values, 0), int(values, 1));
    let bound = |value: i64| usize::try_from(value).unwrap_or(0);
    let (from, to) = if start < 0 {
        (0, end)
    } else if end < 0 || bound(end) > text.len() {
        (bound(start), i64::try_from(text.len()).unwrap_or(i64::MAX))
    } else {
        (bound(start), end)
    };
    let to = usize::try_from(to)
        .ok()
        .filter(|to| from <= *to && *to <= text.len());
    let to = to.ok_or_else(|| Fault::new("the part is outside of the string"))?;
    call.string(cut(text, from, to))
}

fn title(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let mut out = String::new();
    let mut starts = true;
    for c in text(values, 0).chars() {
        if starts {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        starts = match c {
            c if u32::from(c) < 0x80 => !c.is_ascii_alphanumeric() && c != '_',
            c => !c.is_alphanumeric() && c.is_whitespace(),
        };
    }
    call.string(out)
}

fn repeat(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let count = usize::try_from(int(values, 0));
    let count = count.map_err(|_| Fault::new("the count is negative"))?;
    let text = text(values, 1);
    call.budget.bytes(text.len().saturating_mul(count))?;
    Ok(Value::string(text.repeat(count)))
}

fn trim_all(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let set: Vec<char> = text(values, 0).chars().collect();
    call.string(text(values, 1).trim_matches(set.as_slice()).to_owned())
}

fn quote(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let mut parts = Vec::new();
    for value in values.iter().filter(|v| !v.is_nothing()) {
        parts.push(print::quote(&print::plain(value)?));
    }
    call.string(parts.join(" "))
}

fn squote(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let mut parts = Vec::new();
    for value in values.iter().filter(|v| !v.is_nothing()) {
        parts.push(format!("'{}'", print::plain(value)?));
    }
    call.string(parts.join(" "))
}

fn cat(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let mut parts = Vec::new();
    for value in values.iter().filter(|v| !v.is_nothing()) {
        parts.push(print::plain(value)?);
    }
    call.string(parts.join(" "))
}

fn indent(call: &Call<'_>, values: &[Value], before: &str) -> Result<Value> {
    let width = usize::try_from(int(values, 0));
    let width = width.map_err(|_| Fault::new("the indentation is negative"))?;
    let text = text(values, 1);
    let lines = text.matches('\n').count() + 1;
    call.budget
        .bytes(width.saturating_mul(lines).saturating_add(text.len()))?;
    let pad = " ".repeat(width);
    let body = text.replace('\n', &format!("\n{pad}"));
    Ok(Value::string(format!("{before}{pad}{body}")))
}

fn replace(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let (old, new, text) = (text(values, 0), text(values, 1), text(values, 2));
    let count = text.matches(old).count();
    call.budget
        .bytes(count.saturating_mul(new.len()).saturating_add(text.len()))?;
    Ok(Value::string(text.replace(old, new)))
}

/// Go splits by an empty separator into characters, without the empty ends that Rust adds.
fn go_split<'t>(
    parts: impl Iterator<Item = &'t str>,
    separator: &str,
    text: &'t str,
    limit: usize,
) -> Vec<&'t str> {
    if !separator.is_empty() {
        return parts.collect();
    }
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if out.len() + 1 == limit {
            break;
        }
        out.push(&rest[..c.len_utf8()]);
        rest = &rest[c.len_utf8()..];
    }
    if !rest.is_empty() {
        out.push(rest);
    }
    out
}

fn numbered(call: &Call<'_>, parts: Vec<&str>) -> Result<Value> {
    let bytes: usize = parts.iter().map(|p| p.len() + 64).sum();
    call.budget.bytes(bytes)?;
    let entries = parts.iter().enumerate();
    let entries = entries.map(|(i, part)| (format!("_{i}").into(), Value::string(part)));
    Ok(Value::map_of(entries, Element::String))
}

fn splitn(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let (separator, limit, text) = (text(values, 0), int(values, 1), text(values, 2));
    let parts = match usize::try_from(limit) {
        Ok(0) => Vec::new(),
        Ok(limit) => go_split(text.splitn(limit, separator), separator, text, limit),
        Err(_) => go_split(text.split(separator), separator, text, usize::MAX),
    };
    numbered(call, parts)
}

fn join(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let parts = texts(&values[1])?;
    let separator = text(values, 0);
    call.budget
        .bytes(separator.len().saturating_mul(parts.len()))?;
    call.string(parts.join(separator))
}

/// The texts of a list without its nulls, or of one value.
pub(super) fn texts(value: &Value) -> Result<Vec<String>> {
    match value {
        Value::List(list) => (list.items().iter())
            .filter(|item| !item.is_nothing())
            .map(print::plain)
            .collect(),
        Value::Missing | Value::Nil => Ok(Vec::new()),
        one => Ok(vec![print::plain(one)?]),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The Adler-32 sum of RFC 1950.
pub fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % MODULUS;
        b = (b + a) % MODULUS;
    }
    (b << 16) | a
}
