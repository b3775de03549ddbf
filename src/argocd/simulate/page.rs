//! What the user of Argo CD would see, as text.

use std::fmt::Write as _;

use serde_json::Value;

use super::server::Noted;
use crate::argocd::application::SourceKind;
use crate::argocd::wire::object::{name, namespace, text};
use crate::argocd::wire::print;
use crate::diagnostic::{Code, Diagnostic, Report, Result};

/// An Application as the host sees it.
#[derive(Debug, Default)]
pub struct HostView {
    pub(super) name: String,
    pub(super) project: String,
    pub(super) sources: Vec<SeenSource>,
    pub(super) objects: Vec<Value>,
    pub(super) repeated: Vec<(String, usize)>,
    pub(super) warnings: Vec<Diagnostic>,
}

/// A source as the host sees it.
#[derive(Debug, Default)]
pub struct SeenSource {
    pub(super) directory: String,
    pub(super) kind: Option<SourceKind>,
    pub(super) plugin: String,
    pub(super) merged: Vec<String>,
    pub(super) noted: Noted,
    pub(super) announcements: Vec<Value>,
    /// Why there are no announcements.
    pub(super) parameters_fail: Option<String>,
}

/// The page of the Application: facts, then its objects.
pub fn page(seen: &HostView) -> String {
    let mut page = String::new();
    line(
        &mut page,
        "application",
        &format!("{}, project {}", seen.name, seen.project),
    );
    for source in &seen.sources {
        source.write(&mut page);
    }
    line(&mut page, "objects", &seen.objects.len().to_string());
    if !seen.objects.is_empty() {
        page.push('\n');
        table(&mut page, &seen.objects);
    }
    let log: String = seen
        .sources
        .iter()
        .map(|source| &*source.noted.log)
        .collect();
    if !log.trim().is_empty() {
        page.push_str("\nin the sidecar's log only:\n");
        for line in log.trim_end().lines() {
            // Writing to a String does not fail.
            let _ = writeln!(page, "  {line}");
        }
    }
    page
}

fn line(page: &mut String, label: &str, words: &str) {
    let _ = writeln!(page, "{label:<12}{words}");
}

impl SeenSource {
    fn write(&self, page: &mut String) {
        let built = match self.kind {
            Some(SourceKind::Plugin) | None => format!("plugin {}", self.plugin),
            Some(kind) => kind.name().to_owned(),
        };
        line(page, "source", &format!("{}, {built}", self.directory));
        if !self.merged.is_empty() {
            line(page, "merged", &self.merged.join(", "));
        }
        if self.kind == Some(SourceKind::Plugin) {
            self.write_plugin(page);
        }
    }

    fn write_plugin(&self, page: &mut String) {
        let Noted {
            sent,
            sent_root,
            streams,
            packing,
            took,
            discovery,
            ..
        } = &self.noted;
        let times = match streams {
            1 => "once".to_owned(),
            more => format!("{more} times"),
        };
        let part = match &**sent_root {
            "." => "the repository",
            part => part,
        };
        let size = size(sent.size_bytes);
        line(
            page,
            "sent",
            &format!("{part}: {} files, {size}; {times} a render", sent.files),
        );
        line(page, "discovery", discovery);
        let announced = match self.announcements.len() {
            0 => "none announced".to_owned(),
            count => {
                let names = names(&self.announcements).join(", ");
                format!("{count} announced: {names}")
            }
        };
        line(page, "parameters", &announced);
        let (took, packing) = (took.as_secs(), packing.as_secs());
        line(
            page,
            "took",
            &format!("{took} s; packing and unpacking {packing} s"),
        );
    }
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
fn table(page: &mut String, objects: &[Value]) {
    let row = |object: &Value| {
        [
            text(object, &["apiVersion"]).to_owned(),
            text(object, &["kind"]).to_owned(),
            namespace(object).to_owned(),
            name(object).to_owned(),
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

impl HostView {
    /// The objects as the host has them, as YAML.
    pub fn to_yaml(&self) -> Result<Vec<u8>> {
        print::documents(&self.objects)
    }

    /// The objects as the host has them.
    pub fn objects(&self) -> &[Value] {
        &self.objects
    }

    /// What the host warns of, and what it does without a warning.
    pub fn warnings(&self) -> Report {
        let mut report = Report {
            findings: self.warnings.clone(),
        };
        let mut warn = |phrase: String| report.push(Diagnostic::warning(Code::HostWarning, phrase));
        for (key, count) in &self.repeated {
            warn(format!(
                "RepeatedResourceWarning: Resource {key} appeared {count} times among application resources."
            ));
        }
        for (object, retyped) in self.sources.iter().flat_map(|source| &source.noted.retyped) {
            warn(format!(
                "{} of {object} is {} to Argo CD, which reads YAML 1.1",
                retyped.path, retyped.becomes
            ));
        }
        if self.objects.is_empty() {
            warn("there are no objects: with automated pruning Argo CD deletes all that it applied before".to_owned());
        }
        for words in self
            .sources
            .iter()
            .filter_map(|source| source.parameters_fail.as_ref())
        {
            warn(format!("the page shows no parameters: {words}"));
        }
        report
    }
}
