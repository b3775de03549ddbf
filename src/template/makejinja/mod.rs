//! What a `makejinja.toml` says, and which files it makes of which.
//!
//! [`Config`] is the file; [`plan`] lists every output with the input that makes it. Rendering and writing
//! are the caller's.

mod config;
mod pattern;
mod plan;

pub use config::{Config, KNOWN_LOADERS};
pub use plan::{Action, Planned, plan, takes};
