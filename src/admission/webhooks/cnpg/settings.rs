//! What a Cluster's fields say together, as the operator's `cluster_funcs.go` reads them.

use serde_json::Value;

use crate::admission::native::Look;

/// The tag of an image; `latest` where there is neither tag nor digest, empty where there is a digest alone.
pub(super) fn tag(image: &str) -> &str {
    let (plain, digest) = match image.split_once('@') {
        Some((plain, digest)) => (plain, Some(digest)),
        None => (image, None),
    };
    let last = plain.rsplit('/').next().unwrap_or_default();
    match (last.split_once(':'), digest) {
        (Some((_, tag)), _) => tag,
        (None, Some(_)) => "",
        (None, None) => "latest",
    }
}

/// The major version that a tag begins with.
pub(super) fn major_of_tag(tag: &str) -> Option<u64> {
    let end = tag.find(|c: char| !c.is_ascii_digit()).unwrap_or(tag.len());
    tag[..end].parse().ok()
}

/// The major version of PostgreSQL, where the object itself says it.
pub(super) fn major(cluster: &Value) -> Option<u64> {
    let spec = cluster.at("spec");
    match spec.at("imageCatalogRef").int("major") {
        Some(major) => u64::try_from(major).ok(),
        None => major_of_tag(tag(spec.text("imageName"))),
    }
}

/// Whether the Cluster follows another one.
pub(super) fn is_replica(cluster: &Value) -> bool {
    let replica = cluster.down(&["spec", "replica"]);
    if replica.is_null() {
        return false;
    }
    if let Some(enabled) = replica.at("enabled").as_bool() {
        return enabled;
    }
    let own = match replica.text("self") {
        "" => cluster.at("metadata").text("name"),
        own => own,
    };
    own != replica.text("primary")
}

/// Whether an annotation keeps WAL from being archived.
pub(super) fn is_archiving_off(cluster: &Value) -> bool {
    let annotations = cluster.down(&["metadata", "annotations"]);
    annotations.text("cnpg.io/skipWalArchiving") == "enabled"
}

/// What the operator sets `archive_mode` to.
pub(super) fn archive_mode(cluster: &Value) -> &'static str {
    match (is_archiving_off(cluster), is_replica(cluster)) {
        (true, _) => "off",
        (false, true) => "always",
        (false, false) => "on",
    }
}
