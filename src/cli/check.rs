//! `check`: every finding on what a repository renders.

use std::path::PathBuf;

use super::admit::VersionArguments;
use super::findings::{self, Format};
use super::root::RootArguments;
use super::{Context, Done, Outcome};
use crate::cluster::{Cluster, checks};
use crate::diagnostic::{Report, Severity};
use crate::secrets::hygiene;

/// Renders and reports every finding. Sealed manifests are opened where an identity fits.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Directories of root kustomizations, or with such directories below them, which are judged together
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    versions: VersionArguments,
    #[command(flatten)]
    root: RootArguments,
}

/// Runs the command. A root that cannot be rendered is a finding, and the others are still judged.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let mut cluster = Cluster {
        versions: arguments.versions.find()?,
        ..Cluster::default()
    };
    for path in &arguments.paths {
        cluster.join(arguments.root.cluster(context, path)?);
    }
    let mut report = checks::findings(&cluster, arguments.root.is_strict());
    for path in &arguments.paths {
        let located = arguments.root.located(context, path)?;
        for finding in hygiene::of_tree(&*located.tree, &located.directory)? {
            if !report.findings.iter().any(|known| known.is_as(&finding)) {
                report.push(finding);
            }
        }
    }
    if arguments.format != Format::Text {
        return Ok(Done {
            stdout: findings::print(&report, arguments.format),
            status: Some(report.exit_status()),
            report: Report::default(),
        });
    }
    Ok(Done {
        stdout: summary(&report, &cluster).into_bytes(),
        report,
        status: None,
    })
}

/// The last line: how much was judged, and what was found.
fn summary(report: &Report, cluster: &Cluster) -> String {
    let count = cluster.count();
    let objects = cluster
        .landed()
        .map(|(_, root)| root.landed.resources.len());
    let objects: usize = objects.sum();
    let of = |severity| {
        let findings = report.findings.iter();
        findings.filter(|f| f.severity() == severity).count()
    };
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let roots = match count.all() {
        1 => String::new(),
        all => format!(" of {all} roots"),
    };
    let gaps = match (count.skipped, count.failed) {
        (0, 0) => String::new(),
        (skipped, failed) => {
            format!(
                " ({} landed, {skipped} skipped, {failed} failed)",
                count.landed
            )
        }
    };
    let unjudged: usize = checks::without_schema(cluster).values().sum();
    let unjudged = match unjudged {
        0 => String::new(),
        some => format!(", {some} objects without a schema"),
    };
    format!("{objects} objects{roots}{gaps}: {errors} errors, {warnings} warnings{unjudged}\n")
}
