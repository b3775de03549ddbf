//! The schemas that are built in, and those of CRDs that were found.
//!
//! `data/NAME.z` is made by `.ci/compact_schemas.py`; a file is unpacked when an object of one of its groups is
//! judged, and of its types only those that are reached are parsed. Nothing happens at start.

mod arena;
mod crd;
mod types;

use std::sync::{Arc, OnceLock};

pub(crate) use arena::Arena;
pub(crate) use crd::{definitions, schema_of};
pub(crate) use types::{Kind, List, Number, Reader, Rule, Type};

use super::Versions;
use crate::kube::{Gvk, Scope};

/// The minor versions of Kubernetes whose kinds are built in, oldest first.
pub(crate) const KUBE_VERSIONS: [&str; 6] = ["1.32", "1.33", "1.34", "1.35", "1.36", "1.37"];

/// The versions of CloudNativePG whose kinds are built in, oldest first.
pub(crate) const CNPG_VERSIONS: [&str; 3] = ["1.28", "1.29", "1.30"];

struct File {
    groups: &'static [&'static str],
    packed: &'static [u8],
}

macro_rules! file {
    ($name:literal: $($group:literal)+) => {
        File { groups: &[$($group),+], packed: include_bytes!(concat!("data/", $name, ".z")) }
    };
}

const FILES: [File; 10] = [
    file!("kubernetes": "" "admissionregistration.k8s.io" "apiextensions.k8s.io" "apiregistration.k8s.io" "apps"
        "authentication.k8s.io" "authorization.k8s.io" "autoscaling" "batch" "certificates.k8s.io"
        "coordination.k8s.io" "discovery.k8s.io" "events.k8s.io" "extensions" "flowcontrol.apiserver.k8s.io"
        "internal.apiserver.k8s.io" "lifecycle.k8s.io" "networking.k8s.io" "node.k8s.io" "policy"
        "rbac.authorization.k8s.io" "resource.k8s.io" "scheduling.k8s.io" "storage.k8s.io"
        "storagemigration.k8s.io"),
    file!("argocd": "argoproj.io"),
    file!("barman": "barmancloud.cnpg.io"),
    file!("certmanager": "acme.cert-manager.io" "cert-manager.io"),
    file!("cilium": "cilium.io"),
    file!("cnpg": "postgresql.cnpg.io"),
    file!("eso": "external-secrets.io" "generators.external-secrets.io"),
    file!("flux": "helm.toolkit.fluxcd.io" "kustomize.toolkit.fluxcd.io" "source.toolkit.fluxcd.io"),
    file!("gateway": "gateway.networking.k8s.io"),
    file!("prometheus": "monitoring.coreos.com"),
];

/// The position of Kubernetes' own kinds in [`FILES`].
const KUBERNETES: usize = 0;

/// The schema of one kind.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    pub(crate) arena: Arc<Arena>,
    pub(crate) root: Number,
    pub(crate) scope: Scope,
    /// Whether Go code reads and checks it, rather than the schema of a CRD.
    pub(crate) is_native: bool,
}

impl Schema {
    /// The schema of a field of its root.
    pub(crate) fn field(&self, name: &str) -> Option<Self> {
        let root = *self.arena.get(self.root).properties.get(name)?;
        Some(Self {
            root,
            ..self.clone()
        })
    }
}

/// What is known of a kind.
#[derive(Debug, Clone)]
pub(crate) enum KindLookup {
    /// Its schema.
    Schema(Schema),
    /// The kind or its version is not served; versions that are, newest last.
    NotServed {
        /// The `apiVersion`s in which the kind is served.
        versions: Vec<String>,
    },
    /// Nothing: a kind of another product.
    Nothing,
}

/// Looks a kind up among those that are built in.
pub(crate) fn built_in(gvk: &Gvk, versions: Versions) -> KindLookup {
    let Some(index) = FILES.iter().position(|f| f.groups.contains(&&*gvk.group)) else {
        return KindLookup::Nothing;
    };
    let arena = unpacked(index);
    let variant = match (index, &*gvk.group) {
        (KUBERNETES, _) => versions.kube,
        (_, "postgresql.cnpg.io") => versions.cnpg,
        _ => "-",
    };
    let name = format!("{}/{}", gvk.api_version(), gvk.kind);
    match arena.find(variant, &name) {
        Some(row) => KindLookup::Schema(Schema {
            root: row.number,
            scope: row.scope,
            is_native: index == KUBERNETES,
            arena: Arc::clone(arena),
        }),
        None => unserved(arena, index, variant, gvk),
    }
}

/// A group may have kinds that are not built in; those of Kubernetes itself are all there.
fn unserved(arena: &Arena, index: usize, variant: &str, gvk: &Gvk) -> KindLookup {
    let suffix = format!("/{}", gvk.kind);
    let kinds = arena.rows().filter(|row| row.variant == variant);
    let versions: Vec<String> = kinds
        .filter_map(|row| Some(row.name.strip_suffix(&suffix)?.to_owned()))
        .filter(|api_version| index == KUBERNETES || group_of(api_version) == gvk.group)
        .collect();
    // A kind that another version of the operator has is not there in this one.
    let mut all = arena.rows();
    let is_other = all.any(|row| row.name.ends_with(&suffix) && group_of(row.name) == gvk.group);
    match versions.is_empty() && index != KUBERNETES && !is_other {
        true => KindLookup::Nothing,
        false => KindLookup::NotServed { versions },
    }
}

fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

fn unpacked(index: usize) -> &'static Arc<Arena> {
    static UNPACKED: [OnceLock<Arc<Arena>>; FILES.len()] = [const { OnceLock::new() }; FILES.len()];
    UNPACKED[index].get_or_init(|| Arc::new(Arena::unpack(FILES[index].packed)))
}

#[cfg(test)]
mod tests {
    use super::{FILES, KUBE_VERSIONS, KindLookup, Versions, built_in, unpacked};
    use crate::kube::Gvk;

    #[test]
    fn every_built_in_type_is_read_and_refers_to_types_that_are_there() {
        for index in 0..FILES.len() {
            let arena = unpacked(index);
            for number in 0..arena.len() {
                let kind = arena.get(number);
                let mut used = kind
                    .properties
                    .values()
                    .chain(&kind.values)
                    .chain(&kind.items);
                assert!(used.all(|n| *n < arena.len()));
                for rule in &kind.rules {
                    assert!(
                        rule.program().is_ok(),
                        "{}: {:?}",
                        rule.rule,
                        rule.program().err()
                    );
                }
            }
            assert!(arena.rows().all(|row| row.number < arena.len()));
        }
    }

    #[test]
    fn versions_are_told_apart() {
        let is_served = |api: &str, kind: &str, kube: &'static str| {
            let versions = Versions {
                kube,
                ..Versions::default()
            };
            matches!(
                built_in(&Gvk::new(api, kind), versions),
                KindLookup::Schema(_)
            )
        };
        for version in KUBE_VERSIONS {
            assert!(is_served("apps/v1", "Deployment", version), "{version}");
        }
        assert!(!is_served("extensions/v1beta1", "Ingress", "1.34"));
        assert!(is_served("postgresql.cnpg.io/v1", "DatabaseRole", "1.34"));
    }
}
