//! The names of ICMP types.
//!
//! Upstream: `pkg/policy/api/icmp.go`. Pinned by `icmp/*` of the recorded cases.

use super::ports::Protocol;

/// The types of ICMP over IPv4 that have a name.
const V4: &[(&str, u16)] = &[
    ("EchoReply", 0),
    ("DestinationUnreachable", 3),
    ("Redirect", 5),
    ("Echo", 8),
    ("EchoRequest", 8),
    ("RouterAdvertisement", 9),
    ("RouterSelection", 10),
    ("TimeExceeded", 11),
    ("ParameterProblem", 12),
    ("Timestamp", 13),
    ("TimestampReply", 14),
    ("Photuris", 40),
    ("ExtendedEchoRequest", 42),
    ("ExtendedEcho Reply", 43),
];

/// The types of ICMP over IPv6 that have a name.
const V6: &[(&str, u16)] = &[
    ("DestinationUnreachable", 1),
    ("PacketTooBig", 2),
    ("TimeExceeded", 3),
    ("ParameterProblem", 4),
    ("EchoRequest", 128),
    ("EchoReply", 129),
    ("MulticastListenerQuery", 130),
    ("MulticastListenerReport", 131),
    ("MulticastListenerDone", 132),
    ("RouterSolicitation", 133),
    ("RouterAdvertisement", 134),
    ("NeighborSolicitation", 135),
    ("NeighborAdvertisement", 136),
    ("RedirectMessage", 137),
    ("RouterRenumbering", 138),
    ("ICMPNodeInformationQuery", 139),
    ("ICMPNodeInformationResponse", 140),
    ("InverseNeighborDiscoverySolicitation", 141),
    ("InverseNeighborDiscoveryAdvertisement", 142),
    ("HomeAgentAddressDiscoveryRequest", 144),
    ("HomeAgentAddressDiscoveryReply", 145),
    ("MobilePrefixSolicitation", 146),
    ("MobilePrefixAdvertisement", 147),
    ("DuplicateAddressRequestCodeSuffix", 157),
    ("DuplicateAddressConfirmationCodeSuffix", 158),
    ("ExtendedEchoRequest", 160),
    ("ExtendedEchoReply", 161),
];

/// Whether a text is a type by its number or by a name of either family, which is all that the CRD asks.
pub(super) fn is_type(text: &str) -> bool {
    let numbered =
        text.len() <= 3 && !(text.len() > 1 && text.starts_with('0')) && text.parse::<u8>().is_ok();
    numbered || V4.iter().chain(V6).any(|(name, _)| *name == text)
}

/// The type that a text means in a family; `None` where the family has none of that name.
pub(super) fn parse(text: &str, protocol: Protocol) -> Option<u16> {
    let table = if protocol == Protocol::IcmpV6 { V6 } else { V4 };
    let named = table.iter().find(|(name, _)| *name == text);
    named
        .map(|(_, number)| *number)
        .or_else(|| text.parse().ok())
}
