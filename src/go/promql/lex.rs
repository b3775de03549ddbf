//! From text to tokens: `lex.go`.

use super::Fault;

/// A token, and where it starts.
#[derive(Debug, Clone)]
pub(super) struct Token<'t> {
    pub(super) at: usize,
    pub(super) kind: Kind<'t>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    /// A name of a metric or label, or a word of the language.
    Name(&'t str),
    Number,
    Duration,
    /// The text between the quotes.
    Text(&'t str),
    Mark(&'static str),
}

/// Longer ones first.
const MARKS: [&str; 26] = [
    "==", "!=", "=~", "!~", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "%", "^", "(", ")", "{",
    "}", "[", "]", ",", ":", "@", "!", "&",
];

pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Fault> {
    let mut tokens = Vec::new();
    let mut at = 0;
    // A colon starts a name, but separates the parts of a subquery.
    let mut in_brackets = false;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = match first {
            c if c.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            '#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            '"' | '\'' | '`' => quoted(rest, first, at)?,
            c if c.is_ascii_digit()
                || (c == '.' && rest[1..].starts_with(|d: char| d.is_ascii_digit())) =>
            {
                number(rest, at)?
            }
            c if c.is_ascii_alphabetic() || c == '_' || (c == ':' && !in_brackets) => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
                let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                (Kind::Name(&rest[..end]), end)
            }
            _ => match MARKS.iter().find(|mark| rest.starts_with(**mark)) {
                None | Some(&("!" | "&")) => {
                    let phrase = format!("unexpected character {first:?}");
                    return Err(Fault::new(at, phrase));
                }
                Some(mark) => (Kind::Mark(mark), mark.len()),
            },
        };
        match kind {
            Kind::Mark("[") => in_brackets = true,
            Kind::Mark("]") => in_brackets = false,
            _ => {}
        }
        tokens.push(Token { at, kind });
        at += length;
    }
    Ok(tokens)
}

fn quoted(rest: &str, quote: char, at: usize) -> Result<(Kind<'_>, usize), Fault> {
    let mut escaped = false;
    for (index, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            '\n' if quote != '`' => break,
            c if c == quote => return Ok((Kind::Text(&rest[1..index]), index + 1)),
            _ => {}
        }
    }
    Err(Fault::new(at, "a string has no end"))
}

/// A number, or a duration such as `1h30m`.
fn number(rest: &str, at: usize) -> Result<(Kind<'_>, usize), Fault> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
    let mut end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let is_hex = rest.starts_with("0x") || rest.starts_with("0X");
    // The sign of an exponent.
    if !is_hex && rest[..end].ends_with(['e', 'E']) && rest[end..].starts_with(['+', '-']) {
        let digits = &rest[end + 1..];
        end += 1 + digits
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(digits.len());
    }
    let word = &rest[..end];
    if is_duration(word) {
        return Ok((Kind::Duration, end));
    }
    let plain = word.replace('_', "");
    let is_grouped = !word.ends_with('_') && !word.contains("__");
    let is_number = match plain.strip_prefix("0x").or(plain.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).is_ok(),
        None => plain.parse::<f64>().is_ok(),
    };
    if is_grouped && is_number {
        return Ok((Kind::Number, end));
    }
    Err(Fault::new(at, format!("bad number or duration {word:?}")))
}

fn is_duration(word: &str) -> bool {
    const UNITS: [&str; 7] = ["ms", "s", "m", "h", "d", "w", "y"];
    let mut rest = word;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        if digits == 0 {
            return false;
        }
        rest = &rest[digits..];
        let Some(unit) = UNITS.iter().find(|unit| rest.starts_with(**unit)) else {
            return false;
        };
        rest = &rest[unit.len()..];
    }
    true
}
