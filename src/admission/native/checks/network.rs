//! Ingresses, network policies and endpoints. `pkg/apis/networking/validation`, `pkg/apis/discovery/validation`.

use serde_json::Value;

use super::super::look::{Look, is_open};
use super::super::meta;
use super::pod::ip;
use super::service::special;
use super::{one_of, port, port_number, twice};
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::verdict::Causes;

/// An Ingress.
pub(super) fn ingress(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    if spec.items("rules").is_empty() && !spec.has("defaultBackend") {
        causes.invalid(&path, "must have defaultBackend or rules");
    }
    if spec.has("defaultBackend") {
        backend(
            spec.at("defaultBackend"),
            &path.field("defaultBackend"),
            causes,
        );
    }
    let rules = path.field("rules");
    for (index, rule) in spec.items("rules").iter().enumerate() {
        let at = rules.index(index);
        let host = rule.text("host");
        if !host.is_empty() {
            let place = at.field("host");
            if names::sloppy_ip(host).is_some() {
                causes.invalid(&place, "must be a DNS name, not an IP address");
            }
            self::host(host, &place, causes);
        }
        if rule.has("http") {
            paths(rule.at("http"), &at.field("http"), causes);
        }
    }
    let list = path.field("tls");
    for (index, one) in spec.items("tls").iter().enumerate() {
        let at = list.index(index);
        let hosts = at.field("hosts");
        for (index, name) in one.words("hosts").into_iter().enumerate() {
            host(name, &hosts.index(index), causes);
        }
        if !one.text("secretName").is_empty() {
            meta::text(
                one.text("secretName"),
                names::dns1123_subdomain,
                &at.field("secretName"),
                causes,
            );
        }
    }
    class_of(object, spec, &path, causes);
}

fn class_of(object: &Value, spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    if !spec.has("ingressClassName") {
        return;
    }
    let name = spec.text("ingressClassName");
    meta::text(
        name,
        names::dns1123_subdomain,
        &path.field("ingressClassName"),
        causes,
    );
    let key = "kubernetes.io/ingress.class";
    let annotations = object.at("metadata").at("annotations");
    if annotations.has(key) && annotations.text(key) != name {
        let place = Path::ROOT.field("annotations");
        causes.invalid(
            &place.field(key),
            "must match ingressClassName when both are specified",
        );
    }
}

fn host(name: &str, path: &Path<'_>, causes: &mut Causes) {
    match name.contains('*') {
        true => meta::text(name, names::wildcard_subdomain, path, causes),
        false => meta::text(name, names::dns1123_subdomain, path, causes),
    }
}

fn paths(http: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.field("paths");
    let paths = http.items("paths");
    if paths.is_empty() {
        causes.required(&list, "");
    }
    for (index, one) in paths.iter().enumerate() {
        let at = list.index(index);
        let (text, place) = (one.text("path"), at.field("path"));
        match one.text("pathType") {
            "" => {
                causes.required(&at.field("pathType"), "pathType must be specified");
                continue;
            }
            kind @ ("Exact" | "Prefix" | "ImplementationSpecific") => {
                let may_be_empty = kind == "ImplementationSpecific";
                let is_missing = text.is_empty() && may_be_empty;
                if !text.starts_with('/') && !is_open(text) && !is_missing {
                    causes.invalid(&place, "must be an absolute path");
                }
                if !may_be_empty {
                    clean(text, &place, causes);
                }
            }
            _ => one_of(
                one,
                "pathType",
                &["Exact", "ImplementationSpecific", "Prefix"],
                &at,
                causes,
            ),
        }
        backend(one.at("backend"), &at.field("backend"), causes);
    }
}

fn clean(text: &str, path: &Path<'_>, causes: &mut Causes) {
    let lower = text.to_ascii_lowercase();
    for part in ["//", "/./", "/../", "%2f"] {
        if lower.contains(part) {
            causes.invalid(path, format!("must not contain '{part}'"));
        }
    }
    for end in ["/..", "/."] {
        if text.ends_with(end) {
            causes.invalid(path, format!("cannot end with '{end}'"));
        }
    }
}

fn backend(backend: &Value, path: &Path<'_>, causes: &mut Causes) {
    let service = backend.at("service");
    match (backend.has("resource"), backend.has("service")) {
        (true, true) => causes.invalid(path, "cannot have both resource and service"),
        (false, false) => causes.invalid(path, "must have resource or service"),
        (true, false) => {
            let at = path.field("resource");
            for field in ["kind", "name"]
                .iter()
                .filter(|f| backend.at("resource").text(f).is_empty())
            {
                causes.required(&at.field(field), "");
            }
        }
        (false, true) => {
            let at = path.field("service");
            meta::required_text(
                service.text("name"),
                names::dns1035_label,
                &at.field("name"),
                causes,
            );
            let port = service.at("port");
            let place = at.field("port");
            match (port.text("name"), port.int("number").unwrap_or_default()) {
                ("", 0) => causes.required(path, "port name or number"),
                ("", number) => port_number(number, &place.field("number"), causes),
                (name, 0) => meta::text(name, names::port_name, &place.field("name"), causes),
                _ => causes.invalid(path, "cannot have both port name and port number"),
            }
        }
    }
}

/// An IngressClass.
pub(super) fn ingress_class(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    let place = path.field("controller");
    match spec.text("controller") {
        "" => causes.required(&place, ""),
        text if !text.contains('/') && !is_open(text) => {
            causes.invalid(&place, "must be a domain and a path, as example.com/name");
        }
        _ => {}
    }
    let parameters = spec.at("parameters");
    if !parameters.is_null() {
        let at = path.field("parameters");
        for field in ["kind", "name"]
            .iter()
            .filter(|f| parameters.text(f).is_empty())
        {
            causes.required(&at.field(field), "");
        }
        one_of(parameters, "scope", &["Cluster", "Namespace"], &at, causes);
        let is_namespaced = parameters.text("scope") == "Namespace";
        match (is_namespaced, parameters.text("namespace")) {
            (true, "") => causes.required(&at.field("namespace"), "scope Namespace needs it"),
            (false, "") | (true, _) => {}
            (false, _) => causes.forbidden(&at.field("namespace"), "it needs scope: Namespace"),
        }
    }
}

/// A NetworkPolicy.
pub(super) fn network_policy(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    meta::selector(spec.at("podSelector"), &path.field("podSelector"), causes);
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        let list = path.field(direction);
        for (index, rule) in spec.items(direction).iter().enumerate() {
            let at = list.index(index);
            let ports = at.field("ports");
            for (index, one) in rule.items("ports").iter().enumerate() {
                policy_port(one, &ports.index(index), causes);
            }
            let place = at.field(peers);
            for (index, one) in rule.items(peers).iter().enumerate() {
                peer(one, &place.index(index), causes);
            }
        }
    }
    let types = path.field("policyTypes");
    let given = spec.words("policyTypes");
    if given.len() > 2 {
        causes.invalid(&types, "may have two at most");
    }
    for (index, kind) in given.into_iter().enumerate() {
        if !matches!(kind, "Ingress" | "Egress") {
            causes.unsupported(&types.index(index), &["Ingress", "Egress"]);
        }
    }
}

fn policy_port(one: &Value, path: &Path<'_>, causes: &mut Causes) {
    one_of(one, "protocol", &["TCP", "UDP", "SCTP"], path, causes);
    let (value, end) = (one.at("port"), one.int("endPort"));
    let place = path.field("endPort");
    if !value.is_null() {
        port(value, &path.field("port"), causes);
    }
    match (value.as_i64(), end) {
        (Some(first), Some(last)) => {
            if last < first {
                causes.invalid(&place, "must be greater than or equal to port");
            }
            port_number(last, &place, causes);
        }
        (None, Some(_)) if value.is_null() => {
            causes.invalid(&place, "may not be there without port");
        }
        (None, Some(_)) => causes.invalid(&place, "may not be there when port is a name"),
        (_, None) => {}
    }
}

fn peer(one: &Value, path: &Path<'_>, causes: &mut Causes) {
    let selectors = ["podSelector", "namespaceSelector"];
    for field in selectors.iter().filter(|f| one.has(f)) {
        meta::selector(one.at(field), &path.field(field), causes);
    }
    let has_selector = selectors.iter().any(|f| one.has(f));
    match (has_selector, one.has("ipBlock")) {
        (false, false) => causes.required(path, "must specify a peer"),
        (true, true) => causes.forbidden(path, "ipBlock takes no other peer beside it"),
        _ => {}
    }
    if !one.has("ipBlock") {
        return;
    }
    let block = one.at("ipBlock");
    let at = path.field("ipBlock");
    let place = at.field("cidr");
    let text = block.text("cidr");
    if text.is_empty() {
        causes.required(&place, "");
        return;
    }
    if is_open(text) {
        return;
    }
    let Some(outer) = names::sloppy_cidr(text) else {
        causes.invalid(&place, "must be a valid CIDR value such as 10.9.8.0/24");
        if names::sloppy_ip(text).is_some() {
            let bits = if text.contains(':') { 128 } else { 32 };
            causes.help(format!("write the address as a block: with /{bits}"));
        }
        return;
    };
    let list = at.field("except");
    for (index, text) in block
        .words("except")
        .into_iter()
        .enumerate()
        .filter(|(_, t)| !is_open(t))
    {
        let place = list.index(index);
        match names::sloppy_cidr(text) {
            None => causes.invalid(&place, "must be a valid CIDR value such as 10.9.8.0/24"),
            Some(inner) if !names::holds(outer, inner.0) || outer.1 >= inner.1 => {
                causes.invalid(&place, "must be a strict subset of cidr");
            }
            Some(_) => {}
        }
    }
}

/// An EndpointSlice.
pub(super) fn endpoint_slice(object: &Value, causes: &mut Causes) {
    let kind = object.text("addressType");
    let known = ["FQDN", "IPv4", "IPv6"];
    match kind {
        "" => causes.required(&Path::ROOT.field("addressType"), ""),
        _ => one_of(object, "addressType", &known, &Path::ROOT, causes),
    }
    let list = Path::ROOT.field("endpoints");
    for (index, endpoint) in object.items("endpoints").iter().enumerate() {
        let at = list.index(index);
        let addresses = at.field("addresses");
        let given = endpoint.words("addresses");
        if given.is_empty() {
            causes.required(&addresses, "must contain at least 1 address");
        } else if given.len() > 100 {
            causes.add(
                &addresses,
                crate::admission::verdict::Reason::TooLong,
                "may have 100 items at most",
            );
        }
        for (index, text) in given.into_iter().enumerate() {
            let place = addresses.index(index);
            match kind {
                "IPv4" | "IPv6" => match text.parse::<std::net::IpAddr>() {
                    _ if is_open(text) => {}
                    Ok(ip) if ip.is_ipv4() != (kind == "IPv4") => {
                        causes.invalid(&place, format!("must be an {kind} address"));
                    }
                    Ok(ip) => {
                        if let Some(fault) = special(ip) {
                            causes.invalid(&place, fault);
                        }
                    }
                    Err(_) => causes.invalid(&place, format!("must be a valid {kind} address")),
                },
                _ => meta::text(text, names::dns1123_subdomain, &place, causes),
            }
        }
        if endpoint.has("hostname") {
            meta::text(
                endpoint.text("hostname"),
                names::dns1123_label,
                &at.field("hostname"),
                causes,
            );
        }
    }
    slice_ports(object, causes);
}

fn slice_ports(object: &Value, causes: &mut Causes) {
    let list = Path::ROOT.field("ports");
    let ports = object.items("ports");
    for (index, one) in ports.iter().enumerate() {
        let at = list.index(index);
        if !one.text("name").is_empty() {
            meta::text(
                one.text("name"),
                names::dns1123_label,
                &at.field("name"),
                causes,
            );
        }
        one_of(one, "protocol", &["SCTP", "TCP", "UDP"], &at, causes);
        if let Some(number) = one.int("port") {
            port_number(number, &at.field("port"), causes);
        }
        if one.has("appProtocol") {
            meta::text(
                one.text("appProtocol"),
                names::qualified_name,
                &at.field("appProtocol"),
                causes,
            );
        }
    }
    for index in twice(ports.iter().map(|one| one.text("name"))) {
        causes.duplicate(&list.index(index).field("name"));
    }
}

/// Endpoints.
pub(super) fn endpoints(object: &Value, causes: &mut Causes) {
    let list = Path::ROOT.field("subsets");
    for (index, subset) in object.items("subsets").iter().enumerate() {
        let at = list.index(index);
        for field in ["addresses", "notReadyAddresses"] {
            let addresses = at.field(field);
            for (index, address) in subset.items(field).iter().enumerate() {
                let item = addresses.index(index);
                let place = item.field("ip");
                ip(address.text("ip"), &place, causes);
                if let Some(fault) = names::sloppy_ip(address.text("ip")).and_then(special) {
                    causes.invalid(&place, fault);
                }
            }
        }
        if subset.items("addresses").is_empty() && subset.items("notReadyAddresses").is_empty() {
            causes.required(&at, "addresses or notReadyAddresses");
        }
        let ports = at.field("ports");
        let several = subset.items("ports").len() > 1;
        for (index, one) in subset.items("ports").iter().enumerate() {
            let place = ports.index(index);
            if several && one.text("name").is_empty() {
                causes.required(&place.field("name"), "");
            }
            port_number(
                one.int("port").unwrap_or_default(),
                &place.field("port"),
                causes,
            );
            one_of(one, "protocol", &["SCTP", "TCP", "UDP"], &place, causes);
        }
    }
}
