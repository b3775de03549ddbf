//! The tokens inside marks, as Jinja2's lexer cuts them.

use std::ops::Range;

use super::Fault;

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    Text(String),
    Integer(String),
    Float(f64),
    Operator(&'static str),
}

/// A token and where it starts.
#[derive(Debug, Clone)]
pub(super) struct Spanned {
    pub(super) at: usize,
    pub(super) token: Token,
}

/// Jinja2's operators, the longer first.
const OPERATORS: &[&str] = &[
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";",
];

/// Cuts a stretch of the source into tokens.
pub(super) fn tokens(source: &str, range: Range<usize>) -> Result<Vec<Spanned>, Fault> {
    let mut found = Vec::new();
    let mut at = range.start;
    while at < range.end {
        match next(source, at, range.end, &found)? {
            Step::Blank(end) => at = end,
            Step::Token(token, end) => {
                found.push(Spanned { at, token });
                at = end;
            }
        }
    }
    Ok(found)
}

/// The end of the token that starts at a byte, for the search of a closing mark.
pub(super) fn end_of_token(source: &str, at: usize) -> Result<(usize, Option<Token>), Fault> {
    Ok(match next(source, at, source.len(), &[])? {
        Step::Blank(end) => (end, None),
        Step::Token(token, end) => (end, Some(token)),
    })
}

enum Step {
    Blank(usize),
    Token(Token, usize),
}

fn next(source: &str, at: usize, end: usize, before: &[Spanned]) -> Result<Step, Fault> {
    let rest = &source[at..end];
    let first = rest.chars().next().unwrap_or(' ');
    if first.is_whitespace() {
        let blank = rest.len() - rest.trim_start().len();
        return Ok(Step::Blank(at + blank));
    }
    if first.is_ascii_digit() {
        let after_dot = before
            .last()
            .is_some_and(|t| t.token == Token::Operator("."));
        let (token, length) = number(rest, after_dot).ok_or_else(|| unexpected(at, first))?;
        return Ok(Step::Token(token, at + length));
    }
    if first == '_' || first.is_alphabetic() {
        let length = rest
            .find(|c: char| c != '_' && !c.is_alphanumeric())
            .unwrap_or(rest.len());
        return Ok(Step::Token(
            Token::Name(rest[..length].to_owned()),
            at + length,
        ));
    }
    if first == '\'' || first == '"' {
        let (text, length) = string(rest, first, at)?;
        return Ok(Step::Token(Token::Text(text), at + length));
    }
    match OPERATORS.iter().find(|o| rest.starts_with(**o)) {
        Some(operator) => Ok(Step::Token(Token::Operator(operator), at + operator.len())),
        None => Err(unexpected(at, first)),
    }
}

fn unexpected(at: usize, character: char) -> Fault {
    Fault::new(at, format!("{character:?} has no meaning here"))
}

/// Digits, with a `_` between any two.
fn digits(text: &str, is_digit: impl Fn(u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    let mut length = 0;
    while let Some(&byte) = bytes.get(length) {
        let bridges =
            byte == b'_' && length > 0 && bytes.get(length + 1).is_some_and(|b| is_digit(*b));
        if !is_digit(byte) && !bridges {
            break;
        }
        length += 1;
    }
    length
}

fn number(rest: &str, after_dot: bool) -> Option<(Token, usize)> {
    for (prefix, radix) in [("0b", 2), ("0o", 8), ("0x", 16)] {
        let Some(body) = rest
            .get(..2)
            .filter(|p| p.eq_ignore_ascii_case(prefix))
            .map(|_| &rest[2..])
        else {
            continue;
        };
        let body = body.strip_prefix('_').unwrap_or(body);
        let length = digits(body, |b| char::from(b).is_digit(radix));
        let value = u128::from_str_radix(&body[..length].replace('_', ""), radix).ok()?;
        return Some((
            Token::Integer(value.to_string()),
            rest.len() - body.len() + length,
        ));
    }
    let whole = digits(rest, |b| b.is_ascii_digit());
    if !after_dot {
        let length = float_length(rest, whole);
        if length > whole {
            let value = rest[..length].replace('_', "").parse().ok()?;
            return Some((Token::Float(value), length));
        }
    }
    let text = rest[..whole].replace('_', "");
    let trimmed = text.trim_start_matches('0');
    if trimmed.len() < text.len() && !trimmed.is_empty() {
        // Python has no integers with leading zeros: Jinja2 reads `0` and stops.
        return Some((Token::Integer("0".to_owned()), 1));
    }
    let value = if trimmed.is_empty() { "0" } else { trimmed };
    Some((Token::Integer(value.to_owned()), whole))
}

/// The length of a float that starts with `whole` digits; `whole` when there is none.
fn float_length(rest: &str, whole: usize) -> usize {
    let is_digit = |b: u8| b.is_ascii_digit();
    let mut length = whole;
    if rest[length..].starts_with('.') {
        match digits(&rest[length + 1..], is_digit) {
            0 => return whole,
            fraction => length += 1 + fraction,
        }
    }
    if rest[length..].starts_with(['e', 'E']) {
        let after = &rest[length + 1..];
        let sign = usize::from(after.starts_with(['+', '-']));
        match digits(&after[sign..], is_digit) {
            0 => {}
            exponent => length += 1 + sign + exponent,
        }
    }
    length
}

fn string(rest: &str, quote: char, at: usize) -> Result<(String, usize), Fault> {
    let mut escaped = false;
    for (index, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Ok((unescape(&rest[1..index], at + 1)?, index + 1)),
            _ => {}
        }
    }
    Err(Fault::new(at, "this string is not closed"))
}

/// Python's `unicode-escape`: unknown escapes stay as they are.
fn unescape(body: &str, at: usize) -> Result<String, Fault> {
    let mut text = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(index) = rest.find('\\') {
        text.push_str(&rest[..index]);
        rest = &rest[index + 1..];
        let character = rest.chars().next().unwrap_or('\\');
        rest = &rest[character.len_utf8().min(rest.len())..];
        let simple = match character {
            'n' => "\n",
            't' => "\t",
            'r' => "\r",
            'a' => "\u{7}",
            'b' => "\u{8}",
            'f' => "\u{c}",
            'v' => "\u{b}",
            '\\' => "\\",
            '\'' => "'",
            '"' => "\"",
            '\n' => "",
            'x' | 'u' | 'U' => {
                let digits = match character {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let (decoded, length) = code_points(rest, character, digits).ok_or_else(|| {
                    Fault::new(
                        at,
                        format!("\\{character} wants {digits} hexadecimal digits of a character"),
                    )
                })?;
                text.push(decoded);
                rest = &rest[length..];
                continue;
            }
            '0'..='7' => {
                let more = rest
                    .bytes()
                    .take(2)
                    .take_while(|b| (b'0'..=b'7').contains(b))
                    .count();
                let octal = format!("{character}{}", &rest[..more]);
                text.extend(u32::from_str_radix(&octal, 8).ok().and_then(char::from_u32));
                rest = &rest[more..];
                continue;
            }
            other => {
                text.push('\\');
                text.push(other);
                continue;
            }
        };
        text.push_str(simple);
    }
    text.push_str(rest);
    Ok(text)
}

/// One code point in hexadecimal, or a surrogate pair of two `\u` escapes.
fn code_points(rest: &str, kind: char, digits: usize) -> Option<(char, usize)> {
    let value = u32::from_str_radix(rest.get(..digits)?, 16).ok()?;
    if kind == 'u' && (0xD800..0xDC00).contains(&value) {
        let low = rest.get(digits..)?.strip_prefix("\\u")?.get(..4)?;
        let low = u32::from_str_radix(low, 16)
            .ok()?
            .checked_sub(0xDC00)
            .filter(|l| *l < 0x400)?;
        let code = 0x10000 + ((value - 0xD800) << 10) + low;
        return Some((char::from_u32(code)?, digits + 6));
    }
    Some((char::from_u32(value)?, digits))
}
