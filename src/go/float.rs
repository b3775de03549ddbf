//! Floating-point numbers as `strconv` and `encoding/json` print them.

use std::fmt::Write as _;

/// Appends a number as `FormatFloat(value, 'g', -1, 64)` does: the shortest digits that read back the same,
/// with an exponent below 1e-4 and from 1e6 on. `+Inf`, `-Inf` and `NaN` for the others.
pub fn write_general(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() {
        return write_special(out, value);
    }
    let (digits, exponent) = Shortest::of(value);
    if value != 0.0 && !(-4..6).contains(&exponent) {
        write_exponent(out, digits.as_str(), exponent, 2);
    } else {
        write_positional(out, value);
    }
}

/// Appends a number as `FormatFloat(value, 'f', -1, 64)` does: the shortest digits, never an exponent.
pub fn write_fixed(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        write_positional(out, value);
    } else {
        write_special(out, value);
    }
}

/// Appends a number as `encoding/json` does: positional from 1e-6 to below 1e21, else with the shortest
/// exponent. Returns whether JSON has such a number; nothing is written otherwise.
pub fn write_json(out: &mut Vec<u8>, value: f64) -> bool {
    if !value.is_finite() {
        return false;
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let (digits, exponent) = Shortest::of(value);
        write_exponent(out, digits.as_str(), exponent, 1);
    } else {
        write_positional(out, value);
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

/// Writes sign and shortest digits without an exponent; Rust's `Display` has the same digits as Go.
fn write_positional(out: &mut Vec<u8>, value: f64) {
    use std::io::Write as _;
    write!(out, "{value}").expect("a Vec takes every byte");
}

/// Writes a mantissa and an exponent with its sign and at least `width` digits.
fn write_exponent(out: &mut Vec<u8>, mantissa: &str, exponent: i32, width: usize) {
    use std::io::Write as _;
    out.extend_from_slice(mantissa.as_bytes());
    out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
    write!(out, "{:0width$}", exponent.unsigned_abs()).expect("a Vec takes every byte");
}

/// The shortest decimal digits of a number, `-1.2345`, on the stack.
struct Shortest {
    text: [u8; Self::CAPACITY],
    length: usize,
}

impl Shortest {
    /// A sign, 17 digits, a point, `e`, a sign and three digits, with room to spare.
    const CAPACITY: usize = 32;

    /// Returns the mantissa and the decimal exponent of a finite number.
    fn of(value: f64) -> (Self, i32) {
        let mut shortest = Self {
            text: [0; Self::CAPACITY],
            length: 0,
        };
        write!(shortest, "{value:e}").expect("a shortest float is shorter than the buffer");
        let text = shortest.as_str();
        let (mantissa, exponent) = text.split_once('e').expect("{:e} writes an exponent");
        let length = mantissa.len();
        let exponent = exponent.parse().expect("{:e} writes a decimal exponent");
        shortest.length = length;
        (shortest, exponent)
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..self.length]).expect("only ASCII was written")
    }
}

impl std::fmt::Write for Shortest {
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
