//! `argocd simulate`: the host on this machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::argocd::simulate::{Application, PluginConfig, Settings, Simulation, page, simulate};
use crate::cli::{Context, Done, Outcome, identities};
use crate::diagnostic::{Code, Diagnostic, Result, Source};
use crate::files::{Located, locate};

/// The path on which a container finds programs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A commit that nothing has.
const NO_REVISION: &str = "0000000000000000000000000000000000000000";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory of an Application; with -f a path in the repository
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The manifest of the Application
    #[arg(long, short = 'f', value_name = "FILE")]
    file: Option<PathBuf>,
    /// The Application's name, where the file holds several
    #[arg(long, value_name = "NAME", requires = "file")]
    name: Option<String>,
    /// Which of the Application's sources, from 1; the first that names a plugin by default
    #[arg(long, value_name = "NUMBER")]
    source: Option<usize>,
    /// The root of the repository; the nearest directory with .git by default
    #[arg(long, value_name = "DIRECTORY")]
    root: Option<PathBuf>,
    /// The plugin's configuration; the one of the image by default
    #[arg(long, value_name = "FILE")]
    plugin: Option<PathBuf>,
    /// The administrator's policy, in the place of the one that the configuration names
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The directory with the identities of the sidecar; PRERENDER_KEYS by default
    #[arg(long, value_name = "DIRECTORY")]
    keys: Option<PathBuf>,
    /// A variable of the sidecar: NAME=value; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// The project, for a directory without an Application
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    project: Option<String>,
    /// The destination's namespace, for a directory without an Application
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    namespace: Option<String>,
    /// The namespace of Argo CD
    #[arg(long, value_name = "NAME", default_value = "argocd")]
    argocd_namespace: String,
    /// The commit; HEAD of the repository by default
    #[arg(long, value_name = "COMMIT")]
    revision: Option<String>,
    /// The version of the cluster
    #[arg(long, value_name = "VERSION", default_value = "1.34.0")]
    kube_version: String,
    /// An API version of the cluster; may be repeated
    #[arg(long, value_name = "VERSION", value_delimiter = ',')]
    api_versions: Vec<String>,
    /// How many seconds the repo-server gives a request: its timeout less what fetching takes
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
    /// reposerver.plugin.tar.exclusions: patterns of paths that are not sent, separated by ;
    #[arg(
        long,
        value_name = "PATTERNS",
        default_value = ".git/*",
        value_delimiter = ';'
    )]
    exclusions: Vec<String>,
    /// reposerver.plugin.use.manifest.generate.paths: send the annotation's paths only
    #[arg(long)]
    use_manifest_generate_paths: bool,
    /// What to print
    #[arg(long, short, value_enum, default_value_t)]
    output: Output,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Output {
    /// What the Application's page shows
    #[default]
    Page,
    /// The objects as Argo CD has them
    Yaml,
}

/// Simulates an Application.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let root = arguments.root.as_deref();
    let located = locate(&arguments.path, &context.working_directory, root)?;
    let config = config(context, arguments)?;
    let application = application(context, arguments, &located, &config)?;
    let simulation = Simulation {
        application: &application,
        source: source(arguments, &application)?,
        repository: located.tree.root(),
        files: &located.tree,
        config: &config,
        settings: &settings(context, arguments, located.tree.root())?,
    };
    let seen = simulate(&simulation)?;
    let stdout = match arguments.output {
        Output::Page => page(&seen).into_bytes(),
        Output::Yaml => seen.to_yaml()?,
    };
    Ok(Done {
        stdout,
        report: seen.warnings(),
        ..Done::default()
    })
}

fn config(context: &Context, arguments: &Arguments) -> Result<PluginConfig> {
    let mut config = match &arguments.plugin {
        None => PluginConfig::shipped()?,
        Some(path) => {
            let bytes = context
                .trusted
                .read(&context.working_directory.join(path))?;
            PluginConfig::read(&bytes, &Source::committed(path.display().to_string()))?
        }
    };
    if let Some(policy) = &arguments.policy {
        let policy = context.working_directory.join(policy);
        let policy = policy.to_string_lossy();
        config.spec.generate.set_flag("--policy", &policy);
    }
    Ok(config)
}

fn application(
    context: &Context,
    arguments: &Arguments,
    located: &Located,
    config: &PluginConfig,
) -> Result<Application> {
    let Some(path) = &arguments.file else {
        let mut made = Application::of_directory(&located.directory, &config.name);
        if let Some(project) = &arguments.project {
            made.project.clone_from(project);
        }
        if let Some(namespace) = &arguments.namespace {
            made.destination.clone_from(namespace);
        }
        return Ok(made);
    };
    let bytes = context
        .trusted
        .read(&context.working_directory.join(path))?;
    let source = Source::committed(path.display().to_string());
    Application::read(&bytes, &source, arguments.name.as_deref())
}

/// The source that is meant: the one that is named, else the first with a plugin.
fn source(arguments: &Arguments, application: &Application) -> Result<usize> {
    match arguments.source {
        Some(0) => Err(Diagnostic::new(Code::Usage, "--source counts from 1")),
        Some(number) => Ok(number - 1),
        None => {
            let has_plugin = |source: &serde_json::Value| source.get("plugin").is_some();
            Ok(application.sources.iter().position(has_plugin).unwrap_or(0))
        }
    }
}

fn settings(context: &Context, arguments: &Arguments, root: &Path) -> Result<Settings> {
    let mut environment = vec![("PATH".to_owned(), PATH.to_owned())];
    let keys = match &arguments.keys {
        Some(keys) => Some(context.working_directory.join(keys)),
        None => context.variable(identities::KEYS).map(PathBuf::from),
    };
    environment.extend(keys.map(|keys| (identities::KEYS.to_owned(), keys.display().to_string())));
    for variable in &arguments.env {
        let (name, value) = variable
            .split_once('=')
            .ok_or_else(|| Diagnostic::new(Code::Usage, "--env takes NAME=value"))?;
        environment.push((name.to_owned(), value.to_owned()));
    }
    let head = || head(context, root).unwrap_or_else(|| NO_REVISION.to_owned());
    let exclusions = arguments.exclusions.iter().filter(|e| !e.is_empty());
    Ok(Settings {
        control_plane: arguments.argocd_namespace.clone(),
        kube_version: arguments.kube_version.clone(),
        api_versions: arguments.api_versions.clone(),
        revision: arguments.revision.clone().unwrap_or_else(head),
        timeout: Duration::from_secs(arguments.timeout),
        exclusions: exclusions.cloned().collect(),
        uses_generate_paths: arguments.use_manifest_generate_paths,
        environment,
        program: context.program(),
    })
}

/// The commit that a repository is at, where its files tell it plainly.
fn head(context: &Context, root: &Path) -> Option<String> {
    let read = |name: &str| {
        let bytes = context.trusted.read(&root.join(".git").join(name)).ok()?;
        Some(String::from_utf8(bytes).ok()?.trim().to_owned())
    };
    let head = read("HEAD")?;
    match head.strip_prefix("ref: ") {
        Some(reference) => read(reference),
        None => Some(head),
    }
}
