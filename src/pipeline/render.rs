//! The main path: what is asked, and the flow from a directory to manifests.

use std::borrow::Cow;
use std::sync::Arc;

use super::host::{Adjustments, Flux};
use super::progress::Progress;
use super::{Built, Landed, Manifests, bind, build, host, judge, land, layer};
use crate::diagnostic::budget;
use crate::diagnostic::{Report, Result};
use crate::files::{Asked, File, Files, TreePath, Watched};
use crate::generators::Outside;
use crate::kustomize;
use crate::overlay::{Config, Expansion, HostParameter, Policy};
use crate::project::{Checks, Session};
use crate::secrets::{Opened, Opener, Secrets, leave};
use crate::values::{Overrides, Values};

/// One render.
#[derive(Clone)]
pub struct Request<'a> {
    /// The directory of the root kustomization, below the root of the tree.
    pub directory: &'a TreePath,
    /// kustomize's own options.
    pub build: kustomize::Options,
    /// What the build may have done outside of its files.
    pub outside: &'a Outside,
    /// Opens sealed files; looks for identities when the first one is met.
    pub opener: Arc<Opener>,
    /// What leaves the plugin where a file is sealed.
    pub secrets: Secrets,
    /// Values over those of the project.
    pub overrides: &'a Overrides,
    /// Sets and overlays that are used besides the project's.
    pub overlays: &'a [String],
    /// Whether findings that are warnings are errors.
    pub strict: bool,
    /// What a host sets; `None` on the command line.
    pub host: Option<&'a Host>,
}

/// What a host writes over the root kustomization before it builds, where it is more than fields.
pub trait Rewrite: Send + Sync {
    /// The kustomization as it is built; `None` where what is there stays.
    fn rewrite(&self, files: &Arc<dyn Files>, directory: &TreePath) -> Result<Option<File>>;
}

/// What a host sets around a render.
#[derive(Default)]
pub struct Host {
    /// What is written over the root kustomization, in the place of `adjustments`.
    pub rewrite: Option<Box<dyn Rewrite>>,
    /// Fields of the root kustomization.
    pub adjustments: Adjustments,
    /// The namespace that Argo CD gives objects which have none.
    pub destination_namespace: Option<String>,
    /// Overlay parameters of the Application.
    pub parameters: Vec<HostParameter>,
    /// The administrator's policy of overlays.
    pub policy: Option<Policy>,
    /// Whether nothing at all may be rendered.
    pub allow_empty: bool,
    /// What only Flux does.
    pub flux: Option<Flux>,
    /// Noted for a watchdog.
    pub progress: Progress,
}

/// Renders a directory.
///
/// The same request over the same files gives the same bytes. There is no partial result; no message holds
/// what was sealed.
pub fn render(request: &Request<'_>, disk: Arc<dyn Files>) -> Result<Manifests, Report> {
    leave(request.secrets, &request.opener, |opener, secrets| {
        let request = Request {
            opener: Arc::clone(opener),
            secrets,
            ..request.clone()
        };
        budget::renew();
        let disk = Arc::clone(&disk);
        let session = Session::open(disk, request.directory, request.overrides, opener)?;
        Root::new(&request, &session).render()
    })
}

/// One root of an open project: what the stages are told.
pub struct Root<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) session: &'a Session,
    /// The files, a SOPS file read as its plaintext, its MAC checked.
    pub(crate) opened: Arc<Opened>,
    /// The same, noted.
    watched: Option<Arc<Watched>>,
    has_overlays: bool,
    pub(super) target_namespace: Option<&'a str>,
}

impl<'a> Root<'a> {
    /// Takes a root; the session may be that of other roots too.
    pub fn new(request: &'a Request<'a>, session: &'a Session) -> Self {
        Self {
            request,
            session,
            opened: session.opened(request.secrets),
            watched: None,
            has_overlays: true,
            target_namespace: None,
        }
    }

    /// Renders the root. Data runs one way, and each stage takes the last one's output by value.
    pub fn render(&self) -> Result<Manifests, Report> {
        let landed = self.landed()?; // the objects as the host will hold them
        judge::run(landed, self) // checked, ready to be written
    }

    /// Renders the root as far as nothing is judged yet.
    pub fn landed(&self) -> Result<Landed, Report> {
        self.stages().map_err(|report| self.masked(report))
    }

    /// Builds the root, and decides which overlays apply to it.
    pub fn decided(&self) -> Result<(Built, Expansion), Report> {
        let decide = || {
            let files = host::view(self)?;
            let built = build::run(&files, self)?;
            let expansion = layer::decide(&built, &files, self)?;
            Ok((built, expansion))
        };
        decide().map_err(|report| self.masked(report))
    }

    fn stages(&self) -> Result<Landed, Report> {
        let files = host::view(self)?; // the root kustomization reads as the host writes it
        let built = build::run(&files, self)?; // Built: kustomize done
        let layered = layer::run(built, &files, self)?; // Layered: the root lists the overlays that its objects call for
        let bound = bind::run(layered, self)?; // Bound: variables filled in
        Ok(land::run(bound, self))
    }

    /// Leaves out every overlay.
    pub fn without_overlays(mut self) -> Self {
        self.has_overlays = false;
        self
    }

    /// Notes what the build asks of the files.
    pub fn watching(mut self) -> Self {
        let below = Arc::clone(&self.opened);
        self.watched = Some(Arc::new(Watched::new(below)));
        self
    }

    /// What the build asked of the files, where that is noted.
    pub fn asked(&self) -> Asked {
        let watched = self.watched.as_ref();
        watched.map(|watched| watched.asked()).unwrap_or_default()
    }

    /// The files that the build reads.
    pub(super) fn view(&self) -> Arc<dyn Files> {
        match &self.watched {
            Some(watched) => Arc::clone(watched) as Arc<dyn Files>,
            None => Arc::clone(&self.opened) as Arc<dyn Files>,
        }
    }

    /// Sets the namespace that Flux gives the whole root.
    pub fn with_target_namespace(mut self, namespace: Option<&'a str>) -> Self {
        self.target_namespace = namespace;
        self
    }

    /// The directory of its kustomization.
    pub fn directory(&self) -> &TreePath {
        self.request.directory
    }

    /// The values of its project.
    pub fn values(&self) -> &Values {
        self.session.values()
    }

    /// What its project has checked; `None` without a project.
    pub fn checks(&self) -> Option<&Checks> {
        self.session.project().map(|project| &project.checks)
    }

    /// The options of the build: what the invoker says, else what the project says.
    pub(crate) fn options(&self) -> kustomize::Options {
        let mut options = self.request.build.clone();
        let project = self.session.project();
        options.level = options.level.or(project.and_then(|p| p.kustomize_level));
        options
    }

    /// The overlays in use: the project's, and those of the command line.
    pub fn overlays(&self) -> Cow<'_, Config> {
        let project = self.session.project();
        let own = project.map(|project| Cow::Borrowed(&project.overlays));
        let mut config = own.filter(|_| self.has_overlays).unwrap_or_default();
        if self.has_overlays && !self.request.overlays.is_empty() {
            let named = self.request.overlays.iter().map(String::as_str);
            config.to_mut().merge(Config::of_names(named));
        }
        config
    }

    /// The files that its build reads, without overlays.
    pub fn files(&self) -> &Arc<Opened> {
        &self.opened
    }

    /// Notes for a watchdog that a stage begins.
    pub(super) fn enter(&self, stage: &'static str) {
        if let Some(host) = self.request.host {
            host.progress.enter(stage);
        }
    }

    /// A report without anything that was sealed.
    pub fn masked(&self, report: Report) -> Report {
        self.session.masked(report)
    }
}
