//! Field paths that go on below a string that holds YAML or JSON (kustomize v5.8, `filters/replacement`,
//! `setValueInStructuredData`).
//!
//! The reference looks for the first scalar on a path that goes on below it, reads its text, sets the field in what it
//! read and writes the text again: JSON where the text begins as JSON does, its keys sorted; else YAML, its comments
//! and styles kept and the last line break lost. The `delimiter` of a target does not count there. Where anything of it
//! fails, the path is followed as any other. Cases `authored-structured-*` of the conformance suite.

use super::path::{self, Missing, Path, Strings};
use crate::kustomize::fault::Fault;
use crate::kustomize::scalar;
use crate::yaml::{self, JsonStyle, Node, ParseOptions, WriteOptions};

/// Sets a field below a string of an object; false where there is no such string, or where it cannot be done.
pub(super) fn set(object: &mut Node, parts: &[String], value: &Node, missing: Missing<'_>) -> bool {
    (1..parts.len()).any(|end| {
        let (above, below) = parts.split_at(end);
        let Some(text) = string_at(object, above) else {
            return false;
        };
        match written(&text, below, value, missing) {
            Some(new) => put(object, above, new),
            None => false,
        }
    })
}

/// The text of a scalar that can be read as YAML; only the first on a path counts in the reference, and what is below a
/// scalar is none.
fn string_at(object: &Node, parts: &[String]) -> Option<String> {
    let node = path::look_up(object, parts).ok()??;
    node.scalar_text()
        .filter(|_| !scalar::is_null(node))
        .map(str::to_owned)
}

fn put(object: &mut Node, parts: &[String], text: String) -> bool {
    let Some(field) = path::look_up_mut(object, parts) else {
        return false;
    };
    scalar::set_text(field, text);
    true
}

/// The text with a field of what it holds set.
fn written(text: &str, below: &[String], value: &Node, missing: Missing<'_>) -> Option<String> {
    let mut node = parsed(text)?;
    let mut found = 0;
    let set = &mut |field: &mut Node| -> Result<(), Fault> {
        found += 1;
        if field.scalar_text().is_some() {
            scalar::set_text(field, value.scalar_text().unwrap_or_default());
        } else {
            *field = value.clone();
        }
        Ok(())
    };
    Path::new(below, Strings::SetInVain)
        .visit(&mut node, missing, set)
        .ok()?;
    if found == 0 {
        return None;
    }
    match text.trim_start().starts_with(['{', '[']) {
        true => as_json(node, text),
        false => as_yaml(&node).map(|text| text.trim().to_owned()),
    }
}

/// The document that a text holds.
pub(super) fn parsed(text: &str) -> Option<Node> {
    let options = ParseOptions {
        comments: true,
        ..ParseOptions::default()
    };
    yaml::parse_first(text, options).ok()?
}

fn as_yaml(node: &Node) -> Option<String> {
    let mut out = Vec::new();
    yaml::write_document(&mut out, node, &WriteOptions::kyaml()).ok()?;
    String::from_utf8(out).ok()
}

/// JSON on lines of its own where the old text had lines and indentation.
fn as_json(mut node: Node, old: &str) -> Option<String> {
    yaml::reread(&mut node);
    let style = if old.contains('\n') && old.contains("  ") {
        JsonStyle::SortedLines { indent: "  " }
    } else {
        JsonStyle::Sorted
    };
    let mut out = Vec::new();
    yaml::write_json(&mut out, &node, style).ok()?;
    String::from_utf8(out).ok()
}
