//! What a build has done outside of kustomize: generators that are built in, programs, connections.
//!
//! [`Outside`] says what the invoker allows; [`OutsideWork`] hands it to the build.

pub mod builtin;
mod outside;
mod settle;

pub use outside::{Outside, plugin_homes};
pub use settle::OutsideWork;
