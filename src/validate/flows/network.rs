//! Networks and names beyond the cluster.

use std::net::IpAddr;

/// An IP network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `address/bits`, or an address alone as the network that holds nothing else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        (bits <= width).then_some(Self { address, bits })
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                shifted(network.to_bits().into(), 32 - self.bits)
                    == shifted(address.to_bits().into(), 32 - self.bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                shifted(network.to_bits(), 128 - self.bits)
                    == shifted(address.to_bits(), 128 - self.bits)
            }
            _ => false,
        }
    }

    /// Whether it holds every address of its family.
    pub(super) fn is_everything(&self) -> bool {
        self.bits == 0
    }
}

fn shifted(bits: u128, by: u8) -> u128 {
    bits.checked_shr(by.into()).unwrap_or(0)
}

/// A name, or a pattern of names in which `*` stands for letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamePattern(String);

impl NamePattern {
    pub(super) fn new(text: &str) -> Self {
        Self(text.trim_end_matches('.').to_ascii_lowercase())
    }

    /// `*` alone matches every name; elsewhere it does not cross a dot.
    pub(super) fn matches(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.0 == "*" || fits(self.0.as_bytes(), name.as_bytes())
    }
}

/// Matches a pattern against a name: the last star seen is tried with one character more at a time.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p) == Some(&name[n]) {
            p += 1;
            n += 1;
        } else if let Some((star_p, star_n)) = star.filter(|(_, at)| name[*at] != b'.') {
            star = Some((star_p, star_n + 1));
            (p, n) = (star_p + 1, star_n + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::{NamePattern, Network};

    #[test]
    fn networks_hold_their_addresses() {
        let holds = |network: &str, address: &str| {
            Network::parse(network)
                .expect("a network")
                .contains(address.parse().expect("an address"))
        };
        assert!(holds("10.0.0.0/8", "10.255.0.1"));
        assert!(!holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("0.0.0.0/0", "203.0.113.9"));
        assert!(!holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("2001:db8::/32", "2001:db8:1::1"));
        assert!(holds("192.0.2.1", "192.0.2.1"));
        assert!(Network::parse("10.0.0.0/33").is_none());
        assert!(Network::parse("db.example.org").is_none());
    }

    #[test]
    fn a_star_stays_within_its_label() {
        let fits = |pattern: &str, name: &str| NamePattern::new(pattern).matches(name);
        assert!(fits("*.example.org", "s3.example.org"));
        assert!(!fits("*.example.org", "a.s3.example.org"));
        assert!(!fits("*.example.org", "example.org"));
        assert!(fits("s3*.example.org", "S3-eu.example.org."));
        assert!(fits("*", "a.b.c"));
        assert!(fits("*.*.org", "a.b.org"));
    }
}
