//! The filter `tojson`.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use crate::template::python::arguments::bind;
use crate::template::python::compare::sorted;
use crate::template::python::iterate::is_plain_sequence;
use crate::template::python::text::{float, str_of};
use crate::template::python::views::Generator;
use crate::template::python::{Native, failed, type_name};

pub(super) const TABLE: &[(&str, Native)] = &[("tojson", tojson)];

/// Deeper values are mistakes.
const MAX_DEPTH: usize = 200;

fn tojson(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, indent] = bind("tojson", arguments, ["value", "indent"])?;
    let indent = indent
        .filter(|i| !i.is_none())
        .map(|indent| match indent.as_i64() {
            Some(width) => " ".repeat(usize::try_from(width.clamp(0, 64)).unwrap_or(0)),
            None => str_of(&indent),
        });
    let value = value.unwrap_or_default();
    crate::template::python::iterate::assert_set(state, &value)?;
    crate::template::python::iterate::measure(&value)?;
    let mut writer = Writer {
        out: String::new(),
        indent,
    };
    writer.value(&value, 0)?;
    state.consume_fuel((writer.out.len() / 16) as u64)?;
    let safe = writer
        .out
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\'', "\\u0027");
    Ok(Value::from_safe_string(safe))
}

/// Python's `json.dumps` with sorted keys.
struct Writer {
    out: String,
    indent: Option<String>,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(failed("the value is nested too deep"));
        }
        match value.kind() {
            ValueKind::None => self.out.push_str("null"),
            ValueKind::Bool => self
                .out
                .push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number if value.is_integer() => self.out.push_str(&str_of(value)),
            ValueKind::Number => self.float(f64::try_from(value.clone()).unwrap_or(f64::NAN)),
            ValueKind::String => self.string(value.as_str().unwrap_or_default()),
            ValueKind::Seq if value.is_tuple() || is_plain_sequence(value) => {
                let items: Vec<Value> = value.try_iter()?.collect();
                self.sequence(&items, depth)?;
            }
            ValueKind::Map => self.mapping(value, depth)?,
            _ => {
                let kind = if value.downcast_object_ref::<Generator>().is_some() {
                    "a generator"
                } else {
                    type_name(value)
                };
                return Err(failed(format!("{kind} cannot become JSON")));
            }
        }
        Ok(())
    }

    fn float(&mut self, value: f64) {
        if value.is_nan() {
            self.out.push_str("NaN");
        } else if value.is_infinite() {
            self.out
                .push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
        } else {
            self.out.push_str(&float(value));
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                ' '..='~' => self.out.push(character),
                _ => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        self.out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
            }
        }
        self.out.push('"');
    }

    /// A new line of the indented form, or a blank after a comma of the other.
    fn separate(&mut self, first: bool, depth: usize) {
        if !first {
            self.out.push(',');
        }
        match &self.indent {
            Some(indent) => {
                self.out.push('\n');
                self.out.push_str(&indent.repeat(depth));
            }
            None if !first => self.out.push(' '),
            None => {}
        }
    }

    fn sequence(&mut self, items: &[Value], depth: usize) -> Result<(), Error> {
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            self.separate(index == 0, depth + 1);
            self.value(item, depth + 1)?;
        }
        self.close(']', items.is_empty(), depth);
        Ok(())
    }

    fn close(&mut self, bracket: char, empty: bool, depth: usize) {
        if !empty && self.indent.is_some() {
            self.separate(true, depth);
        }
        self.out.push(bracket);
    }

    fn mapping(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let keys: Vec<Value> = value.try_iter()?.collect();
        let keys = sorted(keys.into_iter().map(|k| (k.clone(), k)).collect(), false)?;
        self.out.push('{');
        for (index, key) in keys.iter().enumerate() {
            self.separate(index == 0, depth + 1);
            match key.kind() {
                ValueKind::String => self.string(key.as_str().unwrap_or_default()),
                ValueKind::None | ValueKind::Bool | ValueKind::Number => {
                    self.out.push('"');
                    self.value(key, depth)?;
                    self.out.push('"');
                }
                _ => {
                    return Err(failed(format!(
                        "{} cannot be a key of JSON",
                        type_name(key)
                    )));
                }
            }
            self.out.push_str(": ");
            self.value(&value.get_item(key)?, depth + 1)?;
        }
        self.close('}', keys.is_empty(), depth);
        Ok(())
    }
}
