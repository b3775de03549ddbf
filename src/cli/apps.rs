//! `apps`: every root of a cluster, its host and its inputs, and which of them a change reaches.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::root::RootArguments;
use super::{Context, Done, Outcome};
use crate::cluster::{Cluster, Host, Root, State, by_cause, shown};
use crate::diagnostic::{Code, Diagnostic, Report, Result, Severity};
use crate::files::{Files, Kind, TreePath};
use crate::programs::{Environment, Process};

/// Lists what is applied: every root, its host, and where its files are.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the cluster begins, or a directory with such places below it
    #[arg(default_value = ".")]
    path: PathBuf,
    /// List the files that each root reads, and the places where it looks for one
    #[arg(long, conflicts_with = "paths")]
    inputs: bool,
    /// Only the roots that the changes since a commit reach
    #[arg(long, value_name = "REV", conflicts_with = "changed_files")]
    changed: Option<String>,
    /// Only the roots that some files reach, one path a line, from the top of the repository; - for standard input
    #[arg(long, value_name = "FILE")]
    changed_files: Option<PathBuf>,
    /// Print what Argo CD's annotation manifest-generate-paths would list
    #[arg(long)]
    paths: bool,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    root: RootArguments,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A line for each root
    #[default]
    Table,
    /// A list of objects
    Json,
}

/// Lists the roots. What is wrong with one of them is for `check` to report.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let flags = &arguments.root;
    let located = flags.located(context, &arguments.path)?;
    let changed = changed(context, arguments, located.tree.root())?;
    let cluster = flags.cluster(context, &arguments.path)?;
    let tree = &located.tree;
    let is_directory = |path: &TreePath| matches!(tree.kind(path), Ok(Some(Kind::Directory)));
    let is_reached = |root: &&Root| match &changed {
        Some(changed) => changed
            .iter()
            .any(|path| root.inputs.reach(path, is_directory)),
        None => true,
    };
    let roots: Vec<&Root> = cluster.roots.iter().filter(is_reached).collect();
    let is_there = |path: &TreePath| matches!(tree.kind(path), Ok(Some(Kind::File)));
    let stdout = match arguments.format {
        Format::Json => json_of(arguments, &roots, &is_there),
        Format::Table => text_of(arguments, &roots, &is_there),
    };
    Ok(Done {
        stdout: stdout.into_bytes(),
        report: by_cause(about_none(&cluster)),
        status: None,
    })
}

/// What is about no single root: roots that are wrong are listed as such.
fn about_none(cluster: &Cluster) -> Report {
    let findings = cluster.report.findings.iter().cloned();
    let as_warnings = findings.map(|finding| finding.with_severity(Severity::Warning));
    Report {
        findings: as_warnings.collect(),
    }
}

/// The files that were changed, where that is asked.
fn changed(context: &Context, arguments: &Arguments, top: &Path) -> Result<Option<Vec<TreePath>>> {
    if let Some(revision) = &arguments.changed {
        return since(revision, top).map(Some);
    }
    let Some(file) = &arguments.changed_files else {
        return Ok(None);
    };
    let bytes = match file.as_os_str().to_str() {
        Some("-") => context.trusted.read_stream(Path::new("/dev/stdin"))?,
        _ => context
            .trusted
            .read(&context.working_directory.join(file))?,
    };
    let text = String::from_utf8_lossy(&bytes);
    Ok(Some(text.lines().filter_map(TreePath::parse).collect()))
}

/// The files that differ from a commit, those that Git does not know yet among them.
fn since(revision: &str, top: &Path) -> Result<Vec<TreePath>> {
    if revision.starts_with('-') {
        let phrase = format!("--changed {revision} is not a commit");
        return Err(Diagnostic::new(Code::Usage, phrase));
    }
    let environment = Environment::of_the_invoker();
    let git = |arguments: &[&str]| {
        let process = Process {
            program: "git".as_ref(),
            arguments: arguments.iter().map(|a| (*a).to_owned()).collect(),
            environment: &environment,
            variables: Vec::new(),
            temporary: None,
            directory: Some(top),
            input: &[],
            limit: None,
        };
        process.run()
    };
    let differ = git(&[
        "diff",
        "--name-only",
        "--no-renames",
        "--relative",
        "-z",
        revision,
        "--",
    ])?;
    let new = git(&["ls-files", "--others", "--exclude-standard", "-z"])?;
    let names = |bytes: Vec<u8>| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.split('\0')
            .filter_map(TreePath::parse)
            .collect::<Vec<_>>()
    };
    Ok([names(differ), names(new)].concat())
}

fn text_of(arguments: &Arguments, roots: &[&Root], is_there: &dyn Fn(&TreePath) -> bool) -> String {
    let mut text = String::new();
    let width = |column: fn(&Root) -> usize| roots.iter().map(|r| column(r)).max().unwrap_or(0);
    let wide = width(|root| shown(&root.directory).len());
    for root in roots {
        let directory = shown(&root.directory);
        let state = match root.outcome.state() {
            State::Landed => "",
            State::Skipped => "  (skipped)",
            State::Failed => "  (failed)",
        };
        let by = root.applied_by.as_deref().unwrap_or_default();
        let line = format!("{:<6}  {directory:<wide$}  {by}{state}", root.host.name());
        text.push_str(line.trim_end());
        text.push('\n');
        if arguments.inputs {
            for path in root.inputs.files(is_there) {
                text.push_str(&format!("        {path}\n"));
            }
        }
        if arguments.paths {
            text.push_str(&format!("        {}\n", generate_paths(root, is_there)));
        }
    }
    text
}

/// The value of Argo CD's annotation: paths from the top of the repository, with `;` between them.
fn generate_paths(root: &Root, is_there: &dyn Fn(&TreePath) -> bool) -> String {
    let directories = root.inputs.directories(is_there);
    let paths = directories.iter().map(|path| format!("/{path}"));
    paths.collect::<Vec<_>>().join(";")
}

fn json_of(arguments: &Arguments, roots: &[&Root], is_there: &dyn Fn(&TreePath) -> bool) -> String {
    let one = |root: &&Root| {
        let mut object = json!({
            "host": root.host.name(),
            "appliedBy": root.applied_by,
            "path": shown(&root.directory),
            "cluster": root.cluster,
            "state": root.outcome.state().name(),
        });
        let texts = |paths: Vec<&TreePath>| {
            let texts = paths.into_iter().map(|p| Value::from(p.as_str()));
            Value::from(texts.collect::<Vec<_>>())
        };
        if arguments.inputs {
            object["inputs"] = texts(root.inputs.files(is_there));
            object["lookedFor"] = texts(root.inputs.files(|path| !is_there(path)));
        }
        if arguments.paths || (root.host == Host::ArgoCd && arguments.inputs) {
            object["generatePaths"] = Value::from(generate_paths(root, is_there));
        }
        object
    };
    let list: Vec<Value> = roots.iter().map(one).collect();
    format!("{:#}\n", Value::from(list))
}
