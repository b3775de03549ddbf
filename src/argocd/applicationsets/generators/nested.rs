//! Matrix and merge: generators of generators.
//!
//! Follows applicationset/generators/matrix.go and merge.go. A child of a child may not nest again: what it holds of
//! matrix or merge is dropped, and it then makes nothing, which is an error. Cases: `matrix-*`, `merge-*`.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Map, Value as Json};

use super::{Context, items, transform};
use crate::argocd::applicationsets::Failure;
use crate::argocd::applicationsets::params::{self, Params};
use crate::go::template::{Value, sprig};

pub(super) fn matrix(context: &Context<'_>, matrix: &Json) -> Result<Vec<Params>, Failure> {
    let children: Vec<&Json> = items(matrix, "generators").collect();
    let [first, second] = children[..] else {
        return Err(Failure::new(format!(
            "a matrix has two generators, not {}",
            children.len()
        )));
    };
    let mut all = Vec::new();
    for a in child(context, first, &Params::new())? {
        for b in child(context, second, &a)? {
            all.push(match context.renderer.is_go {
                true => {
                    let mut both = Params::new();
                    params::override_with(&mut both, &b)?;
                    params::override_with(&mut both, &a)?;
                    both
                }
                false => combined(&a, &b)?,
            });
        }
    }
    Ok(all)
}

/// Without goTemplate everything becomes a string, and two values of one name must be equal.
fn combined(a: &Params, b: &Params) -> Result<Params, Failure> {
    let mut both = Params::new();
    for (key, value) in a.iter().chain(b) {
        let text = params::printed(value);
        if let Some(known) = both.get(key)
            && Value::as_str(known) != Some(&text)
        {
            return Err(Failure::new(format!(
                "both generators of a matrix make `{key}`, and not the same"
            )));
        }
        both.insert(Rc::clone(key), params::text(&text));
    }
    Ok(both)
}

/// The parameters of a child, which is one generator of one kind.
fn child(context: &Context<'_>, child: &Json, given: &Params) -> Result<Vec<Params>, Failure> {
    let terminal = without_deeper_nesting(child);
    let none = Json::Object(Map::new());
    let mut made = transform(context, &terminal, &none, given)?;
    match made.len() {
        0 => Err(Failure::new(
            "a child of a matrix or merge generator is no generator that can stand there",
        )),
        1 => Ok(made.remove(0).params),
        _ => Err(Failure::new(
            "a child of a matrix or merge generator names two kinds",
        )),
    }
}

/// A generator whose own children have no children.
fn without_deeper_nesting(generator: &Json) -> Json {
    let mut generator = generator.clone();
    for kind in ["matrix", "merge"] {
        let nested = generator
            .get_mut(kind)
            .and_then(|n| n.get_mut("generators"));
        for inner in nested.and_then(Json::as_array_mut).into_iter().flatten() {
            if let Some(fields) = inner.as_object_mut() {
                fields.retain(|key, value| key != "matrix" && key != "merge" && !value.is_null());
            }
        }
    }
    generator
}

pub(super) fn merge(context: &Context<'_>, merge: &Json) -> Result<Vec<Params>, Failure> {
    let children: Vec<&Json> = items(merge, "generators").collect();
    let keys: BTreeSet<&str> = items(merge, "mergeKeys").filter_map(Json::as_str).collect();
    let [first, others @ ..] = &children[..] else {
        return Err(Failure::new("a merge has two generators or more"));
    };
    if others.is_empty() {
        return Err(Failure::new("a merge has two generators or more"));
    }
    let none = Params::new();
    let base_sets = child(context, first, &none)?;
    let other_sets: Result<Vec<_>, _> = others
        .iter()
        .map(|other| child(context, other, &none))
        .collect();
    let mut base = by_keys(&keys, base_sets)?;
    for sets in other_sets? {
        let overrides = by_keys(&keys, sets)?;
        for (key, params) in &mut base {
            let Some(over) = overrides.get(key) else {
                continue;
            };
            match context.renderer.is_go {
                true => params::override_with(params, over)?,
                false => params.extend(over.iter().map(|(k, v)| (Rc::clone(k), v.clone()))),
            }
        }
    }
    Ok(base.into_values().collect())
}

fn by_keys(keys: &BTreeSet<&str>, sets: Vec<Params>) -> Result<BTreeMap<String, Params>, Failure> {
    if keys.is_empty() {
        return Err(Failure::new("a merge has at least one key in mergeKeys"));
    }
    let mut found = BTreeMap::new();
    for params in sets {
        let values: Map<String, Json> = (keys.iter())
            .map(|key| {
                let value = params.get(*key).map(sprig::to_json);
                (
                    (*key).to_owned(),
                    value.and_then(Result::ok).unwrap_or(Json::Null),
                )
            })
            .collect();
        if found
            .insert(Json::Object(values).to_string(), params)
            .is_some()
        {
            return Err(Failure::new(
                "two sets of parameters of one generator of a merge have the same mergeKeys",
            ));
        }
    }
    Ok(found)
}
