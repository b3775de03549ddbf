//! Networks: an address and the length of its prefix.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network; bits beyond the prefix are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Cidr {
    address: IpAddr,
    bits: u8,
}

impl Cidr {
    /// Reads `address/bits` as Go's `netip.ParsePrefix` does: no zone, no zeros before a number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let padded = bits.len() > 1 && bits.starts_with('0');
        if padded || !bits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Self::new(address.parse().ok()?, bits.parse().ok()?)
    }

    /// Reads `address/bits` as the API server does, which takes zeros before a number.
    pub(super) fn parse_sloppy(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let trimmed = |part: &str| {
            let rest = part.trim_start_matches('0');
            if rest.is_empty() && !part.is_empty() {
                "0".to_owned()
            } else {
                rest.to_owned()
            }
        };
        let address = if address.contains(':') {
            address.to_owned()
        } else {
            address
                .split('.')
                .map(trimmed)
                .collect::<Vec<_>>()
                .join(".")
        };
        Self::parse(&format!("{address}/{}", trimmed(bits)))
    }

    /// The network of one address.
    pub(super) fn host(address: IpAddr) -> Self {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        Self { address, bits }
    }

    fn new(address: IpAddr, bits: u8) -> Option<Self> {
        let address = match address {
            IpAddr::V4(a) if bits <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(a) & mask))
            }
            IpAddr::V6(a) if bits <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(a) & mask))
            }
            _ => return None,
        };
        Some(Self { address, bits })
    }

    /// The network of a shorter prefix that holds it.
    pub(super) fn shortened(&self, bits: u8) -> Option<Self> {
        Self::new(self.address, bits).filter(|_| bits <= self.bits)
    }

    /// Its first address.
    pub(super) fn address(&self) -> IpAddr {
        self.address
    }

    /// The length of the prefix.
    pub(super) fn bits(&self) -> u8 {
        self.bits
    }

    /// Whether it is of IPv4.
    pub(super) fn is_v4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// Whether it holds all of another one.
    pub(super) fn contains(&self, other: &Self) -> bool {
        self.bits <= other.bits
            && Self::new(other.address, self.bits) == Some(*self)
            && self.is_v4() == other.is_v4()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::Cidr;

    #[test]
    fn host_bits_are_masked() {
        let network = Cidr::parse("203.0.113.9/24").expect("a network");
        assert_eq!(network.to_string(), "203.0.113.0/24");
        assert!(network.contains(&Cidr::parse("203.0.113.77/32").expect("a network")));
        assert!(
            Cidr::parse("0.0.0.0/0")
                .expect("a network")
                .contains(&network)
        );
        assert!(!Cidr::parse("::/0").expect("a network").contains(&network));
    }

    #[test]
    fn the_api_server_takes_zeros_that_the_agent_refuses() {
        for text in ["203.0.113.009/32", "203.0.113.0/024"] {
            assert!(Cidr::parse_sloppy(text).is_some(), "{text}");
            assert!(Cidr::parse(text).is_none(), "{text}");
        }
        for text in [
            "203.0.113.9",
            "203.0.113.0/33",
            "fe80::1%eth0/64",
            "10/8",
            "",
        ] {
            assert!(Cidr::parse_sloppy(text).is_none(), "{text}");
        }
    }
}
