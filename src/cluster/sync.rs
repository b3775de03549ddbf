//! What Argo CD will never call Synced: the objects of each root by the way in which its Application applies them.

use serde_json::Value;

use super::{Cluster, Root};
use crate::admission::Judge;
use crate::argocd::sync::{Apply, Drift, ModeOf, Step, Why, judge, shown};
use crate::argocd::wire::yaml;
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::files::TreePath;
use crate::kube::Resource;
use crate::yaml::{Node, Style};

/// Reports what will never be in sync. `apply` is for the roots that no Application of the cluster names; without
/// it they are not judged.
pub fn findings(cluster: &Cluster, apply: Option<Apply>) -> Report {
    let mut report = Report::default();
    let applications = applications(cluster);
    if applications.is_empty() && apply.is_none() {
        return report;
    }
    let judge = judge_of(cluster);
    for (root, judged) in cluster.landed() {
        let named = applications
            .iter()
            .find(|(path, _)| *path == root.directory);
        let given = apply.map(|apply| ModeOf {
            apply,
            ..ModeOf::default()
        });
        let Some(mode) = named.map(|(_, mode)| mode.clone()).or(given) else {
            continue;
        };
        for resource in &judged.landed.resources {
            report
                .findings
                .extend(of_object(resource, root, &judge, &mode));
        }
    }
    report
}

/// The directories that Applications of the cluster render, and how they apply them.
fn applications(cluster: &Cluster) -> Vec<(TreePath, ModeOf)> {
    let mut found = Vec::new();
    for (_, judged) in cluster.landed() {
        for resource in judged
            .landed
            .resources
            .iter()
            .filter(|r| r.gvk().is("argoproj.io", "Application"))
        {
            let Some(object) = value_of(resource) else {
                continue;
            };
            let path = object.pointer("/spec/source/path").and_then(Value::as_str);
            if let Some(path) = path.and_then(TreePath::parse) {
                found.push((path, ModeOf::application(&object)));
            }
        }
    }
    found
}

/// A judge that knows the definitions of the cluster.
fn judge_of(cluster: &Cluster) -> Judge {
    let mut judge = Judge::new(cluster.versions);
    for (_, judged) in cluster.landed() {
        for resource in judged
            .landed
            .resources
            .iter()
            .filter(|r| r.kind() == "CustomResourceDefinition")
        {
            if let Some(crd) = value_of(resource) {
                judge.define(&crd);
            }
        }
    }
    judge
}

/// The object as Argo CD reads what is printed.
fn value_of(resource: &Resource) -> Option<Value> {
    let mut text = Vec::new();
    crate::yaml::write_manifest(&mut text, resource.node()).ok()?;
    yaml::read(&String::from_utf8_lossy(&text)).ok()
}

fn of_object(resource: &Resource, root: &Root, known: &Judge, mode: &ModeOf) -> Vec<Diagnostic> {
    let Some(object) = value_of(resource) else {
        return Vec::new();
    };
    let drifts = judge(&object, known, mode.of(&object)).into_iter();
    let kept = drifts.filter(|drift| {
        matches!(drift.why, Why::Refused(_)) || !mode.ignored.takes(&object, &drift.path)
    });
    let read = as_it_is_read(resource.node());
    kept.chain(read)
        .map(|drift| finding(resource, root, &drift))
        .collect()
}

/// What Argo CD's own reader makes of the file, where it applies it without a build: a name that is a word of
/// YAML 1.1, and an annotation without a value.
fn as_it_is_read(node: &Node) -> Vec<Drift> {
    let refused = |path: &[&str], words: &str| Drift {
        path: path
            .iter()
            .map(|key| Step::Key((*key).to_owned()))
            .collect(),
        why: Why::Refused(words.to_owned()),
    };
    let mut drifts = Vec::new();
    let name = node.lookup(&["metadata", "name"]);
    let is_word = |name: &Node| {
        let text = name.scalar_text().unwrap_or_default();
        name.style() == Style::Plain && yaml::read(text).is_ok_and(|value| value.is_boolean())
    };
    if name.is_some_and(is_word) {
        drifts.push(refused(
            &["metadata", "name"],
            "is true or false to YAML 1.1, which Argo CD reads: write it in quotes",
        ));
    }
    let annotations = node
        .lookup(&["metadata", "annotations"])
        .and_then(Node::as_mapping);
    for (key, value) in annotations.into_iter().flat_map(|map| map.iter()) {
        if value.is_null() {
            drifts.push(refused(
                &["metadata", "annotations", key],
                "has no value, which Argo CD cannot track",
            ));
        }
    }
    drifts
}

fn finding(resource: &Resource, root: &Root, drift: &Drift) -> Diagnostic {
    let (id, path) = (resource.id(), shown(&drift.path));
    let place = resource.place_of(nearest(resource.node(), &drift.path));
    let place = place.or_else(|| root.place.clone());
    let finding = match &drift.why {
        Why::Refused(words) => {
            let phrase = format!("Argo CD cannot sync {id}: {path} {words}");
            Diagnostic::new(Code::NeverInSync, phrase)
        }
        Why::Lacks(value) => {
            let key = drift.path.iter().rev().find_map(|step| match step {
                Step::Key(key) => Some(&**key),
                Step::Index(_) => None,
            });
            let above = drift.path.split_last().map_or(&[][..], |(_, above)| above);
            let line = format!("{}: {}", key.unwrap_or_default(), plain(value));
            let phrase = format!(
                "Argo CD calls {id} OutOfSync for ever: {path} is not there, and the API server sets it"
            );
            Diagnostic::warning(Code::NeverInSync, phrase).help(format!(
                "write `{line}` in {}, or set the annotation argocd.argoproj.io/compare-options: ServerSideDiff=true on the Application",
                shown(above)
            ))
        }
        Why::Replaced(by) => {
            let phrase = format!("Argo CD calls {id} OutOfSync for ever: {path} is set, and {by}");
            Diagnostic::warning(Code::NeverInSync, phrase).help(format!("remove {path}"))
        }
        Why::Unknown => {
            let phrase = format!(
                "Argo CD calls {id} OutOfSync for ever: its kind has no {path}, and the API server drops it"
            );
            Diagnostic::warning(Code::NeverInSync, phrase).help(format!("remove {path}"))
        }
    };
    finding.at(place)
}

/// A value as it is written in YAML: a word without quotes where it means the same.
fn plain(value: &Value) -> String {
    let is_word = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || "./-".contains(c))
            && yaml::read(text).is_ok_and(|read| read.is_string())
    };
    match value.as_str() {
        Some(text) if is_word(text) => text.to_owned(),
        _ => value.to_string(),
    }
}

/// The node at a path, or the nearest one above it that is there.
fn nearest<'n>(root: &'n Node, path: &[Step]) -> &'n Node {
    let mut node = root;
    for step in path {
        let next = match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => node.as_sequence().and_then(|items| items.get(*index)),
        };
        let Some(next) = next else {
            break;
        };
        node = next;
    }
    node
}
