//! What programs see of our environment: a short list, and what is named.

use std::ffi::OsString;

/// What every program gets: where programs and its user's files are, the language, and which certificates count.
const LEAST: &[&str] = &[
    "PATH",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// What helm and git of the one who runs us get besides: how they reach their servers.
const OF_THE_INVOKER: &[&str] = &[
    "ALL_PROXY",
    "all_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "DOCKER_CONFIG",
    "GIT_*",
    "HELM_*",
    "LOGNAME",
    "SSH_*",
    "USER",
    "XDG_*",
];

/// Never given, whatever is named: identities, and what prints them.
const NEVER: &str = "SOPS_";

/// The names of the variables that programs see; a name may end in `*`.
#[derive(Debug, Clone, Default)]
pub struct Environment(Vec<String>);

impl Environment {
    /// The short list alone, and what is named besides: for a host.
    pub fn named(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().collect())
    }

    /// What the invoker's own helm and git need.
    pub fn of_the_invoker() -> Self {
        Self::named(OF_THE_INVOKER.iter().map(|name| (*name).to_owned()))
    }

    /// The variables of this process that are given.
    pub(super) fn variables(&self) -> impl Iterator<Item = (OsString, OsString)> {
        std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(|name| self.gives(name)))
    }

    fn gives(&self, name: &str) -> bool {
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == pattern,
        };
        !name.starts_with(NEVER)
            && (LEAST.iter().any(|p| fits(p)) || self.0.iter().any(|p| fits(p)))
    }
}

#[cfg(test)]
mod tests {
    use super::Environment;

    #[test]
    fn a_program_sees_the_short_list_and_what_is_named() {
        let named = Environment::named(["HTTPS_PROXY".to_owned(), "HELM_*".to_owned()]);
        for name in ["PATH", "LC_ALL", "HTTPS_PROXY", "HELM_DEBUG"] {
            assert!(named.gives(name), "{name}");
        }
        for name in ["TOKEN", "PATHS", "HTTP_PROXY", "SOPS_AGE_KEY"] {
            assert!(!named.gives(name), "{name}");
        }
        let all = Environment::named(["*".to_owned()]);
        assert!(all.gives("TOKEN") && !all.gives("SOPS_AGE_KEY_FILE"));
    }
}
