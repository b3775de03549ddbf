//! How values print: Python's `str` and `repr`.

use std::fmt::{self, Write};

use minijinja::Value;
use minijinja::value::ValueKind;

/// Writes what `str(value)` gives.
pub(in crate::template) fn write_str(out: &mut dyn Write, value: &Value) -> fmt::Result {
    match value.kind() {
        ValueKind::Undefined => Ok(()),
        ValueKind::String => out.write_str(value.as_str().unwrap_or_default()),
        _ => write_repr(out, value),
    }
}

/// What `str(value)` gives.
pub(in crate::template) fn str_of(value: &Value) -> String {
    if let Some(text) = value.as_str().filter(|_| value.kind() == ValueKind::String) {
        return text.to_owned();
    }
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_str(&mut out, value);
    out
}

/// What `repr(value)` gives.
pub(in crate::template) fn repr_of(value: &Value) -> String {
    let mut out = String::new();
    let _ = write_repr(&mut out, value);
    out
}

/// Deeper values print as `[...]`, as those do that hold themselves.
const MAX_DEPTH: usize = 200;

/// Longer texts of values stop there; no output may be as long.
const MAX_BYTES: usize = 64 << 20;

/// Text that ends at a limit.
struct Bounded<'a> {
    out: &'a mut dyn Write,
    left: usize,
    depth: usize,
}

impl Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.left = self.left.checked_sub(text.len()).ok_or(fmt::Error)?;
        self.out.write_str(text)
    }
}

/// Writes what `repr(value)` gives.
pub(in crate::template) fn write_repr(out: &mut dyn Write, value: &Value) -> fmt::Result {
    let mut bounded = Bounded {
        out,
        left: MAX_BYTES,
        depth: 0,
    };
    repr(&mut bounded, value)
}

fn repr(out: &mut Bounded<'_>, value: &Value) -> fmt::Result {
    if out.depth > MAX_DEPTH && matches!(value.kind(), ValueKind::Seq | ValueKind::Map) {
        return out.write_str("[...]");
    }
    out.depth += 1;
    let written = repr_now(out, value);
    out.depth -= 1;
    written
}

fn repr_now(out: &mut Bounded<'_>, value: &Value) -> fmt::Result {
    match value.kind() {
        ValueKind::Undefined => out.write_str("Undefined"),
        ValueKind::String if value.is_safe() => {
            out.write_str("Markup(")?;
            quoted(out, value.as_str().unwrap_or_default())?;
            out.write_str(")")
        }
        ValueKind::String => quoted(out, value.as_str().unwrap_or_default()),
        ValueKind::Bytes => quoted_bytes(out, value.as_bytes().unwrap_or_default()),
        ValueKind::Number if !value.is_integer() => {
            out.write_str(&float(f64::try_from(value.clone()).unwrap_or(f64::NAN)))
        }
        ValueKind::Seq if super::is_tuple(value) => {
            let items: Vec<Value> = value.try_iter().into_iter().flatten().collect();
            list(out, "(", &items, if items.len() == 1 { ",)" } else { ")" })
        }
        ValueKind::Seq if super::iterate::is_plain_sequence(value) => {
            let items: Vec<Value> = value.try_iter().into_iter().flatten().collect();
            list(out, "[", &items, "]")
        }
        ValueKind::Map if super::iterate::is_plain_map(value) => mapping(out, value),
        ValueKind::Map if super::iterate::is_namespace(value) => {
            out.write_str("<Namespace ")?;
            mapping(out, value)?;
            out.write_str(">")
        }
        _ => object(out, &value.to_string()),
    }
}

/// Writes an object of the engine as Jinja2 prints it: macros by name, loops by their turn.
fn object(out: &mut Bounded<'_>, text: &str) -> fmt::Result {
    let inside = |kind: &str| text.strip_prefix(kind)?.strip_suffix('>');
    if let Some(name) = inside("<macro ") {
        return write!(out, "<Macro '{name}'>");
    }
    if let Some((turn, count)) = inside("<loop ").and_then(|turns| turns.split_once('/'))
        && let Ok(turn) = turn.parse::<usize>()
    {
        return write!(out, "<LoopContext {}/{count}>", turn + 1);
    }
    out.write_str(text)
}

/// Writes items between brackets.
pub(super) fn sequence(
    out: &mut dyn Write,
    open: &str,
    items: &[Value],
    close: &str,
) -> fmt::Result {
    let mut bounded = Bounded {
        out,
        left: MAX_BYTES,
        depth: 0,
    };
    list(&mut bounded, open, items, close)
}

fn list(out: &mut Bounded<'_>, open: &str, items: &[Value], close: &str) -> fmt::Result {
    out.write_str(open)?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        repr(out, item)?;
    }
    out.write_str(close)
}

fn mapping(out: &mut Bounded<'_>, value: &Value) -> fmt::Result {
    let pairs = value.as_object().and_then(|o| o.try_iter_pairs());
    braces(out, pairs.into_iter().flatten())
}

/// Writes the entries of a mapping between braces.
pub(super) fn entries(
    out: &mut dyn Write,
    pairs: impl Iterator<Item = (Value, Value)>,
) -> fmt::Result {
    let mut bounded = Bounded {
        out,
        left: MAX_BYTES,
        depth: 0,
    };
    braces(&mut bounded, pairs)
}

fn braces(out: &mut Bounded<'_>, pairs: impl Iterator<Item = (Value, Value)>) -> fmt::Result {
    out.write_str("{")?;
    for (index, (key, value)) in pairs.enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        repr(out, &key)?;
        out.write_str(": ")?;
        repr(out, &value)?;
    }
    out.write_str("}")
}

/// The shortest text that reads back as the float, with Python's exponents.
pub(in crate::template) fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    let text = format!("{value:?}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => match exponent.strip_prefix('-') {
            Some(digits) => format!("{mantissa}e-{digits:0>2}"),
            None => format!("{mantissa}e+{exponent:0>2}"),
        },
        None => text,
    }
}

fn quoted(out: &mut dyn Write, text: &str) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.write_char(quote)?;
    for character in text.chars() {
        match character {
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            c if c == quote => write!(out, "\\{c}")?,
            c if is_printable(c) => out.write_char(c)?,
            c => match u32::from(c) {
                code @ 0..=0xff => write!(out, "\\x{code:02x}")?,
                code @ 0x100..=0xffff => write!(out, "\\u{code:04x}")?,
                code => write!(out, "\\U{code:08x}")?,
            },
        }
    }
    out.write_char(quote)
}

/// What Python calls printable, less the unassigned code points that no template prints.
fn is_printable(character: char) -> bool {
    !character.is_control()
        && (character == ' ' || !character.is_whitespace())
        && !matches!(character, '\u{ad}' | '\u{600}'..='\u{605}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn quoted_bytes(out: &mut dyn Write, bytes: &[u8]) -> fmt::Result {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        '"'
    } else {
        '\''
    };
    write!(out, "b{quote}")?;
    for &byte in bytes {
        match byte {
            b'\\' => out.write_str("\\\\")?,
            b'\n' => out.write_str("\\n")?,
            b'\r' => out.write_str("\\r")?,
            b'\t' => out.write_str("\\t")?,
            b if char::from(b) == quote => write!(out, "\\{quote}")?,
            b' '..=b'~' => out.write_char(char::from(byte))?,
            _ => write!(out, "\\x{byte:02x}")?,
        }
    }
    out.write_char(quote)
}
