//! How the program `flux` hides what is sealed in Secrets.
//!
//! Follows `maskSopsData` of flux2 `internal/build/build.go` (v2.9.5). A Secret whose text has `sops:` and `mac: ENC[`
//! loses its `sops` field and gets a mask for every value; in any other Secret the values that hold `sops` and `ENC[`
//! are masked. Other kinds keep their ciphertext and their `sops` field
//! (case `cli-mask-configmap-not`). A value of `data` that is not base64 is
//! refused (case `cli-mask-bad-base64`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::diagnostic::{Code, Diagnostic};
use crate::kube::Resource;
use crate::yaml::{Mapping, Node};

const MASK: &str = "**SOPS**";

/// The mask of a Secret whose value must be JSON.
const JSON_MASK: &str = r#"{"mask":"**SOPS**"}"#;

/// The type of Secrets that hold a JSON document.
const DOCKER_CONFIG: &str = "kubernetes.io/dockerconfigjson";

/// Hides what is sealed in an object. Fails with [`Code::ManifestInvalid`] for a value that is not base64.
pub(super) fn mask(object: &mut Resource) -> Result<(), Diagnostic> {
    if object.kind() == "Secret" {
        let is_sealed = object.node().lookup(&["sops", "mac"]).is_some();
        return match is_sealed {
            true => {
                object.change(mask_whole);
                Ok(())
            }
            false => mask_documents(object),
        };
    }
    Ok(())
}

fn fields(node: &mut Node, field: &str, change: impl FnMut(&mut Node)) {
    let mapping = node.get_mut(field).and_then(Node::as_mapping_mut);
    let entries = mapping.map(Mapping::entries_mut).into_iter().flatten();
    entries.map(|entry| &mut entry.value).for_each(change);
}

/// Masks every value of a Secret that is sealed as a manifest.
fn mask_whole(node: &mut Node) {
    let is_json = node.get("type").and_then(Node::as_str) == Some(DOCKER_CONFIG);
    let text = if is_json { JSON_MASK } else { MASK };
    if let Some(mapping) = node.as_mapping_mut() {
        mapping.remove("sops");
    }
    fields(node, "data", |value| {
        *value = Node::string(STANDARD.encode(text));
    });
    fields(node, "stringData", |value| *value = Node::string(text));
}

/// Masks the values of a Secret that are sealed documents.
fn mask_documents(object: &mut Resource) -> Result<(), Diagnostic> {
    let data = object.node().get("data").and_then(Node::as_mapping);
    for (key, value) in data.into_iter().flat_map(Mapping::iter) {
        let text: String = value
            .scalar_text()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        if STANDARD.decode(&text).is_err() {
            let phrase = format!("data.{key} of {} is not base64", object.id());
            return Err(Diagnostic::new(Code::ManifestInvalid, phrase).at(object.place_of(value)));
        }
    }
    let is_sealed = |text: &[u8]| contains(text, b"sops") && contains(text, b"ENC[");
    object.change(|node| {
        fields(node, "data", |value| {
            let text: String = value
                .scalar_text()
                .unwrap_or_default()
                .split_whitespace()
                .collect();
            if STANDARD.decode(text).is_ok_and(|bytes| is_sealed(&bytes)) {
                *value = Node::string(STANDARD.encode(MASK));
            }
        });
        fields(node, "stringData", |value| {
            if is_sealed(value.scalar_text().unwrap_or_default().as_bytes()) {
                *value = Node::string(STANDARD.encode(MASK));
            }
        });
    });
    Ok(())
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
