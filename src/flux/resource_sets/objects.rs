//! Objects that templates made, read as github.com/fluxcd/pkg/ssa reads them, and flux-operator's own functions.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::{MAX_OBJECTS, tables, wrong};
use crate::diagnostic::Result;
use crate::go::slug;
use crate::go::template::{Call, Function, Functions, Value, row, sprig};
use crate::yaml::{sigs, to_go_yaml};

/// What flux-operator adds to slim-sprig.
pub(super) static OWN: &[Function] = &[
    row("inputs", "", |call, _| Ok(call.given.clone())),
    row("slugify", "s", |call, v| {
        call.string(slug::make(v[0].as_str().unwrap_or_default(), 63, true))
    }),
    row("toYaml", "a", to_yaml),
    row("mustToYaml", "a", to_yaml),
];

/// Everything that a template of a ResourceSet may call.
pub(super) fn functions() -> Functions {
    Functions::new(&tables()).without(sprig::NOT_SLIM)
}

fn to_yaml(call: &Call<'_>, values: &[Value]) -> crate::go::template::Result<Value> {
    let json = sprig::to_json(&values[0])?;
    call.string(to_go_yaml(&json))
}

/// The string at a pointer; empty where there is none.
pub(super) fn text<'j>(json: &'j Json, pointer: &str) -> &'j str {
    json.pointer(pointer)
        .and_then(Json::as_str)
        .unwrap_or_default()
}

/// Group, kind, namespace and name: what makes two objects the same, whatever their versions.
pub(super) fn key(object: &Json) -> String {
    let group = text(object, "/apiVersion")
        .rsplit_once('/')
        .map_or("", |(group, _)| group);
    let namespace = text(object, "/metadata/namespace");
    format!(
        "{group}/{}/{namespace}/{}",
        text(object, "/kind"),
        text(object, "/metadata/name")
    )
}

/// Objects in order, those that were added under a key once.
#[derive(Default)]
pub(super) struct Objects {
    all: Vec<Json>,
    known: IndexMap<String, ()>,
}

impl Objects {
    /// Adds an object, unless one of its key is there and each may come once only.
    pub(super) fn add(&mut self, object: Json, is_once: bool) -> Result<()> {
        let is_known = self.known.insert(key(&object), ()).is_some();
        if is_once && is_known {
            return Ok(());
        }
        if self.all.len() >= MAX_OBJECTS {
            return Err(wrong(format!(
                "the ResourceSet makes more than {MAX_OBJECTS} objects"
            )));
        }
        self.all.push(object);
        Ok(())
    }

    pub(super) fn into_vec(self) -> Vec<Json> {
        self.all
    }
}

/// Whether an object says that it is not reconciled.
pub(super) fn is_disabled(object: &Json) -> bool {
    let annotations = object
        .pointer("/metadata/annotations")
        .and_then(Json::as_object);
    let all_texts = annotations.is_some_and(|a| a.values().all(Json::is_string));
    let value = annotations.and_then(|a| a.get("fluxcd.controlplane.io/reconcile"));
    all_texts && value.and_then(Json::as_str) == Some("disabled")
}

fn not_yaml(error: &sigs::ReadError) -> crate::diagnostic::Diagnostic {
    wrong(format!("what the template makes is not YAML: {}", error.0))
}

/// The one object of a text.
pub(super) fn one(text: &str) -> Result<Json> {
    let documents = sigs::documents(text).map_err(|error| not_yaml(&error))?;
    let object = documents.into_iter().next().unwrap_or(Json::Null);
    checked(object)
}

/// The objects of a text: Lists taken apart, without those that have no name and those of kustomize.
pub(super) fn several(text: &str) -> Result<Vec<Json>> {
    let mut objects = Vec::new();
    for document in sigs::documents(text).map_err(|error| not_yaml(&error))? {
        if document.is_null() {
            continue;
        }
        let object = checked(document)?;
        match object.get("items").and_then(Json::as_array) {
            Some(items) => objects.extend(items.iter().cloned()),
            None if is_an_object(&object) => objects.push(object),
            None => {}
        }
    }
    Ok(objects)
}

fn checked(object: Json) -> Result<Json> {
    if text(&object, "/kind").is_empty() {
        return Err(wrong(
            "what the template makes is not an object: it has no kind",
        ));
    }
    Ok(object)
}

fn is_an_object(object: &Json) -> bool {
    let is_kustomization = text(object, "/kind") == "Kustomization"
        && text(object, "/apiVersion").starts_with("kustomize.config.k8s.io/");
    !is_kustomization
        && !text(object, "/apiVersion").is_empty()
        && !text(object, "/metadata/name").is_empty()
}

/// Adds labels or annotations. Where one of those that are there is not a string, all of them go.
pub(super) fn set_metadata(object: &mut Json, field: &str, added: Option<&Json>) {
    let Some(added) = added
        .and_then(Json::as_object)
        .filter(|added| !added.is_empty())
    else {
        return;
    };
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    let metadata = fields
        .entry("metadata")
        .or_insert_with(|| Json::Object(Map::new()));
    let Some(metadata) = metadata.as_object_mut() else {
        return;
    };
    let known = metadata.get(field).and_then(Json::as_object);
    let mut all = known
        .filter(|known| known.values().all(Json::is_string))
        .cloned()
        .unwrap_or_default();
    all.extend(
        added
            .iter()
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    metadata.insert(field.to_owned(), Json::Object(all));
}
