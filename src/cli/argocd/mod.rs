//! `argocd`: the entry points of the config management plugin, and its host on this machine.

mod apps;
mod generate;
mod hydrate;
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
    /// List every Application and ApplicationSet of a tree, as Argo CD makes them
    Apps(Box<apps::Arguments>),
    /// Print what every Application of a tree renders to
    Build(Box<apps::BuildArguments>),
    /// Show what Argo CD would make of an Application: its objects, warnings or error
    Simulate(Box<simulate::Arguments>),
    /// Write the branch that the source hydrator would write of an Application, with sealed files left sealed
    Hydrate(Box<hydrate::Arguments>),
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Apps(arguments) => apps::apps(context, arguments),
        Command::Build(arguments) => apps::build(context, arguments),
        Command::Generate(arguments) => generate::run(context, arguments),
        Command::Parameters => generate::parameters(context),
        Command::Simulate(arguments) => simulate::run(context, arguments),
        Command::Hydrate(arguments) => hydrate::run(context, arguments),
    }
}
