//! Why a text is not YAML, in words that never quote it.

use std::borrow::Cow;
use std::fmt;

use crate::diagnostic::{Code, Diagnostic, Source};
use crate::yaml::Mark;

/// The kinds of parse errors, which decide the code of the finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntaxKind {
    /// The text is not YAML as go-yaml reads it.
    Syntax,
    /// A mapping has a key twice.
    DuplicateKey,
    /// A limit was hit.
    Limit,
}

/// A text that cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where.
    pub mark: Mark,
    /// What kind of error.
    pub kind: SyntaxKind,
    /// What is wrong; never a word of the text itself.
    pub message: Cow<'static, str>,
}

impl SyntaxError {
    pub(super) fn new(mark: Mark, message: impl Into<Cow<'static, str>>) -> Box<Self> {
        Self::of(SyntaxKind::Syntax, mark, message)
    }

    pub(super) fn limit(mark: Mark, message: impl Into<Cow<'static, str>>) -> Box<Self> {
        Self::of(SyntaxKind::Limit, mark, message)
    }

    pub(super) fn of(
        kind: SyntaxKind,
        mark: Mark,
        message: impl Into<Cow<'static, str>>,
    ) -> Box<Self> {
        Box::new(Self {
            mark,
            kind,
            message: message.into(),
        })
    }

    /// Returns the finding at the error's place in a file.
    pub fn at(&self, source: &Source) -> Diagnostic {
        let code = match self.kind {
            SyntaxKind::Syntax => Code::YamlSyntax,
            SyntaxKind::DuplicateKey => Code::YamlDuplicateKey,
            SyntaxKind::Limit => Code::YamlLimit,
        };
        Diagnostic::new(code, self.message.clone().into_owned())
            .at(source.place(self.mark.line, self.mark.column))
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}",
            self.mark.line, self.mark.column, self.message
        )
    }
}

impl std::error::Error for SyntaxError {}
