//! The CRDs of CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy and CiliumCIDRGroup, as tables.
//!
//! Upstream: `pkg/k8s/apis/cilium.io/client/crds/v2/*.yaml` of 1.20. Since 1.19 `fromRequires` and `toRequires` may
//! only be empty, L7 rules are HTTP or DNS, and a port may be left out (the agent asks for it). Numbers that the
//! CRD only repeats for documentation are left out. Pinned by `refused/*` and `shapes/*` of the recorded cases.

use super::cidr::Cidr;
use super::icmp;

/// What a value must be.
#[derive(Debug)]
pub(super) enum Kind {
    /// A mapping with these fields, and rules on which of them are there.
    Object(&'static [(&'static str, Self)], &'static [Presence]),
    /// A mapping of any keys to strings that pass the check.
    Strings(&'static Check),
    /// A list.
    List(&'static Self, Size),
    /// A string that passes the check; what is wrong is told as `it is not …`.
    Text(Check),
    /// A whole number from the first to the last.
    Number(i64, i64),
    /// A number or a string, as an ICMP type is written.
    NumberOrText(Check),
    /// True or false.
    Switch,
    /// Anything: what the table does not know.
    Anything,
}

/// How many items a list may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) least: usize,
    pub(super) most: usize,
}

/// A list of any size.
const ANY: Size = Size {
    least: 0,
    most: usize::MAX,
};
/// As many ports or ICMP types as one list may hold.
const FORTY: Size = Size { least: 0, most: 40 };

/// Which fields must be there together.
#[derive(Debug)]
pub(super) enum Presence {
    /// Each of them.
    All(&'static [&'static str]),
    /// At least one.
    AnyOf(&'static [&'static str]),
    /// Exactly one.
    OneOf(&'static [&'static str]),
}

/// What a string must be: what it is called, and the test.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) what: &'static str,
    pub(super) passes: fn(&str) -> bool,
}

const STRING: Check = Check {
    what: "a string",
    passes: |_| true,
};
const NOT_EMPTY: Check = Check {
    what: "a string of one character or more",
    passes: |t| !t.is_empty(),
};
const LABEL_VALUE: Check = Check {
    what: "a value of a label",
    passes: is_label_value,
};
const CIDR: Check = Check {
    what: "a network with the length of its prefix, such as 10.0.0.0/8",
    passes: |t| Cidr::parse_sloppy(t).is_some(),
};
const NAME: Check = Check {
    what: "a DNS name of letters, digits, dashes and underscores",
    passes: |t| is_name(t, b"-_"),
};
const PATTERN: Check = Check {
    what: "a pattern of a DNS name of letters, digits, dashes, underscores and `*`",
    passes: |t| is_name(t, b"-_*"),
};
const GROUP_NAME: Check = Check {
    what: "a name of a CiliumCIDRGroup",
    passes: is_object_name,
};
const PORT: Check = Check {
    what: "a port",
    passes: looks_like_a_port,
};
const ICMP_TYPE: Check = Check {
    what: "a type of ICMP",
    passes: icmp::is_type,
};
const OPERATOR: Check = Check {
    what: "In, NotIn, Exists or DoesNotExist",
    passes: |t| matches!(t, "In" | "NotIn" | "Exists" | "DoesNotExist"),
};
const ENTITY: Check = Check {
    what: "an entity: all, world, cluster, cluster-mesh, host, init, ingress, unmanaged, remote-node, health, none or kube-apiserver",
    passes: |t| super::selector::ENTITIES.contains(&t),
};
const PROTOCOL: Check = Check {
    what: "a protocol: TCP, UDP, SCTP, VRRP, IGMP, GRE, IPIP, IPV6, ESP, AH or ANY",
    passes: is_protocol,
};
const FAMILY: Check = Check {
    what: "IPv4 or IPv6",
    passes: |t| matches!(t, "IPv4" | "IPv6"),
};
const AUTHENTICATION: Check = Check {
    what: "disabled, required or test-always-fail",
    passes: |t| matches!(t, "disabled" | "required" | "test-always-fail"),
};
const MISMATCH: Check = Check {
    what: "LOG, ADD, DELETE or REPLACE",
    passes: |t| matches!(t, "LOG" | "ADD" | "DELETE" | "REPLACE"),
};
const ENVOY_KIND: Check = Check {
    what: "CiliumEnvoyConfig or CiliumClusterwideEnvoyConfig",
    passes: |t| matches!(t, "CiliumEnvoyConfig" | "CiliumClusterwideEnvoyConfig"),
};
const LOG_VALUE: Check = Check {
    what: "a string of up to 32 printable characters",
    passes: |t| t.chars().count() <= 32 && !t.chars().any(char::is_control),
};

const SELECTOR: Kind = Kind::Object(
    &[
        ("matchLabels", Kind::Strings(&LABEL_VALUE)),
        ("matchExpressions", Kind::List(&EXPRESSION, ANY)),
    ],
    &[],
);
const EXPRESSION: Kind = Kind::Object(
    &[
        ("key", Kind::Text(STRING)),
        ("operator", Kind::Text(OPERATOR)),
        ("values", Kind::List(&Kind::Text(STRING), ANY)),
    ],
    &[Presence::All(&["key", "operator"])],
);
const CIDR_RULE: Kind = Kind::Object(
    &[
        ("cidr", Kind::Text(CIDR)),
        ("cidrGroupRef", Kind::Text(GROUP_NAME)),
        ("cidrGroupSelector", SELECTOR),
        ("except", Kind::List(&Kind::Text(CIDR), ANY)),
    ],
    &[Presence::OneOf(&[
        "cidr",
        "cidrGroupRef",
        "cidrGroupSelector",
    ])],
);
const FQDN: Kind = Kind::Object(
    &[
        ("matchName", Kind::Text(NAME)),
        ("matchPattern", Kind::Text(PATTERN)),
    ],
    &[Presence::OneOf(&["matchName", "matchPattern"])],
);
const GROUP: Kind = Kind::Object(
    &[(
        "aws",
        Kind::Object(
            &[
                ("labels", Kind::Strings(&STRING)),
                ("region", Kind::Text(STRING)),
                ("securityGroupsIds", Kind::List(&Kind::Text(STRING), ANY)),
                ("securityGroupsNames", Kind::List(&Kind::Text(STRING), ANY)),
            ],
            &[],
        ),
    )],
    &[],
);
const SERVICE: Kind = Kind::Object(
    &[
        (
            "k8sService",
            Kind::Object(
                &[
                    ("namespace", Kind::Text(STRING)),
                    ("serviceName", Kind::Text(STRING)),
                ],
                &[],
            ),
        ),
        (
            "k8sServiceSelector",
            Kind::Object(
                &[("namespace", Kind::Text(STRING)), ("selector", SELECTOR)],
                &[Presence::All(&["selector"])],
            ),
        ),
    ],
    &[],
);
const PORT_PROTOCOL: Kind = Kind::Object(
    &[
        ("port", Kind::Text(PORT)),
        ("endPort", Kind::Number(0, 65535)),
        ("protocol", Kind::Text(PROTOCOL)),
    ],
    &[],
);
const SECRET: Kind = Kind::Object(
    &[
        ("name", Kind::Text(STRING)),
        ("namespace", Kind::Text(STRING)),
    ],
    &[Presence::All(&["name"])],
);
const TLS: Kind = Kind::Object(
    &[
        ("secret", SECRET),
        ("certificate", Kind::Text(STRING)),
        ("privateKey", Kind::Text(STRING)),
        ("trustedCA", Kind::Text(STRING)),
    ],
    &[Presence::All(&["secret"])],
);
const HTTP: Kind = Kind::Object(
    &[
        ("path", Kind::Text(STRING)),
        ("method", Kind::Text(STRING)),
        ("host", Kind::Text(STRING)),
        ("headers", Kind::List(&Kind::Text(STRING), ANY)),
        (
            "headerMatches",
            Kind::List(
                &Kind::Object(
                    &[
                        ("name", Kind::Text(NOT_EMPTY)),
                        ("value", Kind::Text(STRING)),
                        ("mismatch", Kind::Text(MISMATCH)),
                        ("secret", SECRET),
                    ],
                    &[Presence::All(&["name"])],
                ),
                ANY,
            ),
        ),
    ],
    &[],
);
const L7: Kind = Kind::Object(
    &[
        ("http", Kind::List(&HTTP, ANY)),
        ("dns", Kind::List(&FQDN, ANY)),
    ],
    &[Presence::OneOf(&["http", "dns"])],
);
const LISTENER: Kind = Kind::Object(
    &[
        (
            "envoyConfig",
            Kind::Object(
                &[
                    ("kind", Kind::Text(ENVOY_KIND)),
                    ("name", Kind::Text(NOT_EMPTY)),
                ],
                &[Presence::All(&["name"])],
            ),
        ),
        ("name", Kind::Text(NOT_EMPTY)),
        ("priority", Kind::Number(1, 100)),
    ],
    &[Presence::All(&["envoyConfig", "name"])],
);
const PORT_RULE: Kind = Kind::Object(
    &[
        ("ports", Kind::List(&PORT_PROTOCOL, FORTY)),
        ("rules", L7),
        ("listener", LISTENER),
        ("terminatingTLS", TLS),
        ("originatingTLS", TLS),
        (
            "serverNames",
            Kind::List(
                &Kind::Text(PATTERN),
                Size {
                    least: 1,
                    most: usize::MAX,
                },
            ),
        ),
    ],
    &[],
);
const PORT_DENY_RULE: Kind = Kind::Object(&[("ports", Kind::List(&PORT_PROTOCOL, ANY))], &[]);
const ICMP_RULE: Kind = Kind::Object(
    &[(
        "fields",
        Kind::List(
            &Kind::Object(
                &[
                    ("family", Kind::Text(FAMILY)),
                    ("type", Kind::NumberOrText(ICMP_TYPE)),
                ],
                &[Presence::All(&["type"])],
            ),
            FORTY,
        ),
    )],
    &[],
);
const AUTHENTICATED: Kind = Kind::Object(
    &[("mode", Kind::Text(AUTHENTICATION))],
    &[Presence::All(&["mode"])],
);
/// A field that is gone: only an empty list is taken.
const GONE: Kind = Kind::List(&Kind::Text(STRING), Size { least: 0, most: 0 });

/// Builds the fields of a rule: those of its peers, and those of its ports.
macro_rules! rule {
    ($endpoints:literal, $entities:literal, $cidr:literal, $set:literal, $nodes:literal, $groups:literal, $requires:literal, $ports:expr $(, $name:literal: $kind:expr)*) => {
        Kind::Object(
            &[
                ($endpoints, Kind::List(&SELECTOR, ANY)),
                ($entities, Kind::List(&Kind::Text(ENTITY), ANY)),
                ($cidr, Kind::List(&Kind::Text(CIDR), ANY)),
                ($set, Kind::List(&CIDR_RULE, ANY)),
                ($nodes, Kind::List(&SELECTOR, ANY)),
                ($groups, Kind::List(&GROUP, ANY)),
                ($requires, GONE),
                ("toPorts", Kind::List(&$ports, ANY)),
                ("icmps", Kind::List(&ICMP_RULE, ANY)),
                $(($name, $kind),)*
            ],
            &[],
        )
    };
}

const INGRESS: Kind = rule!(
    "fromEndpoints", "fromEntities", "fromCIDR", "fromCIDRSet", "fromNodes", "fromGroups", "fromRequires", PORT_RULE,
    "authentication": AUTHENTICATED
);
const INGRESS_DENY: Kind = rule!(
    "fromEndpoints",
    "fromEntities",
    "fromCIDR",
    "fromCIDRSet",
    "fromNodes",
    "fromGroups",
    "fromRequires",
    PORT_DENY_RULE
);
const EGRESS: Kind = rule!(
    "toEndpoints", "toEntities", "toCIDR", "toCIDRSet", "toNodes", "toGroups", "toRequires", PORT_RULE,
    "toServices": Kind::List(&SERVICE, ANY), "toFQDNs": Kind::List(&FQDN, ANY), "authentication": AUTHENTICATED
);
const EGRESS_DENY: Kind = rule!(
    "toEndpoints", "toEntities", "toCIDR", "toCIDRSet", "toNodes", "toGroups", "toRequires", PORT_DENY_RULE,
    "toServices": Kind::List(&SERVICE, ANY)
);

const SPEC: Kind = Kind::Object(
    &[
        ("description", Kind::Text(STRING)),
        ("endpointSelector", SELECTOR),
        ("nodeSelector", SELECTOR),
        ("ingress", Kind::List(&INGRESS, ANY)),
        ("ingressDeny", Kind::List(&INGRESS_DENY, ANY)),
        ("egress", Kind::List(&EGRESS, ANY)),
        ("egressDeny", Kind::List(&EGRESS_DENY, ANY)),
        (
            "enableDefaultDeny",
            Kind::Object(&[("ingress", Kind::Switch), ("egress", Kind::Switch)], &[]),
        ),
        (
            "labels",
            Kind::List(
                &Kind::Object(
                    &[
                        ("key", Kind::Text(STRING)),
                        ("source", Kind::Text(STRING)),
                        ("value", Kind::Text(STRING)),
                    ],
                    &[Presence::All(&["key"])],
                ),
                ANY,
            ),
        ),
        (
            "log",
            Kind::Object(&[("value", Kind::Text(LOG_VALUE))], &[]),
        ),
    ],
    &[
        Presence::AnyOf(&["ingress", "ingressDeny", "egress", "egressDeny"]),
        Presence::OneOf(&["endpointSelector", "nodeSelector"]),
    ],
);

/// A policy of either scope.
pub(super) const POLICY: Kind = Kind::Object(
    &[
        ("apiVersion", Kind::Text(STRING)),
        ("kind", Kind::Text(STRING)),
        ("metadata", Kind::Anything),
        ("status", Kind::Anything),
        ("spec", SPEC),
        ("specs", Kind::List(&SPEC, ANY)),
    ],
    &[Presence::AnyOf(&["spec", "specs"])],
);

/// A group of networks.
pub(super) const CIDR_GROUP: Kind = Kind::Object(
    &[
        ("apiVersion", Kind::Text(STRING)),
        ("kind", Kind::Text(STRING)),
        ("metadata", Kind::Anything),
        (
            "spec",
            Kind::Object(
                &[("externalCIDRs", Kind::List(&Kind::Text(CIDR), ANY))],
                &[Presence::All(&["externalCIDRs"])],
            ),
        ),
    ],
    &[Presence::All(&["spec"])],
);

/// `(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?`, up to 63 characters.
pub(super) fn is_label_value(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && ends(text.chars().next())
        && ends(text.chars().next_back())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Parts of letters, digits and some other characters with single dots between them and perhaps at the end.
fn is_name(text: &str, others: &[u8]) -> bool {
    let is_part = |p: &str| {
        !p.is_empty()
            && p.bytes()
                .all(|b| b.is_ascii_alphanumeric() || others.contains(&b))
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    text.len() <= 255 && text.split('.').all(is_part)
}

/// A DNS name in lower case, up to 253 characters.
fn is_object_name(text: &str) -> bool {
    let is_part = |p: &str| {
        !p.is_empty()
            && !p.starts_with('-')
            && !p.ends_with('-')
            && p.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

/// The pattern of the CRD has no anchor after its numbers: whatever starts with a digit passes, and the agent
/// refuses the rest; a name is asked for at the end alone.
fn looks_like_a_port(text: &str) -> bool {
    let starts_as_number = text.starts_with(|c: char| c.is_ascii_digit());
    let ends_as_name = text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.contains(|c: char| c.is_ascii_alphabetic());
    starts_as_number || ends_as_name
}

/// The protocols of the CRD, in upper case only.
fn is_protocol(text: &str) -> bool {
    const NAMES: [&str; 11] = [
        "TCP", "UDP", "SCTP", "VRRP", "IGMP", "GRE", "IPIP", "IPV6", "ESP", "AH", "ANY",
    ];
    NAMES.contains(&text)
}
