//! Jinja2's expressions, as its parser reads them.

use super::Fault;
use super::token::{Spanned, Token};
use super::tree::{Argument, Expression, Node};

type Parsed = Result<Expression, Fault>;

/// Nested brackets and operators: MiniJinja's own parser stops at 150, and some of ours become two of its.
const MAX_DEPTH: usize = 60;

/// Filters, tests, calls and fields after one another nest as deep when they run.
const MAX_CHAIN: usize = 200;

/// Reads expressions from the tokens of one tag.
pub(super) struct Parser<'a> {
    tokens: &'a [Spanned],
    next: usize,
    /// Where the tag ends, for messages.
    end: usize,
    depth: usize,
    /// A word that ends a tuple: `recursive` after what `for` iterates.
    stop_word: Option<&'static str>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(tokens: &'a [Spanned], end: usize) -> Self {
        Self {
            tokens,
            next: 0,
            end,
            depth: 0,
            stop_word: None,
        }
    }

    /// Where the next token starts.
    pub(super) fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |t| t.at)
    }

    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next).map(|t| &t.token)
    }

    fn peek_second(&self) -> Option<&'a Token> {
        self.tokens.get(self.next + 1).map(|t| &t.token)
    }

    /// Takes an operator when it is next.
    pub(super) fn take(&mut self, operator: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Operator(o)) if *o == operator);
        self.next += usize::from(found);
        found
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Name(n)) if n == word)
    }

    /// Takes a word when it is next.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.next += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, operator: &str) -> Result<(), Fault> {
        if self.take(operator) {
            Ok(())
        } else {
            Err(self.unexpected(operator))
        }
    }

    pub(super) fn name(&mut self, what: &str) -> Result<(usize, String), Fault> {
        match self.peek() {
            Some(Token::Name(name)) => {
                let at = self.at();
                self.next += 1;
                Ok((at, name.clone()))
            }
            _ => Err(self.unexpected(what)),
        }
    }

    pub(super) fn expect_end(&self) -> Result<(), Fault> {
        if self.peek().is_none() {
            Ok(())
        } else {
            Err(self.unexpected("the end"))
        }
    }

    pub(super) fn unexpected(&self, wanted: &str) -> Fault {
        let got = match self.peek() {
            None => "the end".to_owned(),
            Some(Token::Name(name)) => name.clone(),
            Some(Token::Operator(operator)) => (*operator).to_owned(),
            Some(Token::Text(_)) => "a string".to_owned(),
            Some(Token::Integer(_) | Token::Float(_)) => "a number".to_owned(),
        };
        Fault::new(
            self.at(),
            format!("{got} stands where {wanted} is expected"),
        )
    }

    /// One expression, or several with commas: a tuple.
    pub(super) fn tuple(&mut self) -> Parsed {
        self.tuple_of(Self::expression, false)
    }

    /// As [`Self::tuple`], without `a if b`: what `if` takes.
    pub(super) fn tuple_without_conditional(&mut self) -> Parsed {
        self.tuple_of(Self::or, false)
    }

    /// As [`Self::tuple_without_conditional`], up to `recursive`: what `for` iterates.
    pub(super) fn iterated(&mut self) -> Parsed {
        self.stop_word = Some("recursive");
        let parsed = self.tuple_without_conditional();
        self.stop_word = None;
        parsed
    }

    fn tuple_of(&mut self, item: fn(&mut Self) -> Parsed, in_parentheses: bool) -> Parsed {
        let at = self.at();
        let mut items = Vec::new();
        let mut is_tuple = false;
        loop {
            if self.ends_tuple() {
                break;
            }
            items.push(item(self)?);
            if !self.take(",") {
                break;
            }
            is_tuple = true;
        }
        if is_tuple || (items.is_empty() && in_parentheses) {
            let node = Node::Tuple(items);
            return Ok(Expression { at, node });
        }
        items.pop().ok_or_else(|| self.unexpected("an expression"))
    }

    fn ends_tuple(&self) -> bool {
        match self.peek() {
            None | Some(Token::Operator(")")) => true,
            Some(Token::Name(n)) => self.stop_word.is_some_and(|w| w == n),
            _ => false,
        }
    }

    /// An expression with `a if b else c`.
    pub(super) fn expression(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(self.at(), "this expression is nested too deep"));
        }
        let parsed = self.conditional();
        self.depth -= 1;
        parsed
    }

    fn conditional(&mut self) -> Parsed {
        let mut expression = self.or()?;
        while self.take_word("if") {
            let at = expression.at;
            let test = Box::new(self.or()?);
            let otherwise = if self.take_word("else") {
                Some(Box::new(self.expression()?))
            } else {
                None
            };
            let then = Box::new(expression);
            expression = Expression {
                at,
                node: Node::Conditional {
                    test,
                    then,
                    otherwise,
                },
            };
        }
        Ok(expression)
    }

    fn or(&mut self) -> Parsed {
        self.words("or", Self::and)
    }

    fn and(&mut self) -> Parsed {
        self.words("and", Self::not)
    }

    fn words(&mut self, word: &'static str, operand: fn(&mut Self) -> Parsed) -> Parsed {
        let first = operand(self)?;
        let at = first.at;
        let mut operands = vec![first];
        while self.take_word(word) {
            operands.push(operand(self)?);
        }
        Ok(chain(at, word, operands))
    }

    fn not(&mut self) -> Parsed {
        let at = self.at();
        if !self.take_word("not") {
            return self.compare();
        }
        self.nested(|p| {
            let operand = Box::new(p.not()?);
            Ok(Expression {
                at,
                node: Node::Unary("not", operand),
            })
        })
    }

    fn nested(&mut self, parse: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(self.at(), "this expression is nested too deep"));
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn compare(&mut self) -> Parsed {
        let first = self.sum()?;
        let at = first.at;
        let mut rest = Vec::new();
        while let Some(operator) = self.comparison() {
            rest.push((operator, self.sum()?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let node = Node::Compare(Box::new(first), rest);
        Ok(Expression { at, node })
    }

    fn comparison(&mut self) -> Option<&'static str> {
        let (operator, length) = match self.peek()? {
            Token::Operator(o @ ("==" | "!=" | "<" | "<=" | ">" | ">=")) => (*o, 1),
            Token::Name(n) if n == "in" => ("in", 1),
            Token::Name(n) if n == "not" => {
                let is_in = matches!(self.peek_second(), Some(Token::Name(n)) if n == "in");
                is_in.then_some(("not in", 2))?
            }
            _ => return None,
        };
        self.next += length;
        Some(operator)
    }

    fn sum(&mut self) -> Parsed {
        self.operators(&["+", "-"], Self::concatenation)
    }

    fn concatenation(&mut self) -> Parsed {
        self.operators(&["~"], Self::product)
    }

    fn product(&mut self) -> Parsed {
        self.operators(&["*", "//", "/", "%"], Self::power)
    }

    fn power(&mut self) -> Parsed {
        self.operators(&["**"], |p| p.unary(true))
    }

    /// Left-associative operators of one rank; runs of the same operator become one chain.
    fn operators(
        &mut self,
        operators: &[&'static str],
        operand: impl Fn(&mut Self) -> Parsed,
    ) -> Parsed {
        let first = operand(self)?;
        let at = first.at;
        let mut operands = vec![first];
        let mut current = operators[0];
        while let Some(operator) = operators.iter().find(|o| self.take(o)) {
            if operands.len() > 1 && *operator != current {
                operands = vec![chain(at, current, operands)];
            }
            current = operator;
            operands.push(operand(self)?);
        }
        Ok(chain(at, current, operands))
    }

    fn unary(&mut self, with_filters: bool) -> Parsed {
        let at = self.at();
        let sign = ["-", "+"].into_iter().find(|s| self.take(s));
        let expression = match sign {
            Some(sign) => self.nested(|p| {
                let operand = Box::new(p.unary(false)?);
                Ok(Expression {
                    at,
                    node: Node::Unary(sign, operand),
                })
            })?,
            None => self.primary()?,
        };
        let expression = self.postfix(expression)?;
        if with_filters {
            self.filters(expression)
        } else {
            Ok(expression)
        }
    }

    fn primary(&mut self) -> Parsed {
        let at = self.at();
        let token = self
            .peek()
            .ok_or_else(|| self.unexpected("an expression"))?;
        self.next += 1;
        let node = match token {
            Token::Name(name) => match name.as_str() {
                "true" | "True" => Node::Constant("true"),
                "false" | "False" => Node::Constant("false"),
                "none" | "None" => Node::Constant("none"),
                _ => Node::Name(name.clone()),
            },
            Token::Text(text) => {
                let mut text = text.clone();
                while let Some(Token::Text(more)) = self.peek() {
                    text.push_str(more);
                    self.next += 1;
                }
                Node::Text(text)
            }
            Token::Integer(digits) => Node::Integer(digits.clone()),
            Token::Float(value) => Node::Float(*value),
            Token::Operator("(") => {
                let inner = self.nested(|p| p.tuple_of(Self::expression, true))?;
                self.expect(")")?;
                return Ok(inner);
            }
            Token::Operator("[") => Node::List(self.items("]")?),
            Token::Operator("{") => self.dict()?,
            Token::Operator(_) => {
                self.next -= 1;
                return Err(self.unexpected("an expression"));
            }
        };
        Ok(Expression { at, node })
    }

    fn items(&mut self, close: &str) -> Result<Vec<Expression>, Fault> {
        let mut items = Vec::new();
        while !self.take(close) {
            if !items.is_empty() {
                self.expect(",")?;
                if self.take(close) {
                    break;
                }
            }
            items.push(self.expression()?);
        }
        Ok(items)
    }

    fn dict(&mut self) -> Result<Node, Fault> {
        let mut entries = Vec::new();
        while !self.take("}") {
            if !entries.is_empty() {
                self.expect(",")?;
                if self.take("}") {
                    break;
                }
            }
            let key = self.expression()?;
            self.expect(":")?;
            entries.push((key, self.expression()?));
        }
        Ok(Node::Dict(entries))
    }

    fn postfix(&mut self, mut expression: Expression) -> Parsed {
        for _ in 0..MAX_CHAIN {
            let at = expression.at;
            let node = match self.peek() {
                Some(Token::Operator(".")) => {
                    self.next += 1;
                    self.attribute(expression)?
                }
                Some(Token::Operator("[")) => {
                    self.next += 1;
                    self.subscript(expression)?
                }
                Some(Token::Operator("(")) => Node::Call(Box::new(expression), self.arguments()?),
                _ => return Ok(expression),
            };
            expression = Expression { at, node };
        }
        Err(Fault::new(self.at(), "this expression is nested too deep"))
    }

    fn attribute(&mut self, of: Expression) -> Result<Node, Fault> {
        let at = self.at();
        let node = match self.peek() {
            Some(Token::Name(name)) => Node::Attribute(Box::new(of), name.clone()),
            Some(Token::Integer(digits)) => {
                let node = Node::Integer(digits.clone());
                Node::Item(Box::new(of), Box::new(Expression { at, node }))
            }
            _ => return Err(self.unexpected("a name")),
        };
        self.next += 1;
        Ok(node)
    }

    fn subscript(&mut self, of: Expression) -> Result<Node, Fault> {
        let at = self.at();
        let of = Box::new(of);
        let mut parts = [const { None }; 3];
        let mut colons = 0;
        loop {
            match self.peek() {
                Some(Token::Operator(":")) if colons < 2 => {
                    self.next += 1;
                    colons += 1;
                }
                Some(Token::Operator("]" | ",")) | None => break,
                _ if parts[colons].is_none() => {
                    parts[colons] = Some(Box::new(self.expression()?));
                }
                _ => return Err(self.unexpected("]")),
            }
        }
        if colons > 0 {
            self.expect("]")?;
            return Ok(Node::Slice(of, parts));
        }
        let [index, ..] = parts;
        let index = index.ok_or_else(|| self.unexpected("an expression"))?;
        if self.take("]") {
            return Ok(Node::Item(of, index));
        }
        let mut items = vec![*index];
        while self.take(",") {
            if matches!(self.peek(), Some(Token::Operator("]"))) {
                break;
            }
            items.push(self.expression()?);
        }
        self.expect("]")?;
        let node = Node::Tuple(items);
        Ok(Node::Item(of, Box::new(Expression { at, node })))
    }

    /// The arguments of a call, from its `(`.
    pub(super) fn arguments(&mut self) -> Result<Vec<Argument>, Fault> {
        self.expect("(")?;
        let mut arguments = Vec::new();
        let mut named = false;
        while !self.take(")") {
            if !arguments.is_empty() {
                self.expect(",")?;
                if self.take(")") {
                    break;
                }
            }
            let argument = self.argument()?;
            match &argument {
                Argument::Positional(e) if named => {
                    return Err(Fault::new(
                        e.at,
                        "a positional argument follows a named one",
                    ));
                }
                Argument::Named(..) | Argument::NamedSplat(_) => named = true,
                Argument::Positional(_) | Argument::Splat(_) => {}
            }
            arguments.push(argument);
        }
        Ok(arguments)
    }

    fn argument(&mut self) -> Result<Argument, Fault> {
        if self.take("**") {
            return Ok(Argument::NamedSplat(self.expression()?));
        }
        if self.take("*") {
            return Ok(Argument::Splat(self.expression()?));
        }
        if let (Some(Token::Name(name)), Some(Token::Operator("="))) =
            (self.peek(), self.peek_second())
        {
            self.next += 2;
            return Ok(Argument::Named(name.clone(), self.expression()?));
        }
        Ok(Argument::Positional(self.expression()?))
    }

    fn filters(&mut self, mut expression: Expression) -> Parsed {
        for _ in 0..MAX_CHAIN {
            let at = self.at();
            let node = match self.peek() {
                Some(Token::Operator("|")) => {
                    self.next += 1;
                    self.filter(Some(expression))?
                }
                Some(Token::Name(n)) if n == "is" => {
                    self.next += 1;
                    self.test(expression)?
                }
                Some(Token::Operator("(")) => Node::Call(Box::new(expression), self.arguments()?),
                _ => return Ok(expression),
            };
            expression = Expression { at, node };
        }
        Err(Fault::new(self.at(), "this expression is nested too deep"))
    }

    /// `name(…)|name(…)`, the head of a filter block or of a block `set`.
    pub(super) fn filter_chain(&mut self, of: Option<Expression>) -> Parsed {
        let at = self.at();
        let node = self.filter(of)?;
        self.filters(Expression { at, node })
    }

    fn filter(&mut self, of: Option<Expression>) -> Result<Node, Fault> {
        let name = self.dotted_name("the name of a filter")?;
        let arguments = self.optional_arguments()?;
        Ok(Node::Filter(of.map(Box::new), name, arguments))
    }

    fn dotted_name(&mut self, what: &str) -> Result<String, Fault> {
        let (_, mut name) = self.name(what)?;
        while self.take(".") {
            name.push('.');
            name.push_str(&self.name("a name")?.1);
        }
        Ok(name)
    }

    fn optional_arguments(&mut self) -> Result<Vec<Argument>, Fault> {
        match self.peek() {
            Some(Token::Operator("(")) => self.arguments(),
            _ => Ok(Vec::new()),
        }
    }

    fn test(&mut self, of: Expression) -> Result<Node, Fault> {
        let negated = self.take_word("not");
        let name = self.dotted_name("the name of a test")?;
        let arguments = match self.peek() {
            Some(Token::Operator("(")) => self.arguments()?,
            Some(Token::Name(n)) if ["else", "or", "and"].contains(&n.as_str()) => Vec::new(),
            Some(Token::Name(n)) if n == "is" => {
                return Err(Fault::new(self.at(), "tests cannot be chained with is"));
            }
            Some(
                Token::Name(_)
                | Token::Text(_)
                | Token::Integer(_)
                | Token::Float(_)
                | Token::Operator("[" | "{"),
            ) => {
                // `if` too: Jinja2 reads it as the name of a variable, and refuses what follows.
                let argument = self.primary()?;
                vec![Argument::Positional(self.postfix(argument)?)]
            }
            _ => Vec::new(),
        };
        Ok(Node::Test(Box::new(of), name, arguments, negated))
    }

    /// The names that `for`, `set` and `with` bind: one, or several with commas.
    pub(super) fn target(&mut self) -> Result<(Vec<(usize, String)>, String), Fault> {
        let start = self.next;
        let mut names = Vec::new();
        loop {
            if self.take("(") {
                names.extend(self.target()?.0);
                self.expect(")")?;
            } else {
                let (at, name) = self.name("a name")?;
                if ["true", "false", "none", "True", "False", "None"].contains(&name.as_str()) {
                    return Err(Fault::new(at, format!("{name} cannot be set")));
                }
                names.push((at, name));
            }
            if !self.take(",")
                || matches!(self.peek(), Some(Token::Operator("=" | ")")) | None)
                || self.is_word("in")
            {
                break;
            }
        }
        let mut text = String::new();
        for spanned in &self.tokens[start..self.next] {
            match &spanned.token {
                Token::Name(name) => text.push_str(name),
                Token::Operator(operator) => text.push_str(operator),
                _ => {}
            }
        }
        Ok((names, text))
    }
}

fn chain(at: usize, operator: &'static str, mut operands: Vec<Expression>) -> Expression {
    if operands.len() == 1 {
        return operands.remove(0);
    }
    let node = Node::Binary(operator, operands);
    Expression { at, node }
}
