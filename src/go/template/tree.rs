//! The parsed form of a template.

use std::collections::BTreeMap;
use std::rc::Rc;

/// The templates that one text defines; its own body has the name "".
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) templates: BTreeMap<String, Rc<Block>>,
}

/// Statements in order.
pub(super) type Block = Vec<Statement>;

/// A statement and the line that it begins on.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) line: u32,
    pub(super) kind: StatementKind,
}

#[derive(Debug)]
pub(super) enum StatementKind {
    Text(String),
    Action(Pipeline),
    If(Branch),
    With(Branch),
    Range(Branch),
    Break,
    Continue,
    Template(String, Option<Pipeline>),
}

/// `if`, `with` and `range`.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) pipeline: Pipeline,
    pub(super) body: Block,
    pub(super) otherwise: Option<Block>,
}

/// Commands joined by `|`, and the variables that take the result.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) variables: Vec<String>,
    pub(super) is_assignment: bool,
    pub(super) commands: Vec<Command>,
}

/// A function, field or value, and its arguments.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) line: u32,
    pub(super) operands: Vec<Operand>,
}

#[derive(Debug)]
pub(super) enum Operand {
    Dot,
    Nil,
    Bool(bool),
    String(Rc<str>),
    Number(Number),
    /// `.a.b`
    Field(Vec<String>),
    /// `$x.a.b`
    Variable(String, Vec<String>),
    Function(String),
    Pipe(Pipeline),
    /// `(…).a.b`, `func.a`
    Chain(Box<Self>, Vec<String>),
}

/// A constant: what it is depends on where it is used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number {
    pub(super) int: Option<i64>,
    pub(super) float: f64,
    /// Whether it is written as a float.
    pub(super) is_float: bool,
    /// Whether it is written as a character.
    pub(super) is_char: bool,
}
