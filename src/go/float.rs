//! Floating-point numbers as `strconv` and `encoding/json` print them.

use std::fmt::Write as _;

/// Appends a number as `FormatFloat(value, 'g', -1, 64)` does: the shortest digits that read back the same,
/// with an exponent below 1e-4 and from 1e6 on. `+Inf`, `-Inf` and `NaN` for the others.
pub fn write_general(out: &mut Vec<u8>, value: f64) {
    let Some(shortest) = Shortest::of(value) else {
        return write_special(out, value);
    };
    if (-4..6).contains(&shortest.exponent) {
        shortest.write_positional(out);
    } else {
        shortest.write_exponent(out, 2);
    }
}

/// Appends a number as `FormatFloat(value, 'f', -1, 64)` does: the shortest digits, never an exponent.
pub fn write_fixed(out: &mut Vec<u8>, value: f64) {
    match Shortest::of(value) {
        Some(shortest) => shortest.write_positional(out),
        None => write_special(out, value),
    }
}

/// Appends a number as `encoding/json` does: positional from 1e-6 to below 1e21, else with the shortest
/// exponent. Returns whether JSON has such a number; nothing is written otherwise.
pub fn write_json(out: &mut Vec<u8>, value: f64) -> bool {
    let Some(shortest) = Shortest::of(value) else {
        return false;
    };
    if (-6..21).contains(&shortest.exponent) {
        shortest.write_positional(out);
    } else {
        shortest.write_exponent(out, 1);
    }
    true
}

fn write_special(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(if value.is_nan() {
        b"NaN"
    } else if value > 0.0 {
        b"+Inf"
    } else {
        b"-Inf"
    });
}

/// The fewest decimal digits that read back as a number, the nearest to it among those.
struct Shortest {
    negative: bool,
    digits: [u8; Self::MOST],
    count: usize,
    /// The power of ten of the first digit.
    exponent: i32,
}

impl Shortest {
    /// The digits that tell every `f64` from its neighbours.
    const MOST: usize = 17;

    /// The fewest digits of which two candidates can be equally near.
    const TIES: usize = 15;

    /// Finds the digits of a finite number.
    fn of(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let mut text = Scratch::default();
        write!(text, "{value:e}").expect("17 digits and an exponent fit");
        let shortest = Self::parse(text.as_str());
        if shortest.count < Self::TIES {
            return Some(shortest);
        }
        // Where two candidates are equally near, Go takes the even one and Rust the larger one.
        text.length = 0;
        write!(text, "{value:.*e}", shortest.count - 1).expect("17 digits and an exponent fit");
        let even = text.as_str().parse() == Ok(value);
        Some(if even {
            Self::parse(text.as_str())
        } else {
            shortest
        })
    }

    /// Reads what `{:e}` writes: `-1.25e-3`.
    fn parse(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').expect("{:e} writes an exponent");
        let mut digits = [0; Self::MOST];
        let mut count = 0;
        for digit in mantissa.bytes().filter(u8::is_ascii_digit) {
            digits[count] = digit;
            count += 1;
        }
        let exponent = exponent.parse().expect("{:e} writes a decimal exponent");
        Self {
            negative: mantissa.starts_with('-'),
            digits,
            count,
            exponent,
        }
    }

    fn write_sign(&self, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
    }

    /// Writes `1.25e-03`, the exponent with its sign and at least `width` digits.
    fn write_exponent(&self, out: &mut Vec<u8>, width: usize) {
        use std::io::Write as _;
        self.write_sign(out);
        out.push(self.digits[0]);
        if self.count > 1 {
            out.push(b'.');
            out.extend_from_slice(&self.digits[1..self.count]);
        }
        out.extend_from_slice(if self.exponent < 0 { b"e-" } else { b"e+" });
        write!(out, "{:0width$}", self.exponent.unsigned_abs()).expect("a Vec takes every byte");
    }

    /// Writes `0.00125` or `125000`.
    fn write_positional(&self, out: &mut Vec<u8>) {
        self.write_sign(out);
        let digits = &self.digits[..self.count];
        let Ok(last_whole) = usize::try_from(self.exponent) else {
            out.extend_from_slice(b"0.");
            let zeros = self.exponent.unsigned_abs() as usize - 1;
            out.resize(out.len() + zeros, b'0');
            return out.extend_from_slice(digits);
        };
        let (whole, fraction) = digits.split_at(self.count.min(last_whole + 1));
        out.extend_from_slice(whole);
        out.resize(out.len() + last_whole + 1 - whole.len(), b'0');
        if !fraction.is_empty() {
            out.push(b'.');
            out.extend_from_slice(fraction);
        }
    }
}

/// A short text on the stack: a sign, 17 digits, a point, `e`, a sign and three digits fit.
#[derive(Default)]
struct Scratch {
    text: [u8; 32],
    length: usize,
}

impl Scratch {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..self.length]).expect("only ASCII was written")
    }
}

impl std::fmt::Write for Scratch {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let slot = self.text.get_mut(self.length..end).ok_or(std::fmt::Error)?;
        slot.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Writer = fn(&mut Vec<u8>, f64);

    fn text(write: Writer, value: f64) -> String {
        let mut out = Vec::new();
        write(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn general_form() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (100_000.0, "100000"),
            (1_000_000.0, "1e+06"),
            (123_456.7, "123456.7"),
            (1_234_567.5, "1.2345675e+06"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-1.25e-3, "-0.00125"),
            (1e20, "1e+20"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (0.1 + 0.2, "0.30000000000000004"),
            (4_360_255_133_726_893.0 / 4.0, "1.0900637834317232e+15"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(text(write_general, value), expected);
        }
    }

    #[test]
    fn fixed_form() {
        for (value, expected) in [
            (1e21, "1000000000000000000000"),
            (1e-7, "0.0000001"),
            (-0.0, "-0"),
            (1234.5, "1234.5"),
            (9_007_199_254_740_993.0, "9007199254740992"),
            (-1.5, "-1.5"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(text(write_fixed, value), expected);
        }
    }

    #[test]
    fn json_form() {
        let json = |value| text(|out, v| assert!(write_json(out, v)), value);
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-10, "1.5e-10"),
            (33.0, "33"),
        ] {
            assert_eq!(json(value), expected);
        }
        assert!(!write_json(&mut Vec::new(), f64::NAN));
    }
}
