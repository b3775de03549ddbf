//! Points in time that the template itself names, in UTC. There is no clock: `now` is the first second of 1970.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use crate::go::template::fault::{Fault, Result};
use crate::go::template::function::{Call, Function, row};
use crate::go::template::value::{Object, Value};

use super::numbers::to_int;
use super::strings::{int, text};

pub(super) static TABLE: &[Function] = &[
    row("toDate", "ss", |_, v| {
        Ok(parse(text(v, 0), text(v, 1)).unwrap_or_else(|_| zero()))
    }),
    row("mustToDate", "ss", |_, v| parse(text(v, 0), text(v, 1))),
    row("unixEpoch", "a", |call, v| {
        call.string(point(&v[0])?.as_second().to_string())
    }),
    row("ago", "a", |call, v| {
        let seconds = point(&v[0])?.as_second();
        call.string(duration_text(-seconds))
    }),
    row("duration", "a", |call, v| {
        call.string(duration_text(to_int(&v[0])))
    }),
    row("durationRound", "a", |call, v| call.string(rounded(&v[0]))),
    row("mustDateModify", "sa", modify),
    row("must_date_modify", "sa", modify),
];

/// What slim-sprig's hermetic set leaves out, since it may depend on the zone of the host.
pub(super) static ZONED: &[Function] = &[
    row("now", "", |_, _| Ok(moment(Timestamp::UNIX_EPOCH))),
    row("date", "sa", |call, v| {
        call.string(format(text(v, 0), point(&v[1])?, "UTC")?)
    }),
    row("dateInZone", "sas", |call, v| {
        call.string(format(text(v, 0), point(&v[1])?, text(v, 2))?)
    }),
    row("date_in_zone", "sas", |call, v| {
        call.string(format(text(v, 0), point(&v[1])?, text(v, 2))?)
    }),
    row("dateModify", "sa", |call, v| {
        Ok(modify(call, v).unwrap_or_else(|_| v[1].clone()))
    }),
    row("date_modify", "sa", |call, v| {
        Ok(modify(call, v).unwrap_or_else(|_| v[1].clone()))
    }),
    row("htmlDate", "a", |call, v| {
        call.string(format("2006-01-02", point(&v[0])?, "UTC")?)
    }),
    row("htmlDateInZone", "as", |call, v| {
        call.string(format("2006-01-02", point(&v[0])?, text(v, 1))?)
    }),
];

#[derive(Debug)]
struct Moment(Timestamp);

impl Object for Moment {
    fn type_name(&self) -> &'static str {
        "time.Time"
    }

    fn print(&self) -> String {
        format("2006-01-02 15:04:05 -0700 MST", self.0, "UTC").unwrap_or_default()
    }

    fn call(&self, method: &str, arguments: &[Value]) -> Option<Result<Value>> {
        let at = Offset::UTC.to_datetime(self.0);
        Some(Ok(match method {
            "Year" => Value::int(at.year().into()),
            "Month" => Value::int(at.month().into()),
            "Day" => Value::int(at.day().into()),
            "Hour" => Value::int(at.hour().into()),
            "Minute" => Value::int(at.minute().into()),
            "Second" => Value::int(at.second().into()),
            "YearDay" => Value::int(at.day_of_year().into()),
            "Unix" => Value::int64(self.0.as_second()),
            "UnixMilli" => Value::int64(self.0.as_millisecond()),
            "String" => Value::string(self.print()),
            "UTC" | "Local" => moment(self.0),
            "Format" => {
                let layout = arguments.first().and_then(Value::as_str)?;
                return Some(format(layout, self.0, "UTC").map(Value::string));
            }
            _ => return None,
        }))
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

fn moment(at: Timestamp) -> Value {
    Value::Object(std::rc::Rc::new(Moment(at)))
}

fn zero() -> Value {
    moment(Timestamp::from_second(-62_135_596_800).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// The point in time of an argument: a time, or seconds since 1970.
fn point(value: &Value) -> Result<Timestamp> {
    match value {
        Value::Object(object) => (object.as_any().downcast_ref::<Moment>())
            .map(|m| m.0)
            .ok_or_else(|| Fault::new("the argument is not a time")),
        Value::Int(seconds, _) => {
            Timestamp::from_second(*seconds).map_err(|_| Fault::new("the time is out of range"))
        }
        _ => Ok(Timestamp::UNIX_EPOCH),
    }
}

/// The elements of Go's layouts, longest first.
const ELEMENTS: &[(&str, &str)] = &[
    ("January", "B"),
    ("Monday", "A"),
    ("2006", "Y"),
    ("-07:00", ":z"),
    ("-0700", "z"),
    ("Z07:00", "Z:"),
    ("Z0700", "Z"),
    ("MST", "name"),
    ("Jan", "b"),
    ("Mon", "a"),
    ("002", "j"),
    ("01", "m"),
    ("02", "d"),
    ("03", "I"),
    ("04", "M"),
    ("05", "S"),
    ("06", "y"),
    ("15", "H"),
    ("PM", "p"),
    ("pm", "P"),
    ("_2", "e"),
    ("1", "-m"),
    ("2", "-d"),
    ("3", "-I"),
    ("4", "-M"),
    ("5", "-S"),
];

/// Splits a layout into text and elements.
fn pieces(layout: &str) -> Vec<std::result::Result<&'static str, &str>> {
    let mut out = Vec::new();
    let (mut rest, mut start) = (layout, 0);
    while start < rest.len() {
        let here = &rest[start..];
        let fraction = here
            .strip_prefix(['.', ','])
            .map_or(0, |after| after.len() - after.trim_start_matches('0').len());
        let fraction_follows =
            here.len() > fraction + 1 && here.as_bytes()[fraction + 1].is_ascii_digit();
        if fraction > 0 && !fraction_follows {
            out.push(Err(&rest[..start]));
            out.push(Ok("fraction"));
            rest = &here[fraction + 1..];
            start = 0;
            continue;
        }
        match ELEMENTS
            .iter()
            .find(|(written, _)| here.starts_with(written))
        {
            Some((written, code)) => {
                out.push(Err(&rest[..start]));
                out.push(Ok(code));
                rest = &here[written.len()..];
                start = 0;
            }
            None => start += here.chars().next().map_or(1, char::len_utf8),
        }
    }
    out.push(Err(rest));
    out
}

/// Prints a time in a layout of Go's. Zones other than UTC need the host's data and are taken as UTC.
fn format(layout: &str, at: Timestamp, _zone: &str) -> Result<String> {
    let at = Offset::UTC.to_datetime(at);
    let mut out = String::new();
    for piece in pieces(layout) {
        match piece {
            Err(text) => out.push_str(text),
            Ok(code) => out.push_str(&element(code, &at)?),
        }
    }
    Ok(out)
}

fn element(code: &str, at: &DateTime) -> Result<String> {
    let pattern = match code {
        "name" => return Ok("UTC".to_owned()),
        "z" => return Ok("+0000".to_owned()),
        ":z" => return Ok("+00:00".to_owned()),
        "Z" | "Z:" => return Ok("Z".to_owned()),
        "P" => return Ok(if at.hour() < 12 { "am" } else { "pm" }.to_owned()),
        "fraction" => return Ok(format!(".{:03}", at.millisecond())),
        code => format!("%{code}"),
    };
    jiff::fmt::strtime::format(&pattern, *at).map_err(|_| Fault::new("the layout is wrong"))
}

/// Reads a time as a layout writes it.
fn parse(layout: &str, text: &str) -> Result<Value> {
    let fault = || Fault::new("the text does not fit the layout");
    let mut pattern = String::new();
    for piece in pieces(layout) {
        match piece {
            Err(text) => pattern.push_str(&text.replace('%', "%%")),
            Ok("name") => pattern.push_str("UTC"),
            Ok("Z" | "Z:") => pattern.push('Z'),
            Ok("fraction") => pattern.push_str("%.f"),
            Ok(code) => pattern.push_str(&format!("%{}", code.trim_start_matches('-'))),
        }
    }
    let parsed = jiff::fmt::strtime::parse(&pattern, text).map_err(|_| fault())?;
    if let Ok(at) = parsed.to_timestamp() {
        return Ok(moment(at));
    }
    let date = parsed
        .to_date()
        .or_else(|_| Date::new(0, 1, 1))
        .map_err(|_| fault())?;
    let time = parsed.to_time().unwrap_or(Time::midnight());
    let at = Offset::UTC.to_timestamp(date.to_datetime(time));
    Ok(moment(at.map_err(|_| fault())?))
}

fn modify(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    let by = duration(text(values, 0)).ok_or_else(|| Fault::new("the duration is wrong"))?;
    let at = point(&values[1])?.checked_add(by);
    Ok(moment(
        at.map_err(|_| Fault::new("the time is out of range"))?,
    ))
}

/// `time.ParseDuration`.
fn duration(text: &str) -> Option<SignedDuration> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let units = [
            ("ns", 1e-9),
            ("us", 1e-6),
            ("µs", 1e-6),
            ("ms", 1e-3),
            ("s", 1.0),
            ("m", 60.0),
            ("h", 3600.0),
        ];
        let (unit, seconds) = units.iter().find(|(unit, _)| {
            rest.strip_prefix(unit)
                .is_some_and(|after| !after.starts_with(char::is_alphabetic))
        })?;
        total += number * seconds;
        rest = &rest[unit.len()..];
    }
    let total = if negative { -total } else { total };
    (text.len() > 1).then(|| SignedDuration::try_from_secs_f64(total).ok())?
}

/// `time.Duration.String` of whole seconds.
fn duration_text(seconds: i64) -> String {
    let (sign, seconds) = (if seconds < 0 { "-" } else { "" }, seconds.unsigned_abs());
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, _) => format!("{sign}{minutes}m{seconds}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

fn rounded(value: &Value) -> String {
    let seconds = match value {
        Value::String(text) => duration(text).map_or(0, |d| d.as_secs()),
        Value::Int(nanoseconds, _) => int(&[Value::int64(*nanoseconds)], 0) / 1_000_000_000,
        _ => 0,
    };
    let units = [
        (31_536_000, "y"),
        (2_592_000, "mo"),
        (86_400, "d"),
        (3600, "h"),
        (60, "m"),
        (1, "s"),
    ];
    let found = units.iter().find(|(length, _)| seconds.abs() > *length);
    found.map_or_else(
        || "0s".to_owned(),
        |(length, unit)| format!("{}{unit}", seconds / length),
    )
}
