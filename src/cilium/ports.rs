//! Protocols, port numbers and names.
//!
//! Upstream: `pkg/policy/api/l4.go`, `pkg/iana/svcname.go`, `pkg/u8proto`, and `PortRangeToMaskedPorts` of
//! `pkg/policy/portrange.go`. Ports are read by Go's `ParseUint` with base 0: a leading zero means octal, `_` may
//! part digits, and what holds a letter is a name (`0x10` too). Pinned by `ports/*` of the recorded cases.

use std::fmt;

/// A protocol that a rule can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
    /// ICMP over IPv4; the port is the type.
    Icmp,
    /// ICMP over IPv6; the port is the type.
    IcmpV6,
    /// A protocol without ports, by its name: VRRP, GRE, ESP and such.
    Other(&'static str),
}

/// The protocols without ports.
const OTHERS: [&str; 7] = ["VRRP", "IGMP", "GRE", "IPIP", "IPV6", "ESP", "AH"];

/// What a rule without a protocol is about.
pub(super) const ANY: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];

impl Protocol {
    /// Reads a name as Cilium does; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "TCP" => Some(Self::Tcp),
            "UDP" => Some(Self::Udp),
            "SCTP" => Some(Self::Sctp),
            "ICMP" => Some(Self::Icmp),
            "ICMPV6" => Some(Self::IcmpV6),
            upper => OTHERS.iter().find(|o| **o == upper).map(|o| Self::Other(o)),
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
            Self::Icmp => "ICMP",
            Self::IcmpV6 => "ICMPv6",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A port that a container names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedPort {
    /// The name.
    pub name: String,
    /// The number.
    pub number: u16,
    /// The protocol.
    pub protocol: Protocol,
}

/// Which ports of a protocol a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Numbers {
    /// From the first to the last.
    Between(u16, u16),
    /// The port that the target calls so, in lower case.
    Named(String),
}

impl Numbers {
    /// Every port.
    pub(super) const ALL: Self = Self::Between(0, u16::MAX);

    /// Builds a range as the policy map does: from 0 every port, and backwards only the first.
    pub(super) fn range(first: u16, last: u16) -> Self {
        match (first, last) {
            (0, _) => Self::ALL,
            (first, last) if last > first => Self::Between(first, last),
            (first, _) => Self::Between(first, first),
        }
    }
}

/// One port of a rule. No protocol at all is every protocol, ICMP too: that of a rule without ports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PortKey {
    pub(super) protocol: Option<Protocol>,
    pub(super) numbers: Numbers,
}

impl PortKey {
    /// That of a rule without ports.
    pub(super) const EVERYTHING: Self = Self {
        protocol: None,
        numbers: Numbers::ALL,
    };

    /// How many bits of protocol and port the entry of the policy map that holds a port fixes.
    pub(super) fn prefix(&self, port: u16) -> u8 {
        match (&self.protocol, &self.numbers) {
            (None, _) => 0,
            (Some(_), Numbers::Named(_)) => 24,
            (Some(_), Numbers::Between(first, last)) => 24 - free_bits(*first, *last, port),
        }
    }
}

/// How many low bits of a port are free in the block of a range that holds it.
fn free_bits(first: u16, last: u16, port: u16) -> u8 {
    let holds = |bits: &u8| {
        let mask = (1_u32 << bits) - 1;
        let (low, high) = (u32::from(port) & !mask, u32::from(port) | mask);
        low >= u32::from(first) && high <= u32::from(last)
    };
    (0..=16).rev().find(holds).unwrap_or(0)
}

/// Whether a text is an IANA service name: up to 15 letters, digits and single dashes, at least one a letter.
pub(super) fn is_service_name(text: &str) -> bool {
    (1..=15).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

/// Reads a port number of up to 16 bits with base 0.
pub(super) fn parse_number(text: &str) -> Option<u16> {
    let well_parted = !text.starts_with('_') && !text.ends_with('_') && !text.contains("__");
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    if !well_parted || digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let octal = digits.len() > 1 && digits.starts_with('0');
    u16::from_str_radix(&digits, if octal { 8 } else { 10 }).ok()
}

#[cfg(test)]
mod tests {
    use super::{PortKey, Protocol, is_service_name, parse_number};
    use crate::cilium::ports::Numbers;

    #[test]
    fn numbers_are_read_with_base_0() {
        let cases = [
            ("5432", Some(5432)),
            ("05432", Some(2842)),
            ("08080", None),
            ("5_432", Some(5432)),
            ("_5", None),
            ("65536", None),
            ("80-90", None),
            ("0", Some(0)),
        ];
        for (text, number) in cases {
            assert_eq!(parse_number(text), number, "{text}");
        }
    }

    #[test]
    fn names_hold_a_letter() {
        for (text, is_name) in [
            ("http", true),
            ("0x10", true),
            ("a--b", false),
            ("80", false),
        ] {
            assert_eq!(is_service_name(text), is_name, "{text}");
        }
    }

    #[test]
    fn the_block_that_holds_a_port_gives_the_length_of_the_prefix() {
        let key = |first, last| PortKey {
            protocol: Some(Protocol::Tcp),
            numbers: Numbers::range(first, last),
        };
        assert_eq!(key(0, 0).prefix(80), 8);
        assert_eq!(key(80, 0).prefix(80), 24);
        assert_eq!(key(80, 95).prefix(81), 20);
        assert_eq!(key(81, 95).prefix(81), 24);
        assert_eq!(PortKey::EVERYTHING.prefix(80), 0);
    }
}
