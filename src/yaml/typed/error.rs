//! Why a node does not have the type that is wanted.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::diagnostic::{Code, Diagnostic, Source, nearest};
use crate::yaml::Mark;

/// A field that is wrong; its path grows on the way out.
#[derive(Debug)]
pub(super) struct FieldError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    problem: Problem,
    mark: Option<Mark>,
    /// From the innermost step out.
    path: Vec<Step>,
}

#[derive(Debug)]
enum Problem {
    Type {
        expected: String,
        found: &'static str,
    },
    Unknown {
        what: &'static str,
        name: String,
        known: &'static [&'static str],
    },
    Missing(&'static str),
    Other(String),
}

#[derive(Debug)]
enum Step {
    Field(String),
    Index(usize),
}

impl FieldError {
    fn new(problem: Problem) -> Self {
        Self(Box::new(Inner {
            problem,
            mark: None,
            path: Vec::new(),
        }))
    }

    /// Sets the place unless it is known more closely.
    pub(super) fn at(mut self, mark: Mark) -> Self {
        self.0.mark.get_or_insert(mark);
        self
    }

    pub(super) fn in_field(mut self, name: &str) -> Self {
        self.0.path.push(Step::Field(name.to_owned()));
        self
    }

    pub(super) fn in_item(mut self, index: usize) -> Self {
        self.0.path.push(Step::Index(index));
        self
    }

    pub(super) fn at_source(self, source: &Source) -> Diagnostic {
        let Inner {
            problem,
            mark,
            path,
        } = *self.0;
        let mark = mark.unwrap_or_default();
        let path = write_path(&path);
        let within = match path.as_str() {
            "" => String::new(),
            path => format!(" in `{path}`"),
        };
        let subject = match path.as_str() {
            "" => String::new(),
            path => format!("`{path}`: "),
        };
        let diagnostic = match problem {
            Problem::Type { expected, found } => Diagnostic::new(
                Code::FieldType,
                format!("{subject}expected {expected}, found {found}"),
            ),
            Problem::Unknown { what, name, known } => {
                let unknown = Diagnostic::new(
                    Code::FieldUnknown,
                    format!("unknown {what} `{name}`{within}"),
                );
                match nearest(&name, known.iter().copied()) {
                    Some(near) => unknown.help(format!("did you mean `{near}`?")),
                    None if known.is_empty() => unknown,
                    None => unknown.help(format!("known here: {}", known.join(", "))),
                }
            }
            Problem::Missing(name) => Diagnostic::new(
                Code::FieldMissing,
                format!("missing field `{name}`{within}"),
            ),
            Problem::Other(message) => {
                Diagnostic::new(Code::FieldType, format!("{subject}{message}"))
            }
        };
        diagnostic.at(source.place(mark.line, mark.column))
    }
}

/// `images[0].name`.
fn write_path(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps.iter().rev() {
        match step {
            Step::Field(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// What was found, without its value.
fn describe(unexpected: Unexpected<'_>) -> &'static str {
    match unexpected {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
        Unexpected::Float(_) => "a number",
        Unexpected::Char(_) | Unexpected::Str(_) => "a string",
        Unexpected::Unit | Unexpected::Option => "nothing",
        Unexpected::Seq => "a list",
        Unexpected::Map | Unexpected::NewtypeStruct => "a mapping",
        Unexpected::UnitVariant => "a name alone",
        Unexpected::Bytes(_)
        | Unexpected::Enum
        | Unexpected::NewtypeVariant
        | Unexpected::TupleVariant
        | Unexpected::StructVariant
        | Unexpected::Other(_) => "another value",
    }
}

/// What was wanted, in the words of YAML.
fn expectation(expected: &dyn Expected) -> String {
    let words = expected.to_string();
    if words.starts_with("struct ") || words.starts_with("a map") {
        return "a mapping".to_owned();
    }
    if words.starts_with("a sequence") || words.starts_with("tuple ") {
        return "a list".to_owned();
    }
    match words.as_str() {
        "i8" | "i16" | "i32" | "i64" => "an integer".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "an integer that is not negative".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        _ if words.starts_with("enum ") || words.starts_with("variant ") => {
            "one of the known names".to_owned()
        }
        _ => words,
    }
}

impl de::Error for FieldError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        let untagged = "data did not match any variant of untagged enum";
        Self::new(Problem::Other(if message.starts_with(untagged) {
            "the value has none of the forms that are allowed here".to_owned()
        } else {
            message
        }))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Problem::Type {
            expected: expectation(expected),
            found: describe(unexpected),
        })
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match unexpected {
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => "one that is out of range",
            other => describe(other),
        };
        Self::new(Problem::Type {
            expected: expectation(expected),
            found,
        })
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let wanted = expectation(expected);
        Self::new(Problem::Other(format!(
            "{wanted} does not have {length} items"
        )))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Problem::Unknown {
            what: "name",
            name: variant.to_owned(),
            known: expected,
        })
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Problem::Unknown {
            what: "field",
            name: field.to_owned(),
            known: expected,
        })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Problem::Missing(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(Problem::Other(format!(
            "the field `{field}` is there twice"
        )))
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field is wrong")
    }
}

impl std::error::Error for FieldError {}
