//! What a build is told: kustomize's options, and what it may have done outside of its files.

pub use super::outside::{Outside, plugin_homes};
pub use crate::kustomize::{LoadRestriction, Options, Order};
