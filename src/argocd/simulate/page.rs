//! What the user of Argo CD would see, as text.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use super::received::{Received, text};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::Replica;
use crate::yaml::{self, Node};

/// A render as the host sees it.
#[derive(Debug, Default)]
pub struct Seen {
    pub(super) name: String,
    pub(super) project: String,
    pub(super) plugin: String,
    pub(super) directory: String,
    pub(super) merged: Vec<String>,
    pub(super) discovery: String,
    pub(super) streams: u32,
    pub(super) sent: Replica,
    pub(super) sent_root: String,
    pub(super) took: Duration,
    pub(super) log: String,
    pub(super) stdout: Vec<u8>,
    pub(super) received: Received,
    pub(super) announcements: Vec<Value>,
    /// Why there are no announcements.
    pub(super) parameters_fail: Option<String>,
}

/// The page of the Application: facts, then its objects.
pub fn page(seen: &Seen) -> String {
    let mut page = String::new();
    let mut line = |label: &str, words: String| {
        // Writing to a String does not fail.
        let _ = writeln!(page, "{label:<12}{words}");
    };
    let Seen {
        name,
        project,
        plugin,
        directory,
        sent,
        ..
    } = seen;
    line("application", format!("{name}, project {project}"));
    line("source", format!("{directory}, plugin {plugin}"));
    if !seen.merged.is_empty() {
        line("merged", seen.merged.join(", "));
    }
    let times = match seen.streams {
        1 => "once".to_owned(),
        more => format!("{more} times"),
    };
    line(
        "sent",
        format!(
            "{}: {} files, {}; {times} a render",
            match &*seen.sent_root {
                "." => "the repository",
                part => part,
            },
            sent.files,
            size(sent.size_bytes)
        ),
    );
    line("discovery", seen.discovery.clone());
    line(
        "parameters",
        match seen.announcements.len() {
            0 => "none announced".to_owned(),
            count => format!(
                "{count} announced: {}",
                names(&seen.announcements).join(", ")
            ),
        },
    );
    line("took", format!("{} s", seen.took.as_secs()));
    let objects = &seen.received.objects;
    line("objects", objects.len().to_string());
    if !objects.is_empty() {
        page.push('\n');
        table(&mut page, objects);
    }
    if !seen.log.trim().is_empty() {
        page.push_str("\nin the sidecar's log only:\n");
        for line in seen.log.trim_end().lines() {
            let _ = writeln!(page, "  {line}");
        }
    }
    page
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

fn names(announcements: &[Value]) -> Vec<&str> {
    let named = announcements.iter().filter_map(|one| one.get("name"));
    named.filter_map(Value::as_str).collect()
}

/// Group and kind, namespace and name of each object.
fn table(page: &mut String, objects: &[Node]) {
    let row = |object: &Node| {
        [
            text(object, &["apiVersion"]).to_owned(),
            text(object, &["kind"]).to_owned(),
            text(object, &["metadata", "namespace"]).to_owned(),
            text(object, &["metadata", "name"]).to_owned(),
        ]
    };
    let mut rows = vec![["APIVERSION", "KIND", "NAMESPACE", "NAME"].map(str::to_owned)];
    rows.extend(objects.iter().map(row));
    let width = |column: usize| rows.iter().map(|r| r[column].len()).max().unwrap_or(0);
    let widths = [0, 1, 2].map(width);
    for [version, kind, namespace, name] in &rows {
        let [a, b, c] = widths;
        let _ = writeln!(page, "{version:<a$}  {kind:<b$}  {namespace:<c$}  {name}");
    }
}

impl Seen {
    /// The objects as the host has them, as YAML.
    pub fn to_yaml(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for (index, object) in self.received.objects.iter().enumerate() {
            if index > 0 {
                bytes.extend_from_slice(b"---\n");
            }
            yaml::write_manifest(&mut bytes, object).map_err(|_| {
                let phrase = "an object holds a value that cannot be written";
                Diagnostic::new(Code::YamlValue, phrase)
            })?;
        }
        Ok(bytes)
    }

    /// What the host warns of, and what it does without a warning.
    pub fn warnings(&self) -> Report {
        let mut report = Report::default();
        let mut warn = |phrase: String| report.push(Diagnostic::warning(Code::HostWarning, phrase));
        for (key, count) in &self.received.repeated {
            warn(format!(
                "RepeatedResourceWarning: Resource {key} appeared {count} times among application resources."
            ));
        }
        for retyped in &self.received.retyped {
            warn(format!(
                "{} of {} is {} to Argo CD, which reads YAML 1.1",
                retyped.path, retyped.object, retyped.becomes
            ));
        }
        if self.received.objects.is_empty() {
            warn("there are no objects: with automated pruning Argo CD deletes all that it applied before".to_owned());
        }
        if let Some(words) = &self.parameters_fail {
            warn(format!("the page shows no parameters: {words}"));
        }
        report
    }
}
