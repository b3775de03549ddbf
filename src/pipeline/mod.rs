//! Joins the stages of a render.
//!
//! Up to the build each stage is a view of files over the one below; from there on each takes the last
//! one's output by value and returns a type of its own: [`Built`], [`Layered`], [`Bound`], [`Landed`],
//! [`Manifests`]. [`Root::render`] is the flow; start there. Nothing here prints, and no stage holds a rule of
//! its own.

mod assumed;
mod bind;
pub mod build;
mod host;
mod judge;
mod land;
pub mod layer;
mod progress;
mod render;

pub use bind::Bound;
pub use build::Built;
pub use host::{ARTIFACT_DEFAULTS, Adjustments, Change, Flux, Ignore, Image, adjusted};
pub use judge::{Judged, Manifests};
pub use land::Landed;
pub use layer::Layered;
pub use progress::{Progress, Timed};
pub use render::{Host, Request, Rewrite, Root, render};
