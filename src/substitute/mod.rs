//! Fills `${name:=default}` after the build, as Flux's `postBuild` does.
//!
//! The engine ([`expand`]) works on one text and does exactly what the controller's does, surprises
//! included: testdata/substitute/README.md lists them. [`run`] is the step that the controller takes
//! with each object. The room never adds or removes an object.

mod evaluate;
mod expression;
mod objects;
mod pattern;
mod traps;
mod variables;

pub use expression::Fault;
pub use objects::{SWITCH, run};
pub use variables::{PLACEHOLDER, Strategy, Strictness, Variables, placeholder};

/// Expands every reference of a text.
///
/// Returns bytes, because a substring may cut a character in two. Fails with the first [`Fault`]: those
/// of the grammar before those of the values.
pub fn expand(text: &str, variables: &Variables, strictness: Strictness) -> Result<Vec<u8>, Fault> {
    let pieces = expression::parse(text).map_err(|(fault, _)| fault)?;
    let mut out = Vec::with_capacity(text.len());
    evaluate::write(&mut out, &pieces, variables, strictness)?;
    Ok(out)
}
