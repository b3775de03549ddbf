//! Splits a template into text and the tokens of its actions, after text/template/parse/lex.go.
//!
//! Trim markers (`{{- `, ` -}}`) take the white space beside them; a comment must fill its action.

use super::fault::{Fault, Result};

/// A token and its line.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) line: u32,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Text(String),
    Open,
    Close,
    Space,
    Pipe,
    Comma,
    Assign,
    Declare,
    LeftParen,
    RightParen,
    Dot,
    /// `.name`
    Field(String),
    /// `$name`
    Variable(String),
    Word(String),
    Number(String),
    Char(String),
    /// A string, quotes and escapes resolved.
    String(String),
    End,
}

const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

struct Lexer<'t> {
    rest: &'t str,
    line: u32,
    left: &'t str,
    right: &'t str,
    out: Vec<Token>,
}

/// Reads a whole template.
pub(super) fn tokens(text: &str, left: &str, right: &str) -> Result<Vec<Token>> {
    let mut lexer = Lexer {
        rest: text,
        line: 1,
        left,
        right,
        out: Vec::new(),
    };
    while !lexer.rest.is_empty() {
        lexer.text()?;
    }
    lexer.push(Kind::End);
    Ok(lexer.out)
}

impl<'t> Lexer<'t> {
    fn push(&mut self, kind: Kind) {
        self.out.push(Token {
            line: self.line,
            kind,
        });
    }

    fn advance(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        self.line += u32::try_from(taken.matches('\n').count()).unwrap_or(0);
        taken
    }

    fn fault(&self, what: impl Into<String>) -> Fault {
        Fault::new(what).at(self.line)
    }

    /// Text up to the next action, and that action.
    fn text(&mut self) -> Result<()> {
        let Some(at) = self.rest.find(self.left) else {
            let text = self.advance(self.rest.len()).to_owned();
            self.push(Kind::Text(text));
            return Ok(());
        };
        let trims = is_left_trim(&self.rest[at + self.left.len()..]);
        let line = self.line;
        let text = self.advance(at);
        let kept = if trims {
            text.trim_end_matches(SPACE)
        } else {
            text
        };
        if !kept.is_empty() {
            self.out.push(Token {
                line,
                kind: Kind::Text(kept.to_owned()),
            });
        }
        self.advance(self.left.len() + if trims { 2 } else { 0 });
        if self.rest.starts_with("/*") {
            return self.comment();
        }
        self.push(Kind::Open);
        self.action()
    }

    fn comment(&mut self) -> Result<()> {
        let Some(end) = self.rest.find("*/") else {
            return Err(self.fault("a comment is not closed"));
        };
        self.advance(end + 2);
        let Some((bytes, trims)) = self.right_delimiter() else {
            return Err(self.fault("a comment ends before the closing delimiter"));
        };
        self.close(bytes, trims);
        Ok(())
    }

    /// The bytes of a closing delimiter that comes next, and whether it trims.
    fn right_delimiter(&self) -> Option<(usize, bool)> {
        let trimmed = self
            .rest
            .strip_prefix(SPACE)
            .and_then(|r| r.strip_prefix('-'));
        if trimmed.is_some_and(|r| r.starts_with(self.right)) {
            return Some((2 + self.right.len(), true));
        }
        (self.rest.starts_with(self.right)).then_some((self.right.len(), false))
    }

    fn close(&mut self, bytes: usize, trims: bool) {
        self.advance(bytes);
        if trims {
            let kept = self.rest.trim_start_matches(SPACE).len();
            self.advance(self.rest.len() - kept);
        }
    }

    fn action(&mut self) -> Result<()> {
        let mut depth = 0_u32;
        loop {
            if let Some((bytes, trims)) = self.right_delimiter() {
                if depth > 0 {
                    return Err(self.fault("a parenthesis is not closed"));
                }
                self.push(Kind::Close);
                self.close(bytes, trims);
                return Ok(());
            }
            let Some(c) = self.rest.chars().next() else {
                return Err(self.fault("an action is not closed"));
            };
            match c {
                ' ' | '\t' | '\r' | '\n' => self.space(),
                ':' => {
                    if !self.rest.starts_with(":=") {
                        return Err(self.fault("a `:` has no `=` behind it"));
                    }
                    self.symbol(2, Kind::Declare);
                }
                '=' => self.symbol(1, Kind::Assign),
                '|' => self.symbol(1, Kind::Pipe),
                ',' => self.symbol(1, Kind::Comma),
                '(' => {
                    depth += 1;
                    self.symbol(1, Kind::LeftParen);
                }
                ')' => {
                    depth = (depth.checked_sub(1))
                        .ok_or_else(|| self.fault("a `)` has no `(` before it"))?;
                    self.symbol(1, Kind::RightParen);
                }
                '"' => self.quoted('"')?,
                '\'' => self.quoted('\'')?,
                '`' => self.raw()?,
                '.' if !self.rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                    self.field()?;
                }
                '$' => {
                    let word = self.word_at(1)?;
                    self.push(Kind::Variable(word));
                }
                '+' | '-' | '.' | '0'..='9' => self.number()?,
                c if c == '_' || c.is_alphanumeric() => {
                    let word = self.word_at(0)?;
                    self.push(Kind::Word(word));
                }
                c => return Err(self.fault(format!("{c:?} is not expected in an action"))),
            }
        }
    }

    fn symbol(&mut self, bytes: usize, kind: Kind) {
        self.push(kind);
        self.advance(bytes);
    }

    fn space(&mut self) {
        // A trim marker needs its own blank: `x -}}` ends before it.
        let blanks = self.rest.len() - self.rest.trim_start_matches(SPACE).len();
        let ends_in_marker =
            (self.rest[blanks..].strip_prefix('-')).is_some_and(|r| r.starts_with(self.right));
        self.push(Kind::Space);
        self.advance(if ends_in_marker { blanks - 1 } else { blanks });
    }

    /// The bytes of the word that begins at an offset.
    fn word_length(&self, offset: usize) -> usize {
        let word = &self.rest[offset..];
        word.find(|c: char| c != '_' && !c.is_alphanumeric())
            .unwrap_or(word.len())
    }

    fn word_at(&mut self, skip: usize) -> Result<String> {
        let length = self.word_length(skip);
        let word = self.advance(skip + length).to_owned();
        self.terminated(&word)?;
        Ok(word)
    }

    fn field(&mut self) -> Result<()> {
        let length = self.word_length(1);
        let word = self.advance(1 + length)[1..].to_owned();
        if word.is_empty() {
            self.push(Kind::Dot);
            return Ok(());
        }
        self.terminated(&word)?;
        self.push(Kind::Field(word));
        Ok(())
    }

    /// A word must end where something else can begin.
    fn terminated(&self, word: &str) -> Result<()> {
        let ends = match self.rest.chars().next() {
            None => true,
            Some(c) => SPACE.contains(&c) || matches!(c, '.' | ',' | '|' | ':' | ')' | '('),
        };
        if ends || self.rest.starts_with(self.right) {
            return Ok(());
        }
        Err(self.fault(format!("an unexpected character follows {word:?}")))
    }

    fn number(&mut self) -> Result<()> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
        let mut end = 0;
        let bytes = self.rest.as_bytes();
        while end < bytes.len() {
            let c = char::from(bytes[end]);
            let signed = matches!(c, '+' | '-')
                && (end == 0
                    || (matches!(bytes[end - 1], b'e' | b'E' | b'p' | b'P')
                        && (!self.rest.contains("0x") || matches!(bytes[end - 1], b'p' | b'P'))));
            if !is_part(c) && !signed {
                break;
            }
            end += 1;
        }
        let text = self.advance(end).to_owned();
        if !text.contains(|c: char| c.is_ascii_digit()) {
            return Err(self.fault(format!("{text:?} is not a number")));
        }
        self.push(Kind::Number(text));
        Ok(())
    }

    fn raw(&mut self) -> Result<()> {
        let Some(end) = self.rest[1..].find('`') else {
            return Err(self.fault("a raw string is not closed"));
        };
        let line = self.line;
        let text = self.advance(end + 2);
        self.out.push(Token {
            line,
            kind: Kind::String(text[1..=end].to_owned()),
        });
        Ok(())
    }

    fn quoted(&mut self, quote: char) -> Result<()> {
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                '\n' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == quote => {
                    let text = unquote(&self.rest[1..at], quote)
                        .ok_or_else(|| self.fault("an escape in a string is not known"))?;
                    self.push(match quote {
                        '"' => Kind::String(text),
                        _ => Kind::Char(text),
                    });
                    self.advance(at + 1);
                    return Ok(());
                }
                _ => {}
            }
        }
        Err(self.fault("a string is not closed"))
    }
}

fn is_left_trim(after: &str) -> bool {
    after
        .strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(SPACE))
}

/// Resolves the escapes of a quoted Go string; `None` where one is not known.
pub(super) fn unquote(text: &str, quote: char) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escape = rest.chars().next()?;
        rest = &rest[escape.len_utf8()..];
        let plain = match escape {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 11,
            '\\' => b'\\',
            c if c == quote => u8::try_from(c).ok()?,
            'x' => {
                out.push(u8::try_from(digits(&mut rest, 2, 16)?).ok()?);
                continue;
            }
            '0'..='7' => {
                rest = &text[text.len() - rest.len() - 1..];
                out.push(u8::try_from(digits(&mut rest, 3, 8)?).ok()?);
                continue;
            }
            'u' | 'U' => {
                let count = if escape == 'u' { 4 } else { 8 };
                let c = char::from_u32(digits(&mut rest, count, 16)?)?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            _ => return None,
        };
        out.push(plain);
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

fn digits(rest: &mut &str, count: usize, radix: u32) -> Option<u32> {
    let text = rest.get(..count)?;
    *rest = &rest[count..];
    if text.contains(['+', '-']) {
        return None;
    }
    u32::from_str_radix(text, radix).ok()
}
