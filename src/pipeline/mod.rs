//! Joins the stages of a render.

pub mod adjust;
pub mod generators;
mod mask;
pub mod overlays;
mod progress;
pub mod sealing;
pub mod template;

pub use mask::Mask;
pub use progress::{Progress, Timed};
