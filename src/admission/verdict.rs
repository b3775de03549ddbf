//! What the judge says of an object.

use serde_json::Value;

use super::path::{Field, Path};

/// Why a place is refused, by the API server's own kinds of causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The object cannot be read as its kind: a wrong JSON type in a built-in kind, a key twice.
    Decode,
    /// A field that the kind does not have.
    Unknown,
    /// A field that must be there.
    Required,
    /// A value that has another type than its schema says.
    Type,
    /// A value that does not fit.
    Invalid,
    /// A value that is none of those that are known.
    Unsupported,
    /// A value that is there twice.
    Duplicate,
    /// A field that may not be there.
    Forbidden,
    /// A text that is too long, or a list or map with too many items.
    TooLong,
    /// A name that refers to nothing.
    NotFound,
    /// The API server has no such kind in this version.
    NoKind,
}

impl Reason {
    /// Its name as in a `Status` of the API server.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decode => "FieldValueInvalid",
            Self::Unknown => "FieldUnknown",
            Self::Required => "FieldValueRequired",
            Self::Type => "FieldValueTypeInvalid",
            Self::Invalid => "FieldValueInvalid",
            Self::Unsupported => "FieldValueNotSupported",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::NotFound => "FieldValueNotFound",
            Self::NoKind => "NoKindMatch",
        }
    }
}

/// One thing that is wrong with an object. Its message never holds a value of the object, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Where.
    pub field: Field,
    /// Why.
    pub reason: Reason,
    /// In words that follow the place: "must be …".
    pub message: String,
    /// What the user can do, where that is known.
    pub help: Option<String>,
}

/// Causes as they are found.
#[derive(Debug, Clone, Default)]
pub struct Causes {
    /// In the order in which they were found.
    pub list: Vec<Cause>,
}

impl Causes {
    /// Adds a cause.
    pub(crate) fn add(&mut self, path: &Path<'_>, reason: Reason, message: impl Into<String>) {
        if self.list.len() < MOST {
            self.list.push(Cause {
                field: Field::from(path),
                reason,
                message: message.into(),
                help: None,
            });
        }
    }

    /// Adds what to do to the cause that was added last.
    pub(crate) fn help(&mut self, help: impl Into<String>) {
        if let Some(cause) = self.list.last_mut() {
            cause.help = Some(help.into());
        }
    }

    pub(crate) fn required(&mut self, path: &Path<'_>, message: &str) {
        let message = match message {
            "" => "is required".to_owned(),
            more => format!("is required: {more}"),
        };
        self.add(path, Reason::Required, message);
    }

    pub(crate) fn invalid(&mut self, path: &Path<'_>, message: impl Into<String>) {
        self.add(path, Reason::Invalid, message);
    }

    pub(crate) fn forbidden(&mut self, path: &Path<'_>, message: &str) {
        self.add(path, Reason::Forbidden, format!("is forbidden: {message}"));
    }

    pub(crate) fn duplicate(&mut self, path: &Path<'_>) {
        self.add(path, Reason::Duplicate, "is there twice");
    }

    pub(crate) fn unsupported(&mut self, path: &Path<'_>, known: &[&str]) {
        let message = format!("must be one of {}", known.join(", "));
        self.add(path, Reason::Unsupported, message);
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

/// How many causes are kept of one object: a list of thousands of wrong items is one mistake.
const MOST: usize = 100;

/// What the judge says of one object.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Whether there is a schema: without one, the object was looked at by its metadata alone.
    pub is_known: bool,
    /// Why it is refused; empty when it is taken.
    pub errors: Vec<Cause>,
    /// Why a strict client is refused: fields that would be dropped without a word, and keys that are there twice.
    pub unknown: Vec<Cause>,
    /// Why a server-side apply is refused where a create is not.
    pub apply: Vec<Cause>,
    /// What the API server would warn of.
    pub warnings: Vec<Cause>,
    /// The object as it would be stored, with its defaults.
    pub object: Value,
}
