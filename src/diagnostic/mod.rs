//! Tells what went wrong: a stable code, one phrase, a place, the way there, and what to do.
//!
//! [`Diagnostic`] is the one error type of the crate, one pointer wide; a [`Report`] is a list of them.
//! Warnings are the same type and travel beside the result. The room knows codes, places and words; it
//! uses no other room and never holds file contents. Start with [`Diagnostic::new`].

pub mod budget;
mod code;
mod nearest;
mod source;

use std::fmt;
use std::sync::Arc;

pub use code::{Code, ExitStatus};
pub use nearest::nearest;
pub use source::{Origin, Source};

/// The result of everything that a user's input can make fail.
pub type Result<T, E = Diagnostic> = std::result::Result<T, E>;

/// Whether a finding stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The output is given; the user should know.
    Warning,
    /// There is no output.
    Error,
}

/// A file, and a line and column in it where they are known.
///
/// Lines and columns count from 1, columns in characters; 0 means the file (or the line) as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as the user knows it, relative to the working directory or the root.
    pub file: Arc<str>,
    /// The line, from 1; 0 for the whole file.
    pub line: u32,
    /// The column in characters, from 1; 0 for the whole line.
    pub column: u32,
}

impl Place {
    /// Returns the place of a whole file.
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
        }
    }

    /// Returns a place within a file.
    pub fn new(file: impl Into<Arc<str>>, line: u32, column: u32) -> Self {
        Self {
            file: file.into(),
            line,
            column,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        Ok(())
    }
}

/// One finding: what is wrong, where, how the build came there, and what to do.
///
/// ```
/// use prerender::diagnostic::{Code, Diagnostic, Place};
/// let d = Diagnostic::new(Code::FileMissing, "resource deployment.yaml does not exist")
///     .at(Place::new("app/kustomization.yaml", 4, 3))
///     .help("create the file, or remove the line");
/// assert_eq!(
///     d.to_string(),
///     "error[file-missing]: resource deployment.yaml does not exist\n  --> app/kustomization.yaml:4:3\n  help: create the file, or remove the line"
/// );
/// ```
pub struct Diagnostic(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: Code,
    severity: Severity,
    phrase: String,
    place: Option<Place>,
    via: Vec<Place>,
    notes: Vec<String>,
    help: Vec<String>,
    path: String,
}

impl Diagnostic {
    /// Returns an error. The phrase starts in lower case and carries no full stop and no secret.
    pub fn new(code: Code, phrase: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            severity: Severity::Error,
            phrase: phrase.into(),
            place: None,
            via: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            path: String::new(),
        }))
    }

    /// Returns a warning.
    pub fn warning(code: Code, phrase: impl Into<String>) -> Self {
        Self::new(code, phrase).with_severity(Severity::Warning)
    }

    /// Sets the severity.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.0.severity = severity;
        self
    }

    /// Sets the place.
    #[must_use]
    pub fn at(mut self, place: impl Into<Option<Place>>) -> Self {
        self.0.place = place.into();
        self
    }

    /// Sets the place unless it has one: the innermost place is the most telling.
    #[must_use]
    pub fn or_at(mut self, place: impl Into<Option<Place>>) -> Self {
        if self.0.place.is_none() {
            self.0.place = place.into();
        }
        self
    }

    /// Adds a place on the way here, innermost first.
    #[must_use]
    pub fn via(mut self, place: impl Into<Option<Place>>) -> Self {
        self.0.via.extend(place.into());
        self
    }

    /// Adds a fact that explains the phrase.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.0.notes.push(text.into());
        self
    }

    /// Says which field of an object it is about: `spec.containers[0].image`.
    #[must_use]
    pub fn about(mut self, path: impl Into<String>) -> Self {
        self.0.path = path.into();
        self
    }

    /// Adds what the user can do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.0.help.push(text.into());
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Whether it stops the run.
    pub fn severity(&self) -> Severity {
        self.0.severity
    }

    /// The phrase, without place and remedy.
    pub fn phrase(&self) -> &str {
        &self.0.phrase
    }

    /// Whether another says the same of the same place.
    pub fn is_as(&self, other: &Self) -> bool {
        (self.code(), self.phrase(), self.place()) == (other.code(), other.phrase(), other.place())
    }

    /// The place, where one is known.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// The field of an object that it is about; empty where it is about none.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The places on the way there, innermost first.
    pub fn trail(&self) -> &[Place] {
        &self.0.via
    }

    /// Facts that explain the phrase.
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    /// What the user can do.
    pub fn remedies(&self) -> &[String] {
        &self.0.help
    }

    /// Rewrites every text of the finding, to mask what must not be shown.
    #[must_use]
    pub fn map_text(mut self, mask: impl Fn(&str) -> String) -> Self {
        self.0.phrase = mask(&self.0.phrase);
        for text in self.0.notes.iter_mut().chain(&mut self.0.help) {
            *text = mask(text);
        }
        self
    }
}

impl Clone for Diagnostic {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.0.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{word}[{}]: {}", self.0.code.name(), self.0.phrase)?;
        if let Some(place) = &self.0.place {
            write!(f, "\n  --> {place}")?;
        }
        for place in &self.0.via {
            write!(f, "\n  via {place}")?;
        }
        for (label, texts) in [("note", &self.0.notes), ("help", &self.0.help)] {
            for text in texts {
                write!(f, "\n  {label}: {}", text.replace('\n', "\n        "))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Diagnostic {}

/// Every finding of a run, in the order in which they were made.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The findings.
    pub findings: Vec<Diagnostic>,
}

impl Report {
    /// Adds a finding.
    pub fn push(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// Whether any finding is an error.
    pub fn has_errors(&self) -> bool {
        self.findings
            .iter()
            .any(|d| d.severity() == Severity::Error)
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// The exit status that the gravest finding asks for; success when none is an error.
    pub fn exit_status(&self) -> ExitStatus {
        let errors = self
            .findings
            .iter()
            .filter(|d| d.severity() == Severity::Error);
        errors
            .map(|d| d.code().exit_status())
            .max()
            .unwrap_or(ExitStatus::Success)
    }
}

impl From<Diagnostic> for Report {
    fn from(finding: Diagnostic) -> Self {
        Self {
            findings: vec![finding],
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.findings.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(finding, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
