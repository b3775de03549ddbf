//! Judges finished manifests, and reports every finding rather than the first.
//!
//! [`gate`] holds what every render must keep; [`lints`] is what is known to go
//! wrong with CloudNativePG; what an API server says comes from [`admission`](crate::admission); [`flows`] says which
//! network flows its policies allow. [`check`] joins these. The room never mends anything.

mod check;
mod deprecated;
pub mod flows;
mod gate;
mod guard;
mod lints;
mod walk;

pub use check::{CheckOptions, check};
pub use gate::{GateOptions, Severities, gate, is_telling};
pub use guard::guard;
pub use lints::{lints, series_of};
