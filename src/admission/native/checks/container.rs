//! Containers. `pkg/apis/core/validation`: `validateContainers`, `validateInitContainers` and what they call.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::look::{Look, is_open};
use super::super::meta;
use super::pod::Pod;
use super::{one_of, port, resources, security, twice};
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::verdict::{Causes, Reason};

/// Judges all containers of a pod.
pub(super) fn all(pod: &Pod<'_>, path: &Path<'_>, causes: &mut Causes) {
    let place = path.field("containers");
    let containers = pod.spec.items("containers");
    if containers.is_empty() {
        causes.required(&place, "");
    }
    for (index, container) in containers.iter().enumerate() {
        let at = place.index(index);
        common(container, pod, &at, causes);
        lifecycle(container, pod, &at, causes);
        probes(container, &at, causes);
        let rules = container.items("restartPolicyRules");
        one_of(
            container,
            "restartPolicy",
            &["Always", "OnFailure", "Never"],
            &at,
            causes,
        );
        if !rules.is_empty() && !container.has("restartPolicy") {
            causes.required(&at.field("restartPolicy"), "restartPolicyRules need it");
        }
    }
    for index in twice(containers.iter().map(|c| c.text("name"))) {
        causes.duplicate(&place.index(index).field("name"));
    }
    host_ports(containers, &place, causes);
    init(pod, path, causes);
}

fn init(pod: &Pod<'_>, path: &Path<'_>, causes: &mut Causes) {
    let place = path.field("initContainers");
    let mut taken: BTreeSet<&str> = pod
        .spec
        .items("containers")
        .iter()
        .map(|c| c.text("name"))
        .collect();
    for (index, container) in pod.spec.items("initContainers").iter().enumerate() {
        let at = place.index(index);
        common(container, pod, &at, causes);
        if !taken.insert(container.text("name")) {
            causes.duplicate(&at.field("name"));
        }
        one_of(
            container,
            "restartPolicy",
            &["Always", "OnFailure", "Never"],
            &at,
            causes,
        );
        host_ports(std::slice::from_ref(container), &place, causes);
        if container.text("restartPolicy") == "Always" {
            lifecycle(container, pod, &at, causes);
            probes(container, &at, causes);
            continue;
        }
        for field in [
            "lifecycle",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
        ] {
            if container.has(field) {
                let message = "may not be set for init containers without restartPolicy: Always";
                causes.forbidden(&at.field(field), message);
            }
        }
    }
}

fn common(container: &Value, pod: &Pod<'_>, path: &Path<'_>, causes: &mut Causes) {
    meta::required_text(
        container.text("name"),
        names::dns1123_label,
        &path.field("name"),
        causes,
    );
    if container.text("image").is_empty() {
        causes.required(&path.field("image"), "");
    }
    let policies = ["File", "FallbackToLogsOnError"];
    one_of(
        container,
        "terminationMessagePolicy",
        &policies,
        path,
        causes,
    );
    one_of(
        container,
        "imagePullPolicy",
        &["Always", "IfNotPresent", "Never"],
        path,
        causes,
    );
    ports(
        container,
        pod.spec.flag("hostNetwork"),
        &path.field("ports"),
        causes,
    );
    environment(container, &path.field("env"), causes);
    environment_from(container, &path.field("envFrom"), causes);
    mounts(container, pod, &path.field("volumeMounts"), causes);
    devices(container, pod, &path.field("volumeDevices"), causes);
    let claims: Vec<&str> = pod
        .spec
        .items("resourceClaims")
        .iter()
        .map(|c| c.text("name"))
        .collect();
    resources::requirements(
        container.at("resources"),
        &claims,
        &path.field("resources"),
        causes,
    );
    security::container(
        container.at("securityContext"),
        pod.spec,
        &path.field("securityContext"),
        causes,
    );
    resize(container, path, causes);
}

fn resize(container: &Value, path: &Path<'_>, causes: &mut Causes) {
    let place = path.field("resizePolicy");
    for (index, one) in container.items("resizePolicy").iter().enumerate() {
        let at = place.index(index);
        one_of(one, "resourceName", &["cpu", "memory"], &at, causes);
        one_of(
            one,
            "restartPolicy",
            &["NotRequired", "RestartContainer"],
            &at,
            causes,
        );
    }
}

fn ports(container: &Value, is_host: bool, path: &Path<'_>, causes: &mut Causes) {
    let list = container.items("ports");
    for (index, one) in list.iter().enumerate() {
        let at = path.index(index);
        if !one.text("name").is_empty() {
            meta::text(
                one.text("name"),
                names::port_name,
                &at.field("name"),
                causes,
            );
        }
        match one.int("containerPort").unwrap_or_default() {
            0 => causes.required(&at.field("containerPort"), ""),
            number => super::port_number(number, &at.field("containerPort"), causes),
        }
        match one.int("hostPort").unwrap_or_default() {
            0 => {}
            number => super::port_number(number, &at.field("hostPort"), causes),
        }
        if is_host
            && one.int("hostPort") != one.int("containerPort")
            && one.int("containerPort") > Some(0)
        {
            causes.invalid(
                &at.field("hostPort"),
                "must match containerPort when hostNetwork is true",
            );
        }
        one_of(one, "protocol", &["TCP", "UDP", "SCTP"], &at, causes);
    }
    for index in twice_named(list.iter().map(|one| one.text("name"))) {
        causes.duplicate(&path.index(index).field("name"));
    }
}

/// As [`twice`], without those that have no name.
fn twice_named<'v>(names: impl Iterator<Item = &'v str> + Clone) -> Vec<usize> {
    let all: Vec<&str> = names.collect();
    let mut found = twice(all.iter().copied());
    found.retain(|index| !all[*index].is_empty());
    found
}

/// Ports of the host that two containers take.
fn host_ports(containers: &[Value], path: &Path<'_>, causes: &mut Causes) {
    let mut taken = BTreeSet::new();
    for (index, container) in containers.iter().enumerate() {
        let at = path.index(index);
        let ports = at.field("ports");
        for (number, one) in container.items("ports").iter().enumerate() {
            let host = one.int("hostPort").unwrap_or_default();
            if host != 0 && !taken.insert((one.text("protocol"), one.text("hostIP"), host)) {
                causes.duplicate(&ports.index(number).field("hostPort"));
            }
        }
    }
}

const POD_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

const RESOURCE_FIELDS: &[&str] = &[
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
];

fn environment(container: &Value, path: &Path<'_>, causes: &mut Causes) {
    for (index, one) in container.items("env").iter().enumerate() {
        let at = path.index(index);
        meta::required_text(
            one.text("name"),
            names::environment_name,
            &at.field("name"),
            causes,
        );
        let from = one.at("valueFrom");
        if from.is_null() {
            continue;
        }
        let place = at.field("valueFrom");
        let sources = [
            "fieldRef",
            "resourceFieldRef",
            "configMapKeyRef",
            "secretKeyRef",
            "fileKeyRef",
        ];
        let given = sources.iter().filter(|s| from.has(s)).count();
        if given == 0 {
            causes.invalid(
                &place,
                "must have one of fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef",
            );
        } else if !one.text("value").is_empty() {
            causes.invalid(&place, "may not be there when value is not empty");
        } else if given > 1 {
            causes.invalid(&place, "may have one source only");
        }
        if from.has("fieldRef") {
            field_reference(
                from.at("fieldRef"),
                POD_FIELDS,
                &place.field("fieldRef"),
                causes,
            );
        }
        if from.has("resourceFieldRef") {
            resource_reference(
                from.at("resourceFieldRef"),
                false,
                &place.field("resourceFieldRef"),
                causes,
            );
        }
        for kind in ["configMapKeyRef", "secretKeyRef"] {
            if from.has(kind) {
                key_reference(from.at(kind), &place.field(kind), causes);
            }
        }
    }
}

fn key_reference(reference: &Value, path: &Path<'_>, causes: &mut Causes) {
    if reference.text("name").is_empty() {
        causes.required(&path.field("name"), "");
    }
    meta::required_text(
        reference.text("key"),
        names::config_key,
        &path.field("key"),
        causes,
    );
}

/// A field of the pod, by its path.
pub(super) fn field_reference(
    reference: &Value,
    known: &[&str],
    path: &Path<'_>,
    causes: &mut Causes,
) {
    if !matches!(reference.text("apiVersion"), "" | "v1") {
        causes.invalid(&path.field("apiVersion"), "must be v1");
    }
    let place = path.field("fieldPath");
    let text = reference.text("fieldPath");
    let subscript = text
        .split_once('[')
        .and_then(|(map, key)| Some((map, key.strip_suffix("']")?.strip_prefix('\'')?)));
    match (text, subscript) {
        ("", _) => causes.required(&place, ""),
        (_, Some(("metadata.labels" | "metadata.annotations", key))) => {
            meta::text(
                &key.to_ascii_lowercase(),
                names::qualified_name,
                &place,
                causes,
            );
        }
        (text, _) if !known.contains(&text) && !is_open(text) => {
            causes.unsupported(&place, known);
        }
        _ => {}
    }
}

/// A resource of a container.
pub(super) fn resource_reference(
    reference: &Value,
    is_volume: bool,
    path: &Path<'_>,
    causes: &mut Causes,
) {
    if is_volume && reference.text("containerName").is_empty() {
        causes.required(&path.field("containerName"), "");
    }
    let text = reference.text("resource");
    let is_huge = text.starts_with("limits.hugepages-") || text.starts_with("requests.hugepages-");
    if text.is_empty() {
        causes.required(&path.field("resource"), "");
    } else if !RESOURCE_FIELDS.contains(&text) && !is_huge {
        causes.unsupported(&path.field("resource"), RESOURCE_FIELDS);
    }
}

fn environment_from(container: &Value, path: &Path<'_>, causes: &mut Causes) {
    for (index, one) in container.items("envFrom").iter().enumerate() {
        let at = path.index(index);
        if !one.text("prefix").is_empty() {
            meta::text(
                one.text("prefix"),
                names::environment_name,
                &at.field("prefix"),
                causes,
            );
        }
        let sources = ["configMapRef", "secretRef"];
        let given: Vec<&&str> = sources.iter().filter(|s| one.has(s)).collect();
        match given.len() {
            0 => causes.invalid(path, "must have one of configMapRef, secretRef"),
            1 => {}
            _ => causes.invalid(path, "may have one source only"),
        }
        for source in given {
            if one.at(source).text("name").is_empty() {
                causes.required(&at.field(source).field("name"), "");
            }
        }
    }
}

/// A path that stays below where it starts.
pub(super) fn descending(text: &str, path: &Path<'_>, causes: &mut Causes) {
    if text.starts_with('/') {
        causes.invalid(path, "must be a relative path");
    }
    if text.split('/').any(|part| part == "..") {
        causes.invalid(path, "must not contain '..'");
    }
}

fn mounts(container: &Value, pod: &Pod<'_>, path: &Path<'_>, causes: &mut Causes) {
    let list = container.items("volumeMounts");
    for (index, one) in list.iter().enumerate() {
        let at = path.index(index);
        let name = one.text("name");
        if name.is_empty() {
            causes.required(&at.field("name"), "");
        } else if !pod.volumes.contains(&name) && !pod.has_open_volume && !is_open(name) {
            causes.add(
                &at.field("name"),
                Reason::NotFound,
                "names a volume that is not there",
            );
        }
        if one.text("mountPath").is_empty() {
            causes.required(&at.field("mountPath"), "");
        }
        descending(one.text("subPath"), &at.field("subPath"), causes);
        descending(one.text("subPathExpr"), &at.field("subPathExpr"), causes);
        if !one.text("subPath").is_empty() && !one.text("subPathExpr").is_empty() {
            causes.invalid(&at.field("subPathExpr"), "may not be there beside subPath");
        }
        propagation(one, container, &at, causes);
    }
    for index in twice(list.iter().map(|one| one.text("mountPath"))) {
        causes.invalid(&path.index(index).field("mountPath"), "must be unique");
    }
}

fn propagation(mount: &Value, container: &Value, path: &Path<'_>, causes: &mut Causes) {
    let known = ["Bidirectional", "HostToContainer", "None"];
    one_of(mount, "mountPropagation", &known, path, causes);
    let is_privileged = container.at("securityContext").flag("privileged");
    if mount.text("mountPropagation") == "Bidirectional" && !is_privileged {
        causes.forbidden(
            &path.field("mountPropagation"),
            "Bidirectional needs a privileged container",
        );
    }
    one_of(
        mount,
        "recursiveReadOnly",
        &["Disabled", "IfPossible", "Enabled"],
        path,
        causes,
    );
    if matches!(mount.text("recursiveReadOnly"), "IfPossible" | "Enabled") {
        let place = path.field("recursiveReadOnly");
        if !mount.flag("readOnly") {
            causes.forbidden(&place, "may only be set when readOnly is true");
        }
        if !matches!(mount.text("mountPropagation"), "" | "None") {
            causes.forbidden(&place, "needs mountPropagation: None");
        }
    }
}

fn devices(container: &Value, pod: &Pod<'_>, path: &Path<'_>, causes: &mut Causes) {
    let list = container.items("volumeDevices");
    for (index, one) in list.iter().enumerate() {
        let at = path.index(index);
        let name = one.text("name");
        if name.is_empty() {
            causes.required(&at.field("name"), "");
        } else if !pod.volumes.contains(&name) && !pod.has_open_volume {
            causes.add(
                &at.field("name"),
                Reason::NotFound,
                "names a volume that is not there",
            );
        }
        if one.text("devicePath").is_empty() {
            causes.required(&at.field("devicePath"), "");
        }
        descending(
            one.text("devicePath").trim_start_matches('/'),
            &at.field("devicePath"),
            causes,
        );
    }
    for index in twice(list.iter().map(|one| one.text("devicePath"))) {
        causes.invalid(&path.index(index).field("devicePath"), "must be unique");
    }
}

fn probes(container: &Value, path: &Path<'_>, causes: &mut Causes) {
    for kind in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let probe = container.at(kind);
        if probe.is_null() {
            continue;
        }
        let at = path.field(kind);
        handler(probe, &at, causes);
        let numbers = [
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        ];
        super::none_negative(probe, &numbers, &at, causes);
        if probe
            .int("terminationGracePeriodSeconds")
            .is_some_and(|s| s <= 0)
        {
            causes.invalid(
                &at.field("terminationGracePeriodSeconds"),
                "must be greater than 0",
            );
        }
        if kind == "readinessProbe" {
            if probe.has("terminationGracePeriodSeconds") {
                causes.invalid(
                    &at.field("terminationGracePeriodSeconds"),
                    "must not be set for readinessProbes",
                );
            }
        } else if probe.int("successThreshold").is_some_and(|n| n != 1) {
            causes.invalid(&at.field("successThreshold"), "must be 1");
        }
    }
}

fn lifecycle(container: &Value, pod: &Pod<'_>, path: &Path<'_>, causes: &mut Causes) {
    let hooks = container.at("lifecycle");
    let place = path.field("lifecycle");
    for kind in ["postStart", "preStop"] {
        if hooks.has(kind) {
            handler(hooks.at(kind), &place.field(kind), causes);
        }
        let seconds = hooks.at(kind).at("sleep").int("seconds");
        let grace = pod.spec.int("terminationGracePeriodSeconds").unwrap_or(30);
        if seconds.is_some_and(|s| s < 0 || s > grace) {
            let at = place.field(kind);
            causes.invalid(
                &at.field("sleep"),
                "must be between 0 and terminationGracePeriodSeconds",
            );
        }
    }
    if hooks.has("stopSignal") && !pod.spec.at("os").has("name") {
        causes.forbidden(&place.field("stopSignal"), "needs the name of the pod's os");
    }
}

/// What a probe or a hook does: one thing.
fn handler(handler: &Value, path: &Path<'_>, causes: &mut Causes) {
    let kinds = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
    let mut given = kinds.iter().filter(|kind| handler.has(kind));
    let Some(first) = given.next() else {
        causes.required(
            path,
            "it does nothing: set one of exec, httpGet, tcpSocket, grpc",
        );
        return;
    };
    for more in given {
        causes.forbidden(&path.field(more), "one kind of handler is the most");
    }
    let at = path.field(first);
    let value = handler.at(first);
    match *first {
        "exec" if value.items("command").is_empty() => causes.required(&at.field("command"), ""),
        "httpGet" => http(value, &at, causes),
        "tcpSocket" => port(value.at("port"), &at.field("port"), causes),
        "grpc" => super::port_number(
            value.int("port").unwrap_or_default(),
            &at.field("port"),
            causes,
        ),
        _ => {}
    }
}

fn http(action: &Value, path: &Path<'_>, causes: &mut Causes) {
    port(action.at("port"), &path.field("port"), causes);
    one_of(action, "scheme", &["HTTP", "HTTPS"], path, causes);
    let place = path.field("httpHeaders");
    for (index, header) in action.items("httpHeaders").iter().enumerate() {
        meta::text(
            header.text("name"),
            names::http_header,
            &place.index(index).field("name"),
            causes,
        );
    }
}
