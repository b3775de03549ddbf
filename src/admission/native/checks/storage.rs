//! Claims, volumes and storage classes. `pkg/apis/core/validation`, `pkg/apis/storage/validation`.

use serde_json::Value;

use super::super::look::{Look, is_open};
use super::super::meta;
use super::{one_of, pod, resources, volume};
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::verdict::Causes;

const MODES: &[&str] = &[
    "ReadOnlyMany",
    "ReadWriteMany",
    "ReadWriteOnce",
    "ReadWriteOncePod",
];

/// A PersistentVolumeClaim.
pub(super) fn claim(object: &Value, causes: &mut Causes) {
    claim_spec(object.at("spec"), &Path::ROOT.field("spec"), causes);
}

fn modes(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let place = path.field("accessModes");
    let given = spec.words("accessModes");
    if given.is_empty() {
        causes.required(&place, "at least 1 access mode is required");
    }
    for mode in given
        .iter()
        .filter(|mode| !MODES.contains(mode) && !is_open(mode))
    {
        causes.unsupported(&place, MODES);
        if let Some(near) = crate::diagnostic::nearest(mode, MODES.iter().copied()) {
            causes.help(format!("did you mean {near}?"));
        }
    }
    if given.contains(&"ReadWriteOncePod") && given.len() > 1 {
        causes.forbidden(
            &place,
            "ReadWriteOncePod takes no other access mode beside it",
        );
    }
    one_of(spec, "volumeMode", &["Block", "Filesystem"], path, causes);
}

/// The spec of a claim.
pub(super) fn claim_spec(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    modes(spec, path, causes);
    meta::selector(spec.at("selector"), &path.field("selector"), causes);
    let asked = spec.at("resources").at("requests").at("storage");
    let place = path.field("resources");
    match resources::quantity(asked) {
        None if asked.is_null() => causes.required(&place.key("storage"), "requests.storage"),
        Some(amount) if !amount.sign().is_gt() => {
            causes.invalid(&place.key("storage"), "must be greater than zero");
        }
        _ => {}
    }
    for field in ["storageClassName", "volumeAttributesClassName"] {
        if !spec.text(field).is_empty() {
            meta::text(
                spec.text(field),
                names::dns1123_subdomain,
                &path.field(field),
                causes,
            );
        }
    }
    for field in ["dataSource", "dataSourceRef"] {
        let source = spec.at(field);
        if source.is_null() {
            continue;
        }
        let at = path.field(field);
        for part in ["name", "kind"]
            .iter()
            .filter(|part| source.text(part).is_empty())
        {
            causes.required(&at.field(part), "");
        }
        if source.text("apiGroup").is_empty() && source.text("kind") != "PersistentVolumeClaim" {
            causes.invalid(
                &at,
                "must be a PersistentVolumeClaim when it has no apiGroup",
            );
        }
    }
}

/// The fields of a volume's spec that are no sources.
const NOT_SOURCES: &[&str] = &[
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
];

/// A PersistentVolume.
pub(super) fn persistent_volume(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    modes(spec, &path, causes);
    let place = path.field("capacity");
    let capacity = spec.entries("capacity");
    if capacity.is_empty() {
        causes.required(&place, "");
    } else if capacity.len() > 1 || capacity[0].0 != "storage" {
        causes.unsupported(&place, &["storage"]);
    }
    for (name, amount) in capacity {
        if resources::quantity(amount).is_some_and(|q| !q.sign().is_gt()) {
            causes.invalid(&place.key(name), "must be greater than zero");
        }
    }
    one_of(
        spec,
        "persistentVolumeReclaimPolicy",
        &["Delete", "Recycle", "Retain"],
        &path,
        causes,
    );
    if !spec.text("storageClassName").is_empty() {
        meta::text(
            spec.text("storageClassName"),
            names::dns1123_subdomain,
            &path.field("storageClassName"),
            causes,
        );
    }
    if spec.has("nodeAffinity") {
        let affinity = path.field("nodeAffinity");
        match spec.at("nodeAffinity").at("required") {
            Value::Null => causes.required(
                &affinity.field("required"),
                "must specify required node constraints",
            ),
            required => pod::node_selector(required, &affinity.field("required"), causes),
        }
    }
    sources(spec, &path, causes);
}

fn sources(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let fields = spec
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| &**name);
    let given: Vec<&str> = fields.filter(|name| !NOT_SOURCES.contains(name)).collect();
    if given.is_empty() {
        causes.required(path, "must specify a volume type");
    }
    for more in given.iter().skip(1) {
        causes.forbidden(&path.field(more), "one volume type is the most");
    }
    for kind in given {
        let at = path.field(kind);
        let source = spec.at(kind);
        volume::one_source(kind, source, &at, causes);
        match kind {
            "csi" if source.text("volumeHandle").is_empty() => {
                causes.required(&at.field("volumeHandle"), "");
            }
            "local" => {
                if source.text("path").is_empty() {
                    causes.required(&at.field("path"), "");
                }
                if !spec.has("nodeAffinity") {
                    causes.required(&path.field("nodeAffinity"), "a local volume needs it");
                }
            }
            _ => {}
        }
    }
}

/// A StorageClass.
pub(super) fn class(object: &Value, causes: &mut Causes) {
    let root = &Path::ROOT;
    let lower = object.text("provisioner").to_ascii_lowercase();
    meta::required_text(
        &lower,
        names::qualified_name,
        &root.field("provisioner"),
        causes,
    );
    let parameters = root.field("parameters");
    let entries = object.texts("parameters");
    if entries.len() > 512 {
        causes.add(
            &parameters,
            crate::admission::verdict::Reason::TooLong,
            "may have 512 entries at most",
        );
    }
    if entries.iter().any(|(key, _)| key.is_empty()) {
        causes.invalid(&parameters, "must not have an empty key");
    }
    one_of(object, "reclaimPolicy", &["Delete", "Retain"], root, causes);
    one_of(
        object,
        "volumeBindingMode",
        &["Immediate", "WaitForFirstConsumer"],
        root,
        causes,
    );
    let list = root.field("allowedTopologies");
    for (index, term) in object.items("allowedTopologies").iter().enumerate() {
        let at = list.index(index);
        let expressions = at.field("matchLabelExpressions");
        for (index, one) in term.items("matchLabelExpressions").iter().enumerate() {
            let at = expressions.index(index);
            meta::text(
                one.text("key"),
                names::qualified_name,
                &at.field("key"),
                causes,
            );
            if one.items("values").is_empty() {
                causes.required(&at.field("values"), "");
            }
        }
    }
}

/// A CSIDriver.
pub(super) fn csi_driver(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("spec");
    let spec = object.at("spec");
    one_of(
        spec,
        "fsGroupPolicy",
        &["ReadWriteOnceWithFSType", "File", "None"],
        &path,
        causes,
    );
    let list = path.field("volumeLifecycleModes");
    for (index, mode) in spec.words("volumeLifecycleModes").into_iter().enumerate() {
        if !matches!(mode, "Persistent" | "Ephemeral") {
            causes.unsupported(&list.index(index), &["Persistent", "Ephemeral"]);
        }
    }
}
