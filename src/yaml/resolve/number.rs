//! Numbers as go-yaml v3 reads them.

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// An integer of 64 bits.
    Int(i64),
    /// An integer past [`i64::MAX`].
    Uint(u64),
    /// Any other number.
    Float(f64),
}

impl Number {
    /// Reads a plain scalar: any base that YAML 1.1 or 1.2 knows, `_` between digits, `.inf` and `.nan`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(special) = special_float(text) {
            return Some(Self::Float(special));
        }
        if !text.contains('_') {
            return Self::parse_plain(text);
        }
        match text.as_bytes()[0] {
            b'_' => None,
            b'.' => fraction(text).map(Self::Float),
            _ => Self::parse_plain(&text.replace('_', "")),
        }
    }

    fn parse_plain(text: &str) -> Option<Self> {
        if let Some(int) = integer(text) {
            return Some(int);
        }
        if is_float(text) {
            return float(text).map(Self::Float);
        }
        None
    }

    /// The value as a float.
    #[expect(
        clippy::cast_precision_loss,
        reason = "as Go converts integers to floats"
    )]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Uint(uint) => uint as f64,
            Self::Float(float) => float,
        }
    }
}

fn special_float(text: &str) -> Option<f64> {
    Some(match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => f64::INFINITY,
        "-.inf" | "-.Inf" | "-.INF" => f64::NEG_INFINITY,
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        _ => return None,
    })
}

/// A fraction without a whole part, `_` between its digits only: Go reads it by other rules than the rest.
fn fraction(text: &str) -> Option<f64> {
    let is_digit = |at: Option<&u8>| at.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    let fits = |at: usize| is_digit(bytes.get(at.wrapping_sub(1))) && is_digit(bytes.get(at + 1));
    let mut underscores = text.match_indices('_');
    if !underscores.all(|(at, _)| fits(at)) {
        return None;
    }
    let plain = text.replace('_', "");
    is_float(&plain).then(|| float(&plain)).flatten()
}

/// An integer, its base told by a prefix: `0x`, `0o`, `0b`, or `0` for octal.
fn integer(text: &str) -> Option<Number> {
    let (negative, signed, digits) = match text.as_bytes().first()? {
        b'-' => (true, true, &text[1..]),
        b'+' => (false, true, &text[1..]),
        _ => (false, false, text),
    };
    let (base, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.as_bytes().first()?.is_ascii_alphanumeric() {
        let has_lower_prefix = text.starts_with("0b") || text.starts_with("0o");
        // Go hands what follows these prefixes to a reader that takes a sign.
        let read = has_lower_prefix.then(|| i64::from_str_radix(digits, base).ok());
        return read.flatten().map(Number::Int);
    }
    let magnitude = u64::from_str_radix(digits, base).ok()?;
    match (i64::try_from(magnitude), negative) {
        (Ok(int), false) => Some(Number::Int(int)),
        (Ok(int), true) => Some(Number::Int(-int)),
        (Err(_), true) if magnitude == 1 << 63 => Some(Number::Int(i64::MIN)),
        (Err(_), false) if !signed => Some(Number::Uint(magnitude)),
        (Err(_), _) => None,
    }
}

/// Whether a text has the form of a decimal float: `[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?`.
pub(super) fn is_float(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, rest) = split_digits(rest);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => split_digits(rest),
        None => (0, rest),
    };
    if whole + fraction == 0 {
        return false;
    }
    let Some(exponent) = rest.strip_prefix(['e', 'E']) else {
        return rest.is_empty();
    };
    let (digits, rest) = split_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent));
    digits > 0 && rest.is_empty()
}

/// The number of digits that a text starts with, and what follows them.
fn split_digits(text: &str) -> (usize, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (digits, &text[digits..])
}

/// The value of a decimal float; `None` when it is too large, as in Go.
pub(super) fn float(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}
