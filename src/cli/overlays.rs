//! `overlays`: what is built in, what applies to a project, and what it adds.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::identities::{self, KeyCommands};
use super::{Context, Done, Outcome};
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{Located, OutputFile, OutputTree, Stale, TreePath, locate};
use crate::pipeline::overlays::{self, Asked, Form};
use crate::pipeline::values::{Opener, Overrides};

/// The arguments of `overlays`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the sets and overlays that are built in
    List,
    /// Show what an overlay reads, applies to and adds, and where it differs from the document
    Show {
        /// The overlay or set
        name: String,
    },
    /// Tell which overlay applies to which object, in which mode, and why
    Status {
        #[command(flatten)]
        root: Root,
        /// List overlays whose condition does not hold as well
        #[arg(long)]
        all: bool,
    },
    /// Print only the objects that overlays add
    Render {
        #[command(flatten)]
        root: Root,
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
        root: RootOption,
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
struct Root {
    /// The directory of the root kustomization
    #[arg(default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    options: RootOptions,
}

#[derive(Debug, clap::Args)]
struct RootOption {
    /// The directory of the root kustomization that it is for
    #[arg(long, default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    options: RootOptions,
}

#[derive(Debug, clap::Args)]
struct RootOptions {
    /// The boundary that no file of the repository leads out of
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Use sets and overlays besides those of the project
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    overlays: Vec<String>,
    /// Fail on what is a warning otherwise
    #[arg(long)]
    strict: bool,
}

/// Runs the command.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::List => Ok(overlays::list(&overlays::builtin_sets()?)
            .into_bytes()
            .into()),
        Command::Show { name } => Ok(overlays::show(&overlays::builtin_sets()?, name)?
            .into_bytes()
            .into()),
        Command::Status { root, all } => asked(context, &root.path, &root.options, |asked, _| {
            let (instances, report) = overlays::status(asked)?;
            let rows = overlays::rows(&instances, *all);
            let head = ["TARGET", "OVERLAY", "MODE", "STATE", "WHY"];
            let stdout = overlays::table(&head, rows).into_bytes();
            Ok(Done {
                stdout,
                report,
                status: None,
            })
        }),
        Command::Render { root } => asked(context, &root.path, &root.options, |asked, _| {
            let (stdout, report) = overlays::added(asked)?;
            Ok(Done {
                stdout,
                report,
                status: None,
            })
        }),
        Command::Write {
            name,
            directory,
            form,
            root,
        } => {
            let form = match form {
                WrittenForm::Template => Form::Template,
                WrittenForm::Manifest => Form::Manifest,
                WrittenForm::Component => Form::Component,
            };
            asked(context, &root.path, &root.options, |asked, _| {
                let (files, report) = overlays::copies(asked, name, form)?;
                write(&context.working_directory.join(directory), files)?;
                Ok(Done {
                    stdout: Vec::new(),
                    report,
                    status: None,
                })
            })
        }
    }
}

/// Opens the project of a path, and asks something of its overlays.
fn asked(
    context: &Context,
    path: &std::path::Path,
    options: &RootOptions,
    ask: impl FnOnce(&Asked<'_>, &Located) -> Result<Done>,
) -> Outcome {
    let located = locate(path, &context.working_directory, options.root.as_deref())?;
    let identities = || identities::of_the_user(context, KeyCommands::Ignore);
    let opener = Opener::new(&identities);
    let overrides = Overrides::default();
    let done = ask(
        &Asked {
            files: &located.tree,
            directory: &located.directory,
            overrides: &overrides,
            opener: &opener,
            names: &options.overlays,
            strict: options.strict,
        },
        &located,
    )?;
    Ok(done)
}

/// Writes a copy; refuses to replace a file.
fn write(directory: &std::path::Path, files: Vec<(String, String)>) -> Result<()> {
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
