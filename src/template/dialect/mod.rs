//! Reads Jinja2's language and writes it in MiniJinja's.
//!
//! MiniJinja parses a dialect of its own; here is what Jinja2's lexer and parser do, up to a small tree:
//! marks and whitespace control ([`segment`]), tokens ([`token`]), expressions ([`expression`]) and
//! statements ([`statement`]). The tree is then printed ([`print`]) in MiniJinja's syntax, with calls such
//! as `__list(…)` where Python's meaning differs from MiniJinja's (`template::python` has their
//! bodies). A [`SourceMap`] leads from every byte of the result to the byte it stands for.

mod expression;
mod print;
mod segment;
mod source_map;
mod statement;
mod token;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use print::{
    BLOCK_END, BLOCK_START, COMMENT_END, COMMENT_START, VARIABLE_END, VARIABLE_START,
};
pub(super) use source_map::SourceMap;

use super::settings::Settings;

/// What is wrong with a text, and where, in bytes.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) phrase: String,
    pub(super) help: Option<String>,
}

impl Fault {
    fn new(at: usize, phrase: impl Into<String>) -> Self {
        Self {
            at,
            phrase: phrase.into(),
            help: None,
        }
    }
}

/// A text in MiniJinja's language.
#[derive(Debug, Default)]
pub(super) struct Translated {
    pub(super) text: String,
    pub(super) map: SourceMap,
    /// The names it reads and does not set before, with the place of each first read.
    pub(super) reads: BTreeMap<String, usize>,
    /// The templates that it includes or imports by a constant name, and where.
    pub(super) includes: Vec<(String, usize)>,
    /// The functions it calls that are neither built in nor its own.
    pub(super) calls: BTreeSet<String>,
    /// Whether it may change a list or mapping in place, or hands its names to a template that may.
    pub(super) mutates: bool,
}

/// What the language knows by name.
pub(super) trait Vocabulary {
    fn has_filter(&self, name: &str) -> bool;
    fn has_test(&self, name: &str) -> bool;
    fn has_function(&self, name: &str) -> bool;
    /// The known name that is nearest.
    fn nearest(&self, kind: Kind, name: &str) -> Option<String>;
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Filter,
    Test,
}

/// Where the names of a text that it does not set itself are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameScope {
    /// In what surrounds it, and the values.
    Context,
    /// In the values alone: what is imported does not see the names of who imports it.
    Values,
}

/// Before the name of a template that is to be read with [`NameScope::Values`].
pub(super) const ALONE: &str = "\u{1}";

/// Translates a template. Newlines must be `\n` already.
pub(super) fn translate(
    source: &str,
    settings: &Settings,
    vocabulary: &dyn Vocabulary,
    reach: NameScope,
) -> Result<Translated, Fault> {
    let segments = segment::split(source, settings)?;
    let mut printer = print::Printer::new(settings, vocabulary);
    printer.reach = reach;
    statement::write(source, &segments, printer)
}

/// Translates one expression without marks.
pub(super) fn translate_expression(
    source: &str,
    settings: &Settings,
    vocabulary: &dyn Vocabulary,
) -> Result<Translated, Fault> {
    let tokens = token::tokens(source, 0..source.len())?;
    let mut parser = expression::Parser::new(&tokens, source.len());
    let tree = parser.tuple()?;
    parser.expect_end()?;
    let mut printer = print::Printer::new(settings, vocabulary);
    printer.expression(&tree)?;
    Ok(printer.finish())
}
