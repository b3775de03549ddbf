//! What a build may have done outside of its files: each thing only where the invoker's flag allows it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::builtin;
use crate::diagnostic::{Code, Diagnostic, Origin, Result, Source};
use crate::files::{File, Files, TreePath};
use crate::kube::Resource;
use crate::kustomize::{self, ChartCall, Generators, Program, ProgramCall, RepositoryAddress};
use crate::programs::{self, Chart, Environment, Helm, Process, Pull};
use crate::secrets::made;

/// What a build may have done outside of its files. The default allows nothing.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// The root on disk, below which programs run.
    pub root: PathBuf,
    /// Whether files and repositories are fetched.
    pub network: bool,
    /// The helm that inflates charts.
    pub helm: Option<Helm>,
    /// Whether a kustomization says where helm's own files are, plugins of helm among them.
    pub helm_home: bool,
    /// Whether plugins run.
    pub plugins: bool,
    /// Whether functions that are programs run.
    pub exec: bool,
    /// Variables that functions get, as `NAME=VALUE`.
    pub environment: Vec<String>,
    /// What git and curl see of our environment; functions see the short list alone.
    pub visible: Environment,
    /// Where plugins are looked for, in order.
    pub plugin_homes: Vec<PathBuf>,
}

fn off(what: &str, flag: &str) -> Diagnostic {
    Diagnostic::new(Code::NotEnabled, format!("{what} is not allowed")).help(format!("pass {flag}"))
}

impl Outside {
    fn run_function(
        &self,
        call: &ProgramCall<'_>,
        path: &str,
        arguments: &[String],
        environment: &[String],
    ) -> Result<Vec<u8>> {
        if !self.plugins || !self.exec {
            return Err(off(
                &format!("running the function {path}"),
                "--enable-alpha-plugins --enable-exec",
            ));
        }
        let directory = self.directory(call)?;
        let words = environment.iter().chain(&self.environment);
        let variables = words.filter_map(|word| word.split_once('='));
        Process {
            program: path.as_ref(),
            arguments: arguments.to_vec(),
            environment: &Environment::default(),
            temporary: None,
            variables: variables
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .collect(),
            directory: Some(&directory),
            input: &call.input,
            limit: None,
        }
        .run()
    }

    /// The directory on disk of a kustomization. Programs run in the repository itself and in no clone.
    fn directory(&self, call: &ProgramCall<'_>) -> Result<PathBuf> {
        let directory = self.root.join(call.directory.as_str());
        let absolute = directory
            .to_str()
            .and_then(|path| call.files.from_absolute(path));
        if absolute.as_ref() == Some(call.directory) {
            return Ok(directory);
        }
        let phrase = "a program of a cloned repository is not run";
        Err(Diagnostic::new(Code::NotEnabled, phrase))
    }

    fn run_plugin(&self, call: &ProgramCall<'_>, plugin: &Plugin<'_>) -> Result<Vec<u8>> {
        let name = plugin.kind;
        if !self.plugins {
            return Err(off(
                &format!("running the plugin {name}"),
                "--enable-alpha-plugins",
            ));
        }
        let below = Path::new(plugin.group)
            .join(plugin.version)
            .join(name.to_lowercase())
            .join(name);
        let homes = self.plugin_homes.iter().map(|home| home.join(&below));
        let found = homes.clone().find(|path| programs::is_there(path));
        let Some(program) = found else {
            let phrase = format!("there is no plugin {}", below.display());
            let help = "set KUSTOMIZE_PLUGIN_HOME to the directory above it";
            return Err(Diagnostic::new(Code::PluginInvalid, phrase).help(help));
        };
        let directory = self.directory(call)?;
        let configuration = programs::TemporaryFile::new(plugin.configuration)?;
        let mut arguments = vec![configuration.path().display().to_string()];
        arguments.extend_from_slice(plugin.arguments);
        let text = String::from_utf8_lossy(plugin.configuration).into_owned();
        let variables = BTreeMap::from([
            ("KUSTOMIZE_PLUGIN_CONFIG_STRING".to_owned(), text),
            (
                "KUSTOMIZE_PLUGIN_CONFIG_ROOT".to_owned(),
                directory.display().to_string(),
            ),
        ]);
        Process {
            program: program.as_os_str(),
            arguments,
            environment: &Environment::default(),
            temporary: None,
            variables: variables.into_iter().collect(),
            directory: Some(&directory),
            input: &call.input,
            limit: None,
        }
        .run()
    }
}

struct Plugin<'a> {
    group: &'a str,
    version: &'a str,
    kind: &'a str,
    arguments: &'a [String],
    configuration: &'a [u8],
}

impl Generators for Outside {
    fn fetch(&self, address: &str) -> Result<Arc<File>> {
        if !self.network {
            return Err(off(&format!("fetching {address}"), "--network"));
        }
        programs::fetch(address, &self.visible)
    }

    fn clone_repository(&self, address: &RepositoryAddress) -> Result<Arc<dyn Files>> {
        if !self.network {
            return Err(off(&format!("cloning {}", address.repository), "--network"));
        }
        programs::clone_repository(
            &address.repository,
            &address.reference,
            Duration::from_secs_f64(address.timeout_seconds),
            address.submodules,
            &self.visible,
        )
    }

    fn generate(
        &self,
        object: &Resource,
        files: &dyn Files,
        directory: &TreePath,
    ) -> Result<Option<Arc<File>>> {
        built_in(object, files, directory)
    }

    fn run(&self, call: &ProgramCall<'_>) -> Result<Vec<u8>> {
        match &call.program {
            Program::Function {
                path,
                arguments,
                environment,
            } => self.run_function(call, path, arguments, environment),
            Program::Plugin {
                group,
                version,
                kind,
                arguments,
                configuration,
            } => self.run_plugin(
                call,
                &Plugin {
                    group,
                    version,
                    kind,
                    arguments,
                    configuration,
                },
            ),
        }
    }

    fn chart<'a>(&'a self, call: &'a ChartCall<'a>) -> Result<Box<dyn kustomize::Chart + 'a>> {
        let Some(helm) = &self.helm else {
            return Err(off(
                &format!("inflating the chart {}", call.name),
                "--enable-helm",
            ));
        };
        if !call.config_home.is_empty() && !self.helm_home {
            let what = "configHome of helmGlobals, which may hold programs,";
            return Err(off(what, "--enable-exec"));
        }
        let mut helm = helm.clone();
        if helm.api_versions.is_empty() {
            helm.api_versions.clone_from(&call.api_versions);
        }
        if helm.kube_version.is_none() && !call.kube_version.is_empty() {
            helm.kube_version = Some(call.kube_version.clone());
        }
        helm.is_debug |= call.is_debug;
        let chart = match &call.chart {
            Some(path) => Chart::copy(call.files, path, &call.name)?,
            None if call.repository.is_empty() => {
                let phrase = format!("the chart {} is not there, and names no repo", call.name);
                return Err(Diagnostic::new(Code::FileMissing, phrase));
            }
            None => helm.pull(Pull {
                name: &call.name,
                repository: &call.repository,
                version: &call.version,
                is_devel: call.is_devel,
            })?,
        };
        let config_home = match &*call.config_home {
            "" => None,
            home => Some(self.root.join(call.directory.as_str()).join(home)),
        };
        Ok(Box::new(AtHand {
            helm,
            chart,
            arguments: &call.arguments,
            config_home,
        }))
    }
}

/// Makes what a KSOPS or SopsSecretGenerator object asks for, which needs no program and so no flag.
fn built_in(
    object: &Resource,
    files: &dyn Files,
    directory: &TreePath,
) -> Result<Option<Arc<File>>> {
    let made = Source::committed(directory.as_str());
    let source = object.source().map_or(&made, AsRef::as_ref);
    let open = |path: &str| {
        let named = directory.join(path).ok_or_else(|| {
            Diagnostic::new(Code::OutsideRoot, format!("{path} leads out of the root"))
        })?;
        let file = files.read(&named)?;
        if !made::will_be_sealed(files, &file)? {
            return Ok(file);
        }
        // A template makes it, and `expand` seals it before anything else reads it: it is as good as sealed.
        let source = Source {
            origin: Origin::Decrypted,
            ..Source::clone(&file.source)
        };
        Ok(Arc::new(File {
            source: Arc::new(source),
            ..File::clone(&file)
        }))
    };
    let Some(generated) = builtin::generate(object.node(), source, &open)? else {
        return Ok(None);
    };
    let source = Source {
        path: Arc::clone(&source.path),
        origin: Origin::Decrypted,
        secrets: generated.secrets.into(),
    };
    let path = TreePath::parse(&source.path).unwrap_or_else(TreePath::root);
    Ok(Some(Arc::new(File {
        path,
        bytes: generated.bytes.into(),
        source: Arc::new(source),
    })))
}

/// A chart on disk, and the helm that inflates it.
struct AtHand<'a> {
    helm: Helm,
    chart: Chart,
    arguments: &'a [String],
    config_home: Option<PathBuf>,
}

impl kustomize::Chart for AtHand<'_> {
    fn values(&self) -> Result<Vec<u8>> {
        self.chart.values()
    }

    fn inflate(&self, values: &[u8]) -> Result<Vec<u8>> {
        let home = self.config_home.as_deref();
        self.helm
            .template(&self.chart, self.arguments, values, home)
    }
}

/// The directories in which kustomize looks for plugins.
pub fn plugin_homes(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let own = variable("KUSTOMIZE_PLUGIN_HOME").map(PathBuf::from);
    let home = variable("HOME").map(PathBuf::from).unwrap_or_default();
    let config = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.unwrap_or_else(|| home.join(".config"));
    let others = [
        config.join("kustomize/plugin"),
        home.join("sigs.k8s.io/kustomize/plugin"),
    ];
    own.into_iter().chain(others).collect()
}
