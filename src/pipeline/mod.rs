//! Joins the stages of a render.
//!
//! Up to the build each stage is a view of files over the one below; from there on each takes the last
//! one's result. [`render()`] is the flow; start there. Nothing here prints, and no stage holds a rule of
//! its own.

mod host;
mod progress;
mod render;

pub use host::{adjust, flux};
pub use progress::{Progress, Timed};
pub use render::{Host, Rendered, Request, Root, render};
