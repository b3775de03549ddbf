//! The open projects of a run, each opened once, whichever of its directories asks for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::project::{Project, project_files};
use super::session::{Session, find_project};
use crate::diagnostic::{Code, Result};
use crate::files::{Files, TreePath};
use crate::secrets::Opener;
use crate::values::Overrides;

/// What is done where the values of a project are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingValues {
    /// The project cannot be opened.
    Refuse,
    /// What its templates made before is read from disk, with a warning.
    ReadGenerated,
}

/// The project files and the `makejinja.toml` that make up a project.
type Key = (Vec<TreePath>, Option<TreePath>);
type Once = Arc<OnceLock<Result<Arc<Session>>>>;

/// Opens the projects of a tree.
pub struct Sessions {
    disk: Arc<dyn Files>,
    overrides: Overrides,
    opener: Arc<Opener>,
    missing: MissingValues,
    open: Mutex<BTreeMap<Key, Once>>,
}

impl Sessions {
    /// Opens nothing yet.
    pub fn new(
        disk: Arc<dyn Files>,
        overrides: Overrides,
        opener: Arc<Opener>,
        missing: MissingValues,
    ) -> Self {
        Self {
            disk,
            overrides,
            opener,
            missing,
            open: Mutex::default(),
        }
    }

    /// The files as they are on disk.
    pub fn disk(&self) -> &Arc<dyn Files> {
        &self.disk
    }

    /// The project of a directory. Fails as [`Session::open`] does, for each of its directories alike.
    pub fn of(&self, directory: &TreePath) -> Result<Arc<Session>> {
        let files = project_files(&self.disk, directory)?;
        if !files.is_empty() {
            // Its files are read once, however many directories it has.
            return self.once((files, None), || Project::find(&self.disk, directory));
        }
        let project = find_project(&self.disk, directory)?;
        let makejinja = project
            .as_ref()
            .and_then(|p| p.templates.makejinja.as_ref());
        let key = (files, makejinja.map(|(path, _)| path.clone()));
        self.once(key, || Ok(project))
    }

    fn once(
        &self,
        key: Key,
        project: impl FnOnce() -> Result<Option<Project>>,
    ) -> Result<Arc<Session>> {
        let once = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(open.entry(key).or_default())
        };
        let open = || self.session(project()?).map(Arc::new);
        once.get_or_init(open).clone()
    }

    fn session(&self, project: Option<Project>) -> Result<Session> {
        let disk = Arc::clone(&self.disk);
        match Session::of(disk, project.clone(), &self.overrides, &self.opener) {
            Err(error)
                if error.code() == Code::ValuesMissing
                    && self.missing == MissingValues::ReadGenerated =>
            {
                let disk = Arc::clone(&self.disk);
                Session::generated(disk, project, &self.opener, &error)
            }
            opened => opened,
        }
    }
}
