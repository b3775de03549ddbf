//! Joins the stages of a render.

pub mod adjust;
mod mask;
mod progress;

pub use mask::Mask;
pub use progress::{Progress, Timed};
