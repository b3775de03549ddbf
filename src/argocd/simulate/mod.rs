//! Does locally what Argo CD's repo-server, plugin server and controller do with an Application, and says what its
//! user would see.
//!
//! The tree is copied as the host sends it, each command runs in a process group of its own with the host's
//! environment and deadline, and its output is read as the host reads it. The facts are those of Argo CD 3.6.
//! [`server`] is the plugin's side, [`super::sources`] the kinds that need none, [`super::wire`] what becomes of the
//! objects. Start with [`simulate`].

mod config;
mod discover;
mod page;
mod part;
mod server;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

pub use config::PluginConfig;
pub use page::{HostView, SeenSource, page};

use super::application::merge::{Merged, merged};
use super::application::source::AppSource;
use super::application::{Application, Facts, SourceKind};
use super::sources::{self, HelmTool, References, SourceOrder, said};
use super::wire::lists::check_kind;
use super::wire::target::{ControllerState, Targets};
use super::wire::tracking::{Tracking, is_definition};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{Files, Kind, Tree, TreePath, leaving_link};
use server::Server;

/// Where the image holds the plugin; [`Settings::program`] stands in for it.
const PROGRAM: &str = "/usr/local/bin/plugin";

/// The host around an Application.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The namespace of Argo CD.
    pub control_plane: String,
    /// The cluster's version.
    pub kube_version: String,
    /// The cluster's API versions.
    pub api_versions: Vec<String>,
    /// The commit.
    pub revision: String,
    /// How long a request to the repo-server may take.
    pub timeout: Duration,
    /// `reposerver.plugin.tar.exclusions`.
    pub exclusions: Vec<String>,
    /// `reposerver.plugin.use.manifest.generate.paths`.
    pub uses_generate_paths: bool,
    /// `reposerver.allow.oob.symlinks`.
    pub allows_leaving_links: bool,
    /// Kinds of sources that are switched off.
    pub disabled: Vec<SourceKind>,
    /// The helm for sources that are charts.
    pub helm: Option<HelmTool>,
    /// How objects are marked.
    pub tracking: Tracking,
    /// Kinds that the cluster knows as cluster-scoped: group and kind.
    pub cluster_scoped: BTreeSet<(String, String)>,
    /// The environment of the sidecar's container.
    pub environment: Vec<(String, String)>,
    /// The program that stands in for the image's.
    pub program: PathBuf,
}

/// A repository.
#[derive(Clone)]
pub struct Checkout {
    /// Where it lies on disk.
    pub root: PathBuf,
    /// Its files.
    pub files: Arc<dyn Files>,
}

impl From<Arc<Tree>> for Checkout {
    fn from(tree: Arc<Tree>) -> Self {
        Self {
            root: tree.root().to_owned(),
            files: tree,
        }
    }
}

/// An Application, its repositories, the plugin and the host.
pub struct Simulation<'a> {
    /// The Application.
    pub application: &'a Application,
    /// Which of its sources, from 0; all of them by default.
    pub source: Option<usize>,
    /// The repository on disk.
    pub repository: &'a Checkout,
    /// Other repositories, by address.
    pub others: &'a IndexMap<String, Checkout>,
    /// The plugin's configuration.
    pub config: &'a PluginConfig,
    /// The host.
    pub settings: &'a Settings,
}

/// Renders an Application as the host does.
///
/// Fails with [`Code::HostError`] where the host would show an error, which the note holds word by word;
/// otherwise as reading the Application does.
pub fn simulate(simulation: &Simulation<'_>) -> Result<HostView, Report> {
    let mut seen = simulation.seen();
    let mut objects = Vec::new();
    for index in simulation.chosen()? {
        let one = OneSource::new(simulation, index)?;
        let failed = |report: Report| one.shown(report);
        let Some((source, found)) = one.render().map_err(failed)? else {
            continue;
        };
        objects.extend(found);
        seen.sources.push(source);
    }
    let targets = simulation.settle(objects)?;
    seen.objects = targets.objects;
    seen.repeated = targets.repeated;
    Ok(seen)
}

/// Renders one source, counted from 0, before anything is marked or settled; `None` where it is a `ref` alone.
///
/// Fails as [`simulate`] does.
pub fn render_source(
    simulation: &Simulation<'_>,
    index: usize,
) -> Result<Option<Vec<Value>>, Report> {
    let one = OneSource::new(simulation, index)?;
    let rendered = one.render().map_err(|report| one.shown(report))?;
    Ok(rendered.map(|(_, objects)| objects))
}

/// What a plugin announces for an Application: for the source that is chosen, else the first that a plugin
/// renders.
pub fn announcements(simulation: &Simulation<'_>) -> Result<Vec<Value>, Report> {
    for index in simulation.chosen()? {
        let one = OneSource::new(simulation, index)?;
        let failed = |report: Report| one.shown(report);
        if let Some(found) = one.announcements().map_err(failed)? {
            return Ok(found);
        }
    }
    let phrase = "no source of the Application is rendered by a plugin";
    Err(Diagnostic::new(Code::Usage, phrase).into())
}

impl Simulation<'_> {
    fn seen(&self) -> HostView {
        HostView {
            name: self.application.instance_name(&self.settings.control_plane),
            project: self.application.project.clone(),
            warnings: self.config.warnings.clone(),
            ..HostView::default()
        }
    }

    /// The sources that are rendered.
    fn chosen(&self) -> Result<Vec<usize>> {
        let count = self.application.sources.len();
        match self.source {
            Some(index) if index >= count => {
                let phrase = format!("the Application has {count} sources");
                Err(Diagnostic::new(Code::Usage, phrase))
            }
            Some(index) => Ok(vec![index]),
            None if count == 0 => {
                let phrase = "the Application has no source";
                Err(Diagnostic::new(Code::Usage, phrase))
            }
            None => Ok((0..count).collect()),
        }
    }

    /// What the repo-server and the controller make of the objects of all sources.
    fn settle(&self, mut objects: Vec<Value>) -> Result<Targets> {
        let has_kind = |object: &Value| check_kind(object).map_err(|words| said(&words));
        if self.application.hydrates_to.is_some() {
            // What is hydrated is neither marked nor compared.
            objects.iter().try_for_each(has_kind)?;
            return Ok(Targets {
                objects,
                repeated: Vec::new(),
            });
        }
        let settings = self.settings;
        let instance = self.application.instance_name(&settings.control_plane);
        let destination = &self.application.destination;
        for object in &mut objects {
            if !settings.tracking.label_key.is_empty() && !is_definition(object) {
                settings
                    .tracking
                    .mark(object, &instance, destination)
                    .map_err(|words| {
                        said(&format!(
                            "failed to set app instance tracking info on manifest: {words}"
                        ))
                    })?;
            }
            has_kind(object)?;
        }
        let world = ControllerState {
            application: &instance,
            destination,
            tracking: &settings.tracking,
            cluster_scoped: &settings.cluster_scoped,
        };
        world.settle(objects).map_err(|words| said(&words))
    }
}

/// One source that is being rendered.
struct OneSource<'a> {
    simulation: &'a Simulation<'a>,
    index: usize,
    checkout: &'a Checkout,
    written: &'a Value,
}

impl<'a> OneSource<'a> {
    fn new(simulation: &'a Simulation<'a>, index: usize) -> Result<Self> {
        let written = &simulation.application.sources[index];
        let address = written
            .get("repoURL")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let other = simulation.others.get(address);
        Ok(Self {
            simulation,
            index,
            checkout: other.unwrap_or(simulation.repository),
            written,
        })
    }

    fn repository(&self) -> &Path {
        &self.checkout.root
    }

    /// Renders it; `None` where it gives nothing to render, as a source with a `ref` alone.
    fn render(&self) -> Result<Option<(SeenSource, Vec<Value>)>, Report> {
        let Some((directory, merged)) = self.prepared()? else {
            return Ok(None);
        };
        let facts = self.facts();
        let server = self.server()?;
        let references = self.references();
        let order = self.order(&merged.source, &facts, &directory, &references, &server);
        let rendered = sources::render(&order)?;
        let mut seen = SeenSource {
            directory: directory.to_string(),
            kind: Some(rendered.kind),
            plugin: self.simulation.config.name.clone(),
            merged: merged.files,
            noted: server.noted(),
            ..SeenSource::default()
        };
        if rendered.kind == SourceKind::Plugin {
            match server.announcements(&order) {
                Ok(all) => seen.announcements = all,
                Err(words) => seen.parameters_fail = Some(words),
            }
        }
        Ok(Some((seen, rendered.objects)))
    }

    fn announcements(&self) -> Result<Option<Vec<Value>>, Report> {
        let Some((directory, merged)) = self.prepared()? else {
            return Ok(None);
        };
        let facts = self.facts();
        let server = self.server()?;
        let references = self.references();
        let order = self.order(&merged.source, &facts, &directory, &references, &server);
        if sources::kind(&order)? != SourceKind::Plugin {
            return Ok(None);
        }
        let found = server
            .announcements(&order)
            .map_err(|words| said(&format!("failed to get parameter announcement: {words}")))?;
        Ok(Some(found))
    }

    /// What the repo-server checks before it renders, and the source with what the repository sets on it.
    fn prepared(&self) -> Result<Option<(TreePath, Merged)>> {
        let settings = self.simulation.settings;
        let written = AppSource::read(self.written).map_err(|words| {
            let phrase = format!("the source of the Application is not one: {words}");
            Diagnostic::new(Code::FieldType, phrase)
        })?;
        let has_several = self.simulation.application.has_several;
        if has_several && written.path.is_empty() && written.chart.is_empty() {
            return Ok(None);
        }
        if !written.chart.is_empty() {
            let phrase = "the source is a chart of a Helm repository, which is not fetched here";
            return Err(
                Diagnostic::new(Code::Usage, phrase).help("choose another source with --source")
            );
        }
        if !settings.allows_leaving_links
            && let Some(link) = leaving_link(self.repository())?
        {
            return Err(said(&format!(
                "repository contains out-of-bounds symlinks. file: {link}"
            )));
        }
        let directory = self.directory(&written.path)?;
        let instance = self
            .simulation
            .application
            .instance_name(&settings.control_plane);
        let merged = merged(self.written, &self.checkout.files, &directory, &instance)?;
        let merged =
            merged.map_err(|words| said(&format!("error getting app source type: {words}")))?;
        let env = merged
            .source
            .plugin
            .as_ref()
            .and_then(|plugin| plugin.env.as_ref());
        match env.is_some_and(|env| env.iter().any(Option::is_none)) {
            true => Err(said(
                "runtime error: invalid memory address or nil pointer dereference: an entry of plugin.env is null",
            )),
            false => Ok(Some((directory, merged))),
        }
    }

    fn directory(&self, path: &str) -> Result<TreePath> {
        if path.starts_with('/') {
            return Err(said(&format!("{path}: app path is absolute")));
        }
        let directory = TreePath::parse(path);
        let directory = directory.ok_or_else(|| said(&format!("{path}: app path outside root")))?;
        match self.checkout.files.kind(&directory) {
            Ok(Some(Kind::Directory)) => Ok(directory),
            Ok(Some(Kind::File)) => Err(said(&format!("{path}: app path is not a directory"))),
            Ok(None) | Err(_) => {
                let help = "the host looks for the directory in Git; where templates alone make it, commit an empty file there, such as .gitkeep";
                Err(said(&format!("{path}: app path does not exist")).help(help))
            }
        }
    }

    fn facts(&self) -> Facts {
        let Simulation {
            application,
            settings,
            ..
        } = self.simulation;
        // The hydrator asks without the state of a cluster.
        let is_dry = application.hydrates_to.is_some();
        Facts {
            instance: application.instance_name(&settings.control_plane),
            project: application.project.clone(),
            destination: application.destination.clone(),
            revision: settings.revision.clone(),
            kube_version: if is_dry {
                String::new()
            } else {
                settings.kube_version.clone()
            },
            api_versions: if is_dry {
                Vec::new()
            } else {
                settings.api_versions.clone()
            },
        }
    }

    fn server(&self) -> Result<Server<'_>> {
        Server::new(
            self.simulation.config,
            self.simulation.settings,
            self.repository(),
            self.simulation.application.generate_paths.as_deref(),
        )
    }

    /// The sources that value files can refer to, by `$ref`.
    fn references(&self) -> References {
        let sources = &self.simulation.application.sources;
        let mut references = References::new();
        if sources.len() < 2 {
            return references;
        }
        let text = |source: &'a Value, key: &str| {
            source.get(key).and_then(Value::as_str).unwrap_or_default()
        };
        let own = text(self.written, "repoURL");
        for source in sources {
            let (name, address) = (text(source, "ref"), text(source, "repoURL"));
            if name.is_empty() {
                continue;
            }
            let other = self.simulation.others.get(address);
            let found = other.or((address == own).then_some(self.checkout));
            let files = found.map(|checkout| Arc::clone(&checkout.files));
            references.insert(format!("${name}"), files);
        }
        references
    }

    fn order<'o>(
        &'o self,
        source: &'o AppSource,
        facts: &'o Facts,
        directory: &'o TreePath,
        references: &'o References,
        server: &'o Server<'o>,
    ) -> SourceOrder<'o> {
        SourceOrder {
            source,
            facts,
            files: &self.checkout.files,
            directory,
            references,
            disabled: &self.simulation.settings.disabled,
            tools: server,
        }
    }

    /// Puts the words of the host around what it would say.
    fn shown(&self, report: Report) -> Report {
        let (number, count) = (self.index + 1, self.simulation.application.sources.len());
        let around = |finding: Diagnostic| match finding.code() {
            Code::HostError => {
                let words = finding.notes().first().cloned().unwrap_or_default();
                let shown = said(&format!(
                    "Failed to load target state: failed to generate manifest for source {number} of {count}: rpc error: code = Unknown desc = {words}"
                ));
                let shown = shown.at(finding.place().cloned());
                finding
                    .remedies()
                    .iter()
                    .fold(shown, |shown, help| shown.help(help))
            }
            _ => finding,
        };
        Report {
            findings: report.findings.into_iter().map(around).collect(),
        }
    }
}
