//! `urlParse` and `urlJoin`: a URL as a map of its parts, after net/url.

use crate::go::template::fault::{Fault, Result};
use crate::go::template::function::{Call, Function, row};
use crate::go::template::value::Value;

use super::strings::text;

pub(super) static TABLE: &[Function] = &[row("urlParse", "s", parse), row("urlJoin", "m", join)];

fn parse(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let whole = text(values, 0);
    call.budget.bytes(whole.len() * 2)?;
    if whole.bytes().any(|b| b < 0x20 || b == 0x7f) {
        return Err(Fault::new("the URL has a control character"));
    }
    let (rest, fragment) = whole.split_once('#').unwrap_or((whole, ""));
    let (scheme, rest) = scheme_of(rest)?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut opaque = "";
    let (mut host, mut userinfo, mut path) = ("", "", rest);
    if !scheme.is_empty() && !rest.starts_with('/') {
        (opaque, path) = (rest, "");
    } else if let Some(after) = rest.strip_prefix("//") {
        let end = after.find('/').unwrap_or(after.len());
        let (authority, after) = after.split_at(end);
        (userinfo, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        path = after;
    }
    if host.contains(' ') {
        return Err(Fault::new("the host of the URL is wrong"));
    }
    let parts = [
        ("scheme", scheme.to_lowercase()),
        ("host", host.to_owned()),
        ("hostname", hostname(host).to_owned()),
        ("path", unescape(path)?),
        ("query", query.to_owned()),
        ("opaque", opaque.to_owned()),
        ("fragment", unescape(fragment)?),
        ("userinfo", userinfo.to_owned()),
    ];
    Ok(Value::map(
        parts.map(|(key, part)| (key.into(), Value::string(part))),
    ))
}

fn scheme_of(url: &str) -> Result<(&str, &str)> {
    for (at, c) in url.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at > 0 => return Ok((&url[..at], &url[at + 1..])),
            ':' => return Err(Fault::new("the URL has no scheme before its colon")),
            _ => break,
        }
    }
    Ok(("", url))
}

fn hostname(host: &str) -> &str {
    if let Some(inner) = host.strip_prefix('[') {
        return inner.split(']').next().unwrap_or(inner);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

fn unescape(text: &str) -> Result<String> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        let (Some(high), Some(low)) = (digit(bytes.next()), digit(bytes.next())) else {
            return Err(Fault::new("the URL has a wrong escape"));
        };
        out.push(u8::try_from(high * 16 + low).unwrap_or(0));
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn join(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let Value::Map(map) = &values[0] else {
        return Err(Fault::new("it takes a map"));
    };
    let part = |key: &str| match map.get(key) {
        Some(Value::String(text)) => Ok(text.as_ref().to_owned()),
        None => Ok(String::new()),
        Some(_) => Err(Fault::new(format!("{key:?} is not a string"))),
    };
    let mut out = String::new();
    let (scheme, opaque, host, userinfo) = (
        part("scheme")?,
        part("opaque")?,
        part("host")?,
        part("userinfo")?,
    );
    if !scheme.is_empty() {
        out += &format!("{scheme}:");
    }
    if opaque.is_empty() {
        if !scheme.is_empty() || !host.is_empty() || !userinfo.is_empty() {
            if !host.is_empty() || !part("path")?.is_empty() || !userinfo.is_empty() {
                out += "//";
            }
            if !userinfo.is_empty() {
                out += &format!("{userinfo}@");
            }
            out += &host;
        }
        let path = part("path")?;
        if !path.is_empty() && !path.starts_with('/') && !host.is_empty() {
            out.push('/');
        }
        out += &path;
    } else {
        out += &opaque;
    }
    for (mark, key) in [('?', "query"), ('#', "fragment")] {
        let text = part(key)?;
        if !text.is_empty() {
            out.push(mark);
            out += &text;
        }
    }
    call.string(out)
}
