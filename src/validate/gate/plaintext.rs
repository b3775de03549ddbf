//! What a sealed file kept secret stands in Secrets only.
//!
//! Looks for the values of sealed *manifests*, and for the values that `checks.sensitive` lists. Both are
//! long enough (12 characters) and of such a form that a match is no accident.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::GateOptions;
use crate::diagnostic::{Code, Diagnostic, Origin, Report, Severity};
use crate::kube::{ResMap, Resource};
use crate::validate::walk;

/// Shorter values occur by accident.
const MIN_CHARACTERS: usize = 12;
/// The bytes by which a value is looked up: as many as the shortest has.
const KEY_BYTES: usize = 12;

pub(super) fn check(resources: &ResMap, options: &GateOptions<'_>, report: &mut Report) {
    let needles = needles(resources, options);
    let named = Needles::of(options.named);
    if needles.is_empty() && named.is_empty() {
        return;
    }
    for resource in resources.iter().filter(|r| !r.gvk().is("", "Secret")) {
        if options
            .plaintext_allowed
            .iter()
            .any(|pattern| names(pattern, resource))
        {
            continue;
        }
        walk::scalars(resource.node(), &mut |path, _, node| {
            let text = node.scalar_text().unwrap_or_default();
            let found = || finding(resource, path, resource.place_of(node));
            if needles.occur_in(text) {
                report.push(found());
            } else if named.occur_in(text) {
                report.push(found().with_severity(Severity::Warning));
            }
        });
    }
}

fn finding(
    resource: &Resource,
    path: &[walk::Step<'_>],
    place: Option<crate::diagnostic::Place>,
) -> Diagnostic {
    let id = resource.id();
    let phrase = format!("{id} holds a sealed value in {}", walk::show(path));
    Diagnostic::new(Code::SecretExposed, phrase)
        .at(place)
        .note("it was sealed, and everyone who may read this object could read it")
        .help("put it into a Secret and refer to that")
        .help(format!(
            "or list {id} in checks.plaintext.allow of the project file"
        ))
}

/// The values to look for, by their first bytes.
#[derive(Default)]
struct Needles(BTreeMap<[u8; KEY_BYTES], Vec<Zeroizing<String>>>);

impl Needles {
    fn of(values: &[SecretString]) -> Self {
        let mut needles = Self::default();
        needles.extend(values.iter());
        needles
    }

    fn extend<'a>(&mut self, values: impl Iterator<Item = &'a SecretString>) {
        for value in values.filter_map(telling) {
            self.add(value);
            self.add(&Zeroizing::new(BASE64_STANDARD.encode(value)));
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, value: &str) {
        if let Some(key) = value.as_bytes().first_chunk::<KEY_BYTES>() {
            let same_key = self.0.entry(*key).or_default();
            if same_key.iter().all(|v| v.as_str() != value) {
                same_key.push(Zeroizing::new(value.to_owned()));
            }
        }
    }

    fn occur_in(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        (0..bytes.len()).any(|start| {
            let rest = &bytes[start..];
            rest.first_chunk::<KEY_BYTES>()
                .and_then(|key| self.0.get(key))
                .is_some_and(|values| values.iter().any(|v| rest.starts_with(v.as_bytes())))
        })
    }
}

fn needles(resources: &ResMap, options: &GateOptions<'_>) -> Needles {
    let mut needles = Needles::default();
    let sealed = resources
        .iter()
        .filter_map(Resource::source)
        .filter(|source| source.origin == Origin::Decrypted)
        .flat_map(|source| source.secrets.iter());
    needles.extend(sealed.chain(options.sealed).chain(options.sensitive));
    needles
}

/// Whether a value is long enough, and of no form that occurs in the open as well, so that a match is no accident.
pub fn is_telling(value: &SecretString) -> bool {
    telling(value).is_some()
}

/// The value, when it is long enough and is not of a form that occurs in the open as well.
fn telling(value: &SecretString) -> Option<&str> {
    let value = value.expose_secret().trim();
    let common = value.chars().count() < MIN_CHARACTERS
        || value
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | ':' | ' '))
        || value.contains("://") && !value.contains('@')
        || value.starts_with(['/', '.'])
        || is_host_name(value)
        || is_address(value);
    (!common).then_some(value)
}

/// `name.example.org`, with a port perhaps: dots between labels of lower case.
fn is_host_name(value: &str) -> bool {
    let host = value.split_once(':').map_or(value, |(host, _)| host);
    let label = |l: &str| {
        !l.is_empty()
            && l.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    host.contains('.') && host.split('.').all(label)
}

/// An IP address or network, or a mail address.
fn is_address(value: &str) -> bool {
    let address = value.split_once('/').map_or(value, |(address, _)| address);
    address.parse::<std::net::IpAddr>().is_ok()
        || value
            .split_once('@')
            .is_some_and(|(user, host)| is_host_name(host) && !user.contains([':', '/']))
}

/// Whether `Kind/name` or `Kind/namespace/name` means an object; `*` stands for anything in its part.
fn names(pattern: &str, resource: &Resource) -> bool {
    let fits = |part: &str, text: &str| part == "*" || part == text;
    match pattern.split('/').collect::<Vec<_>>()[..] {
        [kind, name] => fits(kind, resource.kind()) && fits(name, resource.name()),
        [kind, namespace, name] => {
            fits(kind, resource.kind())
                && fits(namespace, resource.namespace())
                && fits(name, resource.name())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::{Needles, telling};

    #[test]
    fn values_that_occur_in_the_open() {
        for value in [
            "short",
            "123456789012345",
            "auth.example.org",
            "s3.eu-west-1.example.org:9000",
            "https://example.org/path",
            "/var/lib/postgresql",
            "2001:db8::1234:5678",
            "10.123.100.0/24",
            "someone@example.org",
        ] {
            assert_eq!(telling(&SecretString::from(value)), None, "{value}");
        }
        for value in [
            "Tr0ub4dor&3horse",
            "postgres://user:pw@db/app",
            "c2VjcmV0LXZhbHVl",
        ] {
            assert!(telling(&SecretString::from(value)).is_some(), "{value}");
        }
    }

    #[test]
    fn a_value_is_found_within_a_text() {
        let mut needles = Needles::default();
        needles.add("correct horse battery");
        assert!(needles.occur_in("password=correct horse battery;"));
        assert!(!needles.occur_in("password=correct horse batter"));
        assert!(!needles.occur_in("correct hors"));
    }
}
