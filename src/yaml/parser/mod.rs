//! From text to nodes, accepting and refusing what go-yaml v3 does.
//!
//! [`scanner`] turns text into tokens, [`compose`] turns tokens into nodes, [`anchors`] puts copies in the
//! place of aliases and merges what `<<` names. Scalars are slices of the text until they become nodes.
//! Written limits: [`MAX_DEPTH`], [`scanner::MAX_NESTING`], and the share of copies in [`anchors`].

mod anchors;
mod characters;
mod comments;
mod compose;
mod cursor;
mod duplicates;
mod error;
mod options;
mod property;
mod reread;
mod scalar;
mod scanner;
mod tag;
mod token;

pub use error::{SyntaxError, SyntaxKind};
pub use options::{Aliases, DuplicateKeys, MergeKeys, ParseOptions, Reread, Schema};
pub(in crate::yaml) use reread::write_folded;
pub use reread::{may_reread, reread, reread_in};

use super::Node;
use compose::Composer;

/// Nodes within each other. go-yaml allows 10,000, but a tree that deep would not fit the stack of the
/// threads that walk it; the deepest custom resource definitions have about a hundred.
pub const MAX_DEPTH: usize = 256;

/// Parses every document of a stream.
///
/// An empty text, or one of comments only, has no document. Fails at the first error, with its place.
pub fn parse(text: &str, options: ParseOptions) -> Result<Vec<Node>, SyntaxError> {
    let mut composer = start(text, options)?;
    let mut documents = Vec::new();
    while let Some(document) = composer.document().map_err(|e| *e)? {
        documents.push(document);
    }
    Ok(documents)
}

/// Parses the first document of a stream; what follows it is not looked at.
pub fn parse_first(text: &str, options: ParseOptions) -> Result<Option<Node>, SyntaxError> {
    start(text, options)?.document().map_err(|e| *e)
}

fn start(text: &str, options: ParseOptions) -> Result<Composer<'_>, SyntaxError> {
    characters::check(text, options.first_line).map_err(|e| *e)?;
    Ok(Composer::new(text, options))
}

#[cfg(test)]
mod tests;
