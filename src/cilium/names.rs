//! Names: which ones a selector means, and which ones the DNS proxy lets a pod ask for.
//!
//! Upstream: `pkg/fqdn/matchpattern/matchpattern.go`, `pkg/policy/api/fqdn.go`, and `GeneratePattern` of
//! `pkg/fqdn/dnsproxy`. A lone run of stars is every name; at the start two stars or more and a dot are one label or
//! more; any other run of stars is part of one label. Pinned by `names/*` of the recorded cases.

/// What a `matchName` or `matchPattern` means, in lower case and without the last dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pattern {
    text: String,
    is_name: bool,
}

impl Pattern {
    /// Reads a `matchName`.
    pub(super) fn name(text: &str) -> Self {
        Self {
            text: normal(text),
            is_name: true,
        }
    }

    /// Reads a `matchPattern`, whose stars stand for other characters.
    pub(super) fn with_stars(text: &str) -> Self {
        Self {
            text: normal(text),
            is_name: false,
        }
    }

    /// What it is called as a label of an address.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it means a name.
    pub(super) fn matches(&self, name: &str) -> bool {
        let name = normal(name);
        if self.is_name {
            return self.text == name;
        }
        let rest = self.text.trim_start_matches('*');
        match (self.text.len() - rest.len(), rest) {
            (1.., "") => name.split('.').all(is_label),
            (2.., _) if rest.starts_with('.') => {
                // One label or more, each at least one character, and then the rest.
                let starts = name.match_indices('.').map(|(at, _)| at);
                starts.into_iter().any(|at| {
                    name[..at].split('.').all(is_label)
                        && fits(&rest.as_bytes()[1..], &name.as_bytes()[at + 1..])
                })
            }
            _ => fits(self.text.as_bytes(), name.as_bytes()),
        }
    }
}

fn normal(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    text.strip_suffix('.').map(str::to_owned).unwrap_or(text)
}

fn is_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn is_label(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_character)
}

/// Whether a pattern fits a whole name, where `*` is any number of characters other than a dot.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    // The classical two pointers: go back to the last star, which takes one more character.
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p) == Some(&name[n]) {
            p += 1;
            n += 1;
        } else if let Some((at, taken)) = star.filter(|(_, taken)| is_character(name[*taken])) {
            star = Some((at, taken + 1));
            p = at + 1;
            n = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_star_is_within_a_label_and_two_at_the_start_are_labels() {
        let cases = [
            ("*", "a.b.example.com", true),
            ("**", "a.b.example.com", true),
            ("*.example.com", "s3.example.com", true),
            ("*.example.com", "a.b.example.com", false),
            ("*.example.com", "example.com", false),
            ("**.example.com", "a.b.example.com", true),
            ("**.example.com", "example.com", false),
            ("*example.com", "s3.example.com", false),
            ("*example.com", "myexample.com", true),
            ("sub*.example.com", "sub1.example.com", true),
            ("*.*.example.com", "a.b.example.com", true),
            ("S3.Example.com.", "s3.example.com", true),
            ("a**b.example.com", "axxb.example.com", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(
                Pattern::with_stars(pattern).matches(name),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
