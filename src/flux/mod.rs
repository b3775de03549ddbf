//! What Flux does around a build.
//!
//! A [`Cluster`] renders Kustomizations in the order in which the controller applies them: [`kustomization`]
//! reads one, [`sources`] finds its files, [`variables`] what fills it, [`finish`] does what follows the
//! build. [`artifact`] packs files as an OCI layout, [`contents`] says which files of a directory belong
//! into one, and [`protect`] keeps what is finished from being filled again.

pub mod archive;
pub mod artifact;
pub mod artifact_generators;
mod cluster;
pub mod contents;
mod drop_in;
mod entry;
mod finish;
pub mod kustomization;
mod mask;
mod order;
pub mod protect;
mod render;
pub mod resource_sets;
mod search;
pub mod sources;
pub mod stages;
pub mod variables;

pub use cluster::{Applied, Cluster, Flown, Scope};
pub use drop_in::Builder;
pub use entry::{SYSTEM, entries_of_file, entry_of_path};
pub use finish::OwnerLabels;
pub use render::{Renderer, Settings, Unknown};

pub use crate::substitute::Strictness;
