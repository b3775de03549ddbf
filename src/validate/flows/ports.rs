//! Protocols, and sets of ports.

use std::fmt;

/// A protocol with ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// Every protocol.
    pub(super) const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];

    /// Reads a protocol, in any case; `None` when there is no such one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|p| p.as_str().eq_ignore_ascii_case(text))
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }
}

/// Ports of one protocol, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    pub(super) protocol: Protocol,
    pub(super) first: u16,
    pub(super) last: u16,
}

/// A set of ports: ranges in order, of which no two touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PortSet(Vec<Range>);

impl PortSet {
    /// Every port of every protocol.
    pub(super) fn all() -> Self {
        Self::of(
            Protocol::ALL
                .map(|protocol| Range {
                    protocol,
                    first: 0,
                    last: u16::MAX,
                })
                .to_vec(),
        )
    }

    /// Builds a set from ranges in any order.
    pub(super) fn of(mut ranges: Vec<Range>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<Range> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last)
                    if last.protocol == range.protocol
                        && u32::from(range.first) <= u32::from(last.last) + 1 =>
                {
                    last.last = last.last.max(range.last);
                }
                _ => merged.push(range),
            }
        }
        Self(merged)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, protocol: Protocol, port: u16) -> bool {
        self.0
            .iter()
            .any(|r| r.protocol == protocol && (r.first..=r.last).contains(&port))
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        Self::of(self.0.iter().chain(&other.0).copied().collect())
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        let mut common = Vec::new();
        for a in &self.0 {
            for b in other.0.iter().filter(|b| b.protocol == a.protocol) {
                let (first, last) = (a.first.max(b.first), a.last.min(b.last));
                if first <= last {
                    common.push(Range { first, last, ..*a });
                }
            }
        }
        Self::of(common)
    }

    pub(super) fn without(&self, other: &Self) -> Self {
        let mut rest = self.0.clone();
        for cut in &other.0 {
            rest = rest.into_iter().flat_map(|r| split(r, *cut)).collect();
        }
        Self::of(rest)
    }
}

/// What is left of a range beside a cut.
fn split(range: Range, cut: Range) -> impl Iterator<Item = Range> {
    let apart = range.protocol != cut.protocol || cut.last < range.first || range.last < cut.first;
    let before = (!apart && cut.first > range.first).then(|| Range {
        last: cut.first - 1,
        ..range
    });
    let after = (!apart && cut.last < range.last).then(|| Range {
        first: cut.last + 1,
        ..range
    });
    apart
        .then_some(range)
        .into_iter()
        .chain(before)
        .chain(after)
}

impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        if *self == Self::all() {
            return f.write_str("any port");
        }
        for (index, range) in self.0.iter().enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            let protocol = range.protocol.as_str();
            match (range.first, range.last) {
                (0, u16::MAX) => write!(f, "{separator}any {protocol} port")?,
                (first, last) if first == last => write!(f, "{separator}{first}/{protocol}")?,
                (first, last) => write!(f, "{separator}{first}-{last}/{protocol}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{PortSet, Protocol, Range};

    fn tcp(first: u16, last: u16) -> PortSet {
        PortSet::of(vec![Range {
            protocol: Protocol::Tcp,
            first,
            last,
        }])
    }

    #[test]
    fn sets_behave_as_sets() {
        let set = tcp(1, 10).union(&tcp(11, 20)).without(&tcp(5, 6));
        assert_eq!(set.to_string(), "1-4/TCP, 7-20/TCP");
        assert_eq!(set.intersection(&tcp(4, 7)).to_string(), "4/TCP, 7/TCP");
        assert!(PortSet::all().without(&PortSet::all()).is_empty());
        assert!(set.contains(Protocol::Tcp, 20) && !set.contains(Protocol::Udp, 20));
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(
            PortSet::all().without(&tcp(0, 65535)).to_string(),
            "any UDP port, any SCTP port"
        );
        assert_eq!(
            tcp(65535, 65535).union(&tcp(0, 0)).to_string(),
            "0/TCP, 65535/TCP"
        );
    }
}
