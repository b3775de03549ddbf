//! Renders everything that is applied from a path.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::applications;
use super::discover::{DiscoveredFiles, FluxEntry};
use super::{Cluster, Host, Inputs, Outcome, Root};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{Files, Kind, TreePath};
use crate::flux::kustomization::Kustomization;
use crate::flux::sources::Sources;
use crate::flux::variables::Given;
use crate::flux::{self, Applied, OwnerLabels, Renderer, Scope, Settings, Strictness, Unknown};
use crate::kustomize::{KUSTOMIZATION_NAMES, kustomization_path};
use crate::pipeline::{self, Judged, Request};
use crate::project::{Session, Sessions};

/// Finds and renders what is applied from the directory of a request: the directory itself with what its
/// objects apply, or, where it has no kustomization, every entry below it.
///
/// Fails where the directory does not exist or nothing is below it.
pub fn load(request: &Request<'_>, sessions: &Sessions) -> Result<Cluster, Report> {
    let mut cluster = at_path(request, sessions)?;
    cluster.below.push(request.directory.clone());
    cluster.mask = request.opener.mask();
    Ok(cluster)
}

fn at_path(request: &Request<'_>, sessions: &Sessions) -> Result<Cluster, Report> {
    let directory = request.directory;
    let session = sessions.of(directory)?;
    if kustomization_path(session.files(), directory)?.is_some() {
        return at_root(request, sessions);
    }
    let kind = session.files().kind(directory)?;
    if kind != Some(Kind::Directory) {
        return only(request, sessions, &session);
    }
    let found = DiscoveredFiles::below(sessions, directory)?;
    let mut cluster = Cluster {
        report: found.report.clone(),
        ..Cluster::default()
    };
    let place = |path: &str| placed(session.files(), directory, path);
    let entries = found.flux_entries(place);
    apply_flux(&mut cluster, request, sessions, &entries)?;
    apply_argocd(&mut cluster, request, sessions, &found.argocd)?;
    let reached = Reached::by(&cluster.roots);
    let plain: Vec<&TreePath> = found.roots().filter(|root| !reached.holds(root)).collect();
    apply_plain(&mut cluster, request, sessions, &plain);
    match cluster.roots.is_empty() && cluster.report.is_empty() {
        true => only(request, sessions, &session),
        false => Ok(cluster),
    }
}

/// The path itself, where nothing is found at it: the build says what is missing.
fn only(request: &Request<'_>, sessions: &Sessions, session: &Session) -> Result<Cluster, Report> {
    let judged = pipeline::Root::new(request, session).watching().judged();
    match (judged, session.lacking()) {
        (Ok(judged), _) => Ok(Cluster::of(plain(sessions, request.directory, Ok(judged)))),
        // Values that are not there are why nothing is.
        (Err(_), Some(cause)) => Err(cause.clone().into()),
        (Err(report), None) => Err(report),
    }
}

impl Cluster {
    /// Takes what another path applies beside this one.
    pub fn join(&mut self, other: Self) {
        let mut beside = Beside::of(self);
        for root in other.roots {
            let root = beside.placed(root);
            self.roots.push(root);
        }
        self.report.findings.extend(other.report.findings);
        self.below.extend(other.below);
    }

    fn of(root: Root) -> Self {
        Self {
            roots: vec![root],
            ..Self::default()
        }
    }
}

/// A root that was named. Where it applies Kustomizations of Flux, it is where a cluster begins.
fn at_root(request: &Request<'_>, sessions: &Sessions) -> Result<Cluster, Report> {
    let directory = request.directory;
    let root = render_plain(request, sessions, directory, true);
    let begins = match &root {
        Ok(judged) => judged.landed.resources.iter().any(Kustomization::is),
        Err(_) => false,
    };
    if !begins {
        return Ok(Cluster::of(plain(sessions, directory, root)));
    }
    let mut cluster = Cluster::default();
    let entry = FluxEntry::at(directory);
    apply_flux(&mut cluster, request, sessions, &[entry])?;
    Ok(cluster)
}

/// The directory that a path of a Flux Kustomization means. It counts from the top of its source, which is that
/// of the tree, or lies between it and the directory that was asked for.
fn placed(files: &dyn Files, asked: &TreePath, path: &str) -> Option<TreePath> {
    let mut tops: Vec<_> = std::iter::successors(Some(asked.clone()), TreePath::parent).collect();
    tops.reverse();
    let mut places = tops.iter().filter_map(|top| top.join(path));
    places.find(|place| matches!(files.kind(place), Ok(Some(Kind::Directory))))
}

fn apply_flux(
    cluster: &mut Cluster,
    request: &Request<'_>,
    sessions: &Sessions,
    entries: &[FluxEntry],
) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let given = Given::default();
    let settings = Settings {
        directory: request.directory,
        level: request.build.level,
        outside: request.outside,
        opener: Arc::clone(&request.opener),
        secrets: request.secrets,
        overrides: request.overrides,
        overlays: request.overlays,
        given: &given,
        strictness: Strictness::Strict,
        owner: OwnerLabels::Omit,
        allow_empty: true,
        unknown: Unknown::Mark,
    };
    let renderer = Renderer::new(&settings, sessions)?;
    for group in beside_each_other(entries) {
        let number = cluster.roots.iter().map(|root| root.cluster + 1).max();
        let mut flown = flux::Cluster::new(&renderer, Sources::new(BTreeMap::new()), Scope::All);
        for entry in group {
            let directory = Some(entry.directory.clone());
            flown.enter(entry.kustomization.clone(), directory);
        }
        let flown = flown.render();
        let number = number.unwrap_or_default();
        let roots = flown.applied.into_iter();
        cluster
            .roots
            .extend(roots.map(|applied| flux_root(applied, number, sessions)));
        cluster.report.findings.extend(flown.report.findings);
    }
    Ok(())
}

/// Renders what Applications apply, as Argo CD builds it.
fn apply_argocd(
    cluster: &mut Cluster,
    request: &Request<'_>,
    sessions: &Sessions,
    holding: &[TreePath],
) -> Result<()> {
    let found = applications::of_files(sessions.disk(), holding)?;
    cluster.report.findings.extend(found.report.findings);
    let rendered: Vec<_> = (found.entries.par_iter())
        .map(|entry| entry.render(request, sessions))
        .collect();
    let mut beside = Beside::of(cluster);
    for (entry, rendered) in found.entries.into_iter().zip(rendered) {
        let inputs = inputs_of(sessions, &entry.directory, &rendered);
        let written_by = entry
            .place
            .as_ref()
            .and_then(|place| TreePath::parse(&place.file));
        let root = Root {
            inputs: inputs.with(written_by),
            // Argo CD gives a namespace to what has none, and moves nothing.
            namespace: None,
            host: Host::ArgoCd,
            applied_by: Some(entry.name),
            place: entry.place,
            directory: entry.directory,
            cluster: 0,
            outcome: Outcome::of(rendered),
        };
        cluster.roots.push(beside.placed(root));
    }
    Ok(())
}

/// Entries by the cluster that they begin: two Kustomizations of one name are of two clusters.
fn beside_each_other(entries: &[FluxEntry]) -> Vec<Vec<&FluxEntry>> {
    let mut groups: Vec<Vec<&FluxEntry>> = Vec::new();
    for entry in entries {
        let id = &entry.kustomization.id;
        let is_free =
            |group: &&mut Vec<&FluxEntry>| group.iter().all(|e| e.kustomization.id != *id);
        match groups.iter_mut().find(is_free) {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
    }
    groups
}

fn flux_root(applied: Applied, cluster: usize, sessions: &Sessions) -> Root {
    let inputs = inputs_of(sessions, &applied.directory, &applied.outcome);
    Root {
        inputs: inputs.with(applied.written_by),
        host: Host::Flux,
        applied_by: Some(applied.kustomization.shown()),
        namespace: applied.kustomization.adjustments.namespace.clone(),
        place: applied.kustomization.place.clone(),
        directory: applied.directory,
        cluster,
        outcome: Outcome::of(applied.outcome),
    }
}

/// What a root depends on. One that was not rendered depends on its kustomization at least.
fn inputs_of(
    sessions: &Sessions,
    directory: &TreePath,
    rendered: &Result<Judged, Report>,
) -> Inputs {
    let known = sessions.of(directory).and_then(|session| match rendered {
        Ok(judged) => Inputs::of(&judged.asked, &session),
        Err(_) => Ok(Inputs::default()),
    });
    let mut inputs = known.unwrap_or_default();
    if rendered.is_err() {
        inputs.below.insert(directory.clone());
    }
    inputs
}

fn plain(sessions: &Sessions, directory: &TreePath, rendered: Result<Judged, Report>) -> Root {
    Root {
        inputs: inputs_of(sessions, directory, &rendered),
        host: Host::Plain,
        applied_by: None,
        namespace: None,
        place: None,
        directory: directory.clone(),
        cluster: 0,
        outcome: Outcome::of(rendered),
    }
}

/// The directories that hosts reach.
struct Reached {
    /// What their builds asked for.
    paths: BTreeSet<TreePath>,
    /// Their roots.
    directories: Vec<TreePath>,
}

impl Reached {
    fn by(roots: &[Root]) -> Self {
        let mut reached = Self {
            paths: BTreeSet::new(),
            directories: Vec::new(),
        };
        for root in roots {
            match &root.outcome {
                Outcome::Landed(judged) => reached.paths.extend(judged.asked.paths.iter().cloned()),
                // What one that does not build would have read is not known.
                Outcome::Skipped(_) | Outcome::Failed(_) => {
                    reached.directories.push(root.directory.clone());
                }
            }
        }
        reached
    }

    fn holds(&self, directory: &TreePath) -> bool {
        let is_read = |name: &str| {
            let path = directory.join(name);
            path.is_some_and(|path| self.paths.contains(&path))
        };
        KUSTOMIZATION_NAMES.iter().any(|name| is_read(name))
            || self
                .directories
                .iter()
                .any(|root| directory.is_within(root))
    }
}

/// Renders roots that no host reaches.
fn apply_plain(
    cluster: &mut Cluster,
    request: &Request<'_>,
    sessions: &Sessions,
    directories: &[&TreePath],
) {
    let is_reached = cluster.roots.is_empty();
    let rendered: Vec<_> = directories
        .par_iter()
        .map(|directory| render_plain(request, sessions, directory, is_reached))
        .collect();
    let mut beside = Beside::of(cluster);
    for (directory, rendered) in directories.iter().zip(rendered) {
        let root = plain(sessions, directory, rendered);
        cluster.roots.push(beside.placed(root));
    }
}

/// The clusters so far, and which objects each has. What makes an object a second time is of another cluster.
struct Beside(Vec<BTreeSet<String>>);

impl Beside {
    fn of(cluster: &Cluster) -> Self {
        let mut beside = Self(Vec::new());
        for root in &cluster.roots {
            if beside.0.len() <= root.cluster {
                beside.0.resize_with(root.cluster + 1, BTreeSet::new);
            }
            beside.0[root.cluster].extend(names(root));
        }
        beside
    }

    /// The root in the first cluster that has none of its objects.
    fn placed(&mut self, mut root: Root) -> Root {
        let names = names(&root);
        let free = self.0.iter().position(|group| group.is_disjoint(&names));
        root.cluster = free.unwrap_or(self.0.len());
        match self.0.get_mut(root.cluster) {
            Some(group) => group.extend(names),
            None => self.0.push(names),
        }
        root
    }
}

/// The objects of a root, by identity.
fn names(root: &Root) -> BTreeSet<String> {
    let Outcome::Landed(judged) = &root.outcome else {
        return BTreeSet::new();
    };
    let objects = judged.landed.resources.iter();
    objects.map(|object| object.id().to_string()).collect()
}

/// Renders a root that no host of this repository applies. Where others are applied by one, it gets no
/// overlay whose namespace is not known.
fn render_plain(
    request: &Request<'_>,
    sessions: &Sessions,
    directory: &TreePath,
    is_reached: bool,
) -> Result<Judged, Report> {
    let session = sessions.of(directory)?;
    let request = Request {
        directory,
        ..request.clone()
    };
    let root = pipeline::Root::new(&request, &session).watching();
    match root.judged() {
        Err(report) if !is_reached && lacks_namespace(&report) => {
            let mut judged = root.without_overlays().judged()?;
            let warnings = report.findings.iter().map(without_overlays);
            judged.found.findings.extend(warnings);
            Ok(judged)
        }
        judged => judged,
    }
}

fn lacks_namespace(report: &Report) -> bool {
    let mut codes = report.findings.iter().map(Diagnostic::code);
    codes.all(|code| code == Code::OverlayNamespace)
}

fn without_overlays(error: &Diagnostic) -> Diagnostic {
    let phrase = format!(
        "no overlay is applied where no host applies: {}",
        error.phrase()
    );
    Diagnostic::warning(error.code(), phrase).at(error.place().cloned())
}
