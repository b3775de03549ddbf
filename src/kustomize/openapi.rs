//! `openapi`: the schema by which lists are merged.

use crate::diagnostic::Result;
use crate::files::File;
use crate::kube::Resource;
use crate::kube::merge_keys::{self, BuiltIn, Definitions};
use crate::yaml::{self, Node, ParseOptions};

use super::documents::text_of;

/// The version of Kubernetes whose schema is built in.
pub(super) const BUILT_IN_VERSION: &str = "v1.21.2";

/// Which schema lists are merged by.
#[derive(Debug, Clone, Default)]
pub(super) enum Schema {
    /// The built-in one; no kustomization said so.
    #[default]
    Unset,
    /// The built-in one, by name.
    BuiltIn,
    /// A file of OpenAPI definitions.
    Custom(Definitions),
}

impl Schema {
    /// Whether no kustomization said so far which one counts.
    pub(super) fn is_unset(&self) -> bool {
        matches!(self, Self::Unset)
    }

    /// Tells objects of kinds that are not built in where they live.
    pub(super) fn tell_scopes<'r>(&self, resources: impl IntoIterator<Item = &'r mut Resource>) {
        let Self::Custom(definitions) = self else {
            return;
        };
        for resource in resources {
            if let Some(scope) = definitions.scope(resource.gvk()) {
                resource.set_scope(scope);
            }
        }
    }

    /// The schema to merge by.
    pub(super) fn merge_keys(&self) -> merge_keys::Schema<'_> {
        match self {
            Self::Unset | Self::BuiltIn => merge_keys::Schema::BuiltIn,
            Self::Custom(definitions) => merge_keys::Schema::Custom(definitions),
        }
    }
}

/// Reads a document of OpenAPI definitions, YAML or JSON; the built-in ones may be added.
pub(super) fn read(file: &File, built_in: BuiltIn) -> Result<Schema> {
    let text = text_of(file)?;
    let document = yaml::parse_first(text, ParseOptions::default())
        .map_err(|error| error.at(&file.source))?
        .unwrap_or_else(Node::null);
    let definitions = Definitions::new(&document);
    Ok(Schema::Custom(definitions.with_built_in(built_in)))
}
