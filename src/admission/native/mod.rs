//! Kubernetes' own kinds: what Go's decoder, the defaults and the validation code make of an object.
//!
//! Start with [`judge`]. The schema says how an object is read; everything else that a CRD would have in its schema
//! is Go code of the API server, which [`checks`] follows kind by kind.

mod checks;
mod decode;
mod defaults;
mod look;
mod meta;
mod update;

pub(super) use look::Look;

pub(super) use checks::name_test;
pub(super) use meta::{meta_of_new, object_meta};
pub(super) use update::{check as check_update, take_over};

use serde_json::Value;

use super::path::Path;
use super::schemas::Schema;
use super::verdict::{Causes, Verdict};
use crate::kube::Gvk;
use decode::Faults;

/// Reads an object of a built-in kind in place: types and unknown fields. Whether it could be read.
pub(super) fn read(schema: &Schema, object: &mut Value, verdict: &mut Verdict) -> bool {
    let (mut errors, mut unknown) = (Causes::default(), Causes::default());
    let mut faults = Faults {
        errors: &mut errors,
        unknown: &mut unknown,
    };
    decode::decode(&schema.arena, schema.root, object, &Path::ROOT, &mut faults);
    let is_read = errors.is_empty();
    verdict.errors.extend(errors.list);
    verdict.unknown.extend(unknown.list);
    is_read
}

/// Sets the defaults of an object of a built-in kind that was read.
pub(super) fn set_defaults(schema: &Schema, gvk: &Gvk, object: &mut Value) {
    decode::set_defaults(&schema.arena, schema.root, object);
    defaults::set(&gvk.kind, object);
}

/// Reads the metadata of any object as Go does.
pub(super) fn read_metadata(schema: &Schema, object: &mut Value, verdict: &mut Verdict) {
    let Some(metadata) = object.get_mut("metadata") else {
        return;
    };
    let (mut errors, mut unknown) = (Causes::default(), Causes::default());
    let mut faults = Faults {
        errors: &mut errors,
        unknown: &mut unknown,
    };
    let path = Path::ROOT.field("metadata");
    decode::decode(&schema.arena, schema.root, metadata, &path, &mut faults);
    verdict.errors.extend(errors.list);
    verdict.unknown.extend(unknown.list);
}

/// Checks an object of a built-in kind that was read.
pub(super) fn check(gvk: &Gvk, object: &Value, causes: &mut Causes) {
    checks::check(&gvk.group, &gvk.kind, object, causes);
}
