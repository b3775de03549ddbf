//! Builds the tree of a template from its tokens, after text/template/parse/parse.go.
//!
//! Functions must be known and variables declared before a template is filled, as in Go.

use std::rc::Rc;

use super::fault::{Fault, Result};
use super::lex::{Kind, Token};
use super::tree::{
    Block, Branch, Command, Number, Operand, Pipeline, Statement, StatementKind, Tree,
};

/// How deep blocks and parentheses may nest.
const MAX_NESTING: u32 = 200;

pub(super) struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    is_function: &'t dyn Fn(&str) -> bool,
    variables: Vec<String>,
    range_depth: u32,
    nesting: u32,
    tree: Tree,
}

/// What ended a block.
enum Ending {
    Word,
    Else,
    Text,
}

/// Parses the tokens of a template.
pub(super) fn parse(tokens: &[Token], is_function: &dyn Fn(&str) -> bool) -> Result<Tree> {
    let mut parser = Parser {
        tokens,
        at: 0,
        is_function,
        variables: vec!["$".to_owned()],
        range_depth: 0,
        nesting: 0,
        tree: Tree::default(),
    };
    let (root, end) = parser.block(true)?;
    if !matches!(end, Ending::Text) {
        return Err(parser.fault("an `end` or `else` belongs to nothing"));
    }
    parser.define(String::new(), root)?;
    Ok(parser.tree)
}

impl Parser<'_> {
    fn peek(&self) -> &Kind {
        &self.tokens[self.at].kind
    }

    fn line(&self) -> u32 {
        self.tokens[self.at].line
    }

    fn next(&mut self) -> Kind {
        let kind = self.tokens[self.at].kind.clone();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        kind
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Kind::Space) {
            self.at += 1;
        }
    }

    fn fault(&self, what: impl Into<String>) -> Fault {
        Fault::new(what).at(self.line())
    }

    fn unexpected(&self, place: &str) -> Fault {
        let what = match self.peek() {
            Kind::Text(_) => "text".to_owned(),
            Kind::End => "the end".to_owned(),
            Kind::Close => "the end of the action".to_owned(),
            Kind::Word(word) | Kind::Number(word) => format!("`{word}`"),
            Kind::Field(name) => format!("`.{name}`"),
            Kind::Variable(name) => format!("`{name}`"),
            other => format!("{other:?}"),
        };
        self.fault(format!("{what} is not expected in {place}"))
    }

    fn enter(&mut self) -> Result<()> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(self.fault("the template nests too deeply"));
        }
        Ok(())
    }

    fn define(&mut self, name: String, body: Block) -> Result<()> {
        let is_empty = |block: &Block| {
            block
                .iter()
                .all(|s| matches!(&s.kind, StatementKind::Text(text) if text.trim().is_empty()))
        };
        let known = self.tree.templates.get(&name);
        if known.is_some_and(|known| !is_empty(known)) {
            if is_empty(&body) {
                return Ok(());
            }
            return Err(self.fault(format!("the template {name:?} is defined twice")));
        }
        self.tree.templates.insert(name, Rc::new(body));
        Ok(())
    }

    /// Statements up to the end of the text, an `end` or an `else`, whose word is taken.
    fn block(&mut self, is_top: bool) -> Result<(Block, Ending)> {
        self.enter()?;
        let mut block = Vec::new();
        loop {
            let line = self.line();
            match self.next() {
                Kind::End => {
                    self.nesting -= 1;
                    return Ok((block, Ending::Text));
                }
                Kind::Text(text) => block.push(Statement {
                    line,
                    kind: StatementKind::Text(text),
                }),
                Kind::Open => {
                    self.skip_space();
                    let word = match self.peek() {
                        Kind::Word(word) => word.clone(),
                        _ => String::new(),
                    };
                    match word.as_str() {
                        "end" => {
                            self.next();
                            self.closed("end")?;
                            self.nesting -= 1;
                            return Ok((block, Ending::Word));
                        }
                        "else" => {
                            self.next();
                            self.nesting -= 1;
                            return Ok((block, Ending::Else));
                        }
                        "define" if is_top => self.definition()?,
                        _ => {
                            let kind = self.action(&word)?;
                            block.push(Statement { line, kind });
                        }
                    }
                }
                _ => return Err(self.unexpected("the template")),
            }
        }
    }

    fn closed(&mut self, place: &str) -> Result<()> {
        self.skip_space();
        if !matches!(self.peek(), Kind::Close) {
            return Err(self.unexpected(place));
        }
        self.next();
        Ok(())
    }

    fn action(&mut self, word: &str) -> Result<StatementKind> {
        match word {
            "if" => Ok(StatementKind::If(self.control("if")?)),
            "with" => Ok(StatementKind::With(self.control("with")?)),
            "range" => Ok(StatementKind::Range(self.control("range")?)),
            "break" | "continue" => {
                self.next();
                if self.range_depth == 0 {
                    return Err(self.fault(format!("`{word}` is not within a `range`")));
                }
                self.closed(word)?;
                Ok(match word {
                    "break" => StatementKind::Break,
                    _ => StatementKind::Continue,
                })
            }
            "template" => self.template(),
            "block" => self.named_block(),
            "define" => Err(self.fault("`define` must not be within another block")),
            _ => Ok(StatementKind::Action(
                self.pipeline("a command", &Kind::Close)?,
            )),
        }
    }

    fn control(&mut self, word: &'static str) -> Result<Branch> {
        self.next();
        let declared = self.variables.len();
        let pipeline = self.pipeline(word, &Kind::Close)?;
        let is_range = u32::from(word == "range");
        self.range_depth += is_range;
        let (body, end) = self.block(false)?;
        self.range_depth -= is_range;
        let otherwise = match end {
            Ending::Word => None,
            Ending::Text => return Err(self.fault(format!("an `end` is missing for `{word}`"))),
            Ending::Else => Some(self.otherwise(word)?),
        };
        self.variables.truncate(declared);
        Ok(Branch {
            pipeline,
            body,
            otherwise,
        })
    }

    /// What follows `else`: a block, or for `else if` and `else with` a branch that shares the `end`.
    fn otherwise(&mut self, word: &'static str) -> Result<Block> {
        self.skip_space();
        let line = self.line();
        let chained = match (self.peek(), word) {
            (Kind::Word(next), "if") if next == "if" => true,
            (Kind::Word(next), "with") if next == "with" => true,
            _ => false,
        };
        if chained {
            self.enter()?;
            let branch = self.control(word)?;
            self.nesting -= 1;
            let kind = match word {
                "if" => StatementKind::If(branch),
                _ => StatementKind::With(branch),
            };
            return Ok(vec![Statement { line, kind }]);
        }
        self.closed("else")?;
        let (block, end) = self.block(false)?;
        match end {
            Ending::Word => Ok(block),
            Ending::Else => Err(self.fault("a second `else`")),
            Ending::Text => Err(self.fault(format!("an `end` is missing for `{word}`"))),
        }
    }

    fn name(&mut self, place: &str) -> Result<String> {
        self.next();
        self.skip_space();
        match self.peek() {
            Kind::String(_) => match self.next() {
                Kind::String(name) => Ok(name),
                _ => Err(self.unexpected(place)),
            },
            _ => Err(self.unexpected(place)),
        }
    }

    fn template(&mut self) -> Result<StatementKind> {
        let name = self.name("template")?;
        self.skip_space();
        let argument = match self.peek() {
            Kind::Close => {
                self.next();
                None
            }
            _ => Some(self.pipeline("template", &Kind::Close)?),
        };
        Ok(StatementKind::Template(name, argument))
    }

    fn definition(&mut self) -> Result<()> {
        let name = self.name("define")?;
        self.closed("define")?;
        let body = self.own_body("define")?;
        self.define(name, body)
    }

    fn named_block(&mut self) -> Result<StatementKind> {
        let name = self.name("block")?;
        let argument = self.pipeline("block", &Kind::Close)?;
        let body = self.own_body("block")?;
        self.define(name.clone(), body)?;
        Ok(StatementKind::Template(name, Some(argument)))
    }

    /// A body that knows no variables of its surroundings.
    fn own_body(&mut self, word: &str) -> Result<Block> {
        let outer = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let range_depth = std::mem::take(&mut self.range_depth);
        let (body, end) = self.block(false)?;
        self.variables = outer;
        self.range_depth = range_depth;
        match end {
            Ending::Word => Ok(body),
            Ending::Else => Err(self.fault(format!("`else` is not expected in `{word}`"))),
            Ending::Text => Err(self.fault(format!("an `end` is missing for `{word}`"))),
        }
    }

    /// The pipeline up to a token, which is taken.
    fn pipeline(&mut self, place: &str, end: &Kind) -> Result<Pipeline> {
        self.enter()?;
        let mut pipeline = Pipeline {
            variables: Vec::new(),
            is_assignment: false,
            commands: Vec::new(),
        };
        self.skip_space();
        while self.declaration(place, &mut pipeline)? {}
        loop {
            self.skip_space();
            if self.peek() == end {
                self.next();
                break;
            }
            if !self.starts_operand() {
                return Err(self.unexpected(place));
            }
            pipeline.commands.push(self.command()?);
        }
        self.nesting -= 1;
        self.checked(place, pipeline)
    }

    fn checked(&self, place: &str, pipeline: Pipeline) -> Result<Pipeline> {
        if pipeline.commands.is_empty() {
            return Err(self.fault(format!("a value is missing for {place}")));
        }
        for command in &pipeline.commands[1..] {
            if matches!(
                command.operands[0],
                Operand::Bool(_)
                    | Operand::Dot
                    | Operand::Nil
                    | Operand::Number(_)
                    | Operand::String(_)
            ) {
                return Err(self.fault("a value that is not a function follows a `|`"));
            }
        }
        Ok(pipeline)
    }

    /// Reads `$x :=`, `$x =` or `$i,`. Returns whether another one may follow.
    fn declaration(&mut self, place: &str, pipeline: &mut Pipeline) -> Result<bool> {
        let start = self.at;
        let Kind::Variable(name) = self.peek().clone() else {
            return Ok(false);
        };
        self.next();
        self.skip_space();
        let kind = self.peek().clone();
        if !matches!(kind, Kind::Assign | Kind::Declare | Kind::Comma) {
            self.at = start;
            return Ok(false);
        }
        if kind == Kind::Assign && !self.variables.contains(&name) {
            return Err(self.fault(format!("the variable `{name}` is not declared")));
        }
        self.next();
        self.skip_space();
        self.variables.push(name.clone());
        pipeline.variables.push(name);
        pipeline.is_assignment = kind == Kind::Assign;
        if kind != Kind::Comma {
            return Ok(false);
        }
        if place != "range" || pipeline.variables.len() > 1 {
            return Err(self.fault(format!("{place} declares too many variables")));
        }
        if !matches!(self.peek(), Kind::Variable(_)) {
            return Err(self.fault("`range` can only declare variables"));
        }
        Ok(true)
    }

    fn starts_operand(&self) -> bool {
        match self.peek() {
            Kind::Dot
            | Kind::Field(_)
            | Kind::Variable(_)
            | Kind::Number(_)
            | Kind::Char(_)
            | Kind::String(_)
            | Kind::LeftParen => true,
            Kind::Word(word) => !is_keyword(word),
            _ => false,
        }
    }

    fn command(&mut self) -> Result<Command> {
        let line = self.line();
        let mut operands = Vec::new();
        loop {
            self.skip_space();
            if let Some(operand) = self.operand()? {
                operands.push(operand);
            }
            match self.peek() {
                Kind::Space => {}
                Kind::Close | Kind::RightParen => break,
                Kind::Pipe => {
                    self.next();
                    break;
                }
                _ => return Err(self.unexpected("a command")),
            }
        }
        if operands.is_empty() {
            return Err(self.fault("a command is empty"));
        }
        Ok(Command { line, operands })
    }

    fn operand(&mut self) -> Result<Option<Operand>> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        let mut fields = Vec::new();
        while let Kind::Field(name) = self.peek() {
            fields.push(name.clone());
            self.at += 1;
        }
        if fields.is_empty() {
            return Ok(Some(term));
        }
        Ok(Some(match term {
            Operand::Field(mut names) => {
                names.append(&mut fields);
                Operand::Field(names)
            }
            Operand::Variable(name, mut names) => {
                names.append(&mut fields);
                Operand::Variable(name, names)
            }
            Operand::Pipe(_) | Operand::Function(_) | Operand::Chain(..) => {
                Operand::Chain(Box::new(term), fields)
            }
            Operand::Dot
            | Operand::Nil
            | Operand::Bool(_)
            | Operand::String(_)
            | Operand::Number(_) => return Err(self.fault("a constant has no fields")),
        }))
    }

    fn term(&mut self) -> Result<Option<Operand>> {
        if !self.starts_operand() {
            return Ok(None);
        }
        let operand = match self.peek().clone() {
            Kind::Dot => Operand::Dot,
            Kind::Field(name) => Operand::Field(vec![name]),
            Kind::Variable(name) => {
                if !self.variables.contains(&name) {
                    return Err(self.fault(format!("the variable `{name}` is not declared")));
                }
                Operand::Variable(name, Vec::new())
            }
            Kind::String(text) => Operand::String(text.into()),
            Kind::Char(text) => Operand::Number(self.character(&text)?),
            Kind::Number(text) => Operand::Number(
                number(&text).ok_or_else(|| self.fault(format!("{text:?} is not a number")))?,
            ),
            Kind::LeftParen => {
                self.next();
                let pipeline = self.pipeline("parentheses", &Kind::RightParen)?;
                return Ok(Some(Operand::Pipe(pipeline)));
            }
            Kind::Word(word) => self.word(word)?,
            _ => return Ok(None),
        };
        self.next();
        Ok(Some(operand))
    }

    fn word(&self, word: String) -> Result<Operand> {
        Ok(match word.as_str() {
            "true" => Operand::Bool(true),
            "false" => Operand::Bool(false),
            "nil" => Operand::Nil,
            _ => {
                if !(self.is_function)(&word) {
                    return Err(self.fault(format!("the function `{word}` is not known here")));
                }
                Operand::Function(word)
            }
        })
    }

    fn character(&self, text: &str) -> Result<Number> {
        let mut characters = text.chars();
        let (Some(c), None) = (characters.next(), characters.next()) else {
            return Err(self.fault("a character constant has one character"));
        };
        let code = i64::from(u32::from(c));
        Ok(Number {
            int: Some(code),
            float: f64::from(u32::from(c)),
            is_float: false,
            is_char: true,
        })
    }
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "if" | "else"
            | "end"
            | "range"
            | "with"
            | "template"
            | "define"
            | "block"
            | "break"
            | "continue"
    )
}

/// Reads a constant as Go does, base prefixes and underscores included.
#[expect(clippy::cast_precision_loss, reason = "Go converts it so, too")]
fn number(text: &str) -> Option<Number> {
    if let Some(int) = integer(text) {
        return Some(Number {
            int: Some(int),
            float: int as f64,
            is_float: false,
            is_char: false,
        });
    }
    if !text.contains(['.', 'e', 'E', 'p', 'P']) {
        return None;
    }
    let float: f64 = text.replace('_', "").parse().ok()?;
    Some(Number {
        int: whole(float),
        float,
        is_float: true,
        is_char: false,
    })
}

/// The integer that a float is, when it is one.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked before"
)]
fn whole(float: f64) -> Option<i64> {
    (float.fract() == 0.0 && float.abs() < 9.2e18).then_some(float as i64)
}

/// Reads an integer with Go's base prefixes.
pub(super) fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (&text[..1], rest),
        None => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    let plain = body.replace('_', "");
    if plain.starts_with(['+', '-']) || body.starts_with('_') && radix == 10 || body.ends_with('_')
    {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{plain}"), radix).ok()
}
