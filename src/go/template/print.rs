//! How package `fmt` prints values: `%v` and the other verbs of `printf`.

use std::fmt::Write as _;

use super::fault::{Fault, Result};
use super::value::{Value, deeper};
use crate::go::float;

/// The widest field that a format may ask for, as in Go.
const MAX_WIDTH: usize = 1_000_000;

/// What an action prints: `%v`, and `<no value>` for nothing. Fails where the value nests too deeply.
pub fn display(value: &Value) -> Result<String> {
    if value.is_nothing() {
        return Ok("<no value>".to_owned());
    }
    plain(value)
}

/// `%v`: nil prints `<nil>`. Fails where the value nests too deeply.
pub fn plain(value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.as_ref().to_owned()),
        _ => {
            let mut out = String::new();
            write_verb(&mut out, value, &Directive::default(), 0)?;
            Ok(out)
        }
    }
}

/// `Sprint`: a blank between two operands where neither is a string.
pub(super) fn sprint(values: &[Value]) -> Result<String> {
    let mut out = String::new();
    for (index, value) in values.iter().enumerate() {
        let is_string = |v: &Value| matches!(v, Value::String(_));
        if index > 0 && !is_string(value) && !is_string(&values[index - 1]) {
            out.push(' ');
        }
        out.push_str(&plain(value)?);
    }
    Ok(out)
}

/// `Sprintln`.
pub(super) fn sprintln(values: &[Value]) -> Result<String> {
    let texts: Result<Vec<_>> = values.iter().map(plain).collect();
    Ok(texts?.join(" ") + "\n")
}

/// A directive of a format: flags, width, precision and verb.
#[derive(Debug, Clone)]
struct Directive {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
    verb: char,
}

impl Default for Directive {
    fn default() -> Self {
        Self {
            plus: false,
            minus: false,
            sharp: false,
            space: false,
            zero: false,
            width: None,
            precision: None,
            verb: 'v',
        }
    }
}

/// `Sprintf`, its notes on wrong formats included.
pub(super) fn sprintf(format: &str, values: &[Value]) -> Result<String> {
    let mut out = String::new();
    let mut next = 0;
    let mut reordered = false;
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let mut reader = Reader {
            rest: &rest[at + 1..],
            next,
            reordered: false,
            bad_index: false,
        };
        let directive = reader.directive(values)?;
        rest = reader.rest;
        next = reader.next;
        reordered |= reader.reordered;
        let Some(directive) = directive else {
            out.push_str("%!(NOVERB)");
            break;
        };
        match directive.verb {
            '%' => out.push('%'),
            verb if reader.bad_index => {
                let _ = write!(out, "%!{verb}(BADINDEX)");
            }
            verb => match values.get(next) {
                None => {
                    let _ = write!(out, "%!{verb}(MISSING)");
                }
                Some(value) => {
                    write_verb(&mut out, value, &directive, 0)?;
                    next += 1;
                }
            },
        }
    }
    out.push_str(rest.find('%').map_or(rest, |_| ""));
    if !reordered && next < values.len() {
        out.push_str("%!(EXTRA ");
        let extra: Result<Vec<_>> = values[next..]
            .iter()
            .map(|value| match value {
                Value::Missing | Value::Nil => Ok("<nil>".to_owned()),
                other => Ok(format!("{}={}", other.type_name(), plain(other)?)),
            })
            .collect();
        out.push_str(&extra?.join(", "));
        out.push(')');
    }
    Ok(out)
}

/// Reads one directive.
struct Reader<'f> {
    rest: &'f str,
    next: usize,
    reordered: bool,
    bad_index: bool,
}

impl Reader<'_> {
    fn directive(&mut self, values: &[Value]) -> Result<Option<Directive>> {
        let mut directive = Directive::default();
        self.flags(&mut directive);
        self.index(values);
        directive.width = self.size(values, &mut directive.minus)?;
        if let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest;
            self.index(values);
            let mut negative = false;
            let precision = self.size(values, &mut negative)?;
            directive.precision = (!negative).then(|| precision.unwrap_or(0));
        }
        self.index(values);
        let Some(verb) = self.rest.chars().next() else {
            return Ok(None);
        };
        self.rest = &self.rest[verb.len_utf8()..];
        directive.verb = verb;
        if directive.minus {
            directive.zero = false;
        }
        Ok(Some(directive))
    }

    fn flags(&mut self, directive: &mut Directive) {
        loop {
            match self.rest.as_bytes().first() {
                Some(b'+') => directive.plus = true,
                Some(b'-') => directive.minus = true,
                Some(b'#') => directive.sharp = true,
                Some(b' ') => directive.space = true,
                Some(b'0') => directive.zero = true,
                _ => return,
            }
            self.rest = &self.rest[1..];
        }
    }

    /// `[n]`: the next operand is the n-th.
    fn index(&mut self, values: &[Value]) {
        let Some(inner) = self.rest.strip_prefix('[') else {
            return;
        };
        self.reordered = true;
        let Some(end) = inner.find(']') else {
            self.bad_index = true;
            return;
        };
        match inner[..end].parse::<usize>() {
            Ok(n) if n > 0 && n <= values.len() => self.next = n - 1,
            _ => self.bad_index = true,
        }
        self.rest = &inner[end + 1..];
    }

    fn size(&mut self, values: &[Value], minus: &mut bool) -> Result<Option<usize>> {
        if let Some(rest) = self.rest.strip_prefix('*') {
            self.rest = rest;
            let value = values.get(self.next);
            self.next += 1;
            let Some(Value::Int(size, _)) = value else {
                return Ok(None);
            };
            *minus |= *size < 0;
            return bounded(usize::try_from(size.unsigned_abs()).unwrap_or(usize::MAX));
        }
        let digits = self.rest.len()
            - self
                .rest
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .len();
        if digits == 0 {
            return Ok(None);
        }
        let size = self.rest[..digits].parse().unwrap_or(usize::MAX);
        self.rest = &self.rest[digits..];
        bounded(size)
    }
}

fn bounded(size: usize) -> Result<Option<usize>> {
    if size > MAX_WIDTH {
        return Err(Fault::new("a format asks for too wide a field"));
    }
    Ok(Some(size))
}

fn write_verb(out: &mut String, value: &Value, directive: &Directive, depth: u32) -> Result<()> {
    match (directive.verb, value) {
        ('T', value) => pad(out, value.type_name(), directive),
        (_, Value::List(list)) => {
            let depth = deeper(depth)?;
            out.push('[');
            for (index, item) in list.items().iter().enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                write_verb(out, item, directive, depth)?;
            }
            out.push(']');
        }
        (_, Value::Map(map)) => {
            let depth = deeper(depth)?;
            out.push_str("map[");
            for (index, (key, item)) in map.entries().iter().enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                write_verb(out, &Value::String(key.clone()), directive, depth)?;
                out.push(':');
                write_verb(out, item, directive, depth)?;
            }
            out.push(']');
        }
        ('v', Value::Missing | Value::Nil) => pad(out, "<nil>", directive),
        (verb, Value::Missing | Value::Nil) => {
            let _ = write!(out, "%!{verb}(<nil>)");
        }
        ('v' | 't', Value::Bool(value)) => {
            pad(out, if *value { "true" } else { "false" }, directive);
        }
        (_, Value::Int(int, _)) => write_int(out, *int, value, directive)?,
        (_, Value::Float(float)) => write_float(out, *float, value, directive)?,
        (_, Value::String(text)) => write_string(out, text, value, directive)?,
        ('v' | 's', Value::Object(object)) => pad(out, &object.print(), directive),
        ('q', Value::Object(object)) => pad(out, &quote(&object.print()), directive),
        _ => bad_verb(out, value, directive)?,
    }
    Ok(())
}

fn bad_verb(out: &mut String, value: &Value, directive: &Directive) -> Result<()> {
    let text = plain(value)?;
    let _ = write!(out, "%!{}({}={text})", directive.verb, value.type_name());
    Ok(())
}

fn pad(out: &mut String, text: &str, directive: &Directive) {
    let missing = (directive.width.unwrap_or(0)).saturating_sub(text.chars().count());
    let blank = if directive.zero && !directive.minus {
        "0"
    } else {
        " "
    };
    if directive.minus {
        out.push_str(text);
        out.push_str(&" ".repeat(missing));
    } else {
        out.push_str(&blank.repeat(missing));
        out.push_str(text);
    }
}

/// Pads a number; zeros come between the sign and the digits.
fn pad_number(out: &mut String, sign: &str, digits: &str, directive: &Directive) {
    let length = sign.len() + digits.chars().count();
    let missing = directive.width.unwrap_or(0).saturating_sub(length);
    if directive.zero && !directive.minus {
        out.push_str(sign);
        out.push_str(&"0".repeat(missing));
        out.push_str(digits);
        return;
    }
    let plain = Directive {
        zero: false,
        ..directive.clone()
    };
    pad(out, &format!("{sign}{digits}"), &plain);
}

fn sign(negative: bool, directive: &Directive) -> &'static str {
    match (negative, directive.plus, directive.space) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    }
}

fn write_int(out: &mut String, int: i64, value: &Value, directive: &Directive) -> Result<()> {
    let magnitude = int.unsigned_abs();
    let (prefix, mut digits) = match directive.verb {
        'v' | 'd' => ("", magnitude.to_string()),
        'b' => (
            if directive.sharp { "0b" } else { "" },
            format!("{magnitude:b}"),
        ),
        'o' => (
            if directive.sharp { "0" } else { "" },
            format!("{magnitude:o}"),
        ),
        'O' => ("0o", format!("{magnitude:o}")),
        'x' => (
            if directive.sharp { "0x" } else { "" },
            format!("{magnitude:x}"),
        ),
        'X' => (
            if directive.sharp { "0X" } else { "" },
            format!("{magnitude:X}"),
        ),
        'c' => {
            pad(out, &character(int).to_string(), directive);
            return Ok(());
        }
        'q' => {
            pad(
                out,
                &quote_with(&character(int).to_string(), '\''),
                directive,
            );
            return Ok(());
        }
        'U' => {
            pad(out, &format!("U+{magnitude:04X}"), directive);
            return Ok(());
        }
        _ => return bad_verb(out, value, directive),
    };
    let mut directive = directive.clone();
    if let Some(precision) = directive.precision {
        directive.zero = false;
        if precision == 0 && int == 0 {
            digits.clear();
        }
        digits = "0".repeat(precision.saturating_sub(digits.len())) + &digits;
    }
    let sign = sign(int < 0, &directive);
    pad_number(out, &format!("{sign}{prefix}"), &digits, &directive);
    Ok(())
}

fn character(code: i64) -> char {
    (u32::try_from(code).ok())
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn write_float(out: &mut String, number: f64, value: &Value, directive: &Directive) -> Result<()> {
    let magnitude = number.abs();
    let digits = match directive.verb {
        _ if !number.is_finite() => {
            let text = if number.is_nan() { "NaN" } else { "Inf" };
            let mut plain = directive.clone();
            plain.zero = false;
            plain.plus |= number.is_infinite();
            let sign = sign(number < 0.0, &plain);
            pad_number(out, sign, text, &plain);
            return Ok(());
        }
        'v' | 'g' | 'G' => general(magnitude, directive.precision),
        'f' | 'F' => match directive.precision {
            Some(precision) => format!("{magnitude:.precision$}"),
            None => format!("{magnitude:.6}"),
        },
        'e' | 'E' => exponent(magnitude, directive.precision.unwrap_or(6)),
        _ => return bad_verb(out, value, directive),
    };
    let digits = match directive.verb {
        'G' | 'E' => digits.to_uppercase(),
        _ => digits,
    };
    pad_number(
        out,
        sign(number.is_sign_negative(), directive),
        &digits,
        directive,
    );
    Ok(())
}

/// `%g`: the shortest digits, or at most `precision` of them.
fn general(magnitude: f64, precision: Option<usize>) -> String {
    let Some(precision) = precision else {
        let mut out = Vec::new();
        float::write_general(&mut out, magnitude);
        return String::from_utf8_lossy(&out).into_owned();
    };
    let precision = precision.max(1);
    let scientific = format!("{magnitude:.*e}", precision - 1);
    let power: i32 = (scientific.split_once('e').and_then(|(_, e)| e.parse().ok())).unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if power < -4 || i64::from(power) >= i64::try_from(precision).unwrap_or(i64::MAX) {
        let text = exponent(magnitude, precision - 1);
        let (digits, rest) = text.split_once('e').unwrap_or((&text, "+00"));
        return format!("{}e{rest}", trim(digits));
    }
    let places = i64::try_from(precision).unwrap_or(0) - 1 - i64::from(power);
    trim(&format!(
        "{magnitude:.*}",
        usize::try_from(places).unwrap_or(0)
    ))
}

/// `%e`: an exponent with a sign and at least two digits.
fn exponent(magnitude: f64, precision: usize) -> String {
    let text = format!("{magnitude:.precision$e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", power.abs())
}

fn write_string(out: &mut String, text: &str, value: &Value, directive: &Directive) -> Result<()> {
    let cut: String = match directive.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    };
    match directive.verb {
        'v' if directive.sharp => pad(out, &quote(text), directive),
        'v' | 's' => pad(out, &cut, directive),
        'q' if directive.sharp && !cut.contains('`') => pad(out, &format!("`{cut}`"), directive),
        'q' => pad(out, &quote(&cut), directive),
        'x' => pad(out, &hexadecimal(text, false), directive),
        'X' => pad(out, &hexadecimal(text, true), directive),
        _ => return bad_verb(out, value, directive),
    }
    Ok(())
}

fn hexadecimal(text: &str, upper: bool) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        let _ = match upper {
            true => write!(out, "{byte:02X}"),
            false => write!(out, "{byte:02x}"),
        };
    }
    out
}

/// `%q` of a string.
pub(super) fn quote(text: &str) -> String {
    quote_with(text, '"')
}

fn quote_with(text: &str, mark: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(mark);
    for c in text.chars() {
        match c {
            c if c == mark || c == '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if is_printable(c) => out.push(c),
            c if u32::from(c) < 0x80 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if u32::from(c) < 0x1_0000 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push(mark);
    out
}

/// Whether Go prints a character as it is: letters, marks, numbers, punctuation, symbols and the blank.
pub(super) fn is_printable(c: char) -> bool {
    c == ' '
        || c == '"'
        || c == '\''
        || (!c.is_whitespace() && c.escape_debug().count() == 1)
        || (c.is_alphanumeric() && !c.is_control())
}
