//! Expressions from tokens, by descent; macros are expanded here as in cel-go.

use super::ast::{Expr, Literal, Macro};
use super::lexer::{Placed, Token, tokens};

/// How deep an expression may nest. cel-go takes 250; a thread of ours has a smaller stack, and no rule comes near it.
const DEEPEST: usize = 100;

/// How many operators or selections may follow each other: the tree is that deep, and is walked by recursion.
const LONGEST_CHAIN: usize = 1000;

/// The binary operators, weakest first, and their functions.
const LEVELS: [&[(&str, &str)]; 5] = [
    &[("||", "_||_")],
    &[("&&", "_&&_")],
    &[
        ("==", "_==_"),
        ("!=", "_!=_"),
        ("<=", "_<=_"),
        (">=", "_>=_"),
        ("<", "_<_"),
        (">", "_>_"),
        ("in", "@in"),
    ],
    &[("+", "_+_"), ("-", "_-_")],
    &[("*", "_*_"), ("/", "_/_"), ("%", "_%_")],
];

const RESERVED: [&str; 16] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
];

pub(super) fn parse(text: &str) -> Result<Expr, String> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
    };
    let expr = parser.expression()?;
    match parser.at == parser.tokens.len() {
        true => Ok(expr),
        false => parser.error("unexpected input"),
    }
}

struct Parser {
    tokens: Vec<Placed>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn error<T>(&self, what: &str) -> Result<T, String> {
        match self.tokens.get(self.at) {
            Some((_, column)) => Err(format!("syntax error at column {column}: {what}")),
            None => Err(format!("syntax error at its end: {what}")),
        }
    }

    fn symbol(&self) -> Option<&'static str> {
        match self.tokens.get(self.at) {
            Some((Token::Symbol(symbol), _)) => Some(symbol),
            _ => None,
        }
    }

    fn take(&mut self, symbol: &str) -> bool {
        let is_there = self.symbol() == Some(symbol);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, symbol: &str) -> Result<(), String> {
        match self.take(symbol) {
            true => Ok(()),
            false => self.error(&format!("{symbol} is missing")),
        }
    }

    fn expression(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.error("it nests too deep");
        }
        let condition = self.binary(0)?;
        let expr = if self.take("?") {
            let yes = self.binary(0)?;
            self.expect(":")?;
            let no = self.expression()?;
            call("_?_:_", vec![condition, yes, no])
        } else {
            condition
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn binary(&mut self, level: usize) -> Result<Expr, String> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        let mut links = 0;
        while let Some((_, function)) = operators.iter().find(|(s, _)| self.symbol() == Some(*s)) {
            self.at += 1;
            links = self.link(links)?;
            let right = self.binary(level + 1)?;
            left = call(function, vec![left, right]);
        }
        Ok(left)
    }

    fn link(&self, links: usize) -> Result<usize, String> {
        match links < LONGEST_CHAIN {
            true => Ok(links + 1),
            false => self.error("it has too many operators in a row"),
        }
    }

    fn unary(&mut self) -> Result<Expr, String> {
        let (mut nots, mut minuses) = (0, 0);
        while self.take("!") {
            nots += 1;
        }
        if nots == 0 {
            while self.take("-") {
                minuses += 1;
            }
        }
        let mut expr = self.member(minuses)?;
        for _ in 0..nots % 2 {
            expr = call("!_", vec![expr]);
        }
        if nots > 0 && nots % 2 == 0 {
            expr = call("!_", vec![call("!_", vec![expr])]);
        }
        Ok(expr)
    }

    /// A primary with what follows it; a minus before a number is part of the number.
    fn member(&mut self, minuses: usize) -> Result<Expr, String> {
        let mut expr = self.primary()?;
        let mut rest = minuses;
        if minuses % 2 == 1 {
            expr = match expr {
                Expr::Literal(Literal::Int(int)) => Expr::Literal(Literal::Int(int.wrapping_neg())),
                Expr::Literal(Literal::Double(double)) => Expr::Literal(Literal::Double(-double)),
                other => {
                    rest += 1;
                    other
                }
            };
            rest -= 1;
        }
        let mut links = 0;
        loop {
            links = self.link(links)?;
            if self.take(".") {
                expr = self.dotted(expr)?;
            } else if self.take(".?") {
                let field = self.field_name()?;
                expr = Expr::Select {
                    operand: Box::new(expr),
                    field,
                    is_optional: true,
                };
            } else if let Some(open @ ("[" | "[?")) = self.symbol() {
                self.at += 1;
                let index = self.expression()?;
                self.expect("]")?;
                expr = Expr::Index {
                    operand: Box::new(expr),
                    index: Box::new(index),
                    is_optional: open == "[?",
                };
            } else {
                break;
            }
        }
        for _ in 0..rest % 2 {
            expr = call("-_", vec![expr]);
        }
        Ok(expr)
    }

    fn field_name(&mut self) -> Result<String, String> {
        match self.tokens.get(self.at) {
            Some((Token::Name(name) | Token::Quoted(name), _)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => self.error("a name is missing"),
        }
    }

    fn dotted(&mut self, operand: Expr) -> Result<Expr, String> {
        let name = self.field_name()?;
        if !self.take("(") {
            return Ok(Expr::Select {
                operand: Box::new(operand),
                field: name,
                is_optional: false,
            });
        }
        let arguments = self.arguments(")")?;
        self.method(operand, name, arguments)
    }

    fn arguments(&mut self, end: &str) -> Result<Vec<Expr>, String> {
        let mut arguments = Vec::new();
        while !self.take(end) {
            arguments.push(self.expression()?);
            if !self.take(",") {
                self.expect(end)?;
                break;
            }
        }
        Ok(arguments)
    }

    fn method(&mut self, target: Expr, name: String, arguments: Vec<Expr>) -> Result<Expr, String> {
        if matches!((&target, &*name), (Expr::Name(n), "bind") if n == "cel")
            && arguments.len() == 3
        {
            return self.bind(arguments);
        }
        let kind = match (&*name, arguments.len()) {
            ("all", 2 | 3) => Macro::All,
            ("exists", 2 | 3) => Macro::Exists,
            ("exists_one" | "existsOne", 2 | 3) => Macro::ExistsOne,
            ("map", 2 | 3) => Macro::Map,
            ("filter", 2) => Macro::Filter,
            ("transformList", 3 | 4) => Macro::TransformList,
            ("transformMap", 3 | 4) => Macro::TransformMap,
            _ => {
                return Ok(Expr::Call {
                    function: name,
                    target: Some(Box::new(target)),
                    arguments,
                });
            }
        };
        self.comprehension(kind, target, arguments)
    }

    fn comprehension(
        &mut self,
        kind: Macro,
        range: Expr,
        mut arguments: Vec<Expr>,
    ) -> Result<Expr, String> {
        let Some(body) = arguments.pop() else {
            return self.error("a macro lacks its expression");
        };
        let names = match kind {
            Macro::Map | Macro::Filter => 1,
            Macro::TransformList | Macro::TransformMap => 2,
            Macro::All | Macro::Exists | Macro::ExistsOne => arguments.len(),
        };
        let filter = (arguments.len() > names).then(|| arguments.pop()).flatten();
        let named: Option<Vec<String>> = arguments
            .into_iter()
            .map(|a| match a {
                Expr::Name(name) => Some(name),
                _ => None,
            })
            .collect();
        let Some(names) = named else {
            return self.error("the variable of a macro must be a name");
        };
        Ok(Expr::Comprehension {
            kind,
            range: Box::new(range),
            names,
            filter: filter.map(Box::new),
            body: Box::new(body),
        })
    }

    fn bind(&mut self, arguments: Vec<Expr>) -> Result<Expr, String> {
        match <[Expr; 3]>::try_from(arguments) {
            Ok([Expr::Name(name), value, body]) => Ok(Expr::Bind {
                name,
                value: Box::new(value),
                body: Box::new(body),
            }),
            _ => self.error("the variable of cel.bind must be a name"),
        }
    }

    fn primary(&mut self) -> Result<Expr, String> {
        let Some((token, _)) = self.tokens.get(self.at).cloned() else {
            return self.error("an expression is missing");
        };
        self.at += 1;
        match token {
            Token::Literal(literal) => Ok(Expr::Literal(literal)),
            Token::Name(name) => self.named(name),
            Token::Symbol("(") => {
                let expr = self.expression()?;
                self.expect(")")?;
                Ok(expr)
            }
            Token::Symbol("[") => self.list(),
            Token::Symbol("[?") => {
                self.at -= 1;
                self.tokens[self.at].0 = Token::Symbol("?");
                self.list()
            }
            Token::Symbol("{") => self.map(),
            Token::Symbol("{?") => {
                self.at -= 1;
                self.tokens[self.at].0 = Token::Symbol("?");
                self.map()
            }
            // A name from the outermost scope.
            Token::Symbol(".") => {
                let name = self.field_name()?;
                self.named(name)
            }
            Token::Quoted(_) | Token::Symbol(_) => {
                self.at -= 1;
                self.error("an expression is missing")
            }
        }
    }

    fn list(&mut self) -> Result<Expr, String> {
        let mut items = Vec::new();
        while !self.take("]") {
            let is_optional = self.take("?");
            items.push((self.expression()?, is_optional));
            if !self.take(",") {
                self.expect("]")?;
                break;
            }
        }
        Ok(Expr::List(items))
    }

    fn map(&mut self) -> Result<Expr, String> {
        let mut entries = Vec::new();
        while !self.take("}") {
            let is_optional = self.take("?");
            let key = self.expression()?;
            self.expect(":")?;
            entries.push((key, self.expression()?, is_optional));
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(Expr::Map(entries))
    }

    fn named(&mut self, name: String) -> Result<Expr, String> {
        if RESERVED.contains(&&*name) {
            self.at -= 1;
            return self.error(&format!("{name} is a reserved word"));
        }
        if !self.take("(") {
            return Ok(Expr::Name(name));
        }
        let mut arguments = self.arguments(")")?;
        if name != "has" {
            return Ok(call(&name, arguments));
        }
        match (arguments.pop(), arguments.is_empty()) {
            (Some(Expr::Select { operand, field, .. }), true) => Ok(Expr::Has { operand, field }),
            _ => self.error("has() takes the selection of a field"),
        }
    }
}

fn call(function: &str, arguments: Vec<Expr>) -> Expr {
    Expr::Call {
        function: function.to_owned(),
        target: None,
        arguments,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn what_is_not_an_expression_is_refused_with_its_column() {
        let rows = [
            (
                "self.size <= ",
                "syntax error at its end: an expression is missing",
            ),
            (
                "self.size === 1",
                "syntax error at column 13: an expression is missing",
            ),
            ("a b", "syntax error at column 3: unexpected input"),
            ("'a", "syntax error at column 3: a string does not end"),
            (
                "has(a)",
                "syntax error at its end: has() takes the selection of a field",
            ),
            ("[1, 2", "syntax error at its end: ] is missing"),
            (
                "a.all(b.c, true)",
                "syntax error at its end: the variable of a macro must be a name",
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(parse(text).expect_err(text), expected, "{text}");
        }
    }

    #[test]
    fn a_deep_expression_is_refused() {
        let text = "(".repeat(100_000);
        assert!(parse(&text).is_err());
        let text = "!".repeat(50_000) + "true";
        assert!(parse(&text).is_ok());
    }
}
