//! What Flux does around a build.

pub mod artifact;
