//! `check`: every finding on what a repository renders.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::findings::{self, Format};
use super::root::RootArguments;
use super::{Context, Done, Outcome};
use crate::cluster::checks;
use crate::diagnostic::{Code, Place, Report, Severity};
use crate::pipeline::Root;
use crate::secrets::Secrets;

/// Renders and reports every finding. Sealed manifests are opened where an identity fits.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Directories of root kustomizations, or with such directories below them, each of which is judged
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

impl Judged {
    /// Whether it reads metrics that nothing makes, where the roots together make more than it does.
    fn has_dead_metrics(&self, made: &[String]) -> bool {
        let mut found = self.found.findings.iter();
        self.series.len() < made.len() && found.any(|f| f.code() == Code::MetricDead)
    }
}

/// Judges one root beside others, which make `series`.
fn judge(root: &Root<'_>, series: &[String]) -> Result<Judged, Report> {
    let rendered = root.landed()?;
    let checks = root.checks().cloned().unwrap_or_default();
    let mut assumptions = root.assumptions();
    assumptions.series.extend_from_slice(series);
    Ok(Judged {
        objects: rendered.resources.len(),
        found: checks::findings(root, &checks, &rendered, &assumptions),
        series: checks::series_of(&rendered.resources),
    })
}

/// Judges every root at the paths.
fn judge_each(
    context: &Context,
    arguments: &Arguments,
    series: &[String],
) -> Result<Vec<Result<Judged, Report>>, Report> {
    let mut all = Vec::new();
    for path in &arguments.paths {
        let judge = |root: &Root<'_>| judge(root, series);
        all.extend(
            arguments
                .root
                .each(context, path, Secrets::Openable, judge)?,
        );
    }
    Ok(all)
}

/// Judges every root; once more, with the custom queries of all, where one reads metrics that nothing makes.
fn judge_all(
    context: &Context,
    arguments: &Arguments,
) -> Result<Vec<Result<Judged, Report>>, Report> {
    let all = judge_each(context, arguments, &[])?;
    let made = all.iter().flatten().flat_map(|j| j.series.iter().cloned());
    let made: Vec<String> = made.collect();
    match all.iter().flatten().any(|j| j.has_dead_metrics(&made)) {
        true => judge_each(context, arguments, &made),
        false => Ok(all),
    }
}

/// Runs the command. A root that cannot be rendered is a finding, and the others are still judged.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let (mut report, mut told) = (Report::default(), BTreeSet::new());
    let all = judge_all(context, arguments)?;
    let (roots, mut judged) = (all.len(), 0);
    for root in all {
        let found = match root {
            Ok(root) => {
                judged += root.objects;
                root.found
            }
            Err(errors) => errors,
        };
        tell(&mut report, &mut told, found);
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
    let of = match roots {
        1 => String::new(),
        _ => format!(" of {roots} roots"),
    };
    let summary = format!("{judged} objects{of}: {errors} errors, {warnings} warnings\n");
    Ok(Done {
        stdout: summary.into_bytes(),
        report,
        status: None,
    })
}

/// A finding as it is told: its code, phrase and place.
type Told = (Code, String, Option<Place>);

/// Adds what was found on one more root. What is true of the whole project, or of a file that several roots
/// share, is told once.
fn tell(report: &mut Report, told: &mut BTreeSet<Told>, found: Report) {
    for finding in found.findings {
        let is_shared = finding.code() == Code::ValuesMissing;
        let place = finding.place().filter(|_| !is_shared).cloned();
        if told.insert((finding.code(), finding.phrase().to_owned(), place)) {
            report.push(finding);
        }
    }
}
