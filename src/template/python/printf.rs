//! `'…' % values`: Python's old formatting.

use minijinja::formatting::{FormatStyle, format};
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::iterate::assert_set;
use super::number::Number;
use super::text::{repr_of, str_of};
use super::{failed, is_tuple, type_name};

/// Wider than any line of a manifest.
const MAX_WIDTH: usize = 100_000;

/// One `%…` of a pattern.
#[derive(Debug, Default)]
struct Conversion<'a> {
    key: Option<&'a str>,
    flags: &'a str,
    width: Option<usize>,
    precision: Option<usize>,
    kind: char,
}

/// What fills the conversions.
struct Filling<'a> {
    whole: &'a Value,
    items: Vec<Value>,
    next: usize,
}

impl Filling<'_> {
    fn take(&mut self, key: Option<&str>) -> Result<Value, Error> {
        if let Some(key) = key {
            if self.whole.kind() != ValueKind::Map {
                return Err(failed(
                    "the pattern names values, and there is no mapping of them",
                ));
            }
            let found = self.whole.get_attr(key)?;
            self.next = self.items.len();
            return if found.is_undefined() {
                Err(failed(format!(
                    "the pattern names {key}, which the mapping does not have"
                )))
            } else {
                Ok(found)
            };
        }
        let item = self.items.get(self.next).cloned();
        self.next += 1;
        item.ok_or_else(|| failed("the pattern has more conversions than there are values"))
    }
}

/// Fills a pattern: by a tuple in order, by a mapping by name, by anything else once.
pub(in crate::template) fn printf(
    state: &mut State<'_, '_>,
    pattern: &str,
    whole: &Value,
) -> Result<Value, Error> {
    let items = if is_tuple(whole) {
        whole.try_iter()?.collect()
    } else {
        vec![whole.clone()]
    };
    let mut filling = Filling {
        whole,
        items,
        next: 0,
    };
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let (conversion, after) = conversion(&rest[at + 1..], &mut filling)?;
        rest = after;
        if conversion.kind == '%' {
            out.push('%');
            continue;
        }
        let value = filling.take(conversion.key)?;
        assert_set(state, &value)?;
        out.push_str(&convert(&conversion, &value)?);
    }
    out.push_str(rest);
    // Only a mapping may have more than the pattern takes.
    let is_mapping =
        whole.kind() == ValueKind::Map || whole.kind() == ValueKind::Seq && !is_tuple(whole);
    if filling.next < filling.items.len() && !is_mapping {
        return Err(failed(
            "there are more values than the pattern has conversions",
        ));
    }
    Ok(Value::from(out))
}

fn conversion<'a>(
    text: &'a str,
    filling: &mut Filling<'_>,
) -> Result<(Conversion<'a>, &'a str), Error> {
    let cut = || failed("the pattern ends inside a conversion");
    let mut rest = text;
    let mut found = Conversion::default();
    if let Some(inside) = rest.strip_prefix('(') {
        let end = inside.find(')').ok_or_else(cut)?;
        found.key = Some(&inside[..end]);
        rest = &inside[end + 1..];
    }
    let flags = rest.len() - rest.trim_start_matches(['-', '+', ' ', '#', '0']).len();
    (found.flags, rest) = rest.split_at(flags);
    (found.width, rest) = size(rest, filling)?;
    if let Some(after) = rest.strip_prefix('.') {
        (found.precision, rest) = size(after, filling)?;
        found.precision = found.precision.or(Some(0));
    }
    rest = rest.trim_start_matches(['h', 'l', 'L']);
    found.kind = rest.chars().next().ok_or_else(cut)?;
    let rest = &rest[found.kind.len_utf8()..];
    Ok((found, rest))
}

/// A number, or `*`: the next value.
fn size<'a>(text: &'a str, filling: &mut Filling<'_>) -> Result<(Option<usize>, &'a str), Error> {
    let bounded = |n: usize| {
        if n > MAX_WIDTH {
            Err(failed("the width is too large"))
        } else {
            Ok(Some(n))
        }
    };
    if let Some(rest) = text.strip_prefix('*') {
        let width = filling
            .take(None)?
            .as_usize()
            .ok_or_else(|| failed("* wants an integer"))?;
        return Ok((bounded(width)?, rest));
    }
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits == 0 {
        return Ok((None, text));
    }
    let width = text[..digits].parse().unwrap_or(usize::MAX);
    Ok((bounded(width)?, &text[digits..]))
}

fn convert(conversion: &Conversion<'_>, value: &Value) -> Result<String, Error> {
    let text = match conversion.kind {
        's' => str_of(value),
        'r' => repr_of(value),
        'a' => repr_of(value).chars().map(ascii).collect(),
        'd' | 'i' | 'u' | 'o' | 'x' | 'X' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'c' => {
            return number(conversion, value);
        }
        kind => return Err(failed(format!("there is no conversion %{kind}"))),
    };
    let text: String = match conversion.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text,
    };
    let missing = conversion
        .width
        .unwrap_or(0)
        .saturating_sub(text.chars().count());
    let blanks = " ".repeat(missing);
    Ok(if conversion.flags.contains('-') {
        text + &blanks
    } else {
        blanks + &text
    })
}

fn ascii(character: char) -> String {
    match u32::from(character) {
        0..=0x7f => character.to_string(),
        code @ 0x80..=0xff => format!("\\x{code:02x}"),
        code @ 0x100..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

fn number(conversion: &Conversion<'_>, value: &Value) -> Result<String, Error> {
    let wrong = || {
        failed(format!(
            "%{} does not fit {}",
            conversion.kind,
            type_name(value)
        ))
    };
    let value = match (conversion.kind, Number::of(value)) {
        ('c', _) => value.clone(),
        (_, None) => return Err(wrong()),
        ('d' | 'i' | 'u', Some(Number::Float(float)))
            if float.is_finite() && float.abs() < 1e38 =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
            let whole = float.trunc() as i128;
            Value::from(whole)
        }
        ('o' | 'x' | 'X', Some(Number::Float(_))) => return Err(wrong()),
        ('e' | 'E' | 'f' | 'F' | 'g' | 'G', Some(number)) => Value::from(number.as_float()),
        (_, Some(number)) => Value::from(number),
    };
    let size = |size: Option<usize>| size.map_or_else(String::new, |n| n.to_string());
    let precision = conversion
        .precision
        .map_or_else(String::new, |n| format!(".{n}"));
    let kind = if matches!(conversion.kind, 'i' | 'u') {
        'd'
    } else {
        conversion.kind
    };
    let pattern = format!(
        "%{}{}{precision}{kind}",
        conversion.flags,
        size(conversion.width)
    );
    format(FormatStyle::Printf, &pattern, &[value]).map_err(|_| wrong())
}
