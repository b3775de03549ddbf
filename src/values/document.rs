//! Reads one file of values: YAML as PyYAML does, TOML, JSON.

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::merged::{Content, From, MergedValue, Origin};
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::yaml::{self, DuplicateKeys, Node, Number, ParseOptions, Schema, SyntaxKind, Tag};

/// What becomes of a key that a YAML mapping has twice.
pub(super) type Duplicates = DuplicateKeys;

/// The files that hold values, by the endings of their names.
pub(super) const ENDINGS: &[&str] = &[".yaml", ".yml", ".toml", ".json"];

/// A file of values as it was read.
pub(super) struct Text<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
    pub(super) from: From,
    pub(super) duplicates: Duplicates,
}

impl Text<'_> {
    fn origin(&self, line: u32, column: u32) -> Arc<Origin> {
        Arc::new(Origin {
            from: self.from,
            place: Place::new(self.path, line, column),
        })
    }

    fn wrong(&self, line: u32, column: u32, phrase: &str) -> Diagnostic {
        Diagnostic::new(Code::ValuesInvalid, phrase).at(Place::new(self.path, line, column))
    }

    fn no_mapping(&self, line: u32, column: u32) -> Diagnostic {
        self.wrong(line, column, "the values are no mapping")
            .help("a file of values has a name before each value: `name: value`")
    }

    /// Reads the file by its ending.
    ///
    /// Fails with [`Code::ValuesInvalid`], and with the codes of YAML.
    pub(super) fn read(&self) -> Result<MergedValue> {
        if self.path.ends_with(".toml") {
            self.toml()
        } else if self.path.ends_with(".json") {
            self.json()
        } else {
            self.yaml()
        }
    }

    /// Every document of a stream, later ones on top.
    fn yaml(&self) -> Result<MergedValue> {
        let options = ParseOptions {
            schema: Schema::Python,
            duplicate_keys: self.duplicates,
            ..ParseOptions::default()
        };
        let source = Source::committed(self.path);
        let documents = yaml::parse(self.text, options).map_err(|e| match e.kind {
            SyntaxKind::DuplicateKey => e.at(&source),
            _ if self.from == From::Sealed => {
                self.wrong(e.mark.line, e.mark.column, "this is not YAML")
            }
            _ => e.at(&source),
        })?;
        let mut merged = MergedValue::empty();
        for document in &documents {
            if document.is_null() && document.scalar_text() == Some("") {
                continue;
            }
            let mark = document.mark();
            if document.as_mapping().is_none() {
                return Err(self.no_mapping(mark.line, mark.column));
            }
            merged.lay(self.node(document), false);
        }
        Ok(merged)
    }

    fn node(&self, node: &Node) -> MergedValue {
        let mark = node.mark();
        let origin = self.origin(mark.line, mark.column);
        let content = match node.value() {
            yaml::Value::Scalar(text) => Content::Scalar(scalar(node.tag(), text)),
            yaml::Value::Sequence(items) => {
                Content::List(items.iter().map(|i| self.node(i)).collect())
            }
            yaml::Value::Mapping(mapping) => {
                let entries = mapping.entries().iter().map(|entry| {
                    let key = self.key(&entry.key);
                    let mut value = self.node(&entry.value);
                    if value.entries().is_none() {
                        let mark = entry.key.mark();
                        value.origin = self.origin(mark.line, mark.column);
                    }
                    (key, value)
                });
                Content::Map(entries.collect())
            }
        };
        MergedValue { content, origin }
    }

    fn key(&self, key: &Node) -> Value {
        match key.value() {
            yaml::Value::Scalar(text) => scalar(key.tag(), text),
            _ => self.node(key).to_value(),
        }
    }

    fn toml(&self) -> Result<MergedValue> {
        let document = DeTable::parse(self.text).map_err(|e| {
            let (line, column) = position(self.text, e.span().map_or(0, |s| s.start));
            let duplicate = e.message().contains("duplicate");
            self.wrong(
                line,
                column,
                if duplicate {
                    "a key stands twice"
                } else {
                    "this is not TOML"
                },
            )
        })?;
        Ok(self.toml_table(document.get_ref(), 0))
    }

    fn toml_table(&self, table: &DeTable<'_>, at: usize) -> MergedValue {
        let (line, column) = position(self.text, at);
        let entries = table.iter().map(|(key, value)| {
            let mut held = self.toml_value(value);
            if held.entries().is_none() {
                let (line, column) = position(self.text, key.span().start);
                held.origin = self.origin(line, column);
            }
            (Value::from(&**key.get_ref()), held)
        });
        MergedValue {
            content: Content::Map(entries.collect()),
            origin: self.origin(line, column),
        }
    }

    fn toml_value(&self, value: &Spanned<DeValue<'_>>) -> MergedValue {
        let at = value.span().start;
        let content = match value.get_ref() {
            DeValue::Table(table) => return self.toml_table(table, at),
            DeValue::Array(items) => {
                Content::List(items.iter().map(|i| self.toml_value(i)).collect())
            }
            DeValue::String(text) => Content::Scalar(Value::from(&**text)),
            DeValue::Boolean(flag) => Content::Scalar(Value::from(*flag)),
            DeValue::Datetime(datetime) => {
                Content::Scalar(Value::from(timestamp(&datetime.to_string())))
            }
            DeValue::Integer(integer) => {
                let parsed = i128::from_str_radix(integer.as_str(), integer.radix());
                Content::Scalar(parsed.map_or_else(|_| Value::from(0), whole))
            }
            DeValue::Float(float) => {
                let text = float.as_str().replace('_', "");
                Content::Scalar(Value::from(text.parse::<f64>().unwrap_or(f64::NAN)))
            }
        };
        let (line, column) = position(self.text, at);
        MergedValue {
            content,
            origin: self.origin(line, column),
        }
    }

    fn json(&self) -> Result<MergedValue> {
        let parsed: serde_json::Value = serde_json::from_str(self.text).map_err(|e| {
            let number = |n: usize| u32::try_from(n).unwrap_or(0);
            self.wrong(number(e.line()), number(e.column()), "this is not JSON")
        })?;
        if !parsed.is_object() {
            return Err(self.no_mapping(1, 1));
        }
        let held = self.json_value(&parsed, &self.origin(0, 0));
        Ok(held)
    }

    fn json_value(&self, value: &serde_json::Value, origin: &Arc<Origin>) -> MergedValue {
        use serde_json::Value as Json;
        let content = match value {
            Json::Null => Content::Scalar(Value::from(())),
            Json::Bool(flag) => Content::Scalar(Value::from(*flag)),
            Json::String(text) => Content::Scalar(Value::from(text.as_str())),
            Json::Number(number) => Content::Scalar(match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) => Value::from(integer),
                (_, Some(integer)) => Value::from(integer),
                _ => Value::from(number.as_f64().unwrap_or(f64::NAN)),
            }),
            Json::Array(items) => {
                Content::List(items.iter().map(|i| self.json_value(i, origin)).collect())
            }
            Json::Object(entries) => {
                let entries: IndexMap<Value, MergedValue> = entries
                    .iter()
                    .map(|(key, value)| (Value::from(key.as_str()), self.json_value(value, origin)))
                    .collect();
                Content::Map(entries)
            }
        };
        MergedValue {
            content,
            origin: Arc::clone(origin),
        }
    }
}

/// The value of a scalar that PyYAML's rules have typed.
pub(super) fn scalar(tag: Tag, text: &str) -> Value {
    match tag {
        Tag::Null => Value::from(()),
        Tag::Bool => Value::from(matches!(text, "true" | "True" | "TRUE")),
        Tag::Int => match text.parse::<i128>() {
            Ok(integer) => whole(integer),
            Err(_) => number(text),
        },
        Tag::Float => number(text),
        Tag::Timestamp => Value::from(timestamp(text)),
        _ => Value::from(text),
    }
}

fn whole(integer: i128) -> Value {
    match i64::try_from(integer) {
        Ok(small) => Value::from(small),
        Err(_) => Value::from(integer),
    }
}

fn number(text: &str) -> Value {
    match Number::parse(text) {
        Some(Number::Int(integer)) => Value::from(integer),
        Some(Number::Uint(integer)) => Value::from(integer),
        Some(Number::Float(float)) => Value::from(float),
        None => Value::from(text),
    }
}

/// A date or time as Python prints the `datetime` that PyYAML and tomllib make of it; other texts as they are.
fn timestamp(text: &str) -> String {
    moment(text).unwrap_or_else(|| text.to_owned())
}

/// PyYAML 6 `SafeConstructor.construct_yaml_timestamp`, then `datetime.__str__`: fractions are cut to microseconds, and
/// an offset is printed with two digits each.
fn moment(text: &str) -> Option<String> {
    let at = text.find(['T', 't', ' ', '\t']);
    let (date, time) = at.map_or((text, ""), |at| (&text[..at], text[at + 1..].trim()));
    let date = match date.contains(':') {
        // A time alone, which TOML has.
        true => return clock(date),
        false => numbers(date, '-')?,
    };
    let [year, month, day] = date[..] else {
        return None;
    };
    let date = format!("{year:04}-{month:02}-{day:02}");
    if time.is_empty() {
        return Some(date);
    }
    let (time, zone) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => (time[..at].trim_end(), offset(&time[at..])?),
        None => (time, String::new()),
    };
    Some(format!("{date} {}{zone}", clock(time)?))
}

/// `hours:minutes:seconds`, with microseconds where there are any.
fn clock(time: &str) -> Option<String> {
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    let [hours, minutes, seconds] = numbers(whole, ':')?[..] else {
        return None;
    };
    let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let micros: u32 = digits.parse().ok()?;
    let tail = match micros {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    Some(format!("{hours:02}:{minutes:02}:{seconds:02}{tail}"))
}

/// `Z`, `-5` or `+05:30` as Python prints an offset.
fn offset(zone: &str) -> Option<String> {
    let (sign, rest) = zone.split_at(1);
    if sign.eq_ignore_ascii_case("z") {
        return rest.is_empty().then(|| "+00:00".to_owned());
    }
    let parts = numbers(rest, ':')?;
    let (hours, minutes) = (parts.first()?, parts.get(1).unwrap_or(&0));
    // An offset of nothing is +00:00, whatever its sign.
    let sign = if (*hours, *minutes) == (0, 0) {
        "+"
    } else {
        sign
    };
    Some(format!("{sign}{hours:02}:{minutes:02}"))
}

fn numbers(text: &str, separator: char) -> Option<Vec<u32>> {
    text.split(separator)
        .map(|part| part.parse().ok().filter(|_| !part.starts_with('+')))
        .collect()
}

/// Line and column of a byte.
fn position(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before[before.rfind('\n').map_or(0, |n| n + 1)..]
        .chars()
        .count()
        + 1;
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    (number(line), number(column))
}
