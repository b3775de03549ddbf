//! Keeps finished manifests from being filled again by the Flux Kustomization that applies them.
//!
//! A rendered `$${name}` has become `${name}`, and a dashboard holds `${datasource}` of its own: a
//! Kustomization with `postBuild` would take both for its variables.

use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::{ResMap, Resource};
use crate::substitute::SWITCH;
use crate::yaml::{Node, Value};

/// How an object is kept as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Nothing is done: Flux fills what it finds.
    None,
    /// By the annotation that switches substitution off for the object. It means nothing without
    /// `postBuild`, so that it is right in either case.
    Annotate,
    /// By doubling each `$` that Flux would read. Right only where the Kustomization has variables.
    Double,
}

/// Protects each object that holds what Flux would fill, and tells which.
pub fn protect(resources: &mut ResMap, protection: Protection) -> Report {
    let mut changed = Vec::new();
    if protection == Protection::None {
        return Report::default();
    }
    for resource in resources.iter_mut() {
        if is_switched_off(resource) || !holds_references(resource.node()) {
            continue;
        }
        changed.push(resource.id().to_string());
        resource.change(|node| match protection {
            Protection::Annotate => annotate(node),
            Protection::Double | Protection::None => double(node),
        });
    }
    told(&changed, protection)
}

fn told(changed: &[String], protection: Protection) -> Report {
    let Some(first) = changed.first() else {
        return Report::default();
    };
    let what = match changed.len() {
        1 => format!("{first} holds"),
        2 => format!("{first} and one more object hold"),
        many => format!("{first} and {} more objects hold", many - 1),
    };
    let how = match protection {
        Protection::Annotate => format!("annotated with {SWITCH}: disabled"),
        Protection::Double | Protection::None => "written as `$$`".to_owned(),
    };
    Diagnostic::warning(
        Code::SubstitutionProtected,
        format!("{what} `${{…}}` or `$$`, {how}"),
    )
    .note("a Flux Kustomization with postBuild would fill it again")
    .help("pass --flux-escape=leave if Flux is to fill it")
    .into()
}

fn is_switched_off(resource: &Resource) -> bool {
    ["labels", "annotations"].iter().any(|field| {
        let value = resource.node().lookup(&["metadata", field, SWITCH]);
        value.and_then(Node::as_str) == Some("disabled")
    })
}

/// Whether Flux would read any of it: a lone `$` it leaves alone.
fn holds_references(node: &Node) -> bool {
    match node.value() {
        Value::Scalar(text) => text.contains("${") || text.contains("$$"),
        Value::Sequence(items) => items.iter().any(holds_references),
        Value::Mapping(mapping) => mapping
            .entries()
            .iter()
            .any(|e| holds_references(&e.key) || holds_references(&e.value)),
    }
}

fn annotate(node: &mut Node) {
    let metadata = node.get_mut("metadata").and_then(Node::as_mapping_mut);
    let Some(metadata) = metadata else {
        return;
    };
    let entry = metadata.get_or_insert_with("annotations", Node::mapping);
    if entry.as_mapping().is_none() {
        *entry = Node::mapping();
    }
    if let Some(annotations) = entry.as_mapping_mut() {
        annotations.insert(SWITCH, Node::string("disabled"));
    }
}

fn double(node: &mut Node) {
    match node.value_mut() {
        Value::Scalar(text) => {
            if text.contains("${") || text.contains("$$") {
                *text = doubled(text).into();
            }
        }
        Value::Sequence(items) => items.iter_mut().for_each(double),
        Value::Mapping(mapping) => {
            for entry in mapping.entries_mut() {
                double(&mut entry.key);
                double(&mut entry.value);
            }
        }
    }
}

/// Doubles every run of `$` that is longer than one, or stands before a brace.
fn doubled(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let run = rest[at..].bytes().take_while(|b| *b == b'$').count();
        let read = run > 1 || rest[at + run..].starts_with('{');
        out.extend(std::iter::repeat_n('$', if read { 2 * run } else { run }));
        rest = &rest[at + run..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::substitute::{Strictness, Variables, expand};

    #[test]
    fn what_is_doubled_expands_to_what_it_was() {
        let mut variables = Variables::of("Kustomization a/b", None);
        variables.insert("x", "y", None).unwrap();
        for text in [
            "${x}",
            "$${x}",
            "$$${x}",
            "$x $ $$",
            "a$",
            "$$$",
            "${x:-$${y}}",
        ] {
            let again = expand(&doubled(text), &variables, Strictness::Strict).unwrap();
            assert_eq!(String::from_utf8(again).unwrap(), text);
        }
    }
}
