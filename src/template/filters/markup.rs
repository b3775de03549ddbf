//! Filters of HTML and URLs.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::{is_set, soft_text};
use crate::template::python::arguments::bind;
use crate::template::python::iterate::pairs;
use crate::template::python::text::str_of;
use crate::template::python::{Native, failed, type_name};

pub(super) const TABLE: &[(&str, Native)] = &[
    ("e", |s, a| escape(s, a, false)),
    ("escape", |s, a| escape(s, a, false)),
    ("forceescape", |s, a| escape(s, a, true)),
    ("safe", safe),
    ("striptags", strip_tags),
    ("urlencode", url_encode),
    ("urlize", urlize),
    ("xmlattr", xml_attributes),
];

/// MarkupSafe's five entities.
pub(in crate::template) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        }
    }
    out
}

fn escape(state: &mut State<'_, '_>, arguments: &[Value], force: bool) -> Result<Value, Error> {
    let [value] = bind("escape", arguments, ["value"])?;
    match value {
        Some(value) if value.is_safe() && !force => Ok(value),
        value => Ok(Value::from_safe_string(escaped(&soft_text(
            state,
            value.as_ref(),
        )?))),
    }
}

fn safe(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value] = bind("safe", arguments, ["value"])?;
    Ok(Value::from_safe_string(soft_text(state, value.as_ref())?))
}

fn strip_tags(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value] = bind("striptags", arguments, ["value"])?;
    let mut text = soft_text(state, value.as_ref())?;
    for (open, close) in [("<!--", "-->"), ("<", ">")] {
        while let Some(start) = text.find(open) {
            let Some(end) = text[start..].find(close) else {
                break;
            };
            text.replace_range(start..start + end + close.len(), "");
        }
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#39;", "'")
        .replace("&#34;", "\"")
        .replace("&quot;", "\"")
        .replace("&amp;", "&");
    Ok(Value::from(
        text.split_whitespace().collect::<Vec<_>>().join(" "),
    ))
}

/// Percent-encodes; a query writes blanks as `+` and encodes slashes.
fn quoted(text: &str, query: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => {
                out.push(char::from(byte));
            }
            b'/' if !query => out.push('/'),
            b' ' if query => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn url_encode(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value] = bind("urlencode", arguments, ["value"])?;
    let value = value.unwrap_or_default();
    if !matches!(
        value.kind(),
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable
    ) {
        return Ok(Value::from(quoted(&soft_text(state, Some(&value))?, false)));
    }
    let parts: Vec<String> = pairs(&value)?
        .iter()
        .map(|(key, value)| {
            format!(
                "{}={}",
                quoted(&str_of(key), true),
                quoted(&str_of(value), true)
            )
        })
        .collect();
    Ok(Value::from(parts.join("&")))
}

/// Turns URLs that start with a scheme or `www.` into links.
fn urlize(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let names = [
        "value",
        "trim_url_limit",
        "nofollow",
        "target",
        "rel",
        "extra_schemes",
    ];
    let [value, limit, nofollow, target, rel, _] = bind("urlize", arguments, names)?;
    let text = soft_text(state, value.as_ref())?;
    let mut relations: Vec<String> = rel
        .iter()
        .flat_map(|r| {
            str_of(r)
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    relations.push("noopener".to_owned());
    if is_set(nofollow.as_ref()) {
        relations.push("nofollow".to_owned());
    }
    relations.sort();
    let target = target
        .filter(|t| !t.is_none())
        .map_or_else(String::new, |t| {
            format!(" target=\"{}\"", escaped(&str_of(&t)))
        });
    let limit = limit.and_then(|l| l.as_usize());
    let words: Vec<String> = text
        .split(' ')
        .map(|word| {
            let word = escaped(word);
            let link = match word.as_str() {
                w if w.starts_with("http://") || w.starts_with("https://") => word.clone(),
                w if w.starts_with("www.") => format!("https://{word}"),
                _ => return word,
            };
            let shown = match limit {
                Some(limit) if word.chars().count() > limit => {
                    word.chars().take(limit).collect::<String>() + "..."
                }
                _ => word,
            };
            format!(
                "<a href=\"{link}\" rel=\"{}\"{target}>{shown}</a>",
                relations.join(" ")
            )
        })
        .collect();
    Ok(Value::from(words.join(" ")))
}

fn xml_attributes(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, space] = bind("xmlattr", arguments, ["d", "autospace"])?;
    let value = value.unwrap_or_default();
    if value.kind() != ValueKind::Map {
        return Err(failed(format!(
            "xmlattr wants a mapping, not {}",
            type_name(&value)
        )));
    }
    let mut out = String::new();
    for (key, value) in pairs(&value)? {
        if value.is_none() || value.is_undefined() {
            continue;
        }
        let key = str_of(&key);
        if key.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '>' | '=')) {
            return Err(failed(
                "a key of xmlattr holds a character that no attribute may have",
            ));
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&format!(
            "{}=\"{}\"",
            escaped(&key),
            escaped(&str_of(&value))
        ));
    }
    if space.is_none_or(|s| s.is_true()) && !out.is_empty() {
        out.insert(0, ' ');
    }
    Ok(Value::from(out))
}
