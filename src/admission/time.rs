//! Durations and times as Go's `time` package reads and writes them.

/// A duration in nanoseconds, as `time.ParseDuration` reads it: `1h30m`, `-1.5s`, `0`.
pub(crate) fn duration(text: &str) -> Option<i128> {
    const UNITS: [(&str, i128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() || rest.len() > 200 {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let unit_end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let (_, size) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(of_unit(number, *size)?)?;
        rest = next;
    }
    i64::try_from(total).ok()?;
    Some(if is_negative { -total } else { total })
}

/// A duration as `Duration.String` prints it: `4h0m0s`, `1.5s`, `20ms`.
pub(crate) fn write_duration(nanos: i128) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    // Below a second in the largest unit that fits, with a fraction.
    let decimal = |nanos: u128, size: u128, width: usize| {
        let digits = format!("{:0width$}", nanos % size);
        let digits = digits.trim_end_matches('0');
        let point = if digits.is_empty() { "" } else { "." };
        format!("{}{point}{digits}", nanos / size)
    };
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{nanos}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", decimal(nanos, 1_000, 3)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", decimal(nanos, 1_000_000, 6)),
        _ => {
            let minutes = nanos / 60_000_000_000;
            let seconds = format!("{}s", decimal(nanos % 60_000_000_000, 1_000_000_000, 9));
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}"),
            }
        }
    }
}

/// A number of units in nanoseconds; what is less than one is dropped.
fn of_unit(number: &str, size: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole: i128 = match whole {
        "" => 0,
        digits => digits.parse().ok()?,
    };
    let mut nanos = whole.checked_mul(size)?;
    let mut part = size;
    for digit in fraction.bytes() {
        part /= 10;
        nanos += i128::from(digit - b'0') * part;
    }
    Some(nanos)
}

/// A time of RFC 3339 in nanoseconds since 1970.
pub(crate) fn timestamp(text: &str) -> Option<i128> {
    let bytes = text.as_bytes();
    let is_form = bytes.len() >= 20
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && matches!(bytes[10], b'T' | b't');
    if !is_form {
        return None;
    }
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(time.as_nanosecond())
}

/// A date of RFC 3339 in nanoseconds since 1970.
pub(crate) fn date(text: &str) -> Option<i128> {
    (text.len() == 10).then(|| timestamp(&format!("{text}T00:00:00Z")))?
}

/// Writes a time as RFC 3339.
pub(crate) fn write_timestamp(nanos: i128) -> Option<String> {
    let time = jiff::Timestamp::from_nanosecond(nanos).ok()?;
    Some(time.to_string())
}

/// Writes a duration in seconds, as CEL does.
pub(crate) fn write_seconds(nanos: i128) -> String {
    let (sign, nanos) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
    let fraction = format!("{:09}", nanos % 1_000_000_000);
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{}s", nanos / 1_000_000_000),
        digits => format!("{sign}{}.{digits}s", nanos / 1_000_000_000),
    }
}

/// A part of a time in UTC, by the name of CEL's function.
pub(crate) fn part(nanos: i128, function: &str) -> Option<i64> {
    let time = jiff::Timestamp::from_nanosecond(nanos).ok()?;
    let zoned = time.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    Some(match function {
        "getFullYear" => i64::from(zoned.year()),
        "getMonth" => i64::from(zoned.month()) - 1,
        "getDate" => i64::from(zoned.day()),
        "getDayOfMonth" => i64::from(zoned.day()) - 1,
        "getDayOfYear" => i64::from(zoned.day_of_year()) - 1,
        "getDayOfWeek" => i64::from(zoned.weekday().to_sunday_zero_offset()),
        "getHours" => i64::from(zoned.hour()),
        "getMinutes" => i64::from(zoned.minute()),
        "getSeconds" => i64::from(zoned.second()),
        "getMilliseconds" => i64::from(zoned.millisecond()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{duration, timestamp, write_duration};

    #[test]
    fn durations_are_those_of_go() {
        assert_eq!(duration("1h30m"), Some(5_400_000_000_000));
        assert_eq!(duration("-1.5s"), Some(-1_500_000_000));
        assert_eq!(duration(".5s"), Some(500_000_000));
        for text in ["", "1d", "5", "1h ", "s", "1.2.3s", "h1"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (given, written) in [
            ("4h", "4h0m0s"),
            ("90s", "1m30s"),
            ("1500ms", "1.5s"),
            ("20ms", "20ms"),
            ("1.5us", "1.5µs"),
            ("-2m", "-2m0s"),
            ("0", "0s"),
        ] {
            assert_eq!(
                duration(given).map(write_duration).as_deref(),
                Some(written)
            );
        }
    }

    #[test]
    fn times_are_those_of_rfc_3339() {
        assert_eq!(timestamp("1970-01-01T00:00:01Z"), Some(1_000_000_000));
        assert_eq!(timestamp("1970-01-01T01:00:00+01:00"), Some(0));
        for text in [
            "yesterday",
            "2024-01-01",
            "2024-13-01T00:00:00Z",
            "2024-01-01 00:00:00Z",
        ] {
            assert_eq!(timestamp(text), None, "{text}");
        }
    }
}
