//! Judges finished manifests, and reports every finding rather than the first.
//!
//! [`gate`] holds what every render must keep. The room never mends anything.

mod gate;
mod walk;

pub use gate::{GateOptions, Severities, gate};
