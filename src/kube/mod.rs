//! Objects as Kubernetes sees them, and an ordered set of them.
//!
//! The room never decides a change. Start with [`Resource`] and [`ResMap`].

mod gvk;
pub mod layout;
pub mod merge_keys;
pub mod order;
mod res_id;
mod resmap;
mod resource;
mod scope;

pub use gvk::Gvk;
pub use res_id::{NO_NAMESPACE, ResId};
pub use resmap::ResMap;
pub use resource::{Behavior, BuildOrigin, History, PreviousId, Resource};
pub use scope::Scope;
