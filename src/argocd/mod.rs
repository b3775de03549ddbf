//! What Argo CD does around a build: the contract of a config management plugin.
//!
//! [`environment`] reads a call, [`parameters`] what an Application sets, [`policy`] what it may do;
//! [`generate`] renders. [`simulate`] is the other side: what the host does with an Application.

pub mod announce;
pub mod application;
pub mod applicationsets;
pub mod confined;
pub mod edit;
pub mod environment;
pub mod function;
pub mod generate;
pub mod hydrate;
pub mod parameters;
pub mod policy;
pub mod root;
pub mod simulate;
pub mod sources;
pub mod sync;
pub mod wire;
