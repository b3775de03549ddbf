//! Every document has `apiVersion`, `kind` and `metadata.name`.

use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::{ResMap, Resource};
use crate::yaml::Node;

const FIELDS: [&[&str]; 3] = [&["apiVersion"], &["kind"], &["metadata", "name"]];

pub(super) fn check(resources: &ResMap, report: &mut Report) {
    for resource in resources.iter() {
        let missing: Vec<String> = FIELDS
            .into_iter()
            .filter(|f| !has_text(resource, f))
            .map(|f| f.join("."))
            .collect();
        if !missing.is_empty() {
            report.push(finding(resource, &missing));
        }
    }
}

/// Whether a field holds text that is not empty.
fn has_text(resource: &Resource, field: &[&str]) -> bool {
    let text = resource.node().lookup(field).and_then(Node::as_str);
    text.is_some_and(|t| !t.is_empty())
}

fn finding(resource: &Resource, missing: &[String]) -> Diagnostic {
    let named = match (resource.kind(), resource.name()) {
        ("", "") => "a document".to_owned(),
        ("", name) => format!("the document named {name}"),
        (kind, "") => format!("a {kind}"),
        (kind, name) => format!("{kind}/{name}"),
    };
    let phrase = format!("{named} has no {}", missing.join(" and no "));
    Diagnostic::new(Code::ObjectIncomplete, phrase)
        .at(resource.place())
        .help("every document of a render is one object, with these fields as text")
}
