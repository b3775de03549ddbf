//! Filters of lists and mappings.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::{attribute, attribute_or, fold_case, is_set};
use crate::template::python::arguments::bind;
use crate::template::python::compare::{compare, sorted};
use crate::template::python::iterate::{assert_set, items, pairs};
use crate::template::python::text::str_of;
use crate::template::python::views::{Generator, Group};
use crate::template::python::{
    List, Native, failed, is_tuple, operators, tuple, type_name, undefined,
};

pub(super) const TABLE: &[(&str, Native)] = &[
    ("attr", attr),
    ("batch", batch),
    ("count", length),
    ("d", default),
    ("default", default),
    ("dictsort", dictsort),
    ("first", first),
    ("groupby", groupby),
    ("items", items_filter),
    ("join", join),
    ("last", last),
    ("length", length),
    ("list", list),
    ("max", |s, a| extreme(s, a, true)),
    ("min", |s, a| extreme(s, a, false)),
    // The same input gives the same bytes: the choice is the first.
    ("random", random),
    ("reverse", reverse),
    ("slice", slice),
    ("sort", sort),
    ("sum", sum),
];

fn attr(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, name] = bind("attr", arguments, ["obj", "name"])?;
    let value = value.unwrap_or_default();
    assert_set(state, &value)?;
    let is_chainable = state.undefined_behavior() == minijinja::UndefinedBehavior::Chainable;
    if value.is_undefined() && !is_chainable {
        return Err(undefined());
    }
    // Keys of dicts are no attributes.
    let has_attributes = !matches!(value.kind(), ValueKind::Map | ValueKind::Seq)
        || crate::template::python::iterate::is_namespace(&value)
        || value.downcast_object_ref::<Group>().is_some();
    match name {
        Some(name) if has_attributes && !value.is_undefined() => value.get_attr(&str_of(&name)),
        _ => Ok(Value::UNDEFINED),
    }
}

fn default(_: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, default, boolean] =
        bind("default", arguments, ["value", "default_value", "boolean"])?;
    let value = value.unwrap_or_default();
    if value.is_undefined() || (is_set(boolean.as_ref()) && !value.is_true()) {
        return Ok(default.unwrap_or_else(|| Value::from("")));
    }
    Ok(value)
}

fn length(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value] = bind("length", arguments, ["value"])?;
    let value = value.unwrap_or_default();
    assert_set(state, &value)?;
    if value.is_undefined() {
        return Ok(Value::from(0));
    }
    let length = value
        .len()
        .ok_or_else(|| failed(format!("{} has no length", type_name(&value))))?;
    Ok(Value::from(length))
}

fn list(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value] = bind("list", arguments, ["value"])?;
    items(state, &value.unwrap_or_default()).map(List::value)
}

fn first(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value] = bind("first", arguments, ["seq"])?;
    let value = value.unwrap_or_default();
    if let Some(generator) = value.downcast_object_ref::<Generator>() {
        return Ok(generator.next().unwrap_or_default());
    }
    Ok(items(state, &value)?.into_iter().next().unwrap_or_default())
}

fn random(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    match arguments.first().map(Value::kind) {
        Some(ValueKind::Map | ValueKind::Iterable) => Err(failed("random wants a list")),
        _ => first(state, arguments),
    }
}

fn last(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value] = bind("last", arguments, ["seq"])?;
    let value = value.unwrap_or_default();
    if value.downcast_object_ref::<Generator>().is_some() {
        return Err(failed("a generator has no last item"));
    }
    Ok(items(state, &value)?.pop().unwrap_or_default())
}

fn reverse(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value] = bind("reverse", arguments, ["value"])?;
    let value = value.unwrap_or_default();
    if let Some(text) = value.as_str() {
        return Ok(Value::from(text.chars().rev().collect::<String>()));
    }
    let mut all = items(state, &value)?;
    all.reverse();
    Ok(Generator::value(all))
}

fn join(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, separator, path] = bind("join", arguments, ["value", "d", "attribute"])?;
    let separator = separator.map_or_else(String::new, |s| str_of(&s));
    let mut out = String::new();
    for (index, item) in items(state, &value.unwrap_or_default())?
        .into_iter()
        .enumerate()
    {
        if index > 0 {
            out.push_str(&separator);
        }
        let item = match path.as_ref().filter(|p| !p.is_none()) {
            Some(path) => attribute(state, &item, path)?,
            None => item,
        };
        assert_set(state, &item)?;
        out.push_str(&str_of(&item));
        state.consume_fuel((separator.len() / 64) as u64)?;
    }
    Ok(Value::from(out))
}

fn batch(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, count, fill] = bind("batch", arguments, ["value", "linecount", "fill_with"])?;
    let count = count
        .and_then(|c| c.as_usize())
        .filter(|c| (1..=1_000_000).contains(c));
    let count = count.ok_or_else(|| failed("batch wants how many items a row has"))?;
    let all = items(state, &value.unwrap_or_default())?;
    let mut rows: Vec<Vec<Value>> = all.chunks(count).map(<[Value]>::to_vec).collect();
    if let (Some(fill), Some(row)) = (fill.filter(|f| !f.is_none()), rows.last_mut()) {
        row.resize(count, fill);
    }
    Ok(Generator::value(
        rows.into_iter().map(List::value).collect(),
    ))
}

fn slice(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, count, fill] = bind("slice", arguments, ["value", "slices", "fill_with"])?;
    let count = count
        .and_then(|c| c.as_usize())
        .filter(|c| (1..=1_000_000).contains(c));
    let count = count.ok_or_else(|| failed("slice wants how many slices there are"))?;
    let all = items(state, &value.unwrap_or_default())?;
    let (each, extra) = (all.len() / count, all.len() % count);
    let mut rest = all.into_iter();
    let mut slices = Vec::with_capacity(count);
    for index in 0..count {
        let mut part: Vec<Value> = rest
            .by_ref()
            .take(each + usize::from(index < extra))
            .collect();
        if let Some(fill) = fill.as_ref().filter(|f| !f.is_none() && index >= extra) {
            part.push(fill.clone());
        }
        slices.push(List::value(part));
    }
    Ok(Generator::value(slices))
}

fn items_filter(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value] = bind("items", arguments, ["value"])?;
    let value = value.unwrap_or_default();
    if value.is_undefined() {
        return Ok(Generator::value(Vec::new()));
    }
    if value.kind() != ValueKind::Map {
        return Err(failed(format!(
            "items wants a mapping, not {}",
            type_name(&value)
        )));
    }
    let pairs = pairs(&value)?;
    state.consume_fuel(pairs.len() as u64)?;
    Ok(Generator::value(
        pairs.into_iter().map(|(k, v)| tuple(vec![k, v])).collect(),
    ))
}

fn dictsort(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let names = ["value", "case_sensitive", "by", "reverse"];
    let [value, case, by, reverse] = bind("dictsort", arguments, names)?;
    let by_value = match by.as_ref().and_then(Value::as_str) {
        None | Some("key") => false,
        Some("value") => true,
        Some(_) => return Err(failed("dictsort sorts by key or value")),
    };
    let value = value.unwrap_or_default();
    if value.is_undefined() {
        return Err(undefined());
    }
    if value.kind() != ValueKind::Map {
        return Err(failed(format!(
            "dictsort wants a mapping, not {}",
            type_name(&value)
        )));
    }
    let keyed = pairs(&value)?.into_iter().map(|(k, v)| {
        let key = fold_case(
            if by_value { v.clone() } else { k.clone() },
            is_set(case.as_ref()),
        );
        (key, tuple(vec![k, v]))
    });
    let keyed: Vec<_> = keyed.collect();
    state.consume_fuel(keyed.len() as u64 * 4)?;
    sorted(keyed, is_set(reverse.as_ref())).map(List::value)
}

/// The keys by which `sort`, `groupby`, `min` and `max` compare an item.
fn key(
    state: &State<'_, '_>,
    item: &Value,
    path: Option<&Value>,
    case_sensitive: bool,
) -> Result<Value, Error> {
    let Some(path) = path.filter(|p| !p.is_none()) else {
        return Ok(fold_case(item.clone(), case_sensitive));
    };
    match path.as_str().filter(|p| p.contains(',')) {
        None => Ok(fold_case(attribute(state, item, path)?, case_sensitive)),
        Some(paths) => {
            let parts: Result<Vec<Value>, Error> = paths
                .split(',')
                .map(|path| {
                    Ok(fold_case(
                        attribute(state, item, &Value::from(path))?,
                        case_sensitive,
                    ))
                })
                .collect();
            Ok(tuple(parts?))
        }
    }
}

fn sort(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let names = ["value", "reverse", "case_sensitive", "attribute"];
    let [value, reverse, case, path] = bind("sort", arguments, names)?;
    let mut keyed = Vec::new();
    for item in items(state, &value.unwrap_or_default())? {
        let key = key(state, &item, path.as_ref(), is_set(case.as_ref()))?;
        // Jinja2 sorts by a list of keys, in which two that are unset are equal.
        keyed.push((tuple(vec![key]), item));
    }
    state.consume_fuel(keyed.len() as u64 * 4)?;
    sorted(keyed, is_set(reverse.as_ref())).map(List::value)
}

fn groupby(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let names = ["value", "attribute", "default", "case_sensitive"];
    let [value, path, default, case] = bind("groupby", arguments, names)?;
    let path = path.ok_or_else(|| failed("groupby wants an attribute"))?;
    let case = is_set(case.as_ref());
    let mut keyed = Vec::new();
    for item in items(state, &value.unwrap_or_default())? {
        let found = attribute_or(state, &item, &path, default.as_ref())?;
        keyed.push((fold_case(found.clone(), case), tuple(vec![found, item])));
    }
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for pair in sorted(keyed, false)? {
        let (found, item) = (pair.get_item_by_index(0)?, pair.get_item_by_index(1)?);
        let folded = fold_case(found.clone(), case);
        match groups.last_mut().filter(|(key, ..)| *key == folded) {
            Some((_, _, members)) => members.push(item),
            None => groups.push((folded, found, vec![item])),
        }
    }
    let groups = groups.into_iter().map(|(_, grouper, members)| {
        Value::from_object(Group {
            grouper,
            list: List::value(members),
        })
    });
    Ok(List::value(groups.collect()))
}

fn extreme(state: &mut State<'_, '_>, arguments: &[Value], largest: bool) -> Result<Value, Error> {
    let [value, case, path] = bind("max", arguments, ["value", "case_sensitive", "attribute"])?;
    let case = is_set(case.as_ref());
    let mut best: Option<(Value, Value)> = None;
    for item in items(state, &value.unwrap_or_default())? {
        let key = key(state, &item, path.as_ref(), case)?;
        let wins = match &best {
            None => true,
            Some((champion, _)) if largest => compare(&key, champion)?.is_gt(),
            Some((champion, _)) => compare(&key, champion)?.is_lt(),
        };
        if wins {
            best = Some((key, item));
        }
    }
    Ok(best.map(|(_, item)| item).unwrap_or_default())
}

fn sum(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [value, path, start] = bind("sum", arguments, ["iterable", "attribute", "start"])?;
    let mut terms = vec![start.unwrap_or_else(|| Value::from(0))];
    for item in items(state, &value.unwrap_or_default())? {
        terms.push(match path.as_ref().filter(|p| !p.is_none()) {
            Some(path) => attribute(state, &item, path)?,
            None => item,
        });
    }
    if terms[0].kind() == ValueKind::String || is_tuple(&terms[0]) {
        return Err(failed("sum adds no strings"));
    }
    operators::add(state, &terms)
}
