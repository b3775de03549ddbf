//! Holds objects against the schemas of their CRDs, with unknown fields refused.
//!
//! `data/GROUP.json` is made by `.ci/compact_schemas.py` from the CRDs' OpenAPI schemas: every type of a
//! group once, one a line, referred to by its number. A group is parsed when an object of it is judged.
//! Unlike the API server, which drops what it does not know without a word, this says so.

mod judge;
mod types;

use std::sync::OnceLock;

use crate::diagnostic::Report;
use crate::kube::{ResMap, Resource};
use judge::Judge;
use types::Group;

/// The groups whose schemas are built in.
const GROUPS: [(&str, &str); 10] = [
    ("argoproj.io", include_str!("data/argoproj.io.json")),
    (
        "barmancloud.cnpg.io",
        include_str!("data/barmancloud.cnpg.io.json"),
    ),
    ("cilium.io", include_str!("data/cilium.io.json")),
    (
        "external-secrets.io",
        include_str!("data/external-secrets.io.json"),
    ),
    (
        "generators.external-secrets.io",
        include_str!("data/generators.external-secrets.io.json"),
    ),
    (
        "helm.toolkit.fluxcd.io",
        include_str!("data/helm.toolkit.fluxcd.io.json"),
    ),
    (
        "kustomize.toolkit.fluxcd.io",
        include_str!("data/kustomize.toolkit.fluxcd.io.json"),
    ),
    (
        "monitoring.coreos.com",
        include_str!("data/monitoring.coreos.com.json"),
    ),
    (
        "postgresql.cnpg.io",
        include_str!("data/postgresql.cnpg.io.json"),
    ),
    (
        "source.toolkit.fluxcd.io",
        include_str!("data/source.toolkit.fluxcd.io.json"),
    ),
];

/// What was judged, and what is wrong.
#[derive(Debug, Default)]
pub struct Judgement {
    /// The findings, object by object.
    pub report: Report,
    /// How many objects have a schema.
    pub judged: usize,
    /// How many have none.
    pub unknown: usize,
}

/// Judges every object whose kind has a built-in schema.
pub fn schema(resources: &ResMap) -> Judgement {
    let mut judgement = Judgement::default();
    for resource in resources.iter() {
        let known = group(resource).and_then(|group| Some((group, group.kind(resource)?)));
        match known {
            Some((group, number)) => {
                judgement.judged += 1;
                Judge::new(group, resource, &mut judgement.report).object(number);
            }
            None => judgement.unknown += 1,
        }
    }
    judgement
}

/// The schemas of an object's group, parsed once.
fn group(resource: &Resource) -> Option<&'static Group> {
    static PARSED: [OnceLock<Group>; GROUPS.len()] = [const { OnceLock::new() }; GROUPS.len()];
    let index = GROUPS
        .iter()
        .position(|(name, _)| *name == resource.gvk().group)?;
    Some(PARSED[index].get_or_init(|| {
        serde_json::from_str(GROUPS[index].1).expect("built-in schemas were made by our own tool")
    }))
}

#[cfg(test)]
mod tests {
    use super::{GROUPS, Group};

    #[test]
    fn built_in_schemas_parse_and_refer_to_types_that_are_there() {
        for (name, text) in GROUPS {
            let group: Group = serde_json::from_str(text).expect(name);
            assert!(group.is_whole(), "{name}");
        }
    }
}
