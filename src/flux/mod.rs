//! What Flux does around a build.
//!
//! [`artifact`] packs files as an OCI layout, [`contents`] says which files of a directory belong into one,
//! and [`protect`] keeps what is finished from being filled again.

pub mod artifact;
pub mod contents;
pub mod protect;
