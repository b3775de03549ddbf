//! Text that is markup already (`tojson`, `escape`, `safe`): what is added to it is escaped first.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::iterate::items;
use super::text::str_of;
use super::{List, strings};
use crate::template::filters::escaped;

/// The text of a value as a part of markup.
pub(super) fn text_of(value: &Value) -> String {
    let text = str_of(value);
    if value.is_safe() {
        text
    } else {
        escaped(&text)
    }
}

/// A method of markup: as one of strings, with the text that it puts in escaped; texts stay markup.
pub(super) fn method(
    state: &mut State<'_, '_>,
    value: &Value,
    name: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    let mut arguments = arguments.to_vec();
    match (name, &mut arguments[..]) {
        ("replace", [_, new, ..]) if new.kind() == ValueKind::String => {
            *new = Value::from(text_of(new));
        }
        ("join", [parts, ..]) => {
            let texts = items(state, parts)?;
            *parts = List::value(texts.iter().map(text_of).map(Value::from).collect());
        }
        ("format", given) => {
            for argument in given.iter_mut().filter(|a| a.kind() == ValueKind::String) {
                *argument = Value::from(text_of(argument));
            }
        }
        _ => {}
    }
    let result = strings::method(state, value, name, &arguments)?;
    Ok(match result.as_str() {
        Some(text) if result.kind() == ValueKind::String => {
            Value::from_safe_string(text.to_owned())
        }
        _ => result,
    })
}
