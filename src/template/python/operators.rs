//! Python's operators and literals, which translated templates call by the names of [`TABLE`].

use std::fmt::Write;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::value::{Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

use super::arguments::{named, split};
use super::iterate::{assert_set, is_plain_sequence, items, iterate};
use super::number::{Number, Operator};
use super::printf::printf;
use super::text::write_str;
use super::{
    Dict, List, Native, compare, failed, is_tuple, markup, too_much, tuple, type_name, undefined,
};
use crate::template::dialect::ALONE;

/// The functions that only translated templates call.
pub(in crate::template) const TABLE: &[(&str, Native)] = &[
    ("__add", |s, a| fold(s, a, Operator::Add)),
    ("__subtract", |s, a| fold(s, a, Operator::Subtract)),
    ("__multiply", |s, a| fold(s, a, Operator::Multiply)),
    ("__divide", |s, a| fold(s, a, Operator::Divide)),
    ("__floor", |s, a| fold(s, a, Operator::Floor)),
    ("__modulo", |s, a| fold(s, a, Operator::Modulo)),
    ("__power", |s, a| fold(s, a, Operator::Power)),
    ("__negative", |s, a| sign(s, a, -1)),
    ("__positive", |s, a| sign(s, a, 1)),
    ("__compare", compare::chain),
    ("__text", text),
    ("__list", |_, a| Ok(List::value(a.to_vec()))),
    ("__tuple", |_, a| Ok(tuple(a.to_vec()))),
    ("__dict", dict),
    ("__slice", slice),
    ("__iterate", iterate),
    ("__unpack", |s, a| Ok(tuple(items(s, &first(a))?))),
    ("__some", some),
    ("__nothing", |_, _| Ok(Value::from(()))),
    ("__debug", debug),
    ("__any_arguments", any_arguments),
    ("__include_alone", include_alone),
    ("__alone", alone),
];

/// The longest string or list that `*` may make.
const MAX_REPEATED: usize = 10_000_000;

fn first(arguments: &[Value]) -> Value {
    arguments.first().cloned().unwrap_or_default()
}

/// The items of a value that has some.
fn some(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let items = items(state, &first(arguments))?;
    if items.is_empty() {
        return Err(failed("cycle wants at least one item"));
    }
    Ok(tuple(items))
}

/// Adds values from the left.
pub(in crate::template) fn add(state: &mut State<'_, '_>, terms: &[Value]) -> Result<Value, Error> {
    fold(state, terms, Operator::Add)
}

fn fold(
    state: &mut State<'_, '_>,
    arguments: &[Value],
    operator: Operator,
) -> Result<Value, Error> {
    let mut operands = arguments.iter();
    let mut left = operands.next().cloned().unwrap_or_default();
    for right in operands {
        let fills = operator == Operator::Modulo && left.kind() == ValueKind::String;
        if left.is_undefined() || (right.is_undefined() && !fills) {
            return Err(undefined());
        }
        left = apply(state, operator, &left, right)?;
    }
    Ok(left)
}

fn apply(
    state: &mut State<'_, '_>,
    operator: Operator,
    a: &Value,
    b: &Value,
) -> Result<Value, Error> {
    if let (Some(a), Some(b)) = (Number::of(a), Number::of(b)) {
        return a.apply(operator, b).map(Value::from);
    }
    let wrong = || {
        let (a, b) = (type_name(a), type_name(b));
        failed(format!("{} does not fit {a} and {b}", symbol(operator)))
    };
    match (operator, a.kind(), b.kind()) {
        (Operator::Add, ValueKind::String, ValueKind::String) if a.is_safe() || b.is_safe() => {
            let joined = format!("{}{}", markup::text_of(a), markup::text_of(b));
            Ok(Value::from_safe_string(joined))
        }
        (Operator::Add, ValueKind::String, ValueKind::String) => {
            let mut joined = a.as_str().unwrap_or_default().to_owned();
            joined.push_str(b.as_str().unwrap_or_default());
            Ok(Value::from(joined))
        }
        (Operator::Add, ValueKind::Seq, ValueKind::Seq)
            if is_tuple(a) == is_tuple(b) && is_listed(a) && is_listed(b) =>
        {
            let mut joined = items(state, a)?;
            joined.extend(items(state, b)?);
            Ok(if is_tuple(a) {
                tuple(joined)
            } else {
                List::value(joined)
            })
        }
        (Operator::Multiply, ValueKind::String | ValueKind::Seq, _) if is_listed(a) => {
            repeat(state, a, b).unwrap_or_else(|| Err(wrong()))
        }
        (Operator::Multiply, _, ValueKind::String | ValueKind::Seq) if is_listed(b) => {
            repeat(state, b, a).unwrap_or_else(|| Err(wrong()))
        }
        (Operator::Modulo, ValueKind::String, _) => {
            printf(state, a.as_str().unwrap_or_default(), b)
        }
        _ => Err(wrong()),
    }
}

/// Whether a value is text, a list or a tuple: a range is none of them.
fn is_listed(value: &Value) -> bool {
    value.kind() == ValueKind::String || is_tuple(value) || is_plain_sequence(value)
}

fn symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Floor => "//",
        Operator::Modulo => "%",
        Operator::Power => "**",
    }
}

/// A string or list, several times; `None` when the count is no integer.
fn repeat(state: &mut State<'_, '_>, value: &Value, count: &Value) -> Option<Result<Value, Error>> {
    let Some(Number::Integer(count)) = Number::of(count) else {
        return None;
    };
    let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
    let length = value
        .as_str()
        .map_or_else(|| value.len().unwrap_or(0), str::len);
    if length.saturating_mul(count) > MAX_REPEATED {
        return Some(Err(too_much("a repetition is too long")));
    }
    if let Some(text) = value.as_str() {
        return Some(Ok(Value::from(text.repeat(count))));
    }
    Some(items(state, value).map(|items| {
        let repeated: Vec<Value> = std::iter::repeat_n(items, count).flatten().collect();
        if is_tuple(value) {
            tuple(repeated)
        } else {
            List::value(repeated)
        }
    }))
}

fn sign(state: &mut State<'_, '_>, arguments: &[Value], sign: i128) -> Result<Value, Error> {
    let value = arguments.first().cloned().unwrap_or_default();
    if value.is_undefined() {
        return Err(undefined());
    }
    fold(
        state,
        &[Value::from(sign), value.clone()],
        Operator::Multiply,
    )
    .ok()
    .filter(|v| Number::of(v).is_some())
    .ok_or_else(|| failed(format!("{} has no sign", type_name(&value))))
}

/// `a ~ b`: both as text.
fn text(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let mut out = String::new();
    for argument in arguments {
        assert_set(state, argument)?;
        // Writing to a string does not fail.
        let _ = write_str(&mut out, argument);
    }
    Ok(Value::from(out))
}

fn dict(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let mut entries = IndexMap::with_capacity(arguments.len() / 2);
    for pair in arguments.chunks(2) {
        if let [key, value] = pair {
            if matches!(key.kind(), ValueKind::Map)
                || (key.kind() == ValueKind::Seq && !is_tuple(key))
            {
                return Err(failed(format!("{} cannot be a key", type_name(key))));
            }
            entries.insert(key.clone(), value.clone());
        }
    }
    Ok(Dict::value(entries))
}

/// `value[start:stop:step]`.
fn slice(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, start, stop, step] = arguments else {
        return Err(Error::from(ErrorKind::MissingArgument));
    };
    if value.is_undefined() {
        let chainable = state.undefined_behavior() == minijinja::UndefinedBehavior::Chainable;
        return if chainable {
            Ok(Value::UNDEFINED)
        } else {
            Err(undefined())
        };
    }
    let part = |part: &Value| {
        if part.is_none() {
            return Ok(None);
        }
        match Number::of(part) {
            Some(Number::Integer(i)) => Ok(Some(i.clamp(-1 << 40, 1 << 40))),
            _ => Err(failed(format!(
                "{} is no place of a slice",
                type_name(part)
            ))),
        }
    };
    let step = part(step)?.unwrap_or(1);
    if step == 0 {
        return Err(failed("a slice cannot step by 0"));
    }
    let (start, stop) = (part(start)?, part(stop)?);
    match value.kind() {
        ValueKind::String => {
            let text: Vec<char> = value.as_str().unwrap_or_default().chars().collect();
            let picked = indices(text.len(), start, stop, step)
                .into_iter()
                .map(|i| text[i]);
            Ok(Value::from(picked.collect::<String>()))
        }
        ValueKind::Seq => {
            let all = items(state, value)?;
            let picked = indices(all.len(), start, stop, step)
                .into_iter()
                .map(|i| all[i].clone());
            let picked = picked.collect();
            Ok(if is_tuple(value) {
                tuple(picked)
            } else {
                List::value(picked)
            })
        }
        _ => Err(failed(format!("{} cannot be sliced", type_name(value)))),
    }
}

/// The indices that a slice picks, as Python counts them.
fn indices(length: usize, start: Option<i128>, stop: Option<i128>, step: i128) -> Vec<usize> {
    let length = i128::try_from(length).unwrap_or(i128::MAX);
    let (low, high) = if step > 0 {
        (0, length)
    } else {
        (-1, length - 1)
    };
    let clamp = |i: i128| (if i < 0 { i + length } else { i }).clamp(low, high);
    let mut at = start.map_or(if step > 0 { low } else { high }, clamp);
    let stop = stop.map_or(if step > 0 { high } else { low }, clamp);
    let mut picked = Vec::new();
    while if step > 0 { at < stop } else { at > stop } {
        picked.extend(usize::try_from(at));
        at += step;
    }
    picked
}

/// A value that is printed in debug mode: an unset one tells its name.
fn debug(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let (value, name) = match arguments {
        [value, ..] if !value.is_undefined() => return Ok(value.clone()),
        [_, name] => (None, name),
        [_, name, of, ..] => (Some(of), name),
        _ => return Err(Error::from(ErrorKind::MissingArgument)),
    };
    Ok(Value::from(match value.filter(|of| !of.is_undefined()) {
        None => format!("{{{{ {name} }}}}"),
        Some(of) => {
            let object = match of.kind() {
                ValueKind::Map => "dict object",
                ValueKind::Seq if is_tuple(of) => "tuple object",
                ValueKind::Seq => "list object",
                ValueKind::String => "str object",
                ValueKind::Bool => "bool object",
                ValueKind::Number if of.is_integer() => "int object",
                ValueKind::Number => "float object",
                ValueKind::None => "None",
                _ => "object",
            };
            let mut quoted = String::new();
            let _ = write!(
                quoted,
                "{{{{ no such element: {object}[{}] }}}}",
                super::text::repr_of(name)
            );
            quoted
        }
    }))
}

/// A macro that reads `varargs` or `kwargs`: packs what its signature does not name.
#[derive(Debug)]
struct AnyArguments {
    body: Value,
    /// Whether it reads `varargs`, `kwargs` or both; what it does not read is one argument too many.
    taken: String,
    names: Vec<String>,
}

fn any_arguments(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [body, taken, names @ ..] = arguments else {
        return Err(Error::from(ErrorKind::MissingArgument));
    };
    Ok(Value::from_object(AnyArguments {
        body: body.clone(),
        taken: taken.to_string(),
        names: names.iter().map(ToString::to_string).collect(),
    }))
}

impl Object for AnyArguments {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.body)
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "arguments" => Some(tuple(self.names.iter().map(Value::from).collect())),
            name => self.body.get_attr(name).ok(),
        }
    }

    fn call(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        arguments: &[Value],
    ) -> Result<Value, Error> {
        let (positional, by_name) = split(arguments);
        let count = positional.len().min(self.names.len());
        let (known, rest) = positional.split_at(count);
        let mut packed: Vec<(String, Value)> = self
            .names
            .iter()
            .cloned()
            .zip(known.iter().cloned())
            .collect();
        let mut extra = IndexMap::new();
        for (name, value) in by_name {
            let text = name.to_string();
            let takes_caller = || {
                let caller = self.body.get_attr("caller");
                caller.is_ok_and(|caller| caller.is_true())
            };
            if self.names.contains(&text) || (text == "caller" && takes_caller()) {
                packed.push((text, value));
            } else {
                extra.insert(name, value);
            }
        }
        let takes = |more: &str| self.taken.contains(more);
        if (!rest.is_empty() && !takes("varargs")) || (!extra.is_empty() && !takes("kwargs")) {
            return Err(Error::from(ErrorKind::TooManyArguments));
        }
        packed.push(("varargs".to_owned(), tuple(rest.to_vec())));
        packed.push(("kwargs".to_owned(), Dict::value(extra)));
        self.body.call(state, &[named(packed)])
    }
}

/// The name of a template that is imported without context, or each of several.
fn alone(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let name = first(arguments);
    let mark = |name: &Value| Value::from(format!("{ALONE}{name}"));
    match name.kind() {
        ValueKind::String => Ok(mark(&name)),
        ValueKind::Seq => Ok(List::value(items(state, &name)?.iter().map(mark).collect())),
        _ => Ok(name),
    }
}

/// `include … without context`: renders with the values alone.
fn include_alone(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [names, ignore_missing] = arguments else {
        return Err(Error::from(ErrorKind::MissingArgument));
    };
    let names = match names.kind() {
        ValueKind::Seq => items(state, names)?,
        _ => vec![names.clone()],
    };
    for name in &names {
        match state.get_template(name.as_str().unwrap_or_default()) {
            Err(error) if error.kind() == ErrorKind::TemplateNotFound => {}
            template => {
                let root = state.lookup("__values").unwrap_or_default();
                return template?.render(root).map(Value::from);
            }
        }
    }
    if ignore_missing.is_true() {
        return Ok(Value::from(""));
    }
    Err(Error::from(ErrorKind::TemplateNotFound))
}
