//! Cilium's verdicts: which policies count, and what they let pass.
//!
//! The room follows the steps of Cilium 1.20 in their order, one file each, and every file names the upstream
//! file that it follows, so that one can be held against the other:
//!
//! 1. [`schema`], [`crd`]: the API server's half, the CRD with its pruning and checks;
//! 2. [`sanitize`]: the agent's checks of a rule;
//! 3. [`parse`], [`services`], [`network_policy`], [`cluster_network_policy`]: objects become [`entry::Entry`]s;
//! 4. [`label`], [`identity`], [`address`]: pods, entities and addresses become identities;
//! 5. [`selector`]: which identities a selector selects;
//! 6. [`endpoint`]: the entries that select an endpoint become the rows of its policy;
//! 7. [`lookup`]: what the rows say to one flow, or to all peers at once.
//!
//! [`PolicyWorld`] joins them: objects and what is assumed go in, verdicts come out. What the objects do not say is an
//! answer of its own, with the reason: nothing is guessed, and nothing is called allowed that Cilium may drop.
//! The room judges and never mends.

mod address;
mod auth;
mod cidr;
mod cluster_network_policy;
mod conflict;
mod crd;
mod endpoint;
mod entry;
mod icmp;
mod identity;
mod label;
mod lookup;
mod names;
mod network_policy;
mod options;
mod parse;
mod pods;
mod ports;
mod query;
mod read;
mod repository;
mod sanitize;
mod schema;
mod selector;
mod services;
mod verdict;
mod world;

pub use identity::Pod;
pub use options::{Enforcement, Options};
pub use ports::{NamedPort, Protocol};
pub use query::{Port, Query, reference};
pub use repository::{Policy, Posture, Pruned, Refusal, RefusedBy, refusal, unknown_fields};
pub use verdict::{Answer, Direction, End, FlowVerdict, State};
pub use world::{Assumed, PolicyWorld};
