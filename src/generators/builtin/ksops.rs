//! KSOPS: `viaduct.ai/v1`, `kind: ksops`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::object::Object;
use super::{Generated, Open, Opener, env_file, secret, to_text, write};
use crate::diagnostic::Result;
use crate::yaml::{Mapping, Node};

/// Gives the manifests of `files` as they are, and a Secret for each item of `secretFrom`.
pub(super) fn generate(object: &Object<'_>, open: &Open<'_>) -> Result<Generated> {
    let node = object.node();
    let is_missing = |field| node.get(field).is_none_or(Node::is_null);
    if is_missing("files") && is_missing("secretFrom") {
        return Err(object.wrong(node, "the object has neither `files` nor `secretFrom`"));
    }
    let mut opener = Opener::new(object, open);
    let mut bytes = Vec::new();
    for (path, named_at) in object.texts(node, "files")? {
        let file = opener.open(path, named_at)?;
        separate(&mut bytes);
        bytes.extend_from_slice(&file.bytes);
    }
    for item in object.list(node, "secretFrom")? {
        let made = secret_from(object, item, &mut opener)?;
        separate(&mut bytes);
        write(&mut bytes, &made, object)?;
    }
    Ok(Generated {
        bytes,
        secrets: opener.secrets,
    })
}

fn separate(bytes: &mut Vec<u8>) {
    if !bytes.is_empty() {
        if !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(b"---\n");
    }
}

fn secret_from(object: &Object<'_>, item: &Node, opener: &mut Opener<'_>) -> Result<Node> {
    if item.as_mapping().is_none() {
        return Err(object.wrong(item, "an item of `secretFrom` is not a mapping"));
    }
    let (mut texts, mut binary) = (Mapping::default(), Mapping::default());
    for (argument, named_at) in object.texts(item, "files")? {
        let (key, file) = opener.open_keyed(argument, named_at)?;
        texts.insert(key, Node::string(to_text(&file.bytes)));
    }
    for (argument, named_at) in object.texts(item, "binaryFiles")? {
        let (key, file) = opener.open_keyed(argument, named_at)?;
        binary.insert(key, Node::string(BASE64_STANDARD.encode(&file.bytes)));
    }
    for (path, named_at) in object.texts(item, "envs")? {
        let file = opener.open(path, named_at)?;
        let variables = env_file::parse(&to_text(&file.bytes)).map_err(|fault| {
            let phrase = format!(
                "{path} is no file of variables: line {} {}",
                fault.line, fault.what
            );
            object.wrong(named_at, phrase)
        })?;
        for (name, value) in variables {
            texts.insert(name, Node::string(value));
        }
    }
    let metadata = metadata(object, item)?;
    let kind = object.text(item, "type")?;
    Ok(secret(
        metadata,
        kind,
        [("stringData", texts), ("data", binary)],
    ))
}

fn metadata(object: &Object<'_>, item: &Node) -> Result<Node> {
    let mut result = Node::mapping();
    let given = item.get("metadata").filter(|m| !m.is_null());
    let Some(given) = given else {
        return Ok(result);
    };
    let mut fields = Mapping::default();
    for field in ["name", "namespace"] {
        let text = object.text(given, field)?;
        if !text.is_empty() {
            fields.insert(field, Node::string(text));
        }
    }
    for field in ["labels", "annotations"] {
        let map = object.text_map(given, field)?;
        if !map.is_empty() {
            let mut node = Node::mapping();
            if let Some(slot) = node.as_mapping_mut() {
                *slot = map;
            }
            fields.insert(field, node);
        }
    }
    if let Some(slot) = result.as_mapping_mut() {
        *slot = fields;
    }
    Ok(result)
}
