//! Will Argo CD ever call it Synced? What an object lacks or says that makes it OutOfSync for ever, or refused.
//!
//! Recorded of Argo CD 3.6 on a real API server (controller, three ways of applying), not read from its sources:
//! gitops-engine compares what Git says with what the API server made of it. With `ServerSideApply=true` a list of a
//! custom resource replaces the list that is there, so a default of the schema that an item leaves out is a
//! difference at every comparison; outside of lists it is none, and built-in kinds are compared with their defaults.
//! Client-side apply and `ServerSideDiff=true` hide that. What the API server refuses is [`admission`]'s to say.
//! Cases: the suite `argocd-sync`, `testdata/check/never-in-sync-*`.
//!
//! [`admission`]: crate::admission

mod application;

use serde_json::{Map, Value};

pub use application::{Ignored, ModeOf};

use super::wire::object::{at, gvk, text};
use crate::admission::{Judge, Sending};

/// How an Application applies and compares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Apply {
    /// Client-side apply, three-way diff: what it does by default.
    #[default]
    Client,
    /// `syncOptions: [ServerSideApply=true]`.
    Server,
    /// The same, and `argocd.argoproj.io/compare-options: ServerSideDiff=true`.
    ServerDiff,
}

/// What Argo CD will say of an object at a place, for ever.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// The place.
    pub path: Vec<Step>,
    /// Why.
    pub why: Why,
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A key of a mapping.
    Key(String),
    /// An item of a list, from 0.
    Index(usize),
}

/// Why an object is never in sync.
#[derive(Debug, Clone, PartialEq)]
pub enum Why {
    /// The field is not there, and the API server sets it to this.
    Lacks(Value),
    /// The API server puts another value in its place.
    Replaced(&'static str),
    /// The kind does not have the field, and the API server drops it.
    Unknown,
    /// The sync or the comparison fails: in which words.
    Refused(String),
}

/// The path as it is written: `spec.plugins[0].enabled`.
pub fn shown(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// Groups of kinds that Argo CD knows with their defaults.
const NATIVE_GROUPS: [&str; 22] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// What will be said of an object. Empty: it will be Synced, as far as can be known here.
pub fn judge(object: &Value, judge: &Judge, apply: Apply) -> Vec<Drift> {
    let mut drifts = comparison_failures(object, apply);
    let sending = match apply {
        Apply::Client => Sending::Create,
        Apply::Server | Apply::ServerDiff => Sending::Apply,
    };
    let verdict = judge.admit(object, None, sending);
    let is_custom = !NATIVE_GROUPS.contains(&gvk(object).0);
    let refused = |causes: &[crate::admission::Cause]| -> Vec<Drift> {
        let one = |cause: &crate::admission::Cause| Drift {
            path: steps(cause.field.as_str()),
            why: Why::Refused(cause.message.clone()),
        };
        causes.iter().map(one).collect()
    };
    drifts.extend(refused(&verdict.errors));
    if apply == Apply::Client {
        if is_custom {
            let unknown = verdict.unknown.iter();
            drifts.extend(unknown.map(|cause| Drift {
                path: steps(cause.field.as_str()),
                why: Why::Unknown,
            }));
        }
    } else {
        drifts.extend(refused(&verdict.unknown));
        drifts.extend(refused(&verdict.apply));
        if is_custom {
            nulls(object, &mut Vec::new(), &mut drifts);
        }
    }
    let is_refused = drifts.iter().any(|d| matches!(d.why, Why::Refused(_)));
    if !is_refused && apply != Apply::ServerDiff {
        drifts.extend(filled_in(object));
        if apply == Apply::Server {
            if is_custom {
                lacking(object, &verdict.object, false, &mut Vec::new(), &mut drifts);
            }
            drifts.extend(claim_templates(object));
        }
    }
    drifts
}

/// What Argo CD cannot compare, before anything is applied.
fn comparison_failures(object: &Value, apply: Apply) -> Vec<Drift> {
    let mut drifts = Vec::new();
    let annotations = at(object, &["metadata", "annotations"]).and_then(Value::as_object);
    for (key, value) in annotations.into_iter().flatten() {
        if !value.is_string() {
            let path = ["metadata", "annotations", key].map(key_step);
            let words = "is not a string, which Argo CD cannot track".to_owned();
            drifts.push(Drift {
                path: path.to_vec(),
                why: Why::Refused(words),
            });
        }
    }
    if apply != Apply::Server {
        let templates = [&["spec"][..], &["spec", "template", "spec"]];
        for path in templates {
            let pod = at(object, path);
            let secrets = pod.and_then(|pod| pod.get("imagePullSecrets")?.as_array());
            for (index, secret) in secrets.into_iter().flatten().enumerate() {
                if text(secret, &["name"]).is_empty() {
                    let mut path: Vec<Step> = path.iter().copied().map(key_step).collect();
                    path.extend([key_step("imagePullSecrets"), Step::Index(index)]);
                    let words = "has no name, which Argo CD cannot compare".to_owned();
                    drifts.push(Drift {
                        path,
                        why: Why::Refused(words),
                    });
                }
            }
        }
    }
    drifts
}

/// Values of built-in kinds that the API server puts others in the place of.
fn filled_in(object: &Value) -> Vec<Drift> {
    let mut drifts = Vec::new();
    let mut replaced = |path: &[&str], by: &'static str| {
        drifts.push(Drift {
            path: path.iter().copied().map(key_step).collect(),
            why: Why::Replaced(by),
        });
    };
    if at(object, &["metadata", "generation"]).is_some_and(Value::is_number) {
        replaced(&["metadata", "generation"], "the API server counts it");
    }
    match gvk(object) {
        ("", _, "Service")
            if at(object, &["spec", "clusterIP"]).and_then(Value::as_str) == Some("") =>
        {
            replaced(&["spec", "clusterIP"], "the API server assigns an address");
        }
        ("discovery.k8s.io", _, "EndpointSlice") => {
            let ports = object.get("ports").and_then(Value::as_array);
            for (index, port) in ports.into_iter().flatten().enumerate() {
                let defaults = [("name", Value::from("")), ("protocol", Value::from("TCP"))];
                for (key, value) in defaults
                    .into_iter()
                    .filter(|(key, _)| port.get(key).is_none())
                {
                    drifts.push(Drift {
                        path: vec![key_step("ports"), Step::Index(index), key_step(key)],
                        why: Why::Lacks(value),
                    });
                }
            }
        }
        _ => {}
    }
    drifts
}

/// What the API server adds to each claim template of a StatefulSet.
fn claim_templates(object: &Value) -> Vec<Drift> {
    if gvk(object).2 != "StatefulSet" {
        return Vec::new();
    }
    let defaults: [(&[&str], &str); 3] = [
        (&["apiVersion"], "v1"),
        (&["kind"], "PersistentVolumeClaim"),
        (&["spec", "volumeMode"], "Filesystem"),
    ];
    let mut drifts = Vec::new();
    let templates = at(object, &["spec", "volumeClaimTemplates"]).and_then(Value::as_array);
    for (index, template) in templates.into_iter().flatten().enumerate() {
        for (path, value) in defaults {
            if at(template, path).is_none() {
                let above = [
                    key_step("spec"),
                    key_step("volumeClaimTemplates"),
                    Step::Index(index),
                ];
                let below = path.iter().copied().map(key_step);
                drifts.push(Drift {
                    path: above.into_iter().chain(below).collect(),
                    why: Why::Lacks(value.into()),
                });
            }
        }
    }
    drifts
}

/// Fields that stand in a list item of what is stored, and not in what Git says.
fn lacking(
    git: &Value,
    stored: &Value,
    is_in_list: bool,
    path: &mut Vec<Step>,
    found: &mut Vec<Drift>,
) {
    match (git, stored) {
        (Value::Object(git), Value::Object(stored)) => {
            lacking_fields(git, stored, is_in_list, path, found);
        }
        (Value::Array(git), Value::Array(stored)) if git.len() == stored.len() => {
            for (index, (git, stored)) in git.iter().zip(stored).enumerate() {
                path.push(Step::Index(index));
                lacking(git, stored, true, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

fn lacking_fields(
    git: &Map<String, Value>,
    stored: &Map<String, Value>,
    is_in_list: bool,
    path: &mut Vec<Step>,
    found: &mut Vec<Drift>,
) {
    for (key, value) in stored {
        path.push(key_step(key));
        match git.get(key) {
            Some(git) => lacking(git, value, is_in_list, path, found),
            None if is_in_list => found.push(Drift {
                path: path.clone(),
                why: Why::Lacks(value.clone()),
            }),
            None => {}
        }
        path.pop();
    }
}

/// Fields of a custom resource that are null, which server-side apply refuses.
fn nulls(value: &Value, path: &mut Vec<Step>, found: &mut Vec<Drift>) {
    match value {
        // A creationTimestamp is null in much that was generated, and never looked at.
        Value::Null if shown(path) != "metadata.creationTimestamp" => found.push(Drift {
            path: path.clone(),
            why: Why::Refused("is null".to_owned()),
        }),
        Value::Object(map) => {
            let is_root = path.is_empty();
            let looked_at = map.iter().filter(|(key, _)| *key != "metadata" || !is_root);
            for (key, value) in looked_at {
                path.push(key_step(key));
                nulls(value, path, found);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                path.push(Step::Index(index));
                nulls(value, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

fn key_step(key: &str) -> Step {
    Step::Key(key.to_owned())
}

/// The steps of a place as the API server writes it.
fn steps(field: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in field.split('.').filter(|part| !part.is_empty()) {
        let (key, rest) = part.split_once('[').unwrap_or((part, ""));
        if !key.is_empty() {
            steps.push(key_step(key));
        }
        for index in rest.split('[').filter_map(|text| text.strip_suffix(']')) {
            steps.push(match index.parse() {
                Ok(index) => Step::Index(index),
                Err(_) => key_step(index),
            });
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::Versions;
    use serde_json::json;

    fn found(object: &Value, apply: Apply) -> Vec<(String, Why)> {
        let drifts = judge(object, &Judge::new(Versions::default()), apply);
        drifts
            .into_iter()
            .map(|d| (shown(&d.path), d.why))
            .collect()
    }

    #[test]
    fn defaults_of_list_items_count_with_server_side_apply_alone() {
        let cluster = json!({
            "apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": {"name": "c"},
            "spec": {"instances": 1, "storage": {"size": "1Gi"}, "plugins": [{"name": "p"}]},
        });
        let wanted = [
            (
                "spec.plugins[0].enabled".to_owned(),
                Why::Lacks(json!(true)),
            ),
            (
                "spec.plugins[0].isWALArchiver".to_owned(),
                Why::Lacks(json!(false)),
            ),
        ];
        let mut server = found(&cluster, Apply::Server);
        server.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(server, wanted);
        assert!(found(&cluster, Apply::Client).is_empty());
        assert!(found(&cluster, Apply::ServerDiff).is_empty());
    }

    #[test]
    fn places_are_read_and_shown() {
        let text = "spec.containers[0].env[12].name";
        assert_eq!(shown(&steps(text)), text);
    }

    #[test]
    fn what_cannot_be_tracked_is_refused() {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "annotations": {"a": null}}});
        assert!(
            matches!(&found(&map, Apply::Client)[..], [(path, Why::Refused(_)), ..] if path == "metadata.annotations.a")
        );
    }
}
