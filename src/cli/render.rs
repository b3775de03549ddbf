//! `render`: what kustomize prints for a directory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Context, Done, Outcome};
use crate::files::locate;
use crate::pipeline::plain::{self, LoadRestriction, Options, Order, Outside, plugin_homes};
use crate::programs::Helm;

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
    /// Allow helm to inflate the charts of helmCharts
    #[arg(long)]
    enable_helm: bool,
    /// The helm to run
    #[arg(long, default_value = "helm", value_name = "PROGRAM")]
    helm_command: OsString,
    /// An API version that charts shall believe in; may be repeated
    #[arg(long, value_name = "VERSION", value_delimiter = ',')]
    helm_api_versions: Vec<String>,
    /// The Kubernetes version that charts shall believe in
    #[arg(long, value_name = "VERSION")]
    helm_kube_version: Option<String>,
    /// Have helm tell more
    #[arg(long)]
    helm_debug: bool,
    /// Allow plugins to run
    #[arg(long)]
    enable_alpha_plugins: bool,
    /// Allow functions that are programs to run
    #[arg(long)]
    enable_exec: bool,
    /// Allow files and repositories to be fetched
    #[arg(long)]
    network: bool,
    /// A variable that functions get: NAME=value, or NAME for one of this process
    #[arg(long, short, value_name = "NAME")]
    env: Vec<String>,
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

    /// What the invoker allows a build to have done outside of its files.
    fn outside(&self, context: &Context, root: &Path) -> Outside {
        let helm = Helm {
            command: self.helm_command.clone(),
            api_versions: self.helm_api_versions.clone(),
            kube_version: self.helm_kube_version.clone(),
            is_debug: self.helm_debug,
        };
        let variable = |word: &String| match word.contains('=') {
            true => Some(word.clone()),
            false => context
                .variable(word)
                .map(|value| format!("{word}={value}")),
        };
        Outside {
            root: root.to_owned(),
            network: self.network,
            helm: self.enable_helm.then_some(helm),
            plugins: self.enable_alpha_plugins,
            exec: self.enable_exec,
            environment: self.env.iter().filter_map(variable).collect(),
            plugin_homes: plugin_homes(|name| context.variable(name).map(OsString::from)),
        }
    }
}

/// Renders a directory.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let root = arguments.root.as_deref();
    let located = locate(&arguments.path, &context.working_directory, root)?;
    let outside = arguments.outside(context, located.tree.root());
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
