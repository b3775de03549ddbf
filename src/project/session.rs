//! A project that is open: its values loaded, its templates read as what they render to.

use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;

use super::project::Project;
use super::values::{Templates, project_values};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{Files, Kind, TreePath};
use crate::kustomize::{KUSTOMIZATION_NAMES, kustomization_path};
use crate::secrets::Mask;
use crate::secrets::Opener;
use crate::secrets::{Opened, Secrets};
use crate::template::{Mount, View};
use crate::values::{Overrides, Values};

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
            let project = Project::of_makejinja(config);
            let is_finished =
                is_filled(files, directory)? && !makes_kustomization(&project, files, directory);
            return Ok(Some(project).filter(|_| !is_finished));
        }
        above = candidate.parent();
    }
    Ok(None)
}

/// Whether there is anything in a directory.
fn is_filled(files: &dyn Files, directory: &TreePath) -> Result<bool> {
    let is_directory = files.kind(directory)? == Some(Kind::Directory);
    Ok(is_directory && !files.list(directory)?.is_empty())
}

/// Whether the templates of a project make the kustomization of a directory.
fn makes_kustomization(project: &Project, files: &dyn Files, directory: &TreePath) -> bool {
    let Ok(templates) = Templates::of(project, files) else {
        return false;
    };
    let inside = |mount: &Mount| {
        let is_inside = directory.is_within(&mount.to);
        is_inside.then(|| mount.from.join(&directory.relative_to(&mount.to)))?
    };
    let makes = |from: TreePath| {
        KUSTOMIZATION_NAMES.iter().any(|name| {
            let template = from.join(&format!("{name}{}", templates.suffix()));
            template.is_some_and(|path| matches!(files.kind(&path), Ok(Some(Kind::File))))
        })
    };
    let here = std::iter::once(directory.clone());
    let mut places = templates.mounts.iter().filter_map(inside).chain(here);
    places.any(makes)
}

/// A project that is open, for any number of roots in it. Values are loaded once, and a template that
/// several roots reach is rendered once.
pub struct Session {
    opener: Arc<Opener>,
    project: Option<(Project, Templates)>,
    values: Values,
    /// The files, templates read as what they render to.
    files: Arc<dyn Files>,
    view: Option<Arc<View>>,
    /// The same files, sealed ones read as was asked.
    opened: Mutex<Vec<Arc<Opened>>>,
    /// Why what is generated on disk is read.
    lacking: Option<Diagnostic>,
}

impl Session {
    /// Opens the project of a directory; without one the files are read as they are.
    ///
    /// Fails with the codes of project files, of values and of `makejinja.toml`. No message holds what was sealed.
    pub fn open(
        disk: Arc<dyn Files>,
        directory: &TreePath,
        overrides: &Overrides,
        opener: &Arc<Opener>,
    ) -> Result<Self> {
        let project = find_project(&disk, directory)?;
        Self::of(disk, project, overrides, opener)
    }

    /// Opens a project. Fails as [`Self::open`] does.
    pub fn of(
        disk: Arc<dyn Files>,
        project: Option<Project>,
        overrides: &Overrides,
        opener: &Arc<Opener>,
    ) -> Result<Self> {
        let mut session = Self {
            opener: Arc::clone(opener),
            project: None,
            values: Values::empty(),
            files: Arc::clone(&disk),
            view: None,
            opened: Mutex::default(),
            lacking: None,
        };
        if let Some(project) = project {
            let templates = Templates::of(&project, &disk)?;
            session.values = project_values(&project, &templates, &disk, overrides, opener)?;
            let view = templates
                .view(disk, &session.values, opener)
                .map_err(|error| Mask::new(session.values.secrets()).finding(error))?;
            let view = Arc::new(view);
            session.files = Arc::clone(&view) as Arc<dyn Files>;
            session.view = Some(view);
            session.project = Some((project, templates));
        }
        Ok(session)
    }

    /// Opens a project whose values are not there: what its templates made before is read, with a warning.
    pub(super) fn generated(
        disk: Arc<dyn Files>,
        project: Option<Project>,
        opener: &Arc<Opener>,
        error: &Diagnostic,
    ) -> Result<Self> {
        let mut session = Self::of(Arc::clone(&disk), None, &Overrides::default(), opener)?;
        if let Some(project) = project {
            let templates = Templates::of(&project, &disk)?;
            session.project = Some((project, templates));
        }
        session.lacking = Some(error.clone());
        Ok(session)
    }

    /// What the user should know of how the project was opened.
    pub fn warning(&self) -> Option<Diagnostic> {
        let error = self.lacking.as_ref()?;
        let phrase = format!("{}; what is generated on disk is judged", error.phrase());
        let warning = Diagnostic::warning(Code::ValuesMissing, phrase).at(error.place().cloned());
        Some(warning.help("`plugin values seal` makes a sealed file of them that can be committed"))
    }

    /// Why the project could not be opened as it is written.
    pub fn lacking(&self) -> Option<&Diagnostic> {
        self.lacking.as_ref()
    }

    /// The project, where there is one.
    pub fn project(&self) -> Option<&Project> {
        self.project.as_ref().map(|(project, _)| project)
    }

    /// Where the project's templates are and how they are written.
    pub fn templates(&self) -> Option<&Templates> {
        self.project.as_ref().map(|(_, templates)| templates)
    }

    /// The values; none without a project.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The files, templates read as what they render to.
    pub fn files(&self) -> &Arc<dyn Files> {
        &self.files
    }

    /// The files, sealed ones read as is asked; each opened once, whoever asks.
    pub fn opened(&self, secrets: Secrets) -> Arc<Opened> {
        let mut views = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = views.iter().find(|view| view.secrets() == secrets) {
            return Arc::clone(view);
        }
        let below = Arc::clone(&self.files);
        let view = Arc::new(Opened::new(below, Arc::clone(&self.opener), secrets));
        views.push(Arc::clone(&view));
        view
    }

    /// The directories of mounted templates, which are read elsewhere.
    pub fn template_directories(&self) -> Vec<TreePath> {
        let mounts = self.templates().map_or(&[][..], |t| &t.mounts);
        let moved = mounts.iter().filter(|mount| mount.from != mount.to);
        moved.map(|mount| mount.from.clone()).collect()
    }

    /// Where templates include others from; any of them may.
    pub fn included_from(&self) -> Vec<TreePath> {
        let mounts = self.templates().map_or(&[][..], |t| &t.mounts);
        mounts.iter().map(|mount| mount.from.clone()).collect()
    }

    /// The template that a path is rendered from, where there is one.
    pub fn template_of(&self, path: &TreePath) -> Result<Option<TreePath>> {
        match &self.view {
            Some(view) => view.template_of(path),
            None => Ok(None),
        }
    }

    /// The file of a template tree that a path is made from: a template, or what is copied as it is.
    pub fn made_from(&self, path: &TreePath) -> Result<Option<TreePath>> {
        match &self.view {
            Some(view) => view.made_from(path),
            None => Ok(None),
        }
    }

    /// A report without anything that was sealed, in the values or in the files that were opened.
    pub fn masked(&self, report: Report) -> Report {
        if report.is_empty() {
            return report;
        }
        let views = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let opened: Vec<SecretString> = views.iter().flat_map(|view| view.plaintexts()).collect();
        Mask::new(opened.iter().chain(self.values.secrets())).report(report)
    }
}
