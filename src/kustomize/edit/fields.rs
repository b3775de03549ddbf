//! The fields that changes name.

use compact_str::CompactString;

use crate::kustomize::kustomization::{Kustomization, Pairs, Patch, SelectorFields, Text};

/// A field that lists paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListField {
    /// `resources`.
    Resources,
    /// `components`.
    Components,
    /// `generators`.
    Generators,
    /// `transformers`.
    Transformers,
    /// `buildMetadata`.
    BuildMetadata,
}

impl ListField {
    pub(super) fn of(self, kustomization: &mut Kustomization) -> &mut Vec<Text> {
        match self {
            Self::Resources => &mut kustomization.resources,
            Self::Components => &mut kustomization.components,
            Self::Generators => &mut kustomization.generators,
            Self::Transformers => &mut kustomization.transformers,
            Self::BuildMetadata => &mut kustomization.build_metadata,
        }
    }

    /// What an entry is called in a message.
    pub(super) fn entry(self) -> &'static str {
        match self {
            Self::Resources => "resource",
            Self::Components => "component",
            Self::Generators => "generator",
            Self::Transformers => "transformer",
            Self::BuildMetadata => "buildMetadata option",
        }
    }
}

/// A field that holds labels or annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapField {
    /// `commonLabels`.
    Labels,
    /// `commonAnnotations`.
    Annotations,
}

impl MapField {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Labels => "commonLabels",
            Self::Annotations => "commonAnnotations",
        }
    }

    /// What an entry is called in a message.
    pub(super) fn entry(self) -> &'static str {
        match self {
            Self::Labels => "label",
            Self::Annotations => "annotation",
        }
    }

    pub(super) fn of(self, kustomization: &mut Kustomization) -> &mut Pairs {
        match self {
            Self::Labels => kustomization.common_labels.get_or_insert_default(),
            Self::Annotations => &mut kustomization.common_annotations,
        }
    }
}

/// An entry of `patches:` as arguments say it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatchFields {
    /// The file.
    pub path: String,
    /// The text.
    pub patch: String,
    /// The parts of the target, as they are named in the file.
    pub target: Vec<(&'static str, String)>,
}

impl PatchFields {
    pub(super) fn entry(&self) -> Patch {
        let text = |text: &str| Text {
            value: CompactString::from(text),
            ..Text::default()
        };
        Patch {
            path: text(&self.path),
            patch: text(&self.patch),
            target: self.selector(),
            ..Patch::default()
        }
    }

    fn selector(&self) -> Option<SelectorFields> {
        let mut selector = SelectorFields::default();
        for (name, value) in &self.target {
            let field = match *name {
                "group" => &mut selector.group,
                "version" => &mut selector.version,
                "kind" => &mut selector.kind,
                "name" => &mut selector.name,
                "namespace" => &mut selector.namespace,
                "annotationSelector" => &mut selector.annotation_selector,
                "labelSelector" => &mut selector.label_selector,
                _ => continue,
            };
            *field = value.into();
        }
        let is_set = self.target.iter().any(|(_, value)| !value.is_empty());
        is_set.then_some(selector)
    }
}
