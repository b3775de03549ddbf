//! Integers as `strconv` reads them in base 0, with the underscores that YAML 1.1 allows.

/// An integer of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integer {
    /// One that fits `int64`.
    Signed(i64),
    /// One that fits only `uint64`.
    Unsigned(u64),
}

/// Reads an integer of any base that Go knows: `12`, `-12`, `0x1F`, `017`, `0o17`, `0b11`, with `_` anywhere.
///
/// `None` for every other text, and for what 64 bits cannot hold.
pub fn parse(text: &str) -> Option<Integer> {
    let mut bytes = text.bytes().filter(|&b| b != b'_').peekable();
    let sign = bytes.next_if(|&b| b == b'-' || b == b'+');
    let mut radix = 10;
    let mut empty = true;
    if bytes.next_if_eq(&b'0').is_some() {
        radix = match bytes.peek() {
            Some(b'x' | b'X') => 16,
            Some(b'b' | b'B') => 2,
            Some(b'o' | b'O') => 8,
            _ => 0,
        };
        if radix == 0 {
            (radix, empty) = (8, false);
        } else {
            bytes.next();
        }
    }
    let magnitude = digits(bytes, radix, empty)?;
    signed(sign, magnitude)
}

/// Reads digits that follow an explicit sign, as in `0b+101`: go-yaml takes a sign there.
pub(crate) fn parse_signed_digits(text: &str, radix: u64) -> Option<Integer> {
    let mut bytes = text.bytes().filter(|&b| b != b'_').peekable();
    let sign = bytes.next_if(|&b| b == b'-' || b == b'+')?;
    let magnitude = digits(bytes, radix, true)?;
    signed(Some(sign), magnitude)
}

fn digits(bytes: impl Iterator<Item = u8>, radix: u64, mut empty: bool) -> Option<u64> {
    let mut magnitude = 0_u64;
    for byte in bytes {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => return None,
        };
        let digit = u64::from(digit);
        if digit >= radix {
            return None;
        }
        magnitude = magnitude.checked_mul(radix)?.checked_add(digit)?;
        empty = false;
    }
    (!empty).then_some(magnitude)
}

fn signed(sign: Option<u8>, magnitude: u64) -> Option<Integer> {
    match sign {
        Some(b'-') => 0_i64.checked_sub_unsigned(magnitude).map(Integer::Signed),
        Some(_) => i64::try_from(magnitude).ok().map(Integer::Signed),
        None => {
            Some(i64::try_from(magnitude).map_or(Integer::Unsigned(magnitude), Integer::Signed))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_signs_and_underscores() {
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("12", 12),
            ("+12", 12),
            ("1_000", 1000),
            ("0_", 0),
            ("0x_1F", 31),
            ("0X1f", 31),
            ("017", 15),
            ("0o17", 15),
            ("-0b11", -3),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(parse(text), Some(Integer::Signed(value)), "{text}");
        }
        assert_eq!(
            parse("18446744073709551615"),
            Some(Integer::Unsigned(u64::MAX))
        );
    }

    #[test]
    fn other_texts() {
        for text in [
            "",
            "-",
            "_",
            "08",
            "0x",
            "0b",
            "0b2",
            "1.0",
            "1e3",
            "+-1",
            "0b+1",
            "a",
            "0xg",
            "18446744073709551616",
            "+9223372036854775808",
            "-9223372036854775809",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse_signed_digits("-101", 2), Some(Integer::Signed(-5)));
        assert_eq!(parse_signed_digits("101", 2), None);
    }
}
