//! A cluster's values: loaded, merged, derived, each with the place it comes from.
//!
//! [`load`] reads files of YAML, TOML and JSON in order and merges them; what an invoker sets goes on top;
//! then a [`Profile`] and `derive:` expressions run. The room never renders a manifest. Start with
//! [`Values`].

mod derive;
mod document;
mod load;
mod mask;
mod merged;
mod profile;
mod set;

use minijinja::Value;
use secrecy::SecretString;

pub use derive::Derivation;
pub use load::{
    Input, Merge, Open, Opened, Overrides, SourceFile, load, load_alone, sealed_beside,
};
pub use mask::{is_secret_name, masked, named_secrets, plain};
pub use merged::{From, Origin};
pub use profile::Profile;
pub use set::Setting;

use merged::MergedValue;

/// Merged values. Sealed ones among them are known, to be masked.
#[derive(Debug, Clone)]
pub struct Values {
    held: MergedValue,
    context: Value,
    secrets: Vec<SecretString>,
}

impl Values {
    /// No values.
    pub fn empty() -> Self {
        Self::new(MergedValue::empty(), Vec::new())
    }

    fn new(held: MergedValue, secrets: Vec<SecretString>) -> Self {
        let context = held.to_value();
        Self {
            held,
            context,
            secrets,
        }
    }

    /// The values as templates read them: a mapping by name.
    pub fn context(&self) -> &Value {
        &self.context
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<Value> {
        self.context
            .get_attr(name)
            .ok()
            .filter(|v| !v.is_undefined())
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.held.names()
    }

    /// Where the value at a dotted path comes from.
    pub fn origin(&self, path: &str) -> Option<&Origin> {
        self.held.origin(path)
    }

    /// Every dotted path that leads to a scalar or list, with where it comes from.
    pub fn origins(&self) -> Vec<(String, &Origin)> {
        self.held.origins()
    }

    /// The values that were sealed, to be masked in all messages.
    pub fn secrets(&self) -> &[SecretString] {
        &self.secrets
    }
}
