//! Jinja2's statements, as its parser reads them.

use std::collections::BTreeSet;
use std::ops::Range;

use super::expression::Parser;
use super::print::{
    BLOCK_END, BLOCK_START, COMMENT_END, COMMENT_START, Printer, VARIABLE_END, VARIABLE_START,
    is_constant,
};
use super::segment::Segment;
use super::token::{Token, tokens};
use super::tree::{Expression, Node};
use super::{Fault, NameScope, Translated};
use crate::diagnostic::nearest;

/// The statements of the language, `do` and loop controls included.
const STATEMENTS: &[&str] = &[
    "for",
    "if",
    "elif",
    "else",
    "endfor",
    "endif",
    "set",
    "endset",
    "block",
    "endblock",
    "extends",
    "include",
    "import",
    "from",
    "macro",
    "endmacro",
    "call",
    "endcall",
    "filter",
    "endfilter",
    "with",
    "endwith",
    "autoescape",
    "endautoescape",
    "do",
    "print",
    "break",
    "continue",
    "raw",
];

/// Statements whose bodies have names of their own in Jinja2 (an inner frame of its `compiler.py`) and not in
/// MiniJinja: a `with` inside of them has.
const SCOPES: &[&str] = &["filter", "set", "autoescape"];

/// A statement that is still open.
struct Open {
    word: &'static str,
    at: usize,
    /// The names that are set in it and that nothing outside sees.
    names: Vec<String>,
    /// Whether a `with` of ours is open in it.
    scoped: bool,
    /// Whether it sees no name of what is around it: a block that is not `scoped`.
    is_apart: bool,
    /// What is printed after its end: the wrapper of a macro that takes any arguments.
    after: Option<String>,
}

/// The parameters of a macro or call.
#[derive(Default)]
struct Signature {
    names: Vec<String>,
    /// Defaults that are written at the start of the body.
    defaults: Vec<(String, Expression)>,
}

struct Writer<'a> {
    source: &'a str,
    printer: Printer<'a>,
    open: Vec<Open>,
    /// The names that are set outside of every loop, macro and block.
    top: BTreeSet<String>,
}

/// Translates the segments of a template.
pub(super) fn write(
    source: &str,
    segments: &[Segment],
    printer: Printer<'_>,
) -> Result<Translated, Fault> {
    let mut writer = Writer {
        source,
        printer,
        open: Vec::new(),
        top: BTreeSet::new(),
    };
    for segment in segments {
        writer.segment(segment)?;
    }
    if let Some(open) = writer.open.last() {
        let phrase = format!("{} has no end{}", open.word, open.word);
        return Err(Fault::new(open.at, phrase));
    }
    Ok(writer.printer.finish())
}

impl<'a> Writer<'a> {
    fn segment(&mut self, segment: &Segment) -> Result<(), Fault> {
        let around = self.open.iter().rev().take_while(|open| !open.is_apart);
        self.printer.sees_loop = around.into_iter().any(|open| open.word == "for");
        match segment {
            Segment::Data(range) => self.data(range),
            Segment::Dropped(range) => {
                self.newlines(range);
                Ok(())
            }
            Segment::Variable(range) => {
                let tokens = tokens(self.source, range.clone())?;
                let mut parser = Parser::new(&tokens, range.end);
                self.variable(&mut parser, range.start)?;
                self.newlines(range);
                Ok(())
            }
            Segment::Statement(range) => {
                let tokens = tokens(self.source, range.clone())?;
                let mut parser = Parser::new(&tokens, range.end);
                self.statement(&mut parser)?;
                // As in Python, a statement may end with a colon.
                parser.take(":");
                parser.expect_end()?;
                self.newlines(range);
                Ok(())
            }
        }
    }

    fn data(&mut self, range: &Range<usize>) -> Result<(), Fault> {
        let text = &self.source[range.clone()];
        let control = |c: char| ('\u{1}'..='\u{6}').contains(&c);
        if let Some(index) = text.find(control) {
            let phrase = "a control character stands in the text";
            return Err(Fault::new(range.start + index, phrase));
        }
        let newline = self.printer.settings.newline;
        if newline == "\n" {
            self.printer.verbatim(text, range.start);
            return Ok(());
        }
        let mut at = range.start;
        for line in text.split_inclusive('\n') {
            let content = line.trim_end_matches('\n');
            self.printer.verbatim(content, at);
            if content.len() < line.len() {
                self.printer.write(newline, at + content.len());
            }
            at += line.len();
        }
        Ok(())
    }

    /// Keeps the lines of the result at the lines of the source.
    fn newlines(&mut self, range: &Range<usize>) {
        let count = self.source[range.clone()].matches('\n').count();
        if count > 0 {
            let comment = format!("{COMMENT_START}{}{COMMENT_END}", "\n".repeat(count));
            self.printer.write(&comment, range.start);
        }
    }

    fn variable(&mut self, parser: &mut Parser<'_>, at: usize) -> Result<(), Fault> {
        self.printer.write(VARIABLE_START, at);
        let expression = parser.tuple()?;
        self.printer.printed(&expression)?;
        self.printer.write(VARIABLE_END, at);
        parser.expect_end()
    }

    /// `print a, b`: one expression after the other.
    fn print(&mut self, parser: &mut Parser<'_>, at: usize) -> Result<(), Fault> {
        loop {
            self.printer.write(VARIABLE_START, at);
            let expression = parser.expression()?;
            self.printer.printed(&expression)?;
            self.printer.write(VARIABLE_END, at);
            if !parser.take(",") {
                return Ok(());
            }
        }
    }

    fn statement(&mut self, parser: &mut Parser<'_>) -> Result<(), Fault> {
        let (at, word) = parser.name("a statement")?;
        match word.as_str() {
            "for" => self.for_loop(parser, at),
            "if" | "elif" => self.if_or_elif(parser, &word, at),
            "else" => self.otherwise(at),
            "set" => self.set(parser, at),
            "with" => self.with(parser, at),
            "macro" => self.macro_head(parser, at),
            "call" => self.call(parser, at),
            "filter" => self.filter(parser, at),
            "include" => self.include(parser, at),
            "import" => self.import(parser, at),
            "from" => self.import_names(parser, at),
            "block" => self.block(parser, at),
            "extends" | "autoescape" => self.one_expression(parser, &word, at),
            "do" => self.do_call(parser, at),
            "print" => self.print(parser, at),
            "break" | "continue" => self.loop_control(&word, at),
            _ => match word.strip_prefix("end") {
                Some(opened) if STATEMENTS.contains(&opened) => self.end(parser, opened, at),
                _ => Err(self.unknown(&word, at)),
            },
        }
    }

    fn unknown(&self, word: &str, at: usize) -> Fault {
        let near = nearest(word, STATEMENTS.iter().copied());
        Fault {
            at,
            phrase: format!("there is no statement {word}"),
            help: near.map(|n| format!("did you mean {n}?")),
        }
    }

    fn begin(&mut self, text: &str, at: usize) {
        self.printer.write(BLOCK_START, at);
        self.printer.write(text, at);
        self.printer.write(" ", at);
    }

    fn finish(&mut self, at: usize) {
        self.printer.write(BLOCK_END, at);
    }

    /// Notes a statement that an `end…` closes, and the names that it sets for its body.
    fn opened(&mut self, word: &'static str, at: usize, names: Vec<String>) {
        let scoped = SCOPES.contains(&word);
        if scoped {
            self.bare("with", at);
        }
        self.open.push(Open {
            word,
            at,
            names,
            scoped,
            is_apart: false,
            after: None,
        });
    }

    /// A statement of one word.
    fn bare(&mut self, word: &str, at: usize) {
        self.begin(word, at);
        self.finish(at);
    }

    /// Notes that a name is set from here on, in the innermost statement that keeps its names.
    fn bind(&mut self, name: &str) {
        self.printer.bind(name);
        match self.open.iter_mut().rfind(|open| open.word != "if") {
            Some(open) => open.names.push(name.to_owned()),
            None => {
                self.top.insert(name.to_owned());
            }
        }
    }

    fn end(&mut self, parser: &mut Parser<'_>, word: &str, at: usize) -> Result<(), Fault> {
        let Some(open) = self.open.pop() else {
            return Err(Fault::new(at, format!("end{word} ends nothing")));
        };
        if open.word != word {
            let line = self.source[..open.at].matches('\n').count() + 1;
            let phrase = format!("end{word} stands where end{} is expected", open.word);
            return Err(Fault {
                at,
                phrase,
                help: Some(format!("{} was opened on line {line}", open.word)),
            });
        }
        if word == "if" {
            self.printer.conditions -= 1;
        }
        if word == "block" && matches!(parser.peek(), Some(Token::Name(_))) {
            parser.name("a name")?;
        }
        if open.scoped {
            self.bare("endwith", at);
        }
        self.bare(&format!("end{word}"), at);
        if let Some(after) = open.after {
            self.printer.write(&after, at);
        }
        Ok(())
    }

    fn for_loop(&mut self, parser: &mut Parser<'_>, at: usize) -> Result<(), Fault> {
        let (names, target) = parser.target()?;
        if !parser.take_word("in") {
            return Err(parser.unexpected("in"));
        }
        self.begin(&format!("for {target} in __iterate("), at);
        let iterated = parser.iterated()?;
        self.printer.expression(&iterated)?;
        self.printer.write(")", at);
        let names: Vec<String> = names.into_iter().map(|(_, name)| name).collect();
        for name in &names {
            self.printer.bind(name);
        }
        if parser.take_word("if") {
            self.printer.write(" if ", at);
            let condition = parser.expression()?;
            self.printer.expression(&condition)?;
        }
        if parser.take_word("recursive") {
            self.printer.write(" recursive", at);
        }
        self.finish(at);
        self.opened("for", at, names);
        Ok(())
    }

    fn if_or_elif(&mut self, parser: &mut Parser<'_>, word: &str, at: usize) -> Result<(), Fault> {
        if word == "elif" && self.open.last().is_none_or(|o| o.word != "if") {
            return Err(Fault::new(at, "elif stands outside of if"));
        }
        if word == "if" {
            self.printer.conditions += 1;
        }
        self.begin(word, at);
        let condition = parser.tuple_without_conditional()?;
        self.printer.expression(&condition)?;
        self.finish(at);
        if word == "if" {
            self.opened("if", at, Vec::new());
        }
        Ok(())
    }

    fn otherwise(&mut self, at: usize) -> Result<(), Fault> {
        if !self
            .open
            .last()
            .is_some_and(|o| ["if", "for"].contains(&o.word))
        {
            return Err(Fault::new(at, "else stands outside of if and for"));
        }
        self.bare("else", at);
        if let Some(open) = self.open.last_mut().filter(|open| open.word == "for") {
            open.scoped = true;
            self.bare("with", at);
        }
        Ok(())
    }

    fn loop_control(&mut self, word: &str, at: usize) -> Result<(), Fault> {
        if !self.open.iter().any(|o| o.word == "for") {
            return Err(Fault::new(at, format!("{word} stands outside of for")));
        }
        self.begin(word, at);
        self.finish(at);
        Ok(())
    }

    fn set(&mut self, parser: &mut Parser<'_>, at: usize) -> Result<(), Fault> {
        let (names, mut target) = parser.target()?;
        let attribute = parser.take(".");
        if attribute {
            target = format!("{target}.{}", parser.name("a name")?.1);
        }
        self.begin(&format!("set {target}"), at);
        let is_value = parser.take("=");
        if is_value {
            self.printer.write(" = ", at);
            let value = parser.tuple()?;
            // Names are unpacked from anything that can be iterated.
            let unpacks = names.len() > 1;
            if unpacks {
                self.printer.write("__unpack(", at);
            }
            self.printer.expression(&value)?;
            if unpacks {
                self.printer.write(")", at);
            }
            self.finish(at);
        } else {
            if parser.take("|") {
                self.printer.write("|", at);
                let filter = parser.filter_chain(None)?;
                self.printer.expression(&filter)?;
            }
            self.finish(at);
        }
        if !attribute {
            for (_, name) in &names {
                self.bind(name);
            }
        }
        if !is_value {
            self.opened("set", at, Vec::new());
        }
        Ok(())
    }

    /// `with a = 1, b = a`: no value sees a name that is set beside it.
    fn with(&mut self, parser: &mut Parser<'_>, at: usize) -> Result<(), Fault> {
        let (mut targets, mut values, mut bound) = (Vec::new(), Vec::new(), Vec::new());
        while parser.peek().is_some() {
            if !targets.is_empty() {
                parser.expect(",")?;
            }
            let (names, target) = parser.target()?;
            parser.expect("=")?;
            let unpacks = names.len() > 1;
            targets.push(if unpacks {
                format!("({target})")
            } else {
                target
            });
            values.push((unpacks, parser.expression()?));
            bound.extend(names);
        }
        self.begin("with", at);
        if let [target] = &targets[..] {
            self.printer.write(target, at);
            self.printer.write(" = ", at);
            self.values(&values, at)?;
        } else if !targets.is_empty() {
            let head = format!("({}) = __tuple(", targets.join(","));
            self.printer.write(&head, at);
            self.values(&values, at)?;
            self.printer.write(")", at);
        }
        self.finish(at);
        let bound: Vec<String> = bound.into_iter().map(|(_, name)| name).collect();
        for name in &bound {
            self.printer.bind(name);
        }
        self.opened("with", at, bound);
        Ok(())
    }

    /// Values with commas between; those for several names are unpacked.
    fn values(&mut self, values: &[(bool, Expression)], at: usize) -> Result<(), Fault> {
        for (index, (unpacks, value)) in values.iter().enumerate() {
            if index > 0 {
                self.printer.write(",", at);
            }
            self.printer
                .write(if *unpacks { "__unpack(" } else { "" }, at);
            self.printer.expression(value)?;
            self.printer.write(if *unpacks { ")" } else { "" }, at);
        }
        Ok(())
    }

    /// `(a, b=1)` of a macro or call, printed without parentheses.
    ///
    /// A default that is not a constant may name an earlier parameter. Jinja2 evaluates it in the body
    /// (`compiler.py`, `macro_body`), MiniJinja before any parameter is set: it is written there instead.
    fn signature(&mut self, parser: &mut Parser<'_>) -> Result<Signature, Fault> {
        parser.expect("(")?;
        let (mut names, mut defaults) = (Vec::new(), Vec::new());
        while !parser.take(")") {
            if !names.is_empty() {
                parser.expect(",")?;
                if parser.take(")") {
                    break;
                }
                self.printer.write(",", parser.at());
            }
            let (at, name) = parser.name("a name")?;
            self.printer.write(&name, at);
            self.printer.bind(&name);
            if parser.take("=") {
                let default = parser.expression()?;
                if is_constant(&default) {
                    self.printer.write("=", at);
                    self.printer.expression(&default)?;
                } else {
                    defaults.push((name.clone(), default));
                }
            }
            names.push(name);
        }
        Ok(Signature { names, defaults })
    }

    /// Sets what a caller left out, at the start of a body.
    fn defaults(&mut self, defaults: &[(String, Expression)]) -> Result<(), Fault> {
        for (name, default) in defaults {
            let at = default.at;
            self.begin(&format!("if {name} is undefined"), at);
            self.finish(at);
            self.begin(&format!("set {name} ="), at);
            self.printer.expression(default)?;
            self.finish(at);
            self.bare("endif", at);
        }
        Ok(())
    }

    fn macro_head(&mut self, parser: &mut Parser<'_>, at: usize) -> Result<(), Fault> {
        let (name_at, name) = parser.name("the name of the macro")?;
        self.begin("macro", at);
        self.printer.write(&name, name_at);
        self.printer.write("(", name_at);
        self.bind(&name);
        let Signature { names, defaults } = self.signature(parser)?;
        let body = self.source[at..]
            .split_once("endmacro")
            .map_or("", |(body, _)| body);
        let taken: Vec<&str> = ["varargs", "kwargs"]
            .into_iter()
            .filter(|more| body.contains(more))
            .collect();
        let mut after = None;
        if !taken.is_empty() {
            let separator = if names.is_empty() { "" } else { "," };
            let both = format!("{separator}varargs=(),kwargs={{}}");
            self.printer.write(&both, name_at);
            let list: Vec<String> = names.iter().map(|n| format!(",\"{n}\"")).collect();
            after = Some(format!(
                "{BLOCK_START}set {name} = __any_arguments({name},\"{}\"{}){BLOCK_END}",
                taken.concat(),
                list.concat()
            ));
        }
        for implied in ["varargs", "kwargs", "caller"] {
            self.printer.bind(implied);
        }
        self.printer.write(")", name_at);
        self.finish(at);
        self.defaults(&defaults)?;
        self.open.push(Open {
            word: "macro",
            at,
            names,
            scoped: false,
            is_apart: false,
            after,
        });
        Ok(())
    }

    fn call(&mut self, parser: &mut Parser<'_>, at: usize) -> Result<(), Fault> {
        self.begin("call", at);
        let mut signature = Signature::default();
        if matches!(parser.peek(), Some(Token::Operator("("))) {
            self.printer.write("(", at);
            signature = self.signature(parser)?;
            self.printer.write(") ", at);
        }
        let call = parser.expression()?;
        if !matches!(call.node, Node::Call(..)) {
            return Err(Fault::new(call.at, "call wants the call of a macro"));
        }
        self.printer.expression(&call)?;
        self.finish(at);
        self.defaults(&signature.defaults)?;
        self.opened("call", at, signature.names);
        Ok(())
    }

    fn filter(&mut self, parser: &mut Parser<'_>, at: usize) -> Result<(), Fault> {
        self.begin("filter", at);
        let filter = parser.filter_chain(None)?;
        self.printer.expression(&filter)?;
        self.finish(at);
        self.opened("filter", at, Vec::new());
        Ok(())
    }

    fn include(&mut self, parser: &mut Parser<'_>, at: usize) -> Result<(), Fault> {
        let name = parser.expression()?;
        let ignore_missing = parser.take_word("ignore");
        if ignore_missing && !parser.take_word("missing") {
            return Err(parser.unexpected("missing"));
        }
        let alone = parser.is_word("without");
        self.context_words(parser)?;
        self.printer.includes(&name, NameScope::Context);
        if alone {
            self.printer.write(VARIABLE_START, at);
            self.printer.write("__include_alone(", at);
            self.printer.expression(&name)?;
            self.printer
                .write(if ignore_missing { ",true)" } else { ",false)" }, at);
            self.printer.write(VARIABLE_END, at);
            return Ok(());
        }
        // What an included template sets is its own: a scope around it keeps it so.
        self.bare("with", at);
        self.begin("include", at);
        self.printer.expression(&name)?;
        if ignore_missing {
            self.printer.write(" ignore missing", at);
        }
        self.finish(at);
        self.begin("endwith", at);
        self.finish(at);
        Ok(())
    }

    /// `with context` and `without context`; what is said where neither is, for imports.
    fn context_words(&mut self, parser: &mut Parser<'_>) -> Result<NameScope, Fault> {
        let with = parser.take_word("with");
        if (with || parser.take_word("without")) && !parser.take_word("context") {
            return Err(parser.unexpected("context"));
        }
        Ok(match with {
            true => NameScope::Context,
            false => NameScope::Values,
        })
    }

    fn import(&mut self, parser: &mut Parser<'_>, at: usize) -> Result<(), Fault> {
        let name = parser.expression()?;
        if !parser.take_word("as") {
            return Err(parser.unexpected("as"));
        }
        let (_, alias) = parser.name("a name")?;
        let reach = self.context_words(parser)?;
        self.printer.includes(&name, reach);
        self.begin("import", at);
        self.printer.imported(&name, reach)?;
        self.printer.write(&format!(" as {alias}"), at);
        self.bind(&alias);
        self.finish(at);
        Ok(())
    }

    fn import_names(&mut self, parser: &mut Parser<'_>, at: usize) -> Result<(), Fault> {
        let template = parser.expression()?;
        if !parser.take_word("import") {
            return Err(parser.unexpected("import"));
        }
        let mut names = Vec::new();
        loop {
            let (name_at, name) = parser.name("a name")?;
            let alias = match parser.take_word("as") {
                true => Some(parser.name("a name")?.1),
                false => None,
            };
            names.push((name_at, name, alias));
            if !parser.take(",") {
                break;
            }
            if parser.peek().is_none() || parser.is_word("with") || parser.is_word("without") {
                break;
            }
        }
        let reach = self.context_words(parser)?;
        self.printer.includes(&template, reach);
        self.begin("from", at);
        self.printer.imported(&template, reach)?;
        self.printer.write(" import ", at);
        for (index, (name_at, name, alias)) in names.iter().enumerate() {
            self.printer
                .write(if index > 0 { "," } else { "" }, *name_at);
            self.printer.write(name, *name_at);
            if let Some(alias) = alias {
                self.printer.write(&format!(" as {alias}"), *name_at);
            }
            self.bind(alias.as_ref().unwrap_or(name));
        }
        self.finish(at);
        Ok(())
    }

    fn block(&mut self, parser: &mut Parser<'_>, at: usize) -> Result<(), Fault> {
        let (name_at, name) = parser.name("the name of the block")?;
        let scoped = parser.take_word("scoped");
        let hidden = if scoped {
            Vec::new()
        } else {
            self.local_names()
        };
        if !hidden.is_empty() {
            self.begin(&format!("with {}", hidden.join(", ")), at);
            self.finish(at);
        }
        self.begin("block", at);
        self.printer.write(&name, name_at);
        if parser.take_word("required") {
            self.printer.write(" required", name_at);
        }
        self.finish(at);
        let after = format!("{BLOCK_START}endwith {BLOCK_END}");
        self.open.push(Open {
            word: "block",
            at,
            names: Vec::new(),
            scoped: false,
            is_apart: !scoped,
            after: (!hidden.is_empty()).then_some(after),
        });
        Ok(())
    }

    /// The names of loops and the like around a block, which it does not see unless it is `scoped` (Jinja2's
    /// `visit_Block` passes the context, in which they are not), each set to its value outside.
    fn local_names(&self) -> Vec<String> {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for open in &self.open {
            names.extend(open.names.iter().map(String::as_str));
        }
        let is_top = |name: &&str| self.top.contains(*name);
        names
            .into_iter()
            .filter(|name| !is_top(name))
            .map(|name| format!("{name} = __values.{name}"))
            .collect()
    }

    fn one_expression(
        &mut self,
        parser: &mut Parser<'_>,
        word: &str,
        at: usize,
    ) -> Result<(), Fault> {
        self.begin(word, at);
        let expression = parser.expression()?;
        if word == "extends" {
            self.printer.includes(&expression, NameScope::Context);
        }
        self.printer.expression(&expression)?;
        self.finish(at);
        if word == "autoescape" {
            self.opened("autoescape", at, Vec::new());
        }
        Ok(())
    }

    fn do_call(&mut self, parser: &mut Parser<'_>, at: usize) -> Result<(), Fault> {
        self.begin("do", at);
        self.printer.write("__nothing(", at);
        let expression = parser.tuple()?;
        self.printer.expression(&expression)?;
        self.printer.write(")", at);
        self.finish(at);
        Ok(())
    }
}
