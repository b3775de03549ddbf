//! Whether a project file makes anything worse than it is without it, and what has to be left out of it then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::draft::{Draft, Skip};
use super::sessions;
use crate::cluster::{self, Cluster, Outcome, Root, checks};
use crate::diagnostic::{Code, Diagnostic, Report, Severity};
use crate::files::{Files, Kind, TreePath};
use crate::overlay::{Instance, State, builtin_sets};
use crate::pipeline::{Judged, Request};
use crate::project::Sessions;

/// How often something is left out before all overlays are.
const MAX_TRIES: usize = 4;

/// How many reasons are written down.
const MAX_REASONS: usize = 5;

/// What tells one finding from another.
type FindingIdentity = (Code, Severity, String);

/// A cluster as it was rendered, and what `check` says of it.
pub(super) struct Looked {
    pub(super) cluster: Cluster,
    said: BTreeSet<FindingIdentity>,
    findings: Report,
}

impl Looked {
    /// Renders what is applied. A directory from which nothing is applied is looked at, too.
    pub(super) fn at(request: &Request<'_>, sessions: &Sessions) -> Result<Self, Report> {
        let cluster = match cluster::load(request, sessions) {
            Err(report) if !is_directory(sessions.disk(), request.directory) => return Err(report),
            loaded => loaded.unwrap_or_default(),
        };
        let findings = checks::findings(&cluster, false);
        Ok(Self {
            said: findings.findings.iter().map(said).collect(),
            findings,
            cluster,
        })
    }

    /// Whether anything is rendered.
    pub(super) fn landed_any(&self) -> bool {
        self.cluster.landed().next().is_some()
    }

    /// Why a root that is rendered here is not in another look.
    pub(super) fn lost_in(&self, after: &Self) -> Option<Diagnostic> {
        let landed = after.landed();
        let lost = self
            .landed()
            .into_keys()
            .find(|key| !landed.contains_key(key))?;
        let mut roots = after.cluster.roots.iter();
        let root = roots.find(|root| root.directory == *lost.0)?;
        match &root.outcome {
            Outcome::Landed(_) => None,
            Outcome::Skipped(report) | Outcome::Failed(report) => report.findings.first().cloned(),
        }
    }

    /// The roots that were rendered, by what applies them and where they are.
    fn landed(&self) -> BTreeMap<(&TreePath, Option<&str>), &Judged> {
        let landed = self.cluster.landed();
        landed
            .map(|(root, judged)| ((&root.directory, root.applied_by.as_deref()), judged))
            .collect()
    }
}

fn is_directory(files: &dyn Files, path: &TreePath) -> bool {
    matches!(files.kind(path), Ok(Some(Kind::Directory)))
}

fn said(finding: &Diagnostic) -> FindingIdentity {
    (
        finding.code(),
        finding.severity(),
        finding.phrase().to_owned(),
    )
}

/// Renders with the file, and leaves out of it what makes anything worse.
pub(super) fn prove(
    request: &Request<'_>,
    disk: &Arc<dyn Files>,
    before: &[&Looked],
    draft: &mut Draft,
    report: &mut Report,
) -> Result<(), Report> {
    let names = overlay_names()?;
    for _ in 0..MAX_TRIES {
        let after = Looked::at(request, &sessions(request, draft.over(disk)))?;
        let worse = worse(before, &after);
        let mut blamed = Vec::new();
        for finding in &worse {
            blamed.extend(blame(finding, before, &after, &names));
        }
        let is_progress = blamed
            .into_iter()
            .map(|skip| draft.skip(skip))
            .fold(false, |a, b| a | b);
        match (worse.is_empty(), is_progress) {
            (true, _) => return Ok(()),
            (false, true) => {}
            (false, false) => {
                turn_off(draft, &worse);
                break;
            }
        }
    }
    let after = Looked::at(request, &sessions(request, draft.over(disk)))?;
    let left = worse(before, &after);
    if !left.is_empty() && !draft.is_off() {
        turn_off(draft, &left);
    }
    report.findings.extend(as_warnings(&left));
    Ok(())
}

fn turn_off(draft: &mut Draft, worse: &[&Diagnostic]) {
    let reasons = worse.iter().take(MAX_REASONS);
    draft.turn_off(reasons.map(|finding| finding.phrase().to_owned()).collect());
}

fn as_warnings(findings: &[&Diagnostic]) -> Vec<Diagnostic> {
    let findings = findings.iter().copied().cloned();
    findings
        .map(|finding| finding.with_severity(Severity::Warning))
        .collect()
}

/// What `check` says with the file and does not say without.
fn worse<'a>(before: &[&Looked], after: &'a Looked) -> Vec<&'a Diagnostic> {
    let is_new = |finding: &Diagnostic| !before.iter().any(|b| b.said.contains(&said(finding)));
    let findings = after.findings.findings.iter();
    findings.filter(|finding| is_new(finding)).collect()
}

/// The overlay that a finding is about, and the targets that have to do without it.
fn blame(finding: &Diagnostic, before: &[&Looked], after: &Looked, names: &[String]) -> Vec<Skip> {
    let phrase = finding.phrase();
    let named = names.iter().filter(|name| phrase.contains(name.as_str()));
    let Some(overlay) = named.max_by_key(|name| name.len()) else {
        return Vec::new();
    };
    let skip = |target: String| Skip {
        target,
        overlay: overlay.clone(),
        reason: phrase.to_owned(),
    };
    let was_landed: BTreeMap<_, _> = before.iter().flat_map(|before| before.landed()).collect();
    for root in &after.cluster.roots {
        let targets = match &root.outcome {
            Outcome::Landed(judged) if says(&judged.landed.warnings, finding) => {
                kept(&judged.landed.overlays, overlay, phrase)
            }
            Outcome::Failed(failed) if says(failed, finding) => {
                let key = (&root.directory, root.applied_by.as_deref());
                was_landed
                    .get(&key)
                    .map_or_else(Vec::new, |judged| clusters(judged, root, phrase))
            }
            Outcome::Landed(_) | Outcome::Skipped(_) | Outcome::Failed(_) => continue,
        };
        return targets.into_iter().map(skip).collect();
    }
    Vec::new()
}

fn says(report: &Report, finding: &Diagnostic) -> bool {
    let mut findings = report.findings.iter();
    findings.any(|said| said.code() == finding.code() && said.phrase() == finding.phrase())
}

/// The targets of an overlay in whose way something stands; those that are named, where any is.
fn kept(instances: &[Instance], overlay: &str, phrase: &str) -> Vec<String> {
    let of = instances
        .iter()
        .filter(|instance| *instance.overlay == *overlay);
    let in_the_way = |instance: &&Instance| matches!(instance.state, State::Kept | State::LeftOut);
    let all: Vec<&str> = of.filter(in_the_way).map(|i| i.target.as_str()).collect();
    let name = |target: &str| target.rsplit('/').next().unwrap_or_default().to_owned();
    let named: Vec<&str> = all
        .iter()
        .copied()
        .filter(|t| phrase.contains(&name(t)))
        .collect();
    let chosen = if named.is_empty() { all } else { named };
    chosen.into_iter().map(selector).collect()
}

/// The targets that a root which does not build any more had, those that are named where any is.
fn clusters(judged: &Judged, root: &Root, phrase: &str) -> Vec<String> {
    let objects = judged.landed.resources.iter();
    let of: Vec<_> = objects
        .filter(|object| object.gvk().is("postgresql.cnpg.io", "Cluster"))
        .collect();
    let named: Vec<_> = of
        .iter()
        .copied()
        .filter(|o| phrase.contains(o.name()))
        .collect();
    let chosen = if named.is_empty() { of } else { named };
    let selectors = chosen.into_iter().map(|object| {
        let namespace = root.namespace.as_deref().unwrap_or(object.namespace());
        selector(&format!("Cluster/{namespace}/{}", object.name()))
    });
    selectors.collect()
}

/// The target of an entry that selects an object by kind, namespace and name.
fn selector(target: &str) -> String {
    match target.split('/').collect::<Vec<_>>()[..] {
        [kind, "", name] | [kind, name] => format!("{{kind: {kind}, name: {name}}}"),
        [kind, namespace, name] => {
            format!("{{kind: {kind}, namespace: {namespace}, name: {name}}}")
        }
        _ => "{}".to_owned(),
    }
}

fn overlay_names() -> Result<Vec<String>, Report> {
    let sets = builtin_sets()?;
    let overlays = sets.iter().flat_map(|set| &set.overlays);
    Ok(overlays
        .map(|overlay| overlay.definition.name.to_string())
        .collect())
}
