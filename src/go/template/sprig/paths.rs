//! Paths with slashes, as package `path` has them.

use crate::go::template::function::{Function, row};
use crate::go::template::value::Value;

use super::strings::text;

pub(super) static TABLE: &[Function] = &[
    row("base", "s", |call, v| call.string(base(text(v, 0)))),
    row("dir", "s", |call, v| call.string(dir(text(v, 0)))),
    row("clean", "s", |call, v| call.string(clean(text(v, 0)))),
    row("ext", "s", |call, v| call.string(ext(text(v, 0)))),
    row("isAbs", "s", |_, v| {
        Ok(Value::Bool(text(v, 0).starts_with('/')))
    }),
    row("osBase", "s", |call, v| call.string(base(text(v, 0)))),
    row("osDir", "s", |call, v| call.string(dir(text(v, 0)))),
    row("osClean", "s", |call, v| call.string(clean(text(v, 0)))),
    row("osExt", "s", |call, v| call.string(ext(text(v, 0)))),
    row("osIsAbs", "s", |_, v| {
        Ok(Value::Bool(text(v, 0).starts_with('/')))
    }),
];

fn base(path: &str) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit('/').next() {
        Some(last) if !last.is_empty() => last.to_owned(),
        _ => "/".to_owned(),
    }
}

fn dir(path: &str) -> String {
    match path.rfind('/') {
        Some(at) => clean(&path[..=at]),
        None => ".".to_owned(),
    }
}

fn ext(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rfind('.')
        .map_or_else(String::new, |at| name[at..].to_owned())
}

fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}
