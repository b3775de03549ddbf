//! `check`: every finding on what a repository renders.

use std::path::PathBuf;

use super::admit::{self, VersionArguments};
use super::findings::{self, Format};
use super::narrow::{self, Narrow};
use super::root::RootArguments;
use super::{Context, Done, Outcome};
use crate::admission::{self, Judge};
use crate::argocd::sync::Apply;
use crate::cluster::{Cluster, by_cause, checks, levels, sync};
use crate::diagnostic::{Report, Severity};
use crate::files::{Files, Kind, TreePath};
use crate::kube::ResMap;
use crate::kustomize::Level;
use crate::secrets::hygiene;

/// Renders and reports every finding. Sealed manifests are opened where an identity fits.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Directories of root kustomizations, or with such directories below them, which are judged together; a file
    /// means the roots that read it
    #[arg(
        default_value = ".",
        default_value_if("file", clap::builder::ArgPredicate::IsPresent, None)
    )]
    paths: Vec<PathBuf>,
    /// Say what Argo CD will never call Synced, by the way in which it applies the roots that no Application names
    #[arg(long, value_enum, value_name = "MODE")]
    argocd_apply: Option<ArgoCdApply>,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Say what each root would be at another kustomize, object by object
    #[arg(long)]
    levels: bool,
    #[command(flatten)]
    versions: VersionArguments,
    #[command(flatten)]
    narrow: Narrow,
    /// Judge the objects of a file by themselves, as they are written; nothing else is rendered unless PATHS are given
    #[arg(short, long, value_name = "FILE", num_args = 1..)]
    file: Vec<PathBuf>,
    #[command(flatten)]
    root: RootArguments,
}

/// How Argo CD applies and compares.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ArgoCdApply {
    /// Client-side apply, as by default
    Client,
    /// syncOptions: [ServerSideApply=true]
    Server,
    /// The same, with the annotation compare-options: ServerSideDiff=true
    ServerDiff,
}

impl From<ArgoCdApply> for Apply {
    fn from(apply: ArgoCdApply) -> Self {
        match apply {
            ArgoCdApply::Client => Self::Client,
            ArgoCdApply::Server => Self::Server,
            ArgoCdApply::ServerDiff => Self::ServerDiff,
        }
    }
}

/// Runs the command. A root that cannot be rendered is a finding, and the others are still judged.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let (cluster, mut report) = judged(context, arguments)?;
    let synced = sync::findings(&cluster, arguments.argocd_apply.map(Apply::from));
    report.findings.extend(synced.findings);
    for path in &arguments.paths {
        let located = arguments.root.located(context, path)?;
        if located.tree.kind(&located.directory)? != Some(Kind::Directory) {
            continue;
        }
        for finding in hygiene::of_tree(&*located.tree, &located.directory)? {
            if !report.findings.iter().any(|known| known.is_as(&finding)) {
                report.push(finding);
            }
        }
    }
    if arguments.levels {
        report.findings.extend(levels(context, arguments)?.findings);
    }
    if let Some(path) = arguments.paths.first() {
        let located = arguments.root.located(context, path)?;
        narrow::by_comments(&cluster, &*located.tree, &mut report);
    }
    let (single, found) = written(context, arguments)?;
    report.findings.extend(found.findings);
    arguments.narrow.apply(context, &mut report)?;
    if arguments.format != Format::Text {
        let wraps = arguments.argocd_apply.is_some() && arguments.format == Format::Json;
        let stdout = match wraps {
            true => findings::json_of_apply(&report, arguments.argocd_apply),
            false => findings::print(&report, arguments.format),
        };
        return Ok(Done {
            stdout,
            status: Some(report.exit_status()),
            report: Report::default(),
        });
    }
    Ok(Done {
        stdout: summary(&report, &cluster, single).into_bytes(),
        report,
        status: None,
    })
}

/// What the newest kustomize makes other than the oldest.
fn levels(context: &Context, arguments: &Arguments) -> Result<Report, Report> {
    let mut report = Report::default();
    for path in &arguments.paths {
        let at = |level| arguments.root.at_level(level).cluster(context, path);
        let [old, new] = Level::ALL;
        let compared = levels::compare((&at(old)?, old), (&at(new)?, new));
        report.findings.extend(compared.findings);
    }
    Ok(report)
}

/// The objects of single files, how many they are, and the findings on them.
fn written(context: &Context, arguments: &Arguments) -> Result<(usize, Report), Report> {
    let mut objects = ResMap::new();
    for file in &arguments.file {
        admit::resources(context, file)?
            .into_iter()
            .for_each(|one| objects.push_unchecked(one));
    }
    let judge = Judge::new(arguments.versions.find()?);
    Ok((objects.len(), admission::judge_written(&objects, judge)))
}

/// What is applied from the paths, and every finding on it. A file means the roots that read it.
fn judged(context: &Context, arguments: &Arguments) -> Result<(Cluster, Report), Report> {
    let (flags, mut files) = (&arguments.root, Vec::new());
    let mut cluster = Cluster {
        versions: arguments.versions.find()?,
        ..Cluster::default()
    };
    for path in &arguments.paths {
        let located = flags.located(context, path)?;
        match located.tree.kind(&located.directory)? {
            Some(Kind::File) => files.push(located),
            _ => cluster.join(flags.cluster(context, path)?),
        }
    }
    let mut report = checks::findings(&cluster, flags.is_strict());
    if let Some(first) = files.first() {
        let mut all = flags.cluster(context, first.tree.root())?;
        all.versions = cluster.versions;
        let found = checks::findings(&all, flags.is_strict());
        let files: Vec<TreePath> = files.into_iter().map(|file| file.directory).collect();
        all.keep_readers_of(&files);
        let about = found
            .findings
            .into_iter()
            .filter(|finding| all.is_about(finding));
        report.findings.extend(about);
        cluster.join(all);
    }
    Ok((cluster, by_cause(report)))
}

/// The last line: how much was judged, and what was found.
fn summary(report: &Report, cluster: &Cluster, single: usize) -> String {
    let count = cluster.count();
    let objects = cluster
        .landed()
        .map(|(_, root)| root.landed.resources.len());
    let objects: usize = objects.sum::<usize>() + single;
    let of = |severity| {
        let findings = report.findings.iter();
        findings.filter(|f| f.severity() == severity).count()
    };
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let roots = match count.all() {
        0 | 1 => String::new(),
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
