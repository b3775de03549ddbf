//! What a render is doing, for the watchdog that ends it: the stage, the file, the slowest inputs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{File, Files, Kind, TreePath};

/// How many of the slowest inputs are told.
const SLOWEST: usize = 3;

/// The state of a render that another thread may look at.
#[derive(Debug, Clone)]
pub struct Progress(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    stage: &'static str,
    /// The files that are being read now, with the time at which each was begun.
    open: Vec<(TreePath, Instant)>,
    /// The slowest files so far, slowest first.
    slowest: Vec<(Duration, TreePath)>,
}

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State {
            stage: "start",
            open: Vec::new(),
            slowest: Vec::new(),
        })))
    }
}

impl Progress {
    /// Notes that a stage begins.
    pub fn enter(&self, stage: &'static str) {
        self.change(|state| state.stage = stage);
    }

    /// The error that ends a render at its deadline: stage, file and the slowest inputs.
    pub fn at_deadline(&self, deadline: Duration) -> Diagnostic {
        let seconds = deadline.as_secs();
        self.ended(&format!("the render did not end within {seconds} s"))
    }

    /// The error that ends a render which the host ends.
    pub fn when_asked_to_end(&self) -> Diagnostic {
        self.ended("the render was asked to end by a signal")
    }

    fn ended(&self, why: &str) -> Diagnostic {
        self.change(|state| {
            let phrase = format!("{why}; it was in the stage {}", state.stage);
            let mut error = Diagnostic::new(Code::Deadline, phrase);
            if let Some((path, _)) = state.open.first() {
                error = error.at(Place::file(path.as_str()));
            }
            for (path, since) in &state.open {
                error = error.note(format!("{path} is being read since {} ms", since.elapsed().as_millis()));
            }
            for (took, path) in &state.slowest {
                error = error.note(format!("{path} took {} ms", took.as_millis()));
            }
            error.help("render it locally with `plugin render` to see where the time goes, or raise the deadline in the policy")
        })
    }

    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn begin(&self, path: &TreePath) -> Instant {
        let now = Instant::now();
        self.change(|state| state.open.push((path.clone(), now)));
        now
    }

    fn end(&self, path: &TreePath, began: Instant) {
        self.change(|state| {
            state.open.retain(|(open, at)| open != path || *at != began);
            state.slowest.push((began.elapsed(), path.clone()));
            state
                .slowest
                .sort_by_key(|(took, _)| std::cmp::Reverse(*took));
            state.slowest.truncate(SLOWEST);
        });
    }
}

/// Files whose reads are timed.
pub struct Timed {
    below: Arc<dyn Files>,
    progress: Progress,
}

impl Timed {
    /// Builds the view.
    pub fn new(below: Arc<dyn Files>, progress: Progress) -> Self {
        Self { below, progress }
    }
}

impl Files for Timed {
    fn read(&self, path: &TreePath) -> Result<Arc<File>> {
        let began = self.progress.begin(path);
        let file = self.below.read(path);
        self.progress.end(path, began);
        file
    }

    fn read_unopened(&self, path: &TreePath) -> Result<Arc<File>> {
        self.below.read_unopened(path)
    }

    fn announce(&self, paths: &[TreePath]) {
        self.below.announce(paths);
    }

    fn kind(&self, path: &TreePath) -> Result<Option<Kind>> {
        // Whether a template makes a file is known when it is rendered.
        let began = self.progress.begin(path);
        let kind = self.below.kind(path);
        self.progress.end(path, began);
        kind
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<String>> {
        self.below.list(directory)
    }

    fn real_path(&self, path: &TreePath) -> Result<TreePath> {
        self.below.real_path(path)
    }

    fn from_absolute(&self, path: &str) -> Option<TreePath> {
        self.below.from_absolute(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    #[test]
    fn the_deadline_names_stage_and_slowest_file() {
        let disk = Memory::from_texts([("a.yaml", "a: 1\n")]);
        let progress = Progress::default();
        progress.enter("build");
        Timed::new(Arc::new(disk), progress.clone())
            .read(&TreePath::parse("a.yaml").unwrap())
            .unwrap();
        let error = progress.at_deadline(Duration::from_secs(50));
        assert!(error.phrase().contains("stage build"), "{error}");
        assert!(error.notes()[0].starts_with("a.yaml took "), "{error}");
    }
}
