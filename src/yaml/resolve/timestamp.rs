//! Plain dates as go-yaml v3 reads them.

use std::fmt;

/// A date, or a date with a time and an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    nanosecond: u32,
    /// Minutes east of UTC.
    offset_minutes: i16,
}

impl Timestamp {
    /// Reads `2024-1-2`, `2024-1-2 3:4:5.6` or `2024-1-2T3:4:5.6Z`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut reader = Reader { rest: &text[5..] };
        let mut time = Self {
            year: text[..4].parse().ok()?,
            month: reader.number(12)?,
            day: reader.after("-")?.number(31)?,
            hour: 0,
            minute: 0,
            second: 0,
            nanosecond: 0,
            offset_minutes: 0,
        };
        if time.month == 0 || time.day == 0 || time.day > days_in(time.year, time.month) {
            return None;
        }
        if !reader.rest.is_empty() {
            time.read_clock(&mut reader)?;
        }
        reader.rest.is_empty().then_some(time)
    }

    fn read_clock(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let with_offset = !reader.rest.starts_with(' ');
        reader.rest = if with_offset {
            reader.rest.strip_prefix(['T', 't'])?
        } else {
            reader.rest.trim_start_matches(' ')
        };
        self.hour = reader.number(23)?;
        self.minute = reader.after(":")?.number(59)?;
        self.second = reader.after(":")?.number(59)?;
        self.nanosecond = reader.fraction();
        if with_offset {
            self.offset_minutes = reader.offset()?;
        }
        Some(())
    }
}

impl fmt::Display for Timestamp {
    /// Writes RFC 3339 with as many digits of the second as it has, as Go does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)?;
        write!(f, "T{:02}:{:02}:{:02}", self.hour, self.minute, self.second)?;
        if self.nanosecond > 0 {
            let digits = format!("{:09}", self.nanosecond);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        if self.offset_minutes == 0 {
            return f.write_str("Z");
        }
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let minutes = self.offset_minutes.unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Reads one digit or two.
    fn number(&mut self, most: u8) -> Option<u8> {
        let digits = self.rest.bytes().take(2);
        let count = digits.take_while(u8::is_ascii_digit).count();
        let number: u8 = self.rest[..count].parse().ok()?;
        self.rest = &self.rest[count..];
        (number <= most).then_some(number)
    }

    fn after(&mut self, separator: &str) -> Option<&mut Self> {
        self.rest = self.rest.strip_prefix(separator)?;
        Some(self)
    }

    /// Reads a fraction of a second, if there is one; digits past the ninth do not count.
    fn fraction(&mut self) -> u32 {
        let Some(rest) = self.rest.strip_prefix(['.', ',']) else {
            return 0;
        };
        let count = rest.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return 0;
        }
        self.rest = &rest[count..];
        let digits = rest.bytes().take(count).chain(std::iter::repeat(b'0'));
        digits
            .take(9)
            .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
    }

    /// Reads `Z` or `+02:00`.
    fn offset(&mut self) -> Option<i16> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Some(0);
        }
        let sign = match self.rest.bytes().next()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let bytes = self.rest.as_bytes();
        let digits = [1, 2, 4, 5].map(|i| bytes.get(i).copied().unwrap_or(0));
        if bytes.get(3) != Some(&b':') || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let [h, hh, m, mm] = digits.map(|d| i16::from(d - b'0'));
        self.rest = &self.rest[6..];
        let (hours, minutes) = (h * 10 + hh, m * 10 + mm);
        (hours <= 24 && minutes <= 60).then_some(sign * (hours * 60 + minutes))
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn writes_dates_as_go_does() {
        let rows = [
            ("2024-01-01", "2024-01-01T00:00:00Z"),
            ("2024-1-2 3:4:5", "2024-01-02T03:04:05Z"),
            (
                "2024-02-29T10:00:00.50+02:00",
                "2024-02-29T10:00:00.5+02:00",
            ),
            (
                "2001-12-14t21:59:43.10-05:00",
                "2001-12-14T21:59:43.1-05:00",
            ),
        ];
        for (text, expected) in rows {
            let time = Timestamp::parse(text).expect(text);
            assert_eq!(time.to_string(), expected);
        }
        for text in [
            "2023-02-29",
            "2024-01-01 10:00:00Z",
            "2024-01-01T10:00:00",
            "2024-0-1",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
