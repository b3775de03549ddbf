//! The arguments, environment and working directory of the process, read once.
#![expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use crate::files::Trusted;

/// What the process was started with.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// Every argument, the program's name first.
    pub(crate) arguments: Vec<OsString>,
    /// The environment, [`SECRET_VARIABLE`] left out.
    pub(crate) environment: BTreeMap<OsString, OsString>,
    /// What [`SECRET_VARIABLE`] holds: wiped where it ends. The block that the kernel handed over cannot be.
    pub(crate) identities: Option<SecretString>,
    /// The working directory.
    pub(crate) working_directory: PathBuf,
    /// The opener of files that the invoker named.
    pub(crate) trusted: Trusted,
}

/// The variable of sops that holds identities themselves.
pub(super) const SECRET_VARIABLE: &str = "SOPS_AGE_KEY";

impl Context {
    /// Reads the process's own.
    pub(super) fn of_the_process() -> Self {
        let mut environment: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        let secret = environment.remove(std::ffi::OsStr::new(SECRET_VARIABLE));
        Self {
            arguments: std::env::args_os().collect(),
            environment,
            identities: secret
                .and_then(|text| text.into_string().ok())
                .map(SecretString::from),
            working_directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            trusted: Trusted::by_the_invoker(),
        }
    }

    /// The program itself, to be started once more.
    pub(crate) fn program(&self) -> PathBuf {
        let called = self.arguments.first().map(PathBuf::from);
        std::env::current_exe().unwrap_or_else(|_| called.unwrap_or_default())
    }

    /// Every variable, also the one that holds identities: for what the user asked to be run.
    pub(crate) fn whole_environment(&self) -> Vec<(OsString, OsString)> {
        let secret = self.identities.as_ref().map(|text| {
            let text = OsString::from(text.expose_secret());
            (OsString::from(SECRET_VARIABLE), text)
        });
        let rest = self.environment.iter();
        let rest = rest.map(|(name, value)| (name.clone(), value.clone()));
        rest.chain(secret).collect()
    }

    /// A variable's value, when it is set, is UTF-8 and is not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment
            .get(std::ffi::OsStr::new(name))?
            .to_str()
            .filter(|v| !v.is_empty())
    }
}
