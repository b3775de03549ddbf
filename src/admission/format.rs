//! The formats of strings that CRDs may ask for.
//!
//! `apiextensions-apiserver/pkg/apiserver/validation/formats.go` v0.34 lists those that are judged, and
//! `kube-openapi/pkg/validation/strfmt` says how. Every other format, numbers' too, is taken as it comes.

use super::base64;
use super::names;
use super::time;

/// Whether a text has a format; `None` for a format that is not judged.
pub(crate) fn fits(format: &str, text: &str) -> Option<bool> {
    let is_digits = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
    Some(match format.replace('-', "").as_str() {
        "uri" => is_request_uri(text),
        "email" => is_email(text),
        "hostname" => is_hostname(text),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        "cidr" => names::cidr(text).is_some(),
        "mac" => is_mac(text),
        "uuid" => is_uuid(text),
        "uuid3" => is_uuid(text) && uuid_digit(text, 12) == Some(b'3'),
        "uuid4" => is_uuid(text) && uuid_digit(text, 12) == Some(b'4'),
        "uuid5" => is_uuid(text) && uuid_digit(text, 12) == Some(b'5'),
        "isbn10" => is_digits(&text.replace('-', ""), 10),
        "isbn13" => is_digits(&text.replace('-', ""), 13),
        "isbn" => {
            let digits = text.replace('-', "");
            is_digits(&digits, 10) || is_digits(&digits, 13)
        }
        "hexcolor" => {
            let digits = text.strip_prefix('#').unwrap_or(text);
            matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit())
        }
        "byte" => base64::decode(text).is_some(),
        "password" => true,
        "date" => time::date(text).is_some(),
        "duration" => time::duration(text).is_some() || is_scala_duration(text),
        "datetime" => text.is_empty() || time::timestamp(text).is_some(),
        "k8sshortname" => names::dns1123_label(text).is_none(),
        "k8slongname" => names::dns1123_subdomain(text).is_none(),
        _ => return None,
    })
}

/// An absolute URL, or an absolute path.
fn is_request_uri(text: &str) -> bool {
    let has_scheme = text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
            && !rest.is_empty()
    });
    (has_scheme || text.starts_with('/')) && !text.bytes().any(|b| b <= b' ' || b == 0x7f)
}

fn is_email(text: &str) -> bool {
    let address = match (text.rfind('<'), text.ends_with('>')) {
        (Some(at), true) => &text[at + 1..text.len() - 1],
        _ => text,
    };
    address.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !address.contains(char::is_whitespace)
    })
}

fn is_hostname(text: &str) -> bool {
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        let ends = bytes.first().zip(bytes.last());
        part.len() <= 63
            && ends.is_some_and(|(a, b)| a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric())
            && bytes
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    };
    text.len() <= 255
        && text
            .strip_suffix('.')
            .unwrap_or(text)
            .split('.')
            .all(is_part)
}

fn is_mac(text: &str) -> bool {
    let is_pair = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
    [':', '-'].iter().any(|by| {
        let parts: Vec<&str> = text.split(*by).collect();
        matches!(parts.len(), 6 | 8 | 20) && parts.into_iter().all(is_pair)
    })
}

/// Whether a text is a UUID, its dashes being optional.
pub(crate) fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits: usize = parts.iter().map(|p| p.len()).sum();
    digits == 32 && parts.len() <= 5 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

fn uuid_digit(text: &str, at: usize) -> Option<u8> {
    text.bytes().filter(|b| *b != b'-').nth(at)
}

/// `22 ns`, `3 hours`: the form of Scala.
fn is_scala_duration(text: &str) -> bool {
    const UNITS: [&str; 24] = [
        "ns",
        "nano",
        "nanos",
        "nanosecond",
        "nanoseconds",
        "us",
        "micro",
        "micros",
        "microsecond",
        "microseconds",
        "ms",
        "milli",
        "millis",
        "millisecond",
        "milliseconds",
        "s",
        "sec",
        "secs",
        "second",
        "seconds",
        "m",
        "min",
        "minute",
        "minutes",
    ];
    const LONG_UNITS: [&str; 11] = [
        "h", "hr", "hrs", "hour", "hours", "d", "day", "days", "w", "week", "weeks",
    ];
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim();
    number.parse::<f64>().is_ok() && (UNITS.contains(&unit) || LONG_UNITS.contains(&unit))
}
