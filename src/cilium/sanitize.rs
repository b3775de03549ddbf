//! The agent's checks of a rule, after the API server has taken the object.
//!
//! Upstream: `pkg/policy/api/rule_validation.go` (Rule.Validate and below), `pkg/policy/api/selector.go`, `http.go` and
//! `icmp.go`, and `CiliumNetworkPolicy.Parse`, which wants no node selector. One fault and nothing of the object counts,
//! although `kubectl apply` succeeds: status condition Valid is False. Pinned by `refused/*`, `layer7/*`, `ports/*`.

use super::cidr::Cidr;
use super::icmp;
use super::options::Options;
use super::ports::{Protocol, is_service_name, parse_number};
use super::read::{field, items, text};
use super::schema::is_label_value;
use super::verdict::Direction;
use crate::go::regexp;
use crate::yaml::Node;

/// As many ports as one list may hold.
const MAX_PORTS: usize = 40;

/// Why a rule is refused, and the value.
pub(super) struct Fault<'n> {
    pub(super) node: &'n Node,
    pub(super) reason: String,
}

type Checked<'n> = Result<(), Fault<'n>>;

fn refuse<'n>(node: &'n Node, reason: impl Into<String>) -> Checked<'n> {
    Err(Fault {
        node,
        reason: reason.into(),
    })
}

/// What checks depend on beside the rule.
pub(super) struct Checker<'o> {
    pub(super) options: &'o Options,
    /// Whether the object has no namespace.
    pub(super) clusterwide: bool,
}

/// The fields of the peers of a rule, without `from` or `to`. Cilium takes one that is not empty.
const PEERS: [&str; 8] = [
    "Endpoints",
    "Entities",
    "CIDR",
    "CIDRSet",
    "FQDNs",
    "Groups",
    "Nodes",
    "Services",
];

impl Checker<'_> {
    /// Checks one `spec`.
    pub(super) fn spec<'n>(&self, spec: &'n Node) -> Checked<'n> {
        let rules = |name| items(spec, name);
        let lists = ["ingress", "ingressDeny", "egress", "egressDeny"];
        if lists.iter().all(|name| rules(name).is_empty()) {
            return refuse(
                spec,
                "it has no rule: an empty list is as good as none, and denies nothing",
            );
        }
        for name in ["endpointSelector", "nodeSelector"] {
            field(spec, name).map_or(Ok(()), selector)?;
        }
        let node = field(spec, "nodeSelector");
        for rule in rules("ingress") {
            self.rule(rule, Direction::Ingress, false, node.is_some())?;
        }
        for rule in rules("ingressDeny") {
            self.rule(rule, Direction::Ingress, true, node.is_some())?;
        }
        for rule in rules("egress") {
            self.rule(rule, Direction::Egress, false, node.is_some())?;
        }
        for rule in rules("egressDeny") {
            self.rule(rule, Direction::Egress, true, node.is_some())?;
        }
        match node {
            Some(node) if !self.clusterwide => refuse(
                node,
                "a nodeSelector is for a CiliumClusterwideNetworkPolicy",
            ),
            _ => Ok(()),
        }
    }

    fn rule<'n>(
        &self,
        rule: &'n Node,
        direction: Direction,
        denies: bool,
        on_nodes: bool,
    ) -> Checked<'n> {
        let way = if direction == Direction::Ingress {
            "from"
        } else {
            "to"
        };
        self.peers(rule, way)?;
        let ports = items(rule, "toPorts");
        if !denies {
            self.inspection(rule, ports, direction, on_nodes)?;
        }
        let icmps = items(rule, "icmps");
        if let [first, ..] = icmps {
            if !self.options.icmp_rules {
                return refuse(first, "rules for ICMP are switched off (enable-icmp-rules)");
            }
            if !ports.is_empty() {
                return refuse(first, "icmps and toPorts cannot be in one rule");
            }
        }
        for port in ports {
            self.port_rule(port, direction, denies)?;
        }
        icmps
            .iter()
            .flat_map(|i| items(i, "fields"))
            .try_for_each(icmp_field)
    }

    fn peers<'n>(&self, rule: &'n Node, way: &str) -> Checked<'n> {
        let full = |kind: &&&str| !items(rule, &format!("{way}{kind}")).is_empty();
        let mut there = PEERS.iter().filter(full);
        if let (Some(first), Some(second)) = (there.next(), there.next()) {
            return refuse(
                rule,
                format!("{way}{first} and {way}{second} cannot be in one rule"),
            );
        }
        let of = |kind: &str| items(rule, &format!("{way}{kind}"));
        of("Endpoints").iter().try_for_each(selector)?;
        of("Nodes").iter().try_for_each(selector)?;
        of("CIDR").iter().try_for_each(cidr)?;
        of("CIDRSet").iter().try_for_each(cidr_rule)?;
        match of("Nodes").first() {
            Some(node) if !self.options.node_selector_labels => refuse(
                node,
                format!("{way}Nodes is for clusters with enable-node-selector-labels"),
            ),
            _ => Ok(()),
        }
    }

    /// Checks which L7 rules are there for the direction.
    fn inspection<'n>(
        &self,
        rule: &'n Node,
        ports: &'n [Node],
        direction: Direction,
        on_nodes: bool,
    ) -> Checked<'n> {
        let has = |kind: &str| {
            let rules = ports.iter().filter_map(|p| field(p, "rules"));
            rules.into_iter().any(|r| !items(r, kind).is_empty())
        };
        let (http, dns) = (has("http"), has("dns"));
        if !http && !dns {
            return Ok(());
        }
        match direction {
            Direction::Ingress if on_nodes => {
                refuse(rule, "L7 rules are not supported on the ingress of nodes")
            }
            _ if !self.options.l7_proxy => {
                refuse(rule, "L7 rules need the L7 proxy, which is switched off")
            }
            Direction::Ingress if dns => refuse(rule, "DNS rules are not supported on ingress"),
            Direction::Egress if http && on_nodes => {
                refuse(rule, "HTTP rules are not supported on the egress of nodes")
            }
            _ => Ok(()),
        }
    }

    fn port_rule<'n>(&self, rule: &'n Node, direction: Direction, denies: bool) -> Checked<'n> {
        let ports = items(rule, "ports");
        if ports.len() > MAX_PORTS {
            return refuse(
                rule,
                format!("it has {} ports, and may have {MAX_PORTS}", ports.len()),
            );
        }
        let rules = field(rule, "rules").filter(|_| !denies);
        let of = |kind| rules.map_or(&[][..], |r| items(r, kind));
        let (http, dns) = (of("http"), of("dns"));
        let inspects = !http.is_empty() || !dns.is_empty();
        if direction == Direction::Ingress && !dns.is_empty() {
            return refuse(rule, "DNS rules are not supported on ingress");
        }
        let ends_tls = field(rule, "terminatingTLS").is_some();
        if inspects && !items(rule, "serverNames").is_empty() && !ends_tls {
            return refuse(rule, "serverNames and L7 rules need terminatingTLS");
        }
        let mut has_zero = false;
        for port in ports {
            has_zero |= self.port(port, !dns.is_empty())? == Some(0);
            let protocol = text(port, "protocol").unwrap_or("ANY");
            if !http.is_empty() && protocol != "TCP" {
                let reason = format!(
                    "HTTP rules are for `protocol: TCP`, which must be written out (it is {protocol})"
                );
                return refuse(port, reason);
            }
        }
        if let Some(listener) = field(rule, "listener").filter(|_| !denies) {
            if direction == Direction::Ingress {
                return refuse(listener, "a listener is not supported on ingress");
            }
            if inspects {
                return refuse(listener, "a listener and L7 rules cannot be in one rule");
            }
        }
        match (inspects, has_zero) {
            (true, true) => refuse(rule, "L7 rules cannot be for port 0"),
            (true, false) if !dns.is_empty() && ports.is_empty() => {
                refuse(rule, "DNS rules need a port, such as 53")
            }
            (true, false) => http.iter().try_for_each(http_rule),
            (false, _) => Ok(()),
        }
    }

    /// Checks a port; returns its number where it has one.
    fn port<'n>(&self, port: &'n Node, with_dns: bool) -> Result<Option<u16>, Fault<'n>> {
        let fault = |reason: String| Fault { node: port, reason };
        let name = text(port, "protocol").unwrap_or("ANY");
        let protocol = Protocol::parse(name);
        if protocol.is_none() && !name.is_empty() && !name.eq_ignore_ascii_case("any") {
            return Err(fault(format!("`{name}` is not a protocol")));
        }
        let Some(written) = text(port, "port").filter(|t| !t.is_empty()) else {
            if self.options.extended_ip_protocols {
                return Ok(None);
            }
            return Err(fault(
                "a port must be named: a protocol alone is not supported".to_owned(),
            ));
        };
        if is_service_name(written) {
            return Ok(None);
        }
        if matches!(protocol, Some(Protocol::Other(_))) && written != "0" {
            return Err(fault(format!("{name} has no ports")));
        }
        let number =
            parse_number(written).ok_or_else(|| fault(format!("`{written}` is not a port")))?;
        let end = text(port, "endPort").and_then(|t| t.parse::<u32>().ok());
        if with_dns && end.is_some_and(|end| end > u32::from(number)) {
            return Err(fault("DNS rules cannot be for a range of ports".to_owned()));
        }
        Ok(Some(number))
    }
}

fn icmp_field(node: &Node) -> Checked<'_> {
    let (family, protocol) = match text(node, "family") {
        Some("IPv6") => ("IPv6", Protocol::IcmpV6),
        _ => ("IPv4", Protocol::Icmp),
    };
    let kind = text(node, "type").unwrap_or_default();
    match icmp::parse(kind, protocol) {
        Some(_) => Ok(()),
        None => refuse(
            node,
            format!("`{kind}` is not a type of ICMP over {family}"),
        ),
    }
}

fn http_rule(rule: &Node) -> Checked<'_> {
    for name in ["path", "method", "host"] {
        if let Some(pattern) = field(rule, name)
            && let Err(error) = regexp::compile(pattern.scalar_text().unwrap_or_default())
        {
            return refuse(
                pattern,
                format!("{name} is not a regular expression: {error}"),
            );
        }
    }
    Ok(())
}

fn cidr(node: &Node) -> Checked<'_> {
    let text = node.scalar_text().unwrap_or_default();
    let is_address = text.parse::<std::net::IpAddr>().is_ok();
    if is_address || Cidr::parse(text).is_some() {
        return Ok(());
    }
    refuse(
        node,
        format!("`{text}` is not a network: zeros before a number are not taken"),
    )
}

/// Checks a network with exceptions, which must lie within it.
pub(super) fn cidr_rule(rule: &Node) -> Checked<'_> {
    if let Some(node) = field(rule, "cidrGroupSelector") {
        selector(node)?;
    }
    let Some(node) = field(rule, "cidr") else {
        return Ok(());
    };
    let text = node.scalar_text().unwrap_or_default();
    let Some(network) = Cidr::parse(text) else {
        return refuse(
            node,
            format!("`{text}` is not a network with the length of its prefix"),
        );
    };
    for except in items(rule, "except") {
        let text = except.scalar_text().unwrap_or_default();
        match Cidr::parse(text) {
            Some(inner) if network.contains(&inner) => {}
            Some(_) => return refuse(except, format!("except {text} is not inside of {network}")),
            None => return refuse(except, format!("`{text}` is not a network")),
        }
    }
    Ok(())
}

/// Checks a selector: keys and values of labels, and values where the operator wants them.
fn selector(node: &Node) -> Checked<'_> {
    for (key, value) in super::read::strings(field(node, "matchLabels")) {
        if !is_label_key(key) {
            return refuse(node, format!("`{key}` is not a key of a label"));
        }
        if !is_label_value(value) {
            return refuse(node, format!("`{value}` is not a value of a label"));
        }
    }
    items(node, "matchExpressions")
        .iter()
        .try_for_each(expression)
}

fn expression(node: &Node) -> Checked<'_> {
    let key = text(node, "key").unwrap_or_default();
    if !is_label_key(key) {
        return refuse(node, format!("`{key}` is not a key of a label"));
    }
    let values = items(node, "values");
    match text(node, "operator").unwrap_or_default() {
        "In" | "NotIn" if values.is_empty() => refuse(node, "In and NotIn need values"),
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            refuse(node, "Exists and DoesNotExist take no values")
        }
        _ => values.iter().try_for_each(|value| {
            let text = value.scalar_text().unwrap_or_default();
            match is_label_value(text) {
                true => Ok(()),
                false => refuse(value, format!("`{text}` is not a value of a label")),
            }
        }),
    }
}

/// Whether a text is a key of a label, perhaps with a source before it.
fn is_label_key(key: &str) -> bool {
    let key = key.split_once(':').map_or(key, |(_, rest)| rest);
    let (prefix, name) = match key.rsplit_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let is_part = |p: &str| {
        let edge =
            |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        edge(p.chars().next())
            && edge(p.chars().next_back())
            && p.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let is_domain = |p: &str| p.len() <= 253 && p.split('.').all(is_part);
    !name.is_empty() && is_label_value(name) && prefix.is_none_or(is_domain)
}
