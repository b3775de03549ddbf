//! `flux`: what goes to Flux, and what Flux would make of it.

mod artifact;

use std::path::PathBuf;

use super::identities::{self, KeyCommands};
use super::{Context, Outcome, terminal};
use crate::files::Located;
use crate::flux::protect::Protection;
use crate::pipeline::sealing::Identities;
use crate::pipeline::{self, Secrets};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Render a directory and pack it as an OCI layout, the same bytes for the same input
    Artifact(artifact::Arguments),
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Artifact(arguments) => artifact::run(context, arguments),
    }
}

/// What both commands take of `render`'s flags.
#[derive(Debug, clap::Args)]
struct RenderOptions {
    /// The directory that nothing may lead out of
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// A file of values over those of the project; may be repeated
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// A value over all others: key=value; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// A set of overlays to use, such as cnpg@1; may be repeated
    #[arg(long, value_name = "SET", value_delimiter = ',')]
    overlays: Vec<String>,
    /// Allow files and repositories to be fetched
    #[arg(long)]
    network: bool,
    /// Render even when there is nothing, with which Flux deletes all that it applied
    #[arg(long)]
    allow_empty: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SecretsArgument {
    /// The plaintext
    Plain,
    /// The sealed file as it is, unopened
    Keep,
    /// A text in the place of each sealed value, the same as long as the value is
    Redact,
}

impl From<SecretsArgument> for Secrets {
    fn from(argument: SecretsArgument) -> Self {
        match argument {
            SecretsArgument::Plain => Self::Plain,
            SecretsArgument::Keep => Self::Keep,
            SecretsArgument::Redact => Self::Redact,
        }
    }
}

/// What is done with `${…}` in manifests that are finished.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Escape {
    /// Annotate the object, so that Flux leaves it alone
    Annotate,
    /// Write `$$` for each `$` that Flux would read
    Double,
    /// Leave it for Flux to fill
    Leave,
}

impl From<Escape> for Protection {
    fn from(escape: Escape) -> Self {
        match escape {
            Escape::Annotate => Self::Annotate,
            Escape::Double => Self::Double,
            Escape::Leave => Self::None,
        }
    }
}

/// The identities of the user, and those that the project names beneath the root.
fn identities_of(context: &Context, located: &Located) -> Identities {
    let mut found = identities::of_the_user(context, KeyCommands::Ignore);
    let project = pipeline::find_project(&located.tree, &located.directory);
    for path in project.ok().flatten().iter().flat_map(|p| &p.identities) {
        let path = located.tree.root().join(path.as_str());
        identities::add_path(&mut found, context, &path, &terminal::passphrases());
    }
    found
}
