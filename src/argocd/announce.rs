//! What an Application's page offers to set: Argo CD's own kustomize options, values, and the parameters of
//! the overlays in use, each with what it is now.
//!
//! Only committed files are read, and a sealed one is never opened: the host names no project here, so that
//! no policy could say who may.

use serde_json::{Map, Value, json};

use crate::diagnostic::{Report, Result, Severity};
use crate::files::{Files, TreePath};
use crate::kustomize::kustomization_path;
use crate::overlay::{Announced, announced};
use crate::project::find_project;
use crate::yaml::{self, JsonStyle, Node, ParseOptions};

/// Name, title, what it does, its shape, and the field of the kustomization that holds what it is now.
const OPTIONS: [(&str, &str, &str, &str); 10] = [
    (
        "images",
        "Images",
        "Images to set, as name=new:tag or name@digest",
        "array",
    ),
    (
        "replicas",
        "Replicas",
        "Replica counts by the workload's name",
        "map",
    ),
    (
        "namePrefix",
        "Name prefix",
        "Put before the name of every object",
        "string",
    ),
    (
        "nameSuffix",
        "Name suffix",
        "Put after the name of every object",
        "string",
    ),
    (
        "namespace",
        "Namespace",
        "The namespace of every namespaced object",
        "string",
    ),
    (
        "components",
        "Components",
        "Components to add, by relative path",
        "array",
    ),
    (
        "commonLabels",
        "Common labels",
        "Labels of every object and selector",
        "map",
    ),
    (
        "commonAnnotations",
        "Common annotations",
        "Annotations of every object",
        "map",
    ),
    (
        "values",
        "Values files",
        "Files of values in the repository, over the project's",
        "array",
    ),
    ("set", "Values", "Single values, over all files", "map"),
];

/// The announcements for a directory, as the list that the host reads, and what is wrong with the project.
///
/// A list always: the page of an Application whose project file cannot be read offers what needs none, and
/// its `generate` tells what is wrong.
pub fn announce(files: &dyn Files, directory: &TreePath) -> (Value, Report) {
    let kustomization = committed(files, directory);
    let mut all: Vec<Value> = OPTIONS
        .iter()
        .map(|option| of_option(option, kustomization.as_ref()))
        .collect();
    let mut report = Report::default();
    match of_overlays(files, directory) {
        Ok(parameters) => all.extend(parameters.iter().map(of_parameter)),
        Err(error) => report.push(error.with_severity(Severity::Warning)),
    }
    (all.into(), report)
}

fn of_overlays(files: &dyn Files, directory: &TreePath) -> Result<Vec<Announced>> {
    match find_project(files, directory)? {
        Some(project) => announced(&project.overlays, &[], files),
        None => Ok(Vec::new()),
    }
}

/// The kustomization of a directory as it is committed; one that a template makes is not rendered.
fn committed(files: &dyn Files, directory: &TreePath) -> Option<Node> {
    let path = kustomization_path(files, directory).ok()??;
    let file = files.read(&path).ok()?;
    let text = std::str::from_utf8(&file.bytes).ok()?;
    yaml::parse_first(text, ParseOptions::DEFAULT).ok()?
}

fn of_option(option: &(&str, &str, &str, &str), kustomization: Option<&Node>) -> Value {
    let (name, title, tooltip, shape) = *option;
    let mut one = json!({
        "name": name, "title": title, "tooltip": tooltip, "itemType": "string", "collectionType": shape,
    });
    if name == "replicas" {
        one["itemType"] = "number".into();
    }
    let now = kustomization.and_then(|node| node.get(name));
    let now = now.and_then(|node| match name {
        "images" => list(node, image),
        "replicas" => replicas(node),
        _ => shaped(node, shape),
    });
    if let Some(now) = now {
        one[shape] = now;
    }
    one
}

/// A value in the shape of an announcement.
fn shaped(node: &Node, shape: &str) -> Option<Value> {
    match shape {
        "array" => list(node, |item| Some(text(item))),
        "map" => {
            let entries = node.as_mapping()?.iter();
            let texts = entries.map(|(key, value)| (key.to_owned(), text(value).into()));
            Some(Value::Object(texts.collect::<Map<_, _>>()))
        }
        _ => Some(text(node).into()),
    }
}

fn list(node: &Node, item: impl Fn(&Node) -> Option<String>) -> Option<Value> {
    let items = node.as_sequence()?.iter().filter_map(item);
    Some(items.map(Value::from).collect())
}

/// An entry of `images` as the parameter writes it.
fn image(entry: &Node) -> Option<String> {
    let field = |key| entry.get(key).and_then(Node::scalar_text);
    let name = field("name")?;
    let mut text = match field("newName") {
        Some(new) => format!("{name}={new}"),
        None => name.to_owned(),
    };
    for (mark, key) in [(":", "newTag"), ("@", "digest")] {
        if let Some(value) = field(key) {
            text.push_str(mark);
            text.push_str(value);
        }
    }
    Some(text)
}

fn replicas(node: &Node) -> Option<Value> {
    let mut counts = Map::new();
    for entry in node.as_sequence()? {
        let field = |key| entry.get(key).and_then(Node::scalar_text);
        counts.insert(field("name")?.to_owned(), field("count")?.into());
    }
    Some(Value::Object(counts))
}

fn of_parameter(parameter: &Announced) -> Value {
    let Announced {
        overlay,
        name,
        description,
        schema,
        current,
    } = parameter;
    let types = types(schema);
    let shape = match types.first().map(String::as_str) {
        Some("array") => "array",
        Some("object") => "map",
        _ => "string",
    };
    let item = match types.first().map(String::as_str) {
        Some("boolean") => "boolean",
        Some("integer" | "number") => "number",
        _ => "string",
    };
    let mut tooltip = description.clone();
    if let Some(words) = schema.get("enum").and_then(Node::as_sequence) {
        let words: Vec<&str> = words.iter().filter_map(Node::scalar_text).collect();
        tooltip.push_str(&format!(": {}", words.join(", ")));
    }
    let mut one = json!({
        "name": format!("overlays.{overlay}.{name}"), "title": format!("{overlay}: {name}"),
        "tooltip": tooltip, "itemType": item, "collectionType": shape,
    });
    let now = current.as_ref().filter(|node| !node.is_null());
    if let Some(now) = now.and_then(|node| shaped(node, shape)) {
        one[shape] = now;
    }
    one
}

/// The types that a schema allows, `null` left out.
fn types(schema: &Node) -> Vec<String> {
    let mut types: Vec<String> = match schema.get("type") {
        Some(node) => match node.as_sequence() {
            Some(list) => list
                .iter()
                .filter_map(Node::as_str)
                .map(str::to_owned)
                .collect(),
            None => node.as_str().map(str::to_owned).into_iter().collect(),
        },
        None => Vec::new(),
    };
    let alternatives = schema.get("anyOf").and_then(Node::as_sequence);
    for alternative in alternatives.unwrap_or_default() {
        types.extend(self::types(alternative));
    }
    types.retain(|name| name != "null");
    types
}

/// A scalar as it is written, anything else as JSON.
fn text(node: &Node) -> String {
    if let Some(text) = node.scalar_text() {
        return text.to_owned();
    }
    let mut bytes = Vec::new();
    match yaml::write_json(&mut bytes, node, JsonStyle::Sorted) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => String::new(),
    }
}
