//! Jinja2's global functions.

use minijinja::value::ValueOrKwargs;
use minijinja::{Error, State, Value};

use super::python::arguments::{bind, split};
use super::python::iterate::pairs;
use super::python::number::Number;
use super::python::views::{Cycler, Joiner, Range};
use super::python::{Dict, Native, failed, too_much};

/// Every function by name, but `range`, whose cap is a setting.
pub(super) const TABLE: &[(&str, Native)] = &[
    ("cycler", cycler),
    ("dict", dict),
    ("joiner", |_, a| {
        let [sep] = bind("joiner", a, ["sep"])?;
        Ok(Joiner::value(sep.unwrap_or_else(|| Value::from(", "))))
    }),
    ("lipsum", lipsum),
    ("namespace", |state, a| {
        let values = dict(state, a)?;
        minijinja::functions::namespace(Some(ValueOrKwargs::from(values)))
    }),
];

/// Numbers from `start` up to `stop`.
pub(super) fn range(arguments: &[Value], cap: usize) -> Result<Value, Error> {
    let [start, stop, step] = bind("range", arguments, ["start", "stop", "step"])?;
    let integer = |value: Option<Value>| match value {
        None => Ok(None),
        Some(value) => match Number::of(&value) {
            Some(Number::Integer(i)) => i64::try_from(i)
                .map(Some)
                .map_err(|_| failed("range goes too far")),
            _ => Err(failed("range wants integers")),
        },
    };
    let (start, stop, step) = (integer(start)?, integer(stop)?, integer(step)?);
    let (start, stop) = match (start, stop) {
        (Some(stop), None) => (0, stop),
        (Some(start), Some(stop)) => (start, stop),
        (None, _) => return Err(failed("range wants an integer")),
    };
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(failed("range cannot step by 0"));
    }
    let range = Range { start, stop, step };
    if range.length() > cap {
        return Err(too_much(format!("range gives more than {cap} numbers")));
    }
    Ok(Value::from_object(range))
}

fn dict(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let (positional, named) = split(arguments);
    let mut entries = indexmap::IndexMap::new();
    for source in positional {
        entries.extend(pairs(source)?);
    }
    entries.extend(named);
    Ok(Dict::value(entries))
}

fn cycler(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    if arguments.is_empty() {
        return Err(failed("cycler wants at least one item"));
    }
    Ok(Cycler::value(arguments.to_vec()))
}

/// Filler text; the same at every call, since the same input gives the same bytes.
fn lipsum(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    const TEXT: &str = "Lorem ipsum dolor sit amet consectetur adipiscing elit.";
    let [count, html, _, _] = bind("lipsum", arguments, ["n", "html", "min", "max"])?;
    let count = count.and_then(|c| c.as_usize()).unwrap_or(5).min(1000);
    let html = html.is_none_or(|h| h.is_true());
    let paragraph = if html {
        format!("<p>{TEXT}</p>")
    } else {
        TEXT.to_owned()
    };
    let separator = if html { "\n" } else { "\n\n" };
    Ok(Value::from_safe_string(
        vec![paragraph; count].join(separator),
    ))
}
