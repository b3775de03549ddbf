//! Turns the engine's errors into diagnostics: its kind and place, our words, never a value.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::fmt;
use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use super::cache::{TemplateCache, Text};
use super::dialect::Fault;
use super::own_message::OwnMessage;
use crate::diagnostic::{Code, Diagnostic, Place, nearest};

/// What is known where an error is told: the texts, and the names that could have been meant.
pub(super) struct ErrorReporter<'a> {
    pub(super) main: &'a Text,
    pub(super) shelf: &'a TemplateCache,
    pub(super) context: &'a Value,
    pub(super) functions: Vec<&'a str>,
    /// The marks that end code.
    pub(super) closers: [&'a str; 2],
}

/// A finding of our own on its way through the engine.
#[derive(Debug)]
struct Carried(Diagnostic);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file cannot be read")
    }
}

impl std::error::Error for Carried {}

/// An error of the engine that brings a finding of our own through it.
pub(super) fn carried(finding: Diagnostic) -> Error {
    Error::new(ErrorKind::InvalidOperation, "a file cannot be read").with_source(Carried(finding))
}

/// The finding of our own that an error of the engine brings.
pub(super) fn carried_by(error: &Error) -> Option<Diagnostic> {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(Carried(finding)) = inner.downcast_ref() {
            return Some(finding.clone());
        }
        source = inner.source();
    }
    None
}

/// The place of a byte of a text.
pub(super) fn place(path: &Arc<str>, source: &str, at: usize) -> Place {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    let before = &source[..at];
    let line = before.matches('\n').count() + 1;
    let column = before[before.rfind('\n').map_or(0, |n| n + 1)..]
        .chars()
        .count()
        + 1;
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place::new(Arc::clone(path), number(line), number(column))
}

/// The diagnostic of a text that is not Jinja.
pub(super) fn syntax(path: &Arc<str>, source: &str, fault: &Fault) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::TemplateSyntax, fault.phrase.clone())
        .at(place(path, source, fault.at));
    match &fault.help {
        Some(help) => diagnostic.help(help.clone()),
        None => diagnostic,
    }
}

/// The path of a text, and the text.
type Located = (Arc<str>, String);

impl ErrorReporter<'_> {
    /// Tells what went wrong where; the innermost error first, includes as the way there.
    pub(super) fn tell(&self, error: &Error) -> Diagnostic {
        let mut chain = vec![error];
        let mut source = error.source();
        while let Some(inner) = source {
            chain.extend(inner.downcast_ref::<Error>());
            source = inner.source();
        }
        let inner = chain.pop().unwrap_or(error);
        let (text, at) = self.locate(inner);
        let mut diagnostic = self.describe(inner, &text, at);
        let mut last = None;
        for outer in chain
            .iter()
            .rev()
            .filter(|e| e.kind() == ErrorKind::BadInclude)
        {
            if diagnostic.trail().len() == MAX_TRAIL {
                break;
            }
            let (text, at) = self.locate(outer);
            let place = place(&text.0, &text.1, at.map_or(0, |(start, _)| start));
            if last.replace(place.clone()).as_ref() != Some(&place) {
                diagnostic = diagnostic.via(place);
            }
        }
        let outermost = diagnostic.trail().last().or(diagnostic.place());
        let Some(outermost) = outermost.map(|place| Arc::clone(&place.file)) else {
            return diagnostic;
        };
        let imports = self.imports(self.main, &outermost, &mut BTreeSet::new());
        imports
            .into_iter()
            .flatten()
            .fold(diagnostic, |d, place| d.via(place))
    }

    /// The statements that lead from a text to a template, the last one first: the engine tells who includes
    /// what, and not who calls a macro that was imported.
    fn imports(
        &self,
        from: &Text,
        to: &Arc<str>,
        seen: &mut BTreeSet<Arc<str>>,
    ) -> Option<Vec<Place>> {
        if from.path == *to {
            return Some(Vec::new());
        }
        if !seen.insert(Arc::clone(&from.path)) {
            return None;
        }
        from.translated.includes.iter().find_map(|(name, at)| {
            let text = self.shelf.template(name).flatten()?;
            let mut way = self.imports(&text, to, seen)?;
            way.push(place(&from.path, &from.source, *at));
            Some(way)
        })
    }

    /// The text of an error, and the bytes of it that the error is about.
    fn locate(&self, error: &Error) -> (Located, Option<(usize, usize)>) {
        let name = error.name().unwrap_or_default();
        let shelved = self
            .shelf
            .template(name)
            .flatten()
            .filter(|_| name != &*self.main.path);
        let text = shelved.as_deref().unwrap_or(self.main);
        let at = error.range().map(|range| {
            let map = &text.translated.map;
            (
                map.source_of(range.start),
                map.source_of(range.end.saturating_sub(1)),
            )
        });
        ((Arc::clone(&text.path), text.source.clone()), at)
    }

    fn describe(&self, error: &Error, text: &Located, at: Option<(usize, usize)>) -> Diagnostic {
        let place = match at {
            Some((start, _)) => place(&text.0, &text.1, start),
            None => Place::file(Arc::clone(&text.0)),
        };
        let said = error
            .source()
            .and_then(|s| s.downcast_ref::<OwnMessage>())
            .map(|s| s.0.clone());
        let (code, phrase) = match error.kind() {
            ErrorKind::UndefinedError => return self.undefined(error, text, at).at(place),
            ErrorKind::SyntaxError | ErrorKind::BadEscape => {
                let detail = error.detail().unwrap_or("this is not Jinja");
                (Code::TemplateSyntax, detail.replace(char::is_control, ""))
            }
            ErrorKind::OutOfFuel => {
                let phrase = "the template works too long or gives too much";
                (
                    Code::TemplateLimit,
                    said.unwrap_or_else(|| phrase.to_owned()),
                )
            }
            ErrorKind::TemplateNotFound => {
                return self.missing(at, text).at(place);
            }
            ErrorKind::UnknownFunction | ErrorKind::UnknownMethod => {
                return self.uncallable(error, text, at).at(place);
            }
            ErrorKind::UnknownFilter => (Code::TemplateSyntax, unknown("filter", error, text, at)),
            ErrorKind::UnknownTest => (Code::TemplateSyntax, unknown("test", error, text, at)),
            ErrorKind::MissingArgument => {
                (Code::TemplateFailed, "an argument is missing".to_owned())
            }
            ErrorKind::TooManyArguments => {
                let phrase = said.unwrap_or_else(|| "there are too many arguments".to_owned());
                (Code::TemplateFailed, phrase)
            }
            ErrorKind::CannotUnpack => {
                let phrase = "the value does not have as many items as there are names";
                (Code::TemplateFailed, phrase.to_owned())
            }
            _ if error
                .detail()
                .is_some_and(|d| d.contains("recursion limit")) =>
            {
                let phrase = "templates or macros nest too deep: one of them calls itself";
                (Code::TemplateLimit, phrase.to_owned())
            }
            _ if error
                .detail()
                .is_some_and(|d| d.contains("undefined is not callable")) =>
            {
                let called = at.and_then(|(start, _)| path_at(&text.1, start));
                let phrase = match called {
                    Some(called) => format!("there is no {called} to call"),
                    None => "what is called is not set".to_owned(),
                };
                (Code::TemplateUndefined, phrase)
            }
            _ => {
                let phrase =
                    said.unwrap_or_else(|| "this cannot be done with these values".to_owned());
                (Code::TemplateFailed, phrase)
            }
        };
        Diagnostic::new(code, phrase).at(place)
    }

    fn missing(&self, at: Option<(usize, usize)>, text: &Located) -> Diagnostic {
        let shown = at.and_then(|(start, _)| constant(&text.1, start));
        let phrase = match shown {
            Some(name) => format!("the template {name} does not exist"),
            None => "the included template does not exist".to_owned(),
        };
        Diagnostic::new(Code::TemplateMissing, phrase)
            .help("templates are looked for in the input directories, in order")
    }

    /// A call of what cannot be called: an unset name, or a method that there is not.
    fn uncallable(&self, error: &Error, text: &Located, at: Option<(usize, usize)>) -> Diagnostic {
        let path = at.and_then(|(start, _)| path_at(&text.1, start));
        let method = error.detail().and_then(|d| d.rsplit_once(" named "));
        let method = method.map(|(_, method)| method.to_owned());
        let is_name = |p: &String| !p.starts_with(|c: char| c.is_ascii_digit());
        let Some(path) = path.filter(is_name) else {
            let phrase = match method {
                Some(method) => format!("there is no method {method}"),
                None => "this cannot be called".to_owned(),
            };
            return Diagnostic::new(Code::TemplateFailed, phrase);
        };
        let method = method.or_else(|| Some(path.rsplit_once('.')?.1.to_owned()));
        if error.kind() == ErrorKind::UnknownMethod
            && let Some(method) = method
            && !self.is_missing(path.split('.').next().unwrap_or_default())
        {
            return Diagnostic::new(Code::TemplateFailed, format!("there is no method {method}"));
        }
        if path.contains('.') && self.is_local(&path, text) {
            return Diagnostic::new(Code::TemplateUndefined, format!("there is no {path}"));
        }
        let name = path.split('.').next().unwrap_or_default();
        let functions = self.functions.iter().copied();
        let phrase = format!("there is no function {name}");
        let diagnostic = Diagnostic::new(Code::TemplateUndefined, phrase);
        match nearest(name, functions) {
            Some(near) => diagnostic.help(format!("did you mean {near}?")),
            None => diagnostic,
        }
    }

    fn is_missing(&self, name: &str) -> bool {
        self.context
            .get_attr(name)
            .map_or(true, |v| v.is_undefined())
    }

    /// Names what is not set, and the nearest name that is.
    fn undefined(&self, error: &Error, text: &Located, at: Option<(usize, usize)>) -> Diagnostic {
        let told = error
            .detail()
            .and_then(|d| d.split('`').nth(1))
            .map(|path| path.trim_start_matches("__values.").to_owned());
        let path = told
            .filter(|t| !t.starts_with("(...)"))
            .or_else(|| self.first_missing(text, at?));
        let Some(path) = path else {
            return Diagnostic::new(Code::TemplateUndefined, "a value that is not set is used");
        };
        if at.is_some_and(|(start, _)| is_filter(&text.1, start)) && self.is_missing(&path) {
            let phrase = format!("the filter {path} reads a value that is not set");
            return Diagnostic::new(Code::TemplateUndefined, phrase);
        }
        if self.is_local(&path, text) {
            let phrase = format!("{path} is not set");
            return Diagnostic::new(Code::TemplateUndefined, phrase);
        }
        let (known, missing, siblings) = self.follow(&path);
        let phrase = if known.is_empty() {
            format!("{missing} is not set")
        } else {
            format!("{known} has no {missing}")
        };
        let diagnostic = Diagnostic::new(Code::TemplateUndefined, phrase);
        if known.is_empty() && missing == "env" {
            return diagnostic.help("templates see no environment variables");
        }
        match nearest(&missing, siblings.iter().map(String::as_str)) {
            Some(near) => diagnostic.help(format!("did you mean {near}?")),
            None => diagnostic,
        }
    }

    /// Whether a path starts at a name that its template sets itself, whose value is not known here.
    fn is_local(&self, path: &str, text: &Located) -> bool {
        let root = path.split(['.', '[']).next().unwrap_or_default();
        let reads = match self.main.path == text.0 {
            true => self.main.translated.reads.contains_key(root),
            false => self.shelf.reads(&text.0, root),
        };
        !reads && self.is_missing(root)
    }

    /// The first path in a stretch of the source that leads nowhere.
    fn first_missing(&self, text: &Located, (start, end): (usize, usize)) -> Option<String> {
        // Operators start where their first operand does: the rest of the tag is looked through.
        let after = &text.1[end.min(text.1.len())..];
        let closers = self.closers.iter().filter_map(|c| after.find(c));
        let end = closers.min().map_or(text.1.len(), |n| end + n);
        let mut at = start;
        let mut first = None;
        while at < end {
            match path_at(&text.1, at) {
                Some(path) => {
                    at += path.len();
                    if path.starts_with(|c: char| c.is_ascii_digit()) {
                        continue;
                    }
                    let root = path.split('.').next().unwrap_or_default();
                    if self.is_missing(root) || !self.follow(&path).1.is_empty() {
                        return Some(path);
                    }
                    first.get_or_insert(path);
                }
                None => at += text.1[at..].chars().next().map_or(1, char::len_utf8),
            }
        }
        first
    }

    /// How far a path leads: what was found, the part that is missing, and what stands beside it.
    fn follow(&self, path: &str) -> (String, String, Vec<String>) {
        let mut value = self.context.clone();
        let mut known: Vec<&str> = Vec::new();
        for part in path.split(['.', '[']).map(|p| p.trim_matches([']', '"'])) {
            let next = match part.parse::<usize>() {
                Ok(index) => value.get_item_by_index(index),
                Err(_) => value.get_attr(part),
            };
            match next {
                Ok(next) if !next.is_undefined() => value = next,
                _ => {
                    let siblings = match value.kind() {
                        ValueKind::Map => value
                            .try_iter()
                            .into_iter()
                            .flatten()
                            .map(|k| k.to_string())
                            .collect(),
                        _ => Vec::new(),
                    };
                    return (known.join("."), part.to_owned(), siblings);
                }
            }
            known.push(part);
        }
        (known.join("."), String::new(), Vec::new())
    }
}

/// The phrase for a filter or test that there is not: MiniJinja's detail is `filter NAME is unknown`, and what
/// `map` and `select` call stands as a string after them.
fn unknown(what: &str, error: &Error, text: &Located, at: Option<(usize, usize)>) -> String {
    let detail = error.detail().unwrap_or_default();
    match detail.split(' ').nth(1) {
        Some(name) if detail.ends_with(" is unknown") => format!("there is no {what} {name}"),
        _ => match at.and_then(|(start, _)| constant(&text.1, start)) {
            Some(name) => format!("there is no {what} {name}"),
            None => format!("there is no such {what}"),
        },
    }
}

/// Includes on the way to an error that are told.
const MAX_TRAIL: usize = 8;

/// The dotted name that starts at a byte.
fn path_at(source: &str, at: usize) -> Option<String> {
    let rest = source.get(at..)?;
    let end = rest
        .find(|c: char| c != '_' && c != '.' && !c.is_alphanumeric())
        .unwrap_or(rest.len());
    let path = rest[..end].trim_matches('.');
    (!path.is_empty()).then(|| path.to_owned())
}

/// Whether a filter is called at a byte.
fn is_filter(source: &str, at: usize) -> bool {
    let (before, after) = source.split_at_checked(at).unwrap_or_default();
    before.trim_end().ends_with('|') || after.starts_with('|')
}

/// The first string constant of a tag, for the name of an include.
fn constant(source: &str, at: usize) -> Option<String> {
    let rest = source.get(at..)?.lines().next()?;
    let start = rest.find(['\'', '"'])?;
    let quote = rest[start..].chars().next()?;
    let inside = &rest[start + 1..];
    Some(inside[..inside.find(quote)?].to_owned())
}
