//! The fields that hold names, namespaces, images and replica counts.

use crate::kustomize::fieldspec::{CREATE, FieldSpec, KEEP, row};

/// What a prefix goes before.
pub(super) static NAME_PREFIX: &[FieldSpec] = &[row("", "", "", "metadata/name", KEEP)];

/// What a suffix goes after.
pub(super) static NAME_SUFFIX: &[FieldSpec] = &[row("", "", "", "metadata/name", KEEP)];

/// Namespaces beside `metadata.namespace`.
pub(super) static NAMESPACE: &[FieldSpec] = &[
    row("", "", "Namespace", "metadata/name", CREATE),
    row(
        "apiextensions.k8s.io",
        "",
        "CustomResourceDefinition",
        "spec/conversion/webhook/clientConfig/service/namespace",
        KEEP,
    ),
    row(
        "apiregistration.k8s.io",
        "",
        "APIService",
        "spec/service/namespace",
        CREATE,
    ),
];

/// Images outside of `containers` and `initContainers`, which are found anywhere.
pub(super) static IMAGES: &[FieldSpec] = &[
    row("", "", "", "spec/containers[]/image", CREATE),
    row("", "", "", "spec/initContainers[]/image", CREATE),
    row("", "", "", "spec/volumes[]/image/reference", CREATE),
    row("", "", "", "spec/template/spec/containers[]/image", CREATE),
    row(
        "",
        "",
        "",
        "spec/template/spec/initContainers[]/image",
        CREATE,
    ),
    row(
        "",
        "",
        "",
        "spec/template/spec/volumes[]/image/reference",
        CREATE,
    ),
];

/// Replica counts.
pub(super) static REPLICAS: &[FieldSpec] = &[
    row("", "", "Deployment", "spec/replicas", CREATE),
    row("", "", "StatefulSet", "spec/replicas", CREATE),
    row("", "", "ReplicaSet", "spec/replicas", CREATE),
    row("", "", "ReplicationController", "spec/replicas", CREATE),
];
