//! Schedules of CronJobs. `github.com/robfig/cron/v3` `ParseStandard`: five fields or a descriptor.

use crate::admission::time;

/// The lowest and the highest value of a field, and the names of its values.
struct Bounds {
    low: u64,
    high: u64,
    names: &'static [(&'static str, u64)],
}

const FIELDS: [Bounds; 5] = [
    Bounds {
        low: 0,
        high: 59,
        names: &[],
    },
    Bounds {
        low: 0,
        high: 23,
        names: &[],
    },
    Bounds {
        low: 1,
        high: 31,
        names: &[],
    },
    Bounds {
        low: 1,
        high: 12,
        names: MONTHS,
    },
    Bounds {
        low: 0,
        high: 6,
        names: DAYS,
    },
];

const MONTHS: &[(&str, u64)] = &[
    ("jan", 1),
    ("feb", 2),
    ("mar", 3),
    ("apr", 4),
    ("may", 5),
    ("jun", 6),
    ("jul", 7),
    ("aug", 8),
    ("sep", 9),
    ("oct", 10),
    ("nov", 11),
    ("dec", 12),
];

const DAYS: &[(&str, u64)] = &[
    ("sun", 0),
    ("mon", 1),
    ("tue", 2),
    ("wed", 3),
    ("thu", 4),
    ("fri", 5),
    ("sat", 6),
];

/// What is wrong with a schedule.
pub(super) fn fault(schedule: &str) -> Option<String> {
    if let Some(descriptor) = schedule.strip_prefix('@') {
        return of_descriptor(descriptor);
    }
    let parts: Vec<&str> = schedule.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return Some(format!("has {} fields, and must have 5", parts.len()));
    }
    parts
        .iter()
        .zip(&FIELDS)
        .find_map(|(part, bounds)| of_field(part, bounds))
}

fn of_descriptor(descriptor: &str) -> Option<String> {
    if let Some(duration) = descriptor.strip_prefix("every ") {
        return time::duration(duration)
            .is_none()
            .then(|| "has a duration after @every that cannot be read".to_owned());
    }
    let known = [
        "yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly",
    ];
    (!known.contains(&descriptor)).then(|| "is a descriptor that is not known".to_owned())
}

fn of_field(field: &str, bounds: &Bounds) -> Option<String> {
    // Empty parts between commas are skipped, as there.
    field
        .split(',')
        .filter(|part| !part.is_empty())
        .find_map(|part| of_range(part, bounds))
}

fn of_range(part: &str, bounds: &Bounds) -> Option<String> {
    let (range, step) = match part.split_once('/') {
        Some((_, step)) if step.contains('/') => {
            return Some("has two slashes in a field".to_owned());
        }
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    let (low, high) = match range.split_once('-') {
        _ if matches!(range, "*" | "?") => (Some(bounds.low), Some(bounds.high)),
        Some((_, high)) if high.contains('-') => {
            return Some("has two hyphens in a range".to_owned());
        }
        Some((low, high)) => (value(low, bounds), value(high, bounds)),
        None => (value(range, bounds), value(range, bounds)),
    };
    let (Some(low), Some(mut high)) = (low, high) else {
        return Some("has a part that is neither a number nor a known name".to_owned());
    };
    match step.map(str::parse::<u64>) {
        Some(Ok(0)) => return Some("has a step of 0".to_owned()),
        Some(Err(_)) => return Some("has a step that is not a number".to_owned()),
        // `3/15` runs to the end.
        Some(Ok(_)) if !range.contains('-') => high = bounds.high,
        _ => {}
    }
    if low < bounds.low {
        return Some(format!("has a value below {}", bounds.low));
    }
    if high > bounds.high {
        return Some(format!("has a value above {}", bounds.high));
    }
    (low > high).then(|| "has a range that ends before it begins".to_owned())
}

fn value(text: &str, bounds: &Bounds) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let named = bounds.names.iter().find(|(name, _)| *name == lower);
    named.map(|(_, value)| *value).or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn five_fields_and_descriptors_are_schedules() {
        for schedule in [
            "0 3 * * *",
            "*/5 8-18 1,15 jan-MAR MON",
            "@every 1h30m",
            "@daily",
            "0 3 ? * 0",
            "0 3 * * 1/2",
        ] {
            assert_eq!(fault(schedule), None, "{schedule}");
        }
        let wrong = [
            "0 3 * * 7",
            "0 25 * * *",
            "0 15 3 * * *",
            "0 3 L * *",
            "@reboot",
            "@every 1d",
            "0 0 0 * *",
            "*/0 * * * *",
        ];
        for schedule in wrong {
            assert!(fault(schedule).is_some(), "{schedule}");
        }
    }
}
