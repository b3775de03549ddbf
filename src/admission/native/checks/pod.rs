//! The spec of a pod. `pkg/apis/core/validation`: `ValidatePodSpec` and what it calls.

use serde_json::Value;

use super::super::look::{Look, is_open};
use super::super::meta;
use super::{container, one_of, security, twice, volume};
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::verdict::{Causes, Reason};

/// What is known of a pod while its parts are judged.
pub(super) struct Pod<'p> {
    /// The spec.
    pub(super) spec: &'p Value,
    /// The names of its volumes, and of the claims that a StatefulSet makes.
    pub(super) volumes: Vec<&'p str>,
    /// Whether a volume's name is not known here, so that any mount may be of it.
    pub(super) has_open_volume: bool,
}

const RESTART_POLICIES: &[&str] = &["Always", "OnFailure", "Never"];

/// Judges the spec of a pod. `claims` are volumes that come from elsewhere.
pub(super) fn spec(
    spec: &Value,
    meta: &Value,
    claims: &[&str],
    path: &Path<'_>,
    causes: &mut Causes,
) {
    let listed: Vec<&str> = spec
        .items("volumes")
        .iter()
        .map(|v| v.text("name"))
        .collect();
    let pod = Pod {
        spec,
        has_open_volume: listed.iter().any(|name| is_open(name)),
        volumes: listed.iter().chain(claims).copied().collect(),
    };
    volume::volumes(spec, &path.field("volumes"), causes);
    container::all(&pod, path, causes);
    one_of(spec, "restartPolicy", RESTART_POLICIES, path, causes);
    dns(spec, path, causes);
    meta::labels(spec.at("nodeSelector"), &path.field("nodeSelector"), causes);
    security::pod(spec, path, causes);
    affinity(spec.at("affinity"), &path.field("affinity"), causes);
    spread(spec, &path.field("topologySpreadConstraints"), causes);
    tolerations(spec, &path.field("tolerations"), causes);
    aliases(spec, &path.field("hostAliases"), causes);
    names_of(spec, path, causes);
    deadlines(spec, path, causes);
    claims_of(spec, path, causes);
    annotations(meta, spec, causes);
}

fn names_of(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let rows: [(&str, meta::NameTest); 7] = [
        ("serviceAccountName", names::dns1123_subdomain),
        ("nodeName", names::dns1123_subdomain),
        ("hostname", names::dns1123_label),
        ("subdomain", names::dns1123_label),
        ("priorityClassName", names::dns1123_subdomain),
        ("runtimeClassName", names::dns1123_subdomain),
        ("hostnameOverride", names::dns1123_subdomain),
    ];
    for (field, test) in rows {
        if !spec.text(field).is_empty() {
            meta::text(spec.text(field), test, &path.field(field), causes);
        }
    }
    one_of(
        spec,
        "preemptionPolicy",
        &["PreemptLowerPriority", "Never"],
        path,
        causes,
    );
    let secrets = path.field("imagePullSecrets");
    for (index, _) in spec
        .items("imagePullSecrets")
        .iter()
        .enumerate()
        .filter(|(_, s)| s.as_str() == Some(""))
    {
        causes.required(&secrets.index(index), "");
    }
    let gates = path.field("readinessGates");
    for (index, gate) in spec.items("readinessGates").iter().enumerate() {
        let place = gates.index(index);
        meta::text(
            gate.text("conditionType"),
            names::qualified_name,
            &place.field("conditionType"),
            causes,
        );
    }
    let gates = path.field("schedulingGates");
    let list = spec.items("schedulingGates");
    for (index, gate) in list.iter().enumerate() {
        meta::text(
            gate.text("name"),
            names::qualified_name,
            &gates.index(index),
            causes,
        );
    }
    for index in twice(list.iter().map(|gate| gate.text("name"))) {
        causes.duplicate(&gates.index(index));
    }
    if let Some(name) = spec.at("os").get("name").and_then(Value::as_str)
        && !matches!(name, "linux" | "windows")
    {
        causes.unsupported(&path.field("os").field("name"), &["linux", "windows"]);
    }
}

fn deadlines(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    if spec
        .int("activeDeadlineSeconds")
        .is_some_and(|s| !(1..=i64::from(i32::MAX)).contains(&s))
    {
        causes.invalid(
            &path.field("activeDeadlineSeconds"),
            "must be between 1 and 2147483647, inclusive",
        );
    }
    // A negative terminationGracePeriodSeconds is taken, and becomes 1.
}

fn dns(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    one_of(
        spec,
        "dnsPolicy",
        &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
        path,
        causes,
    );
    let config = spec.at("dnsConfig");
    let place = path.field("dnsConfig");
    let servers = config.words("nameservers");
    if spec.text("dnsPolicy") == "None" && servers.is_empty() {
        causes.required(
            &place.field("nameservers"),
            "dnsPolicy None needs a nameserver",
        );
    }
    let list = place.field("nameservers");
    if servers.len() > 3 {
        causes.invalid(&list, "must not have more than 3 nameservers");
    }
    for (index, server) in servers.into_iter().enumerate() {
        ip(server, &list.index(index), causes);
    }
    let searches = config.words("searches");
    let list = place.field("searches");
    if searches.len() > 32 {
        causes.invalid(&list, "must not have more than 32 search paths");
    }
    for (index, search) in searches.into_iter().enumerate().filter(|(_, s)| *s != ".") {
        // Underscores are fine here.
        let plain = search.strip_suffix('.').unwrap_or(search).replace('_', "a");
        meta::text(&plain, names::dns1123_subdomain, &list.index(index), causes);
    }
    let options = place.field("options");
    for (index, option) in config.items("options").iter().enumerate() {
        if option.text("name").is_empty() {
            causes.required(&options.index(index), "must not be empty");
        }
    }
}

pub(super) fn ip(text: &str, path: &Path<'_>, causes: &mut Causes) {
    if names::sloppy_ip(text).is_none() && !is_open(text) {
        causes.invalid(path, "must be a valid IP address");
    }
}

fn aliases(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    for (index, alias) in spec.items("hostAliases").iter().enumerate() {
        let place = path.index(index);
        ip(alias.text("ip"), &place.field("ip"), causes);
        let hosts = place.field("hostnames");
        for (index, host) in alias.words("hostnames").into_iter().enumerate() {
            meta::text(host, names::dns1123_subdomain, &hosts.index(index), causes);
        }
    }
}

fn tolerations(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    for (index, one) in spec.items("tolerations").iter().enumerate() {
        let place = path.index(index);
        let operator = place.field("operator");
        let (key, word) = (one.text("key"), one.text("operator"));
        if !key.is_empty() {
            meta::text(key, names::qualified_name, &place.field("key"), causes);
        } else if word != "Exists" {
            causes.invalid(&operator, "must be Exists where there is no key");
        }
        if one.has("tolerationSeconds") && one.text("effect") != "NoExecute" {
            causes.invalid(
                &place.field("effect"),
                "must be NoExecute where tolerationSeconds is set",
            );
        }
        match word {
            "" | "Equal" => meta::text(one.text("value"), names::label_value, &operator, causes),
            "Exists" if !one.text("value").is_empty() => {
                causes.invalid(&operator, "takes no value when it is Exists");
            }
            "Exists" | "Lt" | "Gt" => {}
            _ => causes.unsupported(&operator, &["Equal", "Exists"]),
        }
        if !one.text("effect").is_empty() {
            one_of(
                one,
                "effect",
                &["NoSchedule", "PreferNoSchedule", "NoExecute"],
                &place,
                causes,
            );
        }
    }
}

fn spread(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = spec.items("topologySpreadConstraints");
    for (index, one) in list.iter().enumerate() {
        let place = path.index(index);
        if one.int("maxSkew").unwrap_or_default() <= 0 {
            causes.invalid(&place.field("maxSkew"), "must be greater than zero");
        }
        if one.text("topologyKey").is_empty() {
            causes.required(&place.field("topologyKey"), "can not be empty");
        } else {
            meta::text(
                one.text("topologyKey"),
                names::qualified_name,
                &place.field("topologyKey"),
                causes,
            );
        }
        let when = one.text("whenUnsatisfiable");
        if !matches!(when, "DoNotSchedule" | "ScheduleAnyway") {
            causes.unsupported(
                &place.field("whenUnsatisfiable"),
                &["DoNotSchedule", "ScheduleAnyway"],
            );
        }
        if one.int("minDomains").is_some_and(|least| least <= 0) {
            causes.invalid(&place.field("minDomains"), "must be greater than zero");
        }
        if one.has("minDomains") && when == "ScheduleAnyway" {
            causes.invalid(
                &place.field("minDomains"),
                "needs whenUnsatisfiable: DoNotSchedule",
            );
        }
        for field in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            one_of(one, field, &["Ignore", "Honor"], &place, causes);
        }
        meta::selector(
            one.at("labelSelector"),
            &place.field("labelSelector"),
            causes,
        );
        label_keys(one, &place, causes);
        let same = |other: &&Value| {
            other.text("topologyKey") == one.text("topologyKey")
                && other.text("whenUnsatisfiable") == when
        };
        if list[index + 1..].iter().any(|other| same(&other)) {
            causes.duplicate(&place.field("{topologyKey, whenUnsatisfiable}"));
        }
    }
}

/// Keys of pods' labels, which need a selector.
fn label_keys(one: &Value, path: &Path<'_>, causes: &mut Causes) {
    for field in ["matchLabelKeys", "mismatchLabelKeys"] {
        let place = path.field(field);
        let keys = one.words(field);
        if !keys.is_empty() && !one.has("labelSelector") {
            causes.forbidden(&place, "needs a labelSelector");
        }
        for (index, key) in keys.into_iter().enumerate() {
            meta::text(key, names::qualified_name, &place.index(index), causes);
        }
    }
}

fn affinity(affinity: &Value, path: &Path<'_>, causes: &mut Causes) {
    node_affinity(
        affinity.at("nodeAffinity"),
        &path.field("nodeAffinity"),
        causes,
    );
    for kind in ["podAffinity", "podAntiAffinity"] {
        let (value, place) = (affinity.at(kind), path.field(kind));
        let required = place.field("requiredDuringSchedulingIgnoredDuringExecution");
        for (index, term) in value
            .items("requiredDuringSchedulingIgnoredDuringExecution")
            .iter()
            .enumerate()
        {
            pod_term(term, &required.index(index), causes);
        }
        let preferred = place.field("preferredDuringSchedulingIgnoredDuringExecution");
        for (index, one) in value
            .items("preferredDuringSchedulingIgnoredDuringExecution")
            .iter()
            .enumerate()
        {
            let place = preferred.index(index);
            weight(one, &place, causes);
            pod_term(
                one.at("podAffinityTerm"),
                &place.field("podAffinityTerm"),
                causes,
            );
        }
    }
}

fn weight(one: &Value, path: &Path<'_>, causes: &mut Causes) {
    if !(1..=100).contains(&one.int("weight").unwrap_or_default()) {
        causes.invalid(&path.field("weight"), "must be in the range 1-100");
    }
}

fn pod_term(term: &Value, path: &Path<'_>, causes: &mut Causes) {
    meta::selector(
        term.at("labelSelector"),
        &path.field("labelSelector"),
        causes,
    );
    meta::selector(
        term.at("namespaceSelector"),
        &path.field("namespaceSelector"),
        causes,
    );
    let namespaces = path.field("namespaces");
    for (index, name) in term.words("namespaces").into_iter().enumerate() {
        meta::text(name, names::dns1123_label, &namespaces.index(index), causes);
    }
    label_keys(term, path, causes);
    meta::required_text(
        term.text("topologyKey"),
        names::qualified_name,
        &path.field("topologyKey"),
        causes,
    );
}

fn node_affinity(affinity: &Value, path: &Path<'_>, causes: &mut Causes) {
    let required = affinity.at("requiredDuringSchedulingIgnoredDuringExecution");
    if !required.is_null() {
        let place = path.field("requiredDuringSchedulingIgnoredDuringExecution");
        node_selector(required, &place, causes);
    }
    let preferred = path.field("preferredDuringSchedulingIgnoredDuringExecution");
    for (index, one) in affinity
        .items("preferredDuringSchedulingIgnoredDuringExecution")
        .iter()
        .enumerate()
    {
        let place = preferred.index(index);
        weight(one, &place, causes);
        node_term(one.at("preference"), &place.field("preference"), causes);
    }
}

/// A selector of nodes.
pub(super) fn node_selector(selector: &Value, path: &Path<'_>, causes: &mut Causes) {
    let place = path.field("nodeSelectorTerms");
    let terms = selector.items("nodeSelectorTerms");
    if terms.is_empty() {
        causes.required(&place, "must have at least one node selector term");
    }
    for (index, term) in terms.iter().enumerate() {
        node_term(term, &place.index(index), causes);
    }
}

fn node_term(term: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.field("matchExpressions");
    for (index, one) in term.items("matchExpressions").iter().enumerate() {
        let place = list.index(index);
        node_expression(one, &place, causes);
        meta::text(
            one.text("key"),
            names::qualified_name,
            &place.field("key"),
            causes,
        );
    }
    let list = path.field("matchFields");
    for (index, one) in term.items("matchFields").iter().enumerate() {
        let place = list.index(index);
        if !matches!(one.text("operator"), "In" | "NotIn") {
            causes.invalid(&place.field("operator"), "must be In or NotIn");
        } else if one.items("values").len() != 1 {
            causes.required(&place.field("values"), "must have one value");
        }
        if one.text("key") != "metadata.name" {
            causes.invalid(&place.field("key"), "must be metadata.name");
        }
    }
}

fn node_expression(one: &Value, path: &Path<'_>, causes: &mut Causes) {
    let values = one.items("values");
    let place = path.field("values");
    match one.text("operator") {
        "In" | "NotIn" if values.is_empty() => {
            causes.required(&place, "operator In and NotIn need values");
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            causes.forbidden(&place, "operator Exists and DoesNotExist take no values");
        }
        "Gt" | "Lt" if values.len() != 1 => {
            causes.required(&place, "operator Gt and Lt need one value");
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
        _ => causes.invalid(
            &path.field("operator"),
            "must be one of In, NotIn, Exists, DoesNotExist, Gt, Lt",
        ),
    }
}

fn claims_of(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let place = path.field("resourceClaims");
    let list = spec.items("resourceClaims");
    for (index, claim) in list.iter().enumerate() {
        let at = place.index(index);
        meta::required_text(
            claim.text("name"),
            names::dns1123_label,
            &at.field("name"),
            causes,
        );
        let sources = ["resourceClaimName", "resourceClaimTemplateName"];
        if sources.iter().filter(|s| claim.has(s)).count() != 1 {
            causes.invalid(
                &at,
                "must have one of resourceClaimName, resourceClaimTemplateName",
            );
        }
    }
    for index in twice(list.iter().map(|claim| claim.text("name"))) {
        causes.duplicate(&place.index(index));
    }
}

/// Annotations that are about parts of the pod.
fn annotations(meta: &Value, spec: &Value, causes: &mut Causes) {
    const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
    let root = Path::ROOT.field("metadata");
    let path = root.field("annotations");
    for (key, value) in meta.texts("annotations") {
        if let Some(name) = key.strip_prefix(APP_ARMOR) {
            let lists = ["containers", "initContainers", "ephemeralContainers"];
            let is_there = lists
                .iter()
                .any(|list| spec.items(list).iter().any(|c| c.text("name") == name));
            if !is_there {
                causes.add(
                    &path.key(key),
                    Reason::Invalid,
                    "names a container that is not there",
                );
            }
        }
        if key == "controller.kubernetes.io/pod-deletion-cost"
            && value.parse::<i32>().is_err()
            && !is_open(value)
        {
            causes.invalid(&path.key(key), "must be a whole number of 32 bits");
        }
    }
}
