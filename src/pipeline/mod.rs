//! Joins the stages of a render.

pub mod adjust;
pub mod checks;
pub mod generators;
mod mask;
pub mod overlays;
mod progress;
mod project;
pub mod sealing;
pub mod template;
pub mod values;

pub use mask::Mask;
pub use progress::{Progress, Timed};
pub use project::Project;
mod outside;
pub mod plain;
