//! What of a file can be read without a key, against what its rule says: for judging how a repository is sealed.

use super::document::{Comment, Value};
use super::open::{self, SealedFile};
use super::rule::Rule;
use super::walk::{Position, Visitor, walk};
use super::{CreationRule, Format, stores};
use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// A value that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable {
    /// Its path, keys joined by dots.
    pub path: String,
    /// Its line; 0 where none is known.
    pub line: u32,
}

/// The values of a sealed file that its own metadata call sealed and that are not.
///
/// Fails with [`Code::SopsNotSealed`], `SopsForm` and `SopsMetadata`.
pub fn readable(file: &SealedFile<'_>) -> Result<Vec<Readable>> {
    let (mut branches, metadata) =
        open::load(file).map_err(|error| error.or_at(Place::file(file.name)))?;
    Ok(find(&mut branches, &metadata.rule))
}

/// The values of a plain file that a creation rule would seal; empty for what cannot be read.
pub fn would_be_sealed(bytes: &[u8], format: Format, rule: &CreationRule) -> Vec<Readable> {
    let read = stores::read_plain(bytes, format);
    read.map_or_else(
        |_| Vec::new(),
        |mut branches| find(&mut branches, &rule.rule),
    )
}

fn find(branches: &mut [super::document::Branch], rule: &Rule) -> Vec<Readable> {
    let mut finder = Finder(Vec::new());
    // What stops the walk is told by what opens or seals the file.
    let _ = walk(branches, rule, &mut finder);
    finder.0
}

struct Finder(Vec<Readable>);

impl Visitor for Finder {
    fn value(&mut self, value: &mut Value, sealed: bool, at: &Position) -> Result<(), Diagnostic> {
        let is_readable = match &*value {
            Value::Text(text) => !text.is_empty() && !text.starts_with(b"ENC["),
            _ => true,
        };
        if sealed && is_readable {
            self.0.push(Readable {
                path: at.to_shown(),
                line: at.line,
            });
        }
        Ok(())
    }

    fn comment(&mut self, _: &mut Comment, _: bool, _: &Position) -> Result<(), Diagnostic> {
        Ok(())
    }

    fn refuse(&self, phrase: &str, _: &Position) -> Diagnostic {
        Diagnostic::new(Code::SopsForm, phrase)
    }
}
