//! Reads a text into what is literal and what refers to a variable, as Flux's engine does.
//!
//! The grammar is smaller than the shell's. `$$` is `$` everywhere in the text; `${name}` may carry one
//! operator; arguments hold literal text or one nested reference, defaults hold any number of both.
//! Escapes (`$$`, `\/`, `\\`) count in the arguments of a replacement only. What upstream refuses is
//! refused with the same [`Fault`].

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::Regex;

/// How deeply references may be nested in each other; upstream's own limit is its stack.
const MAX_DEPTH: u32 = 64;

/// A stretch of text, or a reference.
#[derive(Debug)]
pub(super) enum Piece<'t> {
    Text(Cow<'t, str>),
    Reference(Reference<'t>),
}

/// `${name}` with its operator.
#[derive(Debug)]
pub(super) struct Reference<'t> {
    pub(super) name: &'t str,
    pub(super) operator: Operator,
    pub(super) arguments: Vec<Piece<'t>>,
}

/// What is done to a variable's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `${v}`, and `${v,^}`, `${v^,}`, which change nothing.
    Plain,
    /// `${v=d}`, `${v:=d}`, `${v:-d}`, and `${v:+d}`, `${v:?d}`, which do the same.
    Default,
    Length,
    UpperFirst,
    Upper,
    LowerFirst,
    Lower,
    Substring,
    ShortestPrefix,
    LongestPrefix,
    ShortestSuffix,
    LongestSuffix,
    ReplaceFirst,
    ReplaceAll,
    ReplacePrefix,
    ReplaceSuffix,
}

/// Why a text cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// An operator is incomplete, or something follows it.
    BadSubstitution,
    /// `${name` is followed by neither an operator nor `}`.
    MissingClosingBrace,
    /// `${` is not followed by a name.
    NoName,
    /// An operator lacks its argument.
    NoArgument,
    /// Strict mode: the variable does not exist.
    NotSet(String),
    /// A substring's length is negative, which crashes the reference.
    NegativeLength(String),
    /// References are nested too deeply.
    TooDeep,
    /// The run's budget of longer texts is spent.
    Spent,
}

/// Splits a text into pieces. The offset that comes with a fault is that of the `${` it lies in.
pub(super) fn parse(text: &str) -> Result<Vec<Piece<'_>>, (Fault, usize)> {
    let mut parser = Parser {
        text,
        position: 0,
        depth: 0,
    };
    let mut pieces = Vec::new();
    while parser.position < text.len() {
        let start = parser.position;
        let piece = if parser.rest().starts_with("${") {
            Piece::Reference(parser.reference().map_err(|fault| (fault, start))?)
        } else {
            Piece::Text(parser.literal(|_| true, Escapes::Dollar))
        };
        pieces.push(piece);
    }
    Ok(pieces)
}

/// Which escapes count in a stretch of text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    None,
    Dollar,
    All,
}

impl Escapes {
    /// Whether the text begins with an escape: one character that goes, one that stays.
    fn begin(self, rest: &str) -> bool {
        match self {
            Self::None => false,
            Self::Dollar => rest.starts_with("$$"),
            Self::All => {
                rest.starts_with("$$") || rest.starts_with("\\/") || rest.starts_with("\\\\")
            }
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    position: usize,
    depth: u32,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Consumes a text when it is next.
    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.position += text.len();
        }
        found
    }

    /// Consumes up to the first `${`, or character that is not accepted; escapes lose their first character.
    fn literal(&mut self, accept: impl Fn(char) -> bool, escapes: Escapes) -> Cow<'t, str> {
        let mut taken = Cow::Borrowed("");
        let mut start = self.position;
        while let Some(next) = self.peek() {
            if escapes.begin(self.rest()) {
                append(&mut taken, &self.text[start..self.position]);
                start = self.position + 1;
                self.position += 2;
            } else if self.rest().starts_with("${") || !accept(next) {
                break;
            } else {
                self.position += next.len_utf8();
            }
        }
        append(&mut taken, &self.text[start..self.position]);
        taken
    }

    /// A name: letters, digits and `_` in any order; empty when there is none.
    fn name(&mut self) -> &'t str {
        let start = self.position;
        while let Some(next) = self.peek().filter(|c| is_name_character(*c)) {
            self.position += next.len_utf8();
        }
        &self.text[start..self.position]
    }

    fn reference(&mut self) -> Result<Reference<'t>, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        self.depth += 1;
        self.position += "${".len();
        let reference = if self.eat("#") {
            self.length()
        } else {
            self.named()
        };
        self.depth -= 1;
        reference
    }

    fn length(&mut self) -> Result<Reference<'t>, Fault> {
        let name = self.name();
        if name.is_empty() {
            return Err(Fault::BadSubstitution);
        }
        self.close(name, Operator::Length, Vec::new())
    }

    fn named(&mut self) -> Result<Reference<'t>, Fault> {
        let name = self.name();
        if name.is_empty() {
            return Err(Fault::NoName);
        }
        match self.peek() {
            Some('=') => self.default(name, 1),
            Some(':') if self.rest()[1..].starts_with(['=', '-', '?', '+']) => {
                self.default(name, 2)
            }
            Some(':') => self.substring(name),
            Some(',' | '^') => self.casing(name),
            Some('/') => self.replacement(name),
            Some('#' | '%') => self.removal(name),
            Some('}') => self.close(name, Operator::Plain, Vec::new()),
            _ => Err(Fault::MissingClosingBrace),
        }
    }

    /// Consumes the closing brace.
    fn close(
        &mut self,
        name: &'t str,
        operator: Operator,
        arguments: Vec<Piece<'t>>,
    ) -> Result<Reference<'t>, Fault> {
        if !self.eat("}") {
            return Err(Fault::BadSubstitution);
        }
        Ok(Reference {
            name,
            operator,
            arguments,
        })
    }

    /// One argument: a nested reference, or text that is not empty.
    fn argument(
        &mut self,
        accept: impl Fn(char) -> bool,
        escapes: Escapes,
    ) -> Result<Piece<'t>, Fault> {
        if self.rest().starts_with("${") {
            return self.reference().map(Piece::Reference);
        }
        let start = self.position;
        let text = self.literal(accept, escapes);
        if self.position == start {
            return Err(Fault::NoArgument);
        }
        Ok(Piece::Text(text))
    }

    fn default(&mut self, name: &'t str, operator_bytes: usize) -> Result<Reference<'t>, Fault> {
        self.position += operator_bytes;
        let mut arguments = Vec::new();
        while self.peek() != Some('}') {
            arguments.push(self.argument(|c| c != '}', Escapes::None)?);
        }
        self.close(name, Operator::Default, arguments)
    }

    fn substring(&mut self, name: &'t str) -> Result<Reference<'t>, Fault> {
        // The engine steps back by as many bytes as what follows the colon has, and misses it unless it is one.
        if self.rest()[1..]
            .chars()
            .next()
            .is_none_or(|c| !c.is_ascii())
        {
            return Err(Fault::BadSubstitution);
        }
        self.position += 1;
        let mut arguments = vec![self.argument(|c| c != ':' && c != '}', Escapes::None)?];
        if self.peek() == Some(':') {
            while self.eat(":") {}
            arguments.push(self.argument(|c| c != '}', Escapes::None)?);
        }
        self.close(name, Operator::Substring, arguments)
    }

    fn casing(&mut self, name: &'t str) -> Result<Reference<'t>, Fault> {
        let rest = self.rest();
        let length = if rest[1..].starts_with([',', '^']) {
            2
        } else {
            1
        };
        self.position += length;
        let operator = match &rest[..length] {
            "," => Operator::LowerFirst,
            ",," => Operator::Lower,
            "^" => Operator::UpperFirst,
            "^^" => Operator::Upper,
            _ => Operator::Plain,
        };
        self.close(name, operator, Vec::new())
    }

    fn removal(&mut self, name: &'t str) -> Result<Reference<'t>, Fault> {
        let operator = if self.eat("##") {
            Operator::LongestPrefix
        } else if self.eat("#") {
            Operator::ShortestPrefix
        } else if self.eat("%%") {
            Operator::LongestSuffix
        } else {
            self.position += 1;
            Operator::ShortestSuffix
        };
        let pattern = self.argument(|c| c != '}', Escapes::None)?;
        self.close(name, operator, vec![pattern])
    }

    fn replacement(&mut self, name: &'t str) -> Result<Reference<'t>, Fault> {
        self.position += 1;
        let operator = if self.eat("/") {
            Operator::ReplaceAll
        } else if self.eat("#") {
            Operator::ReplacePrefix
        } else if self.eat("%") {
            Operator::ReplaceSuffix
        } else {
            Operator::ReplaceFirst
        };
        // A `}` does not end the pattern.
        let mut arguments = vec![self.argument(|c| c != '/', Escapes::All)?];
        if !self.eat("/") {
            return Err(Fault::BadSubstitution);
        }
        while self.eat("/") {}
        if self.peek() != Some('}') {
            arguments.push(self.argument(|c| c != '}', Escapes::All)?);
        }
        self.close(name, operator, arguments)
    }
}

/// Appends, without an allocation as long as there is only one stretch.
fn append<'t>(taken: &mut Cow<'t, str>, stretch: &'t str) {
    if taken.is_empty() {
        *taken = Cow::Borrowed(stretch);
    } else if !stretch.is_empty() {
        taken.to_mut().push_str(stretch);
    }
}

/// Go's `unicode.IsLetter`, `unicode.IsDigit`, and `_`.
fn is_name_character(character: char) -> bool {
    static OTHER: OnceLock<Regex> = OnceLock::new();
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '_';
    }
    let other =
        OTHER.get_or_init(|| Regex::new(r"^[\p{L}\p{Nd}]$").expect("a constant that compiles"));
    other.is_match(character.encode_utf8(&mut [0; 4]))
}
