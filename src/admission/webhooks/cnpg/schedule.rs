//! Schedules as `robfig/cron` v1 reads them: seconds first, the day of the week may be left out, no time zones.

/// A schedule that can be read.
pub(super) enum Schedule {
    /// Of six fields.
    Full,
    /// Of five fields, or a word such as `@daily`: not what it looks like.
    Odd,
}

const WORDS: [&str; 7] = [
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];

/// The least and the greatest of each field.
const BOUNDS: [(u32, u32); 6] = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Reads a schedule; nothing where it is wrong.
pub(super) fn read(text: &str) -> Option<Schedule> {
    if text.starts_with('@') {
        let every = text.strip_prefix("@every ").filter(|d| is_duration(d));
        return (every.is_some() || WORDS.contains(&text)).then_some(Schedule::Odd);
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    let is_right = |(at, field): (usize, &&str)| field.split(',').all(|part| is_part(at, part));
    let is_read = matches!(fields.len(), 5 | 6) && fields.iter().enumerate().all(is_right);
    is_read.then_some(if fields.len() == 6 {
        Schedule::Full
    } else {
        Schedule::Odd
    })
}

/// Whether `*/5`, `1-3` or `mon` is within the bounds of a field.
fn is_part(at: usize, part: &str) -> bool {
    let (range, step) = part.split_once('/').unwrap_or((part, "1"));
    let is_step = step.parse::<u32>().is_ok_and(|step| step > 0);
    if matches!(range, "*" | "?") {
        return is_step;
    }
    let (low, high) = range.split_once('-').unwrap_or((range, range));
    let (Some(low), Some(high)) = (number(at, low), number(at, high)) else {
        return false;
    };
    let (least, greatest) = BOUNDS[at];
    is_step && least <= low && low <= high && high <= greatest
}

fn number(at: usize, text: &str) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    let place = |names: &[&str], first: usize| {
        let at = names.iter().position(|name| *name == lower)?;
        u32::try_from(at + first).ok()
    };
    let named = match at {
        4 => place(&MONTHS, 1),
        5 => place(&DAYS, 0),
        _ => None,
    };
    named.or_else(|| text.parse().ok())
}

/// Whether it is a duration of Go such as `1h30m`.
fn is_duration(text: &str) -> bool {
    let mut rest = text.trim_start_matches(['-', '+']);
    if rest == "0" {
        return true;
    }
    let is_empty = rest.is_empty();
    while !rest.is_empty() {
        let number = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let units = ["ns", "us", "µs", "ms", "s", "m", "h"];
        let after = units.iter().find_map(|unit| number.strip_prefix(unit));
        match after {
            Some(after) if number.len() < rest.len() => rest = after,
            _ => return false,
        }
    }
    !is_empty
}
