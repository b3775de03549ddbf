//! Errors whose words are ours, and so hold no value.

use std::fmt;

/// The phrase of an error that this room made.
#[derive(Debug)]
pub(super) struct OwnMessage(pub(super) String);

impl fmt::Display for OwnMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OwnMessage {}
