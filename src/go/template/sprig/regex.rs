//! Regular expressions of Go. `regexMatch` says no to a pattern that is none; the others fail.

use ::regex::Regex;

use crate::go::regexp;
use crate::go::template::fault::{Fault, Result};
use crate::go::template::function::{Call, Function, row};
use crate::go::template::value::Value;

use super::strings::{int, strings, text};

pub(super) static TABLE: &[Function] = &[
    row("regexMatch", "ss", |_, v| {
        let matches = compile(text(v, 0)).is_ok_and(|r| r.is_match(text(v, 1)));
        Ok(Value::Bool(matches))
    }),
    row("mustRegexMatch", "ss", |_, v| {
        Ok(Value::Bool(compile(text(v, 0))?.is_match(text(v, 1))))
    }),
    row("regexFindAll", "ssi", find_all),
    row("mustRegexFindAll", "ssi", find_all),
    row("regexFind", "ss", find),
    row("mustRegexFind", "ss", find),
    row("regexReplaceAll", "sss", replace_all),
    row("mustRegexReplaceAll", "sss", replace_all),
    row("regexReplaceAllLiteral", "sss", replace_all_literal),
    row("mustRegexReplaceAllLiteral", "sss", replace_all_literal),
    row("regexSplit", "ssi", split),
    row("mustRegexSplit", "ssi", split),
    row("regexQuoteMeta", "s", |call, v| {
        call.string(quote_meta(text(v, 0)))
    }),
];

fn compile(pattern: &str) -> Result<Regex> {
    regexp::compile(pattern).map_err(|error| Fault::new(format!("the pattern is wrong: {error}")))
}

fn find_all(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let regex = compile(text(values, 0))?;
    let limit = usize::try_from(int(values, 2)).unwrap_or(usize::MAX);
    let found = regex.find_iter(text(values, 1)).take(limit);
    strings(call, found.map(|m| m.as_str()).collect())
}

fn find(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let regex = compile(text(values, 0))?;
    let found = regex.find(text(values, 1)).map_or("", |m| m.as_str());
    call.string(found.to_owned())
}

/// The names of a pattern's groups, by their numbers.
fn group_names(pattern: &str) -> Vec<(String, usize)> {
    let mut names = Vec::new();
    let bytes = pattern.as_bytes();
    let (mut at, mut number, mut in_class) = (0, 0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'(' if !in_class => {
                let rest = &pattern[at + 1..];
                let named = rest.strip_prefix("?P<").or_else(|| rest.strip_prefix("?<"));
                match named.and_then(|rest| rest.split_once('>')) {
                    Some((name, _)) => {
                        number += 1;
                        names.push((name.to_owned(), number));
                    }
                    None if !rest.starts_with('?') => number += 1,
                    None => {}
                }
            }
            _ => {}
        }
        at += 1;
    }
    names
}

/// Expands `$1`, `${name}` and `$$` as Go does: the longest name of letters, digits and `_` counts.
fn expand(
    out: &mut String,
    template: &str,
    captures: &::regex::Captures<'_>,
    names: &[(String, usize)],
) {
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let (name, after) = match rest.strip_prefix('{').and_then(|r| r.split_once('}')) {
            Some((name, after)) => (name, after),
            None => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                rest.split_at(end.unwrap_or(rest.len()))
            }
        };
        if name.is_empty() {
            out.push('$');
            continue;
        }
        let index = name.parse::<usize>().ok();
        let index = index.or_else(|| names.iter().find(|(n, _)| n == name).map(|(_, i)| *i));
        out.push_str(
            index
                .and_then(|i| captures.get(i))
                .map_or("", |m| m.as_str()),
        );
        rest = after;
    }
    out.push_str(rest);
}

fn replace_all(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let (pattern, source, template) = (text(values, 0), text(values, 1), text(values, 2));
    let regex = compile(pattern)?;
    let names = group_names(pattern);
    let mut out = String::new();
    let mut last = 0;
    for captures in regex.captures_iter(source) {
        let whole = captures.get(0).expect("group 0 is the match");
        out.push_str(&source[last..whole.start()]);
        let before = out.len();
        expand(&mut out, template, &captures, &names);
        call.budget.bytes(out.len() - before)?;
        last = whole.end();
    }
    out.push_str(&source[last..]);
    call.string(out)
}

fn replace_all_literal(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let regex = compile(text(values, 0))?;
    let (source, literal) = (text(values, 1), text(values, 2));
    let count = regex.find_iter(source).count();
    call.budget.bytes(count.saturating_mul(literal.len()))?;
    let out = regex.replace_all(source, ::regex::NoExpand(literal));
    call.string(out.into_owned())
}

/// `Regexp.Split`: an empty match at the start makes no empty part.
fn split(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let regex = compile(text(values, 0))?;
    let source = text(values, 1);
    let limit = int(values, 2);
    if limit == 0 {
        return strings(call, Vec::<&str>::new());
    }
    if !text(values, 0).is_empty() && source.is_empty() {
        return strings(call, vec![""]);
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut parts, mut start, mut end) = (Vec::new(), 0, 0);
    for found in regex.find_iter(source) {
        if parts.len() + 1 == limit {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(&source[start..end]);
        }
        start = found.end();
    }
    if end != source.len() {
        parts.push(&source[start..]);
    }
    strings(call, parts)
}

fn quote_meta(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
