//! Expressions.

use super::parser;

/// A literal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
}

/// The macros that run an expression over the items of a list or the keys of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Macro {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
    TransformList,
    TransformMap,
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Literal(Literal),
    Name(String),
    /// `operand.field`; `is_optional` for `operand.?field`.
    Select {
        operand: Box<Self>,
        field: String,
        is_optional: bool,
    },
    /// `has(operand.field)`.
    Has {
        operand: Box<Self>,
        field: String,
    },
    Index {
        operand: Box<Self>,
        index: Box<Self>,
        is_optional: bool,
    },
    /// A function, operators included: `_+_`.
    Call {
        function: String,
        target: Option<Box<Self>>,
        arguments: Vec<Self>,
    },
    /// Items; those that are marked are left out when they are an empty optional.
    List(Vec<(Self, bool)>),
    Map(Vec<(Self, Self, bool)>),
    Comprehension {
        kind: Macro,
        range: Box<Self>,
        /// One name, or two: index or key, and value.
        names: Vec<String>,
        /// What selects the items, for a map with a filter and for transforms.
        filter: Option<Box<Self>>,
        body: Box<Self>,
    },
    /// `cel.bind(name, value, body)`.
    Bind {
        name: String,
        value: Box<Self>,
        body: Box<Self>,
    },
}

impl Expr {
    /// Calls a function with an expression's parts, one level down.
    fn each<'e>(&'e self, visit: &mut dyn FnMut(&'e Self)) {
        match self {
            Self::Literal(_) | Self::Name(_) => {}
            Self::Select { operand, .. } | Self::Has { operand, .. } => visit(operand),
            Self::Index { operand, index, .. } => {
                visit(operand);
                visit(index);
            }
            Self::Call {
                target, arguments, ..
            } => target
                .as_deref()
                .into_iter()
                .chain(arguments)
                .for_each(visit),
            Self::List(items) => items.iter().for_each(|(item, _)| visit(item)),
            Self::Map(entries) => entries.iter().for_each(|(key, value, _)| {
                visit(key);
                visit(value);
            }),
            Self::Comprehension {
                range,
                filter,
                body,
                ..
            } => {
                visit(range);
                filter.iter().for_each(|f| visit(f));
                visit(body);
            }
            Self::Bind { value, body, .. } => {
                visit(value);
                visit(body);
            }
        }
    }

    fn uses(&self, name: &str) -> bool {
        if matches!(self, Self::Name(own) if own == name) {
            return true;
        }
        let mut found = false;
        self.each(&mut |part| found = found || part.uses(name));
        found
    }
}

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Program {
    pub(crate) root: Expr,
}

impl Program {
    /// Parses an expression. Fails with a message that names the column.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        parser::parse(text).map(|root| Self { root })
    }

    /// Whether a variable is read.
    pub(crate) fn uses(&self, name: &str) -> bool {
        self.root.uses(name)
    }
}
