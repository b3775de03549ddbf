//! The order in which the controller applies the objects of one Kustomization.
//!
//! Follows fluxcd/pkg `ssa/manager_apply.go` (`ApplyAllStaged`) and `ssa/sort.go` (v0.76.2): definitions first, then
//! kinds that end in `Class`, then the kinds that `--custom-stage-kinds` of the controller names, then the rest; the
//! controller waits after each stage. Within a stage: the kinds of a fixed list, then all others by group and kind,
//! then the webhooks; ties by namespace and name as strings. Pinned by the cases `order-*` of the Flux recordings.

use crate::kube::{ResMap, Resource};

/// Kinds that come first, in this order.
const FIRST: [&str; 24] = [
    "CustomResourceDefinition",
    "Namespace",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "GatewayClass",
    "ClusterRole",
    "ClusterRoleBinding",
    "ResourceQuota",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
    "LimitRange",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that come last, in this order.
const LAST: [&str; 2] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// The definitions of the first stage, in lower case, with their groups.
const DEFINITIONS: [(&str, &str); 3] = [
    ("apiextensions.k8s.io", "customresourcedefinition"),
    ("", "namespace"),
    ("rbac.authorization.k8s.io", "clusterrole"),
];

/// A kind with its group, as `GROUP/KIND`; a kind of the core group alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupKind {
    group: String,
    kind: String,
}

impl GroupKind {
    /// Reads `GROUP/KIND` or `KIND`.
    pub fn parse(text: &str) -> Self {
        let (group, kind) = text.rsplit_once('/').unwrap_or(("", text));
        Self {
            group: group.to_owned(),
            kind: kind.to_owned(),
        }
    }
}

/// Puts objects in the order in which the controller applies them.
pub fn in_order_of_apply(resources: &mut ResMap, custom: &[GroupKind]) {
    resources.rearrange(|mut objects| {
        objects.sort_by_cached_key(|object| {
            let group = object.gvk().group.to_string();
            let kind = object.kind().to_owned();
            let name = (object.namespace().to_owned(), object.name().to_owned());
            (stage(object, custom), rank(&kind), group, kind, name)
        });
        objects
    });
}

fn stage(object: &Resource, custom: &[GroupKind]) -> u8 {
    let (group, kind) = (object.gvk().group.as_str(), object.kind());
    let lower = kind.to_ascii_lowercase();
    if DEFINITIONS.iter().any(|(g, k)| *g == group && *k == lower) {
        return 0;
    }
    if kind.ends_with("Class") {
        return 1;
    }
    let is_custom = custom
        .iter()
        .any(|one| one.group == group && one.kind == kind);
    if is_custom { 2 } else { 3 }
}

fn rank(kind: &str) -> usize {
    if let Some(at) = FIRST.iter().position(|first| *first == kind) {
        return at;
    }
    let last = LAST.iter().position(|last| *last == kind);
    FIRST.len() + last.map_or(0, |at| at + 1)
}
