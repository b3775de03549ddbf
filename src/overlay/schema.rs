//! Checks a parameter against its JSON Schema, and fills in the defaults of missing properties.
//!
//! The keywords are those in [`KEYWORDS`]; a schema with another is refused when its overlay is loaded,
//! so that none is silently without effect. Findings stand at the node that is wrong.

use super::read::{place, type_name};
use crate::diagnostic::{Code, Diagnostic, Result, Source, nearest};
use crate::go::regexp;
use crate::yaml::{self, Node, ParseOptions, Tag};

/// The keywords of JSON Schema that a parameter may use.
pub(super) const KEYWORDS: &[&str] = &[
    "type",
    "enum",
    "const",
    "anyOf",
    "properties",
    "required",
    "additionalProperties",
    "minProperties",
    "items",
    "minItems",
    "maxItems",
    "minLength",
    "pattern",
    "minimum",
    "maximum",
    "default",
    "description",
    "examples",
];

/// Refuses a schema that uses a keyword that is not known here. Fails with [`Code::OverlayInvalid`].
pub(super) fn check_schema(schema: &Node, source: &Source) -> Result<()> {
    let invalid = |node: &Node, phrase: String| {
        Diagnostic::new(Code::OverlayInvalid, phrase).at(place(node, source))
    };
    if schema.tag() == Tag::Bool {
        return Ok(());
    }
    let Some(mapping) = schema.as_mapping() else {
        return Err(invalid(
            schema,
            format!("a schema is a mapping, not {}", type_name(schema)),
        ));
    };
    for entry in mapping.entries() {
        let key = entry.key.scalar_text().unwrap_or_default();
        if !KEYWORDS.contains(&key) {
            let error = invalid(&entry.key, format!("schema keyword {key} is not known"));
            let near = nearest(key, KEYWORDS.iter().copied());
            return Err(match near {
                Some(near) => error.help(format!("did you mean {near}?")),
                None => error.help(format!("known are {}", KEYWORDS.join(", "))),
            });
        }
    }
    if let Some(pattern) = schema.get("pattern")
        && let Some(text) = pattern.as_str()
        && regexp::compile(text).is_err()
    {
        let phrase = format!("the pattern {text} is not a regular expression of RE2");
        return Err(invalid(pattern, phrase).help("RE2 has no look-around and no back references"));
    }
    let properties = schema.get("properties").and_then(Node::as_mapping);
    let below = properties
        .into_iter()
        .flat_map(|m| m.iter().map(|(_, n)| n));
    let any = schema
        .get("anyOf")
        .and_then(Node::as_sequence)
        .into_iter()
        .flatten();
    let single = [schema.get("items"), schema.get("additionalProperties")];
    below
        .chain(any)
        .chain(single.into_iter().flatten())
        .try_for_each(|s| check_schema(s, source))
}

/// Reads a text as YAML where the schema wants something else and the text is that.
///
/// Hosts pass parameters as texts, and a project may quote more than it must.
pub(super) fn read_text(node: &mut Node, schema: &Node) {
    let Some(kind) = schema.get("type") else {
        return;
    };
    let Some(text) = node.as_str().filter(|_| !has_type(node, kind)) else {
        return;
    };
    if let Ok(Some(parsed)) = yaml::parse_first(text, ParseOptions::default())
        && has_type(&parsed, kind)
    {
        *node = parsed.with_mark(node.mark());
    }
}

/// Fills in the defaults of properties that an object lacks, level by level; `resolve` fills in what is computed.
pub(super) fn fill(
    node: &mut Node,
    schema: &Node,
    resolve: &dyn Fn(&Node) -> Result<Node>,
) -> Result<()> {
    if let Some(items) = node.as_sequence_mut() {
        if let Some(schema) = schema.get("items") {
            items
                .iter_mut()
                .try_for_each(|item| fill(item, schema, resolve))?;
        }
        return Ok(());
    }
    let (Some(mapping), Some(properties)) = (
        node.as_mapping_mut(),
        schema.get("properties").and_then(Node::as_mapping),
    ) else {
        return Ok(());
    };
    for (name, property) in properties.iter() {
        if let Some(value) = mapping.get_mut(name) {
            fill(value, property, resolve)?;
        } else if let Some(default) = property.get("default") {
            mapping.insert(name, resolve(default)?);
        }
    }
    Ok(())
}

/// Checks a value; `path` names it in messages. Fails with [`Code::OverlayParameter`].
pub(super) fn check(node: &Node, schema: &Node, path: &str, source: &Source) -> Result<()> {
    let wrong = |phrase: String| {
        Err(Diagnostic::new(Code::OverlayParameter, phrase).at(place(node, source)))
    };
    if let Some(options) = schema.get("anyOf").and_then(Node::as_sequence) {
        return any_of(node, options, path, source);
    }
    if let Some(kind) = schema.get("type")
        && !has_type(node, kind)
    {
        return wrong(format!(
            "{path} must be {}, and is {}",
            type_words(kind),
            type_name(node)
        ));
    }
    if let Some(words) = schema.get("enum").and_then(Node::as_sequence)
        && !words.contains(node)
    {
        return wrong(format!("{path} must be {}", words_of(words)));
    }
    if let Some(word) = schema.get("const")
        && word != node
    {
        return wrong(format!(
            "{path} must be {}",
            words_of(std::slice::from_ref(word))
        ));
    }
    if let Some(phrase) = bounds(node, schema, path) {
        return wrong(phrase);
    }
    if let Some(pattern) = schema.get("pattern").and_then(Node::as_str)
        && let Some(text) = node.as_str()
        && !regexp::compile(pattern).is_ok_and(|r| r.is_match(text))
    {
        return wrong(format!("{path} must match {pattern}"));
    }
    object(node, schema, path, source)?;
    let (Some(items), Some(schema)) = (node.as_sequence(), schema.get("items")) else {
        return Ok(());
    };
    for (index, item) in items.iter().enumerate() {
        check(item, schema, &format!("{path}[{index}]"), source)?;
    }
    Ok(())
}

/// Accepts what one of the options accepts; otherwise tells what the option of the same type says.
fn any_of(node: &Node, options: &[Node], path: &str, source: &Source) -> Result<()> {
    let mut errors = Vec::new();
    for option in options {
        match check(node, option, path, source) {
            Ok(()) => return Ok(()),
            Err(error) => {
                let fits = option.get("type").is_some_and(|t| has_type(node, t));
                errors.push((fits, error));
            }
        }
    }
    if let Some(index) = errors.iter().position(|(fits, _)| *fits) {
        return Err(errors.swap_remove(index).1);
    }
    let words: Vec<_> = options
        .iter()
        .map(|o| match (o.get("type"), o.get("const")) {
            (Some(kind), _) => type_words(kind),
            (None, Some(word)) => words_of(std::slice::from_ref(word)),
            (None, None) => "something else".to_owned(),
        })
        .collect();
    let phrase = format!(
        "{path} must be {}, and is {}",
        words.join(" or "),
        type_name(node)
    );
    Err(Diagnostic::new(Code::OverlayParameter, phrase).at(place(node, source)))
}

fn object(node: &Node, schema: &Node, path: &str, source: &Source) -> Result<()> {
    let Some(mapping) = node.as_mapping() else {
        return Ok(());
    };
    let required = schema
        .get("required")
        .and_then(Node::as_sequence)
        .unwrap_or_default();
    if let Some(missing) = required
        .iter()
        .filter_map(Node::as_str)
        .find(|name| !mapping.contains(name))
    {
        let phrase = format!("{path} needs {missing}");
        return Err(Diagnostic::new(Code::OverlayParameter, phrase).at(place(node, source)));
    }
    let properties = schema.get("properties").and_then(Node::as_mapping);
    let others = schema.get("additionalProperties");
    for entry in mapping.entries() {
        let name = entry.key.scalar_text().unwrap_or_default();
        let below = properties.and_then(|p| p.get(name)).or(others);
        let Some(below) = below else { continue };
        if below.as_bool() == Some(false) {
            let names: Vec<_> = properties
                .into_iter()
                .flat_map(|p| p.iter().map(|(n, _)| n))
                .collect();
            let error = Diagnostic::new(Code::OverlayParameter, format!("{path} has no {name}"))
                .at(place(&entry.key, source));
            return Err(match nearest(name, names.iter().copied()) {
                Some(near) => error.help(format!("did you mean {near}?")),
                None => error.help(format!("known are {}", names.join(", "))),
            });
        }
        check(&entry.value, below, &format!("{path}.{name}"), source)?;
    }
    Ok(())
}

fn bounds(node: &Node, schema: &Node, path: &str) -> Option<String> {
    let limit = |key: &str| schema.get(key)?.scalar_text()?.parse::<f64>().ok();
    let number = |n: usize| u32::try_from(n).map_or(f64::INFINITY, f64::from);
    let value = match node.tag() {
        Tag::Int | Tag::Float => node.scalar_text().and_then(|t| t.parse::<f64>().ok()),
        _ => None,
    };
    let entries = node.as_sequence().map(|s| number(s.len()));
    let properties = node.as_mapping().map(|m| number(m.len()));
    let length = node.as_str().map(|s| number(s.chars().count()));
    let rows = [
        ("minimum", value, true, "at least"),
        ("maximum", value, false, "at most"),
        ("minItems", entries, true, "a list of at least"),
        ("maxItems", entries, false, "a list of at most"),
        ("minProperties", properties, true, "a mapping of at least"),
        ("minLength", length, true, "a text of at least"),
    ];
    for (key, value, lower, words) in rows {
        if let (Some(limit), Some(value)) = (limit(key), value)
            && (lower && value < limit || !lower && value > limit)
        {
            return Some(format!("{path} must be {words} {limit}"));
        }
    }
    None
}

fn has_type(node: &Node, kind: &Node) -> bool {
    if let Some(kinds) = kind.as_sequence() {
        return kinds.iter().any(|k| has_type(node, k));
    }
    let Some(kind) = kind.scalar_text() else {
        return false;
    };
    match node.tag() {
        Tag::Null => kind == "null",
        Tag::Bool => kind == "boolean",
        Tag::Int => matches!(kind, "integer" | "number"),
        Tag::Float => kind == "number",
        Tag::Seq => kind == "array",
        Tag::Map => kind == "object",
        Tag::Str | Tag::Timestamp | Tag::Binary | Tag::Merge | Tag::Custom => kind == "string",
    }
}

fn type_words(kind: &Node) -> String {
    if let Some(kinds) = kind.as_sequence() {
        let words: Vec<_> = kinds.iter().map(type_words).collect();
        return words.join(" or ");
    }
    match kind.scalar_text().unwrap_or_default() {
        "string" => "text",
        "boolean" => "true or false",
        "integer" => "an integer",
        "number" => "a number",
        "array" => "a list",
        "object" => "a mapping",
        other => other,
    }
    .to_owned()
}

fn words_of(nodes: &[Node]) -> String {
    let words: Vec<_> = nodes.iter().filter_map(Node::scalar_text).collect();
    words.join(" or ")
}
