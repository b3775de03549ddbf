//! The program under the name `flux`: `build kustomization` and `build artifact`, which need no cluster.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

use super::archive;
use super::build::local_source;
use crate::cli::{Context, Done, Outcome};
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result, Source};
use crate::files::{Files, Located, TreePath, locate};
use crate::flux::kustomization::{Kustomization, Reference};
use crate::flux::{Builder, Strictness, entries_of_file};
use crate::yaml::write_manifest;

/// The namespace that flux looks in where no flag says otherwise.
const NAMESPACE: &str = "flux-system";

#[derive(Debug, Parser)]
#[command(name = "flux", max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The namespace of the Kustomization
    #[arg(long, short, global = true, default_value = NAMESPACE)]
    namespace: String,
    #[command(flatten)]
    ignored: Ignored,
}

/// Flags of the original that have no effect without a cluster.
#[derive(Debug, Args)]
struct Ignored {
    /// Has no effect here: how long to wait for the cluster
    #[arg(long, global = true, value_name = "DURATION")]
    timeout: Option<String>,
    /// Has no effect here: print more
    #[arg(long, global = true)]
    verbose: bool,
    /// Has no effect here: the configuration of a client
    #[arg(long, global = true, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Has no effect here: the context of a client
    #[arg(long, global = true)]
    context: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build resources without a cluster
    #[command(subcommand)]
    Build(Build),
}

#[derive(Debug, Subcommand)]
enum Build {
    /// Print what a Kustomization makes of local files, sealed values masked
    #[command(alias = "ks")]
    Kustomization(KustomizationArguments),
    /// Pack files as the archive of an artifact
    Artifact(archive::Arguments),
}

#[derive(Debug, Args)]
struct KustomizationArguments {
    /// The name of the Kustomization
    name: String,
    /// The directory of its files
    #[arg(long, value_name = "DIR")]
    path: PathBuf,
    /// The file that holds the Kustomization
    #[arg(long, value_name = "FILE")]
    kustomization_file: Option<PathBuf>,
    /// Patterns of paths that are left out, as in .gitignore; may be repeated
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    ignore_paths: Vec<String>,
    /// Ask no cluster: this program never does
    #[arg(long)]
    dry_run: bool,
    /// Fail where a variable does not exist, instead of leaving it empty
    #[arg(long)]
    strict_substitute: bool,
    /// Also build the Kustomizations among the results
    #[arg(long, short)]
    recursive: bool,
    /// A source whose files are here: KIND/NAMESPACE/NAME=DIRECTORY; may be repeated
    #[arg(long, value_name = "SOURCE=DIR", value_delimiter = ',')]
    local_sources: Vec<String>,
    /// Has no effect here: files are never changed
    #[arg(long)]
    in_memory_build: bool,
}

/// Runs a command of flux.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let Command::Build(build) = &arguments.command;
    let mut done = match build {
        Build::Kustomization(build) => kustomization(context, &arguments.namespace, build)?,
        Build::Artifact(build) => archive::run(context, build)?,
    };
    let ignored = &arguments.ignored;
    let without_effect = [
        ("--timeout", ignored.timeout.is_some()),
        ("--verbose", ignored.verbose),
        ("--kubeconfig", ignored.kubeconfig.is_some()),
        ("--context", ignored.context.is_some()),
    ];
    let given = without_effect.into_iter().filter(|(_, is_given)| *is_given);
    let names: Vec<&str> = given.map(|(name, _)| name).collect();
    if !names.is_empty() {
        let phrase = format!("{} has no effect: no cluster is asked", names.join(", "));
        done.report.push(Diagnostic::warning(Code::Usage, phrase));
    }
    Ok(done)
}

fn kustomization(context: &Context, namespace: &str, build: &KustomizationArguments) -> Outcome {
    let file = build.kustomization_file.as_ref().filter(|_| build.dry_run);
    let file = file.ok_or_else(|| {
        Diagnostic::new(Code::Usage, "a cluster cannot be asked here")
            .help("pass --dry-run and --kustomization-file FILE")
    })?;
    let entry = entry(context, file, &build.name, namespace)?;
    let located = locate(&build.path, &context.working_directory, None)?;
    let located = around(context, located, &build.local_sources)?;
    let builder = Builder {
        disk: Arc::clone(&located.tree) as Arc<dyn Files>,
        ignored: build.ignore_paths.join("\n"),
        strictness: match build.strict_substitute {
            true => Strictness::Strict,
            false => Strictness::Lenient,
        },
        local_sources: match build.recursive {
            true => Some(sources(context, &build.local_sources, &located)?),
            false => None,
        },
    };
    let mut stdout = Vec::new();
    for object in builder.build(&entry, &located.directory)? {
        write_manifest(&mut stdout, object.node()).map_err(|error| object.value_error(error))?;
        stdout.extend_from_slice(b"---\n");
    }
    Ok(Done::from(stdout))
}

/// The first Kustomization of a file that has the name, in the namespace or in none.
fn entry(
    context: &Context,
    file: &Path,
    name: &str,
    namespace: &str,
) -> Result<Kustomization, Report> {
    let bytes = context
        .trusted
        .read(&context.working_directory.join(file))?;
    let shown = file.display().to_string();
    let entries = entries_of_file(&bytes, Source::committed(shown.as_str()), "")?;
    let fits = |k: &Kustomization| {
        k.id.name == name && (k.id.namespace == namespace || k.id.namespace.is_empty())
    };
    entries.into_iter().find(fits).ok_or_else(|| {
        let phrase = format!("the file holds no Kustomization {namespace}/{name}");
        let finding = Diagnostic::new(Code::FluxMissing, phrase).at(Place::file(shown));
        finding.help("--namespace names another namespace").into()
    })
}

/// The same directory below a root that holds every source, where the guessed root does not.
fn around(context: &Context, located: Located, sources: &[String]) -> Result<Located> {
    let mut root = located.tree.root().to_owned();
    for text in sources {
        let Some((_, directory)) = text.split_once('=') else {
            continue;
        };
        let directory = locate(Path::new(directory), &context.working_directory, None)?;
        let directory = directory.tree.root().join(directory.directory.as_str());
        while !directory.starts_with(&root) && root.pop() {}
    }
    let path = located.tree.root().join(located.directory.as_str());
    locate(&path, &context.working_directory, Some(&root))
}

fn sources(
    context: &Context,
    texts: &[String],
    located: &Located,
) -> Result<BTreeMap<Reference, TreePath>> {
    let found = texts
        .iter()
        .map(|text| local_source(context, text, located));
    found.collect()
}
