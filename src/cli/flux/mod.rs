//! `flux`: what goes to Flux, and what Flux would make of it.

mod archive;
mod artifact;
mod artifacts;
mod build;
pub(super) mod drop_in;
mod resource_set;

use super::{Context, Outcome};
use crate::flux::protect::Protection;
use crate::secrets::Secrets;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print what kustomize-controller would apply
    Build(build::Arguments),
    /// Render a directory and pack it as an OCI layout, the same bytes for the same input
    Artifact(artifact::Arguments),
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Build(arguments) => build::run(context, arguments),
        Command::Artifact(arguments) => artifact::run(context, arguments),
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum SecretsArgument {
    /// The plaintext
    Plain,
    /// Sealed files as they are, unopened; what depends on other sealed values does not leave
    Keep,
    /// A token for whatever depends on a sealed value, and for every value of a Secret
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
pub(super) enum Escape {
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
