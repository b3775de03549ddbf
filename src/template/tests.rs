//! Jinja2's tests: what stands after `is`.

use minijinja::value::ValueKind;
use minijinja::{Error, State, UndefinedBehavior, Value};

use super::python::arguments::bind;
use super::python::compare::holds;
use super::python::iterate::assert_set;
use super::python::number::Number;
use super::python::text::str_of;
use super::python::views::Generator;
use super::python::{failed, undefined};

/// The body of a test.
pub(super) type Test = fn(&mut State<'_, '_>, &[Value]) -> Result<bool, Error>;

/// Every test by name; `filter` and `test` are added by the engine, which knows them all.
pub(super) const TABLE: &[(&str, Test)] = &[
    ("defined", |_, a| Ok(!of(a).is_undefined())),
    ("undefined", |_, a| Ok(of(a).is_undefined())),
    ("none", |_, a| Ok(of(a).is_none())),
    ("boolean", |_, a| Ok(of(a).kind() == ValueKind::Bool)),
    ("true", |_, a| Ok(is_bool(&of(a), true))),
    ("false", |_, a| Ok(is_bool(&of(a), false))),
    ("integer", |_, a| Ok(of(a).is_integer())),
    ("float", |_, a| Ok(of(a).is_number() && !of(a).is_integer())),
    ("number", |_, a| Ok(Number::of(&of(a)).is_some())),
    ("string", |_, a| Ok(of(a).kind() == ValueKind::String)),
    ("mapping", |_, a| Ok(of(a).kind() == ValueKind::Map)),
    ("sequence", |s, a| sequence(s, &of(a))),
    ("iterable", |s, a| iterable(s, &of(a))),
    ("callable", |_, a| Ok(callable(&of(a)))),
    ("escaped", |s, a| {
        // Jinja2's chainable unset value claims to be markup.
        let chains = of(a).is_undefined() && s.undefined_behavior() == UndefinedBehavior::Chainable;
        Ok(of(a).is_safe() || chains)
    }),
    ("lower", |s, a| {
        cased(s, a, char::is_lowercase, char::is_uppercase)
    }),
    ("upper", |s, a| {
        cased(s, a, char::is_uppercase, char::is_lowercase)
    }),
    ("odd", |_, a| Ok(remainder(a, 2)? == 1)),
    ("even", |_, a| Ok(remainder(a, 2)? == 0)),
    ("divisibleby", divisible),
    ("sameas", same),
    ("in", |s, a| two(s, "in", a)),
    ("eq", |s, a| two(s, "==", a)),
    ("equalto", |s, a| two(s, "==", a)),
    ("==", |s, a| two(s, "==", a)),
    ("ne", |s, a| two(s, "!=", a)),
    ("!=", |s, a| two(s, "!=", a)),
    ("lt", |s, a| two(s, "<", a)),
    ("lessthan", |s, a| two(s, "<", a)),
    ("<", |s, a| two(s, "<", a)),
    ("le", |s, a| two(s, "<=", a)),
    ("<=", |s, a| two(s, "<=", a)),
    ("gt", |s, a| two(s, ">", a)),
    ("greaterthan", |s, a| two(s, ">", a)),
    (">", |s, a| two(s, ">", a)),
    ("ge", |s, a| two(s, ">=", a)),
    (">=", |s, a| two(s, ">=", a)),
];

fn of(arguments: &[Value]) -> Value {
    arguments.first().cloned().unwrap_or_default()
}

fn is_bool(value: &Value, wanted: bool) -> bool {
    value.kind() == ValueKind::Bool && value.is_true() == wanted
}

fn sequence(state: &mut State<'_, '_>, value: &Value) -> Result<bool, Error> {
    // An unset value has a length and items, but in a strict language: Jinja2 calls it a sequence.
    if value.is_undefined() {
        return Ok(state.undefined_behavior() != UndefinedBehavior::Strict);
    }
    Ok(matches!(
        value.kind(),
        ValueKind::Seq | ValueKind::Map | ValueKind::String | ValueKind::Bytes
    ))
}

fn iterable(state: &mut State<'_, '_>, value: &Value) -> Result<bool, Error> {
    assert_set(state, value)?;
    Ok(matches!(
        value.kind(),
        ValueKind::Seq
            | ValueKind::Map
            | ValueKind::String
            | ValueKind::Bytes
            | ValueKind::Iterable
            | ValueKind::Undefined
    ))
}

/// Functions, macros and methods; Python calls an unset value callable, too.
fn callable(value: &Value) -> bool {
    value.is_undefined()
        || value.as_object().is_some_and(|o| {
            let name = o.type_name();
            (value.kind() == ValueKind::Plain && value.downcast_object_ref::<Generator>().is_none())
                || name.ends_with("::Macro")
                || name.contains("Function")
        })
}

fn cased(
    state: &mut State<'_, '_>,
    arguments: &[Value],
    wanted: fn(char) -> bool,
    refused: fn(char) -> bool,
) -> Result<bool, Error> {
    assert_set(state, &of(arguments))?;
    let text = str_of(&of(arguments));
    Ok(text.chars().any(wanted) && !text.chars().any(refused))
}

fn remainder(arguments: &[Value], divisor: i128) -> Result<i128, Error> {
    let value = of(arguments);
    if value.is_undefined() {
        return Err(undefined());
    }
    match Number::of(&value) {
        Some(Number::Integer(i)) if divisor != 0 => Ok(i.rem_euclid(divisor)),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "only whole floats get here"
        )]
        Some(Number::Float(f)) if f.fract() == 0.0 && f.abs() < 1e38 => {
            Ok((f as i128).rem_euclid(divisor))
        }
        Some(Number::Float(_)) => Ok(-1),
        _ => Err(failed("the test wants a number")),
    }
}

fn divisible(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<bool, Error> {
    let [value, divisor] = bind("divisibleby", arguments, ["value", "num"])?;
    let divisor = divisor.and_then(|d| d.as_i64()).filter(|d| *d != 0);
    let divisor = divisor.ok_or_else(|| failed("divisibleby wants a number that is not 0"))?;
    Ok(remainder(&[value.unwrap_or_default()], i128::from(divisor))? == 0)
}

/// The same object; of values that have no identity, the same value and type.
fn same(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<bool, Error> {
    let [a, b] = bind("sameas", arguments, ["value", "other"])?;
    let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
    Ok(match (a.as_object(), b.as_object()) {
        (Some(_), Some(_)) => false,
        _ => a.kind() == b.kind() && a.is_integer() == b.is_integer() && a == b,
    })
}

fn two(state: &mut State<'_, '_>, operator: &str, arguments: &[Value]) -> Result<bool, Error> {
    let [a, b] = bind(operator, arguments, ["a", "b"])?;
    holds(
        state,
        operator,
        &a.unwrap_or_default(),
        &b.unwrap_or_default(),
    )
}
