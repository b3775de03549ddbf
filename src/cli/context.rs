//! The arguments, environment and working directory of the process, read once.
#![expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::files::Trusted;

/// What the process was started with.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// Every argument, the program's name first.
    pub(crate) arguments: Vec<OsString>,
    /// The environment.
    pub(crate) environment: BTreeMap<OsString, OsString>,
    /// The working directory.
    pub(crate) working_directory: PathBuf,
    /// The opener of files that the invoker named.
    pub(crate) trusted: Trusted,
}

impl Context {
    /// Reads the process's own.
    pub(super) fn of_the_process() -> Self {
        Self {
            arguments: std::env::args_os().collect(),
            environment: std::env::vars_os().collect(),
            working_directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            trusted: Trusted::by_the_invoker(),
        }
    }

    /// A variable's value, when it is set, is UTF-8 and is not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment
            .get(std::ffi::OsStr::new(name))?
            .to_str()
            .filter(|v| !v.is_empty())
    }
}
