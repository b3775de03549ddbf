//! The types of Kubernetes v1.21.2 whose fields have, or lead to, a merge strategy.
//!
//! A row is a field, the type of its value, items or values, and the keys by which its items are matched.

use super::{Type, list, merged, merged_by, merged_list_by, object};

/// The types of whole objects, by `apiVersion` and kind, sorted.
pub(super) static OBJECTS: &[(&str, &str, &Type)] = &[
    (
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
        &ADMISSIONREGISTRATION_V1_MUTATING_WEBHOOK_CONFIGURATION,
    ),
    (
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        &ADMISSIONREGISTRATION_V1_VALIDATING_WEBHOOK_CONFIGURATION,
    ),
    (
        "admissionregistration.k8s.io/v1beta1",
        "MutatingWebhookConfiguration",
        &ADMISSIONREGISTRATION_V1BETA1_MUTATING_WEBHOOK_CONFIGURATION,
    ),
    (
        "admissionregistration.k8s.io/v1beta1",
        "ValidatingWebhookConfiguration",
        &ADMISSIONREGISTRATION_V1BETA1_VALIDATING_WEBHOOK_CONFIGURATION,
    ),
    (
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        &APIEXTENSIONS_V1_CUSTOM_RESOURCE_DEFINITION,
    ),
    (
        "apiextensions.k8s.io/v1beta1",
        "CustomResourceDefinition",
        &APIEXTENSIONS_V1BETA1_CUSTOM_RESOURCE_DEFINITION,
    ),
    (
        "apiregistration.k8s.io/v1",
        "APIService",
        &APIREGISTRATION_V1_APISERVICE,
    ),
    (
        "apiregistration.k8s.io/v1beta1",
        "APIService",
        &APIREGISTRATION_V1BETA1_APISERVICE,
    ),
    (
        "apps/v1",
        "ControllerRevision",
        &APPS_V1_CONTROLLER_REVISION,
    ),
    ("apps/v1", "DaemonSet", &APPS_V1_DAEMON_SET),
    ("apps/v1", "Deployment", &APPS_V1_DEPLOYMENT),
    ("apps/v1", "ReplicaSet", &APPS_V1_REPLICA_SET),
    ("apps/v1", "StatefulSet", &APPS_V1_STATEFUL_SET),
    (
        "authentication.k8s.io/v1",
        "TokenRequest",
        &AUTHENTICATION_V1_TOKEN_REQUEST,
    ),
    (
        "authentication.k8s.io/v1",
        "TokenReview",
        &AUTHENTICATION_V1_TOKEN_REVIEW,
    ),
    (
        "authentication.k8s.io/v1beta1",
        "TokenReview",
        &AUTHENTICATION_V1BETA1_TOKEN_REVIEW,
    ),
    (
        "authorization.k8s.io/v1",
        "LocalSubjectAccessReview",
        &AUTHORIZATION_V1_LOCAL_SUBJECT_ACCESS_REVIEW,
    ),
    (
        "authorization.k8s.io/v1",
        "SelfSubjectAccessReview",
        &AUTHORIZATION_V1_SELF_SUBJECT_ACCESS_REVIEW,
    ),
    (
        "authorization.k8s.io/v1",
        "SelfSubjectRulesReview",
        &AUTHORIZATION_V1_SELF_SUBJECT_RULES_REVIEW,
    ),
    (
        "authorization.k8s.io/v1",
        "SubjectAccessReview",
        &AUTHORIZATION_V1_SUBJECT_ACCESS_REVIEW,
    ),
    (
        "authorization.k8s.io/v1beta1",
        "LocalSubjectAccessReview",
        &AUTHORIZATION_V1BETA1_LOCAL_SUBJECT_ACCESS_REVIEW,
    ),
    (
        "authorization.k8s.io/v1beta1",
        "SelfSubjectAccessReview",
        &AUTHORIZATION_V1BETA1_SELF_SUBJECT_ACCESS_REVIEW,
    ),
    (
        "authorization.k8s.io/v1beta1",
        "SelfSubjectRulesReview",
        &AUTHORIZATION_V1BETA1_SELF_SUBJECT_RULES_REVIEW,
    ),
    (
        "authorization.k8s.io/v1beta1",
        "SubjectAccessReview",
        &AUTHORIZATION_V1BETA1_SUBJECT_ACCESS_REVIEW,
    ),
    (
        "autoscaling/v1",
        "HorizontalPodAutoscaler",
        &AUTOSCALING_V1_HORIZONTAL_POD_AUTOSCALER,
    ),
    ("autoscaling/v1", "Scale", &AUTOSCALING_V1_SCALE),
    (
        "autoscaling/v2beta1",
        "HorizontalPodAutoscaler",
        &AUTOSCALING_V2BETA1_HORIZONTAL_POD_AUTOSCALER,
    ),
    (
        "autoscaling/v2beta2",
        "HorizontalPodAutoscaler",
        &AUTOSCALING_V2BETA2_HORIZONTAL_POD_AUTOSCALER,
    ),
    ("batch/v1", "CronJob", &BATCH_V1_CRON_JOB),
    ("batch/v1", "Job", &BATCH_V1_JOB),
    ("batch/v1beta1", "CronJob", &BATCH_V1BETA1_CRON_JOB),
    (
        "certificates.k8s.io/v1",
        "CertificateSigningRequest",
        &CERTIFICATES_V1_CERTIFICATE_SIGNING_REQUEST,
    ),
    (
        "certificates.k8s.io/v1beta1",
        "CertificateSigningRequest",
        &CERTIFICATES_V1BETA1_CERTIFICATE_SIGNING_REQUEST,
    ),
    ("coordination.k8s.io/v1", "Lease", &COORDINATION_V1_LEASE),
    (
        "coordination.k8s.io/v1beta1",
        "Lease",
        &COORDINATION_V1BETA1_LEASE,
    ),
    (
        "discovery.k8s.io/v1",
        "EndpointSlice",
        &DISCOVERY_V1_ENDPOINT_SLICE,
    ),
    (
        "discovery.k8s.io/v1beta1",
        "EndpointSlice",
        &DISCOVERY_V1BETA1_ENDPOINT_SLICE,
    ),
    ("events.k8s.io/v1", "Event", &EVENTS_V1_EVENT),
    ("events.k8s.io/v1beta1", "Event", &EVENTS_V1BETA1_EVENT),
    ("extensions/v1beta1", "Ingress", &EXTENSIONS_V1BETA1_INGRESS),
    (
        "flowcontrol.apiserver.k8s.io/v1beta1",
        "FlowSchema",
        &FLOWCONTROL_V1BETA1_FLOW_SCHEMA,
    ),
    (
        "flowcontrol.apiserver.k8s.io/v1beta1",
        "PriorityLevelConfiguration",
        &FLOWCONTROL_V1BETA1_PRIORITY_LEVEL_CONFIGURATION,
    ),
    ("networking.k8s.io/v1", "Ingress", &NETWORKING_V1_INGRESS),
    (
        "networking.k8s.io/v1",
        "IngressClass",
        &NETWORKING_V1_INGRESS_CLASS,
    ),
    (
        "networking.k8s.io/v1",
        "NetworkPolicy",
        &NETWORKING_V1_NETWORK_POLICY,
    ),
    (
        "networking.k8s.io/v1beta1",
        "Ingress",
        &NETWORKING_V1BETA1_INGRESS,
    ),
    (
        "networking.k8s.io/v1beta1",
        "IngressClass",
        &NETWORKING_V1BETA1_INGRESS_CLASS,
    ),
    ("node.k8s.io/v1", "RuntimeClass", &NODE_V1_RUNTIME_CLASS),
    (
        "node.k8s.io/v1beta1",
        "RuntimeClass",
        &NODE_V1BETA1_RUNTIME_CLASS,
    ),
    (
        "policy/v1",
        "PodDisruptionBudget",
        &POLICY_V1_POD_DISRUPTION_BUDGET,
    ),
    ("policy/v1beta1", "Eviction", &POLICY_V1BETA1_EVICTION),
    (
        "policy/v1beta1",
        "PodDisruptionBudget",
        &POLICY_V1BETA1_POD_DISRUPTION_BUDGET,
    ),
    (
        "policy/v1beta1",
        "PodSecurityPolicy",
        &POLICY_V1BETA1_POD_SECURITY_POLICY,
    ),
    (
        "rbac.authorization.k8s.io/v1",
        "ClusterRole",
        &RBAC_V1_CLUSTER_ROLE,
    ),
    (
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        &RBAC_V1_CLUSTER_ROLE_BINDING,
    ),
    ("rbac.authorization.k8s.io/v1", "Role", &RBAC_V1_ROLE),
    (
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        &RBAC_V1_ROLE_BINDING,
    ),
    (
        "rbac.authorization.k8s.io/v1beta1",
        "ClusterRole",
        &RBAC_V1BETA1_CLUSTER_ROLE,
    ),
    (
        "rbac.authorization.k8s.io/v1beta1",
        "ClusterRoleBinding",
        &RBAC_V1BETA1_CLUSTER_ROLE_BINDING,
    ),
    (
        "rbac.authorization.k8s.io/v1beta1",
        "Role",
        &RBAC_V1BETA1_ROLE,
    ),
    (
        "rbac.authorization.k8s.io/v1beta1",
        "RoleBinding",
        &RBAC_V1BETA1_ROLE_BINDING,
    ),
    (
        "scheduling.k8s.io/v1",
        "PriorityClass",
        &SCHEDULING_V1_PRIORITY_CLASS,
    ),
    (
        "scheduling.k8s.io/v1beta1",
        "PriorityClass",
        &SCHEDULING_V1BETA1_PRIORITY_CLASS,
    ),
    ("storage.k8s.io/v1", "CSIDriver", &STORAGE_V1_CSIDRIVER),
    ("storage.k8s.io/v1", "CSINode", &STORAGE_V1_CSINODE),
    (
        "storage.k8s.io/v1",
        "StorageClass",
        &STORAGE_V1_STORAGE_CLASS,
    ),
    (
        "storage.k8s.io/v1",
        "VolumeAttachment",
        &STORAGE_V1_VOLUME_ATTACHMENT,
    ),
    (
        "storage.k8s.io/v1beta1",
        "CSIDriver",
        &STORAGE_V1BETA1_CSIDRIVER,
    ),
    (
        "storage.k8s.io/v1beta1",
        "CSINode",
        &STORAGE_V1BETA1_CSINODE,
    ),
    (
        "storage.k8s.io/v1beta1",
        "CSIStorageCapacity",
        &STORAGE_V1BETA1_CSISTORAGE_CAPACITY,
    ),
    (
        "storage.k8s.io/v1beta1",
        "StorageClass",
        &STORAGE_V1BETA1_STORAGE_CLASS,
    ),
    (
        "storage.k8s.io/v1beta1",
        "VolumeAttachment",
        &STORAGE_V1BETA1_VOLUME_ATTACHMENT,
    ),
    ("v1", "Binding", &CORE_V1_BINDING),
    ("v1", "ComponentStatus", &CORE_V1_COMPONENT_STATUS),
    ("v1", "ConfigMap", &CORE_V1_CONFIG_MAP),
    ("v1", "Endpoints", &CORE_V1_ENDPOINTS),
    ("v1", "Event", &CORE_V1_EVENT),
    ("v1", "LimitRange", &CORE_V1_LIMIT_RANGE),
    ("v1", "Namespace", &CORE_V1_NAMESPACE),
    ("v1", "Node", &CORE_V1_NODE),
    ("v1", "PersistentVolume", &CORE_V1_PERSISTENT_VOLUME),
    (
        "v1",
        "PersistentVolumeClaim",
        &CORE_V1_PERSISTENT_VOLUME_CLAIM,
    ),
    ("v1", "Pod", &CORE_V1_POD),
    ("v1", "PodTemplate", &CORE_V1_POD_TEMPLATE),
    (
        "v1",
        "ReplicationController",
        &CORE_V1_REPLICATION_CONTROLLER,
    ),
    ("v1", "ResourceQuota", &CORE_V1_RESOURCE_QUOTA),
    ("v1", "Secret", &CORE_V1_SECRET),
    ("v1", "Service", &CORE_V1_SERVICE),
    ("v1", "ServiceAccount", &CORE_V1_SERVICE_ACCOUNT),
];

/// The types by the names that they have in the OpenAPI document, sorted.
pub(super) static TYPES: &[(&str, &Type)] = &[
    (
        "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration",
        &ADMISSIONREGISTRATION_V1_MUTATING_WEBHOOK_CONFIGURATION,
    ),
    (
        "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration",
        &ADMISSIONREGISTRATION_V1_VALIDATING_WEBHOOK_CONFIGURATION,
    ),
    (
        "io.k8s.api.admissionregistration.v1beta1.MutatingWebhookConfiguration",
        &ADMISSIONREGISTRATION_V1BETA1_MUTATING_WEBHOOK_CONFIGURATION,
    ),
    (
        "io.k8s.api.admissionregistration.v1beta1.ValidatingWebhookConfiguration",
        &ADMISSIONREGISTRATION_V1BETA1_VALIDATING_WEBHOOK_CONFIGURATION,
    ),
    (
        "io.k8s.api.apps.v1.ControllerRevision",
        &APPS_V1_CONTROLLER_REVISION,
    ),
    ("io.k8s.api.apps.v1.DaemonSet", &APPS_V1_DAEMON_SET),
    ("io.k8s.api.apps.v1.DaemonSetSpec", &APPS_V1_DAEMON_SET_SPEC),
    (
        "io.k8s.api.apps.v1.DaemonSetStatus",
        &APPS_V1_DAEMON_SET_STATUS,
    ),
    ("io.k8s.api.apps.v1.Deployment", &APPS_V1_DEPLOYMENT),
    (
        "io.k8s.api.apps.v1.DeploymentSpec",
        &APPS_V1_DEPLOYMENT_SPEC,
    ),
    (
        "io.k8s.api.apps.v1.DeploymentStatus",
        &APPS_V1_DEPLOYMENT_STATUS,
    ),
    ("io.k8s.api.apps.v1.ReplicaSet", &APPS_V1_REPLICA_SET),
    (
        "io.k8s.api.apps.v1.ReplicaSetSpec",
        &APPS_V1_REPLICA_SET_SPEC,
    ),
    (
        "io.k8s.api.apps.v1.ReplicaSetStatus",
        &APPS_V1_REPLICA_SET_STATUS,
    ),
    ("io.k8s.api.apps.v1.StatefulSet", &APPS_V1_STATEFUL_SET),
    (
        "io.k8s.api.apps.v1.StatefulSetSpec",
        &APPS_V1_STATEFUL_SET_SPEC,
    ),
    (
        "io.k8s.api.apps.v1.StatefulSetStatus",
        &APPS_V1_STATEFUL_SET_STATUS,
    ),
    (
        "io.k8s.api.authentication.v1.TokenRequest",
        &AUTHENTICATION_V1_TOKEN_REQUEST,
    ),
    (
        "io.k8s.api.authentication.v1.TokenReview",
        &AUTHENTICATION_V1_TOKEN_REVIEW,
    ),
    (
        "io.k8s.api.authentication.v1beta1.TokenReview",
        &AUTHENTICATION_V1BETA1_TOKEN_REVIEW,
    ),
    (
        "io.k8s.api.authorization.v1.LocalSubjectAccessReview",
        &AUTHORIZATION_V1_LOCAL_SUBJECT_ACCESS_REVIEW,
    ),
    (
        "io.k8s.api.authorization.v1.SelfSubjectAccessReview",
        &AUTHORIZATION_V1_SELF_SUBJECT_ACCESS_REVIEW,
    ),
    (
        "io.k8s.api.authorization.v1.SelfSubjectRulesReview",
        &AUTHORIZATION_V1_SELF_SUBJECT_RULES_REVIEW,
    ),
    (
        "io.k8s.api.authorization.v1.SubjectAccessReview",
        &AUTHORIZATION_V1_SUBJECT_ACCESS_REVIEW,
    ),
    (
        "io.k8s.api.authorization.v1beta1.LocalSubjectAccessReview",
        &AUTHORIZATION_V1BETA1_LOCAL_SUBJECT_ACCESS_REVIEW,
    ),
    (
        "io.k8s.api.authorization.v1beta1.SelfSubjectAccessReview",
        &AUTHORIZATION_V1BETA1_SELF_SUBJECT_ACCESS_REVIEW,
    ),
    (
        "io.k8s.api.authorization.v1beta1.SelfSubjectRulesReview",
        &AUTHORIZATION_V1BETA1_SELF_SUBJECT_RULES_REVIEW,
    ),
    (
        "io.k8s.api.authorization.v1beta1.SubjectAccessReview",
        &AUTHORIZATION_V1BETA1_SUBJECT_ACCESS_REVIEW,
    ),
    (
        "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler",
        &AUTOSCALING_V1_HORIZONTAL_POD_AUTOSCALER,
    ),
    ("io.k8s.api.autoscaling.v1.Scale", &AUTOSCALING_V1_SCALE),
    (
        "io.k8s.api.autoscaling.v2beta1.HorizontalPodAutoscaler",
        &AUTOSCALING_V2BETA1_HORIZONTAL_POD_AUTOSCALER,
    ),
    (
        "io.k8s.api.autoscaling.v2beta2.HorizontalPodAutoscaler",
        &AUTOSCALING_V2BETA2_HORIZONTAL_POD_AUTOSCALER,
    ),
    ("io.k8s.api.batch.v1.CronJob", &BATCH_V1_CRON_JOB),
    ("io.k8s.api.batch.v1.CronJobSpec", &BATCH_V1_CRON_JOB_SPEC),
    ("io.k8s.api.batch.v1.Job", &BATCH_V1_JOB),
    ("io.k8s.api.batch.v1.JobSpec", &BATCH_V1_JOB_SPEC),
    ("io.k8s.api.batch.v1.JobStatus", &BATCH_V1_JOB_STATUS),
    (
        "io.k8s.api.batch.v1.JobTemplateSpec",
        &BATCH_V1_JOB_TEMPLATE_SPEC,
    ),
    ("io.k8s.api.batch.v1beta1.CronJob", &BATCH_V1BETA1_CRON_JOB),
    (
        "io.k8s.api.batch.v1beta1.CronJobSpec",
        &BATCH_V1BETA1_CRON_JOB_SPEC,
    ),
    (
        "io.k8s.api.batch.v1beta1.JobTemplateSpec",
        &BATCH_V1BETA1_JOB_TEMPLATE_SPEC,
    ),
    (
        "io.k8s.api.certificates.v1.CertificateSigningRequest",
        &CERTIFICATES_V1_CERTIFICATE_SIGNING_REQUEST,
    ),
    (
        "io.k8s.api.certificates.v1beta1.CertificateSigningRequest",
        &CERTIFICATES_V1BETA1_CERTIFICATE_SIGNING_REQUEST,
    ),
    ("io.k8s.api.coordination.v1.Lease", &COORDINATION_V1_LEASE),
    (
        "io.k8s.api.coordination.v1beta1.Lease",
        &COORDINATION_V1BETA1_LEASE,
    ),
    ("io.k8s.api.core.v1.Binding", &CORE_V1_BINDING),
    (
        "io.k8s.api.core.v1.ComponentStatus",
        &CORE_V1_COMPONENT_STATUS,
    ),
    ("io.k8s.api.core.v1.ConfigMap", &CORE_V1_CONFIG_MAP),
    ("io.k8s.api.core.v1.Container", &CORE_V1_CONTAINER),
    ("io.k8s.api.core.v1.Endpoints", &CORE_V1_ENDPOINTS),
    (
        "io.k8s.api.core.v1.EphemeralContainer",
        &CORE_V1_EPHEMERAL_CONTAINER,
    ),
    (
        "io.k8s.api.core.v1.EphemeralVolumeSource",
        &CORE_V1_EPHEMERAL_VOLUME_SOURCE,
    ),
    ("io.k8s.api.core.v1.Event", &CORE_V1_EVENT),
    ("io.k8s.api.core.v1.LimitRange", &CORE_V1_LIMIT_RANGE),
    ("io.k8s.api.core.v1.Namespace", &CORE_V1_NAMESPACE),
    (
        "io.k8s.api.core.v1.NamespaceStatus",
        &CORE_V1_NAMESPACE_STATUS,
    ),
    ("io.k8s.api.core.v1.Node", &CORE_V1_NODE),
    ("io.k8s.api.core.v1.NodeSpec", &CORE_V1_NODE_SPEC),
    ("io.k8s.api.core.v1.NodeStatus", &CORE_V1_NODE_STATUS),
    (
        "io.k8s.api.core.v1.PersistentVolume",
        &CORE_V1_PERSISTENT_VOLUME,
    ),
    (
        "io.k8s.api.core.v1.PersistentVolumeClaim",
        &CORE_V1_PERSISTENT_VOLUME_CLAIM,
    ),
    (
        "io.k8s.api.core.v1.PersistentVolumeClaimStatus",
        &CORE_V1_PERSISTENT_VOLUME_CLAIM_STATUS,
    ),
    (
        "io.k8s.api.core.v1.PersistentVolumeClaimTemplate",
        &CORE_V1_PERSISTENT_VOLUME_CLAIM_TEMPLATE,
    ),
    ("io.k8s.api.core.v1.Pod", &CORE_V1_POD),
    ("io.k8s.api.core.v1.PodSpec", &CORE_V1_POD_SPEC),
    ("io.k8s.api.core.v1.PodStatus", &CORE_V1_POD_STATUS),
    ("io.k8s.api.core.v1.PodTemplate", &CORE_V1_POD_TEMPLATE),
    (
        "io.k8s.api.core.v1.PodTemplateSpec",
        &CORE_V1_POD_TEMPLATE_SPEC,
    ),
    (
        "io.k8s.api.core.v1.ReplicationController",
        &CORE_V1_REPLICATION_CONTROLLER,
    ),
    (
        "io.k8s.api.core.v1.ReplicationControllerSpec",
        &CORE_V1_REPLICATION_CONTROLLER_SPEC,
    ),
    (
        "io.k8s.api.core.v1.ReplicationControllerStatus",
        &CORE_V1_REPLICATION_CONTROLLER_STATUS,
    ),
    ("io.k8s.api.core.v1.ResourceQuota", &CORE_V1_RESOURCE_QUOTA),
    ("io.k8s.api.core.v1.Secret", &CORE_V1_SECRET),
    ("io.k8s.api.core.v1.Service", &CORE_V1_SERVICE),
    (
        "io.k8s.api.core.v1.ServiceAccount",
        &CORE_V1_SERVICE_ACCOUNT,
    ),
    ("io.k8s.api.core.v1.ServiceSpec", &CORE_V1_SERVICE_SPEC),
    ("io.k8s.api.core.v1.ServiceStatus", &CORE_V1_SERVICE_STATUS),
    ("io.k8s.api.core.v1.Volume", &CORE_V1_VOLUME),
    (
        "io.k8s.api.discovery.v1.EndpointSlice",
        &DISCOVERY_V1_ENDPOINT_SLICE,
    ),
    (
        "io.k8s.api.discovery.v1beta1.EndpointSlice",
        &DISCOVERY_V1BETA1_ENDPOINT_SLICE,
    ),
    ("io.k8s.api.events.v1.Event", &EVENTS_V1_EVENT),
    ("io.k8s.api.events.v1beta1.Event", &EVENTS_V1BETA1_EVENT),
    (
        "io.k8s.api.extensions.v1beta1.Ingress",
        &EXTENSIONS_V1BETA1_INGRESS,
    ),
    (
        "io.k8s.api.flowcontrol.v1beta1.FlowSchema",
        &FLOWCONTROL_V1BETA1_FLOW_SCHEMA,
    ),
    (
        "io.k8s.api.flowcontrol.v1beta1.PriorityLevelConfiguration",
        &FLOWCONTROL_V1BETA1_PRIORITY_LEVEL_CONFIGURATION,
    ),
    ("io.k8s.api.networking.v1.Ingress", &NETWORKING_V1_INGRESS),
    (
        "io.k8s.api.networking.v1.IngressClass",
        &NETWORKING_V1_INGRESS_CLASS,
    ),
    (
        "io.k8s.api.networking.v1.NetworkPolicy",
        &NETWORKING_V1_NETWORK_POLICY,
    ),
    (
        "io.k8s.api.networking.v1beta1.Ingress",
        &NETWORKING_V1BETA1_INGRESS,
    ),
    (
        "io.k8s.api.networking.v1beta1.IngressClass",
        &NETWORKING_V1BETA1_INGRESS_CLASS,
    ),
    ("io.k8s.api.node.v1.RuntimeClass", &NODE_V1_RUNTIME_CLASS),
    (
        "io.k8s.api.node.v1beta1.RuntimeClass",
        &NODE_V1BETA1_RUNTIME_CLASS,
    ),
    (
        "io.k8s.api.policy.v1.PodDisruptionBudget",
        &POLICY_V1_POD_DISRUPTION_BUDGET,
    ),
    (
        "io.k8s.api.policy.v1.PodDisruptionBudgetStatus",
        &POLICY_V1_POD_DISRUPTION_BUDGET_STATUS,
    ),
    (
        "io.k8s.api.policy.v1beta1.Eviction",
        &POLICY_V1BETA1_EVICTION,
    ),
    (
        "io.k8s.api.policy.v1beta1.PodDisruptionBudget",
        &POLICY_V1BETA1_POD_DISRUPTION_BUDGET,
    ),
    (
        "io.k8s.api.policy.v1beta1.PodDisruptionBudgetStatus",
        &POLICY_V1BETA1_POD_DISRUPTION_BUDGET_STATUS,
    ),
    (
        "io.k8s.api.policy.v1beta1.PodSecurityPolicy",
        &POLICY_V1BETA1_POD_SECURITY_POLICY,
    ),
    ("io.k8s.api.rbac.v1.ClusterRole", &RBAC_V1_CLUSTER_ROLE),
    (
        "io.k8s.api.rbac.v1.ClusterRoleBinding",
        &RBAC_V1_CLUSTER_ROLE_BINDING,
    ),
    ("io.k8s.api.rbac.v1.Role", &RBAC_V1_ROLE),
    ("io.k8s.api.rbac.v1.RoleBinding", &RBAC_V1_ROLE_BINDING),
    (
        "io.k8s.api.rbac.v1beta1.ClusterRole",
        &RBAC_V1BETA1_CLUSTER_ROLE,
    ),
    (
        "io.k8s.api.rbac.v1beta1.ClusterRoleBinding",
        &RBAC_V1BETA1_CLUSTER_ROLE_BINDING,
    ),
    ("io.k8s.api.rbac.v1beta1.Role", &RBAC_V1BETA1_ROLE),
    (
        "io.k8s.api.rbac.v1beta1.RoleBinding",
        &RBAC_V1BETA1_ROLE_BINDING,
    ),
    (
        "io.k8s.api.scheduling.v1.PriorityClass",
        &SCHEDULING_V1_PRIORITY_CLASS,
    ),
    (
        "io.k8s.api.scheduling.v1beta1.PriorityClass",
        &SCHEDULING_V1BETA1_PRIORITY_CLASS,
    ),
    ("io.k8s.api.storage.v1.CSIDriver", &STORAGE_V1_CSIDRIVER),
    ("io.k8s.api.storage.v1.CSINode", &STORAGE_V1_CSINODE),
    (
        "io.k8s.api.storage.v1.CSINodeSpec",
        &STORAGE_V1_CSINODE_SPEC,
    ),
    (
        "io.k8s.api.storage.v1.StorageClass",
        &STORAGE_V1_STORAGE_CLASS,
    ),
    (
        "io.k8s.api.storage.v1.VolumeAttachment",
        &STORAGE_V1_VOLUME_ATTACHMENT,
    ),
    (
        "io.k8s.api.storage.v1beta1.CSIDriver",
        &STORAGE_V1BETA1_CSIDRIVER,
    ),
    (
        "io.k8s.api.storage.v1beta1.CSINode",
        &STORAGE_V1BETA1_CSINODE,
    ),
    (
        "io.k8s.api.storage.v1beta1.CSINodeSpec",
        &STORAGE_V1BETA1_CSINODE_SPEC,
    ),
    (
        "io.k8s.api.storage.v1beta1.CSIStorageCapacity",
        &STORAGE_V1BETA1_CSISTORAGE_CAPACITY,
    ),
    (
        "io.k8s.api.storage.v1beta1.StorageClass",
        &STORAGE_V1BETA1_STORAGE_CLASS,
    ),
    (
        "io.k8s.api.storage.v1beta1.VolumeAttachment",
        &STORAGE_V1BETA1_VOLUME_ATTACHMENT,
    ),
    (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
        &APIEXTENSIONS_V1_CUSTOM_RESOURCE_DEFINITION,
    ),
    (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1beta1.CustomResourceDefinition",
        &APIEXTENSIONS_V1BETA1_CUSTOM_RESOURCE_DEFINITION,
    ),
    (
        "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
        &META_V1_OBJECT_META,
    ),
    (
        "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
        &APIREGISTRATION_V1_APISERVICE,
    ),
    (
        "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus",
        &APIREGISTRATION_V1_APISERVICE_STATUS,
    ),
    (
        "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1beta1.APIService",
        &APIREGISTRATION_V1BETA1_APISERVICE,
    ),
    (
        "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1beta1.APIServiceStatus",
        &APIREGISTRATION_V1BETA1_APISERVICE_STATUS,
    ),
];

static ADMISSIONREGISTRATION_V1BETA1_MUTATING_WEBHOOK_CONFIGURATION: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    merged_by("webhooks", &["name"]),
]);

static ADMISSIONREGISTRATION_V1BETA1_VALIDATING_WEBHOOK_CONFIGURATION: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    merged_by("webhooks", &["name"]),
]);

static ADMISSIONREGISTRATION_V1_MUTATING_WEBHOOK_CONFIGURATION: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    merged_by("webhooks", &["name"]),
]);

static ADMISSIONREGISTRATION_V1_VALIDATING_WEBHOOK_CONFIGURATION: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    merged_by("webhooks", &["name"]),
]);

static APIEXTENSIONS_V1BETA1_CUSTOM_RESOURCE_DEFINITION: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static APIEXTENSIONS_V1_CUSTOM_RESOURCE_DEFINITION: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static APIREGISTRATION_V1BETA1_APISERVICE: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("status", &APIREGISTRATION_V1BETA1_APISERVICE_STATUS),
]);

static APIREGISTRATION_V1BETA1_APISERVICE_STATUS: Type =
    Type(&[merged_by("conditions", &["type"])]);

static APIREGISTRATION_V1_APISERVICE: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("status", &APIREGISTRATION_V1_APISERVICE_STATUS),
]);

static APIREGISTRATION_V1_APISERVICE_STATUS: Type = Type(&[merged_by("conditions", &["type"])]);

static APPS_V1_CONTROLLER_REVISION: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static APPS_V1_DAEMON_SET: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &APPS_V1_DAEMON_SET_SPEC),
    object("status", &APPS_V1_DAEMON_SET_STATUS),
]);

static APPS_V1_DAEMON_SET_SPEC: Type = Type(&[object("template", &CORE_V1_POD_TEMPLATE_SPEC)]);

static APPS_V1_DAEMON_SET_STATUS: Type = Type(&[merged_by("conditions", &["type"])]);

static APPS_V1_DEPLOYMENT: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &APPS_V1_DEPLOYMENT_SPEC),
    object("status", &APPS_V1_DEPLOYMENT_STATUS),
]);

static APPS_V1_DEPLOYMENT_SPEC: Type = Type(&[object("template", &CORE_V1_POD_TEMPLATE_SPEC)]);

static APPS_V1_DEPLOYMENT_STATUS: Type = Type(&[merged_by("conditions", &["type"])]);

static APPS_V1_REPLICA_SET: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &APPS_V1_REPLICA_SET_SPEC),
    object("status", &APPS_V1_REPLICA_SET_STATUS),
]);

static APPS_V1_REPLICA_SET_SPEC: Type = Type(&[object("template", &CORE_V1_POD_TEMPLATE_SPEC)]);

static APPS_V1_REPLICA_SET_STATUS: Type = Type(&[merged_by("conditions", &["type"])]);

static APPS_V1_STATEFUL_SET: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &APPS_V1_STATEFUL_SET_SPEC),
    object("status", &APPS_V1_STATEFUL_SET_STATUS),
]);

static APPS_V1_STATEFUL_SET_SPEC: Type = Type(&[
    object("template", &CORE_V1_POD_TEMPLATE_SPEC),
    list("volumeClaimTemplates", &CORE_V1_PERSISTENT_VOLUME_CLAIM),
]);

static APPS_V1_STATEFUL_SET_STATUS: Type = Type(&[merged_by("conditions", &["type"])]);

static AUTHENTICATION_V1BETA1_TOKEN_REVIEW: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static AUTHENTICATION_V1_TOKEN_REQUEST: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static AUTHENTICATION_V1_TOKEN_REVIEW: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static AUTHORIZATION_V1BETA1_LOCAL_SUBJECT_ACCESS_REVIEW: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static AUTHORIZATION_V1BETA1_SELF_SUBJECT_ACCESS_REVIEW: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static AUTHORIZATION_V1BETA1_SELF_SUBJECT_RULES_REVIEW: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static AUTHORIZATION_V1BETA1_SUBJECT_ACCESS_REVIEW: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static AUTHORIZATION_V1_LOCAL_SUBJECT_ACCESS_REVIEW: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static AUTHORIZATION_V1_SELF_SUBJECT_ACCESS_REVIEW: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static AUTHORIZATION_V1_SELF_SUBJECT_RULES_REVIEW: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static AUTHORIZATION_V1_SUBJECT_ACCESS_REVIEW: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static AUTOSCALING_V1_HORIZONTAL_POD_AUTOSCALER: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static AUTOSCALING_V1_SCALE: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static AUTOSCALING_V2BETA1_HORIZONTAL_POD_AUTOSCALER: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static AUTOSCALING_V2BETA2_HORIZONTAL_POD_AUTOSCALER: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static BATCH_V1BETA1_CRON_JOB: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &BATCH_V1BETA1_CRON_JOB_SPEC),
]);

static BATCH_V1BETA1_CRON_JOB_SPEC: Type =
    Type(&[object("jobTemplate", &BATCH_V1BETA1_JOB_TEMPLATE_SPEC)]);

static BATCH_V1BETA1_JOB_TEMPLATE_SPEC: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &BATCH_V1_JOB_SPEC),
]);

static BATCH_V1_CRON_JOB: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &BATCH_V1_CRON_JOB_SPEC),
]);

static BATCH_V1_CRON_JOB_SPEC: Type = Type(&[object("jobTemplate", &BATCH_V1_JOB_TEMPLATE_SPEC)]);

static BATCH_V1_JOB: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &BATCH_V1_JOB_SPEC),
    object("status", &BATCH_V1_JOB_STATUS),
]);

static BATCH_V1_JOB_SPEC: Type = Type(&[object("template", &CORE_V1_POD_TEMPLATE_SPEC)]);

static BATCH_V1_JOB_STATUS: Type = Type(&[merged_by("conditions", &["type"])]);

static BATCH_V1_JOB_TEMPLATE_SPEC: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &BATCH_V1_JOB_SPEC),
]);

static CERTIFICATES_V1BETA1_CERTIFICATE_SIGNING_REQUEST: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static CERTIFICATES_V1_CERTIFICATE_SIGNING_REQUEST: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static COORDINATION_V1BETA1_LEASE: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static COORDINATION_V1_LEASE: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static CORE_V1_BINDING: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static CORE_V1_COMPONENT_STATUS: Type = Type(&[
    merged_by("conditions", &["type"]),
    object("metadata", &META_V1_OBJECT_META),
]);

static CORE_V1_CONFIG_MAP: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static CORE_V1_CONTAINER: Type = Type(&[
    merged_by("env", &["name"]),
    merged_by("ports", &["containerPort", "protocol"]),
    merged_by("volumeDevices", &["devicePath"]),
    merged_by("volumeMounts", &["mountPath"]),
]);

static CORE_V1_ENDPOINTS: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static CORE_V1_EPHEMERAL_CONTAINER: Type = Type(&[
    merged_by("env", &["name"]),
    merged_by("volumeDevices", &["devicePath"]),
    merged_by("volumeMounts", &["mountPath"]),
]);

static CORE_V1_EPHEMERAL_VOLUME_SOURCE: Type = Type(&[object(
    "volumeClaimTemplate",
    &CORE_V1_PERSISTENT_VOLUME_CLAIM_TEMPLATE,
)]);

static CORE_V1_EVENT: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static CORE_V1_LIMIT_RANGE: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static CORE_V1_NAMESPACE: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("status", &CORE_V1_NAMESPACE_STATUS),
]);

static CORE_V1_NAMESPACE_STATUS: Type = Type(&[merged_by("conditions", &["type"])]);

static CORE_V1_NODE: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &CORE_V1_NODE_SPEC),
    object("status", &CORE_V1_NODE_STATUS),
]);

static CORE_V1_NODE_SPEC: Type = Type(&[merged("podCIDRs")]);

static CORE_V1_NODE_STATUS: Type = Type(&[
    merged_by("addresses", &["type"]),
    merged_by("conditions", &["type"]),
]);

static CORE_V1_PERSISTENT_VOLUME: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static CORE_V1_PERSISTENT_VOLUME_CLAIM: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("status", &CORE_V1_PERSISTENT_VOLUME_CLAIM_STATUS),
]);

static CORE_V1_PERSISTENT_VOLUME_CLAIM_STATUS: Type = Type(&[merged_by("conditions", &["type"])]);

static CORE_V1_PERSISTENT_VOLUME_CLAIM_TEMPLATE: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static CORE_V1_POD: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &CORE_V1_POD_SPEC),
    object("status", &CORE_V1_POD_STATUS),
]);

static CORE_V1_POD_SPEC: Type = Type(&[
    merged_list_by("containers", &["name"], &CORE_V1_CONTAINER),
    merged_list_by(
        "ephemeralContainers",
        &["name"],
        &CORE_V1_EPHEMERAL_CONTAINER,
    ),
    merged_by("hostAliases", &["ip"]),
    merged_by("imagePullSecrets", &["name"]),
    merged_list_by("initContainers", &["name"], &CORE_V1_CONTAINER),
    merged_by(
        "topologySpreadConstraints",
        &["topologyKey", "whenUnsatisfiable"],
    ),
    merged_list_by("volumes", &["name"], &CORE_V1_VOLUME),
]);

static CORE_V1_POD_STATUS: Type = Type(&[
    merged_by("conditions", &["type"]),
    merged_by("podIPs", &["ip"]),
]);

static CORE_V1_POD_TEMPLATE: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("template", &CORE_V1_POD_TEMPLATE_SPEC),
]);

static CORE_V1_POD_TEMPLATE_SPEC: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &CORE_V1_POD_SPEC),
]);

static CORE_V1_REPLICATION_CONTROLLER: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &CORE_V1_REPLICATION_CONTROLLER_SPEC),
    object("status", &CORE_V1_REPLICATION_CONTROLLER_STATUS),
]);

static CORE_V1_REPLICATION_CONTROLLER_SPEC: Type =
    Type(&[object("template", &CORE_V1_POD_TEMPLATE_SPEC)]);

static CORE_V1_REPLICATION_CONTROLLER_STATUS: Type = Type(&[merged_by("conditions", &["type"])]);

static CORE_V1_RESOURCE_QUOTA: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static CORE_V1_SECRET: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static CORE_V1_SERVICE: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &CORE_V1_SERVICE_SPEC),
    object("status", &CORE_V1_SERVICE_STATUS),
]);

static CORE_V1_SERVICE_ACCOUNT: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    merged_by("secrets", &["name"]),
]);

static CORE_V1_SERVICE_SPEC: Type = Type(&[merged_by("ports", &["port", "protocol"])]);

static CORE_V1_SERVICE_STATUS: Type = Type(&[merged_by("conditions", &["type"])]);

static CORE_V1_VOLUME: Type = Type(&[object("ephemeral", &CORE_V1_EPHEMERAL_VOLUME_SOURCE)]);

static DISCOVERY_V1BETA1_ENDPOINT_SLICE: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static DISCOVERY_V1_ENDPOINT_SLICE: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static EVENTS_V1BETA1_EVENT: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static EVENTS_V1_EVENT: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static EXTENSIONS_V1BETA1_INGRESS: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static FLOWCONTROL_V1BETA1_FLOW_SCHEMA: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static FLOWCONTROL_V1BETA1_PRIORITY_LEVEL_CONFIGURATION: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static META_V1_OBJECT_META: Type =
    Type(&[merged("finalizers"), merged_by("ownerReferences", &["uid"])]);

static NETWORKING_V1BETA1_INGRESS: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static NETWORKING_V1BETA1_INGRESS_CLASS: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static NETWORKING_V1_INGRESS: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static NETWORKING_V1_INGRESS_CLASS: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static NETWORKING_V1_NETWORK_POLICY: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static NODE_V1BETA1_RUNTIME_CLASS: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static NODE_V1_RUNTIME_CLASS: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static POLICY_V1BETA1_EVICTION: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static POLICY_V1BETA1_POD_DISRUPTION_BUDGET: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("status", &POLICY_V1BETA1_POD_DISRUPTION_BUDGET_STATUS),
]);

static POLICY_V1BETA1_POD_DISRUPTION_BUDGET_STATUS: Type =
    Type(&[merged_by("conditions", &["type"])]);

static POLICY_V1BETA1_POD_SECURITY_POLICY: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static POLICY_V1_POD_DISRUPTION_BUDGET: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("status", &POLICY_V1_POD_DISRUPTION_BUDGET_STATUS),
]);

static POLICY_V1_POD_DISRUPTION_BUDGET_STATUS: Type = Type(&[merged_by("conditions", &["type"])]);

static RBAC_V1BETA1_CLUSTER_ROLE: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static RBAC_V1BETA1_CLUSTER_ROLE_BINDING: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static RBAC_V1BETA1_ROLE: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static RBAC_V1BETA1_ROLE_BINDING: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static RBAC_V1_CLUSTER_ROLE: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static RBAC_V1_CLUSTER_ROLE_BINDING: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static RBAC_V1_ROLE: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static RBAC_V1_ROLE_BINDING: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static SCHEDULING_V1BETA1_PRIORITY_CLASS: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static SCHEDULING_V1_PRIORITY_CLASS: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static STORAGE_V1BETA1_CSIDRIVER: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static STORAGE_V1BETA1_CSINODE: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &STORAGE_V1BETA1_CSINODE_SPEC),
]);

static STORAGE_V1BETA1_CSINODE_SPEC: Type = Type(&[merged_by("drivers", &["name"])]);

static STORAGE_V1BETA1_CSISTORAGE_CAPACITY: Type =
    Type(&[object("metadata", &META_V1_OBJECT_META)]);

static STORAGE_V1BETA1_STORAGE_CLASS: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static STORAGE_V1BETA1_VOLUME_ATTACHMENT: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static STORAGE_V1_CSIDRIVER: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static STORAGE_V1_CSINODE: Type = Type(&[
    object("metadata", &META_V1_OBJECT_META),
    object("spec", &STORAGE_V1_CSINODE_SPEC),
]);

static STORAGE_V1_CSINODE_SPEC: Type = Type(&[merged_by("drivers", &["name"])]);

static STORAGE_V1_STORAGE_CLASS: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);

static STORAGE_V1_VOLUME_ATTACHMENT: Type = Type(&[object("metadata", &META_V1_OBJECT_META)]);
