//! Renders Jinja text with a context, as Jinja2 and makejinja do.
//!
//! [`Engine`] renders and evaluates; [`Settings`] say which language. The room never decrypts, and never
//! looks at what a text means. Start with [`Engine`].

mod engine;
mod error;
mod settings;

pub use engine::{Engine, Rendered, context};
pub use settings::{Delimiters, Limits, Settings, Undefined};
