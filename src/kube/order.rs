//! The order of kinds in kustomize's output: what others need comes first.

use std::cmp::Ordering;

/// The kinds that come first, in this order.
pub const FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// The kinds that come last, in this order.
pub const LAST: &[&str] = &[
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// The rank of a kind by two lists: negative for the first, 0 for those between, positive for the last.
pub fn rank<T: AsRef<str>>(kind: &str, first: &[T], last: &[T]) -> i64 {
    let position = |list: &[T]| list.iter().position(|k| k.as_ref() == kind);
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    match (position(last), position(first)) {
        (Some(at), _) => 1 + number(at),
        (None, Some(at)) => number(at) - number(first.len()),
        (None, None) => 0,
    }
}

/// Compares two kinds: by rank, then by group, version and kind, an empty one after all others.
pub fn compare(
    group: &str,
    version: &str,
    kind: &str,
    other_group: &str,
    other_version: &str,
    other_kind: &str,
) -> Ordering {
    let ranks = rank(kind, FIRST, LAST).cmp(&rank(other_kind, FIRST, LAST));
    ranks.then_with(|| {
        let mine = bytes(group, version, kind);
        mine.cmp(bytes(other_group, other_version, other_kind))
    })
}

/// The bytes of `group_version_kind`, with `~G`, `~V` and `~K` for empty ones.
fn bytes<'a>(group: &'a str, version: &'a str, kind: &'a str) -> impl Iterator<Item = u8> + 'a {
    let or = |text: &'a str, empty: &'a str| if text.is_empty() { empty } else { text };
    let parts = [or(group, "~G"), "_", or(version, "~V"), "_", or(kind, "~K")];
    parts.into_iter().flat_map(str::bytes)
}

#[cfg(test)]
mod tests {
    use super::{FIRST, LAST, compare, rank};

    #[test]
    fn ranks_and_then_names() {
        assert!(rank("Namespace", FIRST, LAST) < rank("Service", FIRST, LAST));
        assert_eq!(rank("Pump", FIRST, LAST), 0);
        assert!(rank("ValidatingWebhookConfiguration", FIRST, LAST) > 0);
        assert!(compare("storage.k8s.io", "v1", "B", "", "v1", "A").is_lt());
    }
}
