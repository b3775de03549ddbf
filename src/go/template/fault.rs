//! Why a template cannot be parsed or filled.

use std::fmt;

/// A result of this room.
pub type Result<T> = std::result::Result<T, Fault>;

/// A fault within a template: what is wrong, and where.
///
/// The words are ours. They may quote the template's own names, never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    what: String,
    /// The line of the template, from 1; 0 where it is not known yet.
    pub line: u32,
    /// What kind of fault it is.
    pub cause: Cause,
}

/// The kinds of faults that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A budget was used up.
    Limit,
    /// A key or field is not there.
    MissingKey,
    /// Anything else.
    Other,
}

impl Fault {
    /// A fault whose place is added by whoever knows it.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            line: 0,
            cause: Cause::Other,
        }
    }

    /// A budget that is used up.
    pub fn limit(what: impl Into<String>) -> Self {
        Self {
            cause: Cause::Limit,
            ..Self::new(what)
        }
    }

    /// A key or field that is not there.
    pub(super) fn missing_key(what: impl Into<String>) -> Self {
        Self {
            cause: Cause::MissingKey,
            ..Self::new(what)
        }
    }

    /// Adds the line, where none is known.
    #[must_use]
    pub fn at(mut self, line: u32) -> Self {
        if self.line == 0 {
            self.line = line;
        }
        self
    }

    /// Adds the function that found it.
    #[must_use]
    pub(super) fn within(mut self, function: &str) -> Self {
        self.what = format!("`{function}`: {}", self.what);
        self
    }

    /// What is wrong, without the place.
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 1 {
            write!(f, "line {}: ", self.line)?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for Fault {}
