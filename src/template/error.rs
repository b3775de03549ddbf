//! Turns the engine's errors into diagnostics: its kind and place, our words, never a value.

use std::error::Error as _;

use minijinja::{Error, ErrorKind};

use crate::diagnostic::{Code, Diagnostic, Place};

/// Tells what went wrong where; the innermost error first, includes as the way there.
pub(super) fn diagnose(error: &Error, name: &str) -> Diagnostic {
    let mut chain = vec![error];
    let mut source = error.source();
    while let Some(inner) = source {
        chain.extend(inner.downcast_ref::<Error>());
        source = inner.source();
    }
    let inner = chain.pop().expect("the chain starts with the error itself");
    let (code, phrase) = describe(inner);
    let mut diagnostic = Diagnostic::new(code, phrase).at(place(inner, name));
    for outer in chain.iter().rev() {
        diagnostic = diagnostic.via(place(outer, name));
    }
    diagnostic
}

fn place(error: &Error, name: &str) -> Place {
    let line = error
        .line()
        .and_then(|l| u32::try_from(l).ok())
        .unwrap_or(0);
    Place::new(error.name().unwrap_or(name), line, 0)
}

fn describe(error: &Error) -> (Code, String) {
    match error.kind() {
        ErrorKind::SyntaxError | ErrorKind::BadEscape => {
            (Code::TemplateSyntax, "this is not Jinja".to_owned())
        }
        ErrorKind::UndefinedError => (Code::TemplateUndefined, "a name is not set".to_owned()),
        ErrorKind::OutOfFuel => (
            Code::TemplateLimit,
            "the template works for too long".to_owned(),
        ),
        ErrorKind::TemplateNotFound => (
            Code::TemplateMissing,
            "an included template does not exist".to_owned(),
        ),
        _ => (Code::TemplateFailed, "the template fails".to_owned()),
    }
}
