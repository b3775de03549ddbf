//! `overlays`: what is built in, what applies to a project, and what it adds.

use clap::Subcommand;

use super::{Context, Outcome};
use crate::pipeline::overlays;

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
}

/// Runs the command.
pub(crate) fn run(_context: &Context, arguments: &Arguments) -> Outcome {
    let sets = overlays::builtin_sets()?;
    let text = match &arguments.command {
        Command::List => overlays::list(&sets),
        Command::Show { name } => overlays::show(&sets, name)?,
    };
    Ok(text.into_bytes().into())
}
