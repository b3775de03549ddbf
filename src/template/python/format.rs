//! `'…'.format(values)`: Python's replacement fields and their specifications.

use minijinja::formatting::{FormatStyle, format as minijinja_format};
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::arguments::split;
use super::iterate::assert_set;
use super::number::Number;
use super::text::{repr_of, str_of};
use super::{failed, type_name};

const MIXED: &str = "the pattern numbers some of its fields and not others";

/// Wider than any line of a manifest.
const MAX_WIDTH: usize = 100_000;

/// What fills the fields.
struct Filling {
    positional: Vec<Value>,
    named: Vec<(Value, Value)>,
    numbering: Numbering,
}

/// How the fields of a pattern are numbered: all of them, or none.
#[derive(Clone, Copy)]
enum Numbering {
    Undecided,
    /// By their order; the next one.
    Automatic(usize),
    ByHand,
}

/// Fills `{}` fields by position and by name.
pub(super) fn format(
    state: &mut State<'_, '_>,
    pattern: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    let (positional, named) = split(arguments);
    let mut filling = Filling {
        positional: positional.to_vec(),
        named: named.into_iter().collect(),
        numbering: Numbering::Undecided,
    };
    filling.fill(state, pattern, 2).map(Value::from)
}

impl Filling {
    fn fill(
        &mut self,
        state: &mut State<'_, '_>,
        pattern: &str,
        depth: usize,
    ) -> Result<String, Error> {
        if depth == 0 {
            return Err(failed("the fields of the pattern nest too deep"));
        }
        let mut out = String::with_capacity(pattern.len());
        let mut rest = pattern;
        while let Some(at) = rest.find(['{', '}']) {
            out.push_str(&rest[..at]);
            let mark = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(mark) {
                out.push_str(mark);
                rest = after;
            } else if mark == "}" {
                return Err(failed("the pattern has a } that closes nothing"));
            } else {
                let end = field_end(rest)?;
                out.push_str(&self.field(state, &rest[..end], depth)?);
                rest = &rest[end + 1..];
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    /// `name!conversion:specification`.
    fn field(
        &mut self,
        state: &mut State<'_, '_>,
        field: &str,
        depth: usize,
    ) -> Result<String, Error> {
        let (head, spec) = match head_end(field) {
            Some(at) if field[at..].starts_with(':') => (&field[..at], &field[at + 1..]),
            Some(at) => match field[at..].split_once(':') {
                Some((conversion, spec)) => (&field[..at + conversion.len()], spec),
                None => (field, ""),
            },
            None => (field, ""),
        };
        let (name, conversion) = match head_end(head) {
            Some(at) => (&head[..at], Some(&head[at + 1..])),
            None => (head, None),
        };
        let value = self.find(name)?;
        assert_set(state, &value)?;
        let spec = self.fill(state, spec, depth - 1).or_else(|error| {
            if spec.contains(['{', '}']) {
                Err(error)
            } else {
                Ok(spec.to_owned())
            }
        })?;
        match conversion {
            None => formatted(&value, &spec),
            Some("s") => text(&str_of(&value), &Spec::parse(&spec)?),
            Some("r" | "a") => text(&repr_of(&value), &Spec::parse(&spec)?),
            Some(_) => Err(failed("a conversion is !s, !r or !a")),
        }
    }

    /// The value of `0`, `name`, or nothing, and of the `.field` and `[key]` that follow.
    fn find(&mut self, name: &str) -> Result<Value, Error> {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut rest) = name.split_at(end);
        let missing = || failed("the pattern has a field that no argument fills");
        let mut value = if first.is_empty() {
            let next = match self.numbering {
                Numbering::Undecided => 0,
                Numbering::Automatic(next) => next,
                Numbering::ByHand => return Err(failed(MIXED)),
            };
            self.numbering = Numbering::Automatic(next + 1);
            self.positional.get(next).cloned().ok_or_else(missing)?
        } else if let Ok(index) = first.parse::<usize>() {
            if matches!(self.numbering, Numbering::Automatic(_)) {
                return Err(failed(MIXED));
            }
            self.numbering = Numbering::ByHand;
            self.positional.get(index).cloned().ok_or_else(missing)?
        } else {
            let found = self.named.iter().find(|(n, _)| n.as_str() == Some(first));
            found.map(|(_, value)| value.clone()).ok_or_else(missing)?
        };
        while !rest.is_empty() {
            let key;
            if let Some(after) = rest.strip_prefix('[') {
                (key, rest) = after
                    .split_once(']')
                    .ok_or_else(|| failed("the pattern has a [ without its ]"))?;
            } else {
                return Err(failed("a field of a pattern reads no attribute"));
            }
            let found = match key.parse::<usize>() {
                Ok(index) => value.get_item(&Value::from(index)),
                Err(_) => value.get_item(&Value::from(key)),
            };
            value = found
                .ok()
                .filter(|v| !v.is_undefined())
                .ok_or_else(missing)?;
        }
        Ok(value)
    }
}

/// Where the `}` of a field stands, fields inside it counted.
fn field_end(text: &str) -> Result<usize, Error> {
    let mut open = 0;
    for (at, character) in text.char_indices() {
        match character {
            '{' => open += 1,
            '}' if open == 0 => return Ok(at),
            '}' => open -= 1,
            _ => {}
        }
    }
    Err(failed("the pattern has a { without its }"))
}

/// Where the `!` or `:` after a name stands; both may stand in a key.
fn head_end(text: &str) -> Option<usize> {
    let mut inside = false;
    text.char_indices().find_map(|(at, character)| {
        match character {
            '[' => inside = true,
            ']' => inside = false,
            '!' | ':' if !inside => return Some(at),
            _ => {}
        }
        None
    })
}

/// `[[fill]align][sign][#][0][width][grouping][.precision][type]`.
#[derive(Debug, Default, Clone, Copy)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    zero: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    fn parse(text: &str) -> Result<Self, Error> {
        let chars: Vec<char> = text.chars().collect();
        let mut spec = Self::default();
        let mut at = 0;
        let is_align = |c: Option<&char>| c.is_some_and(|c| "<>=^".contains(*c));
        if is_align(chars.get(1)) {
            (spec.fill, spec.align, at) = (Some(chars[0]), Some(chars[1]), 2);
        } else if is_align(chars.first()) {
            (spec.align, at) = (Some(chars[0]), 1);
        }
        let mut take = |wanted: &str| {
            let found = chars.get(at).copied().filter(|c| wanted.contains(*c));
            at += usize::from(found.is_some());
            found
        };
        spec.sign = take("+- ");
        spec.alternate = take("#").is_some();
        spec.zero = take("0").is_some();
        let number = |take: &mut dyn FnMut(&str) -> Option<char>| {
            let mut found: Option<usize> = None;
            while let Some(digit) = take("0123456789") {
                let digit = usize::try_from(digit.to_digit(10)?).ok()?;
                let grown = found.unwrap_or(0).saturating_mul(10).saturating_add(digit);
                found = Some(grown);
            }
            found
        };
        spec.width = number(&mut take).unwrap_or(0);
        spec.grouping = take(",_");
        if take(".").is_some() {
            let precision = number(&mut take);
            spec.precision = Some(precision.ok_or_else(|| failed("a precision is missing"))?);
        }
        spec.kind = take("bcdeEfFgGnosxX%");
        if at < chars.len() {
            return Err(failed("this is no format specification"));
        }
        if spec.width > MAX_WIDTH || spec.precision.is_some_and(|p| p > MAX_WIDTH) {
            return Err(failed("the width is too large"));
        }
        Ok(spec)
    }

    fn is_empty(&self) -> bool {
        self.fill.is_none()
            && self.align.is_none()
            && self.sign.is_none()
            && !self.alternate
            && !self.zero
            && self.width == 0
            && self.grouping.is_none()
            && self.precision.is_none()
            && self.kind.is_none()
    }
}

fn formatted(value: &Value, spec: &str) -> Result<String, Error> {
    let spec = Spec::parse(spec)?;
    if spec.is_empty() {
        return Ok(str_of(value));
    }
    match (value.kind(), Number::of(value)) {
        (ValueKind::String, _) => text(&str_of(value), &spec),
        (_, Some(number)) => numeric(number, &spec),
        _ => Err(failed(format!(
            "{} takes no format specification",
            type_name(value)
        ))),
    }
}

fn text(text: &str, spec: &Spec) -> Result<String, Error> {
    let is_plain = spec.sign.is_none() && !spec.alternate && spec.grouping.is_none();
    if !is_plain || spec.align == Some('=') || spec.kind.is_some_and(|k| k != 's') {
        return Err(failed("the format specification does not fit a string"));
    }
    let cut: String = match spec.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    };
    Ok(padded("", &cut, spec, '<'))
}

/// Fills to the width; `sign` stays before what `=` fills in.
fn padded(sign: &str, body: &str, spec: &Spec, default: char) -> String {
    let fill = spec.fill.unwrap_or(if spec.zero { '0' } else { ' ' });
    let missing = spec
        .width
        .saturating_sub(sign.chars().count() + body.chars().count());
    let some = |count: usize| fill.to_string().repeat(count);
    match spec.align.unwrap_or(default) {
        '<' => format!("{sign}{body}{}", some(missing)),
        '^' => format!(
            "{}{sign}{body}{}",
            some(missing / 2),
            some(missing - missing / 2)
        ),
        '=' => format!("{sign}{}{body}", some(missing)),
        _ => format!("{}{sign}{body}", some(missing)),
    }
}

fn numeric(number: Number, spec: &Spec) -> Result<String, Error> {
    let wrong = || failed("the format specification does not fit a number");
    let (negative, prefix, body) = match (number, spec.kind) {
        (_, Some('s')) => return Err(wrong()),
        (Number::Integer(integer), Some('c')) => {
            let code = u32::try_from(integer).ok().and_then(char::from_u32);
            let character = code.ok_or_else(wrong)?;
            return Ok(padded("", &character.to_string(), spec, '<'));
        }
        (Number::Integer(integer), None | Some('b' | 'd' | 'n' | 'o' | 'x' | 'X')) => {
            if spec.precision.is_some() {
                return Err(wrong());
            }
            let size = integer.unsigned_abs();
            let (prefix, digits) = match spec.kind {
                Some('b') => ("0b", format!("{size:b}")),
                Some('o') => ("0o", format!("{size:o}")),
                Some('x') => ("0x", format!("{size:x}")),
                Some('X') => ("0X", format!("{size:X}")),
                _ => ("", size.to_string()),
            };
            (
                integer < 0,
                if spec.alternate { prefix } else { "" },
                digits,
            )
        }
        (Number::Float(_), Some('b' | 'c' | 'd' | 'o' | 'x' | 'X')) => return Err(wrong()),
        (number, _) => {
            let float = number.as_float();
            let negative = float.is_sign_negative() && !float.is_nan();
            (negative, "", float_text(float.abs(), spec)?)
        }
    };
    let sign = match spec.sign {
        _ if negative => "-",
        Some('+') => "+",
        Some(' ') => " ",
        _ => "",
    };
    let sign = format!("{sign}{prefix}");
    let fills_with_zeros = spec.zero && spec.align.is_none();
    let body = match spec.grouping {
        Some(mark) => {
            let every = if matches!(spec.kind, Some('b' | 'o' | 'x' | 'X')) {
                4
            } else {
                3
            };
            if mark == ',' && every == 4 {
                return Err(wrong());
            }
            let width = spec.width.saturating_sub(sign.len());
            grouped(&body, mark, every, if fills_with_zeros { width } else { 0 })
        }
        None => body,
    };
    Ok(padded(
        &sign,
        &body,
        spec,
        if fills_with_zeros { '=' } else { '>' },
    ))
}

/// The text of a float that is not negative.
fn float_text(float: f64, spec: &Spec) -> Result<String, Error> {
    let print = |kind: char, precision: usize, float: f64| {
        let flag = if spec.alternate { "#" } else { "" };
        let pattern = format!("%{flag}.{precision}{kind}");
        minijinja_format(FormatStyle::Printf, &pattern, &[Value::from(float)])
    };
    match (spec.kind, spec.precision) {
        (None, None) => Ok(str_of(&Value::from(float))),
        (None, Some(precision)) => {
            let precision = precision.max(1);
            let short = print('g', precision, float)?;
            let digits = short.chars().filter(char::is_ascii_digit).count();
            if !float.is_finite() || short.contains(['.', 'e']) {
                Ok(short)
            } else if digits >= precision {
                let long = print('e', precision - 1, float)?;
                let (mantissa, exponent) = long.split_once('e').unwrap_or((&long, "+00"));
                let mantissa = match mantissa.contains('.') {
                    true => mantissa.trim_end_matches('0').trim_end_matches('.'),
                    false => mantissa,
                };
                Ok(format!("{mantissa}e{exponent}"))
            } else {
                Ok(short + ".0")
            }
        }
        (Some('%'), precision) => Ok(print('f', precision.unwrap_or(6), float * 100.0)? + "%"),
        (Some('n'), precision) => print('g', precision.unwrap_or(6), float),
        (Some(kind), precision) => print(kind, precision.unwrap_or(6), float),
    }
}

/// Sets a mark between groups of the digits before the point, zeros put before them up to a width.
fn grouped(body: &str, mark: char, every: usize, width: usize) -> String {
    let end = body
        .find(|c: char| !c.is_ascii_hexdigit())
        .unwrap_or(body.len());
    let (mut digits, rest) = (body[..end].to_owned(), &body[end..]);
    loop {
        let mut out = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(every) {
                out.push(mark);
            }
            out.push(digit);
        }
        if out.len() + rest.len() >= width {
            return out + rest;
        }
        digits.insert(0, '0');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: impl Into<Value>, spec: &str) -> String {
        formatted(&value.into(), spec).unwrap_or_else(|_| "(error)".to_owned())
    }

    #[test]
    fn numbers_are_formatted_as_python_does() {
        assert_eq!(of(1_234_567, ","), "1,234,567");
        assert_eq!(of(1234, "010,"), "00,001,234");
        assert_eq!(of(-42, "+06d"), "-00042");
        assert_eq!(of(255, "#x"), "0xff");
        assert_eq!(of(255, "_b"), "1111_1111");
        assert_eq!(of(0.256, ".1%"), "25.6%");
        assert_eq!(of(1.23456, ".2f"), "1.23");
        assert_eq!(of(1234.5, ",.2f"), "1,234.50");
        assert_eq!(of(123.0, ".3"), "1.23e+02");
        assert_eq!(of(3.0, ".3"), "3.0");
        assert_eq!(of(true, "d"), "1");
        assert_eq!(of(3.0, "d"), "(error)");
        assert_eq!(of(3, ".1"), "(error)");
    }

    #[test]
    fn strings_are_padded_and_cut() {
        assert_eq!(of("ab", ">5"), "   ab");
        assert_eq!(of("ab", "*^5"), "*ab**");
        assert_eq!(of("abc", ".2s"), "ab");
        assert_eq!(of("ab", "05"), "ab000");
        assert_eq!(of("ab", "+"), "(error)");
        assert_eq!(of(Value::from(()), "5"), "(error)");
    }
}
