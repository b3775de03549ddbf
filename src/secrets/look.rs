//! Which sealed values are secret where a whole repository of values is sealed: by name, and by what they look like.
//!
//! Domains, addresses and the like are often sealed with the rest, and stand in Ingresses and policies on purpose.

use std::net::IpAddr;

/// Numbers of as many digits may be ports, replicas and sizes.
const MAX_PLAIN_DIGITS: usize = 5;

/// Words of as many letters are regions, modes and names.
const MAX_PLAIN_LETTERS: usize = 8;

/// Whether a value must not leave but in a Secret. `path` is where it is in its file, `sensitive` are patterns of
/// names, in which `*` is any text.
pub(super) fn is_secret(path: &str, text: &str, sensitive: &[String]) -> bool {
    let mut names = path.split(['.', '[', ']']).filter(|name| !name.is_empty());
    names.any(|name| {
        crate::values::is_secret_name(name) || sensitive.iter().any(|pattern| fits(pattern, name))
    }) || !looks_plain(text)
}

/// Whether a name fits a pattern, in which `*` is any text.
pub fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(rest) = name.strip_prefix(head) else {
        return false;
    };
    tail.is_empty()
        || (0..=rest.len())
            .filter(|at| rest.is_char_boundary(*at))
            .any(|at| fits(tail, &rest[at..]))
}

/// Whether a text is a host, an address, a path, a small number, a word: what stands in any manifest.
pub(super) fn looks_plain(text: &str) -> bool {
    let text = text.trim();
    let is_number = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let is_word = text.len() <= MAX_PLAIN_LETTERS
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'_');
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    text.is_empty()
        || matches!(text, "true" | "false" | "null")
        || (is_number && digits <= MAX_PLAIN_DIGITS)
        || is_word
        || is_address(text)
        || is_host(text)
        || is_mail(text)
        || text
            .split_once("://")
            .is_some_and(|(scheme, rest)| is_plain_url(scheme, rest))
}

/// Whether a text may be the name of an object that happens to be sealed, too: a name of words, not one of digits
/// among letters, and not a phrase.
pub(super) fn looks_like_a_name(text: &str) -> bool {
    /// Names are of as many words at most.
    const MAX_WORDS: usize = 3;
    let words = text.split(['-', '.', '/']).filter(|word| !word.is_empty());
    let is_word = |word: &str| {
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        letters.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    looks_plain(text) || (words.clone().all(is_word) && words.count() <= MAX_WORDS)
}

fn is_address(text: &str) -> bool {
    let (address, length) = text.split_once('/').unwrap_or((text, ""));
    address.parse::<IpAddr>().is_ok() && length.bytes().all(|b| b.is_ascii_digit())
}

/// A name of two labels or more, each of lower-case letters, digits and dashes, the last of letters.
fn is_host(text: &str) -> bool {
    let labels: Vec<&str> = text.trim_start_matches("*.").split('.').collect();
    let is_label = |label: &&str| {
        let bytes = label.as_bytes();
        let is_inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
        !bytes.is_empty() && bytes.len() <= 63 && bytes.iter().all(is_inner)
    };
    let is_top = |label: &&&str| label.bytes().all(|b| b.is_ascii_lowercase());
    labels.len() >= 2 && labels.iter().all(is_label) && labels.last().filter(is_top).is_some()
}

fn is_mail(text: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || ".-_+".contains(c);
    text.split_once('@')
        .is_some_and(|(name, host)| name.chars().all(is_name) && is_host(host))
}

/// An address of the web without user, query and fragment.
fn is_plain_url(scheme: &str, rest: &str) -> bool {
    let host = rest.split('/').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    scheme.bytes().all(|b| b.is_ascii_lowercase())
        && !rest.contains(['@', '?', '#'])
        && rest.matches('/').count() <= 1
        && (is_host(host) || is_address(host))
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    #[test]
    fn by_name_and_by_look() {
        let secret = |path, text| is_secret(path, text, &[]);
        for text in [
            "internal.example.com",
            "10.0.0.0/8",
            "5432",
            "eu",
            "admin@example.com",
        ] {
            assert!(!secret("cluster_domain", text), "{text}");
        }
        assert!(!secret("issuer", "https://id.example.com/"));
        for text in [
            "hunter2",
            "482913377110",
            "correct-horse",
            "https://a:b@c.de/",
            "S3cr3t!",
        ] {
            assert!(secret("cluster_domain", text), "{text}");
        }
        assert!(secret("db.password", "eu") && secret("db[0].api_token", "5"));
        assert!(is_secret("my_pin", "12", &["*_pin".to_owned()]));
    }
}
