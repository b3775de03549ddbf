//! What identifies an object: group, version, kind, namespace and name.

use std::fmt;

use compact_str::CompactString;

use super::Gvk;

/// The identity of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResId {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// The namespace as written; empty when there is none.
    pub namespace: CompactString,
    /// The name.
    pub name: CompactString,
}

impl fmt::Display for ResId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            gvk,
            namespace,
            name,
        } = self;
        if namespace.is_empty() {
            write!(f, "{}/{name}", gvk.kind)
        } else {
            write!(f, "{}/{namespace}/{name}", gvk.kind)
        }
    }
}
