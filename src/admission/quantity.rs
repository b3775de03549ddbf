//! Quantities: `1.5Gi`, `100m`, `1e9`.
//!
//! `k8s.io/apimachinery/pkg/api/resource.ParseQuantity` v0.34 is the reference: a sign, digits with a fraction, and a
//! binary suffix, a decimal suffix or an exponent. A quantity is kept in billionths, rounded up, as there; what is
//! larger than fits is capped.

use std::cmp::Ordering;

/// A quantity, in billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quantity {
    nanos: i128,
}

/// Why a text is not a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// It does not start with a number, or something follows that is no suffix.
    Form,
    /// The suffix is not known.
    Suffix,
}

/// The largest power of ten that is told apart.
const LARGEST_EXPONENT: i64 = 40;

const SUFFIXES: [(&str, Scale); 16] = [
    ("", Scale::Ten(0)),
    ("n", Scale::Ten(-9)),
    ("u", Scale::Ten(-6)),
    ("m", Scale::Ten(-3)),
    ("k", Scale::Ten(3)),
    ("M", Scale::Ten(6)),
    ("G", Scale::Ten(9)),
    ("T", Scale::Ten(12)),
    ("P", Scale::Ten(15)),
    ("E", Scale::Ten(18)),
    ("Ki", Scale::Two(10)),
    ("Mi", Scale::Two(20)),
    ("Gi", Scale::Two(30)),
    ("Ti", Scale::Two(40)),
    ("Pi", Scale::Two(50)),
    ("Ei", Scale::Two(60)),
];

#[derive(Clone, Copy)]
enum Scale {
    Ten(i64),
    Two(u32),
}

impl Quantity {
    /// Reads a quantity.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let (is_negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
        let whole = &rest[..digits(rest)];
        let rest = &rest[whole.len()..];
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(digits(rest)),
            None => ("", rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(Malformed::Form);
        }
        let scale = scale_of(suffix)?;
        let magnitude = scaled(whole, fraction, scale);
        let nanos = if is_negative { -magnitude } else { magnitude };
        Ok(Self { nanos })
    }

    /// A whole number.
    pub(crate) fn of(value: i64) -> Self {
        Self {
            nanos: i128::from(value) * 1_000_000_000,
        }
    }

    /// Less than, equal to or more than nothing.
    pub(crate) fn sign(self) -> Ordering {
        self.nanos.cmp(&0)
    }

    /// Whether it is a whole number.
    pub(crate) fn is_whole(self) -> bool {
        self.nanos % 1_000_000_000 == 0
    }

    /// The value as an integer, where it is one and fits.
    pub(crate) fn as_integer(self) -> Option<i64> {
        let whole = i64::try_from(self.nanos / 1_000_000_000).ok()?;
        self.is_whole().then_some(whole)
    }

    /// The value as a float.
    #[expect(clippy::cast_precision_loss, reason = "it is asked for approximately")]
    pub(crate) fn as_float(self) -> f64 {
        self.nanos as f64 / 1e9
    }

    /// The sum of two.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            nanos: self.nanos.saturating_add(other.nanos),
        }
    }

    /// The difference of two.
    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            nanos: self.nanos.saturating_sub(other.nanos),
        }
    }
}

fn scale_of(suffix: &str) -> Result<Scale, Malformed> {
    if let Some((_, scale)) = SUFFIXES.iter().find(|(name, _)| *name == suffix) {
        return Ok(*scale);
    }
    if let Some(exponent) = suffix.strip_prefix(['e', 'E']) {
        return match exponent.parse::<i64>() {
            Ok(power) => Ok(Scale::Ten(power.clamp(-LARGEST_EXPONENT, LARGEST_EXPONENT))),
            Err(_) => Err(Malformed::Form),
        };
    }
    // What has the letters of a suffix is a suffix that is not known; anything else is no quantity at all.
    let is_word = suffix.chars().all(|c| "eEinumkKMGTP".contains(c));
    Err(if is_word {
        Malformed::Suffix
    } else {
        Malformed::Form
    })
}

/// The number in billionths, rounded up.
fn scaled(whole: &str, fraction: &str, scale: Scale) -> i128 {
    const CAP: i128 = i128::MAX / 4;
    let fraction = &fraction[..fraction.len().min(30)];
    let digits: String = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return 0;
    }
    let Some(mut value) = digits.parse::<i128>().ok().filter(|_| digits.len() < 38) else {
        return CAP;
    };
    let mut power = 9 - i64::try_from(fraction.len()).unwrap_or(0);
    match scale {
        Scale::Ten(more) => power += more,
        Scale::Two(bits) => match value.checked_mul(1 << bits) {
            Some(product) => value = product,
            None => return CAP,
        },
    }
    while power > 0 {
        match value.checked_mul(10) {
            Some(product) => value = product,
            None => return CAP,
        }
        power -= 1;
    }
    let mut lost = false;
    while power < 0 && value > 0 {
        lost |= value % 10 != 0;
        value /= 10;
        power += 1;
    }
    value + i128::from(lost)
}

#[cfg(test)]
mod tests {
    use super::{Malformed, Quantity};

    #[test]
    fn equal_amounts_are_equal_in_any_spelling() {
        let rows = [
            ("1Gi", "1024Mi"),
            ("1.5Gi", "1536Mi"),
            ("1000m", "1"),
            ("1e3", "1k"),
            (".5", "500m"),
            ("0.1n", "1n"),
            ("+1", "1."),
        ];
        for (a, b) in rows {
            assert_eq!(Quantity::parse(a), Quantity::parse(b), "{a} {b}");
        }
        assert!(Quantity::parse("1Gi").ok() > Quantity::parse("1G").ok());
        assert!(Quantity::parse(&"9".repeat(100)).ok() > Quantity::parse("1Ei").ok());
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "256MB", "256 Mi", "1,5", "two", "--1", "1e", "5Gib"] {
            assert_eq!(Quantity::parse(text), Err(Malformed::Form), "{text}");
        }
        for text in ["256mi", "1KM"] {
            assert_eq!(Quantity::parse(text), Err(Malformed::Suffix), "{text}");
        }
    }
}
