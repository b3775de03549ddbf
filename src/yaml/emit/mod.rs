//! Writes nodes: as kustomize prints manifests, as JSON, and as sops prints documents.

mod analysis;
mod document;
mod error;
mod go_yaml;
mod json;
mod keys;
mod manifest;
mod resolve;
mod scalar;
mod value;

pub use analysis::{fits_block, style_of_string};
pub use document::{Form, WriteOptions, write_document, write_documents};
pub use error::{ValueError, ValueErrorKind};
pub use go_yaml::to_go_yaml;
pub use json::{JsonStyle, write_json};
pub use manifest::write_manifest;
