//! Reads an object of a built-in kind as Go's JSON decoder does: strict, `null` as not given.
//!
//! `sigs.k8s.io/json` into the types of `k8s.io/api` v0.34 is the reference. A null field is left out, a null in a map
//! or a list becomes the empty value of its type, a whole number may be written as `2.0`, and quantities, times and
//! base64 are read here already. A name is refused where it differs in case.

use serde_json::{Map, Value};

use crate::admission::base64;
use crate::admission::later::is_later;
use crate::admission::path::Path;
use crate::admission::quantity::{Malformed, Quantity};
use crate::admission::schemas::{Arena, Kind, Number, Reader, Type};
use crate::admission::structural::{name_of, suggest};
use crate::admission::time;
use crate::admission::verdict::{Causes, Reason};

/// Reads a value in place: what is left of it is what Go would hold.
pub(super) fn decode(
    arena: &Arena,
    number: Number,
    value: &mut Value,
    path: &Path<'_>,
    faults: &mut Faults<'_>,
) {
    Decoder { arena, faults }.value(number, value, path);
}

/// Where faults go: what cannot be read, and what a strict reader does not know.
pub(super) struct Faults<'f> {
    pub(super) errors: &'f mut Causes,
    pub(super) unknown: &'f mut Causes,
}

struct Decoder<'d, 'f> {
    arena: &'d Arena,
    faults: &'d mut Faults<'f>,
}

impl Decoder<'_, '_> {
    fn value(&mut self, number: Number, value: &mut Value, path: &Path<'_>) {
        let kind = self.arena.get(number);
        if value.as_str().is_some_and(is_later) {
            return;
        }
        if let Some(reader) = kind.go {
            return self.own_reader(reader, value, path);
        }
        match (kind.kind, &mut *value) {
            (Some(Kind::Object), Value::Object(fields)) => self.object(kind, fields, path),
            (Some(Kind::Array), Value::Array(items)) => {
                let Some(number) = kind.items else { return };
                for (index, item) in items.iter_mut().enumerate() {
                    if item.is_null() {
                        *item = self.zero(number);
                    }
                    self.value(number, item, &path.index(index));
                }
            }
            (Some(Kind::String), Value::String(text)) => {
                if kind.format.as_deref() == Some("byte") && base64::decode(text).is_none() {
                    self.wrong(path, "is not base64");
                    self.faults
                        .errors
                        .help("write plain text below stringData instead");
                }
            }
            (Some(Kind::Boolean), Value::Bool(_)) | (None, _) => {}
            (Some(Kind::Integer), Value::Number(_)) => self.integer(kind, value, path),
            (Some(Kind::Number), Value::Number(_)) => {}
            (Some(wanted), _) => {
                self.mismatch(wanted.as_str(), wanted == Kind::String, value, path);
            }
        }
    }

    fn wrong(&mut self, path: &Path<'_>, message: &str) {
        self.faults.errors.add(path, Reason::Decode, message);
    }

    fn mismatch(&mut self, wanted: &str, is_string: bool, value: &Value, path: &Path<'_>) {
        self.wrong(
            path,
            &format!("is {}, and must be {wanted}", name_of(value)),
        );
        if is_string && !value.is_object() && !value.is_array() {
            self.faults.errors.help("write it in quotes");
        }
    }

    /// The value of Go's own for a type.
    fn zero(&self, number: Number) -> Value {
        let kind = self.arena.get(number);
        match (kind.go, kind.kind) {
            (None, Some(Kind::Object)) => Value::Object(Map::new()),
            (None, Some(Kind::Array)) => Value::Array(Vec::new()),
            (None, Some(Kind::String)) => Value::String(String::new()),
            (None, Some(Kind::Boolean)) => Value::Bool(false),
            (None, Some(Kind::Integer | Kind::Number)) | (Some(Reader::IntOrString), _) => {
                Value::from(0)
            }
            (Some(Reader::Quantity), _) => Value::from("0"),
            _ => Value::Null,
        }
    }

    fn object(&mut self, kind: &Type, fields: &mut Map<String, Value>, path: &Path<'_>) {
        let (values, is_map) = (kind.values, kind.values.is_some());
        if is_map {
            for (name, value) in fields.iter_mut() {
                if let (true, Some(number)) = (value.is_null(), values) {
                    *value = self.zero(number);
                }
                if let Some(number) = values {
                    self.value(number, value, &path.key(name));
                }
            }
            return;
        }
        if kind.properties.is_empty() && kind.kind == Some(Kind::Object) && !fields.is_empty() {
            // A struct without fields.
            for name in fields.keys() {
                self.faults
                    .unknown
                    .add(&path.field(name), Reason::Unknown, "is unknown");
            }
            return;
        }
        for (name, value) in fields.iter_mut() {
            let place = path.field(name);
            match kind.properties.get(name) {
                Some(number) if !value.is_null() => self.value(*number, value, &place),
                Some(_) => {}
                None => {
                    self.faults
                        .unknown
                        .add(&place, Reason::Unknown, "is unknown");
                    suggest(self.faults.unknown, kind, name);
                }
            }
        }
        fields.retain(|name, value| !value.is_null() && kind.properties.contains_key(name));
    }

    fn integer(&mut self, kind: &Type, value: &mut Value, path: &Path<'_>) {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
        if let Some(float) = value
            .as_f64()
            .filter(|f| value.is_f64() && f.fract() == 0.0 && f.abs() < 9e15)
        {
            *value = Value::from(float as i64);
        }
        let fits = match (value.as_i64(), kind.format.as_deref()) {
            (Some(int), Some("int32")) => i32::try_from(int).is_ok(),
            (Some(_), _) => true,
            (None, _) => false,
        };
        if !fits {
            let bits = if kind.format.as_deref() == Some("int32") {
                32
            } else {
                64
            };
            self.wrong(path, &format!("must be a whole number of {bits} bits"));
        }
    }

    fn own_reader(&mut self, reader: Reader, value: &mut Value, path: &Path<'_>) {
        match (reader, &*value) {
            (Reader::Any, _) | (_, Value::Null) => {}
            (Reader::Quantity, Value::String(text)) => self.quantity(text, path),
            (Reader::Quantity, Value::Number(number)) => *value = Value::from(number.to_string()),
            (Reader::Time, Value::String(text)) if time::timestamp(text).is_none() => {
                self.wrong(
                    path,
                    "is not a time of RFC 3339 such as 2006-01-02T15:04:05Z",
                );
            }
            (Reader::Duration, Value::String(text)) if time::duration(text).is_none() => {
                self.wrong(path, "is not a duration such as 1h30m");
            }
            (Reader::Time | Reader::Duration, Value::String(_)) => {}
            (Reader::IntOrString, Value::String(_)) => {}
            (Reader::IntOrString, Value::Number(number)) => {
                let int = number.as_i64().filter(|int| i32::try_from(*int).is_ok());
                #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
                let whole = number
                    .as_f64()
                    .filter(|f| f.fract() == 0.0 && f.abs() < 2e9)
                    .map(|f| f as i64);
                match int.or(whole) {
                    Some(int) => *value = Value::from(int),
                    None => self.wrong(path, "must be a whole number of 32 bits or a string"),
                }
            }
            (Reader::Quantity, _) => self.mismatch("a quantity", false, value, path),
            (Reader::IntOrString, _) => {
                self.mismatch("a whole number or a string", false, value, path);
            }
            (Reader::Time | Reader::Duration, _) => self.mismatch("a string", true, value, path),
        }
    }

    fn quantity(&mut self, text: &str, path: &Path<'_>) {
        match Quantity::parse(text) {
            Ok(_) => {}
            Err(Malformed::Form) => {
                self.wrong(path, "is not a quantity");
                self.faults
                    .errors
                    .help("write a number with a suffix such as m, k, M, G, Ki, Mi or Gi");
            }
            Err(Malformed::Suffix) => {
                self.wrong(path, "is a quantity with an unknown suffix");
                self.faults
                    .errors
                    .help("the suffixes are n, u, m, k, M, G, T, P, E and Ki, Mi, Gi, Ti, Pi, Ei");
            }
        }
    }
}

/// Sets the defaults that the schema of a built-in kind carries.
pub(super) fn set_defaults(arena: &Arena, number: Number, value: &mut Value) {
    let kind = arena.get(number);
    match value {
        Value::Object(fields) if kind.go.is_none() => {
            for (name, number) in &kind.properties {
                let default = arena.get(*number).default.as_ref().filter(|d| !is_zero(d));
                if let Some(default) = default.filter(|_| fields.get(name).is_none_or(is_zero_text))
                {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in fields.iter_mut() {
                if let Some(number) = kind.properties.get(name).copied().or(kind.values) {
                    set_defaults(arena, number, value);
                }
            }
        }
        Value::Array(items) => {
            let Some(number) = kind.items else { return };
            for item in items {
                set_defaults(arena, number, item);
            }
        }
        _ => {}
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// An empty string is as not given, where there is a default.
fn is_zero_text(value: &Value) -> bool {
    value.as_str() == Some("")
}
