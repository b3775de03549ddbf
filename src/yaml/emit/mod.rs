//! Writes nodes: as kustomize prints manifests, as JSON, and as sops prints documents.

mod analysis;
mod error;
mod keys;
mod manifest;
mod resolve;
mod scalar;
mod value;

pub use error::{ValueError, ValueErrorKind};
pub use manifest::write_manifest;
