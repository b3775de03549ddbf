//! What Go's standard library does where our bytes depend on it.
//!
//! kustomize and sops are Go programs: how they print a float, escape a JSON string or read a time stamp
//! is part of their output. Each module is one such habit, written from its documented behaviour. The room
//! uses no other room; every room may use it.

pub mod float;
pub mod integer;
pub mod json;
pub mod regexp;
pub mod time;
