//! Every Application and ApplicationSet of a repository, as Argo CD makes them.
//!
//! What Argo CD's controllers do in a cluster is done here with a checkout and what the invoker says about the rest:
//! objects are admitted ([`crd`]), sets make Applications ([`sets`], [`generators`]), projects judge them
//! ([`projects`]), and with `-r` what an Application renders to is taken for applied. Start with [`tree::list`].
//! Follows Argo CD after v3.5 (commit 37ee0097).

mod crd;
pub mod entries;
mod fast;
mod fill;
mod functions;
mod generators;
mod names;
mod params;
mod patch;
mod projects;
mod render;
mod repositories;
mod selector;
mod sets;
mod sources;
pub mod tree;
mod world;

use std::fmt;

pub use generators::Switches;
pub use repositories::{Repositories, Repository};
pub use sources::Sources;

/// An object as YAML, its keys in order.
pub fn to_yaml(object: &serde_json::Value) -> String {
    crate::yaml::to_go_yaml(object)
}

/// Why an ApplicationSet or an Application cannot be made. The words are ours and quote no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    fn within(self, set: &str) -> Self {
        Self(format!("{set}: {}", self.0))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
