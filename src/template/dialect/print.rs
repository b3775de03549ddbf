//! Prints expressions in MiniJinja's syntax.

use std::collections::BTreeSet;

use super::tree::{Argument, Expression, Node};
use super::{ALONE, Fault, Kind, NameScope, Translated, Vocabulary};
use crate::template::settings::{Settings, Undefined};

/// The marks of the translated text: control characters, which no template that becomes YAML may hold.
pub(in crate::template) const BLOCK_START: &str = "\u{1}";
pub(in crate::template) const BLOCK_END: &str = "\u{2}";
pub(in crate::template) const VARIABLE_START: &str = "\u{3}";
pub(in crate::template) const VARIABLE_END: &str = "\u{4}";
pub(in crate::template) const COMMENT_START: &str = "\u{5}";
pub(in crate::template) const COMMENT_END: &str = "\u{6}";

/// Methods that change what they are called on.
const MUTATORS: &[&str] = &[
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "popitem",
    "clear",
    "sort",
    "reverse",
    "update",
    "setdefault",
];

/// The translated text as it grows.
pub(super) struct Printer<'a> {
    pub(super) settings: &'a Settings,
    pub(super) vocabulary: &'a dyn Vocabulary,
    out: Translated,
    bound: BTreeSet<String>,
    /// Open `if`s: what stands in one may name filters that do not exist.
    pub(super) conditions: usize,
    /// Where names are looked for that the text does not set.
    pub(super) reach: NameScope,
    /// Whether `loop` is that of a loop around this place. It is not handed to included templates and blocks.
    pub(super) sees_loop: bool,
}

impl<'a> Printer<'a> {
    pub(super) fn new(settings: &'a Settings, vocabulary: &'a dyn Vocabulary) -> Self {
        Self {
            settings,
            vocabulary,
            out: Translated::default(),
            bound: BTreeSet::new(),
            conditions: 0,
            reach: NameScope::Context,
            sees_loop: false,
        }
    }

    pub(super) fn finish(self) -> Translated {
        self.out
    }

    /// Writes text that stands for a byte of the source.
    pub(super) fn write(&mut self, text: &str, at: usize) {
        self.out.map.push(self.out.text.len(), at, false);
        self.out.text.push_str(text);
    }

    /// Writes bytes of the source as they are.
    pub(super) fn verbatim(&mut self, text: &str, at: usize) {
        self.out.map.push(self.out.text.len(), at, true);
        self.out.text.push_str(text);
    }

    /// Notes that a name is set from here on.
    pub(super) fn bind(&mut self, name: &str) {
        if !self.bound.contains(name) {
            self.bound.insert(name.to_owned());
        }
    }

    /// Notes the templates that an expression names, which are read with a reach.
    pub(super) fn includes(&mut self, name: &Expression, reach: NameScope) {
        self.out.mutates = true;
        let mut names = std::slice::from_ref(name);
        if let Node::List(items) | Node::Tuple(items) = &name.node {
            names = items;
        }
        for name in names {
            if let Node::Text(text) = &name.node {
                self.out
                    .includes
                    .push((template_name(text, reach), name.at));
            }
        }
    }

    /// Prints the name of a template that is imported.
    pub(super) fn imported(&mut self, name: &Expression, reach: NameScope) -> Result<(), Fault> {
        match &name.node {
            Node::Text(text) => {
                let literal = literal(&template_name(text, reach));
                self.write(&literal, name.at);
                Ok(())
            }
            _ if reach == NameScope::Context => self.expression(name),
            _ => {
                self.write("__alone(", name.at);
                self.expression(name)?;
                self.write(")", name.at);
                Ok(())
            }
        }
    }

    /// Prints an expression; every operator in parentheses.
    pub(super) fn expression(&mut self, expression: &Expression) -> Result<(), Fault> {
        let at = expression.at;
        match &expression.node {
            Node::Name(name) => self.name(name, at),
            Node::Text(text) => {
                let literal = literal(text);
                self.write(&literal, at);
            }
            Node::Integer(digits) => self.integer(digits, at),
            Node::Float(value) => {
                let text = format!("{value:?}");
                self.write(&text, at);
            }
            Node::Constant(word) => self.write(word, at),
            Node::List(items) => self.call("__list", items, at)?,
            Node::Tuple(items) => self.call("__tuple", items, at)?,
            Node::Dict(entries) => self.dict(entries, at)?,
            Node::Unary(operator, operand) => self.unary(operator, operand, at)?,
            Node::Binary(operator, operands) => self.binary(operator, operands, at)?,
            Node::Compare(first, rest) => self.compare(first, rest, at)?,
            Node::Conditional { .. } => self.conditional(expression)?,
            Node::Attribute(of, name) => {
                self.operand(of)?;
                self.write(".", at);
                self.write(name, at);
            }
            Node::Item(of, index) => {
                self.operand(of)?;
                self.write("[", at);
                self.expression(index)?;
                self.write("]", at);
            }
            Node::Slice(of, parts) => self.slice(of, parts, at)?,
            Node::Call(callee, arguments) => {
                if let Node::Attribute(_, method) = &callee.node {
                    self.out.mutates |= MUTATORS.contains(&method.as_str());
                    if method == "cycle" {
                        return self.cycle(callee, arguments, at);
                    }
                }
                if let Node::Name(name) = &callee.node
                    && !self.bound.contains(name)
                    && !self.vocabulary.has_function(name)
                {
                    self.out.calls.insert(name.clone());
                }
                self.operand(callee)?;
                self.arguments(arguments, at)?;
            }
            Node::Filter(of, name, arguments) => self.filter(of.as_deref(), name, arguments, at)?,
            Node::Test(of, name, arguments, negated) => {
                self.test(of, name, arguments, *negated, at)?;
            }
        }
        Ok(())
    }

    /// `loop.cycle(…)`: MiniJinja divides by the number of its items, which must not be 0.
    fn cycle(
        &mut self,
        callee: &Expression,
        arguments: &[Argument],
        at: usize,
    ) -> Result<(), Fault> {
        self.operand(callee)?;
        if arguments.is_empty() {
            self.write("(*__some(()))", at);
            return Ok(());
        }
        self.write("(", at);
        for (index, argument) in arguments.iter().enumerate() {
            if index > 0 {
                self.write(",", at);
            }
            match argument {
                Argument::Positional(value) => self.operand(value)?,
                Argument::Splat(value) => {
                    self.write("*__some(", value.at);
                    self.expression(value)?;
                    self.write(")", value.at);
                }
                Argument::Named(_, value) | Argument::NamedSplat(value) => {
                    return Err(Fault::new(value.at, "cycle takes no named arguments"));
                }
            }
        }
        self.write(")", at);
        Ok(())
    }

    fn name(&mut self, name: &str, at: usize) {
        if name == "loop" && !self.sees_loop {
            self.write("__values.", at);
        }
        if !self.bound.contains(name) && !self.vocabulary.has_function(name) {
            self.out.reads.entry(name.to_owned()).or_insert(at);
            if self.reach == NameScope::Values {
                self.write("__values.", at);
            }
        }
        self.write(name, at);
    }

    /// Integers past 128 bits lose their digits in MiniJinja: they stay floats there and here.
    fn integer(&mut self, digits: &str, at: usize) {
        let fits = digits.parse::<u128>().is_ok();
        let text = if fits {
            digits.to_owned()
        } else {
            format!("{digits}.0")
        };
        self.write(&text, at);
    }

    /// Prints an expression so that a postfix applies to all of it.
    fn operand(&mut self, expression: &Expression) -> Result<(), Fault> {
        let bare = matches!(
            expression.node,
            Node::Name(_)
                | Node::Attribute(..)
                | Node::Item(..)
                | Node::Call(..)
                | Node::List(_)
                | Node::Tuple(_)
                | Node::Dict(_)
                | Node::Slice(..)
        );
        if bare {
            return self.expression(expression);
        }
        self.write("(", expression.at);
        self.expression(expression)?;
        self.write(")", expression.at);
        Ok(())
    }

    fn call(&mut self, function: &str, items: &[Expression], at: usize) -> Result<(), Fault> {
        self.write(function, at);
        self.write("(", at);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.write(",", item.at);
            }
            self.expression(item)?;
        }
        self.write(")", at);
        Ok(())
    }

    fn dict(&mut self, entries: &[(Expression, Expression)], at: usize) -> Result<(), Fault> {
        self.write("__dict(", at);
        for (key, value) in entries {
            self.expression(key)?;
            self.write(",", value.at);
            self.expression(value)?;
            self.write(",", value.at);
        }
        self.write(")", at);
        Ok(())
    }

    fn unary(&mut self, operator: &str, operand: &Expression, at: usize) -> Result<(), Fault> {
        let open = match operator {
            "not" => "(not (",
            "-" => "__negative((",
            _ => "__positive((",
        };
        self.write(open, at);
        self.expression(operand)?;
        self.write("))", at);
        Ok(())
    }

    fn binary(&mut self, operator: &str, operands: &[Expression], at: usize) -> Result<(), Fault> {
        let function = match operator {
            "+" => "__add",
            "-" => "__subtract",
            "*" => "__multiply",
            "/" => "__divide",
            "//" => "__floor",
            "%" => "__modulo",
            "**" => "__power",
            "~" => return self.concatenation(operands, at),
            word => return self.words(word, operands, at),
        };
        self.call(function, operands, at)
    }

    fn words(&mut self, word: &str, operands: &[Expression], at: usize) -> Result<(), Fault> {
        self.write("(", at);
        for (index, operand) in operands.iter().enumerate() {
            if index > 0 {
                self.write(" ", operand.at);
                self.write(word, operand.at);
                self.write(" ", operand.at);
            }
            self.operand(operand)?;
        }
        self.write(")", at);
        Ok(())
    }

    fn concatenation(&mut self, operands: &[Expression], at: usize) -> Result<(), Fault> {
        self.write("__text(", at);
        for operand in operands {
            self.printed(operand)?;
            self.write(",", operand.at);
        }
        self.write(")", at);
        Ok(())
    }

    /// Prints an expression whose value becomes text: in debug mode an unset one names itself.
    pub(super) fn printed(&mut self, expression: &Expression) -> Result<(), Fault> {
        let (name, of) = match &expression.node {
            _ if self.settings.undefined != Undefined::Debug => return self.expression(expression),
            Node::Name(name) => (Ok(name), None),
            Node::Attribute(of, name) => (Ok(name), Some(of)),
            Node::Item(of, index) => (Err(index), Some(of)),
            _ => return self.expression(expression),
        };
        self.write("__debug(", expression.at);
        self.expression(expression)?;
        self.write(",", expression.at);
        match name {
            Ok(name) => self.write(&literal(name), expression.at),
            Err(index) => self.expression(index)?,
        }
        if let Some(of) = of {
            self.write(",", of.at);
            self.expression(of)?;
        }
        self.write(")", expression.at);
        Ok(())
    }

    fn compare(
        &mut self,
        first: &Expression,
        rest: &[(&'static str, Expression)],
        at: usize,
    ) -> Result<(), Fault> {
        // What is compared with a constant needs no measure.
        if let [(operator @ ("==" | "!="), right)] = rest
            && (is_constant(first) || is_constant(right))
        {
            self.write("(", at);
            self.operand(first)?;
            self.write(" ", right.at);
            self.write(operator, right.at);
            self.write(" ", right.at);
            self.operand(right)?;
            self.write(")", at);
            return Ok(());
        }
        self.write("__compare(", at);
        self.expression(first)?;
        for (operator, right) in rest {
            self.write(",\"", right.at);
            self.write(operator, right.at);
            self.write("\",", right.at);
            self.expression(right)?;
        }
        self.write(")", at);
        Ok(())
    }

    fn conditional(&mut self, expression: &Expression) -> Result<(), Fault> {
        let Node::Conditional {
            test,
            then,
            otherwise,
        } = &expression.node
        else {
            return Ok(());
        };
        let at = expression.at;
        self.conditions += 1;
        self.write("(", at);
        self.operand(then)?;
        self.write(" if ", test.at);
        self.operand(test)?;
        if let Some(otherwise) = otherwise {
            self.write(" else ", otherwise.at);
            self.operand(otherwise)?;
        }
        self.write(")", at);
        self.conditions -= 1;
        Ok(())
    }

    fn slice(
        &mut self,
        of: &Expression,
        parts: &[Option<Box<Expression>>; 3],
        at: usize,
    ) -> Result<(), Fault> {
        self.write("__slice(", at);
        self.expression(of)?;
        for part in parts {
            self.write(",", at);
            match part {
                Some(part) => self.expression(part)?,
                None => self.write("none", at),
            }
        }
        self.write(")", at);
        Ok(())
    }

    pub(super) fn arguments(&mut self, arguments: &[Argument], at: usize) -> Result<(), Fault> {
        self.write("(", at);
        for (index, argument) in arguments.iter().enumerate() {
            if index > 0 {
                self.write(",", at);
            }
            let value = match argument {
                Argument::Positional(value) => value,
                Argument::Named(name, value) => {
                    self.write(name, value.at);
                    self.write("=", value.at);
                    value
                }
                Argument::Splat(value) => {
                    self.write("*", value.at);
                    value
                }
                Argument::NamedSplat(value) => {
                    self.write("**", value.at);
                    value
                }
            };
            self.operand(value)?;
        }
        self.write(")", at);
        Ok(())
    }

    fn filter(
        &mut self,
        of: Option<&Expression>,
        name: &str,
        arguments: &[Argument],
        at: usize,
    ) -> Result<(), Fault> {
        if !self.vocabulary.has_filter(name) && self.conditions == 0 {
            return Err(self.unknown(Kind::Filter, "filter", name, at));
        }
        match of.map(|of| (of, &of.node)) {
            // A chain stays a chain: the head of a filter block has no value to put in parentheses.
            Some((of, Node::Filter(..))) => self.expression(of)?,
            Some((of, _)) => self.operand(of)?,
            None => {}
        }
        if of.is_some() {
            self.write("|", at);
        }
        self.write(&name.replace('.', "_"), at);
        self.arguments(arguments, at)
    }

    fn test(
        &mut self,
        of: &Expression,
        name: &str,
        arguments: &[Argument],
        negated: bool,
        at: usize,
    ) -> Result<(), Fault> {
        if !self.vocabulary.has_test(name) && self.conditions == 0 {
            return Err(self.unknown(Kind::Test, "test", name, at));
        }
        self.write(if negated { "(not (" } else { "(" }, at);
        self.operand(of)?;
        self.write(" is ", at);
        self.write(&name.replace('.', "_"), at);
        if !arguments.is_empty() {
            self.arguments(arguments, at)?;
        }
        self.write(if negated { "))" } else { ")" }, at);
        Ok(())
    }

    fn unknown(&self, kind: Kind, what: &str, name: &str, at: usize) -> Fault {
        Fault {
            at,
            phrase: format!("there is no {what} {name}"),
            help: self
                .vocabulary
                .nearest(kind, name)
                .map(|n| format!("did you mean {n}?")),
        }
    }
}

/// The name under which a template is asked for.
fn template_name(name: &str, reach: NameScope) -> String {
    match reach {
        NameScope::Context => name.to_owned(),
        NameScope::Values => format!("{ALONE}{name}"),
    }
}

/// A string literal that MiniJinja reads back as the text, on one line.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

pub(super) fn is_constant(expression: &Expression) -> bool {
    matches!(
        expression.node,
        Node::Text(_) | Node::Integer(_) | Node::Float(_) | Node::Constant(_)
    )
}
