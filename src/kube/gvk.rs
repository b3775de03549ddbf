//! Group, version and kind.

use std::fmt;

use compact_str::CompactString;

use super::scope::{self, Scope};

/// What a manifest's `apiVersion` and `kind` say.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gvk {
    /// The API group; empty for the core group.
    pub group: CompactString,
    /// The version in the group.
    pub version: CompactString,
    /// The kind.
    pub kind: CompactString,
}

impl Gvk {
    /// Builds one from `apiVersion` (`group/version` or `version`) and `kind`.
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }
    }

    /// The `apiVersion` text.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether group and kind are these, in any version.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }

    /// Whether `selector` selects this: each of its parts is empty or the same.
    pub fn is_selected_by(&self, selector: &Self) -> bool {
        let fits = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        fits(&selector.kind, &self.kind)
            && fits(&selector.group, &self.group)
            && fits(&selector.version, &self.version)
    }

    /// Whether this is a kind that is built into Kubernetes v1.21.2.
    pub fn is_built_in(&self) -> bool {
        scope::known(self).is_some()
    }

    /// Where objects of this kind live; kinds that are not built in count as namespaced.
    pub fn scope(&self) -> Scope {
        scope::known(self).unwrap_or(Scope::Namespaced)
    }
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.api_version(), self.kind)
    }
}
