//! What Argo CD does around a build: the contract of a config management plugin.
//!
//! [`environment`] reads a call, [`parameters`] what an Application sets, [`policy`] what it may do.

pub mod confined;
pub mod environment;
pub mod generate;
pub mod parameters;
pub mod policy;
