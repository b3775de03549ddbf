//! The one model of what is applied: its roots, and their objects.

pub mod checks;
pub mod overlays;
pub mod roots;
