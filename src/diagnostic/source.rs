//! Where a text comes from, so that a line of it can be told as a line that the user can edit.

use std::sync::Arc;

use secrecy::SecretString;

use super::Place;

/// How the bytes of a file came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Read as it was committed; its lines may be shown.
    Committed,
    /// Rendered from a template; its lines may hold values and are not shown.
    Rendered {
        /// The template's path.
        template: Arc<str>,
        /// For each line of the result, from the first: the line of the template it comes from.
        lines: Arc<[u32]>,
    },
    /// Opened from a sealed file of the same path; its lines are secret.
    Decrypted,
    /// Added by an overlay.
    Overlay {
        /// The overlay's name.
        name: Arc<str>,
    },
}

/// A text's path, its origin, and the secrets in it.
#[derive(Debug, Clone)]
pub struct Source {
    /// The path below the root.
    pub path: Arc<str>,
    /// How its bytes came to be.
    pub origin: Origin,
    /// The plaintext values in it that came out of a sealed file; they are masked in all messages.
    pub secrets: Arc<[SecretString]>,
}

impl Source {
    /// Returns the source of a committed file.
    pub fn committed(path: impl Into<Arc<str>>) -> Self {
        Self {
            path: path.into(),
            origin: Origin::Committed,
            secrets: Arc::from([]),
        }
    }

    /// The place of a line and column (both from 1): in the template, where the text was rendered.
    pub fn place(&self, line: u32, column: u32) -> Place {
        match &self.origin {
            Origin::Committed | Origin::Overlay { .. } | Origin::Decrypted => {
                Place::new(Arc::clone(&self.path), line, column)
            }
            Origin::Rendered { template, lines } => {
                let index = (line as usize).saturating_sub(1);
                Place::new(
                    Arc::clone(template),
                    lines.get(index).copied().unwrap_or(0),
                    0,
                )
            }
        }
    }
}
