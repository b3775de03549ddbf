//! What a repository says of itself: the project file, its values, its templates.
//!
//! [`Session`] is a project that is open: values loaded, templates read as what they render to. Start there.

mod file;
pub mod makejinja;
#[expect(clippy::module_inception, reason = "the noun of the room")]
mod project;
mod session;
mod sessions;
pub mod values;

pub use file::Level;
pub use project::{Checks, Project};
pub(crate) use project::{DEFAULT_PROFILE, NAMES};
pub use session::{Session, find_project};
pub use sessions::{MissingValues, Sessions};
pub use values::{Templates, chosen_profile, project_values};
