//! What was sealed, and what may leave of it: opening, masking, sealing, redaction.
//!
//! [`Opened`] is the view in which a sealed file reads as its plaintext; [`Mask`] keeps what came out of
//! one from every message; [`sealing`] and [`made`] seal what is written.

pub mod bulk;
mod differ;
pub mod hygiene;
mod ignored;
mod leave;
mod look;
pub(crate) mod made;
mod mask;
mod opener;
mod redact;
mod redaction;
pub mod repository;
pub mod sealing;
pub mod status;
pub mod versions;
mod view;

pub use leave::{Leaves, leave};
pub use look::fits;
pub use mask::Mask;
pub use opener::Opener;
pub use redact::{masked_by_text, masked_where_differing};
pub use redaction::RedactionKey;
pub use view::{Opened, Secrets};
