//! Precedence, and the types of what is put together: `generated_parser.y` and `checkAST` of `parse.go`.

use super::Fault;
use super::functions::{Variadic, aggregation, find};
use super::lex::{Kind, Token};
use crate::go::regexp;

/// What an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Scalar,
    /// An instant vector.
    Vector,
    /// A range vector.
    Matrix,
    Text,
}

impl Type {
    fn as_str(self) -> &'static str {
        match self {
            Self::Scalar => "a scalar",
            Self::Vector => "an instant vector",
            Self::Matrix => "a range vector",
            Self::Text => "a string",
        }
    }

    fn of_letter(letter: u8) -> Self {
        match letter {
            b'v' => Self::Vector,
            b'm' => Self::Matrix,
            b's' => Self::Scalar,
            _ => Self::Text,
        }
    }
}

/// An expression as far as what is put around it depends on it.
#[derive(Clone, Copy)]
struct Expression {
    at: usize,
    of: Type,
    /// Whether `offset` and a range may follow: a selector, or a subquery.
    is_selector: bool,
}

/// Deeper expressions are mistakes.
const MAX_DEPTH: usize = 200;

pub(super) struct Parser<'p, 't> {
    tokens: &'p [Token<'t>],
    next: usize,
    end: usize,
    depth: usize,
}

type Parsed = Result<Expression, Fault>;

const COMPARISONS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];

impl<'p, 't> Parser<'p, 't> {
    pub(super) fn new(tokens: &'p [Token<'t>], end: usize) -> Self {
        Self {
            tokens,
            next: 0,
            end,
            depth: 0,
        }
    }

    /// Reads the whole text as one expression.
    pub(super) fn whole(&mut self) -> Result<(), Fault> {
        if self.tokens.is_empty() {
            return Err(Fault::new(0, "there is no expression"));
        }
        self.binary(0)?;
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected()),
        }
    }

    fn peek(&self) -> Option<Kind<'t>> {
        self.tokens.get(self.next).map(|token| token.kind)
    }

    fn at(&self) -> usize {
        self.tokens
            .get(self.next)
            .map_or(self.end, |token| token.at)
    }

    fn take(&mut self, mark: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Kind::Mark(m)) if m == mark);
        self.next += usize::from(is_next);
        is_next
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Kind::Name(n)) if n.eq_ignore_ascii_case(word));
        self.next += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, mark: &str) -> Result<(), Fault> {
        match self.take(mark) {
            true => Ok(()),
            false => Err(self.unexpected()),
        }
    }

    fn unexpected(&self) -> Fault {
        let what = match self.peek() {
            None => "end of the expression".to_owned(),
            Some(Kind::Name(name)) => format!("name {name:?}"),
            Some(Kind::Number) => "number".to_owned(),
            Some(Kind::Duration) => "duration".to_owned(),
            Some(Kind::Text(_)) => "string".to_owned(),
            Some(Kind::Mark(mark)) => format!("{mark:?}"),
        };
        Fault::new(self.at(), format!("unexpected {what}"))
    }

    /// The operator that is next, and how tight it binds.
    fn operator(&self) -> Option<(String, u8)> {
        let word = match self.peek()? {
            Kind::Mark(mark) => mark.to_owned(),
            Kind::Name(name) => name.to_ascii_lowercase(),
            _ => return None,
        };
        let binds = match word.as_str() {
            "or" => 1,
            "and" | "unless" => 2,
            "==" | "!=" | "<=" | ">=" | "<" | ">" => 3,
            "+" | "-" => 4,
            "*" | "/" | "%" | "atan2" => 5,
            "^" => 6,
            _ => return None,
        };
        Some((word, binds))
    }

    /// An expression whose operators bind tighter than a number.
    fn binary(&mut self, than: u8) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(self.at(), "the expression is nested too deep"));
        }
        let mut left = self.unary()?;
        while let Some((operator, binds)) = self.operator().filter(|(_, binds)| *binds > than) {
            self.next += 1;
            let modifiers = self.modifiers(&operator)?;
            // `^` alone binds to the right.
            let right = self.binary(if operator == "^" { binds - 1 } else { binds })?;
            left = joined(left, &operator, &modifiers, right)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let at = self.at();
        if !self.take("-") && !self.take("+") {
            return self.postfix();
        }
        // As tight as `*`: -2 ^ 2 is -(2 ^ 2).
        let operand = self.binary(5)?;
        if !matches!(operand.of, Type::Scalar | Type::Vector) {
            let phrase = format!("a sign before {}", operand.of.as_str());
            return Err(Fault::new(at, phrase));
        }
        Ok(Expression {
            at,
            of: operand.of,
            is_selector: false,
        })
    }

    fn modifiers(&mut self, operator: &str) -> Result<Modifiers, Fault> {
        let mut found = Modifiers::default();
        let at = self.at();
        if self.take_word("bool") {
            if !COMPARISONS.contains(&operator) {
                return Err(Fault::new(at, "bool is for comparisons only"));
            }
            found.is_bool = true;
        }
        if self.take_word("on") || self.take_word("ignoring") {
            found.matches = true;
            self.labels()?;
            if self.take_word("group_left") || self.take_word("group_right") {
                found.groups = true;
                if matches!(self.peek(), Some(Kind::Mark("("))) {
                    self.labels()?;
                }
            }
        }
        Ok(found)
    }

    /// `(a, b)`
    fn labels(&mut self) -> Result<(), Fault> {
        self.expect("(")?;
        while !self.take(")") {
            match self.peek() {
                Some(Kind::Name(name)) if !name.contains(':') => self.next += 1,
                Some(Kind::Text(_)) => self.next += 1,
                _ => return Err(self.unexpected()),
            }
            if !self.take(",") && !matches!(self.peek(), Some(Kind::Mark(")"))) {
                return Err(self.unexpected());
            }
        }
        Ok(())
    }

    /// An expression with what may follow it: a range, `offset` and `@`.
    fn postfix(&mut self) -> Parsed {
        let mut expression = self.primary()?;
        loop {
            let at = self.at();
            if self.take("[") {
                expression = self.range(expression, at)?;
            } else if self.take_word("offset") {
                self.take("-");
                self.duration()?;
                self.assert_selector(expression, at, "offset")?;
            } else if self.take("@") {
                self.moment()?;
                self.assert_selector(expression, at, "@")?;
            } else {
                return Ok(expression);
            }
        }
    }

    fn assert_selector(&self, expression: Expression, at: usize, what: &str) -> Result<(), Fault> {
        match expression.is_selector {
            true => Ok(()),
            false => Err(Fault::new(
                at,
                format!("{what} must follow a selector or a subquery"),
            )),
        }
    }

    fn duration(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(Kind::Duration | Kind::Number) => {
                self.next += 1;
                Ok(())
            }
            _ => Err(self.unexpected()),
        }
    }

    fn moment(&mut self) -> Result<(), Fault> {
        if self.take_word("start") || self.take_word("end") {
            self.expect("(")?;
            return self.expect(")");
        }
        if !self.take("-") {
            self.take("+");
        }
        self.duration()
    }

    /// `[5m]`, or `[1h:5m]` of a subquery.
    fn range(&mut self, of: Expression, at: usize) -> Parsed {
        self.duration()?;
        if !self.take(":") {
            self.expect("]")?;
            if !of.is_selector || of.of != Type::Vector {
                return Err(Fault::new(at, "a range is for selectors of a vector only"));
            }
        } else {
            if !matches!(self.peek(), Some(Kind::Mark("]"))) {
                self.duration()?;
            }
            self.expect("]")?;
            if of.of != Type::Vector {
                let phrase = format!(
                    "a subquery is for an instant vector, and not {}",
                    of.of.as_str()
                );
                return Err(Fault::new(at, phrase));
            }
        }
        Ok(Expression {
            at: of.at,
            of: Type::Matrix,
            is_selector: true,
        })
    }

    fn primary(&mut self) -> Parsed {
        let at = self.at();
        let expression = |of: Type, is_selector: bool| Expression {
            at,
            of,
            is_selector,
        };
        match self.peek() {
            Some(Kind::Number | Kind::Duration) => {
                self.next += 1;
                Ok(expression(Type::Scalar, false))
            }
            Some(Kind::Text(_)) => {
                self.next += 1;
                Ok(expression(Type::Text, false))
            }
            Some(Kind::Mark("(")) => {
                self.next += 1;
                let inner = self.binary(0)?;
                self.expect(")")?;
                Ok(expression(inner.of, false))
            }
            Some(Kind::Mark("{")) => {
                self.selector(false, at)?;
                Ok(expression(Type::Vector, true))
            }
            Some(Kind::Name(name)) => self.named(name, at),
            _ => Err(self.unexpected()),
        }
    }

    /// A metric, a function, an aggregation, or a number that has a name.
    fn named(&mut self, name: &str, at: usize) -> Parsed {
        let following = self.tokens.get(self.next + 1).map(|token| token.kind);
        let is_call = matches!(following, Some(Kind::Mark("(")));
        let is_grouping = |kind: Option<Kind<'_>>| {
            let words = ["by", "without"];
            matches!(kind, Some(Kind::Name(n)) if words.iter().any(|w| n.eq_ignore_ascii_case(w)))
        };
        if let Some(parameter) = aggregation(name).filter(|_| is_call || is_grouping(following)) {
            self.next += 1;
            return self.aggregate(name, parameter, at);
        }
        if is_call {
            return self.call(name, at);
        }
        let lower = name.to_ascii_lowercase();
        self.next += 1;
        if ["inf", "nan"].contains(&lower.as_str()) {
            return Ok(Expression {
                at,
                of: Type::Scalar,
                is_selector: false,
            });
        }
        // Words that follow an operator are no metrics.
        if [
            "bool",
            "on",
            "ignoring",
            "group_left",
            "group_right",
            "offset",
        ]
        .contains(&lower.as_str())
        {
            self.next -= 1;
            return Err(self.unexpected());
        }
        if matches!(self.peek(), Some(Kind::Mark("{"))) {
            self.selector(true, at)?;
        }
        Ok(Expression {
            at,
            of: Type::Vector,
            is_selector: true,
        })
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, Fault> {
        self.expect("(")?;
        let mut arguments = Vec::new();
        if self.take(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.binary(0)?);
            if self.take(")") {
                return Ok(arguments);
            }
            self.expect(",")?;
        }
    }

    fn call(&mut self, name: &str, at: usize) -> Parsed {
        let Some(function) = find(name) else {
            return Err(Fault::new(at, format!("unknown function {name}")));
        };
        self.next += 1;
        let arguments = self.arguments()?;
        let takes = function.takes.as_bytes();
        let (given, most) = (arguments.len(), takes.len());
        let is_right = match function.variadic {
            Variadic::Exact => given == most,
            Variadic::Optional => given == most || given + 1 == most,
            Variadic::Any => given + 1 >= most,
        };
        if !is_right {
            let phrase = format!("{name} takes {most} arguments, and has {given}");
            return Err(Fault::new(at, phrase));
        }
        for (index, argument) in arguments.iter().enumerate() {
            let letter = takes.get(index).or(takes.last()).copied().unwrap_or(b'v');
            assert_type(*argument, Type::of_letter(letter), name)?;
        }
        Ok(Expression {
            at,
            of: function.returns,
            is_selector: false,
        })
    }

    fn aggregate(&mut self, name: &str, parameter: Option<Type>, at: usize) -> Parsed {
        let is_grouped = self.grouping()?;
        let arguments = self.arguments()?;
        if !is_grouped {
            self.grouping()?;
        }
        match (parameter, &arguments[..]) {
            (None, [of]) => assert_type(*of, Type::Vector, name)?,
            (Some(kind), [parameter, of]) => {
                assert_type(*of, Type::Vector, name)?;
                assert_type(*parameter, kind, name)?;
            }
            _ => {
                let phrase = format!("{name} has a wrong number of arguments");
                return Err(Fault::new(at, phrase));
            }
        }
        Ok(Expression {
            at,
            of: Type::Vector,
            is_selector: false,
        })
    }

    fn grouping(&mut self) -> Result<bool, Fault> {
        let is_there = self.take_word("by") || self.take_word("without");
        if is_there {
            self.labels()?;
        }
        Ok(is_there)
    }

    /// `{a="b", "metric"}`
    fn selector(&mut self, mut has_name: bool, at: usize) -> Result<(), Fault> {
        self.expect("{")?;
        let mut selects = has_name;
        while !self.take("}") {
            let place = self.at();
            let label = match self.peek() {
                Some(Kind::Name(name)) if !name.contains(':') => name,
                Some(Kind::Text(text)) => text,
                _ => return Err(self.unexpected()),
            };
            let is_quoted = matches!(self.peek(), Some(Kind::Text(_)));
            self.next += 1;
            let operator = ["=", "!=", "=~", "!~"]
                .into_iter()
                .find(|mark| self.take(mark));
            let is_name = match operator {
                Some(operator) => {
                    selects |= self.matcher(operator)?;
                    label == "__name__" && operator == "="
                }
                None if is_quoted => {
                    selects = true;
                    true
                }
                None => return Err(self.unexpected()),
            };
            if is_name && has_name {
                return Err(Fault::new(place, "the name of the metric is set twice"));
            }
            has_name |= is_name;
            if !self.take(",") && !matches!(self.peek(), Some(Kind::Mark("}"))) {
                return Err(self.unexpected());
            }
        }
        match selects {
            true => Ok(()),
            false => Err(Fault::new(
                at,
                "a selector must have a matcher that is not empty",
            )),
        }
    }

    /// The value of a matcher. Whether it keeps out what has no such label.
    fn matcher(&mut self, operator: &str) -> Result<bool, Fault> {
        let at = self.at();
        let Some(Kind::Text(text)) = self.peek() else {
            return Err(self.unexpected());
        };
        self.next += 1;
        let pattern = || {
            // What a quoted string escapes for the expression's sake alone.
            regexp::compile_anchored(&text.replace("\\\\", "\\"))
                .map_err(|_| Fault::new(at, "a matcher is not a regular expression"))
        };
        Ok(match operator {
            "=" => !text.is_empty(),
            "!=" => text.is_empty(),
            "=~" => !pattern()?.is_match(""),
            _ => pattern()?.is_match(""),
        })
    }
}

fn assert_type(argument: Expression, wanted: Type, name: &str) -> Result<(), Fault> {
    if argument.of == wanted {
        return Ok(());
    }
    let phrase = format!(
        "{name} takes {}, and not {}",
        wanted.as_str(),
        argument.of.as_str()
    );
    Err(Fault::new(argument.at, phrase))
}

/// What stands between an operator and its right side.
#[derive(Default)]
struct Modifiers {
    is_bool: bool,
    matches: bool,
    groups: bool,
}

fn joined(left: Expression, operator: &str, modifiers: &Modifiers, right: Expression) -> Parsed {
    let wrong = |at: usize, phrase: &str| Err(Fault::new(at, phrase));
    for side in [left, right] {
        if !matches!(side.of, Type::Scalar | Type::Vector) {
            return wrong(
                side.at,
                "an operator takes scalars and instant vectors only",
            );
        }
    }
    let are_vectors = left.of == Type::Vector && right.of == Type::Vector;
    let is_set = ["and", "or", "unless"].contains(&operator);
    if is_set && !are_vectors {
        return wrong(left.at, "a set operator takes two instant vectors");
    }
    if is_set && modifiers.groups {
        return wrong(
            left.at,
            "a set operator knows no group_left and group_right",
        );
    }
    if modifiers.matches && !are_vectors {
        return wrong(left.at, "on and ignoring are for two instant vectors");
    }
    let are_scalars = left.of == Type::Scalar && right.of == Type::Scalar;
    if are_scalars && COMPARISONS.contains(&operator) && !modifiers.is_bool {
        return wrong(left.at, "a comparison of scalars needs bool");
    }
    Ok(Expression {
        at: left.at,
        of: if are_scalars {
            Type::Scalar
        } else {
            Type::Vector
        },
        is_selector: false,
    })
}
