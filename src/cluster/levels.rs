//! What another kustomize would make of the roots: what an upgrade of the host changes, object by object.

use std::collections::BTreeMap;

use super::{Cluster, Outcome, Root, shown};
use crate::diagnostic::{Code, Diagnostic, Place, Report};
use crate::kube::Resource;
use crate::kustomize::Level;
use crate::yaml::{Node, Value};

/// How many fields of an object a finding names at most.
const MAX_FIELDS: usize = 5;

/// Compares what every root gives at two levels. What it has at both is silent.
pub fn compare(old: (&Cluster, Level), new: (&Cluster, Level)) -> Report {
    let mut report = Report::default();
    let roots = |cluster: &Cluster| -> Vec<(usize, String)> {
        let names = cluster.roots.iter().map(name_of);
        names.enumerate().collect()
    };
    let after: BTreeMap<String, usize> = roots(new.0)
        .into_iter()
        .map(|(at, name)| (name, at))
        .collect();
    for (at, name) in roots(old.0) {
        let Some(other) = after.get(&name) else {
            continue;
        };
        compare_roots(
            (&old.0.roots[at], old.1),
            (&new.0.roots[*other], new.1),
            &mut report,
        );
    }
    report
}

fn name_of(root: &Root) -> String {
    let by = root.applied_by.as_deref().unwrap_or_default();
    format!("{} {by} {}", root.host.name(), root.directory)
}

fn compare_roots(old: (&Root, Level), new: (&Root, Level), report: &mut Report) {
    match (&old.0.outcome, &new.0.outcome) {
        (Outcome::Landed(a), Outcome::Landed(b)) => {
            let (a, b) = (by_id(&a.landed.resources), by_id(&b.landed.resources));
            for (id, object) in &a {
                match b.get(id) {
                    None => report.push(finding(
                        object.place(),
                        format!("{id} is not there at kustomize {}", new.1),
                    )),
                    Some(other) => compare_objects(id, (object, other), new.1, report),
                }
            }
            for (id, object) in b.iter().filter(|(id, _)| !a.contains_key(*id)) {
                report.push(finding(
                    object.place(),
                    format!("{id} is new at kustomize {}", new.1),
                ));
            }
        }
        (Outcome::Landed(_), Outcome::Failed(errors)) => report.push(refused(new, errors)),
        (Outcome::Failed(errors), Outcome::Landed(_)) => report.push(refused(old, errors)),
        _ => {}
    }
}

fn by_id<'r>(resources: impl IntoIterator<Item = &'r Resource>) -> BTreeMap<String, &'r Resource> {
    let named = |object: &'r Resource| {
        let id = format!("{} {}", object.gvk().api_version(), object.id());
        (id, object)
    };
    resources.into_iter().map(named).collect()
}

fn compare_objects(
    id: &str,
    (old, new): (&Resource, &Resource),
    level: Level,
    report: &mut Report,
) {
    let mut fields = Vec::new();
    differences(old.node(), new.node(), String::new(), &mut fields);
    if fields.is_empty() {
        return;
    }
    let more = fields.len().saturating_sub(MAX_FIELDS);
    fields.truncate(MAX_FIELDS);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let phrase = format!(
        "{id} is another at kustomize {level}: {}{more}",
        fields.join(", ")
    );
    report.push(finding(old.place(), phrase));
}

/// The paths of the fields that differ; never what they hold.
fn differences(old: &Node, new: &Node, path: String, fields: &mut Vec<String>) {
    match (old.value(), new.value()) {
        (Value::Mapping(a), Value::Mapping(b)) => {
            let added = b.iter().filter(|(key, _)| !a.contains(key));
            for (key, _) in added {
                fields.push(below(&path, key));
            }
            for (key, value) in a.iter() {
                match b.get(key) {
                    Some(other) => differences(value, other, below(&path, key), fields),
                    None => fields.push(below(&path, key)),
                }
            }
        }
        (Value::Sequence(a), Value::Sequence(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                differences(a, b, format!("{path}[{at}]"), fields);
            }
        }
        _ if old == new => {}
        _ => fields.push(path),
    }
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn refused((root, level): (&Root, Level), errors: &Report) -> Diagnostic {
    let directory = shown(&root.directory);
    let error = finding(
        root.place.clone().or_else(|| Some(Place::file(directory))),
        format!("{directory} does not build at kustomize {level}"),
    );
    match errors.findings.first() {
        Some(first) => error.note(first.phrase().to_owned()),
        None => error,
    }
}

fn finding(place: Option<Place>, phrase: String) -> Diagnostic {
    Diagnostic::warning(Code::LevelDiffers, phrase)
        .at(place)
        .help("kustomize.version of the project file, or --kustomize-version, keeps the one or the other")
}
