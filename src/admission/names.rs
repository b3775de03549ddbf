//! What names, labels, keys and addresses may look like.
//!
//! `k8s.io/apimachinery/pkg/util/validation` v0.34 is the reference. Every test returns what is wrong, in words that
//! follow the place, and never the value.

use std::net::IpAddr;

/// What is wrong with a text; nothing when it is right.
pub(crate) type Fault = Option<&'static str>;

const LABEL: &str = "must be a lowercase RFC 1123 label: lower case letters, digits and '-', a letter or digit at both ends";
const SUBDOMAIN: &str = "must be a lowercase RFC 1123 subdomain: lower case letters, digits, '-' and '.', a letter or digit at both ends";
const LABEL_1035: &str = "must be a DNS-1035 label: lower case letters, digits and '-', a letter first and a letter or digit last";
const LABEL_VALUE: &str = "must be a valid label: empty, or letters, digits, '-', '_' and '.', a letter or digit at both ends";
const QUALIFIED: &str = "must be a qualified name: letters, digits, '-', '_' and '.', a letter or digit at both ends, with a DNS prefix and '/' before it at most";
const TOO_LONG_63: &str = "must be no more than 63 characters";
const TOO_LONG_253: &str = "must be no more than 253 characters";

fn is_lower(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

fn is_dns_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = bytes.first().zip(bytes.last());
    ends.is_some_and(|(a, b)| is_lower(*a) && is_lower(*b))
        && bytes.iter().all(|b| is_lower(*b) || *b == b'-')
}

pub(crate) fn dns1123_label(text: &str) -> Fault {
    if text.len() > 63 {
        return Some(TOO_LONG_63);
    }
    (!is_dns_part(text)).then_some(LABEL)
}

pub(crate) fn dns1123_subdomain(text: &str) -> Fault {
    if text.len() > 253 {
        return Some(TOO_LONG_253);
    }
    (!text.split('.').all(is_dns_part)).then_some(SUBDOMAIN)
}

pub(crate) fn dns1035_label(text: &str) -> Fault {
    if text.len() > 63 {
        return Some(TOO_LONG_63);
    }
    let starts = text.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
    (!starts || !is_dns_part(text)).then_some(LABEL_1035)
}

pub(crate) fn wildcard_subdomain(text: &str) -> Fault {
    match text.strip_prefix("*.") {
        Some(rest) if text.len() <= 253 && dns1123_subdomain(rest).is_none() => None,
        _ => Some("must be '*.' and a valid DNS subdomain"),
    }
}

fn is_name_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = bytes.first().zip(bytes.last());
    ends.is_some_and(|(a, b)| a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

pub(crate) fn label_value(text: &str) -> Fault {
    if text.len() > 63 {
        return Some(TOO_LONG_63);
    }
    (!text.is_empty() && !is_name_part(text)).then_some(LABEL_VALUE)
}

pub(crate) fn qualified_name(text: &str) -> Fault {
    let parts: Vec<&str> = text.split('/').collect();
    let name = match parts[..] {
        [name] => name,
        ["", _] => return Some("has an empty prefix before '/'"),
        [prefix, name] => {
            if dns1123_subdomain(prefix).is_some() {
                return Some("has a prefix that is not a lowercase RFC 1123 subdomain");
            }
            name
        }
        _ => return Some(QUALIFIED),
    };
    match name {
        "" => Some("has an empty name"),
        name if name.len() > 63 => Some("has a name of more than 63 characters"),
        name if !is_name_part(name) => Some(QUALIFIED),
        _ => None,
    }
}

/// A name that is one segment of a URL's path, as those of RBAC's objects.
pub(crate) fn path_segment(text: &str) -> Fault {
    match text {
        "." | ".." => Some("may not be '.' or '..'"),
        _ if text.contains('/') => Some("may not contain '/'"),
        _ if text.contains('%') => Some("may not contain '%'"),
        _ => None,
    }
}

/// The name of a port: an IANA service name.
pub(crate) fn port_name(text: &str) -> Fault {
    let bytes = text.as_bytes();
    if text.len() > 15 {
        return Some("must be no more than 15 characters");
    }
    if !bytes.iter().all(|b| is_lower(*b) || *b == b'-') {
        return Some("must contain only lower case letters, digits and hyphens (-)");
    }
    if !bytes.iter().any(u8::is_ascii_lowercase) {
        return Some("must contain at least one letter (a-z)");
    }
    if text.contains("--") {
        return Some("must not contain consecutive hyphens");
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Some("must not begin or end with a hyphen");
    }
    None
}

/// A key of a ConfigMap or Secret.
pub(crate) fn config_key(text: &str) -> Fault {
    if text.len() > 253 {
        return Some(TOO_LONG_253);
    }
    let is_key = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    match text {
        "." => Some("must not be '.'"),
        ".." => Some("must not be '..'"),
        _ if text.starts_with("..") => Some("must not start with '..'"),
        "" => Some("must not be empty"),
        _ if !text.as_bytes().iter().all(is_key) => {
            Some("must be a valid config key: letters, digits, '-', '_' and '.'")
        }
        _ => None,
    }
}

/// The name of an environment variable, since 1.34 anything printable but `=`.
pub(crate) fn environment_name(text: &str) -> Fault {
    let is_fine = |b: &u8| (b' '..=b'~').contains(b) && *b != b'=';
    (!text.as_bytes().iter().all(is_fine))
        .then_some("must consist of printable ASCII characters other than '='")
}

pub(crate) fn http_header(text: &str) -> Fault {
    let is_fine = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (!is_fine).then_some("must be the name of an HTTP header: letters, digits and '-'")
}

pub(crate) fn c_identifier(text: &str) -> Fault {
    let is_fine = text
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (!is_fine).then_some("must be a C identifier")
}

/// A percentage such as `25%`.
pub(crate) fn percent(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('%')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// A domain name of at least so many segments.
pub(crate) fn fully_qualified(text: &str, segments: usize) -> Fault {
    if text.is_empty() || dns1123_subdomain(text).is_some() {
        return Some(SUBDOMAIN);
    }
    (text.split('.').count() < segments)
        .then_some("must be a domain with more segments, separated by dots")
}

/// An address as the API server reads those of fields that are old: leading zeros in an IPv4 address are fine.
pub(crate) fn sloppy_ip(text: &str) -> Option<IpAddr> {
    if let Ok(ip) = text.parse() {
        return Some(ip);
    }
    if text.contains(':') {
        return None;
    }
    let parts: Vec<&str> = text.split('.').collect();
    let plain = |part: &&str| {
        let digits =
            !part.is_empty() && part.len() < 10 && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u8>().ok()).flatten()
    };
    let bytes: Option<Vec<u8>> = parts.iter().map(plain).collect();
    <[u8; 4]>::try_from(bytes?).ok().map(IpAddr::from)
}

/// A CIDR block: its address and the length of its prefix. Host bits are fine.
pub(crate) fn sloppy_cidr(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let ip = sloppy_ip(address)?;
    block(ip, length)
}

/// A CIDR block as Go's `net.ParseCIDR` reads it.
pub(crate) fn cidr(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    block(address.parse().ok()?, length)
}

fn block(ip: IpAddr, length: &str) -> Option<(IpAddr, u8)> {
    let is_number =
        !length.is_empty() && length.len() < 4 && length.bytes().all(|b| b.is_ascii_digit());
    let length: u8 = is_number.then(|| length.parse().ok()).flatten()?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    (length <= most).then_some((ip, length))
}

/// Whether one block holds an address, by the bits of its prefix.
pub(crate) fn holds(block: (IpAddr, u8), ip: IpAddr) -> bool {
    match (block.0, ip) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let shift = 32 - u32::from(block.1);
            u32::from(a).checked_shr(shift).unwrap_or(0)
                == u32::from(b).checked_shr(shift).unwrap_or(0)
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let shift = 128 - u32::from(block.1);
            u128::from(a).checked_shr(shift).unwrap_or(0)
                == u128::from(b).checked_shr(shift).unwrap_or(0)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{cidr, environment_name, holds, port_name, qualified_name, sloppy_ip};

    #[test]
    fn qualified_names_have_one_prefix_at_most() {
        for text in ["a", "A.b_c-d", "example.com/a"] {
            assert_eq!(qualified_name(text), None, "{text}");
        }
        for text in ["", "/a", "a/b/c", "Example.com/a", "-a", "a b"] {
            assert!(qualified_name(text).is_some(), "{text}");
        }
    }

    #[test]
    fn port_names_have_a_letter() {
        assert_eq!(port_name("http-2"), None);
        for text in [
            "8080",
            "HTTP",
            "my_port",
            "my--port",
            "averyverylongportname",
            "-a",
        ] {
            assert!(port_name(text).is_some(), "{text}");
        }
        assert_eq!(environment_name("1 a.b"), None);
        assert!(environment_name("A=B").is_some());
    }

    #[test]
    fn addresses_may_have_leading_zeros_where_that_is_old() {
        assert!(sloppy_ip("010.0.0.1").is_some());
        assert!(sloppy_ip("10.96.0.300").is_none());
        assert!(
            cidr("10.0.0.0").is_none()
                && cidr("10.0.0.1/8").is_some()
                && cidr("10.0.0.0/33").is_none()
        );
        let (Some(block), Ok(ip)) = (cidr("10.0.0.0/8"), "10.2.3.4".parse()) else {
            unreachable!("both are right");
        };
        assert!(holds(block, ip));
    }
}
