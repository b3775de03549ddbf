//! Renders one Kustomization.

use std::sync::Arc;

use super::finish::{OwnerLabels, finish};
use super::kustomization::Kustomization;
use super::variables::{Given, Objects, variables};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{Files, TreePath};
use crate::generators::Outside;
use crate::kube::ResMap;
use crate::kustomize::{LoadRestriction, Options, Order};
use crate::pipeline::{Flux, Host, Request, Root};
use crate::project::{Project, Session, find_project};
use crate::secrets::Opener;
use crate::secrets::{Opened, Secrets};
use crate::substitute::Strictness;
use crate::values::Overrides;

/// What is asked of every Kustomization.
pub struct Settings<'a> {
    /// The files below the root.
    pub disk: Arc<dyn Files>,
    /// The directory whose project is opened for all that have no other.
    pub directory: &'a TreePath,
    /// What a build may have done outside of its files.
    pub outside: &'a Outside,
    /// Opens sealed files.
    pub opener: Arc<Opener>,
    /// What leaves the plugin where a file is sealed.
    pub secrets: Secrets,
    /// Values over those of the project.
    pub overrides: &'a Overrides,
    /// Sets and overlays that are used besides the project's.
    pub overlays: &'a [String],
    /// Variables that the invoker gives.
    pub given: &'a Given,
    /// Whether a variable that does not exist is an error.
    pub strictness: Strictness,
    /// Whether objects are labelled with their Kustomization.
    pub owner: OwnerLabels,
    /// Whether a Kustomization may have no objects.
    pub allow_empty: bool,
}

/// Renders Kustomizations of one project.
pub struct Renderer<'a> {
    settings: &'a Settings<'a>,
    session: &'a Session,
    opened: Arc<Opened>,
    sealed: Arc<Opened>,
}

impl<'a> Renderer<'a> {
    /// Takes a session with the files that it opens and those that it leaves sealed.
    pub fn new(settings: &'a Settings<'a>, session: &'a Session) -> Self {
        Self {
            settings,
            session,
            opened: session.opened(settings.secrets),
            sealed: session.opened(Secrets::Keep),
        }
    }

    /// What is asked.
    pub(super) fn settings(&self) -> &'a Settings<'a> {
        self.settings
    }

    /// The files, sealed ones as they are.
    pub(super) fn files(&self) -> &dyn Files {
        &self.sealed
    }

    /// The files, sealed ones opened as is asked.
    pub(super) fn opened(&self) -> &dyn Files {
        &self.opened
    }

    /// The directory of the project, where there is one.
    pub(super) fn project(&self) -> Option<&'a TreePath> {
        self.session.project().map(|project| &project.directory)
    }

    /// Renders a Kustomization whose files are in a directory. Findings name it as the way they were come to.
    pub(super) fn render(
        &self,
        kustomization: &Kustomization,
        directory: &TreePath,
        objects: &Objects,
    ) -> Result<(ResMap, Report), Report> {
        self.render_in_project(kustomization, directory, objects)
            .map(|(resources, warnings)| (resources, via(warnings, kustomization)))
            .map_err(|report| via(report, kustomization))
            .map_err(|report| with_absent(report, kustomization, objects))
    }

    fn render_in_project(
        &self,
        kustomization: &Kustomization,
        directory: &TreePath,
        objects: &Objects,
    ) -> Result<(ResMap, Report), Report> {
        let Settings {
            disk,
            overrides,
            opener,
            ..
        } = self.settings;
        let own = find_project(disk, directory)?;
        let key = |project: &Project| (project.directory.clone(), project.files.clone());
        if own.as_ref().map(key) == self.session.project().map(key) {
            return self.render_here(kustomization, directory, objects);
        }
        let session = Session::open(Arc::clone(disk), directory, overrides, opener)?;
        Renderer::new(self.settings, &session).render_here(kustomization, directory, objects)
    }

    fn render_here(
        &self,
        kustomization: &Kustomization,
        directory: &TreePath,
        objects: &Objects,
    ) -> Result<(ResMap, Report), Report> {
        let settings = self.settings;
        if !self.exists(directory)? {
            return Err(path_missing(kustomization, directory).into());
        }
        let secrets = match kustomization.decrypts {
            true => settings.secrets,
            false => Secrets::Keep,
        };
        let host = self.host(kustomization, objects)?;
        let request = Request {
            directory,
            build: Options {
                load_restriction: LoadRestriction::None,
                managed_by_label: false,
                order: Order::Fifo,
                level: None,
            },
            outside: settings.outside,
            opener: Arc::clone(&settings.opener),
            secrets,
            overrides: settings.overrides,
            overlays: settings.overlays,
            strict: false,
            host: Some(&host),
        };
        let mut rendered = Root::new(&request, self.session).render()?;
        finish(kustomization, &mut rendered.resources, settings.owner)?;
        Ok((rendered.resources, told_once(rendered.warnings)))
    }

    fn exists(&self, directory: &TreePath) -> Result<bool> {
        Ok(self.opened.kind(directory)?.is_some())
    }

    fn host(&self, kustomization: &Kustomization, objects: &Objects) -> Result<Host, Report> {
        let post_build = kustomization.post_build.as_ref();
        let variables = post_build
            .map(|post_build| variables(kustomization, post_build, objects, self.settings.given))
            .transpose()?;
        Ok(Host {
            adjustments: kustomization.adjustments.clone(),
            allow_empty: self.settings.allow_empty,
            flux: Some(Flux {
                build_metadata: kustomization.build_metadata.clone(),
                strategic_merges: kustomization.strategic_merges.clone(),
                json_patches: kustomization.json_patches.clone(),
                variables,
                strictness: self.settings.strictness,
            }),
            ..Host::default()
        })
    }
}

fn path_missing(kustomization: &Kustomization, directory: &TreePath) -> Diagnostic {
    let phrase = format!(
        "{} names the path {directory}, which does not exist",
        kustomization.shown()
    );
    Diagnostic::new(Code::FileMissing, phrase)
        .at(kustomization.path_place.clone())
        .note("the path counts from the root of the source")
        .help("mend spec.path, or name the root with --root")
}

/// Adds the Kustomization as the way to each finding that is not in it.
fn via(mut report: Report, kustomization: &Kustomization) -> Report {
    let Some(place) = &kustomization.place else {
        return report;
    };
    let add = |finding: Diagnostic| match finding.place() {
        None => finding.at(place.clone()),
        Some(at) if at.file == place.file => finding,
        Some(_) => finding.via(place.clone()),
    };
    report.findings = report.findings.into_iter().map(add).collect();
    report
}

/// Tells with each missing variable which objects it may have been expected from.
fn with_absent(mut report: Report, kustomization: &Kustomization, objects: &Objects) -> Report {
    let from = kustomization.post_build.iter().flat_map(|p| &p.from);
    let absent: Vec<String> = from
        .filter(|source| source.optional && !objects.contains(&source.object))
        .map(|source| format!("{}/{}", source.object.kind, source.object.id))
        .collect();
    if absent.is_empty() {
        return report;
    }
    let is = if absent.len() == 1 { "is" } else { "are" };
    let note = format!(
        "of substituteFrom, {} may be missing, and {is}",
        absent.join(", ")
    );
    let add = |finding: Diagnostic| match finding.code() {
        Code::VariableMissing => finding.note(note.clone()),
        _ => finding,
    };
    report.findings = report.findings.into_iter().map(add).collect();
    report
}

/// Leaves out what the gate says of values whose type a variable changed: that was told already.
fn told_once(mut report: Report) -> Report {
    let of = |code: Code| move |finding: &&Diagnostic| finding.code() == code;
    let filled = report.findings.iter().filter(of(Code::SubstitutionRetyped));
    let filled: Vec<_> = filled.filter_map(|f| f.place().cloned()).collect();
    report.findings.retain(|finding| {
        let again = finding.code() == Code::ValueRetyped;
        !(again && finding.place().is_some_and(|place| filled.contains(place)))
    });
    report
}
