//! SopsSecretGenerator: `goabout.com/v1beta1`, and its old kind `SopsSecret`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::object::Object;
use super::{Generated, Open, Opener, secret, write};
use crate::diagnostic::Result;
use crate::sops::Format;
use crate::yaml::{self, Mapping, Node, ParseOptions};

/// Annotations that are for the generator itself.
const OWN_ANNOTATIONS: [&str; 2] = [
    "config.kubernetes.io/local-config",
    "config.kubernetes.io/function",
];

/// Gives one Secret; its values are all under `data`.
pub(super) fn generate(object: &Object<'_>, open: &Open<'_>) -> Result<Generated> {
    let node = object.node();
    if object.text(node, "apiVersion")? != "goabout.com/v1beta1" {
        return Err(object.wrong(
            node,
            "the only version of this generator is goabout.com/v1beta1",
        ));
    }
    let metadata = metadata(object)?;
    let mut opener = Opener::new(object, open);
    let mut data = Mapping::default();
    for (path, named_at) in object.texts(node, "envs")? {
        let file = opener.open(path, named_at)?;
        let variables = variables(&file.bytes, path)
            .map_err(|what| object.wrong(named_at, format!("{path} {what}")))?;
        for (name, value) in variables {
            data.insert(name, Node::string(BASE64_STANDARD.encode(value)));
        }
    }
    for (argument, named_at) in object.texts(node, "files")? {
        let (key, file) = opener.open_keyed(argument, named_at)?;
        data.insert(key, Node::string(BASE64_STANDARD.encode(&file.bytes)));
    }
    let kind = object.text(node, "type")?;
    let made = secret(
        metadata,
        kind,
        [("data", data), ("stringData", Mapping::default())],
    );
    let mut bytes = Vec::new();
    write(&mut bytes, &made, object)?;
    Ok(Generated {
        bytes,
        secrets: opener.secrets,
    })
}

fn metadata(object: &Object<'_>) -> Result<Node> {
    let node = object.node();
    let nothing = Node::mapping();
    let given = node.get("metadata").unwrap_or(&nothing);
    let name = object.text(given, "name")?;
    if name.is_empty() {
        return Err(object.wrong(node, "the generator has no `metadata.name`"));
    }
    let mut fields = Mapping::default();
    fields.insert("name", Node::string(name));
    let namespace = object.text(given, "namespace")?;
    if !namespace.is_empty() {
        fields.insert("namespace", Node::string(namespace));
    }
    let mut annotations = object.text_map(given, "annotations")?;
    annotations
        .entries_mut()
        .retain(|e| !OWN_ANNOTATIONS.contains(&e.key.scalar_text().unwrap_or_default()));
    if !object.boolean(node, "disableNameSuffixHash")? {
        annotations.insert("kustomize.config.k8s.io/needs-hash", Node::string("true"));
    }
    let behavior = object.text(node, "behavior")?;
    if !behavior.is_empty() {
        annotations.insert("kustomize.config.k8s.io/behavior", Node::string(behavior));
    }
    for (field, map) in [
        ("labels", object.text_map(given, "labels")?),
        ("annotations", annotations),
    ] {
        if !map.is_empty() {
            let mut node = Node::mapping();
            if let Some(slot) = node.as_mapping_mut() {
                *slot = map;
            }
            fields.insert(field, node);
        }
    }
    let mut result = Node::mapping();
    if let Some(slot) = result.as_mapping_mut() {
        *slot = fields;
    }
    Ok(result)
}

/// The variables of an opened file, by its name: dotenv, YAML or JSON.
fn variables(bytes: &[u8], path: &str) -> Result<Vec<(String, String)>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    match Format::of_path(path) {
        Format::Dotenv => lines(text),
        Format::Yaml => flat_mapping(text, false),
        Format::Json => flat_mapping(text, true),
        Format::Ini | Format::Binary => {
            Err("is a file of variables only as .env, .yaml, .yml or .json".to_owned())
        }
    }
}

fn lines(text: &str) -> Result<Vec<(String, String)>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut variables = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| format!("is no file of variables: line {number} has no `=`"))?;
        variables.push((name.to_owned(), value.to_owned()));
    }
    Ok(variables)
}

/// A mapping whose values are texts; YAML takes other scalars as they are written.
fn flat_mapping(text: &str, only_texts: bool) -> Result<Vec<(String, String)>, String> {
    let node = yaml::parse_first(text, ParseOptions::default())
        .map_err(|error| format!("cannot be read at line {}", error.mark.line))?;
    let Some(node) = node.filter(|n| !n.is_null()) else {
        return Ok(Vec::new());
    };
    let mapping = node.as_mapping().ok_or("is not a mapping of texts")?;
    let entries = mapping
        .iter()
        .map(|(key, value)| match value.scalar_text() {
            _ if value.is_null() => Ok((key.to_owned(), String::new())),
            Some(text) if !only_texts || value.as_str().is_some() => {
                Ok((key.to_owned(), text.to_owned()))
            }
            _ => Err(format!("has a value that is not text, at `{key}`")),
        });
    entries.collect()
}
