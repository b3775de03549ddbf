//! The functions that the API server adds: addresses, quantities, URLs, versions, formats, searches.

use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;

use super::value::Cel;
use crate::admission::names;
use crate::admission::quantity::Quantity;
use crate::admission::time;
use crate::go::regexp;

type Outcome<'v> = Result<Cel<'v>, String>;

/// An address.
pub(crate) type Ip = IpAddr;

/// A block of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cidr(IpAddr, u8);

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, self.1)
    }
}

/// The parts of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    scheme: String,
    host: String,
    path: String,
    query: String,
}

impl Url {
    /// Reads an absolute URL or an absolute path, as Go's `url.ParseRequestURI`.
    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.bytes().any(|b| b < 0x20 || b == 0x7f || b == b' ') {
            return None;
        }
        let (scheme, rest) = match text.find("://") {
            Some(at) if is_scheme(&text[..at]) => (&text[..at], &text[at + 3..]),
            _ if text.starts_with('/') => ("", text),
            _ => return None,
        };
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = match (scheme, before.find('/')) {
            ("", _) => ("", before),
            (_, Some(at)) => before.split_at(at),
            (_, None) => (before, ""),
        };
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        Some(Self {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
        })
    }

    fn split_host(&self) -> (&str, &str) {
        match self.host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
            _ => (&self.host, ""),
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// Calls one of the functions; `None` when there is none of that name for these operands.
pub(super) fn call<'v>(function: &str, operands: &[&Cel<'v>]) -> Option<Outcome<'v>> {
    addresses(function, operands)
        .or_else(|| blocks(function, operands))
        .or_else(|| quantities(function, operands))
        .or_else(|| urls(function, operands))
        .or_else(|| versions(function, operands))
        .or_else(|| searches(function, operands))
        .or_else(|| formats(function, operands))
}

fn bool<'v>(value: bool) -> Option<Outcome<'v>> {
    Some(Ok(Cel::Bool(value)))
}

fn string<'v>(text: &str) -> Option<Outcome<'v>> {
    Some(Ok(Cel::string(text)))
}

/// An address without a zone and not an IPv4 address within IPv6.
fn ip(text: &str) -> Option<IpAddr> {
    let ip: IpAddr = text.parse().ok()?;
    match ip {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => None,
        ip => Some(ip),
    }
}

fn cidr(text: &str) -> Option<Cidr> {
    let (_, length) = text.split_once('/')?;
    let is_canonical_length = length == "0" || !length.starts_with('0');
    let (address, length) = names::cidr(text).filter(|_| is_canonical_length)?;
    ip(&address.to_string()).map(|address| Cidr(address, length))
}

fn addresses<'v>(function: &str, operands: &[&Cel<'v>]) -> Option<Outcome<'v>> {
    if let [text] = operands
        && let Some(text) = text.as_str()
    {
        return match function {
            "isIP" => bool(ip(text).is_some()),
            "ip" => Some(
                ip(text)
                    .map(Cel::Ip)
                    .ok_or_else(|| "IP address parse error".to_owned()),
            ),
            "ip.isCanonical" => match ip(text) {
                Some(ip) => bool(ip.to_string() == text),
                None => Some(Err("IP address parse error".to_owned())),
            },
            _ => None,
        };
    }
    let [Cel::Ip(ip)] = operands else { return None };
    match function {
        "family" => Some(Ok(Cel::Int(if ip.is_ipv4() { 4 } else { 6 }))),
        "isUnspecified" => bool(ip.is_unspecified()),
        "isLoopback" => bool(ip.is_loopback()),
        "isLinkLocalMulticast" => bool(match ip {
            IpAddr::V4(v4) => v4.octets()[..3] == [224, 0, 0],
            IpAddr::V6(v6) => v6.segments()[0] & 0xff0f == 0xff02,
        }),
        "isLinkLocalUnicast" => bool(match ip {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => v6.segments()[0] & 0xffc0 == 0xfe80,
        }),
        "isGlobalUnicast" => bool(match ip {
            IpAddr::V4(v4) => {
                !(v4.is_broadcast()
                    || v4.is_unspecified()
                    || v4.is_loopback()
                    || v4.is_multicast()
                    || v4.is_link_local())
            }
            IpAddr::V6(v6) => {
                let is_link_local = v6.segments()[0] & 0xffc0 == 0xfe80;
                !(v6.is_unspecified() || v6.is_loopback() || v6.is_multicast() || is_link_local)
            }
        }),
        _ => None,
    }
}

fn blocks<'v>(function: &str, operands: &[&Cel<'v>]) -> Option<Outcome<'v>> {
    if let ([text], "isCIDR" | "cidr") = (operands, function) {
        let found = cidr(text.as_str()?);
        return match function {
            "isCIDR" => bool(found.is_some()),
            _ => Some(
                found
                    .map(Cel::Cidr)
                    .ok_or_else(|| "network address parse error".to_owned()),
            ),
        };
    }
    let [Cel::Cidr(block), rest @ ..] = operands else {
        return None;
    };
    let within = |address: IpAddr| names::holds((block.0, block.1), address);
    match (function, rest) {
        ("containsIP", [Cel::Ip(address)]) => bool(within(*address)),
        ("containsIP", [text]) => match ip(text.as_str()?) {
            Some(address) => bool(within(address)),
            None => Some(Err("IP address parse error".to_owned())),
        },
        ("containsCIDR", [Cel::Cidr(other)]) => bool(block.1 <= other.1 && within(other.0)),
        ("containsCIDR", [text]) => match cidr(text.as_str()?) {
            Some(other) => bool(block.1 <= other.1 && within(other.0)),
            None => Some(Err("network address parse error".to_owned())),
        },
        ("ip", []) => Some(Ok(Cel::Ip(block.0))),
        ("masked", []) => Some(Ok(Cel::Cidr(masked(*block)))),
        ("prefixLength", []) => Some(Ok(Cel::Int(i64::from(block.1)))),
        _ => None,
    }
}

fn masked(block: Cidr) -> Cidr {
    let address = match block.0 {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(block.1)).unwrap_or(0);
            IpAddr::from((u32::from(v4) & mask).to_be_bytes())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(block.1)).unwrap_or(0);
            IpAddr::from((u128::from(v6) & mask).to_be_bytes())
        }
    };
    Cidr(address, block.1)
}

fn quantities<'v>(function: &str, operands: &[&Cel<'v>]) -> Option<Outcome<'v>> {
    if let ([text], "isQuantity" | "quantity") = (operands, function) {
        let parsed = Quantity::parse(text.as_str()?);
        return match function {
            "isQuantity" => bool(parsed.is_ok()),
            _ => Some(
                parsed
                    .map(Cel::Quantity)
                    .map_err(|_| "quantity parse error".to_owned()),
            ),
        };
    }
    let [Cel::Quantity(a), rest @ ..] = operands else {
        return None;
    };
    let order = |b: &Quantity| a.cmp(b);
    match (function, rest) {
        ("sign", []) => Some(Ok(Cel::Int(a.sign() as i64))),
        ("isInteger", []) => bool(a.as_integer().is_some()),
        ("asInteger", []) => Some(
            a.as_integer()
                .map(Cel::Int)
                .ok_or_else(|| "cannot convert value to integer".to_owned()),
        ),
        ("asApproximateFloat", []) => Some(Ok(Cel::Double(a.as_float()))),
        ("isGreaterThan", [Cel::Quantity(b)]) => bool(order(b).is_gt()),
        ("isLessThan", [Cel::Quantity(b)]) => bool(order(b).is_lt()),
        ("compareTo", [Cel::Quantity(b)]) => Some(Ok(Cel::Int(order(b) as i64))),
        ("add" | "sub", [b]) => {
            let b = match b {
                Cel::Quantity(b) => *b,
                Cel::Int(n) => Quantity::of(*n),
                _ => return None,
            };
            let result = if function == "add" {
                a.plus(b)
            } else {
                a.minus(b)
            };
            Some(Ok(Cel::Quantity(result)))
        }
        _ => None,
    }
}

fn urls<'v>(function: &str, operands: &[&Cel<'v>]) -> Option<Outcome<'v>> {
    match (function, operands) {
        ("isURL", [text]) => bool(Url::parse(text.as_str()?).is_some()),
        ("url", [text]) => {
            let url = Url::parse(text.as_str()?).map(|url| Cel::Url(Rc::new(url)));
            Some(url.ok_or_else(|| "URL parse error".to_owned()))
        }
        ("getScheme", [Cel::Url(url)]) => string(&url.scheme),
        ("getHost", [Cel::Url(url)]) => string(&url.host),
        ("getHostname", [Cel::Url(url)]) => string(url.split_host().0.trim_matches(['[', ']'])),
        ("getPort", [Cel::Url(url)]) => string(url.split_host().1),
        ("getEscapedPath", [Cel::Url(url)]) => string(&url.path),
        ("getQuery", [Cel::Url(url)]) => Some(Ok(query(&url.query))),
        _ => None,
    }
}

fn query<'v>(text: &str) -> Cel<'v> {
    let mut entries: Vec<(String, Vec<Cel<'v>>)> = Vec::new();
    for pair in text.split('&').filter(|p| !p.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match entries.iter_mut().find(|(k, _)| k == key) {
            Some((_, values)) => values.push(Cel::string(value)),
            None => entries.push((key.to_owned(), vec![Cel::string(value)])),
        }
    }
    let entry = |(key, values): (String, Vec<Cel<'v>>)| (Cel::string(key), Cel::list(values));
    Cel::Map(Rc::new(entries.into_iter().map(entry).collect()))
}

fn versions<'v>(function: &str, operands: &[&Cel<'v>]) -> Option<Outcome<'v>> {
    let number = |n: u64| Some(Ok(Cel::Int(i64::try_from(n).unwrap_or(i64::MAX))));
    match (function, operands) {
        ("isSemver" | "semver", [text, rest @ ..]) => {
            let is_lenient = matches!(rest, [Cel::Bool(true)]);
            let parsed = semantic(text.as_str()?, is_lenient);
            match function {
                "isSemver" => bool(parsed.is_some()),
                _ => Some(
                    parsed
                        .map(|v| Cel::Semver(Rc::new(v)))
                        .ok_or_else(|| "semver parse error".to_owned()),
                ),
            }
        }
        ("major", [Cel::Semver(v)]) => number(v.major),
        ("minor", [Cel::Semver(v)]) => number(v.minor),
        ("patch", [Cel::Semver(v)]) => number(v.patch),
        ("isGreaterThan", [Cel::Semver(a), Cel::Semver(b)]) => bool(a.cmp_precedence(b).is_gt()),
        ("isLessThan", [Cel::Semver(a), Cel::Semver(b)]) => bool(a.cmp_precedence(b).is_lt()),
        ("compareTo", [Cel::Semver(a), Cel::Semver(b)]) => {
            Some(Ok(Cel::Int(a.cmp_precedence(b) as i64)))
        }
        _ => None,
    }
}

/// A version; a lenient one may have a `v`, fewer parts and leading zeros.
fn semantic(text: &str, is_lenient: bool) -> Option<semver::Version> {
    if !is_lenient {
        return semver::Version::parse(text).ok();
    }
    let text = text.trim_start_matches('v');
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at(end);
    let mut parts: Vec<&str> = core.split('.').map(|p| p.trim_start_matches('0')).collect();
    parts.resize(3.max(parts.len()), "");
    let filled: Vec<&str> = parts
        .iter()
        .map(|p| if p.is_empty() { "0" } else { p })
        .collect();
    semver::Version::parse(&format!("{}{rest}", filled.join("."))).ok()
}

fn searches<'v>(function: &str, operands: &[&Cel<'v>]) -> Option<Outcome<'v>> {
    let [text, pattern, rest @ ..] = operands else {
        return None;
    };
    if !matches!(function, "find" | "findAll") {
        return None;
    }
    let (text, pattern) = (text.as_str()?, pattern.as_str()?);
    let Ok(regex) = regexp::compile(pattern) else {
        return Some(Err("Illegal regex".to_owned()));
    };
    if function == "find" {
        return string(regex.find(text).map_or("", |found| found.as_str()));
    }
    let most = match rest {
        [Cel::Int(most)] => usize::try_from(*most).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let found = regex
        .find_iter(text)
        .take(most)
        .map(|m| Cel::string(m.as_str()));
    Some(Ok(Cel::list(found.collect())))
}

/// A format by its name, and what it says of a text.
type Format = (&'static str, fn(&str) -> bool);

const FORMATS: [Format; 13] = [
    ("dns1123Label", |t| names::dns1123_label(t).is_none()),
    ("dns1123Subdomain", |t| {
        names::dns1123_subdomain(t).is_none()
    }),
    ("dns1035Label", |t| names::dns1035_label(t).is_none()),
    ("qualifiedName", |t| names::qualified_name(t).is_none()),
    ("dns1123LabelPrefix", |t| {
        names::dns1123_label(t.trim_end_matches('-')).is_none()
    }),
    ("dns1123SubdomainPrefix", |t| {
        names::dns1123_subdomain(t.trim_end_matches('-')).is_none()
    }),
    ("dns1035LabelPrefix", |t| {
        names::dns1035_label(t.trim_end_matches('-')).is_none()
    }),
    ("labelValue", |t| names::label_value(t).is_none()),
    ("uri", |t| Url::parse(t).is_some()),
    ("uuid", crate::admission::format::is_uuid),
    ("byte", |t| crate::admission::base64::decode(t).is_some()),
    ("date", |t| time::date(t).is_some()),
    ("datetime", |t| time::timestamp(t).is_some()),
];

fn formats<'v>(function: &str, operands: &[&Cel<'v>]) -> Option<Outcome<'v>> {
    let known = |name: &str| FORMATS.iter().find(|(n, _)| *n == name);
    match (function, operands) {
        ("format.named", [name]) => {
            let found = known(name.as_str()?).map(|(n, _)| Rc::new(Cel::Format(n)));
            Some(Ok(Cel::Optional(found)))
        }
        ("validate", [Cel::Format(name), text]) => {
            let (_, is_fine) = known(name)?;
            let wrong = (!is_fine(text.as_str()?)).then(|| {
                Rc::new(Cel::list(vec![Cel::string(format!(
                    "does not have the form {name}"
                ))]))
            });
            Some(Ok(Cel::Optional(wrong)))
        }
        (name, []) => {
            let (name, _) = known(name.strip_prefix("format.")?)?;
            Some(Ok(Cel::Format(name)))
        }
        _ => None,
    }
}
