//! `secrets`: the sealed files of a repository, all at once.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::encrypt::{now, randomness};
use super::findings::{self, Format};
use super::identities::{self, KeyCommands};
use super::{Context, Done, Outcome};
use crate::diagnostic::{Code, ExitStatus, Report, Result};
use crate::files::{Audience, Located, Lock, locate};
use crate::secrets::bulk::{self, LockOut, Step};
use crate::secrets::repository::{Entry, survey};
use crate::secrets::sealing::{Identities, KeyChanges, Sealer};
use crate::secrets::{hygiene, status};

/// Looks at, and changes, the sealed files of a repository.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the sealed files: for whom, by which rule, whether they open here, and what differs from .sops.yaml
    Status {
        #[command(flatten)]
        place: Place,
        /// How they are listed
        #[arg(long, value_enum, default_value_t)]
        format: Listing,
    },
    /// Find what is readable and should be sealed: needs no key
    Scan {
        /// Files and directories
        #[arg(default_value = ".")]
        paths: Vec<PathBuf>,
        /// How findings are printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Seal the data keys of all files for whom .sops.yaml names now; says what would change without --yes
    Updatekeys(Change),
    /// Make the data keys of all files anew; says which without --yes
    Rotate(Change),
}

#[derive(Debug, clap::Args)]
struct Place {
    /// A directory or file
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Only the files of this rule: its path_regex, or its place as `status` shows it
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Change {
    #[command(flatten)]
    place: Place,
    /// Write the files
    #[arg(short, long)]
    yes: bool,
    /// Write them also where none of your identities opens them afterwards
    #[arg(long)]
    lock_out: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Listing {
    /// For people
    #[default]
    Text,
    /// A list of objects
    Json,
}

/// What a change is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Keys,
    Rotation,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Status { place, format } => list(context, place, *format),
        Command::Scan { paths, format } => scan(context, paths, *format),
        Command::Updatekeys(change) => apply(context, change, Kind::Keys),
        Command::Rotate(change) => apply(context, change, Kind::Rotation),
    }
}

impl Place {
    fn survey(&self, context: &Context) -> Result<(Located, Vec<Entry>)> {
        let located = locate(&self.path, &context.working_directory, None)?;
        let mut entries = survey(&*located.tree, &located.directory)?;
        if let Some(wanted) = &self.rule {
            entries.retain(|entry| {
                let rule = entry.rule();
                rule.is_some_and(|rule| rule.place() == *wanted || rule.pattern() == wanted)
            });
        }
        Ok((located, entries))
    }
}

fn list(context: &Context, place: &Place, format: Listing) -> Outcome {
    let (_, entries) = place.survey(context)?;
    let identities = identities::of_the_user(context, KeyCommands::Run);
    let files = status::of(&entries, &identities);
    let now = now();
    let stdout = match format {
        Listing::Json => {
            let objects: Vec<Value> = files.iter().map(|file| object(file, &now)).collect();
            format!("{:#}\n", Value::from(objects)).into_bytes()
        }
        Listing::Text => files.iter().map(line).collect::<String>().into_bytes(),
    };
    Ok(Done::from(stdout))
}

fn object(file: &status::Status, now: &str) -> Value {
    json!({
        "path": file.path,
        "format": file.format.name(),
        "rule": file.rule,
        "recipients": file.recipients,
        "opens": file.opens,
        "mac": file.mac.name(),
        "modified": file.modified,
        "keyAgeDays": days(&file.modified, now),
        "drift": file.drift.as_ref().map(changes),
        "problem": file.problem.as_ref().map(|error| error.phrase().to_owned()),
    })
}

fn changes(changes: &KeyChanges) -> Value {
    let groups: Vec<Value> = changes
        .groups
        .iter()
        .map(|group| json!({"added": group.added, "removed": group.removed}))
        .collect();
    let (has, wanted) = changes.threshold;
    json!({"groups": groups, "threshold": {"file": has, "rule": wanted}})
}

/// The days from one moment to another: a data key is at least as old as the last change of its file.
fn days(from: &str, to: &str) -> Option<i64> {
    let from: jiff::Timestamp = from.parse().ok()?;
    let to: jiff::Timestamp = to.parse().ok()?;
    Some((to.as_second() - from.as_second()).max(0) / 86_400)
}

fn line(file: &status::Status) -> String {
    let opens = match file.opens {
        true => "opens",
        false => "no key here",
    };
    let drift = match &file.drift {
        None => "no rule",
        Some(changes) if changes.is_empty() => "as its rule says",
        Some(_) => "differs from its rule",
    };
    let rule = file.rule.as_deref().unwrap_or("-");
    let mut text = format!(
        "{}  {}  {opens}, MAC {}  {} keys, {drift} ({rule})\n",
        file.path,
        file.modified,
        file.mac.name(),
        file.recipients.len(),
    );
    if let Some(error) = &file.problem {
        text.push_str(&format!("    {}\n", error.phrase()));
    }
    for group in file.drift.iter().flat_map(|changes| &changes.groups) {
        group
            .added
            .iter()
            .for_each(|name| text.push_str(&format!("    +++ {name}\n")));
        group
            .removed
            .iter()
            .for_each(|name| text.push_str(&format!("    --- {name}\n")));
    }
    text
}

fn scan(context: &Context, paths: &[PathBuf], format: Format) -> Outcome {
    let mut report = Report::default();
    let mut looked_at = 0;
    for path in paths {
        let located = locate(path, &context.working_directory, None)?;
        let entries = survey(&*located.tree, &located.directory)?;
        looked_at += entries.len();
        for entry in &entries {
            let by_rule = hygiene::of_entry(entry);
            let other = by_rule
                .is_empty()
                .then(|| hygiene::of_plain(entry))
                .flatten();
            for finding in by_rule.into_iter().chain(other) {
                // A wrong `.sops.yaml` is found at each of its files.
                if !report.findings.iter().any(|known| known.is_as(&finding)) {
                    report.push(finding);
                }
            }
        }
    }
    if format == Format::Text {
        let found = report.findings.len();
        let stdout = format!("{looked_at} files: {found} findings\n").into_bytes();
        return Ok(Done {
            stdout,
            report,
            status: None,
        });
    }
    Ok(Done {
        stdout: findings::print(&report, format),
        status: Some(report.exit_status()),
        report: Report::default(),
    })
}

fn apply(context: &Context, change: &Change, kind: Kind) -> Outcome {
    let (located, entries) = change.place.survey(context)?;
    let root = located.tree.root();
    let path = |entry: &Entry| root.join(entry.file.path.as_str());
    let sealed = entries.iter().filter(|entry| entry.sealed.is_some());
    // Locked before they are read again, so that nobody writes between reading and writing.
    let locks = sealed.map(|entry| context.trusted.lock(&path(entry)));
    let _locks: Vec<Lock> = match change.yes {
        true => locks.collect::<Result<_>>()?,
        false => Vec::new(),
    };
    let entries = match change.yes {
        true => change.place.survey(context)?.1,
        false => entries,
    };
    let identities = identities::of_the_user(context, KeyCommands::Run);
    let steps = make(&entries, &identities, change, kind)?;
    let mut stdout: String = steps.iter().map(|step| shown(step, kind)).collect();
    if steps.is_empty() {
        stdout.push_str("nothing to change\n");
        return Ok(Done::from(stdout.into_bytes()));
    }
    if !change.yes {
        stdout.push_str(&format!(
            "{} files would change: --yes writes them\n",
            steps.len()
        ));
        return Ok(Done {
            stdout: stdout.into_bytes(),
            status: Some(ExitStatus::Check),
            ..Done::default()
        });
    }
    let count = steps.len();
    let files: Vec<_> = steps
        .into_iter()
        .map(|step| (path(step.entry), step.bytes))
        .collect();
    context.trusted.replace_all(&files, Audience::All)?;
    stdout.push_str(&format!("{count} files written\n"));
    Ok(Done::from(stdout.into_bytes()))
}

fn make<'a>(
    entries: &'a [Entry],
    identities: &Identities,
    change: &Change,
    kind: Kind,
) -> Result<Vec<Step<'a>>, Report> {
    let lock_out = match change.lock_out {
        true => LockOut::Allowed,
        false => LockOut::Refused,
    };
    let make_sealer = |work: &mut dyn FnMut(&mut Sealer<'_>)| {
        work(&mut Sealer {
            now: now(),
            random: &mut randomness,
        });
    };
    match kind {
        Kind::Keys => bulk::update_keys(entries, identities, lock_out, &make_sealer),
        Kind::Rotation => bulk::rotate(entries, identities, lock_out, &make_sealer),
    }
    .map_err(|report| not_written(report, kind))
}

/// Says that nothing was written where one file fails. What no identity opens is told once.
fn not_written(report: Report, kind: Kind) -> Report {
    let what = match kind {
        Kind::Keys => "no file is sealed for others",
        Kind::Rotation => "no data key is made anew",
    };
    let (closed, mut findings): (Vec<_>, Vec<_>) = report
        .findings
        .into_iter()
        .partition(|error| error.code() == Code::SopsNoIdentity);
    let count = closed.len();
    if let Some(first) = closed.into_iter().next() {
        let first = match count {
            1 => first,
            _ => first.note(format!("{} other files do not open either", count - 1)),
        };
        findings.push(first.help("leave a file out with --rule, or name one path"));
    }
    if let Some(last) = findings.pop() {
        findings.push(last.note(format!("{what}: all files change, or none")));
    }
    Report { findings }
}

fn shown(step: &Step<'_>, kind: Kind) -> String {
    let path = &step.entry.file.path;
    match kind {
        Kind::Rotation => format!("{path}: a new data key\n"),
        Kind::Keys => {
            let mut text = format!("{path}\n");
            let (has, wanted) = step.changes.threshold;
            if has != wanted {
                text.push_str(&format!("    shamir_threshold: {has} -> {wanted}\n"));
            }
            for group in &step.changes.groups {
                group
                    .added
                    .iter()
                    .for_each(|name| text.push_str(&format!("    +++ {name}\n")));
                group
                    .removed
                    .iter()
                    .for_each(|name| text.push_str(&format!("    --- {name}\n")));
            }
            text
        }
    }
}
