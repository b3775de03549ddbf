//! What identifies an object: group, version, kind, namespace and name.

use std::fmt;

use compact_str::CompactString;

use super::{Gvk, Scope};

/// What kustomize takes for the namespace of a cluster-scoped object.
pub const NO_NAMESPACE: &str = "_non_namespaceable_";

/// The identity of an object.
///
/// `==` compares what is written. Two ids mean the same object when [`ResId::is_same`] says so, which
/// takes an empty namespace for `default`, and none at all for cluster-scoped kinds.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResId {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// The namespace as written; empty when there is none.
    pub namespace: CompactString,
    /// The name.
    pub name: CompactString,
    /// Where objects of the kind live.
    pub scope: Scope,
}

impl ResId {
    /// The namespace that counts: `default` for an empty one, [`NO_NAMESPACE`] for a cluster-scoped kind.
    pub fn effective_namespace(&self) -> &str {
        effective_namespace(self.scope, &self.namespace)
    }

    /// Whether both mean the same object.
    pub fn is_same(&self, other: &Self) -> bool {
        self.name == other.name
            && self.gvk == other.gvk
            && self.effective_namespace() == other.effective_namespace()
    }

    /// Whether `selector` selects this: each of its parts is empty or the same.
    pub fn is_selected_by(&self, selector: &Self) -> bool {
        (selector.name.is_empty() || selector.name == self.name)
            && (selector.namespace.is_empty()
                || selector.effective_namespace() == self.effective_namespace())
            && self.gvk.is_selected_by(&selector.gvk)
    }
}

/// The namespace that counts for an object of a scope.
pub(super) fn effective_namespace(scope: Scope, namespace: &str) -> &str {
    match (scope, namespace) {
        (Scope::Cluster, _) => NO_NAMESPACE,
        (Scope::Namespaced, "") => "default",
        (Scope::Namespaced, other) => other,
    }
}

impl fmt::Display for ResId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            gvk,
            namespace,
            name,
            scope: _,
        } = self;
        if namespace.is_empty() {
            write!(f, "{}/{name}", gvk.kind)
        } else {
            write!(f, "{}/{namespace}/{name}", gvk.kind)
        }
    }
}
