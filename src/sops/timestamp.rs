//! Moments in time as Go writes them: RFC 3339 with as many decimals as are needed.

/// A moment, kept as the text that Go's `time.RFC3339Nano` gives.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Timestamp(String);

/// The parts of a moment as they were read.
struct Parts<'a> {
    date: [u32; 3],
    time: [u32; 3],
    fraction: &'a str,
    /// Sign, hours and minutes east of UTC.
    offset: (bool, u32, u32),
}

impl Timestamp {
    /// Reads RFC 3339, two digits everywhere.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader(text);
        let date = [reader.digits(4, 4)?, reader.after('-')?, reader.after('-')?];
        reader.one_of(&['T'])?;
        let time = [reader.digits(2, 2)?, reader.after(':')?, reader.after(':')?];
        let fraction = reader.fraction()?;
        let offset = reader.offset()?;
        let parts = Parts {
            date,
            time,
            fraction,
            offset,
        };
        reader.0.is_empty().then(|| parts.canonical())?
    }

    /// Reads what YAML takes for a timestamp, as go-yaml does: a date, or a date and a time with a
    /// zone after `T` and without one after a blank; one digit is enough but in the year.
    pub(super) fn parse_yaml(text: &str) -> Option<Self> {
        let mut reader = Reader(text);
        let mut date = [reader.digits(4, 4)?, 0, 0];
        for part in &mut date[1..] {
            reader.one_of(&['-'])?;
            *part = reader.digits(1, 2)?;
        }
        let mut parts = Parts {
            date,
            time: [0; 3],
            fraction: "",
            offset: (true, 0, 0),
        };
        if reader.0.is_empty() {
            return parts.canonical();
        }
        let separator = reader.one_of(&['T', 't', ' '])?;
        parts.time[0] = reader.digits(1, 2)?;
        for part in &mut parts.time[1..] {
            reader.one_of(&[':'])?;
            *part = reader.digits(1, 2)?;
        }
        parts.fraction = reader.fraction()?;
        if separator != ' ' {
            parts.offset = reader.offset()?;
        }
        reader.0.is_empty().then(|| parts.canonical())?
    }

    /// The moment with its decimals.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The moment in whole seconds, as metadata and flat files have it.
    pub(super) fn to_seconds(&self) -> String {
        match self.0.find('.') {
            None => self.0.clone(),
            Some(dot) => {
                let zone = self.0[dot + 1..]
                    .find(|c: char| !c.is_ascii_digit())
                    .map_or("", |at| &self.0[dot + 1 + at..]);
                format!("{}{zone}", &self.0[..dot])
            }
        }
    }
}

impl Parts<'_> {
    fn canonical(&self) -> Option<Timestamp> {
        let [year, month, day] = self.date;
        let [hour, minute, second] = self.time;
        let (east, hours, minutes) = self.offset;
        let in_range = (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60
            && hours < 24
            && minutes < 60;
        if !in_range {
            return None;
        }
        let digits = &self.fraction[..self.fraction.len().min(9)];
        let digits = digits.trim_end_matches('0');
        let dot = if digits.is_empty() { "" } else { "." };
        let zone = match (hours, minutes) {
            (0, 0) => "Z".to_owned(),
            _ => format!("{}{hours:02}:{minutes:02}", if east { '+' } else { '-' }),
        };
        Some(Timestamp(format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{dot}{digits}{zone}"
        )))
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.0.bytes().take(most).take_while(u8::is_ascii_digit);
        let (digits, rest) = self.0.split_at(count.count());
        self.0 = rest;
        (digits.len() >= least).then(|| digits.parse().ok())?
    }

    fn one_of(&mut self, wanted: &[char]) -> Option<char> {
        let first = self.0.chars().next().filter(|c| wanted.contains(c))?;
        self.0 = &self.0[first.len_utf8()..];
        Some(first)
    }

    fn after(&mut self, sign: char) -> Option<u32> {
        self.one_of(&[sign])?;
        self.digits(2, 2)
    }

    fn fraction(&mut self) -> Option<&'a str> {
        if self.one_of(&['.']).is_none() {
            return Some("");
        }
        let end = self.0.find(|c: char| !c.is_ascii_digit());
        let (digits, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        (!digits.is_empty()).then_some(digits)
    }

    fn offset(&mut self) -> Option<(bool, u32, u32)> {
        match self.one_of(&['Z', '+', '-'])? {
            'Z' => Some((true, 0, 0)),
            sign => Some((sign == '+', self.digits(2, 2)?, self.after(':')?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    fn canonical(text: &str) -> Option<String> {
        Timestamp::parse(text).map(|t| t.as_str().to_owned())
    }

    #[test]
    fn trims_decimals_and_names_utc_by_z() {
        let cases = [
            ("2024-05-06T07:08:09Z", "2024-05-06T07:08:09Z"),
            (
                "2024-05-06T07:08:09.120000000+00:00",
                "2024-05-06T07:08:09.12Z",
            ),
            ("2024-05-06T07:08:09.000-02:30", "2024-05-06T07:08:09-02:30"),
        ];
        for (text, wanted) in cases {
            assert_eq!(canonical(text).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn refuses_what_is_no_moment() {
        for text in [
            "2023-02-29T00:00:00Z",
            "2024-1-2T00:00:00Z",
            "2024-01-02T24:00:00Z",
            "soon",
            "",
        ] {
            assert_eq!(canonical(text), None);
        }
    }

    #[test]
    fn yaml_dates_are_midnight_in_utc() {
        let yaml = |text| Timestamp::parse_yaml(text).map(|t| t.as_str().to_owned());
        assert_eq!(yaml("2024-1-2").as_deref(), Some("2024-01-02T00:00:00Z"));
        assert_eq!(
            yaml("2024-01-02 3:4:5.5").as_deref(),
            Some("2024-01-02T03:04:05.5Z")
        );
        assert_eq!(yaml("2024-01-02 03:04:05Z"), None);
    }

    #[test]
    fn seconds_drop_the_decimals_and_keep_the_zone() {
        let moment = Timestamp::parse("2024-05-06T07:08:09.5+02:00").map(|t| t.to_seconds());
        assert_eq!(moment.as_deref(), Some("2024-05-06T07:08:09+02:00"));
    }
}
