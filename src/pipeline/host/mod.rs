//! What a host writes into the root kustomization before it builds.

pub mod adjust;
pub mod flux;
