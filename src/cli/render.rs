//! `render`: what kustomize prints for a directory.

use std::path::PathBuf;

use super::{Context, Done, Outcome};
use crate::files::locate;
use crate::pipeline::plain::{self, LoadRestriction, Options, Order, Outside};

/// What `render` is asked for; kustomize's flags keep their names.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory of the kustomization
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The directory that nothing may lead out of
    #[arg(long)]
    root: Option<PathBuf>,
    /// From where a kustomization may name files
    #[arg(long, value_enum, default_value_t)]
    load_restrictor: LoadRestrictor,
    /// Put a label on every object that tells that kustomize made it
    #[arg(long)]
    enable_managedby_label: bool,
    /// The order of the output where the kustomization does not say
    #[arg(long, value_enum, default_value_t)]
    reorder: Reorder,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
#[value(rename_all = "PascalCase")]
enum LoadRestrictor {
    #[default]
    LoadRestrictionsRootOnly,
    LoadRestrictionsNone,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Reorder {
    #[default]
    Legacy,
    None,
}

impl Arguments {
    /// The one place where kustomize's flags become options of a build.
    fn options(&self) -> Options {
        Options {
            load_restriction: match self.load_restrictor {
                LoadRestrictor::LoadRestrictionsRootOnly => LoadRestriction::RootOnly,
                LoadRestrictor::LoadRestrictionsNone => LoadRestriction::None,
            },
            managed_by_label: self.enable_managedby_label,
            order: match self.reorder {
                Reorder::Legacy => Order::Legacy,
                Reorder::None => Order::Fifo,
            },
        }
    }
}

/// Renders a directory.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let root = arguments.root.as_deref();
    let located = locate(&arguments.path, &context.working_directory, root)?;
    let outside = Outside::default();
    let (stdout, report) = plain::render(
        &located.tree,
        &located.directory,
        &arguments.options(),
        &outside,
    )?;
    Ok(Done {
        stdout,
        report,
        status: None,
    })
}
