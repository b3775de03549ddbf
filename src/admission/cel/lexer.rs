//! The words of an expression.

use super::ast::Literal;

/// The longest expression that is read; the API server's own limit.
const LONGEST: usize = 100_000;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Literal(Literal),
    Name(String),
    /// A name in back quotes, which can only be a field.
    Quoted(String),
    Symbol(&'static str),
}

/// A token and the column at which it starts, from 1.
pub(super) type Placed = (Token, usize);

const SYMBOLS: [&str; 29] = [
    "&&", "||", "==", "!=", "<=", ">=", ".?", "[?", "{?", "<", ">", "+", "-", "*", "/", "%", "!",
    "?", ":", "(", ")", "[", "]", "{", "}", ".", ",", "in", "=",
];

/// Splits an expression into tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, String> {
    if text.len() > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes"));
    }
    let mut lexer = Lexer {
        chars: text.chars().collect(),
        at: 0,
    };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn error<T>(&self, what: &str) -> Result<T, String> {
        Err(format!("syntax error at column {}: {what}", self.at + 1))
    }

    fn next(&mut self) -> Result<Option<Placed>, String> {
        self.skip_space();
        let start = self.at + 1;
        let Some(first) = self.peek(0) else {
            return Ok(None);
        };
        let token = match first {
            '0'..='9' => self.number()?,
            '.' if self.peek(1).is_some_and(|c| c.is_ascii_digit()) => self.number()?,
            '"' | '\'' => self.string(false, false)?,
            '`' => self.quoted()?,
            _ if first.is_alphabetic() || first == '_' => self.word()?,
            _ => self.symbol()?,
        };
        Ok(Some((token, start)))
    }

    fn skip_space(&mut self) {
        while let Some(c) = self.peek(0) {
            if c == '/' && self.peek(1) == Some('/') {
                while self.peek(0).is_some_and(|c| c != '\n') {
                    self.at += 1;
                }
            } else if c.is_whitespace() {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn symbol(&mut self) -> Result<Token, String> {
        let fits = |symbol: &&&str| {
            let mut chars = symbol.chars().enumerate();
            chars.all(|(i, c)| self.peek(i) == Some(c))
        };
        match SYMBOLS.iter().filter(|s| **s != "in").find(fits) {
            Some(symbol) => {
                self.at += symbol.len();
                Ok(Token::Symbol(symbol))
            }
            None => self.error("unexpected character"),
        }
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek(0).is_some_and(&fits) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn word(&mut self) -> Result<Token, String> {
        let start = self.at;
        let word = self.take_while(|c| c.is_alphanumeric() || c == '_');
        let is_prefix = word.len() <= 2 && word.chars().all(|c| matches!(c, 'r' | 'R' | 'b' | 'B'));
        if is_prefix && matches!(self.peek(0), Some('"' | '\'')) {
            let lower = word.to_ascii_lowercase();
            return self.string(lower.contains('r'), lower.contains('b'));
        }
        debug_assert!(self.at > start, "a word has a character");
        Ok(match &*word {
            "true" => Token::Literal(Literal::Bool(true)),
            "false" => Token::Literal(Literal::Bool(false)),
            "null" => Token::Literal(Literal::Null),
            "in" => Token::Symbol("in"),
            _ => Token::Name(word),
        })
    }

    fn quoted(&mut self) -> Result<Token, String> {
        self.at += 1;
        let name =
            self.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | ' '));
        if self.peek(0) != Some('`') || name.is_empty() {
            return self.error("a quoted name does not end");
        }
        self.at += 1;
        Ok(Token::Quoted(name))
    }

    fn number(&mut self) -> Result<Token, String> {
        if self.peek(0) == Some('0') && matches!(self.peek(1), Some('x' | 'X')) {
            self.at += 2;
            let digits = self.take_while(|c| c.is_ascii_hexdigit());
            return self.integer(&digits, 16);
        }
        let mut text = self.take_while(|c| c.is_ascii_digit());
        let mut is_float = false;
        if self.peek(0) == Some('.') && self.peek(1).is_some_and(|c| c.is_ascii_digit()) {
            is_float = true;
            self.at += 1;
            text.push('.');
            text.push_str(&self.take_while(|c| c.is_ascii_digit()));
        }
        if matches!(self.peek(0), Some('e' | 'E')) {
            is_float = true;
            self.at += 1;
            text.push('e');
            if let Some(sign @ ('+' | '-')) = self.peek(0) {
                self.at += 1;
                text.push(sign);
            }
            text.push_str(&self.take_while(|c| c.is_ascii_digit()));
        }
        if !is_float {
            return self.integer(&text, 10);
        }
        match text.parse() {
            Ok(value) => Ok(Token::Literal(Literal::Double(value))),
            Err(_) => self.error("not a number"),
        }
    }

    fn integer(&mut self, digits: &str, base: u32) -> Result<Token, String> {
        let Ok(magnitude) = u64::from_str_radix(digits, base) else {
            return self.error("an integer does not fit 64 bits");
        };
        if matches!(self.peek(0), Some('u' | 'U')) {
            self.at += 1;
            return Ok(Token::Literal(Literal::Uint(magnitude)));
        }
        match i64::try_from(magnitude) {
            Ok(int) => Ok(Token::Literal(Literal::Int(int))),
            // The magnitude of the least integer, whose sign is an operator before it.
            Err(_) if magnitude == 1 << 63 => Ok(Token::Literal(Literal::Int(i64::MIN))),
            Err(_) => self.error("an integer does not fit 64 bits"),
        }
    }

    fn string(&mut self, is_raw: bool, is_bytes: bool) -> Result<Token, String> {
        let quote = self.peek(0).unwrap_or('"');
        let is_triple = self.peek(1) == Some(quote) && self.peek(2) == Some(quote);
        let width = if is_triple { 3 } else { 1 };
        self.at += width;
        let mut bytes = Vec::new();
        loop {
            let Some(c) = self.peek(0) else {
                return self.error("a string does not end");
            };
            if (0..width).all(|i| self.peek(i) == Some(quote)) {
                self.at += width;
                break;
            }
            if c == '\n' && !is_triple {
                return self.error("a string does not end on its line");
            }
            self.at += 1;
            match c {
                '\\' if !is_raw => self.escape(&mut bytes, is_bytes)?,
                _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if is_bytes {
            return Ok(Token::Literal(Literal::Bytes(bytes)));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Token::Literal(Literal::String(text))),
            Err(_) => self.error("a string is not UTF-8"),
        }
    }

    fn escape(&mut self, bytes: &mut Vec<u8>, is_bytes: bool) -> Result<(), String> {
        let Some(c) = self.peek(0) else {
            return self.error("a string does not end");
        };
        self.at += 1;
        let plain = match c {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            '\\' | '\'' | '"' | '`' | '?' => u8::try_from(u32::from(c)).unwrap_or(b'?'),
            'x' | 'X' => return self.code(2, 16, bytes, is_bytes),
            'u' => return self.code(4, 16, bytes, false),
            'U' => return self.code(8, 16, bytes, false),
            '0'..='3' => {
                self.at -= 1;
                return self.code(3, 8, bytes, is_bytes);
            }
            _ => return self.error("an unknown escape"),
        };
        bytes.push(plain);
        Ok(())
    }

    fn code(
        &mut self,
        digits: usize,
        base: u32,
        bytes: &mut Vec<u8>,
        is_byte: bool,
    ) -> Result<(), String> {
        let text: String = self.chars.iter().skip(self.at).take(digits).collect();
        let code = (text.len() == digits).then(|| u32::from_str_radix(&text, base).ok());
        let Some(code) = code.flatten() else {
            return self.error("an escape lacks digits");
        };
        self.at += digits;
        if let (true, Ok(byte)) = (is_byte, u8::try_from(code)) {
            bytes.push(byte);
            return Ok(());
        }
        match char::from_u32(code) {
            Some(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None => return self.error("an escape is not a character"),
        }
        Ok(())
    }
}
