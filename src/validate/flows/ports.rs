//! Ranges of ports, in words.

use crate::cilium::Protocol;

/// The protocols that have ports.
const PROTOCOLS: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];

/// Says which ports are open: the first and the last of each range, by protocol.
pub(super) fn in_words(open: &[(Protocol, u16, u16)]) -> String {
    let all = PROTOCOLS.map(|protocol| (protocol, 0, u16::MAX));
    if open.is_empty() {
        return "none".to_owned();
    }
    if open == all {
        return "any port".to_owned();
    }
    let one = |(protocol, first, last): &(Protocol, u16, u16)| match (first, last) {
        (0, &u16::MAX) => format!("any {protocol} port"),
        (first, last) if first == last => format!("{first}/{protocol}"),
        (first, last) => format!("{first}-{last}/{protocol}"),
    };
    open.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Protocol, in_words};

    #[test]
    fn ranges_are_said_shortly() {
        let cases = [
            (vec![], "none"),
            (
                vec![(Protocol::Tcp, 53, 53), (Protocol::Udp, 1, 9)],
                "53/TCP, 1-9/UDP",
            ),
            (vec![(Protocol::Udp, 0, 65535)], "any UDP port"),
        ];
        for (open, words) in cases {
            assert_eq!(in_words(&open), words);
        }
    }
}
