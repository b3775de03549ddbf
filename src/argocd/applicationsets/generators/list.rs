//! The list generator: elements that are written down.
//!
//! Follows applicationset/generators/list.go. Without goTemplate an element holds strings, and `values` a map of
//! them; a text of YAML may hold anything. Cases: `list-*`.

use serde_json::Value as Json;

use super::{Context, text};
use crate::argocd::applicationsets::Failure;
use crate::argocd::applicationsets::params::{self, Params};
use crate::yaml::sigs;

pub(super) fn generate(context: &Context<'_>, list: &Json) -> Result<Vec<Params>, Failure> {
    let mut all = Vec::new();
    for element in super::items(list, "elements") {
        if element.is_null() {
            return Err(Failure::new("an element of a list generator is null"));
        }
        all.push(match context.renderer.is_go {
            true => any(element)?,
            false => strings(element)?,
        });
    }
    let written = text(list, "elementsYaml");
    if !written.is_empty() {
        let read = sigs::read(written)
            .map_err(|error| Failure::new(format!("elementsYaml cannot be read: {}", error.0)))?;
        match &read {
            Json::Null => {}
            Json::Array(items) => {
                for item in items {
                    all.push(any(item)?);
                }
            }
            _ => return Err(Failure::new("elementsYaml is not a list")),
        }
    }
    Ok(all)
}

fn any(element: &Json) -> Result<Params, Failure> {
    match element {
        Json::Null => Ok(Params::new()),
        other => params::of_json(other)
            .ok_or_else(|| Failure::new("an element of a list generator is not an object")),
    }
}

fn strings(element: &Json) -> Result<Params, Failure> {
    let fields = element.as_object();
    let fields =
        fields.ok_or_else(|| Failure::new("an element of a list generator is not an object"))?;
    let mut params = Params::new();
    let string = |name: &str, value: &Json| {
        value.as_str().map(params::text).ok_or_else(|| {
            Failure::new(format!(
                "`{name}` of an element is not a string, which it must be without goTemplate"
            ))
        })
    };
    for (key, value) in fields {
        if key != "values" {
            params.insert(key.as_str().into(), string(key, value)?);
            continue;
        }
        let values = value.as_object();
        let values = values.ok_or_else(|| Failure::new("`values` of an element is not a map"))?;
        for (name, value) in values {
            params.insert(format!("values.{name}").into(), string(name, value)?);
        }
    }
    Ok(params)
}
