//! What a host sets on the root kustomization: Flux's `spec` fields, Argo CD's kustomize options.
//!
//! Both hosts write them into the kustomization file before they build; so does this, in memory.

use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{File, Files, Kind, TreePath};
use crate::yaml::{Mapping, Node};

/// An image that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// The name that is looked for.
    pub name: String,
    /// The name that takes its place.
    pub new_name: Change,
    /// The tag.
    pub new_tag: Change,
    /// The digest.
    pub digest: Change,
}

/// What becomes of a field that may be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change {
    /// It stays as it is.
    #[default]
    Keep,
    /// It goes.
    Remove,
    /// It gets this value.
    Set(String),
}

/// The fields of a root kustomization that a host sets.
#[derive(Debug, Clone, Default)]
pub struct Adjustments {
    /// Replaces `namespace`.
    pub namespace: Option<String>,
    /// Replaces `namePrefix`.
    pub name_prefix: Option<String>,
    /// Replaces `nameSuffix`.
    pub name_suffix: Option<String>,
    /// Merged into `images` by name.
    pub images: Vec<Image>,
    /// Whether `images` are in the order of their names afterwards, where some are set: as `kustomize edit`
    /// leaves them.
    pub sorts_images: bool,
    /// Merged into `replicas` by name.
    pub replicas: Vec<(String, u64)>,
    /// Appended to `components`.
    pub components: Vec<String>,
    /// Whether components that do not exist are left out.
    pub ignore_missing_components: bool,
    /// Merged into `commonLabels`.
    pub common_labels: Vec<(String, String)>,
    /// Merged into `commonAnnotations`.
    pub common_annotations: Vec<(String, String)>,
    /// Appended to `patches`.
    pub patches: Vec<Node>,
}

impl Adjustments {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        let scalars = [&self.namespace, &self.name_prefix, &self.name_suffix];
        scalars.iter().all(|s| s.is_none())
            && self.images.is_empty()
            && self.replicas.is_empty()
            && self.components.is_empty()
            && self.common_labels.is_empty()
            && self.common_annotations.is_empty()
            && self.patches.is_empty()
    }

    /// Sets the fields on a kustomization.
    pub fn apply(&self, kustomization: &mut Mapping) {
        let scalars = [
            ("namespace", &self.namespace),
            ("namePrefix", &self.name_prefix),
            ("nameSuffix", &self.name_suffix),
        ];
        for (key, value) in scalars {
            if let Some(value) = value {
                kustomization.insert(key, Node::string(value.as_str()));
            }
        }
        for image in &self.images {
            set_image(list(kustomization, "images"), image);
        }
        if self.sorts_images && !self.images.is_empty() {
            list(kustomization, "images").sort_by_key(|image| {
                let name = image.get("name").and_then(Node::scalar_text);
                name.unwrap_or_default().to_owned()
            });
        }
        for (name, count) in &self.replicas {
            let entry = named(list(kustomization, "replicas"), name);
            entry.insert(
                "count",
                Node::int(i64::try_from(*count).unwrap_or(i64::MAX)),
            );
        }
        if !self.components.is_empty() {
            list(kustomization, "components")
                .extend(self.components.iter().map(|c| Node::string(c.as_str())));
        }
        for (key, pairs) in [
            ("commonLabels", &self.common_labels),
            ("commonAnnotations", &self.common_annotations),
        ] {
            for (name, value) in pairs {
                map(kustomization, key).insert(name.as_str(), Node::string(value.as_str()));
            }
        }
        if !self.patches.is_empty() {
            list(kustomization, "patches").extend(self.patches.iter().cloned());
        }
    }

    /// The adjustments with those components left out that do not exist, where that is asked for.
    pub fn with_existing_components(
        mut self,
        files: &dyn Files,
        directory: &TreePath,
    ) -> Result<Self> {
        if self.ignore_missing_components {
            let mut existing = Vec::new();
            for component in self.components {
                let path = directory.join(&component);
                if path.map(|p| files.kind(&p)).transpose()?.flatten() == Some(Kind::Directory) {
                    existing.push(component);
                }
            }
            self.components = existing;
        }
        Ok(self)
    }
}

/// Rewrites a kustomization file with what a host sets on it.
pub fn adjusted(file: &File, adjustments: &Adjustments) -> Result<File> {
    let mut node = crate::yaml::parse_config(&file.bytes, &file.source)?;
    let mapping = node.as_mapping_mut().ok_or_else(|| {
        Diagnostic::new(Code::FieldType, "a kustomization is a mapping")
            .at(Place::file(file.path.as_str()))
    })?;
    adjustments.apply(mapping);
    let mut bytes = Vec::new();
    crate::yaml::write_manifest(&mut bytes, &node).map_err(|e| e.at(&file.source))?;
    Ok(File {
        path: file.path.clone(),
        bytes: bytes.into(),
        source: file.source.clone(),
    })
}

fn set_image(images: &mut Vec<Node>, image: &Image) {
    let entry = named(images, &image.name);
    for (key, change) in [
        ("newName", &image.new_name),
        ("newTag", &image.new_tag),
        ("digest", &image.digest),
    ] {
        match change {
            Change::Keep => {}
            Change::Remove => drop(entry.remove(key)),
            Change::Set(value) => drop(entry.insert(key, Node::string(value.as_str()))),
        }
    }
}

/// The entry of a list whose `name` is this one; made at the end when it is missing.
fn named<'a>(list: &'a mut Vec<Node>, name: &str) -> &'a mut Mapping {
    let is_it = |n: &Node| n.get("name").and_then(Node::as_str) == Some(name);
    let index = list.iter().position(is_it).unwrap_or_else(|| {
        let mut entry = Mapping::default();
        entry.insert("name", Node::string(name));
        list.push(mapping_of(entry));
        list.len() - 1
    });
    list[index]
        .as_mapping_mut()
        .expect("an entry with a name is a mapping")
}

fn mapping_of(mapping: Mapping) -> Node {
    Node::new(crate::yaml::Value::Mapping(mapping), crate::yaml::Tag::Map)
}

/// The list of a key; whatever else stood there is replaced.
fn list<'a>(kustomization: &'a mut Mapping, key: &str) -> &'a mut Vec<Node> {
    let node = kustomization.get_or_insert_with(key, || Node::sequence(Vec::new()));
    if node.as_sequence().is_none() {
        *node = Node::sequence(Vec::new());
    }
    node.as_sequence_mut().expect("just made")
}

fn map<'a>(kustomization: &'a mut Mapping, key: &str) -> &'a mut Mapping {
    let node = kustomization.get_or_insert_with(key, Node::mapping);
    if node.as_mapping().is_none() {
        *node = Node::mapping();
    }
    node.as_mapping_mut().expect("just made")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(node: &Mapping, path: &[&str]) -> Option<String> {
        mapping_of(node.clone())
            .lookup(path)
            .and_then(Node::scalar_text)
            .map(str::to_owned)
    }

    #[test]
    fn scalars_replace_and_images_merge_by_name() {
        let mut image = Mapping::default();
        image.insert("name", Node::string("nginx"));
        image.insert("digest", Node::string("sha256:1"));
        let mut kustomization = Mapping::default();
        kustomization.insert("namespace", Node::string("old"));
        kustomization.insert("images", Node::sequence(vec![mapping_of(image)]));
        Adjustments {
            namespace: Some("new".into()),
            images: vec![Image {
                name: "nginx".into(),
                new_name: Change::Keep,
                new_tag: Change::Set("1.29".into()),
                digest: Change::Remove,
            }],
            common_labels: vec![("team".into(), "a".into())],
            ..Adjustments::default()
        }
        .apply(&mut kustomization);
        assert_eq!(text(&kustomization, &["namespace"]).as_deref(), Some("new"));
        assert_eq!(
            text(&kustomization, &["commonLabels", "team"]).as_deref(),
            Some("a")
        );
        let images = kustomization
            .get("images")
            .and_then(Node::as_sequence)
            .unwrap();
        assert_eq!(images.len(), 1);
        assert_eq!(images[0].get("newTag").and_then(Node::as_str), Some("1.29"));
        assert!(images[0].get("digest").is_none());
    }
}
