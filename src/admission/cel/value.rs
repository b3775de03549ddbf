//! Values of expressions.

use std::cmp::Ordering;
use std::rc::Rc;

use serde_json::Value;

use super::library::{Cidr, Ip, Url};
use crate::admission::quantity::Quantity;
use crate::admission::schemas::{Arena, Kind, List, Number, Type};
use crate::admission::time;

/// A JSON value and its schema, where it has one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Typed<'v> {
    pub(crate) value: &'v Value,
    pub(crate) schema: Option<(&'v Arena, Number)>,
}

impl<'v> Typed<'v> {
    fn kind(&self) -> Option<&'v Type> {
        self.schema.map(|(arena, number)| arena.get(number))
    }

    fn with(&self, value: &'v Value, number: Option<Number>) -> Self {
        let schema = self.schema.zip(number).map(|((arena, _), n)| (arena, n));
        Self { value, schema }
    }

    fn of_field(&self, name: &str, value: &'v Value) -> Self {
        let number = self
            .kind()
            .and_then(|k| k.properties.get(name).copied().or(k.values));
        self.with(value, number)
    }

    fn of_item(&self, value: &'v Value) -> Self {
        self.with(value, self.kind().and_then(|k| k.items))
    }
}

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Cel<'v> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(Rc<str>),
    /// A string of the document, which is not copied.
    Text(&'v str),
    Bytes(Rc<[u8]>),
    /// A list or a map of the document.
    Json(Typed<'v>),
    List(Rc<Vec<Self>>),
    Map(Rc<Vec<(Self, Self)>>),
    /// Nanoseconds.
    Duration(i128),
    /// Nanoseconds since 1970.
    Timestamp(i128),
    Type(&'static str),
    Optional(Option<Rc<Self>>),
    Quantity(Quantity),
    Ip(Ip),
    Cidr(Cidr),
    Url(Rc<Url>),
    Semver(Rc<semver::Version>),
    Format(&'static str),
}

impl<'v> From<Typed<'v>> for Cel<'v> {
    fn from(typed: Typed<'v>) -> Self {
        let kind = typed.kind();
        match typed.value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(number) => of_number(number, kind),
            Value::String(text) => of_string(text, kind),
            Value::Array(_) | Value::Object(_) => Self::Json(typed),
        }
    }
}

fn of_number<'v>(number: &serde_json::Number, kind: Option<&Type>) -> Cel<'v> {
    let is_float = kind.is_some_and(|k| k.kind == Some(Kind::Number));
    let is_integer = kind.is_some_and(|k| k.kind == Some(Kind::Integer));
    match (number.as_i64(), number.as_f64()) {
        (Some(int), _) if !is_float => Cel::Int(int),
        #[expect(clippy::cast_possible_truncation, reason = "it is whole")]
        (_, Some(double)) if is_integer && double.fract() == 0.0 => Cel::Int(double as i64),
        (_, Some(double)) => Cel::Double(double),
        (_, None) => Cel::Null,
    }
}

fn of_string<'v>(text: &'v str, kind: Option<&Type>) -> Cel<'v> {
    match kind.and_then(|k| k.format.as_deref()) {
        Some("date-time") => time::timestamp(text).map_or(Cel::Text(text), Cel::Timestamp),
        Some("date") => time::date(text).map_or(Cel::Text(text), Cel::Timestamp),
        Some("duration") => time::duration(text).map_or(Cel::Text(text), Cel::Duration),
        Some("byte") => match crate::admission::base64::decode(text) {
            Some(bytes) => Cel::Bytes(bytes.into()),
            None => Cel::Text(text),
        },
        _ => Cel::Text(text),
    }
}

impl<'v> Cel<'v> {
    pub(crate) fn string(text: impl Into<Rc<str>>) -> Self {
        Self::String(text.into())
    }

    pub(crate) fn list(items: Vec<Self>) -> Self {
        Self::List(Rc::new(items))
    }

    /// The text of a string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The name of its type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) | Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Json(typed) if typed.value.is_array() => "list",
            Self::Json(_) | Self::Map(_) => "map",
            Self::List(_) => "list",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Type(_) => "type",
            Self::Optional(_) => "optional_type",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Url(_) => "kubernetes.URL",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Format(_) => "kubernetes.NamedFormat",
        }
    }

    /// The items of a list.
    pub(crate) fn items(&self) -> Option<Vec<Self>> {
        match self {
            Self::List(items) => Some(items.to_vec()),
            Self::Json(typed) => {
                let items = typed.value.as_array()?;
                Some(items.iter().map(|v| typed.of_item(v).into()).collect())
            }
            _ => None,
        }
    }

    /// The entries of a map; the keys of a document are those that an expression writes.
    pub(crate) fn entries(&self) -> Option<Vec<(Self, Self)>> {
        match self {
            Self::Map(entries) => Some(entries.to_vec()),
            Self::Json(typed) => {
                let fields = typed.value.as_object()?;
                let entry = |(key, value): (&'v String, &'v Value)| {
                    (Self::Text(key), typed.of_field(key, value).into())
                };
                Some(
                    fields
                        .iter()
                        .filter(|(_, v)| !v.is_null() || typed.schema.is_none())
                        .map(entry)
                        .collect(),
                )
            }
            _ => None,
        }
    }

    /// How many items, entries, characters or bytes it has.
    pub(crate) fn size(&self) -> Option<usize> {
        match self {
            Self::String(_) | Self::Text(_) => self.as_str().map(|t| t.chars().count()),
            Self::Bytes(bytes) => Some(bytes.len()),
            Self::List(items) => Some(items.len()),
            Self::Map(entries) => Some(entries.len()),
            Self::Json(typed) => match typed.value {
                Value::Array(items) => Some(items.len()),
                Value::Object(fields) => Some(fields.len()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The value of a key of a map.
    pub(crate) fn get(&self, key: &Self) -> Option<Self> {
        match self {
            Self::Map(entries) => entries
                .iter()
                .find(|(k, _)| k.equals(key))
                .map(|(_, v)| v.clone()),
            Self::Json(typed) => {
                let fields = typed.value.as_object()?;
                let name = key.as_str()?;
                let (name, value) = fields.get_key_value(name)?;
                // A null of a field that may be null is there; of any other it was not given.
                let is_given = !value.is_null() || typed.schema.is_none();
                is_given.then(|| typed.of_field(name, value).into())
            }
            _ => None,
        }
    }

    /// A field by the name that an expression gives it, where what is no identifier is escaped.
    pub(crate) fn field(&self, name: &str) -> Option<Self> {
        let by = |name: &str| self.get(&Cel::string(name));
        match self {
            Self::Json(typed) if typed.schema.is_some() && name.contains("__") => {
                by(&unescape(name)).or_else(|| by(name))
            }
            _ => by(name),
        }
    }

    /// The item at an index.
    pub(crate) fn at(&self, index: usize) -> Option<Self> {
        match self {
            Self::List(items) => items.get(index).cloned(),
            Self::Json(typed) => Some(typed.of_item(typed.value.as_array()?.get(index)?).into()),
            _ => None,
        }
    }

    /// Its value as a number, for comparisons across the kinds of numbers.
    fn number(&self) -> Option<Numeric> {
        match self {
            Self::Int(int) => Some(Numeric::Whole(i128::from(*int))),
            Self::Uint(uint) => Some(Numeric::Whole(i128::from(*uint))),
            Self::Double(double) => Some(Numeric::Double(*double)),
            _ => None,
        }
    }

    /// Compares two values of one kind; `None` where they cannot be.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        if let (Some(a), Some(b)) = (self.number(), other.number()) {
            return a.compare(b);
        }
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Bytes(a), Self::Bytes(b)) => Some(a.cmp(b)),
            (Self::Duration(a), Self::Duration(b)) | (Self::Timestamp(a), Self::Timestamp(b)) => {
                Some(a.cmp(b))
            }
            _ => Some(self.as_str()?.cmp(other.as_str()?)),
        }
    }

    /// Whether two values are equal; values of different kinds are not.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        if let (Some(a), Some(b)) = (self.number(), other.number()) {
            return a.compare(b) == Some(Ordering::Equal);
        }
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Type(a), Self::Type(b)) => a == b,
            (Self::Optional(a), Self::Optional(b)) => match (a, b) {
                (Some(a), Some(b)) => a.equals(b),
                (None, None) => true,
                _ => false,
            },
            (Self::Quantity(a), Self::Quantity(b)) => a == b,
            (Self::Ip(a), Self::Ip(b)) => a == b,
            (Self::Cidr(a), Self::Cidr(b)) => a == b,
            (Self::Url(a), Self::Url(b)) => a == b,
            (Self::Semver(a), Self::Semver(b)) => a == b,
            (Self::Format(a), Self::Format(b)) => a == b,
            (Self::Json(a), Self::Json(b)) if a.schema.is_none() && b.schema.is_none() => {
                a.value == b.value || self.equal_parts(other)
            }
            _ => match self.compare(other) {
                Some(order) => order == Ordering::Equal,
                None => self.equal_parts(other),
            },
        }
    }

    fn equal_parts(&self, other: &Self) -> bool {
        if let (Some(a), Some(b)) = (self.items(), other.items()) {
            if a.len() != b.len() {
                return false;
            }
            return match self.is_unordered() {
                true => a.iter().all(|x| b.iter().any(|y| x.equals(y))),
                false => a.iter().zip(&b).all(|(x, y)| x.equals(y)),
            };
        }
        match (self.entries(), other.entries()) {
            (Some(a), Some(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .all(|(key, value)| b.iter().any(|(k, v)| k.equals(key) && v.equals(value)))
            }
            _ => false,
        }
    }

    /// Whether it is a set or a list map of a document, whose order does not matter.
    fn is_unordered(&self) -> bool {
        match self {
            Self::Json(typed) => typed
                .kind()
                .is_some_and(|k| matches!(k.list, Some(List::Set | List::Map))),
            _ => false,
        }
    }
}

/// A field's own name from the form in which an expression writes it.
pub(super) fn unescape(name: &str) -> String {
    const WORDS: [&str; 18] = [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
    ];
    if let Some(word) = name.strip_prefix("__").and_then(|n| n.strip_suffix("__"))
        && WORDS.contains(&word)
    {
        return word.to_owned();
    }
    name.replace("__dot__", ".")
        .replace("__dash__", "-")
        .replace("__slash__", "/")
        .replace("__underscores__", "__")
}

#[derive(Clone, Copy)]
enum Numeric {
    Whole(i128),
    Double(f64),
}

impl Numeric {
    #[expect(clippy::cast_precision_loss, reason = "as Go compares them")]
    fn compare(self, other: Self) -> Option<Ordering> {
        let double = |n: Self| match n {
            Self::Whole(whole) => whole as f64,
            Self::Double(double) => double,
        };
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (a, b) => double(a).partial_cmp(&double(b)),
        }
    }
}
