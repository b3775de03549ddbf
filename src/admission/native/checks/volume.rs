//! Volumes of pods. `pkg/apis/core/validation`: `ValidateVolumes` and the sources.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::look::{Look, is_open};
use super::super::meta;
use super::container::{descending, field_reference, resource_reference};
use super::{one_of, storage, twice};
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::verdict::Causes;

/// Fields that must be there, of sources that need nothing else.
const NEEDED: &[(&str, &[&str])] = &[
    ("hostPath", &["path"]),
    ("nfs", &["server", "path"]),
    ("persistentVolumeClaim", &["claimName"]),
    ("csi", &["driver"]),
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
    ("gitRepo", &["repository"]),
    ("glusterfs", &["endpoints", "path"]),
    ("rbd", &["image"]),
    ("cinder", &["volumeID"]),
    ("cephfs", &[]),
    ("azureFile", &["secretName", "shareName"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("scaleIO", &["gateway", "system"]),
    ("flexVolume", &["driver"]),
    ("image", &["reference"]),
    ("iscsi", &["targetPortal", "iqn"]),
    ("configMap", &["name"]),
    ("secret", &["secretName"]),
];

const HOST_PATHS: &[&str] = &[
    "",
    "DirectoryOrCreate",
    "Directory",
    "FileOrCreate",
    "File",
    "Socket",
    "CharDevice",
    "BlockDevice",
];

const POD_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.labels",
    "metadata.annotations",
    "metadata.uid",
];

/// Judges the volumes of a pod.
pub(super) fn volumes(spec: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = spec.items("volumes");
    for (index, volume) in list.iter().enumerate() {
        let at = path.index(index);
        meta::required_text(
            volume.text("name"),
            names::dns1123_label,
            &at.field("name"),
            causes,
        );
        source(volume, &at, causes);
    }
    for index in twice(list.iter().map(|v| v.text("name"))) {
        causes.duplicate(&path.index(index).field("name"));
    }
}

fn source(volume: &Value, path: &Path<'_>, causes: &mut Causes) {
    let fields = volume.as_object().into_iter().flatten();
    let given: Vec<&str> = fields
        .map(|(name, _)| &**name)
        .filter(|name| *name != "name")
        .collect();
    for more in given.iter().skip(1) {
        causes.forbidden(&path.field(more), "one source is the most");
    }
    for kind in given {
        one_source(kind, volume.at(kind), &path.field(kind), causes);
    }
}

/// Judges one source of a volume, also of a PersistentVolume.
pub(super) fn one_source(kind: &str, source: &Value, path: &Path<'_>, causes: &mut Causes) {
    let needed = NEEDED.iter().find(|(name, _)| *name == kind);
    for field in needed.map_or(&[][..], |(_, fields)| fields) {
        if source.text(field).is_empty() {
            causes.required(&path.field(field), "");
        }
    }
    match kind {
        "hostPath" => {
            one_of(source, "type", HOST_PATHS, path, causes);
            if source.text("path").split('/').any(|part| part == "..") {
                causes.invalid(&path.field("path"), "must not contain '..'");
            }
        }
        "nfs" => {
            let text = source.text("path");
            if !text.is_empty() && !text.starts_with('/') && !is_open(text) {
                causes.invalid(&path.field("path"), "must be an absolute path");
            }
        }
        "csi" if !source.text("driver").is_empty() => {
            let lower = source.text("driver").to_ascii_lowercase();
            meta::text(
                &lower,
                names::dns1123_subdomain,
                &path.field("driver"),
                causes,
            );
        }
        "emptyDir"
            if super::resources::quantity(source.at("sizeLimit"))
                .is_some_and(|q| q.sign().is_lt()) =>
        {
            causes.forbidden(&path.field("sizeLimit"), "may not be negative");
        }
        "configMap" | "secret" => {
            mode(source, "defaultMode", path, causes);
            keys(source.items("items"), &path.field("items"), causes);
        }
        "downwardAPI" => {
            mode(source, "defaultMode", path, causes);
            downward(source, path, causes);
        }
        "projected" => projected(source, path, causes),
        "ephemeral" => {
            let template = path.field("volumeClaimTemplate");
            if source.has("volumeClaimTemplate") {
                let spec = source.at("volumeClaimTemplate").at("spec");
                storage::claim_spec(spec, &template.field("spec"), causes);
            } else {
                causes.required(&template, "");
            }
        }
        _ => {}
    }
}

fn mode(source: &Value, field: &str, path: &Path<'_>, causes: &mut Causes) {
    if source
        .int(field)
        .is_some_and(|mode| !(0..=0o777).contains(&mode))
    {
        causes.invalid(
            &path.field(field),
            "must be a number between 0 and 0777 (octal), both inclusive",
        );
        causes.help("write it with a leading zero, as 0644");
    }
}

fn keys(items: &[Value], path: &Path<'_>, causes: &mut Causes) {
    for (index, item) in items.iter().enumerate() {
        let at = path.index(index);
        if item.text("key").is_empty() {
            causes.required(&at.field("key"), "");
        }
        file_path(item, &at, causes);
        mode(item, "mode", &at, causes);
    }
}

/// A path below the volume that does not start with `..`.
fn file_path(item: &Value, path: &Path<'_>, causes: &mut Causes) {
    let (text, place) = (item.text("path"), path.field("path"));
    if text.is_empty() {
        causes.required(&place, "");
    }
    descending(text, &place, causes);
    if text.starts_with("..") && !text.starts_with("../") && text != ".." {
        causes.invalid(&place, "must not start with '..'");
    }
}

fn downward(source: &Value, path: &Path<'_>, causes: &mut Causes) {
    let list = path.field("items");
    for (index, item) in source.items("items").iter().enumerate() {
        let at = list.index(index);
        file_path(item, &at, causes);
        match (item.has("fieldRef"), item.has("resourceFieldRef")) {
            (true, true) => {
                causes.invalid(&at, "may have one of fieldRef and resourceFieldRef only");
            }
            (false, false) => causes.required(&at.field("fieldRef"), "or resourceFieldRef"),
            (true, false) => field_reference(
                item.at("fieldRef"),
                POD_FIELDS,
                &at.field("fieldRef"),
                causes,
            ),
            (false, true) => {
                resource_reference(
                    item.at("resourceFieldRef"),
                    true,
                    &at.field("resourceFieldRef"),
                    causes,
                );
            }
        }
        mode(item, "mode", &at, causes);
    }
}

fn projected(source: &Value, path: &Path<'_>, causes: &mut Causes) {
    mode(source, "defaultMode", path, causes);
    let list = path.field("sources");
    let mut taken = BTreeSet::new();
    for (index, one) in source.items("sources").iter().enumerate() {
        let at = list.index(index);
        let fields: Vec<&str> = one
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| &**name)
            .collect();
        for more in fields.iter().skip(1) {
            causes.forbidden(&at.field(more), "one source is the most");
        }
        for kind in &fields {
            projection(kind, one.at(kind), &at.field(kind), causes);
            let items = one
                .at(kind)
                .items("items")
                .iter()
                .map(|item| item.text("path"));
            let own = Some(one.at(kind).text("path")).filter(|text| !text.is_empty());
            for text in items.chain(own) {
                if !text.is_empty() && !taken.insert(text) {
                    causes.invalid(path, "has sources that write the same path");
                }
            }
        }
    }
}

fn projection(kind: &str, source: &Value, path: &Path<'_>, causes: &mut Causes) {
    match kind {
        "secret" | "configMap" => {
            if source.text("name").is_empty() {
                causes.required(&path.field("name"), "");
            }
            keys(source.items("items"), &path.field("items"), causes);
        }
        "downwardAPI" => downward(source, path, causes),
        "serviceAccountToken" => {
            let seconds = source.int("expirationSeconds").unwrap_or(3600);
            let place = path.field("expirationSeconds");
            if seconds < 600 {
                causes.invalid(&place, "may not specify a duration less than 10 minutes");
            } else if seconds > 1 << 32 {
                causes.invalid(
                    &place,
                    "may not specify a duration larger than 2^32 seconds",
                );
            }
            if source.text("path").is_empty() {
                causes.required(&path.field("path"), "");
            } else {
                descending(source.text("path"), &path.field("path"), causes);
            }
        }
        "clusterTrustBundle" if source.text("path").is_empty() => {
            causes.required(&path.field("path"), "");
        }
        _ => {}
    }
}
