//! Which built-in kinds live in a namespace: the table that kustomize v5.7.1 was built with.

/// Where the objects of a kind live.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Outside of every namespace.
    Cluster,
    /// In a namespace. Kinds that are not known count as this.
    #[default]
    Namespaced,
}

use Scope::{Cluster, Namespaced};

use super::Gvk;

/// Returns the scope of a kind, when it is a built-in one.
pub(super) fn known(gvk: &Gvk) -> Option<Scope> {
    let key = (&*gvk.kind, &*gvk.group, &*gvk.version);
    let index = SCOPES
        .binary_search_by(|(kind, group, version, _)| (*kind, *group, *version).cmp(&key))
        .ok()?;
    Some(SCOPES[index].3)
}

/// Kind, group, version and scope, sorted.
static SCOPES: [(&str, &str, &str, Scope); 82] = [
    ("APIService", "apiregistration.k8s.io", "v1", Cluster),
    ("APIService", "apiregistration.k8s.io", "v1beta1", Cluster),
    ("CSIDriver", "storage.k8s.io", "v1", Cluster),
    ("CSIDriver", "storage.k8s.io", "v1beta1", Cluster),
    ("CSINode", "storage.k8s.io", "v1", Cluster),
    ("CSINode", "storage.k8s.io", "v1beta1", Cluster),
    (
        "CSIStorageCapacity",
        "storage.k8s.io",
        "v1beta1",
        Namespaced,
    ),
    (
        "CertificateSigningRequest",
        "certificates.k8s.io",
        "v1",
        Cluster,
    ),
    (
        "CertificateSigningRequest",
        "certificates.k8s.io",
        "v1beta1",
        Cluster,
    ),
    ("ClusterRole", "rbac.authorization.k8s.io", "v1", Cluster),
    (
        "ClusterRole",
        "rbac.authorization.k8s.io",
        "v1beta1",
        Cluster,
    ),
    (
        "ClusterRoleBinding",
        "rbac.authorization.k8s.io",
        "v1",
        Cluster,
    ),
    (
        "ClusterRoleBinding",
        "rbac.authorization.k8s.io",
        "v1beta1",
        Cluster,
    ),
    ("ComponentStatus", "", "v1", Cluster),
    ("ConfigMap", "", "v1", Namespaced),
    ("ControllerRevision", "apps", "v1", Namespaced),
    ("CronJob", "batch", "v1", Namespaced),
    ("CronJob", "batch", "v1beta1", Namespaced),
    (
        "CustomResourceDefinition",
        "apiextensions.k8s.io",
        "v1",
        Cluster,
    ),
    (
        "CustomResourceDefinition",
        "apiextensions.k8s.io",
        "v1beta1",
        Cluster,
    ),
    ("DaemonSet", "apps", "v1", Namespaced),
    ("Deployment", "apps", "v1", Namespaced),
    ("EndpointSlice", "discovery.k8s.io", "v1", Namespaced),
    ("EndpointSlice", "discovery.k8s.io", "v1beta1", Namespaced),
    ("Endpoints", "", "v1", Namespaced),
    ("Event", "", "v1", Namespaced),
    ("Event", "events.k8s.io", "v1", Namespaced),
    ("Event", "events.k8s.io", "v1beta1", Namespaced),
    (
        "FlowSchema",
        "flowcontrol.apiserver.k8s.io",
        "v1beta1",
        Cluster,
    ),
    ("HorizontalPodAutoscaler", "autoscaling", "v1", Namespaced),
    (
        "HorizontalPodAutoscaler",
        "autoscaling",
        "v2beta1",
        Namespaced,
    ),
    (
        "HorizontalPodAutoscaler",
        "autoscaling",
        "v2beta2",
        Namespaced,
    ),
    ("Ingress", "extensions", "v1beta1", Namespaced),
    ("Ingress", "networking.k8s.io", "v1", Namespaced),
    ("Ingress", "networking.k8s.io", "v1beta1", Namespaced),
    ("IngressClass", "networking.k8s.io", "v1", Cluster),
    ("IngressClass", "networking.k8s.io", "v1beta1", Cluster),
    ("Job", "batch", "v1", Namespaced),
    ("Lease", "coordination.k8s.io", "v1", Namespaced),
    ("Lease", "coordination.k8s.io", "v1beta1", Namespaced),
    ("LimitRange", "", "v1", Namespaced),
    (
        "MutatingWebhookConfiguration",
        "admissionregistration.k8s.io",
        "v1",
        Cluster,
    ),
    (
        "MutatingWebhookConfiguration",
        "admissionregistration.k8s.io",
        "v1beta1",
        Cluster,
    ),
    ("Namespace", "", "v1", Cluster),
    ("NetworkPolicy", "networking.k8s.io", "v1", Namespaced),
    ("Node", "", "v1", Cluster),
    ("NodeProxyOptions", "", "v1", Cluster),
    ("PersistentVolume", "", "v1", Cluster),
    ("PersistentVolumeClaim", "", "v1", Namespaced),
    ("Pod", "", "v1", Namespaced),
    ("PodAttachOptions", "", "v1", Namespaced),
    ("PodDisruptionBudget", "policy", "v1", Namespaced),
    ("PodDisruptionBudget", "policy", "v1beta1", Namespaced),
    ("PodExecOptions", "", "v1", Namespaced),
    ("PodPortForwardOptions", "", "v1", Namespaced),
    ("PodProxyOptions", "", "v1", Namespaced),
    ("PodSecurityPolicy", "policy", "v1beta1", Cluster),
    ("PodTemplate", "", "v1", Namespaced),
    ("PriorityClass", "scheduling.k8s.io", "v1", Cluster),
    ("PriorityClass", "scheduling.k8s.io", "v1beta1", Cluster),
    (
        "PriorityLevelConfiguration",
        "flowcontrol.apiserver.k8s.io",
        "v1beta1",
        Cluster,
    ),
    ("ReplicaSet", "apps", "v1", Namespaced),
    ("ReplicationController", "", "v1", Namespaced),
    ("ResourceQuota", "", "v1", Namespaced),
    ("Role", "rbac.authorization.k8s.io", "v1", Namespaced),
    ("Role", "rbac.authorization.k8s.io", "v1beta1", Namespaced),
    ("RoleBinding", "rbac.authorization.k8s.io", "v1", Namespaced),
    (
        "RoleBinding",
        "rbac.authorization.k8s.io",
        "v1beta1",
        Namespaced,
    ),
    ("RuntimeClass", "node.k8s.io", "v1", Cluster),
    ("RuntimeClass", "node.k8s.io", "v1beta1", Cluster),
    ("Scale", "autoscaling", "v1", Namespaced),
    ("Secret", "", "v1", Namespaced),
    ("Service", "", "v1", Namespaced),
    ("ServiceAccount", "", "v1", Namespaced),
    ("ServiceProxyOptions", "", "v1", Namespaced),
    ("StatefulSet", "apps", "v1", Namespaced),
    ("StorageClass", "storage.k8s.io", "v1", Cluster),
    ("StorageClass", "storage.k8s.io", "v1beta1", Cluster),
    (
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io",
        "v1",
        Cluster,
    ),
    (
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io",
        "v1beta1",
        Cluster,
    ),
    ("VolumeAttachment", "storage.k8s.io", "v1", Cluster),
    ("VolumeAttachment", "storage.k8s.io", "v1beta1", Cluster),
];

#[cfg(test)]
mod tests {
    use super::{SCOPES, Scope, known};
    use crate::kube::Gvk;

    #[test]
    fn the_table_is_sorted() {
        assert!(
            SCOPES
                .windows(2)
                .all(|w| (w[0].0, w[0].1, w[0].2) < (w[1].0, w[1].1, w[1].2))
        );
    }

    #[test]
    fn tells_scopes_by_exact_version() {
        assert_eq!(known(&Gvk::new("v1", "Namespace")), Some(Scope::Cluster));
        assert_eq!(
            known(&Gvk::new("apps/v1", "Deployment")),
            Some(Scope::Namespaced)
        );
        assert_eq!(known(&Gvk::new("example.org/v1", "Namespace")), None);
    }
}
