//! Joins the stages of a render.
//!
//! Up to the build each stage is a view of files over the one below; from there on each takes the last
//! one's result. [`render()`] is the flow; start there. Nothing here prints, and no stage holds a rule of
//! its own.

pub mod adjust;
mod assumed;
pub mod checks;
pub mod doctor;
pub mod expand;
pub mod flux;
pub mod generators;
pub mod init;
pub mod layout;
mod mask;
mod outside;
pub mod overlays;
pub mod plain;
mod progress;
mod project;
mod recorded;
mod redaction;
mod render;
pub mod roots;
pub mod sealing;
mod secrets;
mod session;
mod settle;
pub mod template;
mod template_secrets;
mod unexpanded;
pub mod values;

pub use mask::Mask;
pub use progress::{Progress, Timed};
pub use project::Project;
pub use redaction::RedactionKey;
pub use render::{Host, Rendered, Request, Root, render};
pub use secrets::{Opened, Secrets};
pub use session::{Session, find_project};

pub use crate::overlay::{HostParameter, Policy};
