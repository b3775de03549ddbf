//! The main path: views, build, overlays and the build with them, the gate.

use secrecy::SecretString;

use super::adjust::{Adjustments, adjusted, kustomization_path};
use super::mask::Mask;
use super::outside::Outside;
use super::progress::{Progress, Timed};
use super::project::Project;
use super::secrets::{Opened, Secrets};
use super::values::{Opener, Overrides, Templates, Values, chosen_profile, project_values};
use crate::diagnostic::{Report, Result};
use crate::files::{Files, Kind, Layer, TreePath};
use crate::kube::ResMap;
use crate::kustomize::{self, Built};
use crate::overlay::{self, Config, Expansion, HostParameter, Instance, Policy};
use crate::template::Delimiters;
use crate::validate::{self, GateOptions, Severities};

/// One render.
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

/// The project of a directory: its project file, or the `makejinja.toml` that would write a kustomization there.
pub fn find_project(files: &dyn Files, directory: &TreePath) -> Result<Option<Project>> {
    if let Some(project) = Project::find(files, directory)? {
        return Ok(Some(project));
    }
    if kustomization_path(files, directory)?.is_some() {
        return Ok(None);
    }
    let mut above = Some(directory.clone());
    while let Some(candidate) = above {
        let config = candidate.join("makejinja.toml");
        if let Some(config) = config.filter(|c| matches!(files.kind(c), Ok(Some(Kind::File)))) {
            return Ok(Some(Project::of_makejinja(config)));
        }
        above = candidate.parent();
    }
    Ok(None)
}

/// Renders a directory.
///
/// The same request over the same files gives the same bytes. There is no partial result; no message holds
/// what was sealed.
pub fn render(request: &Request<'_>, disk: &dyn Files) -> Result<Rendered, Report> {
    let project = find_project(disk, request.directory)?;
    let Some(project) = &project else {
        let opened = Opened::new(disk, request.opener, request.secrets);
        let stages = Stages {
            request,
            project: None,
            values: &Values::empty(),
            opened: &opened,
        };
        return stages.run().map_err(|report| stages.masked(report));
    };
    let templates = Templates::of(project, disk)?;
    let values = project_values(project, &templates, disk, request.overrides, request.opener)?;
    let masked = |error| Mask::new(values.secrets()).finding(error);
    let rendered = templates
        .view(disk, &values, request.opener)
        .map_err(masked)?;
    let opened = Opened::new(&rendered, request.opener, request.secrets);
    let stages = Stages {
        request,
        project: Some((project, &templates)),
        values: &values,
        opened: &opened,
    };
    let mut result = stages.run().map_err(|report| stages.masked(report))?;
    result
        .warnings
        .findings
        .splice(0..0, chosen_profile(project, &templates));
    Ok(result)
}

/// What the stages from the build on work with.
struct Stages<'a> {
    request: &'a Request<'a>,
    project: Option<(&'a Project, &'a Templates)>,
    values: &'a Values,
    opened: &'a Opened<'a>,
}

impl Stages<'_> {
    fn run(&self) -> Result<Rendered, Report> {
        let Some(host) = self.request.host else {
            return self.run_over(self.opened);
        };
        let timed = Timed::new(self.opened, &host.progress);
        let root = kustomization_path(&timed, self.request.directory)?;
        match root.filter(|_| !host.adjustments.is_empty()) {
            Some(root) => {
                let set = adjusted(timed.read(&root)?.as_ref(), &host.adjustments)?;
                self.run_over(&Layer::new(&timed, [set]))
            }
            None => self.run_over(&timed),
        }
    }

    fn run_over(&self, files: &dyn Files) -> Result<Rendered, Report> {
        self.enter("build");
        let plain = self.build(files)?;
        self.enter("overlays");
        let config = self.overlays();
        let expansion = self.expand(files, &plain.resources, &config)?;
        let Expansion {
            instances,
            report: mut warnings,
            view,
        } = expansion;
        let layered = view.as_ref().map(|view| self.build(view)).transpose()?;
        let built = layered.unwrap_or(plain);
        warnings.findings.splice(0..0, built.warnings.findings);
        self.enter("gate");
        let gate = self.gate(&built.resources);
        if gate.has_errors() {
            return Err(gate);
        }
        warnings.findings.extend(gate.findings);
        Ok(Rendered {
            resources: built.resources,
            warnings: self.masked(warnings),
            overlays: instances,
        })
    }

    fn build(&self, files: &dyn Files) -> Result<Built> {
        kustomize::build(
            files,
            self.request.directory,
            &self.request.build,
            self.request.outside,
        )
    }

    /// The overlays in use: the project's, and those of the command line.
    fn overlays(&self) -> Config {
        let mut config = self
            .project
            .map(|(p, _)| p.overlays.clone())
            .unwrap_or_default();
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
        let is_whole_project = self
            .project
            .is_some_and(|(p, _)| p.directory == *self.request.directory);
        let mut host = overlay::Host {
            strict: self.request.strict,
            is_whole_project,
            ..overlay::Host::default()
        };
        if let Some(set) = self.request.host {
            host.must_pin = true;
            host.target_namespace = set.adjustments.namespace.as_deref();
            host.destination_namespace = set.destination_namespace.as_deref();
            host.parameters = &set.parameters;
            host.policy = set.policy.as_ref();
        }
        let values = self.values.context();
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

    fn gate(&self, resources: &ResMap) -> Report {
        let delimiters = self.project.map_or_else(Vec::new, |(_, templates)| {
            opening(&templates.settings.delimiters)
        });
        let allowed = self
            .project
            .map_or(&[][..], |(p, _)| &p.checks.plaintext_allow);
        let sensitive = self.sensitive();
        validate::gate(
            resources,
            &GateOptions {
                severities: if self.project.is_some() || self.request.host.is_some() {
                    Severities::Strict
                } else {
                    Severities::Lenient
                },
                delimiters: &delimiters,
                sensitive: &sensitive,
                plaintext_allowed: allowed,
                keep_sealed: self.request.secrets == Secrets::Keep,
                must_have_objects: self.request.host.is_some_and(|host| !host.allow_empty),
            },
        )
    }

    /// The values that `checks.sensitive` lists.
    fn sensitive(&self) -> Vec<SecretString> {
        let patterns = self.project.map_or(&[][..], |(p, _)| &p.checks.sensitive);
        let listed = |name: &&str| patterns.iter().any(|p| fits(p, name));
        let texts = self
            .values
            .names()
            .filter(listed)
            .filter_map(|name| self.values.get(name));
        texts
            .filter_map(|value| value.as_str().map(SecretString::from))
            .collect()
    }

    /// A report without anything that was sealed.
    fn masked(&self, report: Report) -> Report {
        if report.is_empty() {
            return report;
        }
        let opened = self.opened.plaintexts();
        Mask::new(opened.iter().chain(self.values.secrets())).report(report)
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
