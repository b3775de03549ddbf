//! Volumes: `spec.storage`, `spec.walStorage` and `spec.tablespaces`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{item, quantity};
use crate::admission::Reason;
use crate::admission::native::Look;
use crate::admission::quantity::Quantity;
use crate::admission::webhooks::cnpg::Judging;

pub(super) fn check(cluster: &Value, judging: &mut Judging<'_>) {
    let spec = cluster.at("spec");
    size(spec.at("storage"), &["spec", "storage"], judging);
    if spec.has("walStorage") {
        size(spec.at("walStorage"), &["spec", "walStorage"], judging);
    }
    let limits = spec.at("ephemeralVolumesSizeLimit");
    if spec.has("ephemeralVolumeSource") && limits.has("temporaryData") {
        judging.add(
            &["spec", "ephemeralVolumeSource"],
            Reason::Duplicate,
            "must not be set beside ephemeralVolumesSizeLimit.temporaryData",
        );
    }
    tablespaces(spec, judging);
}

/// `validateStorageConfigurationSize`.
fn size(storage: &Value, steps: &[&str], judging: &mut Judging<'_>) {
    let size = storage.text("size");
    let at = [steps, &["size"]].concat();
    if size.is_empty() && !is_requested(storage) {
        judging.invalid(&at, "is required, here or as a request of pvcTemplate");
    } else if !size.is_empty() && Quantity::parse(size).is_err() {
        judging.invalid(&at, "must be a quantity");
    }
}

/// The size that the template of a claim asks for.
fn request(storage: &Value) -> Option<Quantity> {
    quantity(storage.down(&["pvcTemplate", "resources", "requests", "storage"]))
}

fn is_requested(storage: &Value) -> bool {
    request(storage).is_some_and(|request| request.sign().is_ne())
}

/// `GetSizeOrNil`.
pub(super) fn size_of(storage: &Value) -> Option<Quantity> {
    match storage.text("size") {
        "" => request(storage),
        size => Quantity::parse(size).ok(),
    }
}

/// `validateTablespaceNames`, `validateTablespaceStorageSize`, `validateTablespaceBackupSnapshot`.
fn tablespaces(spec: &Value, judging: &mut Judging<'_>) {
    let (mut names, mut volumes) = (BTreeSet::new(), BTreeSet::new());
    for (index, space) in spec.items("tablespaces").iter().enumerate() {
        let index = item(index);
        let steps = ["spec", "tablespaces", index.as_str()];
        size(space.at("storage"), &steps, judging);
        let name = space.text("name");
        if !names.insert(name.to_lowercase()) {
            judging.invalid(&steps, "has the name of another tablespace");
            continue;
        }
        if name.starts_with("pg_") || !is_identifier(name) || name.len() > 63 {
            judging.invalid(
                &steps,
                "must have an identifier of PostgreSQL as its name, of at most 63 characters and without pg_ before it",
            );
        }
        if !volumes.insert(name.replace('_', "-").to_lowercase()) {
            judging.invalid(
                &steps,
                "needs a volume of the same name as another tablespace",
            );
        }
    }
    let snapshots = spec.down(&["backup", "volumeSnapshot"]);
    let is_there = |name: &str| {
        let spaces = spec.items("tablespaces").iter();
        spaces.into_iter().any(|space| space.text("name") == name)
    };
    for (name, _) in snapshots.entries("tablespaceClassName") {
        if !is_there(name) {
            judging.invalid(
                &["spec", "backup", "volumeSnapshot", "tablespaceClassName"],
                "names a tablespace that the Cluster does not have",
            );
        }
    }
}

fn is_identifier(name: &str) -> bool {
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_';
    let mut letters = name.chars();
    letters.next().is_some_and(is_start)
        && letters.all(|c| is_start(c) || c.is_ascii_digit() || c == '$')
}

/// `getStorageWarnings`.
pub(super) fn warnings(spec: &Value, judging: &mut Judging<'_>) {
    for field in ["storage", "walStorage"] {
        let storage = spec.at(field);
        let has_class = storage.at("pvcTemplate").has("storageClassName");
        if storage.has("storageClass") && has_class {
            judging.warn(
                &["spec", field, "storageClass"],
                "wins over that of pvcTemplate",
            );
        }
        if !storage.text("size").is_empty() && is_requested(storage) {
            judging.warn(&["spec", field, "size"], "wins over that of pvcTemplate");
        }
    }
}
