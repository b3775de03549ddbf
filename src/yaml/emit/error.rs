//! What makes a node impossible to write.

use std::fmt;

use crate::diagnostic::{Code, Diagnostic, Source};
use crate::yaml::{Mark, Tag};

/// A value that cannot be written as JSON, and so not as a manifest. It never holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueError {
    /// Where the value stands in the document it came from.
    pub mark: Mark,
    /// What is wrong with it.
    pub kind: ValueErrorKind,
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueErrorKind {
    /// `.inf` or `.nan`: JSON has no such numbers.
    NotFinite,
    /// A key of a mapping is no string.
    KeyNotString,
    /// A mapping has a key twice; the mark is that of the first.
    DuplicateKey(Mark),
    /// A text that its tag does not allow, such as `!!int x`.
    Mismatch(Tag),
    /// A time stamp whose offset is a day.
    TimestampOffset,
}

impl ValueError {
    /// Returns the diagnostic for it, in the file that the mark counts in.
    pub fn at(&self, source: &Source) -> Diagnostic {
        let code = match self.kind {
            ValueErrorKind::DuplicateKey(_) => Code::YamlDuplicateKey,
            _ => Code::YamlValue,
        };
        Diagnostic::new(code, self.kind.to_string())
            .at(source.place(self.mark.line, self.mark.column))
    }
}

impl fmt::Display for ValueErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite => f.write_str("infinity and NaN cannot be written as JSON"),
            Self::KeyNotString => f.write_str("key of a mapping is not a string"),
            Self::DuplicateKey(Mark { line: 0, .. }) => {
                f.write_str("key is set twice in one mapping")
            }
            Self::DuplicateKey(first) => write!(f, "key is already set at line {}", first.line),
            Self::Mismatch(tag) => write!(f, "value does not fit its tag {}", tag_name(*tag)),
            Self::TimestampOffset => f.write_str("offset of the time stamp is out of range"),
        }
    }
}

/// The name of a tag of YAML's own.
pub(super) fn tag_name(tag: Tag) -> &'static str {
    match tag {
        Tag::Null => "!!null",
        Tag::Bool => "!!bool",
        Tag::Int => "!!int",
        Tag::Float => "!!float",
        Tag::Str | Tag::Custom => "!!str",
        Tag::Timestamp => "!!timestamp",
        Tag::Binary => "!!binary",
        Tag::Merge => "!!merge",
        Tag::Seq => "!!seq",
        Tag::Map => "!!map",
    }
}
