//! `argocd simulate`: the host on this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::argocd::application::{Application, SourceKind};
use crate::argocd::simulate::{
    Checkout, PluginConfig, Settings, Simulation, announcements, page, simulate,
};
use crate::argocd::sources::HelmTool;
use crate::argocd::wire::tracking::{DEFAULT_LABEL, Method, Tracking};
use crate::cli::{Context, Done, Outcome, identities};
use crate::diagnostic::{Code, Diagnostic, Result, Source};
use crate::files::{Located, Tree, locate};
use crate::programs::Environment;

/// The path on which a container finds programs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A commit that nothing has.
const NO_REVISION: &str = "0000000000000000000000000000000000000000";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    host: Host,
    /// What to print
    #[arg(long, short, value_enum, default_value_t)]
    output: Output,
}

/// An Application, its repositories, and the host around them.
#[derive(Debug, clap::Args)]
pub(super) struct Host {
    /// The directory of an Application; with -f a path in the repository
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The manifest of the Application, a List of them among others; - for standard input
    #[arg(long, short = 'f', value_name = "FILE")]
    file: Option<PathBuf>,
    /// The Application's name, where the file holds several
    #[arg(long, value_name = "NAME", requires = "file")]
    name: Option<String>,
    /// Which of the Application's sources, from 1; all of them by default
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
    /// How many seconds the repo-server allows a request: its timeout less what fetching takes
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    timeout: f64,
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
    /// reposerver.allow.oob.symlinks: do not look for links that leave the repository
    #[arg(long)]
    allow_oob_symlinks: bool,
    /// A kind of source that is switched off, as by kustomize.enable: false; may be repeated
    #[arg(long, value_name = "Kustomize|Helm|Directory|Plugin")]
    disable_source_type: Vec<String>,
    /// Render sources that are Helm charts, with the helm of PATH
    #[arg(long)]
    enable_helm: bool,
    /// Where another repository of the sources lies here: URL=DIRECTORY; may be repeated
    #[arg(long, value_name = "URL=DIRECTORY")]
    source_repo: Vec<String>,
    /// application.resourceTrackingMethod: annotation, label or annotation+label; print objects with their marks
    #[arg(long, value_name = "METHOD")]
    tracking_method: Option<String>,
    /// application.instanceLabelKey
    #[arg(long, value_name = "KEY", default_value = DEFAULT_LABEL)]
    instance_label_key: String,
    /// installationID
    #[arg(long, value_name = "ID", default_value = "")]
    installation_id: String,
    /// A kind that the cluster knows as cluster-scoped; may be repeated
    #[arg(long, value_name = "GROUP/KIND")]
    cluster_scoped: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Output {
    /// What the Application's page shows
    #[default]
    Page,
    /// The objects as Argo CD has them
    Yaml,
    /// The parameters that the Application's page offers, as JSON
    Parameters,
}

/// Simulates an Application.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let prepared = arguments.host.prepare(context)?;
    let simulation = prepared.simulation();
    if let Output::Parameters = arguments.output {
        let found = announcements(&simulation)?;
        // The host answers null where there are none.
        let list = match found.is_empty() {
            true => serde_json::Value::Null,
            false => found.into(),
        };
        return Ok(format!("{list}\n").into_bytes().into());
    }
    let seen = simulate(&simulation)?;
    let stdout = match arguments.output {
        Output::Page | Output::Parameters => page(&seen).into_bytes(),
        Output::Yaml => seen.to_yaml()?,
    };
    Ok(Done {
        stdout,
        report: seen.warnings(),
        ..Done::default()
    })
}

/// What a simulation works on, read.
pub(super) struct Prepared {
    application: Application,
    source: Option<usize>,
    repository: Checkout,
    others: IndexMap<String, Checkout>,
    config: PluginConfig,
    pub(super) settings: Settings,
}

impl Prepared {
    pub(super) fn simulation(&self) -> Simulation<'_> {
        Simulation {
            application: &self.application,
            source: self.source,
            repository: &self.repository,
            others: &self.others,
            config: &self.config,
            settings: &self.settings,
        }
    }

    /// The repository on disk.
    pub(super) fn repository(&self) -> &Path {
        &self.repository.root
    }
}

impl Host {
    /// Reads the Application, the plugin's configuration and the repositories.
    pub(super) fn prepare(&self, context: &Context) -> Result<Prepared> {
        let root = self.root.as_deref();
        let located = locate(&self.path, &context.working_directory, root)?;
        let config = config(context, self)?;
        Ok(Prepared {
            application: application(context, self, &located, &config)?,
            source: source(self)?,
            others: others(context, self)?,
            settings: settings(context, self, located.tree.root())?,
            repository: Arc::clone(&located.tree).into(),
            config,
        })
    }
}

/// The other repositories, by their addresses.
fn others(context: &Context, arguments: &Host) -> Result<IndexMap<String, Checkout>> {
    let one = |text: &String| {
        let pair = text.rsplit_once('=');
        let (address, directory) =
            pair.ok_or_else(|| Diagnostic::new(Code::Usage, "--source-repo takes URL=DIRECTORY"))?;
        let tree = Tree::open(&context.working_directory.join(directory))?;
        Ok((address.to_owned(), Arc::new(tree).into()))
    };
    arguments.source_repo.iter().map(one).collect()
}

fn config(context: &Context, arguments: &Host) -> Result<PluginConfig> {
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
    arguments: &Host,
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
    let bytes = match path.as_os_str() == "-" {
        true => context.trusted.read_stream(Path::new("/dev/stdin"))?,
        false => context
            .trusted
            .read(&context.working_directory.join(path))?,
    };
    let source = Source::committed(path.display().to_string());
    Application::read(&bytes, &source, arguments.name.as_deref())
}

/// The source that is meant; `None` for all of them.
fn source(arguments: &Host) -> Result<Option<usize>> {
    match arguments.source {
        Some(0) => Err(Diagnostic::new(Code::Usage, "--source counts from 1")),
        number => Ok(number.map(|number| number - 1)),
    }
}

fn disabled(arguments: &Host) -> Result<Vec<SourceKind>> {
    let kind = |name: &String| {
        SourceKind::of(name).ok_or_else(|| {
            let phrase = format!("{name} is not a kind of source");
            Diagnostic::new(Code::Usage, phrase)
                .help("they are Kustomize, Helm, Directory and Plugin")
        })
    };
    arguments.disable_source_type.iter().map(kind).collect()
}

fn settings(context: &Context, arguments: &Host, root: &Path) -> Result<Settings> {
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
        timeout: Duration::try_from_secs_f64(arguments.timeout)
            .map_err(|_| Diagnostic::new(Code::Usage, "--timeout takes seconds"))?,
        exclusions: exclusions.cloned().collect(),
        uses_generate_paths: arguments.use_manifest_generate_paths,
        allows_leaving_links: arguments.allow_oob_symlinks,
        disabled: disabled(arguments)?,
        helm: arguments.enable_helm.then(|| HelmTool {
            command: "helm".into(),
            environment: Environment::of_the_invoker(),
            limit: Duration::try_from_secs_f64(arguments.timeout).ok(),
        }),
        tracking: Tracking {
            is_shown: arguments.tracking_method.is_some(),
            method: Method::of(arguments.tracking_method.as_deref().unwrap_or_default()),
            label_key: arguments.instance_label_key.clone(),
            installation_id: arguments.installation_id.clone(),
        },
        cluster_scoped: arguments
            .cluster_scoped
            .iter()
            .map(|kind| kind.rsplit_once('/').unwrap_or(("", kind)))
            .map(|(group, kind)| (group.to_owned(), kind.to_owned()))
            .collect(),
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
