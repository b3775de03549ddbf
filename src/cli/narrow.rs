//! Which findings of `check` are told: flags, a baseline, and comments in manifests.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::Value;

use super::Context;
use crate::cluster::Cluster;
use crate::diagnostic::{Code, Diagnostic, Origin, Place, Report, Result, Severity, nearest};
use crate::files::{Files, TreePath};

/// Leaves findings out.
#[derive(Debug, clap::Args)]
pub(crate) struct Narrow {
    /// Report findings of this code only; may be given more than once
    #[arg(long, value_name = "CODE")]
    only: Vec<String>,
    /// The least grave findings that are reported
    #[arg(long, value_enum)]
    severity: Option<Least>,
    /// Leave out the findings of an earlier run, as `--format json` printed them
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Least {
    Error,
    Warning,
}

impl Narrow {
    /// Leaves out what the flags say. Fails on a code that is not known, and on a baseline that is not one.
    pub(super) fn apply(&self, context: &Context, report: &mut Report) -> Result<()> {
        let only: Vec<Code> = self
            .only
            .iter()
            .map(|name| code(name))
            .collect::<Result<_>>()?;
        let known = self.known(context)?;
        report.findings.retain(|finding| {
            let is_wanted = only.is_empty() || only.contains(&finding.code());
            let is_grave =
                self.severity != Some(Least::Error) || finding.severity() == Severity::Error;
            is_wanted && is_grave && !known.contains(&identity(finding))
        });
        Ok(())
    }

    fn known(&self, context: &Context) -> Result<BTreeSet<Identity>> {
        let Some(path) = &self.baseline else {
            return Ok(BTreeSet::new());
        };
        let bytes = context.trusted.read(path)?;
        let Ok(Value::Array(findings)) = serde_json::from_slice(&bytes) else {
            let phrase = format!("{} is not a list of findings", path.display());
            return Err(Diagnostic::new(Code::Usage, phrase)
                .help("make it with `plugin check --format json`"));
        };
        let text =
            |finding: &Value, field: &str| finding[field].as_str().unwrap_or_default().to_owned();
        let row = |finding: &Value| {
            (
                text(finding, "code"),
                text(finding, "message"),
                text(finding, "file"),
            )
        };
        Ok(findings.iter().map(row).collect())
    }
}

/// What a finding stays when lines move.
type Identity = (String, String, String);

fn identity(finding: &Diagnostic) -> Identity {
    let file = finding.place().map_or("", |place| &place.file);
    (
        finding.code().name().to_owned(),
        finding.phrase().to_owned(),
        file.to_owned(),
    )
}

fn code(name: &str) -> Result<Code> {
    let mut all = Code::ALL.iter();
    all.find(|code| code.name() == name)
        .copied()
        .ok_or_else(|| {
            let finding =
                Diagnostic::new(Code::Usage, format!("{name} is not the code of a finding"));
            match nearest(name, Code::ALL.iter().map(|code| code.name())) {
                Some(near) => finding.help(format!("did you mean {near}?")),
                None => finding,
            }
        })
}

/// What a comment starts with that leaves a finding out: `# prerender: ignore CODE reason`.
const MARKER: &str = "# prerender: ignore ";

/// A comment that leaves a finding out.
struct Comment {
    code: String,
    file: String,
    /// The lines it is about: its own, and the one after it.
    lines: [u32; 2],
    has_reason: bool,
    is_used: bool,
}

/// Leaves out the findings that comments in manifests are about, and tells of comments that are about none.
pub(super) fn by_comments(cluster: &Cluster, files: &dyn Files, report: &mut Report) {
    let mut comments: Vec<Comment> = sources(cluster)
        .into_iter()
        .flat_map(|path| comments_of(files, &path))
        .collect();
    report.findings.retain(|finding| {
        let comment = comments
            .iter_mut()
            .find(|comment| comment.is_about(finding));
        comment.map(|comment| comment.is_used = true).is_none()
    });
    for comment in comments.iter().filter(|comment| !comment.is_used) {
        report.push(comment.useless());
    }
}

impl Comment {
    fn is_about(&self, finding: &Diagnostic) -> bool {
        self.has_reason
            && self.code == finding.code().name()
            && finding
                .place()
                .is_some_and(|place| *place.file == *self.file && self.lines.contains(&place.line))
    }

    fn useless(&self) -> Diagnostic {
        let phrase = match self.has_reason {
            true => format!(
                "a comment ignores {}, and there is no such finding at it",
                self.code
            ),
            false => format!("a comment ignores {} without a reason", self.code),
        };
        Diagnostic::warning(Code::SuppressionUseless, phrase)
            .at(Place::new(self.file.as_str(), self.lines[0], 0))
            .help("write `# prerender: ignore CODE reason` at the end of the line, or on the line before it")
    }
}

/// The files that objects were written in.
fn sources(cluster: &Cluster) -> BTreeSet<String> {
    let resources = cluster
        .landed()
        .flat_map(|(_, judged)| judged.landed.resources.iter());
    let committed = resources.filter_map(|resource| resource.source());
    committed
        .filter(|source| source.origin == Origin::Committed)
        .map(|source| source.path.to_string())
        .collect()
}

fn comments_of(files: &dyn Files, path: &str) -> Vec<Comment> {
    let file = TreePath::parse(path).and_then(|path| files.read(&path).ok());
    let Some(file) = file else { return Vec::new() };
    let text = String::from_utf8_lossy(&file.bytes);
    let mut comments = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let Some((_, rest)) = content.split_once(MARKER) else {
            continue;
        };
        let (code, reason) = rest
            .trim()
            .split_once(char::is_whitespace)
            .unwrap_or((rest.trim(), ""));
        comments.push(Comment {
            code: code.to_owned(),
            file: path.to_owned(),
            lines: [line, line + 1],
            has_reason: !reason.trim().is_empty(),
            is_used: false,
        });
    }
    comments
}
