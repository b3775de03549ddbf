//! Values against their schema.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::admission::format;
use crate::admission::later::is_later;
use crate::admission::path::Path;
use crate::admission::schemas::{Arena, Kind, List, Number, Type};
use crate::admission::verdict::{Causes, Reason};
use crate::diagnostic::nearest;

/// Judges a value. Types, sizes, forms, what must be there, and alternatives.
pub(in crate::admission) fn validate(
    arena: &Arena,
    number: Number,
    value: &Value,
    path: &Path<'_>,
    causes: &mut Causes,
) {
    Judge { arena, causes }.value(number, value, path, false);
}

/// Whether nothing can be said of a value yet.
fn is_filled_later(value: &Value) -> bool {
    value.as_str().is_some_and(is_later)
}

struct Judge<'j> {
    arena: &'j Arena,
    causes: &'j mut Causes,
}

impl Judge<'_> {
    fn value(&mut self, number: Number, value: &Value, path: &Path<'_>, is_part: bool) {
        let kind = self.arena.get(number);
        if value.is_null() && kind.nullable {
            return;
        }
        if is_filled_later(value) {
            return;
        }
        if !self.has_type(kind, value, path) {
            return;
        }
        self.alternatives(kind, value, path);
        self.known(kind, value, path);
        match value {
            Value::Object(fields) => self.object(kind, fields, path, is_part),
            Value::Array(items) => self.list(kind, items, path),
            Value::String(text) => self.string(kind, text, path),
            Value::Number(number) => self.number(kind, number.as_f64().unwrap_or_default(), path),
            Value::Bool(_) | Value::Null => {}
        }
    }

    fn has_type(&mut self, kind: &Type, value: &Value, path: &Path<'_>) -> bool {
        if kind.int_or_string {
            let fits = value.is_string() || is_of(Kind::Integer, value);
            if !fits {
                let message = format!(
                    "is {}, and must be a whole number or a string",
                    name_of(value)
                );
                self.causes.add(path, Reason::Type, message);
            }
            return fits;
        }
        let Some(wanted) = kind.kind.filter(|wanted| !is_of(*wanted, value)) else {
            return true;
        };
        let message = format!("is {}, and must be {}", name_of(value), wanted.as_str());
        self.causes.add(path, Reason::Type, message);
        match value {
            Value::Null => self.causes.help("leave the field out instead"),
            Value::Bool(_) | Value::Number(_) if wanted == Kind::String => {
                self.causes.help("write it in quotes");
            }
            _ => {}
        }
        false
    }

    /// Whether a part of an alternative takes a value.
    fn takes(&self, number: Number, value: &Value, path: &Path<'_>) -> bool {
        let mut causes = Causes::default();
        Judge {
            arena: self.arena,
            causes: &mut causes,
        }
        .value(number, value, path, true);
        causes.is_empty()
    }

    fn alternatives(&mut self, kind: &Type, value: &Value, path: &Path<'_>) {
        for part in &kind.all_of {
            self.value(*part, value, path, true);
        }
        let count = |parts: &[Number]| {
            parts
                .iter()
                .filter(|part| self.takes(**part, value, path))
                .count()
        };
        let (any, one) = (count(&kind.any_of), count(&kind.one_of));
        let not = kind.not.is_some_and(|part| self.takes(part, value, path));
        if !kind.any_of.is_empty() && any == 0 {
            let message = format!("must have {}", self.names("one of", &kind.any_of));
            self.causes.invalid(path, message);
        }
        if !kind.one_of.is_empty() && one != 1 {
            let message = format!("must have {}", self.names("exactly one of", &kind.one_of));
            self.causes.invalid(path, message);
        }
        if not {
            self.causes.invalid(path, "has what its schema rules out");
        }
    }

    /// The fields that alternatives ask for.
    fn names(&self, of: &str, parts: &[Number]) -> String {
        let fields = |part: &Number| {
            let kind = self.arena.get(*part);
            kind.required.join(" with ")
        };
        let named: Vec<String> = parts.iter().map(fields).filter(|n| !n.is_empty()).collect();
        match named.len() == parts.len() {
            true => format!("{of} {}", named.join(", ")),
            false => format!("{of} the {} forms that its schema knows", parts.len()),
        }
    }

    fn known(&mut self, kind: &Type, value: &Value, path: &Path<'_>) {
        if kind.known.is_empty() || kind.known.iter().any(|known| is_same(known, value)) {
            return;
        }
        let known: Vec<String> = kind.known.iter().map(show).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        self.causes.unsupported(path, &known);
        if let Some(near) = value
            .as_str()
            .and_then(|text| nearest(text, known.iter().copied()))
        {
            self.causes.help(format!("did you mean {near}?"));
        }
    }

    fn object(&mut self, kind: &Type, fields: &Map<String, Value>, path: &Path<'_>, is_part: bool) {
        for field in kind.required.iter().filter(|f| !fields.contains_key(*f)) {
            self.causes.required(&path.field(field), "");
        }
        self.size(
            path,
            fields.len(),
            "fields",
            kind.min_properties,
            kind.max_properties,
        );
        let is_object = !is_part && (path.is_root() || kind.embedded);
        for (name, value) in fields {
            let place = path.field(name);
            // The metadata of every object is judged by other code.
            if is_object && name == "metadata" && !is_part {
                continue;
            }
            if let Some(number) = kind.properties.get(name).copied().or(kind.values) {
                self.value(number, value, &place, is_part);
            }
        }
    }

    fn list(&mut self, kind: &Type, items: &[Value], path: &Path<'_>) {
        self.size(path, items.len(), "items", kind.min_items, kind.max_items);
        if kind.unique_items {
            self.twice(items, path);
        }
        let Some(number) = kind.items else { return };
        for (index, item) in items.iter().enumerate() {
            self.value(number, item, &path.index(index), false);
        }
    }

    fn twice(&mut self, items: &[Value], path: &Path<'_>) {
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            if !seen.insert(canonical(item)) {
                self.causes.duplicate(&path.index(index));
            }
        }
    }

    fn string(&mut self, kind: &Type, text: &str, path: &Path<'_>) {
        if kind.max_length.is_some() || kind.min_length.is_some() {
            self.size(
                path,
                text.chars().count(),
                "characters",
                kind.min_length,
                kind.max_length,
            );
        }
        if kind.regex().is_some_and(|regex| !regex.is_match(text)) {
            let pattern = kind.pattern.as_deref().unwrap_or_default();
            self.causes
                .invalid(path, format!("does not have the form {pattern}"));
        }
        let Some(wanted) = kind.format.as_deref() else {
            return;
        };
        if format::fits(wanted, text) == Some(false) {
            self.causes
                .invalid(path, format!("is not of the format {wanted}"));
            if wanted == "cidr" && text.parse::<std::net::IpAddr>().is_ok() {
                let bits = if text.contains(':') { 128 } else { 32 };
                self.causes
                    .help(format!("write the address as a block: with /{bits}"));
            }
        }
    }

    fn number(&mut self, kind: &Type, number: f64, path: &Path<'_>) {
        if let Some(least) = kind.minimum
            && (number < least || (kind.exclusive_minimum && number <= least))
        {
            let word = if kind.exclusive_minimum {
                "more than"
            } else {
                "at least"
            };
            self.causes.invalid(path, format!("must be {word} {least}"));
        }
        if let Some(most) = kind.maximum
            && (number > most || (kind.exclusive_maximum && number >= most))
        {
            let word = if kind.exclusive_maximum {
                "less than"
            } else {
                "at most"
            };
            self.causes.invalid(path, format!("must be {word} {most}"));
        }
        if let Some(step) = kind.multiple_of.filter(|step| *step > 0.0)
            && (number / step).fract() != 0.0
        {
            self.causes
                .invalid(path, format!("must be a multiple of {step}"));
        }
    }

    fn size(
        &mut self,
        path: &Path<'_>,
        size: usize,
        of: &str,
        least: Option<usize>,
        most: Option<usize>,
    ) {
        if let Some(least) = least.filter(|least| size < *least) {
            let message = format!("has {size} {of}, and must have {least} or more");
            self.causes.invalid(path, message);
        }
        if let Some(most) = most.filter(|most| size > *most) {
            let message = format!("has {size} {of}, and may have {most} at most");
            self.causes.add(path, Reason::TooLong, message);
        }
    }
}

/// Items of sets and list maps that are there twice.
pub(in crate::admission) fn lists(
    arena: &Arena,
    number: Number,
    value: &Value,
    path: &Path<'_>,
    causes: &mut Causes,
) {
    let kind = arena.get(number);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(number) = kind.properties.get(name).copied().or(kind.values) {
                    lists(arena, number, value, &path.field(name), causes);
                }
            }
        }
        Value::Array(items) => {
            let mut seen = BTreeSet::new();
            for (index, item) in items.iter().enumerate() {
                let place = path.index(index);
                if identity(kind, item).is_some_and(|id| !seen.insert(id)) {
                    causes.duplicate(&place);
                    if kind.list == Some(List::Map) {
                        causes.help(format!(
                            "items are told apart by {}",
                            kind.keys.join(" and ")
                        ));
                    }
                }
                if let Some(number) = kind.items {
                    lists(arena, number, item, &place, causes);
                }
            }
        }
        _ => {}
    }
}

/// What tells an item apart from the others; `None` where nothing does.
fn identity(kind: &Type, item: &Value) -> Option<String> {
    match kind.list? {
        List::Set => Some(canonical(item)),
        List::Map => {
            let keys = kind
                .keys
                .iter()
                .map(|key| item.get(key).map_or_else(String::new, canonical));
            Some(keys.collect::<Vec<_>>().join("\n"))
        }
        List::Atomic => None,
    }
}

/// A value as a text by which equal values are found.
fn canonical(value: &Value) -> String {
    match value.as_f64() {
        Some(number) => number.to_string(),
        None => value.to_string(),
    }
}

/// Whether a value is of a JSON type.
pub(in crate::admission) fn is_of(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Object => value.is_object(),
        Kind::Array => value.is_array(),
        Kind::String => value.is_string(),
        Kind::Boolean => value.is_boolean(),
        Kind::Number => value.is_number(),
        Kind::Integer => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|f| f.fract() == 0.0)
        }
    }
}

/// What a value is, in words.
pub(in crate::admission) fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(n) if n.is_f64() => "a number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

fn is_same(known: &Value, value: &Value) -> bool {
    known == value
        || known
            .as_f64()
            .zip(value.as_f64())
            .is_some_and(|(a, b)| a == b)
}

fn show(value: &Value) -> String {
    match value.as_str() {
        Some("") => "\"\"".to_owned(),
        Some(text) => text.to_owned(),
        None => value.to_string(),
    }
}
