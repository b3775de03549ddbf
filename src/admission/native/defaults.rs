//! The defaults that Go code sets on built-in kinds.
//!
//! `pkg/apis/*/v1/defaults.go` of k8s.io/kubernetes v1.34 is the reference. What has one place and one value is a row;
//! what depends on other fields is a function below the table. Defaults that no verdict depends on are there as well,
//! since the object is shown and compared with the one before it.

use serde_json::{Map, Value, json};

use super::look::Look;

/// Kinds, a place, and the default in JSON. `[]` is every item of a list, `!` makes the mapping where it is missing, and
/// `?` takes a zero as not given.
type Row = (&'static [&'static str], &'static str, &'static str);

const ROWS: &[Row] = &[
    (
        &[
            "Deployment",
            "ReplicaSet",
            "StatefulSet",
            "ReplicationController",
        ],
        "spec!.replicas",
        "1",
    ),
    (&["Deployment"], "spec!.strategy!.type", "\"RollingUpdate\""),
    (
        &["Deployment", "DaemonSet", "StatefulSet"],
        "spec!.revisionHistoryLimit",
        "10",
    ),
    (&["Deployment"], "spec!.progressDeadlineSeconds", "600"),
    (
        &["DaemonSet"],
        "spec!.updateStrategy!.type",
        "\"RollingUpdate\"",
    ),
    (
        &["StatefulSet"],
        "spec!.podManagementPolicy",
        "\"OrderedReady\"",
    ),
    (
        &["StatefulSet"],
        "spec!.persistentVolumeClaimRetentionPolicy!.whenDeleted",
        "\"Retain\"",
    ),
    (
        &["StatefulSet"],
        "spec!.persistentVolumeClaimRetentionPolicy!.whenScaled",
        "\"Retain\"",
    ),
    (
        &["StatefulSet"],
        "spec.volumeClaimTemplates[].spec!.volumeMode",
        "\"Filesystem\"",
    ),
    (
        &["PersistentVolumeClaim", "PersistentVolume"],
        "spec!.volumeMode",
        "\"Filesystem\"",
    ),
    (
        &["PersistentVolume"],
        "spec!.persistentVolumeReclaimPolicy",
        "\"Retain\"",
    ),
    (&["Job"], "spec!.completionMode", "\"NonIndexed\""),
    (&["Job"], "spec!.suspend", "false"),
    (&["Job"], "spec!.manualSelector", "false"),
    (&["CronJob"], "spec!.concurrencyPolicy", "\"Allow\""),
    (&["CronJob"], "spec!.suspend", "false"),
    (&["CronJob"], "spec!.successfulJobsHistoryLimit", "3"),
    (&["CronJob"], "spec!.failedJobsHistoryLimit", "1"),
    (
        &["Job"],
        "spec.podFailurePolicy.rules[].onPodConditions[].status",
        "\"True\"",
    ),
    (&["Service"], "spec!.sessionAffinity", "\"None\""),
    (&["Service"], "spec!.type", "\"ClusterIP\""),
    (&["Service"], "spec.ports[].protocol", "\"TCP\""),
    (&["Secret"], "type", "\"Opaque\""),
    (
        &["NetworkPolicy"],
        "spec.ingress[].ports[].protocol",
        "\"TCP\"",
    ),
    (
        &["NetworkPolicy"],
        "spec.egress[].ports[].protocol",
        "\"TCP\"",
    ),
    (&["NetworkPolicy"], "spec!.podSelector", "{}"),
    (&["IngressClass"], "spec.parameters.scope", "\"Cluster\""),
    (
        &["RoleBinding", "ClusterRoleBinding"],
        "roleRef!.apiGroup",
        "\"rbac.authorization.k8s.io\"",
    ),
    (&["StorageClass"], "reclaimPolicy", "\"Delete\""),
    (&["StorageClass"], "volumeBindingMode", "\"Immediate\""),
    (&["CSIDriver"], "spec!.attachRequired", "true"),
    (&["CSIDriver"], "spec!.podInfoOnMount", "false"),
    (
        &["CSIDriver"],
        "spec!.fsGroupPolicy",
        "\"ReadWriteOnceWithFSType\"",
    ),
    (
        &["PriorityClass"],
        "preemptionPolicy",
        "\"PreemptLowerPriority\"",
    ),
    (&["PriorityClass"], "value", "0"),
    (&["EndpointSlice"], "ports[].name", "\"\""),
    (&["EndpointSlice"], "ports[].protocol", "\"TCP\""),
    (&["Endpoints"], "subsets[].ports[].protocol", "\"TCP\""),
    (WEBHOOKS, "webhooks[].failurePolicy", "\"Fail\""),
    (WEBHOOKS, "webhooks[].matchPolicy", "\"Equivalent\""),
    (WEBHOOKS, "webhooks[].namespaceSelector", "{}"),
    (WEBHOOKS, "webhooks[].objectSelector", "{}"),
    (WEBHOOKS, "webhooks[].timeoutSeconds", "10"),
    (WEBHOOKS, "webhooks[].rules[].scope", "\"*\""),
    (WEBHOOKS, "webhooks[].clientConfig.service.port", "443"),
    (
        &["MutatingWebhookConfiguration"],
        "webhooks[].reinvocationPolicy",
        "\"Never\"",
    ),
    (
        &["ValidatingAdmissionPolicy"],
        "spec!.failurePolicy",
        "\"Fail\"",
    ),
    (
        &["ValidatingAdmissionPolicy"],
        "spec.matchConstraints.matchPolicy",
        "\"Equivalent\"",
    ),
    (
        &["ValidatingAdmissionPolicy"],
        "spec.matchConstraints.namespaceSelector",
        "{}",
    ),
    (
        &["ValidatingAdmissionPolicy"],
        "spec.matchConstraints.objectSelector",
        "{}",
    ),
    (
        &["ValidatingAdmissionPolicy"],
        "spec.matchConstraints.resourceRules[].scope",
        "\"*\"",
    ),
    (
        &["ValidatingAdmissionPolicyBinding"],
        "spec.matchResources.matchPolicy",
        "\"Equivalent\"",
    ),
    (
        &["ValidatingAdmissionPolicyBinding"],
        "spec.matchResources.resourceRules[].scope",
        "\"*\"",
    ),
    (&["HorizontalPodAutoscaler"], "spec!.minReplicas", "1"),
    (
        &["CustomResourceDefinition"],
        "spec!.conversion!.strategy",
        "\"None\"",
    ),
    (&["APIService"], "spec.service.port", "443"),
    (&["Pod"], "spec!.enableServiceLinks", "true"),
];

const WEBHOOKS: &[&str] = &[
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
];

/// Of every pod: a place below its spec, and the default.
const POD_ROWS: &[(&str, &str)] = &[
    ("dnsPolicy", "\"ClusterFirst\""),
    ("restartPolicy", "\"Always\""),
    ("securityContext", "{}"),
    ("terminationGracePeriodSeconds", "30"),
    ("schedulerName", "\"default-scheduler\""),
    ("volumes[].secret.defaultMode", "420"),
    ("volumes[].configMap.defaultMode", "420"),
    ("volumes[].downwardAPI.defaultMode", "420"),
    ("volumes[].projected.defaultMode", "420"),
    (
        "volumes[].projected.sources[].serviceAccountToken.expirationSeconds",
        "3600",
    ),
    ("volumes[].hostPath.type", "\"\""),
    (
        "volumes[].ephemeral.volumeClaimTemplate.spec.volumeMode",
        "\"Filesystem\"",
    ),
];

const CONTAINER_ROWS: &[(&str, &str)] = &[
    ("terminationMessagePath", "\"/dev/termination-log\""),
    ("terminationMessagePolicy", "\"File\""),
    ("resources", "{}"),
    ("ports[].protocol", "\"TCP\""),
    ("env[].valueFrom.fieldRef.apiVersion", "\"v1\""),
    ("livenessProbe.httpGet.path", "\"/\""),
    ("livenessProbe.httpGet.scheme", "\"HTTP\""),
    ("readinessProbe.httpGet.path", "\"/\""),
    ("readinessProbe.httpGet.scheme", "\"HTTP\""),
    ("startupProbe.httpGet.path", "\"/\""),
    ("startupProbe.httpGet.scheme", "\"HTTP\""),
    ("lifecycle.postStart.httpGet.path", "\"/\""),
    ("lifecycle.postStart.httpGet.scheme", "\"HTTP\""),
    ("lifecycle.preStop.httpGet.path", "\"/\""),
    ("lifecycle.preStop.httpGet.scheme", "\"HTTP\""),
];

const PROBE_ROWS: &[(&str, i64)] = &[
    ("timeoutSeconds", 1),
    ("periodSeconds", 10),
    ("successThreshold", 1),
    ("failureThreshold", 3),
];

/// The sources of a volume are all its fields but the name.
const CONTAINER_LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// Where the pod of a kind is.
pub(super) fn pod_spec_path(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "Pod" => &["spec"],
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "Job"
        | "ReplicationController" => &["spec", "template", "spec"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        "PodTemplate" => &["template", "spec"],
        _ => return None,
    })
}

/// Sets the defaults of an object of a kind.
pub(super) fn set(kind: &str, object: &mut Value) {
    for (kinds, place, default) in ROWS {
        if kinds.contains(&kind) {
            put(object, place, default);
        }
    }
    special(kind, object);
    let Some(path) = pod_spec_path(kind) else {
        return;
    };
    if kind != "Pod" {
        make(object, path);
    }
    let mut at = &mut *object;
    for step in path {
        let Some(next) = at.get_mut(*step) else {
            return;
        };
        at = next;
    }
    if at.is_object() {
        pod(at, kind == "Pod");
    }
}

/// Makes the mappings of a path, of structs that Go always has.
fn make(object: &mut Value, path: &[&str]) {
    let mut at = object;
    for step in path {
        let Some(fields) = at.as_object_mut() else {
            return;
        };
        at = fields
            .entry((*step).to_owned())
            .or_insert_with(|| Value::Object(Map::new()));
    }
}

fn put(value: &mut Value, place: &str, default: &str) {
    let Some(fields) = value.as_object_mut() else {
        return;
    };
    let Some((step, rest)) = place.split_once('.') else {
        if fields
            .get(place)
            .is_none_or(|v| v.is_null() || v.as_str() == Some(""))
        {
            let default = serde_json::from_str(default).expect("defaults are written in JSON");
            fields.insert(place.to_owned(), default);
        }
        return;
    };
    if let Some(name) = step.strip_suffix("[]") {
        let items = fields.get_mut(name).and_then(Value::as_array_mut);
        items
            .into_iter()
            .flatten()
            .for_each(|item| put(item, rest, default));
    } else if let Some(name) = step.strip_suffix('!') {
        let next = fields
            .entry(name.to_owned())
            .or_insert_with(|| Value::Object(Map::new()));
        put(next, rest, default);
    } else if let Some(next) = fields.get_mut(step) {
        put(next, rest, default);
    }
}

fn pod(spec: &mut Value, is_pod: bool) {
    for (place, default) in POD_ROWS {
        put(spec, place, default);
    }
    let is_host = spec.flag("hostNetwork");
    for volume in spec
        .get_mut("volumes")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(fields) = volume.as_object_mut()
            && fields.keys().all(|name| name == "name")
        {
            fields.insert("emptyDir".to_owned(), json!({}));
        }
    }
    for list in CONTAINER_LISTS {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            self::container(container, is_host, is_pod);
        }
    }
}

fn container(container: &mut Value, is_host: bool, is_pod: bool) {
    for (place, default) in CONTAINER_ROWS {
        put(container, place, default);
    }
    let policy = match tag_of(container.text("image")) {
        "latest" => "\"Always\"",
        _ => "\"IfNotPresent\"",
    };
    put(container, "imagePullPolicy", policy);
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(fields) = container.get_mut(probe).and_then(Value::as_object_mut) else {
            continue;
        };
        for (name, default) in PROBE_ROWS {
            if fields.get(*name).is_none_or(|v| v.as_i64() == Some(0)) {
                fields.insert((*name).to_owned(), json!(default));
            }
        }
    }
    if is_host {
        for port in container
            .get_mut("ports")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let number = port.at("containerPort").clone();
            if let Some(fields) = port.as_object_mut().filter(|f| !f.contains_key("hostPort")) {
                fields.insert("hostPort".to_owned(), number);
            }
        }
    }
    if is_pod {
        requests_from_limits(container);
    }
}

/// The tag of an image; `latest` where it has neither tag nor digest.
fn tag_of(image: &str) -> &str {
    let (name, digest) = image
        .split_once('@')
        .map_or((image, ""), |(name, digest)| (name, digest));
    let last = name.rsplit('/').next().unwrap_or(name);
    match (last.split_once(':'), digest) {
        (Some((_, tag)), _) => tag,
        (None, "") => "latest",
        (None, _) => "",
    }
}

fn requests_from_limits(container: &mut Value) {
    let limits = container.down(&["resources", "limits"]).clone();
    let Some(limits) = limits.as_object().filter(|l| !l.is_empty()) else {
        return;
    };
    let Some(resources) = container
        .get_mut("resources")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    let requests = resources.entry("requests").or_insert_with(|| json!({}));
    for (name, limit) in limits {
        if let Some(requests) = requests.as_object_mut() {
            requests
                .entry(name.clone())
                .or_insert_with(|| limit.clone());
        }
    }
}

/// Defaults that depend on other fields.
fn special(kind: &str, object: &mut Value) {
    match kind {
        "Deployment" if object.down(&["spec", "strategy"]).text("type") == "RollingUpdate" => {
            put(
                object,
                "spec!.strategy!.rollingUpdate!.maxUnavailable",
                "\"25%\"",
            );
            put(object, "spec!.strategy!.rollingUpdate!.maxSurge", "\"25%\"");
        }
        "DaemonSet" if object.down(&["spec", "updateStrategy"]).text("type") == "RollingUpdate" => {
            put(
                object,
                "spec!.updateStrategy!.rollingUpdate!.maxUnavailable",
                "1",
            );
            put(object, "spec!.updateStrategy!.rollingUpdate!.maxSurge", "0");
        }
        "StatefulSet" => stateful_set(object),
        "Job" => job(object),
        "Service" => service(object),
        "NetworkPolicy" => network_policy(object),
        "RoleBinding" | "ClusterRoleBinding" => subjects(object),
        "Secret" => string_data(object),
        "HorizontalPodAutoscaler" => autoscaler(object),
        _ => {}
    }
}

fn stateful_set(object: &mut Value) {
    let strategy = object.down(&["spec", "updateStrategy"]);
    match strategy.text("type") {
        "" => {
            put(object, "spec!.updateStrategy!.type", "\"RollingUpdate\"");
            put(
                object,
                "spec!.updateStrategy!.rollingUpdate!.partition",
                "0",
            );
        }
        "RollingUpdate" => put(object, "spec.updateStrategy.rollingUpdate.partition", "0"),
        _ => {}
    }
}

fn job(object: &mut Value) {
    let spec = object.at("spec");
    let (completions, parallelism) = (spec.has("completions"), spec.has("parallelism"));
    let limit = if spec.has("backoffLimitPerIndex") {
        "2147483647"
    } else {
        "6"
    };
    let replacement = match spec.has("podFailurePolicy") {
        true => "\"Failed\"",
        false => "\"TerminatingOrFailed\"",
    };
    if !completions && !parallelism {
        put(object, "spec!.completions", "1");
    }
    put(object, "spec!.parallelism", "1");
    put(object, "spec!.backoffLimit", limit);
    put(object, "spec!.podReplacementPolicy", replacement);
}

fn service(object: &mut Value) {
    let spec = object.at("spec");
    let kind = spec.text("type").to_owned();
    let is_external = matches!(&*kind, "NodePort" | "LoadBalancer")
        || (kind == "ClusterIP" && !spec.items("externalIPs").is_empty());
    match spec.text("sessionAffinity") {
        "ClientIP" => put(
            object,
            "spec!.sessionAffinityConfig!.clientIP!.timeoutSeconds",
            "10800",
        ),
        "None" => {
            if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
                spec.shift_remove("sessionAffinityConfig");
            }
        }
        _ => {}
    }
    if is_external {
        put(object, "spec!.externalTrafficPolicy", "\"Cluster\"");
    }
    if matches!(&*kind, "NodePort" | "LoadBalancer" | "ClusterIP") {
        put(object, "spec!.internalTrafficPolicy", "\"Cluster\"");
    }
    if kind == "LoadBalancer" {
        put(object, "spec!.allocateLoadBalancerNodePorts", "true");
    }
    let ports = object
        .get_mut("spec")
        .and_then(|s| s.get_mut("ports"))
        .and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten() {
        let number = port.at("port").clone();
        let target = port.at("targetPort");
        if (target.is_null() || target.as_i64() == Some(0) || target.as_str() == Some(""))
            && let Some(fields) = port.as_object_mut()
        {
            fields.insert("targetPort".to_owned(), number);
        }
    }
}

fn network_policy(object: &mut Value) {
    let spec = object.at("spec");
    if spec.items("policyTypes").is_empty() {
        let types = match spec.items("egress").is_empty() {
            true => "[\"Ingress\"]",
            false => "[\"Ingress\", \"Egress\"]",
        };
        if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
            spec.shift_remove("policyTypes");
        }
        put(object, "spec!.policyTypes", types);
    }
}

fn subjects(object: &mut Value) {
    for subject in object
        .get_mut("subjects")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if matches!(subject.text("kind"), "User" | "Group") {
            put(subject, "apiGroup", "\"rbac.authorization.k8s.io\"");
        }
    }
}

/// What is given as text becomes data.
fn string_data(object: &mut Value) {
    use base64::Engine as _;
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    let Some(Value::Object(texts)) = fields.shift_remove("stringData") else {
        return;
    };
    let data = fields.entry("data").or_insert_with(|| json!({}));
    for (key, text) in texts {
        let encoded =
            base64::engine::general_purpose::STANDARD.encode(text.as_str().unwrap_or_default());
        if let Some(data) = data.as_object_mut() {
            data.insert(key, Value::from(encoded));
        }
    }
}

fn autoscaler(object: &mut Value) {
    let is_second = object.text("apiVersion") == "autoscaling/v2";
    if is_second && object.down(&["spec", "metrics"]).is_null() {
        let cpu = r#"[{"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 80}}}]"#;
        put(object, "spec!.metrics", cpu);
    }
}
