//! Which entries of `for` select something: a root alone cannot say, since an entry is seldom about all of them.

use std::collections::BTreeMap;

use super::config::Config;
use crate::diagnostic::{Code, Diagnostic, Place, Report, Severity, nearest};

/// What the entries of `for` selected in one root.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    entries: Vec<Entry>,
    /// The names of what overlays apply to in the root.
    targets: Vec<String>,
}

#[derive(Debug, Clone)]
struct Entry {
    place: Place,
    /// The target as it is written.
    written: String,
    name: String,
    is_used: bool,
}

impl Usage {
    pub(super) fn new(config: &Config, used: &[bool], targets: Vec<String>) -> Self {
        let entries = config
            .overrides
            .iter()
            .zip(used)
            .map(|(entry, used)| Entry {
                place: entry.place.clone(),
                written: entry.selector.written(),
                name: entry.selector.written_name.clone(),
                is_used: *used,
            });
        Self {
            entries: entries.collect(),
            targets,
        }
    }
}

/// Reports the entries of `for` that select nothing in any of some roots, of the files that are asked about.
pub fn unused<'u>(
    usages: impl Iterator<Item = &'u Usage>,
    is_asked: impl Fn(&Place) -> bool,
    severity: Severity,
) -> Report {
    let mut entries: BTreeMap<&Place, (&Entry, bool)> = BTreeMap::new();
    let mut targets: Vec<&str> = Vec::new();
    for usage in usages {
        for entry in usage.entries.iter().filter(|entry| is_asked(&entry.place)) {
            entries.entry(&entry.place).or_insert((entry, false)).1 |= entry.is_used;
        }
        for target in &usage.targets {
            if !targets.contains(&target.as_str()) {
                targets.push(target);
            }
        }
    }
    let unused = entries.into_values().filter(|(_, is_used)| !is_used);
    Report {
        findings: unused
            .map(|(entry, _)| finding(entry, &targets).with_severity(severity))
            .collect(),
    }
}

fn finding(entry: &Entry, targets: &[&str]) -> Diagnostic {
    /// More names than a message has room for.
    const MAX_NAMED: usize = 8;
    let phrase = match entry.written.as_str() {
        "" => "an entry of for selects nothing".to_owned(),
        written => format!("the entry of for on {written} selects nothing"),
    };
    let finding = Diagnostic::new(Code::OverlaySelectsNothing, phrase).at(entry.place.clone());
    let near = nearest(&entry.name, targets.iter().copied());
    match near {
        Some(near) => finding.help(format!("did you mean {near}?")),
        None if targets.is_empty() => finding.help("nothing that an overlay applies to is built"),
        None => {
            let named = targets[..targets.len().min(MAX_NAMED)].join(", ");
            finding.help(format!("overlays apply to {named} here"))
        }
    }
}
