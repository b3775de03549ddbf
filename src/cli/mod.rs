//! Reads arguments and environment, prints, exits.
//!
//! One file a command. A command gets the [`Context`] of the process and its own arguments, and returns
//! [`Done`] or a [`Report`]: it never prints. Start with [`main`].

mod about;
mod admit;
mod apps;
mod argocd;
mod check;
mod context;
mod decrypt;
mod doctor;
mod encrypt;
mod examples;
mod expand;
mod findings;
mod flows;
mod flux;
mod git;
mod identities;
mod init;
mod ksops;
mod kustomize;
mod narrow;
mod output;
mod overlays;
mod panic;
mod render;
mod root;
mod secrets;
mod sops;
mod template;
mod terminal;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use context::Context;
pub(crate) use output::Done;

use crate::diagnostic::{ExitStatus, Report};

/// What a command gives: something to print, or what is wrong.
pub(crate) type Outcome = Result<Done, Report>;

#[derive(Debug, Parser)]
#[command(
    name = "plugin",
    version,
    about,
    propagate_version = true,
    max_term_width = 100
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print what kustomize builds from a directory
    #[command(alias = "build")]
    Render(render::Arguments),
    /// Write the tree with its templates rendered and its overlays listed, without building it
    Expand(expand::Arguments),
    /// Render, and report every finding: gate, schemas, flows, deprecated fields
    Check(check::Arguments),
    /// Say for each object of a file whether an API server would take it
    Admit(admit::Arguments),
    /// List every root that is applied, its inputs, and which of them a change reaches
    Apps(apps::Arguments),
    /// Show who may talk to whom under the rendered network policies
    Flows(flows::Arguments),
    /// Show the prepared overlays: what there is, what applies, what it adds
    Overlays(overlays::Arguments),
    /// Print the merged values of a project, secrets masked
    Values(values::Arguments),
    /// Render a tree of templates as makejinja does
    Template(template::Arguments),
    /// Print a sealed file as `sops decrypt` does
    Decrypt(decrypt::Arguments),
    /// Seal a file by the creation rules of .sops.yaml
    Encrypt(encrypt::Arguments),
    /// Do what the program sops does: set, unset, rotate, updatekeys, groups, edit, exec-env, exec-file
    #[command(disable_help_flag = true)]
    Sops {
        /// Its command line
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Have Git show and merge sealed files by their keys
    Git(git::Arguments),
    /// Look at the sealed files of a repository, and change all of them at once
    Secrets(secrets::Arguments),
    /// Do what the program kustomize does: build, edit, create, version
    #[command(disable_help_flag = true)]
    Kustomize {
        /// Its command line
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// The entry points of the Argo CD config management plugin
    Argocd(argocd::Arguments),
    /// What goes to Flux, and what Flux would make of it
    Flux(flux::Arguments),
    /// Look once at what a repository renders, and write its facts as prerender.yaml
    Init(init::Arguments),
    /// List what a render finds, and what is missing
    Doctor(doctor::Arguments),
    /// Print the JSON Schema of the project file
    Schema,
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of the program, or of a command
    Man {
        /// The command, such as `render` or `flux build`
        words: Vec<String>,
    },
    /// Stop with a bug on purpose, to see what a panic prints
    #[command(hide = true, name = "panic-on-purpose")]
    Panic,
}

/// Runs the program with the arguments and environment of the process.
pub fn main() -> ExitCode {
    panic::install_hook();
    forbid_dumps();
    let context = Context::of_the_process();
    let status = match called_as(&context).as_deref() {
        Some("ksops") => output::finish(ksops::run(&context)),
        Some("kustomize") => output::finish(kustomize::run(&context, &words(&context.arguments))),
        Some("flux") => match flux::drop_in::Arguments::try_parse_from(arguments(&context)) {
            Ok(arguments) => output::finish(flux::drop_in::run(&context, &arguments)),
            Err(error) => output::usage(&error),
        },
        Some("sops") => return ExitCode::from(sops::run(&context, &words(&context.arguments))),
        _ => match Arguments::try_parse_from(arguments(&context)) {
            Ok(Arguments {
                command: Command::Sops { words },
            }) => return ExitCode::from(sops::run(&context, &words)),
            Ok(arguments) => output::finish(run(&context, arguments.command)),
            Err(error) => output::usage(&with_examples(error, &context)),
        },
    };
    ExitCode::from(status as u8)
}

/// What was asked for: a help page is made once more, with its examples.
fn with_examples(error: clap::Error, context: &Context) -> clap::Error {
    let is_help = error.kind() == clap::error::ErrorKind::DisplayHelp;
    let with = || examples::command().try_get_matches_from(arguments(context));
    match is_help.then(with) {
        Some(Err(with)) => with,
        _ => error,
    }
}

/// Has the kernel write no memory of this process to disk, and show it to no other process of the user.
///
/// A host where that fails is no reason to stop: there was no dump before either.
fn forbid_dumps() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// The words after the program's name; what is not UTF-8 names no file that is there.
fn words(arguments: &[OsString]) -> Vec<String> {
    let words = arguments.iter().skip(1);
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

/// The name by which the program was called.
fn called_as(context: &Context) -> Option<String> {
    let name = std::path::Path::new(context.arguments.first()?).file_name()?;
    Some(name.to_str()?.to_owned())
}

/// The arguments, the first one reduced to the name by which the program was called.
fn arguments(context: &Context) -> Vec<OsString> {
    let mut arguments = context.arguments.clone();
    if let Some(first) = arguments.first_mut() {
        let name = std::path::Path::new(first)
            .file_name()
            .unwrap_or_default()
            .to_owned();
        *first = name;
    }
    arguments
}

fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Apps(arguments) => apps::run(context, &arguments),
        Command::Check(arguments) => check::run(context, &arguments),
        Command::Flows(arguments) => flows::run(context, &arguments),
        Command::Flux(arguments) => flux::run(context, &arguments),
        Command::Admit(arguments) => admit::run(context, &arguments),
        Command::Decrypt(arguments) => decrypt::run(context, &arguments),
        Command::Doctor(arguments) => doctor::run(context, &arguments),
        Command::Encrypt(arguments) => encrypt::run(context, &arguments),
        Command::Init(arguments) => init::run(context, &arguments),
        Command::Overlays(arguments) => overlays::run(context, &arguments),
        Command::Values(arguments) => values::run(context, &arguments),
        Command::Template(arguments) => template::run(context, &arguments),
        Command::Argocd(arguments) => argocd::run(context, &arguments),
        Command::Expand(arguments) => expand::run(context, &arguments),
        Command::Render(arguments) => render::run(context, &arguments),
        Command::Kustomize { words } => kustomize::run(context, &words),
        Command::Schema => about::schema(),
        Command::Git(arguments) => git::run(context, &arguments),
        Command::Secrets(arguments) => secrets::run(context, &arguments),
        Command::Sops { .. } => Ok(Done::default()),
        Command::Completions { shell } => about::completions(shell),
        Command::Man { words } => about::man(&words),
        Command::Panic => panic::on_purpose(),
    }
}

impl From<clap::error::ErrorKind> for ExitStatus {
    fn from(kind: clap::error::ErrorKind) -> Self {
        use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
        if matches!(kind, DisplayHelp | DisplayVersion) {
            Self::Success
        } else {
            Self::Usage
        }
    }
}
