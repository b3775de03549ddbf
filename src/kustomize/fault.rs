//! What is wrong with a node, told before its file is known.

use crate::diagnostic::{Code, Diagnostic, Place, Source};
use crate::kube::Resource;
use crate::yaml::{Mark, Node, Value};

/// What is wrong with a node of a document.
#[derive(Debug)]
pub(crate) struct Fault {
    code: Code,
    phrase: String,
    mark: Mark,
    help: Option<String>,
}

impl Fault {
    /// Says what is wrong with a node.
    pub(crate) fn new(code: Code, node: &Node, phrase: impl Into<String>) -> Self {
        Self {
            code,
            phrase: phrase.into(),
            mark: node.mark(),
            help: None,
        }
    }

    /// Says that a node is of another sort than it must be.
    pub(crate) fn wrong_sort(node: &Node, wanted: &str) -> Self {
        let phrase = format!("this must be {wanted}, but it is {}", sort_of(node));
        Self::new(Code::FieldType, node, phrase)
    }

    /// Adds what the user can do.
    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Tells it of an object.
    pub(crate) fn of(self, resource: &Resource) -> Diagnostic {
        let place = match (self.mark.line, resource.source()) {
            (1.., Some(source)) => Some(source.place(self.mark.line, self.mark.column)),
            _ => resource.place(),
        };
        let error = Diagnostic::new(self.code, self.phrase).at(place);
        self.help.into_iter().fold(error, Diagnostic::help)
    }
}

impl Fault {
    /// Tells it of a file.
    pub(crate) fn in_source(self, source: &Source) -> Diagnostic {
        let place = source.place(self.mark.line, self.mark.column);
        self.at(place)
    }

    /// Tells it at a place.
    pub(crate) fn at(self, place: Place) -> Diagnostic {
        let error = Diagnostic::new(self.code, self.phrase).at(place);
        self.help.into_iter().fold(error, Diagnostic::help)
    }
}

/// What a node is, in words.
pub(crate) fn sort_of(node: &Node) -> &'static str {
    match node.value() {
        Value::Mapping(_) => "a mapping",
        Value::Sequence(_) => "a list",
        Value::Scalar(_) if node.is_null() => "null",
        Value::Scalar(_) => "a single value",
    }
}
