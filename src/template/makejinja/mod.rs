//! What a `makejinja.toml` says, and which files it makes of which.
//!
//! [`Config`] is the file; [`plan`] lists every output with the input that makes it. Rendering and writing
//! are the caller's.

mod config;
mod loader;
mod pattern;
mod plan;

pub use config::{Config, profile_of};
pub use loader::Loader;
pub use plan::{Action, Planned, filters, plan, takes};
