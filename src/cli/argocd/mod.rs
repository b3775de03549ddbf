//! `argocd`: the entry points of the config management plugin, and its host on this machine.

mod generate;
mod simulate;

use super::{Context, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the manifests of the Application that the environment describes
    Generate(generate::Arguments),
    /// Print what an Application can set
    Parameters,
    /// Show what Argo CD would make of an Application: its objects, warnings or error
    Simulate(Box<simulate::Arguments>),
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Generate(arguments) => generate::run(context, arguments),
        Command::Parameters => generate::parameters(context),
        Command::Simulate(arguments) => simulate::run(context, arguments),
    }
}
