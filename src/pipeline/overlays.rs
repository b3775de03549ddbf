//! The overlays of a project: what there is, what applies, and what it adds.

pub use crate::overlay::{Instance, Set, State, builtin_sets, list, rows, show, table};
