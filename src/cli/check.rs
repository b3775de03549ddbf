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

/// Judges one root: how many objects it has, and what is found.
fn judge(context: &Context, arguments: &Arguments, path: &Path) -> Result<(usize, Report), Report> {
    let flags = &arguments.root;
    flags.open(context, path, Secrets::Openable, |root, session| {
        let rendered = root.objects()?;
        let checks = session.project().map(|p| p.checks.clone());
        let assumptions = root.assumptions();
        let found = checks::findings(root, &checks.unwrap_or_default(), &rendered, &assumptions);
        Ok((rendered.resources.len(), found))
    })
}

/// Runs the command. A root that cannot be rendered is a finding, and the others are still judged.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let mut report = Report::default();
    let mut judged = 0;
    for path in &arguments.paths {
        let found = match judge(context, arguments, path) {
            Ok((objects, found)) => {
                judged += objects;
                found
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
