//! `overlays`: what is built in, what applies to a project, and what it adds.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};

use super::root::RootArguments;
use super::{Context, Done, Outcome};
use crate::cluster::overlays::{self, Form};
use crate::cluster::{by_cause, checks};
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result};
use crate::files::{OutputFile, OutputTree, Stale, TreePath, locate};
use crate::pipeline::Root;
use crate::secrets::Secrets;

/// The arguments of `overlays`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the sets and overlays that are built in, and those of the project
    List {
        #[command(flatten)]
        of: OfProject,
    },
    /// Show what an overlay reads, applies to and adds, and where it differs from the document
    Show {
        /// The overlay or set
        name: String,
        #[command(flatten)]
        of: OfProject,
    },
    /// Say which overlay applies to which object, in which mode, and why
    Status {
        #[command(flatten)]
        of: OfPath,
        /// List overlays whose condition does not hold as well
        #[arg(long)]
        all: bool,
    },
    /// Print only the objects that overlays add
    Render {
        #[command(flatten)]
        of: OfPath,
    },
    /// Copy what an overlay adds to a root, in a form of your own
    Write {
        /// The overlay
        name: String,
        /// The directory that is written; no file in it is replaced
        directory: PathBuf,
        /// The form of the copy
        #[arg(long = "as", value_enum)]
        form: WrittenForm,
        #[command(flatten)]
        of: ForPath,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum WrittenForm {
    /// Jinja templates that read the project's variables
    Template,
    /// Manifests
    Manifest,
    /// Manifests with a kustomize Component that lists them
    Component,
}

#[derive(Debug, clap::Args)]
struct OfProject {
    /// A directory of the project
    #[arg(long, default_value = ".")]
    path: PathBuf,
    /// The directory that nothing may lead out of
    #[arg(long)]
    root: Option<PathBuf>,
}

impl OfProject {
    /// Everything that the project may use.
    fn sets(&self, context: &Context) -> Result<Vec<overlays::Set>> {
        let root = self.root.as_deref();
        let located = locate(&self.path, &context.working_directory, root)?;
        overlays::sets(&located.tree, &located.directory)
    }
}

#[derive(Debug, clap::Args)]
struct OfPath {
    /// The directory of the root kustomization
    #[arg(default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    root: RootArguments,
}

#[derive(Debug, clap::Args)]
struct ForPath {
    /// The directory of the root kustomization that it is for
    #[arg(long, default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    root: RootArguments,
}

/// Runs the command.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::List { of } => Ok(overlays::list(&of.sets(context)?).into_bytes().into()),
        Command::Show { name, of } => {
            let page = overlays::show(&of.sets(context)?, name)?;
            Ok(page.into_bytes().into())
        }
        Command::Status { of, all } => {
            let (flags, path) = (&of.root, &of.path);
            let cluster = flags.cluster(context, path)?;
            let mut report = cluster.gaps(flags.is_strict());
            let mut rows = Vec::new();
            for (_, judged) in cluster.landed() {
                rows.extend(overlays::rows(&judged.landed.overlays, *all));
                let warnings = judged.landed.warnings.findings.iter().cloned();
                report.findings.extend(warnings);
            }
            if rows.is_empty() && !report.has_errors() && !overlays::are_used(&cluster) {
                return Err(overlays::none_is_used(&path.display().to_string()).into());
            }
            let unused = checks::unused(&cluster, flags.is_strict());
            report.findings.extend(unused.findings);
            let report = by_cause(report);
            let head = ["TARGET", "OVERLAY", "MODE", "STATE", "WHY"];
            let stdout = overlays::table(&head, rows).into_bytes();
            Ok(Done {
                stdout,
                report,
                status: None,
            })
        }
        Command::Render { of } => {
            let (stdout, report) = asked(context, &of.path, &of.root, overlays::added)?;
            Ok(Done {
                stdout,
                report,
                status: None,
            })
        }
        Command::Write {
            name,
            directory,
            form,
            of,
        } => {
            let form = match form {
                WrittenForm::Template => Form::Template,
                WrittenForm::Manifest => Form::Manifest,
                WrittenForm::Component => Form::Component,
            };
            let (files, report) = asked(context, &of.path, &of.root, |root| {
                overlays::copies(root, name, form)
            })?;
            write(&context.working_directory.join(directory), files)?;
            Ok(Done {
                report,
                ..Done::default()
            })
        }
    }
}

/// Opens the project of a path, and asks something of its overlays. They need nothing that is sealed.
fn asked<R>(
    context: &Context,
    path: &Path,
    flags: &RootArguments,
    ask: impl FnOnce(&Root<'_>) -> Result<R, Report>,
) -> Result<R, Report> {
    flags.open(context, path, Secrets::Openable, ask)
}

/// Writes a copy; refuses to replace a file.
fn write(directory: &Path, files: Vec<(String, String)>) -> Result<()> {
    let mut tree = OutputTree::new(directory, Stale::Keep);
    for (name, text) in files {
        let path = TreePath::parse(&name).expect("overlays name files without directories");
        if tree.exists(&path) {
            let phrase = format!("{name} is there already");
            return Err(Diagnostic::new(Code::WriteFailed, phrase)
                .at(Place::file(directory.join(&name).display().to_string()))
                .help("name another directory, or remove the file"));
        }
        tree.insert(path, OutputFile::new(text.into_bytes()));
    }
    tree.write()
}
