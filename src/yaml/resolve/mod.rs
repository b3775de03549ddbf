//! Which type a plain scalar has.

mod go;
mod number;
mod python;
mod timestamp;

use std::borrow::Cow;

pub use number::Number;
pub use timestamp::Timestamp;

use super::Tag;
use super::parser::Schema;

/// The type of a plain scalar.
pub fn resolve(text: &str, schema: Schema) -> Tag {
    match schema {
        Schema::Go => go::resolve(text),
        Schema::Python => python::resolve(text),
    }
}

/// The text of a plain scalar in the form that Go's schema reads the same way.
pub(super) fn canonical(text: &str, tag: Tag, schema: Schema) -> Option<Cow<'static, str>> {
    match schema {
        Schema::Go => None,
        Schema::Python => python::canonical(text, tag),
    }
}
