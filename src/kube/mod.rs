//! Objects as Kubernetes sees them, and an ordered set of them.
//!
//! The room never decides a change. Start with [`Resource`] and [`ResMap`].

mod gvk;
mod res_id;
mod resmap;
mod resource;

pub use gvk::Gvk;
pub use res_id::ResId;
pub use resmap::ResMap;
pub use resource::Resource;
