//! Kubernetes' selectors of labels: `a=b, c in (d,e), !f, g > 1`.

/// A selector; every requirement must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    Missing,
    Greater,
    Less,
}

impl LabelSelector {
    /// Reads a selector; an empty text selects everything. Fails with what is wrong, in words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        Parser { tokens: &tokens }.selector()
    }

    /// Whether it selects everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether labels, given by their look-up, fit.
    pub(crate) fn matches<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.0
            .iter()
            .all(|requirement| requirement.holds(label(&requirement.key)))
    }
}

impl Requirement {
    fn holds(&self, value: Option<&str>) -> bool {
        let has = |value: &str| self.values.iter().any(|v| v == value);
        match (self.operator, value) {
            (Operator::In, value) => value.is_some_and(has),
            (Operator::NotIn, value) => !value.is_some_and(has),
            (Operator::Exists, value) => value.is_some(),
            (Operator::Missing, value) => value.is_none(),
            (Operator::Greater, value) => self.compares(value, |a, b| a > b),
            (Operator::Less, value) => self.compares(value, |a, b| a < b),
        }
    }

    fn compares(&self, value: Option<&str>, holds: impl Fn(i64, i64) -> bool) -> bool {
        let number = |text: &str| text.parse::<i64>().ok();
        let limit = self.values.first().and_then(|limit| number(limit));
        match (value.and_then(number), limit) {
            (Some(value), Some(limit)) => holds(value, limit),
            _ => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Sign(&'static str),
}

const SIGNS: [&str; 9] = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let is_sign = |c: char| matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<');
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while let Some(first) = rest.chars().next() {
        if is_sign(first) {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let sign = sign.ok_or_else(|| format!("{first} is out of place"))?;
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            let end = rest
                .find(|c| is_sign(c) || is_space(c))
                .unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start_matches(is_space);
    }
    Ok(tokens)
}

struct Parser<'t> {
    tokens: &'t [Token],
}

impl<'t> Parser<'t> {
    fn selector(mut self) -> Result<LabelSelector, String> {
        let mut requirements = Vec::new();
        while let Some(token) = self.tokens.first() {
            if !matches!(token, Token::Word(_) | Token::Sign("!")) {
                return Err(self.unexpected("a label"));
            }
            requirements.push(self.requirement()?);
            match self.next() {
                None => break,
                Some(Token::Sign(",")) if !self.tokens.is_empty() => {}
                Some(Token::Sign(",")) => return Err("a label must follow the comma".to_owned()),
                Some(other) => return Err(format!("{} stands where a comma is due", shown(other))),
            }
        }
        Ok(LabelSelector(requirements))
    }

    fn next(&mut self) -> Option<&'t Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn take(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.tokens.first(), Some(Token::Sign(s)) if *s == sign);
        if is_next {
            self.tokens = &self.tokens[1..];
        }
        is_next
    }

    fn unexpected(&self, wanted: &str) -> String {
        match self.tokens.first() {
            Some(token) => format!("{} stands where {wanted} is due", shown(token)),
            None => format!("{wanted} is missing at the end"),
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let is_negated = self.take("!");
        let Some(Token::Word(key)) = self.tokens.first() else {
            return Err(self.unexpected("a label"));
        };
        self.next();
        check_key(key)?;
        if matches!(self.tokens.first(), None | Some(Token::Sign(","))) {
            let operator = if is_negated {
                Operator::Missing
            } else {
                Operator::Exists
            };
            return Ok(requirement(key, operator, Vec::new()));
        }
        if is_negated {
            return Err(self.unexpected("a comma"));
        }
        self.comparison(key)
    }

    fn comparison(&mut self, key: &str) -> Result<Requirement, String> {
        let operator = match self.tokens.first() {
            Some(Token::Word(word)) if word == "in" => Operator::In,
            Some(Token::Word(word)) if word == "notin" => Operator::NotIn,
            Some(Token::Sign("=" | "==")) => Operator::In,
            Some(Token::Sign("!=")) => Operator::NotIn,
            Some(Token::Sign(">")) => Operator::Greater,
            Some(Token::Sign("<")) => Operator::Less,
            _ => return Err(self.unexpected("=, !=, in or notin")),
        };
        let is_set = matches!(self.next(), Some(Token::Word(_)));
        let values = if is_set {
            self.values()?
        } else {
            vec![self.value()?]
        };
        for value in &values {
            if matches!(operator, Operator::Greater | Operator::Less)
                && value.parse::<i64>().is_err()
            {
                return Err(format!("{value:?} is no integer"));
            }
            check_value(value)?;
        }
        Ok(requirement(key, operator, values))
    }

    fn value(&mut self) -> Result<String, String> {
        match self.tokens.first() {
            None | Some(Token::Sign(",")) => Ok(String::new()),
            Some(Token::Word(word)) => {
                self.next();
                Ok(word.clone())
            }
            Some(Token::Sign(_)) => Err(self.unexpected("a value")),
        }
    }

    /// Reads `(a, b)`; a value may be left out, which means the empty one.
    fn values(&mut self) -> Result<Vec<String>, String> {
        if !self.take("(") {
            return Err(self.unexpected("("));
        }
        let mut values = Vec::new();
        loop {
            match self.tokens.first() {
                Some(Token::Word(word)) => {
                    values.push(word.clone());
                    self.next();
                }
                Some(Token::Sign("," | ")")) => values.push(String::new()),
                _ => return Err(self.unexpected("a value")),
            }
            if self.take(")") {
                return Ok(values);
            }
            if !self.take(",") {
                return Err(self.unexpected(", or )"));
            }
        }
    }
}

fn requirement(key: &str, operator: Operator, values: Vec<String>) -> Requirement {
    Requirement {
        key: key.to_owned(),
        operator,
        values,
    }
}

fn shown(token: &Token) -> &str {
    match token {
        Token::Word(word) => word,
        Token::Sign(sign) => sign,
    }
}

/// A key is a name of up to 63 characters, after an optional DNS name of up to 253 and a slash.
fn check_key(key: &str) -> Result<(), String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if !prefix.is_none_or(is_dns_name) || name.is_empty() || !is_label(name) {
        return Err(format!("{key:?} is no label"));
    }
    Ok(())
}

fn check_value(value: &str) -> Result<(), String> {
    if value.is_empty() || is_label(value) {
        return Ok(());
    }
    Err(format!("{value:?} is no value of a label"))
}

/// Letters, digits, `-`, `_` and `.`, up to 63, the first and last a letter or digit.
fn is_label(text: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let is_edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.iter().copied().all(is_inner)
        && is_edge(bytes.first())
        && is_edge(bytes.last())
}

fn is_dns_name(text: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(is_inner)
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::LabelSelector;

    fn matches(selector: &str) -> bool {
        let selector = LabelSelector::parse(selector).unwrap_or_else(|e| panic!("{selector}: {e}"));
        selector.matches(|key| match key {
            "app" => Some("shop"),
            "tier" => Some("3"),
            "acme.io/x" => Some(""),
            "in" => Some("in"),
            _ => None,
        })
    }

    #[test]
    fn selects_by_requirements() {
        for selector in [
            "",
            " ",
            "app=shop",
            "app == shop",
            "app",
            "!nope",
            "app!=x",
            "nope!=x",
            "app in (a, shop)",
            "app notin (a)",
            "nope notin (a)",
            "tier>2",
            "tier<4",
            "app=shop,tier=3",
            "acme.io/x=",
            "acme.io/x in (,a)",
            "acme.io/x in ()",
            "in in (in)",
            "app , tier",
        ] {
            assert!(matches(selector), "{selector}");
        }
        for selector in [
            "app=x",
            "!app",
            "nope",
            "app notin (shop)",
            "tier>3",
            "nope=x",
            "app in ()",
        ] {
            assert!(!matches(selector), "{selector}");
        }
    }

    #[test]
    fn refuses_what_kubernetes_refuses() {
        for selector in [
            "app=",
            "app,",
            ",app",
            "app=a=b",
            "app in",
            "app in (a",
            "app in a",
            "a b",
            "tier>x",
            "-a=b",
            "a=b c",
            "a=b_",
            "A.io/x=y",
            "!app=x",
            "()",
            "app ! x",
        ] {
            let is_refused = LabelSelector::parse(selector).is_err();
            assert_eq!(is_refused, selector != "app=", "{selector}");
        }
    }
}
