//! Go's regular expressions (RE2 syntax) on the `regex` crate.
//!
//! Both are of one family and linear in time, but not every text means the same to both. The pattern is read
//! by Go's grammar and written anew: classes such as `\d` and `\b` are ASCII, `[a&&b]` is three characters,
//! `{` without a count is itself, `\Q…\E` quotes, `x**` and counts above 1000 are mistakes.

use std::fmt::{self, Write as _};

use regex::{Regex, RegexBuilder};

/// The largest pattern that is compiled; RE2 patterns in manifests have a few hundred bytes.
const MAX_PATTERN_BYTES: usize = 64 << 10;

/// How deep groups may nest in Go.
const MAX_DEPTH: u32 = 1000;

/// The largest count of a repetition in Go, those of nested ones multiplied.
const MAX_REPEAT: u32 = 1000;

/// Compiles a pattern that may match anywhere in a text.
///
/// Groups lose their names: the result is for matching.
pub fn compile(pattern: &str) -> Result<Regex, Error> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(Error::new("it is too long", ""));
    }
    let mut parser = Parser::new(pattern);
    parser.alternatives(0)?;
    if !parser.rest.is_empty() {
        return Err(Error::new(
            "a closing parenthesis has no opening one",
            pattern,
        ));
    }
    RegexBuilder::new(&parser.out)
        .nest_limit(4 * MAX_DEPTH)
        .build()
        .map_err(|_| Error::new("it is too large, or names an unknown class", pattern))
}

/// Compiles a pattern that must match a whole text, as kustomize does: `^(?:pattern)$`.
pub fn compile_anchored(pattern: &str) -> Result<Regex, Error> {
    compile(&format!("^(?:{pattern})$"))
}

/// Whether a pattern means just its own text.
pub fn is_literal(pattern: &str) -> bool {
    !pattern.contains([
        '\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$',
    ])
}

/// What every text that a pattern fits as a whole starts with; empty where that is not plain to see.
pub fn literal_start(pattern: &str) -> &str {
    if pattern.contains('|') {
        return "";
    }
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | ':');
    let end = pattern.find(|c| !is_plain(c)).unwrap_or(pattern.len());
    // What is repeated may be there no time at all.
    match pattern.as_bytes().get(end) {
        Some(b'*' | b'?' | b'{') => &pattern[..end.saturating_sub(1)],
        _ => &pattern[..end],
    }
}

/// Why a text is no regular expression for Go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    what: &'static str,
    part: String,
}

impl Error {
    fn new(what: &'static str, part: &str) -> Self {
        let part = part.to_owned();
        Self { what, part }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        if self.part.is_empty() {
            return Ok(());
        }
        write!(f, ": `{}`", self.part)
    }
}

impl std::error::Error for Error {}

type ParseResult<T> = Result<T, Error>;

/// Reads Go's grammar from `rest` and writes the same meaning to `out`.
struct Parser<'p> {
    rest: &'p str,
    out: String,
    names: Vec<&'p str>,
}

/// A count: `{low,high}`, `high` being `None` for no limit.
struct Count {
    low: u32,
    high: Option<u32>,
}

impl<'p> Parser<'p> {
    fn new(pattern: &'p str) -> Self {
        Self {
            rest: pattern,
            out: String::with_capacity(pattern.len() + 16),
            names: Vec::new(),
        }
    }

    fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// Reads up to the end or a closing parenthesis. Returns the largest product of nested counts.
    fn alternatives(&mut self, depth: u32) -> ParseResult<u32> {
        if depth > MAX_DEPTH {
            return Err(Error::new("it nests too deeply", ""));
        }
        let mut weight = 1;
        loop {
            match self.rest.chars().next() {
                None | Some(')') => return Ok(weight),
                Some('|') => {
                    self.take("|");
                    self.out.push('|');
                }
                Some('*' | '+' | '?') => {
                    return Err(Error::new("a repetition has nothing to repeat", self.rest));
                }
                Some('{') if count(self.rest).is_some() => {
                    return Err(Error::new("a repetition has nothing to repeat", self.rest));
                }
                Some(_) => weight = weight.max(self.repeated(depth)?),
            }
        }
    }

    /// Reads one item and the repetition after it.
    fn repeated(&mut self, depth: u32) -> ParseResult<u32> {
        let start = self.out.len();
        let Some(weight) = self.item(depth)? else {
            return Ok(1);
        };
        let before = self.rest;
        let Some((count, rest)) = repetition(self.rest) else {
            return Ok(weight);
        };
        self.rest = rest;
        let lazy = self.take("?");
        let operator = &before[..before.len() - rest.len()];
        let weight = counted(weight, &count, operator)?;
        if repetition(self.rest).is_some() {
            return Err(Error::new("repetitions cannot be stacked", before));
        }
        // What was written as one item is one item to the crate as well.
        self.out.insert_str(start, "(?:");
        self.out.push(')');
        write_count(&mut self.out, &count);
        if lazy {
            self.out.push('?');
        }
        Ok(weight)
    }

    /// Reads a character, class, assertion or group. `None` for what cannot be repeated: a change of flags.
    fn item(&mut self, depth: u32) -> ParseResult<Option<u32>> {
        let before = self.rest;
        match self.next() {
            Some('(') => return self.group(depth, before),
            Some('[') => self.class(before)?,
            Some('.') => self.out.push('.'),
            Some('^') => self.out.push('^'),
            Some('$') => self.out.push('$'),
            Some('\\') => return self.escape(before),
            Some(c) => self.literal(c),
            None => {}
        }
        Ok(Some(1))
    }

    fn literal(&mut self, c: char) {
        if c.is_ascii_alphanumeric() {
            self.out.push(c);
        } else {
            let _ = write!(self.out, "\\x{{{:X}}}", u32::from(c));
        }
    }

    fn group(&mut self, depth: u32, before: &'p str) -> ParseResult<Option<u32>> {
        if self.take("?P<") || self.take("?<") {
            self.name(before)?;
            self.out.push('(');
        } else if self.take("?") {
            if !self.flags(before)? {
                return Ok(None);
            }
        } else {
            self.out.push('(');
        }
        let weight = self.alternatives(depth + 1)?;
        if !self.take(")") {
            return Err(Error::new("a parenthesis is not closed", before));
        }
        self.out.push(')');
        Ok(Some(weight))
    }

    fn name(&mut self, before: &str) -> ParseResult<()> {
        let end = self.rest.find('>').unwrap_or(0);
        let name = &self.rest[..end];
        let fits = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !fits || self.names.contains(&name) {
            return Err(Error::new(
                "a group has a name that is malformed or taken",
                before,
            ));
        }
        self.names.push(name);
        self.rest = &self.rest[end + 1..];
        Ok(())
    }

    /// Reads `(?flags)` or `(?flags:`; true when a group was opened.
    fn flags(&mut self, before: &str) -> ParseResult<bool> {
        let wrong = || Err(Error::new("unknown flags of a group", before));
        let (mut on, mut off, mut is_negated) = (String::new(), String::new(), false);
        loop {
            match self.next() {
                Some(flag @ ('i' | 'm' | 's' | 'U')) => {
                    let (set, other) = if is_negated {
                        (&mut off, &mut on)
                    } else {
                        (&mut on, &mut off)
                    };
                    other.retain(|f| f != flag);
                    if !set.contains(flag) {
                        set.push(flag);
                    }
                }
                Some('-') if !is_negated && !self.rest.starts_with([':', ')']) => is_negated = true,
                Some(end @ (':' | ')')) => {
                    let is_group = end == ':';
                    if on.is_empty() && off.is_empty() {
                        self.out.push_str(if is_group { "(?:" } else { "" });
                        return Ok(is_group);
                    }
                    let minus = if off.is_empty() { "" } else { "-" };
                    let _ = write!(self.out, "(?{on}{minus}{off}{end}");
                    return Ok(is_group);
                }
                _ => return wrong(),
            }
        }
    }

    /// Reads what follows a `\` outside of brackets.
    fn escape(&mut self, before: &'p str) -> ParseResult<Option<u32>> {
        if self.take("Q") {
            let (quoted, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
            let Some(last) = quoted.chars().next_back() else {
                self.rest = rest;
                return Ok(None);
            };
            // A repetition after the quotation is one of its last character.
            let first = &quoted[..quoted.len() - last.len_utf8()];
            first.chars().for_each(|c| self.literal(c));
            self.rest = rest;
            self.quoted_last(last)?;
            return Ok(None);
        }
        let mut escapes = self.rest.chars();
        match escapes.next() {
            Some('A') => self.out.push_str("\\A"),
            Some('z') => self.out.push_str("\\z"),
            Some('b') => self.out.push_str("(?-u:\\b)"),
            Some('B') => self.out.push_str("(?-u:\\B)"),
            _ => {
                let class = self.class_escape(before)?;
                match class {
                    Some(class) => {
                        let _ = write!(self.out, "[{class}]");
                    }
                    None => {
                        let c = self.escaped_char(before)?;
                        self.literal(c);
                    }
                }
                return Ok(Some(1));
            }
        }
        self.rest = escapes.as_str();
        Ok(Some(1))
    }

    fn quoted_last(&mut self, last: char) -> ParseResult<()> {
        let before = self.rest;
        let Some((count, rest)) = repetition(self.rest) else {
            self.literal(last);
            return Ok(());
        };
        self.rest = rest;
        counted(1, &count, before)?;
        let lazy = self.take("?");
        if repetition(self.rest).is_some() {
            return Err(Error::new("repetitions cannot be stacked", before));
        }
        self.literal(last);
        write_count(&mut self.out, &count);
        if lazy {
            self.out.push('?');
        }
        Ok(())
    }

    /// Reads `d`, `pL`, `p{Greek}` and their like after a `\`, as the inside of brackets.
    fn class_escape(&mut self, before: &str) -> ParseResult<Option<String>> {
        let mut chars = self.rest.chars();
        let Some(letter) = chars.next() else {
            return Err(Error::new("a backslash stands at the end", before));
        };
        let class = match letter {
            'd' => "0-9",
            'D' => "[^0-9]",
            's' => "\\t\\n\\x0C\\r ",
            'S' => "[^\\t\\n\\x0C\\r ]",
            'w' => "0-9A-Za-z_",
            'W' => "[^0-9A-Za-z_]",
            'p' | 'P' => {
                self.rest = chars.as_str();
                return self.unicode_class(letter == 'P', before).map(Some);
            }
            _ => return Ok(None),
        };
        self.rest = chars.as_str();
        Ok(Some(class.to_owned()))
    }

    fn unicode_class(&mut self, is_negated: bool, before: &str) -> ParseResult<String> {
        let wrong = || Error::new("an unknown class of characters", before);
        let name = if self.take("{") {
            let (name, rest) = self.rest.split_once('}').ok_or_else(wrong)?;
            self.rest = rest;
            name.to_owned()
        } else {
            self.next().ok_or_else(wrong)?.to_string()
        };
        let (is_negated, name) = match name.strip_prefix('^') {
            Some(name) => (!is_negated, name),
            None => (is_negated, name.as_str()),
        };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphabetic() || c == '_') {
            return Err(wrong());
        }
        Ok(format!(
            "\\{}{{{name}}}",
            if is_negated { 'P' } else { 'p' }
        ))
    }

    /// Reads the character that an escape stands for.
    fn escaped_char(&mut self, before: &str) -> ParseResult<char> {
        let wrong = || Error::new("an unknown escape", before);
        let c = self.next().ok_or_else(wrong)?;
        let named = match c {
            'a' => '\x07',
            'f' => '\x0C',
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'v' => '\x0B',
            'x' => return self.hexadecimal().ok_or_else(wrong),
            '0' => return self.octal(0).ok_or_else(wrong),
            '1'..='7' if self.rest.starts_with(|n: char| ('0'..='7').contains(&n)) => {
                return self.octal(c.to_digit(8).unwrap_or(0)).ok_or_else(wrong);
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
            _ => return Err(wrong()),
        };
        Ok(named)
    }

    fn hexadecimal(&mut self) -> Option<char> {
        let digits = if self.take("{") {
            let (digits, rest) = self.rest.split_once('}')?;
            self.rest = rest;
            digits
        } else {
            let digits = self.rest.get(..2)?;
            self.rest = &self.rest[2..];
            digits
        };
        if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        char::from_u32(u32::from_str_radix(digits, 16).ok()?)
    }

    fn octal(&mut self, first: u32) -> Option<char> {
        let mut value = first;
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else {
                break;
            };
            value = value * 8 + digit;
            self.rest = &self.rest[1..];
        }
        char::from_u32(value)
    }

    /// Reads a class in brackets, the opening one read already.
    fn class(&mut self, before: &str) -> ParseResult<()> {
        let not_closed = || Error::new("a bracket is not closed", before);
        self.out.push('[');
        if self.take("^") {
            self.out.push('^');
        }
        let mut is_first = true;
        while is_first || !self.rest.starts_with(']') {
            is_first = false;
            if self.rest.starts_with("[:") && self.named_class(before)? {
                continue;
            }
            if let Some(rest) = self.rest.strip_prefix('\\') {
                let here = std::mem::replace(&mut self.rest, rest);
                if let Some(class) = self.class_escape(before)? {
                    self.out.push_str(&class);
                    continue;
                }
                self.rest = here;
            }
            let low = self.class_char(before)?.ok_or_else(not_closed)?;
            let mut high = low;
            if self.rest.starts_with('-') && !self.rest.starts_with("-]") && self.rest.len() > 1 {
                self.take("-");
                high = self.class_char(before)?.ok_or_else(not_closed)?;
                if high < low {
                    return Err(Error::new(
                        "a range of characters is the wrong way round",
                        before,
                    ));
                }
            }
            let _ = write!(
                self.out,
                "\\x{{{:X}}}-\\x{{{:X}}}",
                u32::from(low),
                u32::from(high)
            );
        }
        self.take("]");
        self.out.push(']');
        Ok(())
    }

    fn class_char(&mut self, before: &str) -> ParseResult<Option<char>> {
        match self.next() {
            Some('\\') => self.escaped_char(before).map(Some),
            other => Ok(other),
        }
    }

    /// Reads `[:alpha:]` inside brackets; false when it is no such thing.
    fn named_class(&mut self, before: &str) -> ParseResult<bool> {
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print",
            "punct", "space", "upper", "word", "xdigit",
        ];
        let Some((name, rest)) = self.rest[2..].split_once(":]") else {
            return Ok(false);
        };
        if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(Error::new("an unknown class of characters", before));
        }
        let _ = write!(self.out, "[:{name}:]");
        self.rest = rest;
        Ok(true)
    }
}

/// The repetition that a text starts with, and what follows it.
fn repetition(text: &str) -> Option<(Count, &str)> {
    let simple = |low, high| Some((Count { low, high }, &text[1..]));
    match text.chars().next()? {
        '*' => simple(0, None),
        '+' => simple(1, None),
        '?' => simple(0, Some(1)),
        '{' => count(text),
        _ => None,
    }
}

/// Reads `{n}`, `{n,}` or `{n,m}`; any other brace stands for itself.
fn count(text: &str) -> Option<(Count, &str)> {
    let (inside, rest) = text.strip_prefix('{')?.split_once('}')?;
    let (low, high) = match inside.split_once(',') {
        None => (number(inside)?, Some(number(inside)?)),
        Some((low, "")) => (number(low)?, None),
        Some((low, high)) => (number(low)?, Some(number(high)?)),
    };
    Some((Count { low, high }, rest))
}

/// A number without a leading zero; one that is too large for Go is one above its limit.
fn number(digits: &str) -> Option<u32> {
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some(digits.parse().unwrap_or(u32::MAX).min(MAX_REPEAT + 1))
}

/// The product of nested counts once `count` is laid around an item of weight `weight`.
fn counted(weight: u32, count: &Count, operator: &str) -> ParseResult<u32> {
    let high = count.high.unwrap_or(count.low);
    if high < count.low || count.low > MAX_REPEAT || high > MAX_REPEAT {
        return Err(Error::new("the count of a repetition is invalid", operator));
    }
    if count.high == Some(0) {
        return Ok(0);
    }
    let product = weight.saturating_mul(high.max(1));
    if product > MAX_REPEAT {
        return Err(Error::new(
            "the counts of nested repetitions are too large",
            operator,
        ));
    }
    Ok(product)
}

fn write_count(out: &mut String, count: &Count) {
    match (count.low, count.high) {
        (0, None) => out.push('*'),
        (1, None) => out.push('+'),
        (0, Some(1)) => out.push('?'),
        (low, None) => {
            let _ = write!(out, "{{{low},}}");
        }
        (low, Some(high)) => {
            let _ = write!(out, "{{{low},{high}}}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{compile, compile_anchored};

    #[test]
    fn means_what_it_means_in_go() {
        let cases = [
            ("[[]", "[", true),
            ("^[[:alpha:]]+$", "abc", true),
            ("^[a&&b]+$", "a&b", true),
            ("^[+--]$", ",", true),
            (r"^\Qa.b\E$", "a.b", true),
            (r"^\Qa.b\E$", "axb", false),
            (r"^\Qab\E+$", "abbb", true),
            ("^a{,3}$", "a{,3}", true),
            ("^{$", "{", true),
            ("^a{x$", "a{x", true),
            (r"^\<a$", "<a", true),
            (r"^\d$", "٣", false),
            (r"^\w$", "é", false),
            (r"^\W$", "é", true),
            (r"^[\d-z]+$", "4-z", true),
            (r"^[^\s]$", "x", true),
            (r"\bfoo\b", "a foo b", true),
            (r"^a\Bb$", "ab", true),
            (r"^\x41\x{42}\103$", "ABC", true),
            ("(?i)^Ab$", "aB", true),
            ("(?i:a)b", "Ab", true),
            ("(?i-s)a", "A", true),
            ("(?)a", "a", true),
            ("(?P<1a>x)", "x", true),
            ("^(a|)$", "", true),
            ("a{2}", "aa", true),
            ("^[]a]+$", "]a", true),
            ("^.$", "é", true),
            (r"^\pL$", "é", true),
            (r"^[^\pL]$", "1", true),
            (r"^a\_b$", "a_b", true),
            ("x", "axb", true),
        ];
        for (pattern, text, wanted) in cases {
            let regex = compile(pattern).unwrap_or_else(|e| panic!("{pattern}: {e}"));
            assert_eq!(regex.is_match(text), wanted, "{pattern} on {text}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        let cases = [
            "x**",
            "x+*",
            "a{2}{3}",
            "a{1001}",
            "(a{100}){11}",
            "*",
            "(",
            ")",
            "[",
            "[z-a]",
            "a|*",
            r"\8",
            r"\1",
            r"\Z",
            r"\C",
            r"\E",
            r"\q",
            "\\",
            "(?x)a",
            "(?i-)a",
            "(?P<a>x)(?P<a>y)",
            "(?=a)",
            "[[:foo:]]",
            "a{3,2}",
        ];
        for pattern in cases {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn anchors_are_around_the_whole() {
        let regex = compile_anchored("a|b").expect("a pattern");
        assert!(regex.is_match("b"));
        assert!(!regex.is_match("ab"));
    }

    #[test]
    fn deep_and_long_patterns_are_refused() {
        assert!(compile(&"(".repeat(5000)).is_err());
        assert!(compile(&"a".repeat(100_000)).is_err());
        let deep = format!("{}a{}", "(".repeat(300), ")".repeat(300));
        assert!(compile(&deep).is_ok());
    }
}
