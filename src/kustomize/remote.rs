//! Tells an address of a remote repository or file from a path.
//!
//! The rules are those of kustomize v5.7.1: the scheme, `user@host:path` or `github.com` decide; the
//! repository ends at `_git/NAME`, `//` or `.git`, or after two parts.

use crate::kustomize::RepositoryAddress;

/// The time that git gets when the address does not say.
const DEFAULT_TIMEOUT_SECONDS: f64 = 27.0;

const SCHEMES: [&str; 4] = ["ssh://", "https://", "http://", "file://"];

/// Whether a path is the address of a file that http can fetch.
pub(super) fn is_file_address(path: &str) -> bool {
    let scheme = path.split_once(':').map_or("", |(scheme, _)| scheme);
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Reads the address of a repository; `None` when the text is not one.
pub(super) fn parse(text: &str) -> Option<RepositoryAddress> {
    if text.starts_with('/') {
        return None;
    }
    let (address, query) = text.split_once('?').unwrap_or((text, ""));
    let (host, rest) = host(address)?;
    let (repository, directory) = split(rest, host.starts_with("file://"))?;
    if repository.is_empty() || leaves(directory) {
        return None;
    }
    let mut result = RepositoryAddress {
        text: text.to_owned(),
        repository: format!("{host}{repository}"),
        directory: directory.strip_prefix('/').unwrap_or(directory).to_owned(),
        reference: String::new(),
        timeout_seconds: DEFAULT_TIMEOUT_SECONDS,
        submodules: true,
    };
    read_query(query, &mut result);
    Some(result)
}

/// The part up to the host, in the form that git gets, and what follows.
fn host(address: &str) -> Option<(String, &str)> {
    let address = strip_prefix_ignoring_case(address, "git::").unwrap_or(address);
    let scheme = SCHEMES
        .iter()
        .find(|s| strip_prefix_ignoring_case(address, s).is_some());
    let address = &address[scheme.map_or(0, |s| s.len())..];
    let user = user(address);
    if scheme == Some(&"file://") {
        return Some(("file://".to_owned(), address));
    }
    let after_user = &address[user.len()..];
    let lower = after_user.to_ascii_lowercase();
    let is_github = lower.starts_with("github.com/") || lower.starts_with("github.com:");
    let may_be_scp = scheme.is_none() && (!user.is_empty() || is_github);
    if scheme.is_none() && !may_be_scp {
        return None;
    }
    let (host, rest) = match separator(after_user, may_be_scp) {
        Some(at) => after_user.split_at(at + 1),
        None => (after_user, ""),
    };
    if host.is_empty() {
        return None;
    }
    let host = match (is_github, scheme) {
        (true, Some(&"ssh://")) => format!("{user}github.com:"),
        (true, _) if !user.is_empty() => format!("{user}github.com:"),
        (true, _) => "https://github.com/".to_owned(),
        (false, scheme) => format!("{}{user}{host}", scheme.copied().unwrap_or("")),
    };
    Some((host, rest))
}

/// `name@` at the start, or nothing.
fn user(address: &str) -> &str {
    let Some((name, _)) = address.split_once('@') else {
        return "";
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if is_name { &address[..=name.len()] } else { "" }
}

fn separator(text: &str, may_be_scp: bool) -> Option<usize> {
    let slash = text.find('/');
    let colon = text.find(':').filter(|_| may_be_scp);
    match (slash, colon) {
        (None, colon) => colon,
        (Some(slash), Some(colon)) if colon > 0 && colon < slash => Some(colon),
        (slash, _) => slash,
    }
}

/// Splits what follows the host into the repository and the directory in it.
fn split(rest: &str, is_local: bool) -> Option<(&str, &str)> {
    if let Some(at) = rest.find("_git/") {
        let name = at + "_git/".len();
        let end = rest[name..].find('/').map_or(rest.len(), |i| name + i);
        return Some((&rest[..end], rest.get(end + 1..).unwrap_or("")));
    }
    if let Some((repository, directory)) = rest.split_once("//") {
        return Some((repository, directory));
    }
    if let Some(at) = rest.find(".git") {
        return Some(rest.split_at(at + ".git".len()));
    }
    if is_local {
        return Some((rest, ""));
    }
    let first = rest.find('/')?;
    let end = rest[first + 1..]
        .find('/')
        .map_or(rest.len(), |i| first + 1 + i);
    Some((&rest[..end], rest.get(end + 1..).unwrap_or("")))
}

/// Whether a directory climbs out of its repository.
fn leaves(directory: &str) -> bool {
    let mut depth = 0_i32;
    for part in directory.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

fn read_query(query: &str, address: &mut RepositoryAddress) {
    let value = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(n, v)| *n == name && !v.is_empty())
            .map(|(_, v)| v)
    };
    address.reference = value("ref").or(value("version")).unwrap_or("").to_owned();
    if let Some(seconds) = value("timeout").and_then(seconds) {
        address.timeout_seconds = seconds;
    }
    let off = ["0", "f", "F", "false", "False", "FALSE"];
    if value("submodules").is_some_and(|truth| off.contains(&truth)) {
        address.submodules = false;
    }
}

/// A duration in whole seconds, or with units as Go writes them.
fn seconds(text: &str) -> Option<f64> {
    if let Ok(whole) = text.parse::<u32>() {
        return (whole > 0).then_some(f64::from(whole));
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let units = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let factor = match &tail[..units] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * factor;
        rest = &tail[units..];
    }
    (total > 0.0).then_some(total)
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn finds_repository_directory_and_reference() {
        let cases = [
            (
                "https://github.com/org/repo/a/b?ref=v1",
                "https://github.com/org/repo",
                "a/b",
                "v1",
            ),
            ("github.com/org/repo", "https://github.com/org/repo", "", ""),
            (
                "git@github.com:org/repo.git/a",
                "git@github.com:org/repo.git",
                "/a",
                "",
            ),
            (
                "ssh://git@host.org/x/y//z?version=m",
                "ssh://git@host.org/x/y",
                "z",
                "m",
            ),
            ("file:///srv/r.git//a?ref=x", "file:///srv/r.git", "a", "x"),
            (
                "https://dev.azure.com/o/p/_git/r/k",
                "https://dev.azure.com/o/p/_git/r",
                "k",
                "",
            ),
            (
                "git::https://host/o/r?timeout=1m30s",
                "https://host/o/r",
                "",
                "",
            ),
        ];
        for (text, repository, directory, reference) in cases {
            let address = parse(text).unwrap_or_else(|| panic!("{text} is an address"));
            assert_eq!(address.repository, repository, "{text}");
            assert_eq!(
                address.directory,
                directory.trim_start_matches('/'),
                "{text}"
            );
            assert_eq!(address.reference, reference, "{text}");
        }
    }

    #[test]
    fn paths_are_not_addresses() {
        for text in [
            "base",
            "../base",
            "/srv/base",
            "a/b/c",
            "host.org/o/r",
            "https://host",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn durations_have_units() {
        let timeout = |text| parse(text).map(|a| a.timeout_seconds);
        assert_eq!(timeout("https://h/o/r?timeout=1m30s"), Some(90.0));
        assert_eq!(timeout("https://h/o/r?timeout=61"), Some(61.0));
        assert_eq!(timeout("https://h/o/r?timeout=x"), Some(27.0));
    }
}
