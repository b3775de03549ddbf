//! What Go's standard library does where our bytes depend on it.
//!
//! kustomize and sops are Go programs: how they print a float or escape a JSON string is
//! part of their output. Each module is one such habit, written from its documented behaviour. The room
//! uses no other room; every room may use it.

pub mod filepath;
pub mod float;
pub mod glob;
pub mod json;
pub mod pathspec;
pub mod promql;
pub mod regexp;
pub mod slug;
pub mod tar;
pub mod template;
