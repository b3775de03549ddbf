//! A root that a command renders: where it is, what its build may do, and what lies over its project.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::identities::{self, KeyCommandArguments};
use super::{Context, terminal, values};
use crate::cluster::{self, Cluster};
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result};
use crate::files::{Located, locate};
use crate::generators::{Outside, plugin_homes};
use crate::kustomize::{Level, LoadRestriction, Options, Order};
use crate::pipeline::{Request, Root};
use crate::programs::{Environment, Helm};
use crate::project::{self, MissingValues, Sessions};
use crate::secrets::Opener;
use crate::secrets::sealing::Identities;
use crate::secrets::{RedactionKey, Secrets};

/// The variable that says which kustomize's bytes are given.
pub(super) const LEVEL_VARIABLE: &str = "PRERENDER_KUSTOMIZE_VERSION";

/// Reads the level of kustomize.
pub(super) fn level(text: &str) -> Result<Level, String> {
    Level::parse(text).ok_or_else(|| format!("{text} is not a known version: 5.7 and 5.8 are"))
}

/// What every command takes that renders a root; kustomize's flags keep their names.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct RootArguments {
    /// The directory that nothing may lead out of
    #[arg(long)]
    root: Option<PathBuf>,
    /// From where a kustomization may name files
    #[arg(long, value_enum, default_value_t)]
    load_restrictor: LoadRestrictor,
    /// The kustomize whose bytes are given; 5.8 unless the project says otherwise
    #[arg(long, value_name = "5.7|5.8", env = LEVEL_VARIABLE, value_parser = level)]
    kustomize_version: Option<Level>,
    /// Put a label on every object that says that kustomize made it
    #[arg(long)]
    enable_managedby_label: bool,
    /// Allow helm to inflate the charts of helmCharts
    #[arg(long)]
    enable_helm: bool,
    /// The helm to run
    #[arg(long, default_value = "helm", value_name = "PROGRAM")]
    helm_command: OsString,
    /// An API version that the cluster serves, for charts; may be repeated
    #[arg(long, value_name = "VERSION", value_delimiter = ',')]
    helm_api_versions: Vec<String>,
    /// The Kubernetes version of the cluster, for charts
    #[arg(long, value_name = "VERSION")]
    helm_kube_version: Option<String>,
    /// Have helm print its debug output
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
    #[command(flatten)]
    keys: KeyCommandArguments,
    /// A variable that functions get: NAME=value, or NAME for one of this process
    #[arg(long, short, value_name = "NAME")]
    env: Vec<String>,
    /// The order of the output where the kustomization does not say
    #[arg(long, value_enum, default_value_t)]
    reorder: Reorder,
    /// A file of values over those of the project; may be repeated
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// A value over all others: key=value; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// A set of overlays to use, such as cnpg@1; may be repeated
    #[arg(long, value_name = "SET", value_delimiter = ',')]
    overlays: Vec<String>,
    /// Make warnings of overlays errors, and roots that are skipped
    #[arg(long)]
    strict: bool,
    /// With redacted secrets: the key for values, so that two renders can be compared; any file of 16 bytes or more
    #[arg(long, value_name = "FILE")]
    redact_key_file: Option<PathBuf>,
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

impl RootArguments {
    /// The same at a level of kustomize.
    pub(super) fn at_level(&self, level: Level) -> Self {
        Self {
            kustomize_version: Some(level),
            ..self.clone()
        }
    }

    /// Where a path is below its root.
    pub(super) fn located(&self, context: &Context, path: &Path) -> Result<Located> {
        locate(path, &context.working_directory, self.root.as_deref())
    }

    /// Finds the root and what is asked of it, and hands both to a function.
    ///
    /// Fails with what the function fails with, and where the path, a file of values or a setting is wrong.
    pub(super) fn with<R>(
        &self,
        context: &Context,
        path: &Path,
        secrets: Secrets,
        then: impl FnOnce(&Request<'_>, &Located) -> Result<R, Report>,
    ) -> Result<R, Report> {
        refuse_address(path)?;
        let located = locate(path, &context.working_directory, self.root.as_deref())?;
        let opener = Opener::new(identities(context, &located, self.keys));
        let opener = match secrets {
            Secrets::Redact => {
                opener.with_redaction(redaction_key(context, self.redact_key_file.as_deref())?)
            }
            Secrets::Plain | Secrets::Keep | Secrets::Openable => opener,
        };
        let request = Request {
            directory: &located.directory,
            build: self.options(),
            outside: &self.outside(context, located.tree.root()),
            opener: Arc::new(opener),
            secrets,
            overrides: &values::overrides(context, &self.values, &self.set)?,
            overlays: &self.overlays,
            strict: self.strict,
            host: None,
        };
        then(&request, &located)
    }

    /// As [`Self::with`], the root's project opened, or what it generated where its values are not there.
    pub(super) fn open<R>(
        &self,
        context: &Context,
        path: &Path,
        secrets: Secrets,
        then: impl FnOnce(&Root<'_>) -> Result<R, Report>,
    ) -> Result<R, Report> {
        self.with(context, path, secrets, |request, located| {
            let session = sessions(request, located).of(request.directory)?;
            then(&Root::new(request, &session))
        })
    }

    /// Everything that is applied from a path. Sealed files are opened where an identity fits.
    pub(super) fn cluster(&self, context: &Context, path: &Path) -> Result<Cluster, Report> {
        self.with(context, path, Secrets::Openable, |request, located| {
            cluster::load(request, &sessions(request, located))
        })
    }

    /// Whether what is in doubt is an error.
    pub(super) fn is_strict(&self) -> bool {
        self.strict
    }

    /// The one place where kustomize's flags become options of a build.
    fn options(&self) -> Options {
        Options {
            load_restriction: match self.load_restrictor {
                LoadRestrictor::LoadRestrictionsRootOnly => LoadRestriction::RootOnly,
                LoadRestrictor::LoadRestrictionsNone => LoadRestriction::None,
            },
            managed_by_label: self.enable_managedby_label,
            version_label: None,
            order: match self.reorder {
                Reorder::Legacy => Order::Legacy,
                Reorder::None => Order::Fifo,
            },
            level: self.kustomize_version,
        }
    }

    /// What the invoker allows a build to have done outside of its files.
    fn outside(&self, context: &Context, root: &Path) -> Outside {
        let helm = Helm {
            command: self.helm_command.clone(),
            api_versions: self.helm_api_versions.clone(),
            kube_version: self.helm_kube_version.clone(),
            is_debug: self.helm_debug,
            environment: Environment::of_the_invoker(),
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
            helm_home: true,
            plugins: self.enable_alpha_plugins,
            exec: self.enable_exec,
            environment: self.env.iter().filter_map(variable).collect(),
            visible: Environment::of_the_invoker(),
            plugin_homes: plugin_homes(|name| context.variable(name).map(OsString::from)),
        }
    }
}

/// The projects below a root; where values are not there, what was generated of them is read.
fn sessions(request: &Request<'_>, located: &Located) -> Sessions {
    let disk = Arc::clone(&located.tree);
    let opener = Arc::clone(&request.opener);
    let missing = MissingValues::ReadGenerated;
    Sessions::new(disk, request.overrides.clone(), opener, missing)
}

/// The key for redaction: from a file of the invoker, else for one run.
pub(super) fn redaction_key(context: &Context, file: Option<&Path>) -> Result<RedactionKey> {
    /// Shorter ones could be found by trying.
    const MIN_BYTES: usize = 16;
    let Some(path) = file else {
        let mut random = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *random).expect("the operating system has randomness");
        return Ok(RedactionKey::of_one_run(&*random));
    };
    let shown = path.display().to_string();
    let bytes = context
        .trusted
        .read(&context.working_directory.join(path))
        .map_err(|error| error.at(Place::file(shown.as_str())))?;
    let bytes = Zeroizing::new(bytes);
    if bytes.len() < MIN_BYTES {
        let phrase = format!("a key for redaction has {MIN_BYTES} bytes or more");
        return Err(Diagnostic::new(Code::Usage, phrase)
            .at(Place::file(shown))
            .help("make one with `head -c 32 /dev/urandom > FILE`"));
    }
    Ok(RedactionKey::lasting(&bytes))
}

/// Refuses the address of a repository, which kustomize would build.
fn refuse_address(path: &Path) -> Result<()> {
    let text = path.to_string_lossy();
    let is_address = text.contains("://") || ["git::", "git@"].iter().any(|p| text.starts_with(p));
    if !is_address {
        return Ok(());
    }
    let phrase = format!("{text} is an address, and a directory is needed");
    Err(Diagnostic::new(Code::Usage, phrase)
        .help("clone it, or list it in resources: of a kustomization and pass --network"))
}

/// Looks for identities as [`identities_of`] does, when they are asked for.
pub(super) fn identities(
    context: &Context,
    located: &Located,
    keys: KeyCommandArguments,
) -> impl Fn() -> Identities + Send + Sync + 'static {
    let (context, located) = (context.clone(), located.clone());
    move || identities_of(&context, &located, keys)
}

/// The identities of the user, those of a sidecar, and those that the project names beneath the root.
pub(super) fn identities_of(
    context: &Context,
    located: &Located,
    keys: KeyCommandArguments,
) -> Identities {
    let mut found = identities::of_the_user(context, keys.commands());
    if let Some(keys) = context.variable(identities::KEYS) {
        let keys = context.working_directory.join(keys);
        identities::add_path(&mut found, context, &keys, &terminal::passphrases());
    }
    let project = project::find_project(&located.tree, &located.directory);
    for path in project.ok().flatten().iter().flat_map(|p| &p.identities) {
        let path = located.tree.root().join(path.as_str());
        identities::add_path(&mut found, context, &path, &terminal::passphrases());
    }
    found
}
