//! `pathPattern`: one artifact for each directory that fits, `{name}` standing for one part of its path.
//!
//! Names and labels take the parts in lower case, paths take them as they are. `*` is only itself.

use regex::Regex;

use super::{Copy, Order, SourceFiles, is_subdomain, wrong};
use crate::diagnostic::Result;
use crate::files::{Files, Kind, TreePath};

/// Directories that are looked at.
const MAX_DIRECTORIES: usize = 100_000;

/// The orders of all directories that fit.
pub(super) fn orders(
    path_pattern: &str,
    written: &[Order],
    sources: &SourceFiles<'_>,
) -> Result<Vec<Order>> {
    let parts = path_pattern
        .strip_prefix('@')
        .and_then(|rest| rest.split_once('/'));
    let (alias, pattern) = parts.ok_or_else(|| wrong("pathPattern is written as @ALIAS/PATH"))?;
    let files = *sources.get(alias).ok_or_else(|| {
        wrong(format!(
            "pathPattern names the source {alias:?}, which is not there"
        ))
    })?;
    let (regex, names) = compiled(pattern)?;
    let mut orders: Vec<Order> = Vec::new();
    for directory in directories(files)? {
        let Some(found) = regex.captures(&directory) else {
            continue;
        };
        let value = |index: usize| found.get(index + 1).map_or("", |m| m.as_str());
        let raw: Vec<(&str, String)> = names
            .iter()
            .enumerate()
            .map(|(i, name)| (*name, value(i).to_owned()))
            .collect();
        let lower: Vec<(&str, String)> = raw
            .iter()
            .map(|(name, value)| (*name, value.to_lowercase()))
            .collect();
        if let Some((name, _)) = lower.iter().find(|(_, value)| !is_label_value(value)) {
            return Err(wrong(format!(
                "{directory:?}: what stands for {{{name}}} is not a value of a label"
            )));
        }
        for order in written {
            let order = filled(order, &raw, &lower)?;
            if !is_subdomain(&order.name) {
                return Err(wrong(format!(
                    "{directory:?}: the artifact's name {:?} is not a DNS name",
                    order.name
                )));
            }
            if orders.iter().any(|other| other.name == order.name) {
                return Err(wrong(format!(
                    "{directory:?}: another directory makes the artifact {:?}, too",
                    order.name
                )));
            }
            orders.push(order);
        }
    }
    Ok(orders)
}

/// A pattern as a regular expression, and the names in it.
fn compiled(pattern: &str) -> Result<(Regex, Vec<&str>)> {
    let bad = |why: &str| wrong(format!("pathPattern: {why}"));
    let mut names: Vec<&str> = Vec::new();
    let mut out = String::from("^");
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&regex::escape(&rest[..at]));
        let inner = rest[at..]
            .strip_prefix('{')
            .ok_or_else(|| bad("a `}` has no `{` before it"))?;
        let (name, after) = inner
            .split_once('}')
            .ok_or_else(|| bad("a `{` is not closed"))?;
        if !is_name(name) || name.starts_with('_') || name.ends_with('_') || name.len() > 63 {
            return Err(bad(&format!(
                "{name:?} is not a name that a label can have"
            )));
        }
        if names.contains(&name) {
            return Err(bad(&format!("{{{name}}} stands there twice")));
        }
        names.push(name);
        out.push_str("([^/]+)");
        rest = after;
    }
    out.push_str(&regex::escape(rest));
    out.push('$');
    let regex = Regex::new(&out).map_err(|_| bad("it is too long"))?;
    Ok((regex, names))
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_label_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = |b: Option<&u8>| b.is_none_or(u8::is_ascii_alphanumeric);
    bytes.len() <= 63
        && ends(bytes.first())
        && ends(bytes.last())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Every directory of a source, in the order of a walk.
fn directories(files: &dyn Files) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![TreePath::root()];
    while let Some(directory) = open.pop() {
        if directory != TreePath::root() {
            found.push(directory.as_str().to_owned());
        }
        if found.len() > MAX_DIRECTORIES {
            return Err(wrong("the source has too many directories"));
        }
        for name in files.list(&directory)?.iter().rev() {
            let Some(path) = directory.join(name) else {
                continue;
            };
            let is_link = files.real_path(&path).is_ok_and(|real| real != path);
            if !is_link && matches!(files.kind(&path), Ok(Some(Kind::Directory))) {
                open.push(path);
            }
        }
    }
    Ok(found)
}

fn filled(order: &Order, raw: &[(&str, String)], lower: &[(&str, String)]) -> Result<Order> {
    let mut copies = Vec::new();
    for copy in &order.copies {
        copies.push(Copy {
            from: fill(&copy.from, raw)?,
            to: fill(&copy.to, raw)?,
            exclude: copy.exclude.clone(),
            strategy: copy.strategy.clone(),
        });
    }
    Ok(Order {
        name: fill(&order.name, lower)?,
        copies,
    })
}

fn fill(template: &str, values: &[(&str, String)]) -> Result<String> {
    let bad = |why: &str| wrong(format!("{template:?}: {why}"));
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let inner = rest[at..]
            .strip_prefix('{')
            .ok_or_else(|| bad("a `}` has no `{` before it"))?;
        let (name, after) = inner
            .split_once('}')
            .ok_or_else(|| bad("a `{` is not closed"))?;
        let found = values.iter().find(|(known, _)| *known == name);
        let (_, value) = found.ok_or_else(|| bad(&format!("pathPattern has no {{{name}}}")))?;
        out.push_str(value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
