//! `templatePatch`: a strategic merge on what the template made.
//!
//! Follows `applyTemplatePatch` (applicationset/controllers/template/patch.go): the patch is read as an Application
//! first, so that a value of a wrong type refuses the set; maps merge, null takes away, lists are replaced but
//! `finalizers`, of which both stay. The project is the template's. Cases: `patch-*`.

use serde_json::{Map, Value as Json};

use super::Failure;
use super::crd;
use crate::yaml::sigs;

/// Applies the text of a patch.
pub(super) fn apply(application: &Json, text: &str) -> Result<Json, Failure> {
    let patch = read(text)?;
    let fields = match &patch {
        Json::Null => return Ok(application.clone()),
        Json::Object(fields) => fields,
        _ => return Err(Failure::new("the templatePatch is not a mapping")),
    };
    if let Some(error) = crd::wrong_type(&patch) {
        return Err(Failure::new(format!(
            "the templatePatch is not an Application: {error}"
        )));
    }
    let mut patched = application.clone();
    if let Some(target) = patched.as_object_mut() {
        merge(target, fields, false)?;
    }
    if let (Some(project), Some(spec)) = (
        application.pointer("/spec/project"),
        patched.get_mut("spec").and_then(Json::as_object_mut),
    ) {
        spec.insert("project".to_owned(), project.clone());
    }
    Ok(patched)
}

fn read(text: &str) -> Result<Json, Failure> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text)
            .map_err(|_| Failure::new("the templatePatch is not JSON"));
    }
    sigs::read(text)
        .map_err(|error| Failure::new(format!("the templatePatch cannot be read: {}", error.0)))
}

fn merge(
    target: &mut Map<String, Json>,
    patch: &Map<String, Json>,
    is_raw: bool,
) -> Result<(), Failure> {
    match patch.get("$patch").and_then(Json::as_str) {
        None => {}
        Some("delete") => {
            target.clear();
            return Ok(());
        }
        Some("replace") => {
            *target = patch.clone();
            target.shift_remove("$patch");
            return Ok(());
        }
        Some("merge") => {}
        Some(other) => return Err(Failure::new(format!("`$patch: {other}` is not known"))),
    }
    if let Some(kept) = patch.get("$retainKeys").and_then(Json::as_array) {
        target.retain(|key, _| kept.iter().any(|k| k.as_str() == Some(key)));
    }
    for (key, value) in patch.iter().filter(|(key, _)| !key.starts_with('$')) {
        let known = target.get_mut(key);
        match (known, value) {
            (_, Json::Null) => {
                target.shift_remove(key);
            }
            (Some(Json::Object(_) | Json::Array(_)), Json::Object(_) | Json::Array(_))
                if is_raw =>
            {
                return Err(Failure::new(format!(
                    "the templatePatch cannot merge `{key}` within values that the template has, too"
                )));
            }
            (Some(Json::Object(known)), Json::Object(inner)) => {
                merge(known, inner, key == "valuesObject")?;
            }
            (Some(Json::Array(known)), Json::Array(added)) if key == "finalizers" => {
                let others = known.iter().filter(|item| !added.contains(item));
                *known = added.iter().chain(others).cloned().collect();
            }
            _ => {
                target.insert(key.clone(), without_nulls(value));
            }
        }
    }
    Ok(())
}

/// A new value, without what only says that something goes away.
fn without_nulls(value: &Json) -> Json {
    match value {
        Json::Object(fields) => Json::Object(
            (fields.iter())
                .filter(|(key, value)| !value.is_null() && !key.starts_with('$'))
                .map(|(key, value)| (key.clone(), without_nulls(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}
