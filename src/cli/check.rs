//! `check`: every finding on what a repository renders.

use std::path::{Path, PathBuf};

use super::findings::{self, Format};
use super::root::RootArguments;
use super::{Context, Done, Outcome};
use crate::diagnostic::{Code, Diagnostic, Report, Severity};
use crate::pipeline::Secrets;
use crate::pipeline::checks;

/// Renders and reports every finding. Sealed manifests are opened where an identity fits.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directories of the root kustomizations
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    root: RootArguments,
}

/// What is told of one root.
struct Judged {
    /// How many objects it has.
    objects: usize,
    found: Report,
    /// What the series begin with that it makes.
    series: Vec<String>,
}

/// Judges one root beside others, which make `series`.
fn judge(
    context: &Context,
    arguments: &Arguments,
    path: &Path,
    series: &[String],
) -> Result<Judged, Report> {
    let flags = &arguments.root;
    flags.open(context, path, Secrets::Openable, |root, session| {
        let rendered = root.objects()?;
        let checks = session.project().map(|p| p.checks.clone());
        let mut assumptions = root.assumptions();
        assumptions.series.extend_from_slice(series);
        let found = checks::findings(root, &checks.unwrap_or_default(), &rendered, &assumptions);
        Ok(Judged {
            objects: rendered.resources.len(),
            found,
            series: checks::series_of(&rendered.resources),
        })
    })
}

/// Judges every root. One that reads metrics which nothing makes is judged once more, with the custom queries
/// of all.
fn judge_all(context: &Context, arguments: &Arguments) -> Vec<Result<Judged, Report>> {
    let paths = &arguments.paths;
    let mut all: Vec<_> = paths
        .iter()
        .map(|path| judge(context, arguments, path, &[]))
        .collect();
    let made: Vec<String> = all
        .iter()
        .flatten()
        .flat_map(|j| j.series.iter().cloned())
        .collect();
    let has_dead = |judged: &Judged| {
        let mut found = judged.found.findings.iter();
        judged.series.len() < made.len() && found.any(|f| f.code() == Code::MetricDead)
    };
    for (path, judged) in paths.iter().zip(&mut all) {
        if judged.as_ref().is_ok_and(has_dead) {
            *judged = judge(context, arguments, path, &made);
        }
    }
    all
}

/// Runs the command. A root that cannot be rendered is a finding, and the others are still judged.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let mut report = Report::default();
    let mut judged = 0;
    for root in judge_all(context, arguments) {
        let found = match root {
            Ok(root) => {
                judged += root.objects;
                root.found
            }
            Err(errors) => errors,
        };
        // What is true of the whole project is told once.
        let told = |finding: &Diagnostic| {
            finding.code() == Code::ValuesMissing
                && report
                    .findings
                    .iter()
                    .any(|f| f.phrase() == finding.phrase())
        };
        let new: Vec<_> = found.findings.into_iter().filter(|f| !told(f)).collect();
        report.findings.extend(new);
    }
    if arguments.format != Format::Text {
        return Ok(Done {
            stdout: findings::print(&report, arguments.format),
            status: Some(report.exit_status()),
            report: Report::default(),
        });
    }
    let of = |severity| {
        report
            .findings
            .iter()
            .filter(|f| f.severity() == severity)
            .count()
    };
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let summary = format!("{judged} objects: {errors} errors, {warnings} warnings\n");
    Ok(Done {
        stdout: summary.into_bytes(),
        report,
        status: None,
    })
}
