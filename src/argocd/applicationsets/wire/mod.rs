//! Objects as Argo CD reads them.

pub mod lists;
pub mod object;
