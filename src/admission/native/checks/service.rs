//! Services. `pkg/apis/core/validation`: `ValidateServiceCreate` and what it calls.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

use super::super::look::{Look, is_open};
use super::super::meta;
use super::pod::ip;
use super::{one_of, port, port_number};
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::verdict::Causes;

const TYPES: &[&str] = &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

/// The addresses of a Service: those that are listed, or the one that is given.
fn addresses(spec: &Value) -> Vec<&str> {
    let listed = spec.words("clusterIPs");
    match (listed.is_empty(), spec.text("clusterIP")) {
        (true, "") => Vec::new(),
        (true, one) => vec![one],
        (false, _) => listed,
    }
}

/// A Service.
pub(super) fn service(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    let kind = spec.text("type");
    let is_headless = addresses(spec).first() == Some(&"None");
    one_of(spec, "type", TYPES, &path, causes);
    if spec.items("ports").is_empty() && !is_headless && kind != "ExternalName" {
        causes.required(&path.field("ports"), "");
    }
    let ips = path.field("clusterIPs");
    match kind {
        "LoadBalancer" | "NodePort" if is_headless => {
            causes.invalid(
                &ips.index(0),
                format!("may not be None for {kind} services (clusterIP)"),
            );
        }
        "ExternalName" => external_name(spec, &path, causes),
        _ => {}
    }
    ports(spec, &path.field("ports"), causes);
    meta::labels(spec.at("selector"), &path.field("selector"), causes);
    affinity(spec, &path, causes);
    if kind != "ExternalName" {
        cluster_ips(spec, &path, causes);
    }
    external_ips(spec, &path.field("externalIPs"), causes);
    load_balancer(spec, &path, causes);
    traffic(spec, &path, causes);
}

fn external_name(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    if !addresses(spec).is_empty() {
        causes.forbidden(
            &path.field("clusterIPs"),
            "ExternalName services have no clusterIP",
        );
    }
    for field in ["ipFamilies", "ipFamilyPolicy"] {
        if spec.has(field) {
            causes.forbidden(&path.field(field), "ExternalName services have none");
        }
    }
    let name = spec.text("externalName");
    meta::required_text(
        name.strip_suffix('.').unwrap_or(name),
        names::dns1123_subdomain,
        &path.field("externalName"),
        causes,
    );
}

fn ports(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = spec.items("ports");
    let (mut named, mut numbers, mut nodes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (index, one) in list.iter().enumerate() {
        let at = path.index(index);
        let name = one.text("name");
        if name.is_empty() {
            if list.len() > 1 {
                causes.required(&at.field("name"), "a Service of several ports names each");
            }
        } else {
            meta::text(name, names::dns1123_label, &at.field("name"), causes);
            if !named.insert(name) {
                causes.duplicate(&at.field("name"));
            }
        }
        let number = one.int("port").unwrap_or_default();
        port_number(number, &at.field("port"), causes);
        one_of(one, "protocol", &["SCTP", "TCP", "UDP"], &at, causes);
        if (1..=65535).contains(&number) || one.at("targetPort").is_string() {
            port(one.at("targetPort"), &at.field("targetPort"), causes);
        }
        if one.has("appProtocol") {
            meta::text(
                one.text("appProtocol"),
                names::qualified_name,
                &at.field("appProtocol"),
                causes,
            );
        }
        let node = one.int("nodePort").unwrap_or_default();
        if node != 0 && spec.text("type") == "ClusterIP" {
            causes.forbidden(
                &at.field("nodePort"),
                "may not be used when type is ClusterIP",
            );
        }
        if node != 0 && !nodes.insert((one.text("protocol"), node)) {
            causes.duplicate(&at.field("nodePort"));
        }
        // The range that an API server has unless it is told another.
        if node != 0 && !(30000..=32767).contains(&node) {
            causes.invalid(
                &at.field("nodePort"),
                "is not in the valid range, which is 30000-32767",
            );
        }
        if !numbers.insert((one.text("protocol"), number)) {
            causes.duplicate(&at);
        }
    }
}

fn affinity(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    one_of(spec, "sessionAffinity", &["ClientIP", "None"], path, causes);
    let seconds = spec
        .down(&["sessionAffinityConfig", "clientIP"])
        .int("timeoutSeconds");
    if seconds.is_some_and(|s| !(1..=86400).contains(&s)) {
        let config = path.field("sessionAffinityConfig");
        let client = config.field("clientIP");
        causes.invalid(
            &client.field("timeoutSeconds"),
            "must be greater than 0 and less than 86400",
        );
    }
}

fn cluster_ips(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.field("clusterIPs");
    let (one, all) = (spec.text("clusterIP"), addresses(spec));
    let listed = spec.words("clusterIPs");
    if !one.is_empty() && listed.first().is_some_and(|first| *first != one) {
        causes.invalid(&list, "must start with the clusterIP");
    } else if one.is_empty() && !listed.is_empty() {
        causes.invalid(&list, "must be empty when clusterIP is not specified");
    }
    for (index, address) in all.iter().enumerate() {
        if index == 0 && *address == "None" {
            if all.len() > 1 {
                causes.invalid(&list, "may have nothing beside None");
            }
            continue;
        }
        if names::sloppy_ip(address).is_none() && !is_open(address) {
            causes.invalid(&list.index(index), "must be a valid IP address (clusterIP)");
        }
    }
    if all.len() > 2 {
        causes.invalid(&list, "may only hold up to 2 values");
    }
    let families = path.field("ipFamilies");
    let given = spec.words("ipFamilies");
    for (index, family) in given.iter().enumerate() {
        if !matches!(*family, "IPv4" | "IPv6") {
            causes.unsupported(&families.index(index), &["IPv4", "IPv6"]);
        }
        if given[..index].contains(family) {
            causes.duplicate(&families.index(index));
        }
    }
    let policies = ["SingleStack", "PreferDualStack", "RequireDualStack"];
    one_of(spec, "ipFamilyPolicy", &policies, path, causes);
    for (index, (address, family)) in all.iter().zip(&given).enumerate() {
        let is_v6 = names::sloppy_ip(address).map(|ip| ip.is_ipv6());
        if is_v6.is_some_and(|v6| v6 != (*family == "IPv6")) {
            causes.invalid(&list.index(index), "is not of the family in ipFamilies");
        }
    }
}

fn external_ips(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    for (index, address) in spec.words("externalIPs").into_iter().enumerate() {
        let at = path.index(index);
        ip(address, &at, causes);
        if let Some(fault) = names::sloppy_ip(address).and_then(special) {
            causes.invalid(&at, fault);
        }
    }
}

/// Addresses that no endpoint can have.
pub(super) fn special(ip: IpAddr) -> Option<&'static str> {
    let is_link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.segments()[0] & 0xffc0 == 0xfe80,
    };
    let is_local_multicast = match ip {
        IpAddr::V4(v4) => v4.octets()[..3] == [224, 0, 0],
        IpAddr::V6(v6) => v6.segments()[0] & 0xff0f == 0xff02,
    };
    if ip.is_unspecified() {
        Some("may not be unspecified")
    } else if ip.is_loopback() {
        Some("may not be in the loopback range")
    } else if is_link_local {
        Some("may not be in the link-local range")
    } else if is_local_multicast {
        Some("may not be in the link-local multicast range")
    } else {
        None
    }
}

fn load_balancer(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let is_balanced = spec.text("type") == "LoadBalancer";
    let ranges = path.field("loadBalancerSourceRanges");
    let given = spec.words("loadBalancerSourceRanges");
    if !given.is_empty() && !is_balanced {
        causes.forbidden(&ranges, "may only be used when type is LoadBalancer");
    }
    for (index, range) in given.into_iter().enumerate() {
        if names::sloppy_cidr(range.trim()).is_none() && !is_open(range) {
            causes.invalid(
                &ranges.index(index),
                "must be a valid CIDR value such as 10.9.8.0/24 (LoadBalancerSourceRanges)",
            );
        }
    }
    for field in ["allocateLoadBalancerNodePorts", "loadBalancerClass"] {
        if spec.has(field) && !is_balanced {
            causes.forbidden(
                &path.field(field),
                "may only be used when type is LoadBalancer",
            );
        }
    }
    if spec.has("loadBalancerClass") {
        meta::text(
            spec.text("loadBalancerClass"),
            names::qualified_name,
            &path.field("loadBalancerClass"),
            causes,
        );
    }
}

fn traffic(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let kind = spec.text("type");
    let is_external = matches!(kind, "NodePort" | "LoadBalancer")
        || (kind == "ClusterIP" && !spec.items("externalIPs").is_empty());
    let policy = spec.text("externalTrafficPolicy");
    if !policy.is_empty() && !is_external {
        causes.invalid(
            &path.field("externalTrafficPolicy"),
            "may only be set for externally-accessible services",
        );
    } else {
        one_of(
            spec,
            "externalTrafficPolicy",
            &["Cluster", "Local"],
            path,
            causes,
        );
    }
    one_of(
        spec,
        "internalTrafficPolicy",
        &["Cluster", "Local"],
        path,
        causes,
    );
    let distributions = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    one_of(spec, "trafficDistribution", &distributions, path, causes);
    let check = spec.int("healthCheckNodePort").unwrap_or_default();
    if check < 0 {
        causes.invalid(
            &path.field("healthCheckNodePort"),
            "must be between 1 and 65535, inclusive",
        );
    } else if check != 0 && (kind != "LoadBalancer" || policy != "Local") {
        let message =
            "may only be set when type is LoadBalancer and externalTrafficPolicy is Local";
        causes.invalid(&path.field("healthCheckNodePort"), message);
    }
}
