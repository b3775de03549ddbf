//! Judges finished manifests, and reports every finding rather than the first.
//!
//! [`gate`] holds what every render must keep; [`flows`] says which network flows its policies allow. The
//! room never mends anything.

pub mod flows;
mod gate;
mod walk;

pub use gate::{GateOptions, Severities, gate};
