//! What may not change in an object of a built-in kind.
//!
//! The `Validate…Update` functions of `pkg/apis/*/validation` and the strategies of `pkg/registry` of k8s.io/kubernetes
//! v1.34 are the reference. Both objects have their defaults; equal amounts in another spelling are equal, and so are an
//! empty list or mapping and none. Claims that grow are taken: whether a volume can is for its class to say.

use serde_json::{Map, Value};

use super::checks::quantity;
use super::look::Look;
use crate::admission::path::Path;
use crate::admission::schemas::{Arena, Number, Reader, Schema};
use crate::admission::verdict::{Causes, Reason};
use crate::kube::Gvk;

/// Fields of a kind that may not change: the words say how the API server refuses it.
type Row = (&'static str, &'static str, &'static [&'static str]);

const IMMUTABLE: &[Row] = &[
    ("apps", "Deployment", &["spec.selector"]),
    ("apps", "DaemonSet", &["spec.selector"]),
    ("apps", "ReplicaSet", &["spec.selector"]),
    (
        "batch",
        "Job",
        &[
            "spec.completions",
            "spec.selector",
            "spec.template",
            "spec.completionMode",
            "spec.podFailurePolicy",
            "spec.backoffLimitPerIndex",
            "spec.managedBy",
            "spec.successPolicy",
        ],
    ),
    ("", "Secret", &["type"]),
    ("", "ResourceQuota", &["spec.scopes"]),
    ("rbac.authorization.k8s.io", "RoleBinding", &["roleRef"]),
    (
        "rbac.authorization.k8s.io",
        "ClusterRoleBinding",
        &["roleRef"],
    ),
    (
        "storage.k8s.io",
        "StorageClass",
        &[
            "provisioner",
            "parameters",
            "reclaimPolicy",
            "volumeBindingMode",
        ],
    ),
    (
        "storage.k8s.io",
        "CSIDriver",
        &[
            "spec.attachRequired",
            "spec.fsGroupPolicy",
            "spec.volumeLifecycleModes",
        ],
    ),
    (
        "scheduling.k8s.io",
        "PriorityClass",
        &["value", "preemptionPolicy"],
    ),
    ("networking.k8s.io", "IngressClass", &["spec.controller"]),
    ("node.k8s.io", "RuntimeClass", &["handler"]),
    ("discovery.k8s.io", "EndpointSlice", &["addressType"]),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        &[
            "spec.group",
            "spec.scope",
            "spec.names.kind",
            "spec.names.plural",
        ],
    ),
];

/// The parts of a StatefulSet's spec that may change.
const STATEFUL_SET: &[&str] = &[
    "replicas",
    "template",
    "updateStrategy",
    "minReadySeconds",
    "ordinals",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
];

/// The fields of a PersistentVolume's spec that are no sources.
const NOT_SOURCES: &[&str] = &[
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
];

/// Compares an object with the one that it replaces, both with their defaults.
pub(in crate::admission) fn check(
    schema: &Schema,
    gvk: &Gvk,
    object: &Value,
    old: &Value,
    causes: &mut Causes,
) {
    let change = Change {
        arena: &schema.arena,
        root: schema.root,
        object,
        old,
    };
    let row = IMMUTABLE
        .iter()
        .find(|(group, kind, _)| gvk.is(group, kind));
    for field in row.map_or(&[][..], |(_, _, fields)| fields) {
        change.immutable(field, causes);
    }
    match &*gvk.kind {
        "StatefulSet" => change.stateful_set(causes),
        "Pod" if gvk.group.is_empty() => change.pod(causes),
        "PersistentVolumeClaim" => change.claim(causes),
        "PersistentVolume" => change.volume(causes),
        "Service" if gvk.group.is_empty() => change.service(causes),
        "ConfigMap" | "Secret" if gvk.group.is_empty() => change.sealed_for_good(causes),
        "CustomResourceDefinition" => change.stored_versions(causes),
        _ => {}
    }
}

/// What an update of a Service takes over where it says nothing: the address that it has.
pub(in crate::admission) fn take_over(gvk: &Gvk, object: &mut Value, old: &Value) {
    if !gvk.is("", "Service") || object.at("spec").text("type") == "ExternalName" {
        return;
    }
    let has_own = object.at("spec").has("clusterIP") || object.at("spec").has("clusterIPs");
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    for field in ["clusterIP", "clusterIPs"] {
        let value = old.at("spec").at(field);
        if !has_own && !value.is_null() {
            spec.insert(field.to_owned(), value.clone());
        }
    }
}

struct Change<'c> {
    arena: &'c Arena,
    root: Number,
    object: &'c Value,
    old: &'c Value,
}

impl Change<'_> {
    fn immutable(&self, field: &str, causes: &mut Causes) {
        let steps: Vec<&str> = field.split('.').collect();
        let number = steps.iter().try_fold(self.root, |number, step| {
            self.arena.get(number).properties.get(*step).copied()
        });
        if self.same(number, self.object.down(&steps), self.old.down(&steps)) {
            return;
        }
        at(&steps, causes, &mut |path, causes| {
            causes.add(
                path,
                Reason::Invalid,
                "may not change: the field is immutable",
            );
            causes.help("make the object anew, under another name or after removing it");
        });
    }

    fn same(&self, number: Option<Number>, a: &Value, b: &Value) -> bool {
        let kind = number.map(|n| self.arena.get(n));
        if kind.is_some_and(|k| k.go == Some(Reader::Quantity)) {
            return quantity(a) == quantity(b);
        }
        match (a, b) {
            (Value::Object(a), Value::Object(b)) => {
                let names = a
                    .keys()
                    .chain(b.keys().filter(|name| !a.contains_key(*name)));
                names.into_iter().all(|name| {
                    let number = kind.and_then(|k| k.properties.get(name).copied().or(k.values));
                    let of = |fields: &Map<String, Value>| {
                        fields.get(name).cloned().unwrap_or(Value::Null)
                    };
                    self.same(number, &of(a), &of(b))
                })
            }
            (Value::Array(a), Value::Array(b)) => {
                let number = kind.and_then(|k| k.items);
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.same(number, a, b))
            }
            (a, b) => a == b || (is_nothing(a) && is_nothing(b)),
        }
    }

    /// The type of the spec.
    fn spec(&self) -> Option<Number> {
        self.arena.get(self.root).properties.get("spec").copied()
    }

    /// Both specs, without some of their fields.
    fn specs_without(&self, fields: &[&str]) -> (Value, Value) {
        let strip = |object: &Value| {
            let mut spec = object.at("spec").clone();
            if let Some(own) = spec.as_object_mut() {
                own.retain(|name, _| !fields.contains(&&**name));
            }
            spec
        };
        (strip(self.object), strip(self.old))
    }

    fn stateful_set(&self, causes: &mut Causes) {
        let (new, old) = self.specs_without(STATEFUL_SET);
        if !self.same(self.spec(), &new, &old) {
            let message = format!(
                "fields other than {} may not change",
                STATEFUL_SET.join(", ")
            );
            causes.forbidden(&Path::ROOT.field("spec"), &message);
        }
    }

    fn pod(&self, causes: &mut Causes) {
        let (mut new, mut old) =
            self.specs_without(&["activeDeadlineSeconds", "tolerations", "schedulingGates"]);
        for spec in [&mut new, &mut old] {
            for list in ["containers", "initContainers"] {
                let containers = spec.get_mut(list).and_then(Value::as_array_mut);
                for container in containers
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_object_mut)
                {
                    container.shift_remove("image");
                    container.shift_remove("imagePullPolicy");
                }
            }
        }
        if !self.same(self.spec(), &new, &old) {
            let message = "a Pod may change its images, activeDeadlineSeconds and tolerations only";
            causes.forbidden(&Path::ROOT.field("spec"), message);
        }
    }

    fn claim(&self, causes: &mut Causes) {
        let (new, old) =
            self.specs_without(&["resources", "volumeName", "volumeAttributesClassName"]);
        let size =
            |object: &Value| quantity(object.down(&["spec", "resources", "requests", "storage"]));
        let shrinks = size(self.object) < size(self.old);
        if !self.same(self.spec(), &new, &old) || shrinks {
            causes.forbidden(
                &Path::ROOT.field("spec"),
                "a claim may change nothing but grow",
            );
        }
    }

    fn volume(&self, causes: &mut Causes) {
        let source = |object: &Value| {
            let mut spec = object.at("spec").clone();
            if let Some(fields) = spec.as_object_mut() {
                fields.retain(|name, _| !NOT_SOURCES.contains(&&**name));
            }
            spec
        };
        let spec = Path::ROOT.field("spec");
        if !self.same(self.spec(), &source(self.object), &source(self.old)) {
            causes.forbidden(
                &spec.field("persistentvolumesource"),
                "the source may not change after creation",
            );
        }
        self.immutable("spec.volumeMode", causes);
    }

    fn service(&self, causes: &mut Causes) {
        let kind = |object: &Value| object.at("spec").text("type").to_owned();
        if kind(self.object) == "ExternalName" || kind(self.old) == "ExternalName" {
            return;
        }
        let address = |object: &Value| {
            let spec = object.at("spec");
            let listed = spec
                .words("clusterIPs")
                .first()
                .copied()
                .unwrap_or_default()
                .to_owned();
            if spec.text("clusterIP").is_empty() {
                listed
            } else {
                spec.text("clusterIP").to_owned()
            }
        };
        let (new, old) = (address(self.object), address(self.old));
        // Where the old one has none, the API server gave it one.
        if !new.is_empty() && new != old {
            let spec = Path::ROOT.field("spec");
            let list = spec.field("clusterIPs");
            causes.invalid(&list.index(0), "may not change once set (clusterIP)");
        }
    }

    /// A ConfigMap or Secret with `immutable: true`.
    fn sealed_for_good(&self, causes: &mut Causes) {
        if !self.old.flag("immutable") {
            return;
        }
        let root = &Path::ROOT;
        if !self.object.flag("immutable") {
            causes.forbidden(&root.field("immutable"), "it may not be taken back");
        }
        for field in ["data", "binaryData"] {
            let is_same = self.same(None, self.object.at(field), self.old.at(field));
            if !is_same {
                causes.forbidden(&root.field(field), "the object is immutable");
            }
        }
    }

    /// Objects may be stored in the version that was the storage version.
    fn stored_versions(&self, causes: &mut Causes) {
        let versions = |object: &Value| object.at("spec").items("versions").to_vec();
        let new = versions(self.object);
        let stored = versions(self.old);
        let stored = stored
            .iter()
            .filter(|v| v.flag("storage"))
            .map(|v| v.text("name"));
        let status = Path::ROOT.field("status");
        let list = status.field("storedVersions");
        for (index, name) in stored.enumerate() {
            if !new.iter().any(|v| v.text("name") == name) {
                causes.invalid(
                    &list.index(index),
                    "is missing from spec.versions, and objects may be stored in it",
                );
            }
        }
    }
}

/// Calls with the path of some fields.
fn at(steps: &[&str], causes: &mut Causes, tell: &mut dyn FnMut(&Path<'_>, &mut Causes)) {
    fn descend(
        steps: &[&str],
        path: &Path<'_>,
        causes: &mut Causes,
        tell: &mut dyn FnMut(&Path<'_>, &mut Causes),
    ) {
        match steps.split_first() {
            Some((first, rest)) => descend(rest, &path.field(first), causes, tell),
            None => tell(path, causes),
        }
    }
    descend(steps, &Path::ROOT, causes, tell);
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}
