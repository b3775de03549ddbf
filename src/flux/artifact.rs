//! An OCI image layout of rendered manifests, the same bytes for the same input.
//!
//! One layer of type `application/vnd.oci.image.layer.v1.tar+gzip` serves both hosts: Flux untars the first
//! layer whatever its type, and Argo CD takes exactly one of that type. Specified by the OCI image format
//! 1.1 (manifest, image-layout); time stamps and owners are zero, so that the digest depends on content only.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The type of a manifest.
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The type of the config that Flux's own artifacts carry.
const CONFIG_TYPE: &str = "application/vnd.cncf.flux.config.v1+json";
/// The layer type of the OCI image format.
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// Creation time of a reproducible artifact.
const EPOCH: &str = "1970-01-01T00:00:00Z";

/// The type of the layer of Flux's own artifacts.
const FLUX_LAYER_TYPE: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
/// The prefix of annotations that the image format defines.
const PREFIX: &str = "org.opencontainers.image.";

/// The type of the one layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LayerType {
    /// Of the OCI image format, which Flux and Argo CD both take.
    #[default]
    Oci,
    /// Flux's own, which Argo CD refuses.
    Flux,
}

impl LayerType {
    fn name(self) -> &'static str {
        match self {
            Self::Oci => LAYER_TYPE,
            Self::Flux => FLUX_LAYER_TYPE,
        }
    }
}

/// What an artifact says of itself.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// The repository's URL.
    pub source: Option<String>,
    /// `BRANCH@sha1:COMMIT`.
    pub revision: Option<String>,
    /// When it was made, in RFC 3339; the epoch when absent.
    pub created: Option<String>,
    /// Further annotations of the manifest; they win over the three above.
    pub annotations: Vec<(String, String)>,
    /// The name by which `oras` and `skopeo` find the manifest in the layout.
    pub tag: Option<String>,
    /// The type of the layer.
    pub layer: LayerType,
}

impl Description {
    fn created(&self) -> &str {
        self.created.as_deref().unwrap_or(EPOCH)
    }

    /// The annotations of the manifest, by name.
    fn annotations(&self) -> BTreeMap<String, &str> {
        let mut all = BTreeMap::from([(format!("{PREFIX}created"), self.created())]);
        for (key, value) in [("source", &self.source), ("revision", &self.revision)] {
            all.extend(value.as_deref().map(|v| (format!("{PREFIX}{key}"), v)));
        }
        all.extend(
            self.annotations
                .iter()
                .map(|(key, value)| (key.clone(), value.as_str())),
        );
        all
    }
}

/// A layout's files by path, and the digest of its manifest.
#[derive(Debug)]
pub struct Layout {
    /// `oci-layout`, `index.json`, `blobs/sha256/…`.
    pub files: BTreeMap<String, Vec<u8>>,
    /// `sha256:…` of the manifest: what a push prints.
    pub digest: String,
}

/// Packs files, by path, into a layout.
pub fn pack(
    files: &BTreeMap<String, Vec<u8>>,
    description: &Description,
) -> std::io::Result<Layout> {
    let archive = archive(files)?;
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::default());
    gzip.write_all(&archive)?;
    let layer = gzip.finish()?;
    let config = to_bytes(&json!({
        "created": description.created(),
        "architecture": "",
        "os": "",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest(&archive)]},
    }));
    let manifest = to_bytes(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": descriptor(CONFIG_TYPE, &config),
        "layers": [descriptor(description.layer.name(), &layer)],
        "annotations": description.annotations(),
    }));
    let mut listed = descriptor(MANIFEST_TYPE, &manifest);
    if let Some(tag) = &description.tag {
        listed["annotations"] = json!({format!("{PREFIX}ref.name"): tag});
    }
    let index = to_bytes(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [listed],
    }));
    let digest_of_manifest = digest(&manifest);
    let mut layout = BTreeMap::new();
    for blob in [layer, config, manifest] {
        layout.insert(format!("blobs/{}", digest(&blob).replace(':', "/")), blob);
    }
    layout.insert("index.json".to_owned(), index);
    layout.insert(
        "oci-layout".to_owned(),
        to_bytes(&json!({"imageLayoutVersion": "1.0.0"})),
    );
    Ok(Layout {
        files: layout,
        digest: digest_of_manifest,
    })
}

/// A tar of files and their directories in the order of their paths, without times and owners.
fn archive(files: &BTreeMap<String, Vec<u8>>) -> std::io::Result<Vec<u8>> {
    let mut directories = BTreeSet::new();
    for path in files.keys() {
        directories.extend(path.match_indices('/').map(|(at, _)| &path[..at]));
    }
    let mut archive = tar::Builder::new(Vec::new());
    for directory in directories {
        let mut header = header(tar::EntryType::Directory, 0o755, 0);
        archive.append_data(&mut header, format!("{directory}/"), std::io::empty())?;
    }
    for (path, bytes) in files {
        let mut header = header(tar::EntryType::Regular, 0o644, bytes.len() as u64);
        archive.append_data(&mut header, path, bytes.as_slice())?;
    }
    archive.into_inner()
}

fn header(kind: tar::EntryType, mode: u32, size_bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size_bytes);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()})
}

fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let mut text = String::from("sha256:");
    for byte in hash {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

fn to_bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> BTreeMap<String, Vec<u8>> {
        [
            ("b/deployment.yaml", "kind: Deployment\n"),
            ("a.yaml", "kind: Service\n"),
        ]
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .into()
    }

    #[test]
    fn the_same_input_has_the_same_digest() {
        let layout = pack(&files(), &Description::default()).unwrap();
        assert_eq!(
            layout.digest,
            pack(&files(), &Description::default()).unwrap().digest
        );
        assert_eq!(layout.files.len(), 5);
        let index: Value = serde_json::from_slice(&layout.files["index.json"]).unwrap();
        assert_eq!(index["manifests"][0]["digest"], layout.digest.as_str());
    }

    #[test]
    fn the_layer_untars_to_the_files() {
        let layout = pack(&files(), &Description::default()).unwrap();
        let manifest = &layout.files[&format!("blobs/{}", layout.digest.replace(':', "/"))];
        let manifest: Value = serde_json::from_slice(manifest).unwrap();
        let layer = manifest["layers"][0]["digest"]
            .as_str()
            .unwrap()
            .replace(':', "/");
        let unzipped =
            flate2::read::GzDecoder::new(layout.files[&format!("blobs/{layer}")].as_slice());
        let mut archive = tar::Archive::new(unzipped);
        let names: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|e| e.unwrap().path().unwrap().display().to_string())
            .collect();
        assert_eq!(names, ["b/", "a.yaml", "b/deployment.yaml"]);
    }

    #[test]
    fn annotations_of_the_invoker_win() {
        let layout = pack(
            &files(),
            &Description {
                revision: Some("main@sha1:00".to_owned()),
                annotations: vec![(format!("{PREFIX}revision"), "v1".to_owned())],
                tag: Some("v1".to_owned()),
                layer: LayerType::Flux,
                ..Description::default()
            },
        )
        .unwrap();
        let manifest = &layout.files[&format!("blobs/{}", layout.digest.replace(':', "/"))];
        let manifest: Value = serde_json::from_slice(manifest).unwrap();
        assert_eq!(
            manifest["annotations"],
            json!({"org.opencontainers.image.created": EPOCH, "org.opencontainers.image.revision": "v1"})
        );
        assert_eq!(manifest["layers"][0]["mediaType"], FLUX_LAYER_TYPE);
        let index: Value = serde_json::from_slice(&layout.files["index.json"]).unwrap();
        let listed = &index["manifests"][0];
        assert_eq!(
            listed["annotations"]["org.opencontainers.image.ref.name"],
            "v1"
        );
    }
}
