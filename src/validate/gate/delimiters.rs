//! In documents that a template made, no delimiter of a template is left; no template is a manifest.

use super::GateOptions;
use crate::diagnostic::{Code, Diagnostic, Origin, Report};
use crate::kube::{ResMap, Resource};
use crate::validate::walk;

/// Delimiters that other engines read in the cluster: Prometheus, Helm, External Secrets.
const OF_OTHERS: [&str; 3] = ["{{", "{%", "{#"];

pub(super) fn check(resources: &ResMap, options: &GateOptions<'_>, report: &mut Report) {
    let delimiters: Vec<&str> = options
        .delimiters
        .iter()
        .map(String::as_str)
        .filter(|d| !OF_OTHERS.contains(d) && !d.is_empty())
        .collect();
    for resource in resources.iter() {
        let Some(source) = resource.source() else {
            continue;
        };
        match source.origin {
            Origin::Rendered { .. } => report.findings.extend(left(resource, &delimiters)),
            Origin::Committed if source.path.ends_with(".j2") => report.push(raw(resource)),
            Origin::Committed | Origin::Decrypted | Origin::Overlay { .. } => {}
        }
    }
}

/// The first delimiter that is left in an object.
fn left(resource: &Resource, delimiters: &[&str]) -> Option<Diagnostic> {
    let mut found = None;
    walk::scalars(resource.node(), &mut |path, _, node| {
        let text = node.scalar_text().unwrap_or_default();
        let delimiter = delimiters.iter().find(|d| text.contains(**d));
        if let (None, Some(delimiter)) = (&found, delimiter) {
            let phrase = format!(
                "{} still has `{delimiter}` in {}",
                resource.id(),
                walk::show(path)
            );
            found = Some(
                Diagnostic::new(Code::DelimiterLeftover, phrase)
                    .at(resource.place_of(node))
                    .note("the document was rendered from a template, and this is how an expression of it begins")
                    .help("close the expression, or write the delimiter as an expression that gives it"),
            );
        }
    });
    found
}

fn raw(resource: &Resource) -> Diagnostic {
    let phrase = format!("{} was read from a template as it stands", resource.id());
    Diagnostic::new(Code::DelimiterLeftover, phrase)
        .at(resource.place())
        .help("name the file without .j2, so that it is rendered")
}
