//! Time stamps as go-yaml reads them with `time.Parse` and `encoding/json` prints them.

use std::io::Write as _;

/// A date and time of day with an offset, as written: no conversion between zones takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    nanosecond: u32,
    /// Minutes east of UTC.
    offset: i32,
}

impl Timestamp {
    /// Reads `2024-1-2`, `2024-01-02T15:04:05.9Z`, `2024-01-02t15:04:05+01:00` and `2024-01-02 15:04:05`,
    /// the four layouts of go-yaml; `None` for every other text and for days that do not exist.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut input = Reader(&bytes[5..]);
        let year = bytes[..4]
            .iter()
            .fold(0, |n, b| n * 10 + u32::from(b - b'0'));
        let month = input.number(1..=12)?;
        input.expect(b'-')?;
        let day = input.number(1..=days_in(year, month))?;
        let mut date = Self {
            year,
            month,
            day,
            hour: 0,
            minute: 0,
            second: 0,
            nanosecond: 0,
            offset: 0,
        };
        match input.0 {
            [] => Some(date),
            [separator @ (b'T' | b't' | b' '), rest @ ..] => {
                let mut input = Reader(rest);
                if *separator == b' ' {
                    input.skip_spaces();
                }
                date.read_clock(&mut input)?;
                if *separator != b' ' {
                    date.offset = input.offset()?;
                }
                input.0.is_empty().then_some(date)
            }
            _ => None,
        }
    }

    fn read_clock(&mut self, input: &mut Reader<'_>) -> Option<()> {
        self.hour = input.number(0..=23)?;
        input.expect(b':')?;
        self.minute = input.number(0..=59)?;
        input.expect(b':')?;
        self.second = input.number(0..=59)?;
        self.nanosecond = input.fraction();
        Some(())
    }

    /// Appends it in the form of RFC 3339 with as many digits of the second as it has.
    ///
    /// Returns `false`, and writes nothing, for an offset of a day, which JSON refuses.
    pub fn write(&self, out: &mut Vec<u8>) -> bool {
        if self.offset.abs() >= 24 * 60 {
            return false;
        }
        let Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            ..
        } = self;
        write!(
            out,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )
        .expect("a Vec takes every byte");
        if self.nanosecond > 0 {
            write!(out, ".{:09}", self.nanosecond).expect("a Vec takes every byte");
            let kept = out
                .iter()
                .rposition(|&b| b != b'0')
                .expect("not all of it is zeros");
            out.truncate(kept + 1);
        }
        match self.offset {
            0 => out.push(b'Z'),
            offset => {
                let (sign, offset) = (if offset < 0 { '-' } else { '+' }, offset.abs());
                write!(out, "{sign}{:02}:{:02}", offset / 60, offset % 60)
                    .expect("a Vec takes every byte");
            }
        }
        true
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn expect(&mut self, byte: u8) -> Option<()> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        (first == byte).then_some(())
    }

    fn skip_spaces(&mut self) {
        let spaces = self.0.iter().take_while(|&&b| b == b' ').count();
        self.0 = &self.0[spaces..];
    }

    /// Reads one or two digits, as many as there are.
    fn number(&mut self, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let digits = self
            .0
            .iter()
            .take(2)
            .take_while(|b| b.is_ascii_digit())
            .count();
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        let value = number.iter().fold(0, |n, b| n * 10 + u32::from(b - b'0'));
        (digits > 0 && range.contains(&value)).then_some(value)
    }

    /// Reads an optional fraction after `.` or `,` as nanoseconds; digits beyond the ninth are dropped.
    fn fraction(&mut self) -> u32 {
        let [b'.' | b',', rest @ ..] = self.0 else {
            return 0;
        };
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return 0;
        }
        self.0 = &rest[digits..];
        (0..9).fold(0, |n, i| {
            n * 10
                + if i < digits {
                    u32::from(rest[i] - b'0')
                } else {
                    0
                }
        })
    }

    /// Reads `Z` or `±hh:mm` as minutes; a day and an hour are in range, as they are for Go.
    fn offset(&mut self) -> Option<i32> {
        let [sign, rest @ ..] = self.0 else {
            return None;
        };
        self.0 = rest;
        if *sign == b'Z' {
            return Some(0);
        }
        if !matches!(sign, b'+' | b'-') || rest.len() < 5 {
            return None;
        }
        let hours = self.two_digits(24)?;
        self.expect(b':')?;
        let minutes = self.two_digits(60)?;
        let offset = hours * 60 + minutes;
        Some(if *sign == b'-' { -offset } else { offset })
    }

    fn two_digits(&mut self, limit: i32) -> Option<i32> {
        let [a @ b'0'..=b'9', b @ b'0'..=b'9', rest @ ..] = self.0 else {
            return None;
        };
        self.0 = rest;
        let value = i32::from(a - b'0') * 10 + i32::from(b - b'0');
        (value <= limit).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> Option<String> {
        let mut out = Vec::new();
        Timestamp::parse(text)?
            .write(&mut out)
            .then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn four_layouts() {
        for (text, expected) in [
            ("2024-01-01", "2024-01-01T00:00:00Z"),
            ("2024-2-9", "2024-02-09T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            ("2024-01-01   1:2:3", "2024-01-01T01:02:03Z"),
            ("2024-01-01 10:00:00.50", "2024-01-01T10:00:00.5Z"),
            ("2024-1-1t1:2:3,5+01:00", "2024-01-01T01:02:03.5+01:00"),
            (
                "2024-01-01T00:00:00.1234567891Z",
                "2024-01-01T00:00:00.123456789Z",
            ),
            ("2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00Z"),
            ("2024-01-01T00:00:00-00:30", "2024-01-01T00:00:00-00:30"),
            ("0000-01-01", "0000-01-01T00:00:00Z"),
        ] {
            assert_eq!(rewritten(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_texts() {
        for text in [
            "2024-02-30",
            "2023-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "24-01-01",
            "2024-01",
            "2024-01-01T",
            "2024-01-01T10:00:00",
            "2024-01-01 10:00:00Z",
            "2024-01-01 ",
            "2024-01-01T24:00:00Z",
            "2024-01-01T10:00:60Z",
            "2024-01-01T10:00:00+1:00",
            "2024-01-01T10:00:00Zx",
            "2024/01/01",
            "é024-01-01",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_offset_of_a_day_is_read_and_not_written() {
        assert!(Timestamp::parse("2024-01-01T00:00:00+24:00").is_some());
        assert_eq!(rewritten("2024-01-01T00:00:00+24:00"), None);
    }
}
