//! `replicas`: how often something runs.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Result, Source, nearest};
use crate::kube::ResMap;
use crate::kustomize::fieldspec::{self, FieldSpec, Missing, set_scalar};
use crate::kustomize::kustomization::Replica;
use crate::yaml::Tag;

/// Sets the count of the objects that have, or had, the name of an entry.
///
/// Fails with [`Code::ReplicaTargetMissing`] when there is none for an entry.
pub(crate) fn apply(
    resources: &mut ResMap,
    replicas: &[Replica],
    rows: &[FieldSpec],
    source: &Source,
) -> Result<()> {
    if replicas.is_empty() {
        return Ok(());
    }
    let positions = positions_by_name(resources, replicas);
    let objects = resources.as_mut_slice();
    for replica in replicas {
        let count = replica.count.to_string();
        let mut is_found = false;
        for row in rows {
            for &at in positions.get(&*replica.name).map_or(&[][..], Vec::as_slice) {
                let object = &mut objects[at];
                if !has_or_had(object, &replica.name, row) {
                    continue;
                }
                is_found = true;
                let rows = std::iter::once(row);
                fieldspec::apply(object, rows, Missing::Scalar(Tag::Int), |node| {
                    set_scalar(node, &count, Tag::Int)
                })?;
            }
        }
        if !is_found {
            return Err(missing(resources, replica, rows, source));
        }
    }
    Ok(())
}

fn has_or_had(object: &crate::kube::Resource, name: &str, row: &FieldSpec) -> bool {
    (object.name() == name && row.selects(object.gvk()))
        || object
            .previous_ids()
            .any(|id| id.name == name && row.selects(&id.gvk))
}

/// The objects that have, or had, one of the names, in order.
fn positions_by_name(resources: &ResMap, replicas: &[Replica]) -> BTreeMap<String, Vec<usize>> {
    let mut positions: BTreeMap<String, Vec<usize>> = replicas
        .iter()
        .map(|r| (r.name.to_string(), Vec::new()))
        .collect();
    for (at, object) in resources.iter().enumerate() {
        let previous = object.history().previous.iter().map(|p| &*p.name);
        for name in previous.chain([object.name()]) {
            if let Some(found) = positions.get_mut(name)
                && found.last() != Some(&at)
            {
                found.push(at);
            }
        }
    }
    positions
}

fn missing(
    resources: &ResMap,
    replica: &Replica,
    rows: &[FieldSpec],
    source: &Source,
) -> Diagnostic {
    let mut kinds: Vec<&str> = rows.iter().map(|r| &*r.kind).collect();
    kinds.dedup();
    let phrase = format!("no {} is named {}", kinds.join(", "), replica.name);
    let error = Diagnostic::new(Code::ReplicaTargetMissing, phrase)
        .at(source.place(replica.mark.line, replica.mark.column));
    let counted = resources
        .iter()
        .filter(|r| rows.iter().any(|row| row.selects(r.gvk())));
    let names: Vec<&str> = counted.map(|r| r.original_name()).collect();
    match nearest(&replica.name, names.iter().copied()) {
        Some(near) => error.help(format!("did you mean {near}?")),
        None if names.is_empty() => error,
        None => error.help(format!("this build has {}", names.join(", "))),
    }
}
