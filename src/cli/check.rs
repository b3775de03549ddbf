//! `check`: every finding on what a repository renders.

use std::path::PathBuf;

use super::findings::{self, Format};
use super::identities::{self, KeyCommands};
use super::{Context, Done, Outcome};
use crate::diagnostic::{Report, Result, Severity};
use crate::files::locate;
use crate::pipeline::checks::{self, Assumptions, Objects};
use crate::pipeline::overlays::Asked;
use crate::pipeline::values::{Opener, Overrides};

/// Renders and reports every finding. Sealed manifests are not opened.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directories of the root kustomizations
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    options: RootOptions,
}

/// What `check` and `flows` have in common.
#[derive(Debug, clap::Args)]
pub(super) struct RootOptions {
    /// The boundary that no file of the repository leads out of
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Use sets and overlays besides those of the project
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    overlays: Vec<String>,
}

impl RootOptions {
    /// The objects of one root.
    pub(super) fn objects(&self, context: &Context, path: &std::path::Path) -> Result<Objects> {
        let located = locate(path, &context.working_directory, self.root.as_deref())?;
        let identities = || identities::of_the_user(context, KeyCommands::Ignore);
        checks::objects(&Asked {
            files: &located.tree,
            directory: &located.directory,
            overrides: &Overrides::default(),
            opener: &Opener::new(&identities),
            names: &self.overlays,
            strict: false,
        })
    }
}

/// Runs the command. A root that cannot be rendered is a finding, and the others are still judged.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let mut report = Report::default();
    let mut judged = 0;
    for path in &arguments.paths {
        match arguments.options.objects(context, path) {
            Ok(objects) => {
                judged += objects.resources.len();
                let found = checks::findings(&objects, &Assumptions::default());
                report.findings.extend(found.findings);
            }
            Err(error) => report.push(error),
        }
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
