//! One project file, as it is written.

use indexmap::IndexMap;
use serde::Deserialize;

use crate::yaml::{Node, Spanned};

/// `prerender.yaml`: see DESIGN section 3 and `plugin/schemas/prerender.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ProjectFile {
    pub(super) api_version: Spanned<String>,
    pub(super) kind: Spanned<String>,
    /// A range of versions of the plugin.
    #[serde(default)]
    pub(super) requires: Option<Spanned<String>>,
    /// Whether project files above this one are left out.
    #[serde(default)]
    pub(super) root: bool,
    #[serde(default)]
    pub(super) values: Vec<Spanned<ValuesEntry>>,
    #[serde(default)]
    pub(super) profile: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) derive: IndexMap<String, Spanned<String>>,
    #[serde(default)]
    pub(super) templates: Option<TemplatesSection>,
    #[serde(default)]
    pub(super) decryption: DecryptionSection,
    #[serde(default)]
    pub(super) overlays: Option<Node>,
    #[serde(default)]
    pub(super) checks: ChecksSection,
    #[serde(default)]
    pub(super) kustomize: KustomizeSection,
}

/// How kustomizations are built.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct KustomizeSection {
    /// The kustomize whose bytes are given.
    #[serde(default)]
    pub(super) version: Option<Spanned<String>>,
}

/// A file of values: its path, or its path and whether it may be absent.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum ValuesEntry {
    Path(String),
    Full {
        file: String,
        #[serde(default)]
        optional: bool,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplatesSection {
    /// A `makejinja.toml` that says where templates are and how they are written.
    #[serde(default)]
    pub(super) makejinja: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) mounts: Vec<MountSection>,
    #[serde(default)]
    pub(super) delimiters: Option<DelimitersSection>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MountSection {
    pub(super) from: Spanned<String>,
    pub(super) to: Spanned<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DelimitersSection {
    pub(super) block: [String; 2],
    pub(super) variable: [String; 2],
    pub(super) comment: [String; 2],
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecryptionSection {
    #[serde(default)]
    pub(super) identities: Vec<Spanned<String>>,
}

/// How grave each kind of finding is, and what is sensitive.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChecksSection {
    #[serde(default)]
    pub(super) schema: Option<Level>,
    #[serde(default)]
    pub(super) flows: Option<Level>,
    #[serde(default)]
    pub(super) deprecated: Option<Level>,
    #[serde(default)]
    pub(super) sensitive: Vec<String>,
    #[serde(default)]
    pub(super) plaintext: PlaintextSection,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaintextSection {
    #[serde(default)]
    pub(super) allow: Vec<String>,
}

/// How grave a kind of finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The check fails.
    Error,
    /// The user is told.
    Warning,
    /// The check is not made.
    Off,
}
