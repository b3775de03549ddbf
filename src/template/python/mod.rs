//! What values are in Python: lists and dicts that can be changed, how a value prints, how operators work.
//!
//! MiniJinja's values are close to Python's; each file here mends one difference.

pub(super) mod arguments;
pub(super) mod bytes;
pub(super) mod compare;
pub(super) mod dict;
pub(super) mod format;
pub(super) mod iterate;
pub(super) mod list;
pub(super) mod markup;
pub(super) mod number;
pub(super) mod operators;
pub(super) mod printf;
pub(super) mod strings;
pub(super) mod text;
pub(super) mod views;

use minijinja::value::{Tuple, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

use super::own_message::OwnMessage;

pub(super) use dict::Dict;
pub(super) use list::List;

/// A filter, function or method body: positional arguments, the named ones last.
pub(super) type Native = fn(&mut State<'_, '_>, &[Value]) -> Result<Value, Error>;

/// The error of an operation that these values do not have. The phrase holds no value.
pub(super) fn failed(phrase: impl Into<String>) -> Error {
    Error::from(ErrorKind::InvalidOperation).with_source(OwnMessage(phrase.into()))
}

/// The error of what would go past a limit.
pub(super) fn too_much(phrase: impl Into<String>) -> Error {
    Error::from(ErrorKind::OutOfFuel).with_source(OwnMessage(phrase.into()))
}

/// Fuel above the limit, so that it ends where a place can be told: the engine's own end has none. A loop over a
/// whole range that calls nothing fits into it.
pub(super) const RESERVE: u64 = 500_000;

/// Ends a render whose fuel is used up.
pub(super) fn charge(state: &State<'_, '_>) -> Result<(), Error> {
    match state.fuel_levels() {
        Some((_, left)) if left < RESERVE => {
            Err(too_much("the template works too long or gives too much"))
        }
        _ => Ok(()),
    }
}

/// The error of a use of an unset name.
pub(super) fn undefined() -> Error {
    Error::from(ErrorKind::UndefinedError)
}

/// What Python calls the type of a value.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "an unset name",
        ValueKind::None => "none",
        ValueKind::Bool => "a boolean",
        ValueKind::Number if value.is_integer() => "an integer",
        ValueKind::Number => "a float",
        ValueKind::String => "a string",
        ValueKind::Bytes => "bytes",
        ValueKind::Seq if is_tuple(value) => "a tuple",
        ValueKind::Seq => "a list",
        ValueKind::Map => "a mapping",
        ValueKind::Iterable => "a generator",
        _ => "an object",
    }
}

/// Whether a value is a tuple.
pub(super) fn is_tuple(value: &Value) -> bool {
    value.is_tuple()
}

/// Builds a tuple.
pub(super) fn tuple(items: Vec<Value>) -> Value {
    Value::from(Tuple::new(items))
}

/// Turns MiniJinja's own lists and maps into ours, all the way down; ours are copied.
pub(super) fn own(value: &Value) -> Value {
    match value.kind() {
        ValueKind::Seq if !is_tuple(value) && iterate::is_plain_sequence(value) => {
            let items = value.try_iter().into_iter().flatten();
            List::value(items.map(|item| own(&item)).collect())
        }
        ValueKind::Seq if is_tuple(value) => {
            let items = value.try_iter().into_iter().flatten();
            tuple(items.map(|item| own(&item)).collect())
        }
        ValueKind::Map if iterate::is_plain_map(value) => {
            let pairs = value.as_object().and_then(|o| o.try_iter_pairs());
            let pairs = pairs.into_iter().flatten();
            Dict::value(pairs.map(|(key, value)| (key, own(&value))).collect())
        }
        _ => value.clone(),
    }
}

/// Calls a method that MiniJinja does not know: of strings, tuples and its own lists and maps.
pub(super) fn method(
    state: &mut State<'_, '_>,
    value: &Value,
    name: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::String if value.is_safe() => markup::method(state, value, name, arguments),
        ValueKind::String => strings::method(state, value, name, arguments),
        ValueKind::Bytes => bytes::method(value, name, arguments),
        ValueKind::Number | ValueKind::Bool => number::method(value, name, arguments),
        ValueKind::Seq => list::sequence_method(value, name, arguments),
        ValueKind::Map => match own(value).downcast_object::<Dict>() {
            Some(dict) => dict.method(name, arguments),
            None => Err(Error::from(ErrorKind::UnknownMethod)),
        },
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}
