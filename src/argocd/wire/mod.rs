//! Objects as Argo CD reads, marks and keeps them: what a stream of text becomes, whose each object is, and
//! which of several that are the same is left.
//!
//! [`stream`] reads, [`lists`] unrolls, [`tracking`] marks, [`target`] settles namespaces and repeated objects.
//! An object is what Go holds of it: [`serde_json::Value`], in which order does not count.

pub mod lists;
pub mod object;
pub mod print;
pub mod target;
pub mod tracking;

pub use crate::yaml::sigs as yaml;
pub use crate::yaml::sigs::stream;
