//! The tree of an expression.

/// An expression and where it starts.
#[derive(Debug)]
pub(super) struct Expression {
    pub(super) at: usize,
    pub(super) node: Node,
}

/// What an expression is.
#[derive(Debug)]
pub(super) enum Node {
    Name(String),
    Text(String),
    Integer(String),
    Float(f64),
    /// `true`, `false` or `none`.
    Constant(&'static str),
    List(Vec<Expression>),
    Tuple(Vec<Expression>),
    Dict(Vec<(Expression, Expression)>),
    /// `not`, `-` or `+`.
    Unary(&'static str, Box<Expression>),
    /// A left-associative chain of one operator.
    Binary(&'static str, Vec<Expression>),
    Compare(Box<Expression>, Vec<(&'static str, Expression)>),
    Conditional {
        test: Box<Expression>,
        then: Box<Expression>,
        otherwise: Option<Box<Expression>>,
    },
    Attribute(Box<Expression>, String),
    Item(Box<Expression>, Box<Expression>),
    Slice(Box<Expression>, [Option<Box<Expression>>; 3]),
    Call(Box<Expression>, Vec<Argument>),
    /// Without an expression: the head of a `filter` block.
    Filter(Option<Box<Expression>>, String, Vec<Argument>),
    Test(Box<Expression>, String, Vec<Argument>, bool),
}

/// An argument of a call.
#[derive(Debug)]
pub(super) enum Argument {
    Positional(Expression),
    Named(String, Expression),
    Splat(Expression),
    NamedSplat(Expression),
}
