//! The one model of what is applied: where it begins, its roots, and their objects as their hosts hold them.
//!
//! [`load`] finds the entries below a path, follows what they apply, and renders each root once. A root that
//! cannot be rendered is skipped or failed and never takes another one with it. Commands over many roots read
//! the [`Cluster`] that it returns. Start with [`load`].

mod applications;
mod causes;
pub mod checks;
mod discover;
mod inputs;
pub mod levels;
mod load;
pub mod overlays;
pub mod references;
pub mod roots;
pub mod sync;

use crate::admission::Versions;
use crate::diagnostic::{Code, Diagnostic, Place, Report, Severity};
use crate::files::TreePath;
use crate::pipeline::Judged;
use crate::secrets::Mask;

pub use causes::by_cause;
pub use inputs::Inputs;
pub use load::load;

/// Who applies a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// A Kustomization of Flux.
    Flux,
    /// An Application of Argo CD.
    ArgoCd,
    /// No host of this repository.
    Plain,
}

impl Host {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flux => "flux",
            Self::ArgoCd => "argocd",
            Self::Plain => "plain",
        }
    }
}

/// What is applied in one piece.
#[derive(Debug)]
pub struct Root {
    /// Who applies it.
    pub host: Host,
    /// The object that says so: `Kustomization flux-system/apps`.
    pub applied_by: Option<String>,
    /// Where that object is.
    pub place: Option<Place>,
    /// Where its files are.
    pub directory: TreePath,
    /// The namespace that its host moves all of it to.
    pub namespace: Option<String>,
    /// The cluster that it is applied to, by number: roots of one cluster run beside each other.
    pub cluster: usize,
    /// What it depends on; of a root that was not rendered only a part is known.
    pub inputs: Inputs,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a root.
#[derive(Debug)]
pub enum Outcome {
    /// It was rendered.
    Landed(Box<Judged>),
    /// It needs what is not here: the network, a program, a key, values.
    Skipped(Report),
    /// It is wrong.
    Failed(Report),
}

/// An [`Outcome`] without what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It was rendered.
    Landed,
    /// It needs what is not here.
    Skipped,
    /// It is wrong.
    Failed,
}

impl State {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Landed => "landed",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

impl Outcome {
    /// Which one it is.
    pub fn state(&self) -> State {
        match self {
            Self::Landed(_) => State::Landed,
            Self::Skipped(_) => State::Skipped,
            Self::Failed(_) => State::Failed,
        }
    }

    fn of(rendered: Result<Judged, Report>) -> Self {
        match rendered {
            Ok(judged) => Self::Landed(Box::new(judged)),
            Err(report) if is_not_here(&report) => Self::Skipped(report),
            Err(report) => Self::Failed(report),
        }
    }
}

/// Whether a report says only that something is not here which may be elsewhere.
fn is_not_here(report: &Report) -> bool {
    let mut errors = report.findings.iter();
    errors.all(|finding| {
        finding.severity() == Severity::Warning
            || matches!(
                finding.code(),
                Code::NotEnabled
                    | Code::SopsNoIdentity
                    | Code::ValuesMissing
                    | Code::SourceElsewhere
            )
    })
}

/// Everything that is applied from a path.
#[derive(Debug, Default)]
pub struct Cluster {
    /// The roots: those of hosts in the order in which they can be applied, then those that no host reaches.
    pub roots: Vec<Root>,
    /// What is about no single root.
    pub report: Report,
    /// The versions of the cluster, by which its objects are judged.
    pub versions: Versions,
    /// The paths that were asked about.
    pub below: Vec<TreePath>,
    /// What no text about the cluster may repeat.
    pub mask: Mask,
}

/// How many roots there are of each outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Those that were rendered.
    pub landed: usize,
    /// Those that need what is not here.
    pub skipped: usize,
    /// Those that are wrong.
    pub failed: usize,
}

impl Count {
    /// All of them.
    pub fn all(self) -> usize {
        self.landed + self.skipped + self.failed
    }
}

impl Cluster {
    /// The roots that were rendered.
    pub fn landed(&self) -> impl Iterator<Item = (&Root, &Judged)> {
        self.roots.iter().filter_map(|root| match &root.outcome {
            Outcome::Landed(judged) => Some((root, &**judged)),
            Outcome::Skipped(_) | Outcome::Failed(_) => None,
        })
    }

    /// How many roots there are of each outcome.
    pub fn count(&self) -> Count {
        let mut count = Count::default();
        for root in &self.roots {
            match root.outcome {
                Outcome::Landed(_) => count.landed += 1,
                Outcome::Skipped(_) => count.skipped += 1,
                Outcome::Failed(_) => count.failed += 1,
            }
        }
        count
    }

    /// Whether a host of this repository applies anything.
    pub fn has_host(&self) -> bool {
        self.roots.iter().any(|root| root.host != Host::Plain)
    }

    /// Leaves out every root that no change to one of some files reaches.
    pub fn keep_readers_of(&mut self, files: &[TreePath]) {
        let reads = |root: &Root| files.iter().any(|file| root.inputs.reach(file, |_| true));
        self.roots.retain(reads);
    }

    /// Whether a finding is about a file that one of the roots reads.
    pub fn is_about(&self, finding: &Diagnostic) -> bool {
        let places = finding.place().into_iter().chain(finding.trail());
        let mut files = places.filter_map(|place| TreePath::parse(&place.file));
        files.any(|file| {
            self.roots
                .iter()
                .any(|root| root.inputs.reach(&file, |_| true))
        })
    }

    /// What is wrong with the roots that were not rendered, and what is about no single root. What a root
    /// lacks is a warning, an error where `strict`.
    pub fn gaps(&self, strict: bool) -> Report {
        let mut report = Report::default();
        for root in &self.roots {
            match &root.outcome {
                Outcome::Landed(_) => {}
                Outcome::Failed(failed) => report.findings.extend(failed.findings.iter().cloned()),
                Outcome::Skipped(skipped) => {
                    let findings = skipped.findings.iter().cloned();
                    report.findings.extend(findings.map(|finding| match strict {
                        true => finding,
                        false => skipped_finding(root, finding),
                    }));
                }
            }
        }
        report.findings.extend(self.report.findings.iter().cloned());
        report
    }
}

fn skipped_finding(root: &Root, finding: Diagnostic) -> Diagnostic {
    let directory = shown(&root.directory);
    finding.with_severity(Severity::Warning).note(format!(
        "{directory} is skipped; --strict makes that an error"
    ))
}

/// A directory as messages name it.
pub fn shown(directory: &TreePath) -> &str {
    match directory.as_str() {
        "" => ".",
        path => path,
    }
}
