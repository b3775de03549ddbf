//! The main path: views, build, overlays and the build with them, the gate.

use secrecy::SecretString;

use super::flux::{self, Flux};
use super::progress::{Progress, Timed};
use crate::diagnostic::{Report, Result};
use crate::files::{Files, Layer, TreePath};
use crate::generators::Outside;
use crate::generators::Settling;
use crate::kube::{ResMap, Scope};
use crate::kustomize::kustomization_path;
use crate::kustomize::{self, Built};
use crate::overlay::{self, Config, Expansion, HostParameter, Instance, Policy};
use crate::pipeline::adjust::{Adjustments, adjusted};
use crate::project::Checks;
use crate::project::Session;
use crate::project::chosen_profile;
use crate::secrets::Opener;
use crate::secrets::{Opened, Secrets};
use crate::template::Delimiters;
use crate::validate::{self, GateOptions, Severities};
use crate::values::{Overrides, Values};
use crate::yaml::Node;

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
    pub opener: &'a Opener<'a>,
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

/// What a host sets around a render.
#[derive(Default)]
pub struct Host {
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

/// A finished render.
#[derive(Debug)]
pub struct Rendered {
    /// The objects, in the order of the output.
    pub resources: ResMap,
    /// What the user should know.
    pub warnings: Report,
    /// Which overlay applies to what, and why.
    pub overlays: Vec<Instance>,
}

impl Rendered {
    /// The manifests, as kustomize prints them.
    pub fn to_yaml(&self) -> Result<Vec<u8>> {
        let mut output = Vec::new();
        self.resources.write(&mut output)?;
        Ok(output)
    }
}

/// Renders a directory.
///
/// The same request over the same files gives the same bytes. There is no partial result; no message holds
/// what was sealed.
pub fn render(request: &Request<'_>, disk: &dyn Files) -> Result<Rendered, Report> {
    let session = Session::open(disk, request.directory, request.overrides, request.opener)?;
    let opened = session.opened(request.secrets);
    Root::new(request, &session, &opened).render()
}

/// One root of an open project.
pub struct Root<'a> {
    pub(crate) request: &'a Request<'a>,
    session: &'a Session<'a>,
    pub(crate) opened: &'a Opened<'a>,
    files: &'a dyn Files,
    target_namespace: Option<&'a str>,
}

impl<'a> Root<'a> {
    /// Takes a root; the session and what was opened may be those of other roots too.
    pub fn new(request: &'a Request<'a>, session: &'a Session<'a>, opened: &'a Opened<'a>) -> Self {
        Self {
            request,
            session,
            opened,
            files: opened,
            target_namespace: None,
        }
    }

    /// Reads through a view over what was opened.
    pub fn over(mut self, files: &'a dyn Files) -> Self {
        self.files = files;
        self
    }

    /// Sets the namespace that Flux gives the whole root, for overlays alone.
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

    /// The files that its build reads, without overlays.
    pub fn files(&self) -> &dyn Files {
        self.opened
    }

    /// Renders the root: [`Self::objects`], and the gate.
    pub fn render(&self) -> Result<Rendered, Report> {
        let mut rendered = self.objects()?;
        self.enter("gate");
        let judged = self.judge(&rendered);
        if judged.has_errors() {
            return Err(judged);
        }
        rendered.warnings.findings.extend(judged.findings);
        Ok(rendered)
    }

    /// Reports what the gate finds, and what overlays add and must not.
    pub fn judge(&self, rendered: &Rendered) -> Report {
        let mut found = self.gate(&rendered.resources);
        found.findings.extend(self.guard(rendered).findings);
        self.masked(found)
    }

    /// As [`Self::objects`], in the namespace that Flux gives the whole root.
    pub fn applied(&self) -> Result<Rendered, Report> {
        let mut rendered = self.objects()?;
        if let Some(namespace) = self.target_namespace {
            let objects = rendered.resources.iter_mut();
            for object in objects.filter(|object| object.scope() == Scope::Namespaced) {
                object.change(|node| {
                    let metadata = node.get_mut("metadata").and_then(Node::as_mapping_mut);
                    metadata.map(|m| m.insert("namespace", Node::string(namespace)))
                });
            }
        }
        Ok(rendered)
    }

    /// Builds the root with what its overlays add. Nothing is judged yet.
    pub fn objects(&self) -> Result<Rendered, Report> {
        let (plain, (layered, mut warnings, overlays)) = self.expanded(|plain, expansion| {
            let view = expansion.view.as_ref();
            let layered = view.map(|view| self.build(view)).transpose()?;
            let lost = layered
                .as_ref()
                .map(|l| expansion.verify(&plain.resources, &l.resources));
            if let Some(lost) = lost.filter(|report| !report.is_empty()) {
                return Err(lost);
            }
            Ok((layered, expansion.report, expansion.instances))
        })?;
        let built = layered.unwrap_or(plain);
        warnings.findings.splice(0..0, built.warnings.findings);
        let mut rendered = Rendered {
            resources: built.resources,
            warnings,
            overlays,
        };
        rendered.warnings = self.masked(rendered.warnings);
        let chosen = self.session.project().zip(self.session.templates());
        let chosen = chosen.and_then(|(project, templates)| chosen_profile(project, templates));
        let opened = self.session.warning().cloned();
        rendered
            .warnings
            .findings
            .splice(0..0, chosen.into_iter().chain(opened));
        Ok(rendered)
    }

    /// Builds the root, decides on its overlays, and gives both to a function; what was built stays.
    pub fn expanded<R>(
        &self,
        then: impl FnOnce(&Built, Expansion<'_>) -> Result<R, Report>,
    ) -> Result<(Built, R), Report> {
        self.adjusted(then).map_err(|report| self.masked(report))
    }

    fn adjusted<R>(
        &self,
        then: impl FnOnce(&Built, Expansion<'_>) -> Result<R, Report>,
    ) -> Result<(Built, R), Report> {
        let Some(host) = self.request.host else {
            return self.expanded_over(self.files, then);
        };
        let timed = Timed::new(self.files, &host.progress);
        if let Some(flux) = &host.flux {
            let set = flux::kustomization(&timed, self.request.directory, &host.adjustments, flux)?;
            return self.expanded_over(&Layer::new(&timed, set), then);
        }
        let root = kustomization_path(&timed, self.request.directory)?;
        match root.filter(|_| !host.adjustments.is_empty()) {
            Some(root) => {
                let set = adjusted(timed.read(&root)?.as_ref(), &host.adjustments)?;
                self.expanded_over(&Layer::new(&timed, [set]), then)
            }
            None => self.expanded_over(&timed, then),
        }
    }

    fn expanded_over<R>(
        &self,
        files: &dyn Files,
        then: impl FnOnce(&Built, Expansion<'_>) -> Result<R, Report>,
    ) -> Result<(Built, R), Report> {
        self.enter("build");
        let plain = self.build(files)?;
        self.enter("overlays");
        let config = self.overlays();
        let expansion = self.expand(files, &plain.resources, &config)?;
        let given = then(&plain, expansion)?;
        Ok((plain, given))
    }

    /// Builds the root over some files, and fills its variables where Flux would.
    pub fn build(&self, files: &dyn Files) -> Result<Built, Report> {
        let sealed = self.session.values().secrets();
        let settling = Settling::new(self.request.outside, self.opened, sealed);
        let directory = self.request.directory;
        let mut built = kustomize::build(files, directory, &self.request.build, &settling)?;
        built.warnings.findings.extend(self.opened.warning());
        match self.request.host.and_then(|host| host.flux.as_ref()) {
            Some(flux) => flux::bound(built, flux),
            None => Ok(built),
        }
    }

    /// The overlays in use: the project's, and those of the command line.
    pub fn overlays(&self) -> Config {
        let project = self.session.project();
        let mut config = project.map(|p| p.overlays.clone()).unwrap_or_default();
        config.merge(Config::of_names(
            self.request.overlays.iter().map(String::as_str),
        ));
        config
    }

    /// The overlays that the built objects call for.
    fn expand<'b>(
        &'b self,
        files: &'b dyn Files,
        built: &'b ResMap,
        config: &'b Config,
    ) -> Result<Expansion<'b>> {
        let project = self.session.project();
        let mut host = overlay::Host {
            strict: self.request.strict,
            is_whole_project: project.is_some_and(|p| p.directory == *self.request.directory),
            target_namespace: self.target_namespace,
            ..overlay::Host::default()
        };
        if let Some(set) = self.request.host {
            host.must_pin = true;
            host.target_namespace = set
                .adjustments
                .namespace
                .as_deref()
                .or(self.target_namespace);
            host.destination_namespace = set.destination_namespace.as_deref();
            host.parameters = &set.parameters;
            host.policy = set.policy.as_ref();
        }
        let values = self.session.values().context();
        overlay::view(&overlay::Request {
            files,
            directory: self.request.directory,
            built,
            config,
            values,
            host,
        })
    }

    fn enter(&self, stage: &'static str) {
        if let Some(host) = self.request.host {
            host.progress.enter(stage);
        }
    }

    /// Reports what the gate finds in objects of this root.
    pub fn gate(&self, resources: &ResMap) -> Report {
        let project = self.session.project();
        let delimiters = self.session.templates();
        let delimiters = delimiters.map_or_else(Vec::new, |t| opening(&t.settings.delimiters));
        let sensitive = self.sensitive();
        let options = GateOptions {
            severities: if project.is_some() || self.request.host.is_some() {
                Severities::Strict
            } else {
                Severities::Lenient
            },
            delimiters: &delimiters,
            sensitive: &sensitive,
            plaintext_allowed: project.map_or(&[][..], |p| &p.checks.plaintext_allow),
            keep_sealed: self.request.secrets.may_leave_sealed(),
            must_have_objects: self.request.host.is_some_and(|host| !host.allow_empty),
        };
        validate::gate(resources, &options)
    }

    /// Refuses what overlays add and must not, since it drops a flow that CloudNativePG needs.
    fn guard(&self, rendered: &Rendered) -> Report {
        let guarded: Vec<_> = rendered
            .overlays
            .iter()
            .flat_map(Instance::guarded)
            .collect();
        if guarded.is_empty() {
            return Report::default();
        }
        validate::guard(&rendered.resources, &guarded, &self.assumptions())
    }

    /// The values that `checks.sensitive` lists.
    fn sensitive(&self) -> Vec<SecretString> {
        let project = self.session.project();
        let patterns = project.map_or(&[][..], |p| &p.checks.sensitive);
        let listed = |name: &&str| patterns.iter().any(|p| fits(p, name));
        let values = self.session.values();
        let texts = values
            .names()
            .filter(listed)
            .filter_map(|name| values.get(name));
        texts
            .filter_map(|value| value.as_str().map(SecretString::from))
            .collect()
    }

    /// A report without anything that was sealed.
    pub fn masked(&self, report: Report) -> Report {
        self.session.masked(report, self.opened)
    }
}

/// The marks that open a tag.
fn opening(delimiters: &Delimiters) -> Vec<String> {
    [&delimiters.block, &delimiters.variable, &delimiters.comment]
        .map(|pair| pair[0].clone())
        .to_vec()
}

/// Whether a name fits a pattern, in which `*` is any text.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(rest) = name.strip_prefix(head) else {
        return false;
    };
    tail.is_empty()
        || (0..=rest.len())
            .filter(|at| rest.is_char_boundary(*at))
            .any(|at| fits(tail, &rest[at..]))
}
