//! The versions of the products whose verdict is asked for.

use super::schemas::{CNPG_VERSIONS, KUBE_VERSIONS};
use crate::diagnostic::{Code, Diagnostic, Result};

/// The versions of one cluster, of those that are built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The minor version of Kubernetes.
    pub kube: &'static str,
    /// The minor version of CloudNativePG.
    pub cnpg: &'static str,
}

impl Default for Versions {
    /// The newest.
    fn default() -> Self {
        Self {
            kube: KUBE_VERSIONS[KUBE_VERSIONS.len() - 1],
            cnpg: CNPG_VERSIONS[CNPG_VERSIONS.len() - 1],
        }
    }
}

impl Versions {
    /// Reads versions such as `1.34` or `v1.34.2`; the newest where none is given.
    ///
    /// Fails with [`Code::Usage`] on a version that is not built in.
    pub fn find(kube: Option<&str>, cnpg: Option<&str>) -> Result<Self> {
        let newest = Self::default();
        Ok(Self {
            kube: kube.map_or(Ok(newest.kube), |v| minor(v, &KUBE_VERSIONS, "Kubernetes"))?,
            cnpg: cnpg.map_or(Ok(newest.cnpg), |v| {
                minor(v, &CNPG_VERSIONS, "CloudNativePG")
            })?,
        })
    }
}

fn minor(given: &str, known: &[&'static str], of: &str) -> Result<&'static str> {
    let plain = given.trim_start_matches('v');
    let is_it = |version: &&&str| plain == **version || plain.starts_with(&format!("{version}."));
    known.iter().find(is_it).copied().ok_or_else(|| {
        Diagnostic::new(Code::Usage, format!("{of} {given} is not known"))
            .help(format!("known are {}", known.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::Versions;

    #[test]
    fn a_patch_version_is_its_minor_version() {
        let found = Versions::find(Some("v1.34.2"), Some("1.28"));
        assert_eq!(found.ok().map(|v| (v.kube, v.cnpg)), Some(("1.34", "1.28")));
        assert!(Versions::find(Some("1.3"), None).is_err());
    }
}
