//! Renders one Kustomization.

use std::sync::Arc;

use super::finish::{OwnerLabels, finish};
use super::kustomization::Kustomization;
use super::variables::{Given, Objects, variables};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{Files, Kind, TreePath};
use crate::generators::Outside;
use crate::kustomize::{Level, LoadRestriction, Options, Order};
use crate::pipeline::{Flux, Host, Judged, Request, Root};
use crate::project::{Session, Sessions};
use crate::secrets::Opener;
use crate::secrets::{Opened, Secrets};
use crate::substitute::{Strategy, Strictness};
use crate::values::Overrides;

/// How kustomize calls its version within Flux, whose programs are built without one (case `kz-resources-and-build-metadata`).
pub(super) const VERSION_LABEL: &str = "(devel)";

/// What is asked of every Kustomization.
pub struct Settings<'a> {
    /// The directory whose project is opened for all that have no other.
    pub directory: &'a TreePath,
    /// Which kustomize's bytes are given, where the invoker says.
    pub level: Option<Level>,
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
    /// What becomes of a variable whose value is made in the cluster, or sealed to another key.
    pub unknown: Unknown,
}

/// What becomes of a variable whose value is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Nothing is rendered with it, as in the cluster.
    Refuse,
    /// A placeholder stands for it, and what is rendered can be looked at.
    Mark,
}

/// Renders Kustomizations of one project.
pub struct Renderer<'a> {
    settings: &'a Settings<'a>,
    sessions: &'a Sessions,
    session: Arc<Session>,
    opened: Arc<Opened>,
    sealed: Arc<Opened>,
}

impl<'a> Renderer<'a> {
    /// Opens the project that the settings name. Fails as [`Session::open`] does.
    pub fn new(settings: &'a Settings<'a>, sessions: &'a Sessions) -> Result<Self> {
        let session = sessions.of(settings.directory)?;
        Ok(Self {
            opened: session.opened(settings.secrets),
            sealed: session.opened(Secrets::Keep),
            settings,
            sessions,
            session,
        })
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
    pub(super) fn project(&self) -> Option<&TreePath> {
        self.session.project().map(|project| &project.directory)
    }

    /// Renders a Kustomization whose files are in a directory. Findings name it as the way they were come to.
    pub(super) fn render(
        &self,
        kustomization: &Kustomization,
        directory: &TreePath,
        objects: &Objects,
    ) -> Result<Judged, Report> {
        let strictness = self.settings.strictness;
        let strict = self.render_with(kustomization, directory, objects, strictness);
        let unfilled = match strict {
            Err(report) if self.settings.unknown == Unknown::Mark && lacks_values(&report) => {
                report
            }
            other => return other,
        };
        let marked = Strictness::Marked;
        let mut judged = self.render_with(kustomization, directory, objects, marked)?;
        // Where an object is missing, that is the cause, and told with the object.
        if !lacks_objects(kustomization, objects) {
            judged.found.findings.extend(unfilled.findings);
        }
        Ok(judged)
    }

    fn render_with(
        &self,
        kustomization: &Kustomization,
        directory: &TreePath,
        objects: &Objects,
        strictness: Strictness,
    ) -> Result<Judged, Report> {
        let judged = self.render_here(kustomization, directory, objects, strictness);
        let judged = judged.map(|mut judged| {
            judged.landed.warnings = via(judged.landed.warnings, kustomization);
            judged.found = via(judged.found, kustomization);
            judged
        });
        judged
            .map_err(|report| via(report, kustomization))
            .map_err(|report| with_absent(report, kustomization, objects))
    }

    fn render_here(
        &self,
        kustomization: &Kustomization,
        directory: &TreePath,
        objects: &Objects,
        strictness: Strictness,
    ) -> Result<Judged, Report> {
        let settings = self.settings;
        let session = self.sessions.of(directory)?;
        let opened = session.opened(settings.secrets);
        match opened.kind(directory)? {
            Some(Kind::Directory) => {}
            Some(Kind::File) => return Err(path_is_a_file(kustomization, directory).into()),
            None => {
                let top = directory.as_str().split('/').next().unwrap_or_default();
                let top = TreePath::root().join(top);
                let is_ours = match top {
                    Some(top) => opened.kind(&top)?.is_some(),
                    None => true,
                };
                return Err(path_missing(kustomization, directory, is_ours).into());
            }
        }
        let secrets = match kustomization.decrypts {
            true => settings.secrets,
            false => Secrets::Keep,
        };
        let host = self.host(kustomization, objects, strictness)?;
        let request = Request {
            directory,
            build: Options {
                load_restriction: LoadRestriction::None,
                managed_by_label: false,
                order: Order::Fifo,
                level: settings.level,
                version_label: Some(VERSION_LABEL),
            },
            outside: settings.outside,
            opener: Arc::clone(&settings.opener),
            secrets,
            overrides: settings.overrides,
            overlays: settings.overlays,
            strict: false,
            host: Some(&host),
        };
        let root = Root::new(&request, &session);
        let root = match settings.unknown {
            Unknown::Mark => root.watching(),
            Unknown::Refuse => root,
        };
        let mut judged = root.judged()?;
        let without_effect = kustomization.without_effect.iter().cloned();
        judged.landed.warnings.findings.extend(without_effect);
        finish(kustomization, &mut judged.landed.resources, settings.owner)?;
        judged.found = told_once(judged.found, &judged.landed.warnings);
        Ok(judged)
    }

    fn host(
        &self,
        kustomization: &Kustomization,
        objects: &Objects,
        strictness: Strictness,
    ) -> Result<Host, Report> {
        let post_build = kustomization.post_build.as_ref();
        let variables = post_build
            .map(|post_build| variables(kustomization, post_build, objects, self.settings.given))
            .transpose()?;
        // What the missing object would set is filled in: there are variables.
        let variables = match lacks_objects(kustomization, objects) {
            true => variables.map(|set| set.with_strategy(Strategy::Always)),
            false => variables,
        };
        Ok(Host {
            adjustments: kustomization.adjustments.clone(),
            allow_empty: self.settings.allow_empty,
            flux: Some(Flux {
                build_metadata: kustomization.build_metadata.clone(),
                variables,
                strictness,
                ignore: None,
            }),
            ..Host::default()
        })
    }
}

/// Where not even the first part of the path is in this tree, its source is likely another one.
fn path_missing(kustomization: &Kustomization, directory: &TreePath, is_ours: bool) -> Diagnostic {
    let code = if is_ours {
        Code::FileMissing
    } else {
        Code::SourceElsewhere
    };
    let phrase = format!(
        "{} names the path {directory}, which does not exist",
        kustomization.shown()
    );
    Diagnostic::new(code, phrase)
        .at(kustomization.path_place.clone())
        .note("the path counts from the root of the source")
        .help("mend spec.path, or name the root with --root")
}

fn path_is_a_file(kustomization: &Kustomization, path: &TreePath) -> Diagnostic {
    let phrase = format!(
        "{} names the path {path}, which is a file",
        kustomization.shown()
    );
    Diagnostic::new(Code::FluxInvalid, phrase)
        .at(kustomization.path_place.clone())
        .help("name the directory that holds it, or give the file a directory of its own")
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

/// Leaves out what the gate says of values whose type a variable changed: that was said already.
fn told_once(mut found: Report, warnings: &Report) -> Report {
    let filled = warnings.findings.iter();
    let filled = filled.filter(|finding| finding.code() == Code::SubstitutionRetyped);
    let filled: Vec<_> = filled.filter_map(|f| f.place().cloned()).collect();
    found.findings.retain(|finding| {
        let again = finding.code() == Code::ValueRetyped;
        !(again && finding.place().is_some_and(|place| filled.contains(place)))
    });
    found
}

/// Whether nothing but values of variables is missing.
fn lacks_values(report: &Report) -> bool {
    let mut codes = report.findings.iter().map(Diagnostic::code);
    codes.all(|code| code == Code::VariableMissing)
}

/// Whether an object that variables come from, and that must be there, is not.
pub(super) fn lacks_objects(kustomization: &Kustomization, objects: &Objects) -> bool {
    let mut from = kustomization.post_build.iter().flat_map(|p| &p.from);
    from.any(|source| !source.optional && !objects.contains(&source.object))
}
