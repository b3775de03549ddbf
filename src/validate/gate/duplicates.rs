//! No two documents have the same identity.
//!
//! Versions of a group share their objects, so the version does not tell two apart.

use indexmap::IndexMap;

use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::{ResMap, Resource};

pub(super) fn check(resources: &ResMap, report: &mut Report) {
    let mut seen: IndexMap<[&str; 4], &Resource> = IndexMap::new();
    for resource in resources.iter().filter(|r| !r.name().is_empty()) {
        let identity = [
            resource.gvk().group.as_str(),
            resource.kind(),
            resource.effective_namespace(),
            resource.name(),
        ];
        match seen.get(&identity) {
            Some(first) => report.push(finding(first, resource)),
            None => {
                seen.insert(identity, resource);
            }
        }
    }
}

fn finding(first: &Resource, second: &Resource) -> Diagnostic {
    let phrase = format!("{} is there twice", second.id());
    let diagnostic = Diagnostic::new(Code::ObjectDuplicate, phrase).at(second.place());
    let diagnostic = match first.place() {
        Some(place) => diagnostic.note(format!("the first one is at {place}")),
        None => diagnostic.note("the first one was made by a generator"),
    };
    diagnostic.help("the host would apply the last one alone: remove or rename one of them")
}
