//! ConfigMaps, Secrets, service accounts and namespaces. `pkg/apis/core/validation`.

use serde_json::Value;

use super::super::look::{Look, is_open};
use super::super::meta;
use crate::admission::base64;
use crate::admission::names;
use crate::admission::path::Path;
use crate::admission::verdict::{Causes, Reason};

/// All values of a ConfigMap or Secret together may have so many bytes.
const MOST_BYTES: usize = 1 << 20;

fn key(name: &str, path: &Path<'_>, causes: &mut Causes) {
    meta::text(name, names::config_key, &path.key(name), causes);
}

/// A ConfigMap.
pub(super) fn config_map(object: &Value, causes: &mut Causes) {
    let (data, binary) = (Path::ROOT.field("data"), Path::ROOT.field("binaryData"));
    let mut size = 0;
    for (name, value) in object.texts("data") {
        key(name, &data, causes);
        if object.at("binaryData").has(name) {
            causes.invalid(&data.key(name), "is in binaryData as well");
        }
        size += value.len();
    }
    for (name, value) in object.texts("binaryData") {
        key(name, &binary, causes);
        size += base64::decode(value).map_or(0, |bytes| bytes.len());
    }
    if size > MOST_BYTES {
        causes.add(
            &data,
            Reason::TooLong,
            format!("may have {MOST_BYTES} bytes at most"),
        );
    }
}

/// The keys that a type of Secret must have.
const NEEDED: &[(&str, &[&str])] = &[
    ("kubernetes.io/dockercfg", &[".dockercfg"]),
    ("kubernetes.io/dockerconfigjson", &[".dockerconfigjson"]),
    ("kubernetes.io/ssh-auth", &["ssh-privatekey"]),
    ("kubernetes.io/tls", &["tls.crt", "tls.key"]),
];

/// A Secret.
pub(super) fn secret(object: &Value, causes: &mut Causes) {
    let path = Path::ROOT.field("data");
    let data = object.at("data");
    let mut size = 0;
    for (name, value) in object.texts("data") {
        key(name, &path, causes);
        size += base64::decode(value).map_or(0, |bytes| bytes.len());
    }
    if size > MOST_BYTES {
        causes.add(
            &path,
            Reason::TooLong,
            format!("may have {MOST_BYTES} bytes at most"),
        );
    }
    let kind = object.text("type");
    let needed = NEEDED
        .iter()
        .find(|(name, _)| *name == kind)
        .map_or(&[][..], |(_, keys)| keys);
    for name in needed.iter().filter(|name| !data.has(name)) {
        causes.required(&path.key(name), "its type needs the key");
    }
    match kind {
        "kubernetes.io/service-account-token" => {
            let name = "kubernetes.io/service-account.name";
            if object
                .at("metadata")
                .at("annotations")
                .text(name)
                .is_empty()
            {
                let metadata = Path::ROOT.field("metadata");
                let place = metadata.field("annotations");
                causes.required(&place.key(name), "its type needs the annotation");
            }
        }
        "kubernetes.io/basic-auth" if !data.has("username") && !data.has("password") => {
            causes.required(&path.key("username"), "its type needs username or password");
            causes.required(&path.key("password"), "its type needs username or password");
        }
        "kubernetes.io/dockercfg" | "kubernetes.io/dockerconfigjson" => {
            for name in needed.iter().filter(|name| data.has(name)) {
                let bytes = base64::decode(data.text(name)).unwrap_or_default();
                let is_json =
                    serde_json::from_slice::<serde_json::Map<String, Value>>(&bytes).is_ok();
                if !is_json && !is_later(&bytes) {
                    causes.invalid(&path.key(name), "is not JSON");
                }
            }
        }
        _ => {}
    }
}

/// Whether a text holds a variable that is filled later.
fn is_later(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(is_open)
}

/// A ServiceAccount.
pub(super) fn service_account(_object: &Value, _causes: &mut Causes) {}

const LEVELS: [&str; 3] = ["privileged", "baseline", "restricted"];

/// A Namespace, with what the admission of pod security asks of its labels.
pub(super) fn namespace(object: &Value, causes: &mut Causes) {
    let spec = Path::ROOT.field("spec");
    let path = spec.field("finalizers");
    for (index, name) in object
        .at("spec")
        .words("finalizers")
        .into_iter()
        .enumerate()
    {
        meta::finalizer(name, &path.index(index), causes);
    }
    let metadata = Path::ROOT.field("metadata");
    let labels = metadata.field("labels");
    for (name, value) in object.at("metadata").texts("labels") {
        let Some(mode) = name.strip_prefix("pod-security.kubernetes.io/") else {
            continue;
        };
        let (mode, is_version) = match mode.strip_suffix("-version") {
            Some(mode) => (mode, true),
            None => (mode, false),
        };
        if !matches!(mode, "enforce" | "audit" | "warn") || is_open(value) {
            continue;
        }
        if is_version && !is_level_version(value) {
            causes.invalid(&labels.key(name), "must be latest or v1.x");
        } else if !is_version && !LEVELS.contains(&value) {
            causes.invalid(
                &labels.key(name),
                format!("must be one of {}", LEVELS.join(", ")),
            );
        }
    }
}

fn is_level_version(text: &str) -> bool {
    let minor = text.strip_prefix("v1.");
    text == "latest"
        || minor.is_some_and(|m| !m.is_empty() && m.bytes().all(|b| b.is_ascii_digit()))
}
