//! `render`: the manifests of a directory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::identities::{self, KeyCommands};
use super::{Context, Done, Outcome, terminal, values};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::{Located, OutputFile, OutputTree, Stale, TreePath, locate};
use crate::pipeline::plain::{LoadRestriction, Options, Order, Outside, plugin_homes};
use crate::pipeline::sealing::Identities;
use crate::pipeline::values::Opener;
use crate::pipeline::{self, Rendered, Request, Secrets, layout};
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
    /// Write to a file, or to a directory (one file an object) when it ends in /
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Write nothing; fail with 4 when -o would change something
    #[arg(long)]
    check: bool,
    /// What leaves the plugin where a file is sealed
    #[arg(long, value_enum, default_value_t)]
    secrets: SecretsArgument,
    /// A file of values over those of the project; may be repeated
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// A value over all others: key=value; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// A set of overlays to use, such as cnpg@1; may be repeated
    #[arg(long, value_name = "SET", value_delimiter = ',')]
    overlays: Vec<String>,
    /// Make warnings of overlays errors
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum SecretsArgument {
    /// The plaintext
    #[default]
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
    let identities = || identities_of(context, &located);
    let overrides = values::overrides(context, &arguments.values, &arguments.set)?;
    let rendered = pipeline::render(
        &Request {
            directory: &located.directory,
            build: arguments.options(),
            outside: &arguments.outside(context, located.tree.root()),
            opener: &Opener::new(&identities),
            secrets: arguments.secrets.into(),
            overrides: &overrides,
            overlays: &arguments.overlays,
            strict: arguments.strict,
            host: None,
        },
        &located.tree,
    )?;
    let mut done = Done {
        report: rendered.warnings.clone(),
        ..Done::default()
    };
    match &arguments.output {
        None if arguments.check => {
            let phrase = "--check compares with what -o names, and there is no -o";
            return Err(Diagnostic::new(Code::Usage, phrase).into());
        }
        None => done.stdout = rendered.to_yaml()?,
        Some(output) => {
            let tree = output_tree(&rendered, &context.working_directory.join(output))?;
            if arguments.check {
                done.report.findings.extend(tree.check().findings);
            } else {
                tree.write()?;
            }
        }
    }
    Ok(done)
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

/// What `-o` names: a directory of one file an object where it ends in `/` or is one, else a file.
fn output_tree(rendered: &Rendered, output: &Path) -> Result<OutputTree> {
    let ends_in_slash = output.as_os_str().as_encoded_bytes().ends_with(b"/");
    if ends_in_slash || output.is_dir() {
        let mut tree = OutputTree::new(output, Stale::Remove);
        for (name, bytes) in layout::files(&rendered.resources)? {
            let path = TreePath::parse(&name).expect("a layout stays in its directory");
            tree.insert(path, OutputFile::new(bytes));
        }
        return Ok(tree);
    }
    let name = output.file_name().and_then(|n| n.to_str());
    let (Some(path), Some(directory)) = (name.and_then(TreePath::parse), output.parent()) else {
        return Err(Diagnostic::new(Code::Usage, "-o names no file"));
    };
    let mut tree = OutputTree::new(directory, Stale::Keep);
    tree.insert(path, OutputFile::new(rendered.to_yaml()?));
    Ok(tree)
}
