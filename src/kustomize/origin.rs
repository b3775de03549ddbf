//! Where objects come from and what changed them, when `buildMetadata` asks.

use super::metadata::{ORIGIN, TRANSFORMATIONS};
use super::remote;
use crate::kube::{BuildOrigin, ResMap, Resource};
use crate::yaml::{self, Node, Schema, Tag};

/// The origin of what `path` leads to from here.
pub(super) fn append(origin: &BuildOrigin, path: &str) -> BuildOrigin {
    let mut result = origin.clone();
    let Some(address) = remote::parse(path) else {
        result.path = clean_join(&origin.path, path);
        return result;
    };
    result.repo = address.repository;
    result.reference = address.reference;
    // The reference makes the path of a name for what is not cloned yet, which stays for the root.
    let directory = match &*address.directory {
        "" => "notCloned",
        directory => directory,
    };
    result.path = clean_join("", directory);
    result
}

/// The origin of what a builtin generator or transformer of a kustomization makes.
pub(super) fn of_builtin(origin: &BuildOrigin, file_name: &str, kind: &str) -> BuildOrigin {
    BuildOrigin {
        path: String::new(),
        repo: origin.repo.clone(),
        reference: origin.reference.clone(),
        configured_in: clean_join(&origin.path, file_name),
        configured_by: [
            "builtin".to_owned(),
            kind.to_owned(),
            String::new(),
            String::new(),
        ],
    }
}

/// The origin of what an object in `generators:` or `transformers:` makes.
pub(super) fn of_plugin(configuration: &Resource) -> Option<BuildOrigin> {
    let origin = configuration.history().origin.as_deref()?;
    Some(BuildOrigin {
        path: String::new(),
        repo: origin.repo.clone(),
        reference: origin.reference.clone(),
        configured_in: origin.path.clone(),
        configured_by: [
            configuration.gvk().api_version(),
            configuration.kind().to_owned(),
            configuration.name().to_owned(),
            configuration.namespace().to_owned(),
        ],
    })
}

/// Sets the origin of objects that have none.
pub(super) fn set_missing(resources: &mut [Resource], origin: &BuildOrigin) {
    for resource in resources {
        let slot = &mut resource.history_mut().origin;
        if slot.is_none() {
            *slot = Some(Box::new(origin.clone()));
        }
    }
}

/// Notes a transformer on every object: as its origin where it has none, for then the transformer made it.
pub(super) fn note_transformation(resources: &mut ResMap, origin: &BuildOrigin) {
    for resource in resources.iter_mut() {
        if resource.history().links > 0 {
            // The reference writes all annotations anew.
            resource.change(unlink_annotations);
        }
        let history = resource.history_mut();
        match history.origin {
            None => history.origin = Some(Box::new(origin.clone())),
            Some(_) => history.transformations.push(origin.clone()),
        }
    }
}

fn unlink_annotations(node: &mut Node) {
    let metadata = node.get_mut("metadata");
    if let Some(annotations) = metadata.and_then(|m| m.get_mut("annotations")) {
        annotations.unlink();
    }
}

/// Writes what was noted as annotations.
pub(super) fn annotate(resource: &mut Resource, with_origin: bool, with_transformations: bool) {
    let history = resource.history();
    let mut texts = Vec::new();
    if let Some(origin) = history.origin.as_deref().filter(|_| with_origin) {
        texts.push((ORIGIN, fields(origin, "")));
    }
    if with_transformations && !history.transformations.is_empty() {
        let items = history.transformations.iter();
        let text: String = items
            .map(|origin| format!("- {}", fields(origin, "  ").trim_start()))
            .collect();
        texts.push((TRANSFORMATIONS, text));
    }
    for (key, text) in texts {
        let pairs = std::iter::once((key.into(), text.into())).collect();
        resource.change(|node| super::metadata::set_map(node, "annotations", &pairs));
    }
}

fn fields(origin: &BuildOrigin, indent: &str) -> String {
    let mut text = String::new();
    let mut line = |indent: &str, key: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("{indent}{key}: {}\n", scalar(value)));
        }
    };
    line(indent, "path", &origin.path);
    line(indent, "repo", &origin.repo);
    line(indent, "ref", &origin.reference);
    line(indent, "configuredIn", &origin.configured_in);
    let [api_version, kind, name, namespace] = &origin.configured_by;
    if origin.configured_by.iter().any(|part| !part.is_empty()) {
        let inner = format!("{indent}  ");
        text.push_str(&format!("{indent}configuredBy:\n"));
        let mut line = |key: &str, value: &str| {
            if !value.is_empty() {
                text.push_str(&format!("{inner}{key}: {}\n", scalar(value)));
            }
        };
        line("apiVersion", api_version);
        line("kind", kind);
        line("name", name);
        line("namespace", namespace);
    }
    text
}

/// A text as YAML: in quotes where it would be read as something else.
fn scalar(text: &str) -> String {
    let is_plain = yaml::resolve(text, Schema::Go) == Tag::Str
        && text.starts_with(|c: char| c.is_alphanumeric() || "./_".contains(c))
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' ']);
    if is_plain {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// Joins paths as Go's `filepath.Join` does: `..` climbs, also out.
fn clean_join(directory: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// Reads the origin annotation of a configuration object away: it is kept beside the document.
pub(super) fn forget(node: &mut Node) {
    let annotations = node
        .get_mut("metadata")
        .and_then(|m| m.get_mut("annotations"));
    if let Some(annotations) = annotations.and_then(Node::as_mapping_mut) {
        annotations.remove(ORIGIN);
    }
}
