//! Renders the Kustomizations of a cluster, each when what it waits for is there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::entry::SYSTEM;
use super::kustomization::{Id, Kustomization, Reference, VariableSource};
use super::order::{Patience, near, stuck};
use super::render::{Renderer, Unknown, lacks_objects};
use super::search::Index;
use super::sources::{Sources, is_repository};
use super::variables::{Data, Objects};
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result, Severity};
use crate::files::TreePath;
use crate::kube::{ResMap, Resource};
use crate::pipeline::Judged;
use crate::yaml::Node;

/// How deep Kustomizations may apply Kustomizations: clusters have two or three levels.
const MAX_DEPTH: usize = 32;

/// What is rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The entries alone.
    Entries,
    /// All that the entries apply.
    All,
    /// One, by its name or `NAMESPACE/NAME`; what leads to it is rendered to find it.
    One(String),
}

/// A Kustomization that was rendered.
#[derive(Debug)]
pub struct Applied {
    /// What it says.
    pub kustomization: Kustomization,
    /// Where its files are.
    pub directory: TreePath,
    /// What the controller would apply, or why it applies nothing.
    pub outcome: Result<Judged, Report>,
    /// Files besides those of its build on which it depends: where it is written, what patches it there, and
    /// where its variables come from.
    pub written_by: BTreeSet<TreePath>,
}

/// A cluster that was rendered.
#[derive(Debug)]
pub struct Flown {
    /// What was rendered, in the order in which it can be applied.
    pub applied: Vec<Applied>,
    /// What is about no single one of them.
    pub report: Report,
}

impl Flown {
    /// Everything that is wrong, of each Kustomization and of all of them.
    pub fn findings(&self) -> Report {
        let mut report = Report::default();
        for applied in &self.applied {
            match &applied.outcome {
                Ok(judged) => {
                    report
                        .findings
                        .extend(judged.landed.warnings.findings.clone());
                    report.findings.extend(judged.found.findings.clone());
                }
                Err(failed) => report.findings.extend(failed.findings.clone()),
            }
        }
        report.findings.extend(self.report.findings.clone());
        without_repetition(report)
    }
}

struct Pending {
    kustomization: Kustomization,
    /// Where its files are, where the invoker says so.
    directory: Option<TreePath>,
    depth: usize,
    /// The files that made it what it is.
    written_by: BTreeSet<TreePath>,
}

/// A cluster that is being rendered.
pub struct Cluster<'a> {
    renderer: &'a Renderer<'a>,
    sources: Sources,
    scope: Scope,
    pending: Vec<Pending>,
    /// Rendered, or suspended, or failed: nobody waits for them any more.
    done: BTreeSet<Id>,
    known: BTreeSet<Id>,
    applied: Vec<Applied>,
    objects: Objects,
    report: Report,
    /// Whether something was not rendered that may apply what others wait for.
    has_gaps: bool,
    /// Objects of variables that were read from the tree, until something applies them.
    assumed: BTreeMap<Reference, Diagnostic>,
    /// Objects of variables that are nowhere, and who takes variables from them.
    absent: BTreeMap<Reference, Vec<(Kustomization, Option<Place>)>>,
    /// Secrets that an operator makes in the cluster.
    promised: BTreeSet<Reference>,
    /// The variables that the missing objects would have set.
    unfilled: BTreeMap<Id, BTreeSet<String>>,
    /// Where ConfigMaps and Secrets are in the tree, once that was asked.
    index: Option<Index>,
}

impl<'a> Cluster<'a> {
    /// Starts with nothing.
    pub fn new(renderer: &'a Renderer<'a>, sources: Sources, scope: Scope) -> Self {
        Self {
            renderer,
            sources,
            scope,
            pending: Vec::new(),
            done: BTreeSet::new(),
            known: BTreeSet::new(),
            applied: Vec::new(),
            objects: Objects::default(),
            report: Report::default(),
            has_gaps: false,
            assumed: BTreeMap::new(),
            absent: BTreeMap::new(),
            promised: BTreeSet::new(),
            unfilled: BTreeMap::new(),
            index: None,
        }
    }

    /// Adds a Kustomization where the cluster begins. Its source is this tree.
    pub fn enter(&mut self, kustomization: Kustomization, directory: Option<TreePath>) {
        self.sources.take_local(kustomization.source.as_ref());
        let source = kustomization.source.as_ref().filter(|s| is_repository(s));
        if let (Some(directory), Some(_)) = (&directory, source) {
            self.sources.take_base(&kustomization.path, directory);
        }
        let written_by = file_of(kustomization.place.as_ref());
        self.add(
            kustomization,
            directory,
            0,
            written_by.into_iter().collect(),
        );
    }

    fn add(
        &mut self,
        kustomization: Kustomization,
        directory: Option<TreePath>,
        depth: usize,
        written_by: BTreeSet<TreePath>,
    ) {
        if self.known.insert(kustomization.id.clone()) {
            self.pending.push(Pending {
                kustomization,
                directory,
                depth,
                written_by,
            });
        }
    }

    /// Renders everything that is asked for. One that fails does not keep the others from being rendered.
    pub fn render(mut self) -> Flown {
        while let Some(ready) = self.next_round() {
            let rendered: Vec<_> = ready
                .par_iter()
                .map(|(pending, directory)| {
                    self.renderer
                        .render(&pending.kustomization, directory, &self.objects)
                })
                .collect();
            for ((pending, directory), result) in ready.into_iter().zip(rendered) {
                self.take(pending, directory, result);
            }
            if let Some(only) = self.wanted() {
                return only;
            }
        }
        self.leave_out_elsewhere();
        let absent = self.absent_objects(|_| true);
        self.report.findings.extend(absent);
        let assumed = std::mem::take(&mut self.assumed);
        self.report.findings.extend(assumed.into_values());
        if let Scope::One(name) = &self.scope {
            self.report
                .findings
                .retain(|f| f.severity() == Severity::Error);
            if !self.known.iter().any(|id| fits(id, name)) {
                let missing = missing(name, &self.known);
                self.report.push(missing);
            }
            self.applied.retain(|applied| applied.outcome.is_err());
        }
        Flown {
            applied: self.applied,
            report: without_repetition(self.report),
        }
    }

    /// What can be rendered now, with where it is; `None` when nothing is left whose files are here.
    fn next_round(&mut self) -> Option<Vec<(Pending, TreePath)>> {
        self.leave_out_suspended();
        let places: Vec<Option<TreePath>> = self
            .pending
            .iter()
            .map(|p| {
                p.directory
                    .clone()
                    .or_else(|| self.sources.directory(&p.kustomization))
            })
            .collect();
        for patience in Patience::EACH {
            let is_ready = |(pending, place): (&Pending, &Option<TreePath>)| {
                let kustomization = &pending.kustomization;
                place.is_some() && patience.is_met(kustomization, &self.done, &self.objects)
            };
            let ready: Vec<bool> = self.pending.iter().zip(&places).map(is_ready).collect();
            if ready.contains(&true) {
                if patience == Patience::Nothing {
                    self.tell_stuck(places.contains(&None));
                }
                return Some(self.split(ready, places));
            }
        }
        None
    }

    /// Takes what is ready out of what is pending.
    fn split(
        &mut self,
        ready: Vec<bool>,
        places: Vec<Option<TreePath>>,
    ) -> Vec<(Pending, TreePath)> {
        let mut round = Vec::new();
        let pending = std::mem::take(&mut self.pending);
        for ((pending, ready), place) in pending.into_iter().zip(ready).zip(places) {
            match place.filter(|_| ready) {
                Some(place) => {
                    self.find_variables(&pending.kustomization);
                    round.push((pending, place));
                }
                None => self.pending.push(pending),
            }
        }
        round
    }

    /// Looks in the tree for objects of variables that nothing applies.
    fn find_variables(&mut self, kustomization: &Kustomization) {
        let from = kustomization.post_build.iter().flat_map(|p| &p.from);
        for source in from {
            if self.objects.contains(&source.object) {
                continue;
            }
            match self.look_for(&source.object) {
                Ok((places, Some(data))) => {
                    if self.scope != Scope::Entries {
                        let finding = not_applied(kustomization, source, &places[0]);
                        self.assumed.insert(source.object.clone(), finding);
                    }
                    let file = Arc::clone(&places[0].file);
                    self.objects.insert(source.object.clone(), data, file);
                }
                Ok((places, None)) if !places.is_empty() => {
                    self.report.push(ambiguous(kustomization, source, &places));
                }
                Ok(_) if source.optional => {}
                Ok(_) => {
                    let absent = self.absent.entry(source.object.clone()).or_default();
                    absent.push((kustomization.clone(), source.place.clone()));
                }
                Err(error) => self.report.push(error),
            }
        }
    }

    /// Where an object is in the tree, which is read once.
    fn look_for(&mut self, object: &Reference) -> Result<(Vec<Place>, Option<Data>)> {
        let index = match self.index.take() {
            Some(index) => index,
            None => Index::of(self.renderer.files())?,
        };
        let found = index.find(self.renderer.opened(), self.renderer.project(), object);
        self.index = Some(index);
        found
    }

    /// Where an object of the same name in another namespace is, once the tree was read.
    fn namesake(&self, object: &Reference) -> Option<Place> {
        self.index.as_ref()?.namesake(object)
    }

    fn take(&mut self, pending: Pending, directory: TreePath, outcome: Result<Judged, Report>) {
        let kustomization = pending.kustomization;
        self.done.insert(kustomization.id.clone());
        let outcome = outcome.map_err(|report| self.by_cause(&kustomization, report));
        let mut written_by = pending.written_by;
        let from = kustomization.post_build.iter().flat_map(|p| &p.from);
        let files = from.filter_map(|source| TreePath::parse(self.objects.file(&source.object)?));
        written_by.extend(files);
        match &outcome {
            // What is applied to another cluster is nothing to this one.
            Ok(judged) if !kustomization.remote => {
                let above = around(judged, &written_by);
                let resources = &judged.landed.resources;
                self.look_at(&kustomization, &directory, resources, pending.depth, &above);
            }
            Ok(_) => {}
            Err(_) => self.has_gaps = true,
        }
        self.applied.push(Applied {
            kustomization,
            directory,
            outcome,
            written_by,
        });
    }

    /// Leaves out the variables that a missing object would have set: the object is the cause, and is told once.
    fn by_cause(&mut self, kustomization: &Kustomization, mut report: Report) -> Report {
        if lacks_objects(kustomization, &self.objects) {
            let missing = report.findings.iter();
            let missing = missing.filter(|finding| finding.code() == Code::VariableMissing);
            let name =
                |phrase: &str| Some(phrase.split_once("${")?.1.split_once('}')?.0.to_owned());
            let names = missing.filter_map(|finding| name(finding.phrase()));
            let names: BTreeSet<String> = names.collect();
            let slot = self.unfilled.entry(kustomization.id.clone()).or_default();
            slot.extend(names);
            report
                .findings
                .retain(|finding| finding.code() != Code::VariableMissing);
        }
        report
    }

    /// A finding for each object of variables that is nowhere, of those whose users are wanted.
    fn absent_objects(&self, is_wanted: impl Fn(&Kustomization) -> bool) -> Vec<Diagnostic> {
        let is_given = !self.renderer.settings().given.is_empty();
        let mut found = Vec::new();
        for (object, users) in &self.absent {
            let failed = |user: &Kustomization| self.unfilled.contains_key(&user.id);
            let wanted = users.iter().filter(|(user, _)| is_wanted(user));
            // What the invoker gives stands for the object.
            let users: Vec<_> = wanted
                .filter(|(user, _)| !is_given || failed(user))
                .collect();
            let Some((first, place)) = users.first() else {
                continue;
            };
            let is_made = self.promised.contains(object);
            if is_made && self.renderer.settings().unknown == Unknown::Mark {
                continue;
            }
            let names = users
                .iter()
                .filter_map(|(user, _)| self.unfilled.get(&user.id));
            let names: BTreeSet<&String> = names.flatten().collect();
            let mut finding = absent(object, first, users.len()).at(place.clone());
            if !names.is_empty() {
                let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
                finding = finding.note(format!("nothing else sets {}", names.join(", ")));
            }
            if is_made {
                finding = finding
                    .note("an operator makes it in the cluster, and its values are not here");
            }
            if let Some(place) = self.namesake(object) {
                finding = finding.note(format!(
                    "one of that name is in another namespace ({place}); variables come from the Kustomization's own"
                ));
            }
            found.push(match self.renderer.settings().unknown {
                Unknown::Refuse => finding,
                Unknown::Mark => finding.with_severity(Severity::Warning),
            });
        }
        found
    }

    /// Notes objects of variables and sources, and the Kustomizations that are applied.
    fn look_at(
        &mut self,
        parent: &Kustomization,
        directory: &TreePath,
        resources: &ResMap,
        depth: usize,
        above: &BTreeSet<TreePath>,
    ) {
        for resource in resources.iter() {
            self.sources.note(resource);
            self.promised
                .extend(promised(resource, &parent.id.namespace));
            if let Some(object) = self.objects.note(resource, &parent.id.namespace) {
                self.assumed.remove(&object);
            }
        }
        if self.scope == Scope::Entries {
            return;
        }
        let mut children = Vec::new();
        for resource in resources.iter().filter(|r| Kustomization::is(r)) {
            match Kustomization::read(resource, &parent.id.namespace) {
                Ok(_) if depth == MAX_DEPTH => {
                    let phrase =
                        format!("Kustomizations apply each other more than {MAX_DEPTH} deep");
                    let finding = Diagnostic::new(Code::FluxInvalid, phrase);
                    self.report.push(finding.at(resource.place()));
                }
                Ok(child) => {
                    let lacking = Kustomization::lacking(resource);
                    self.report.findings.extend(lacking.findings);
                    children.push(child);
                }
                Err(refused) => {
                    self.has_gaps = true;
                    self.report.findings.extend(refused.findings);
                }
            }
        }
        let files = self.renderer.files();
        let is_here = |path: &TreePath| matches!(files.kind(path), Ok(Some(_)));
        self.sources.guess_local(&children, directory, &is_here);
        for child in children {
            let mut written_by = above.clone();
            written_by.extend(file_of(child.place.as_ref()));
            self.add(child, None, depth + 1, written_by);
        }
    }

    /// The one that is asked for, when it was just rendered. Findings about others are none of it.
    fn wanted(&mut self) -> Option<Flown> {
        let Scope::One(name) = &self.scope else {
            return None;
        };
        let at = self
            .applied
            .iter()
            .position(|a| fits(&a.kustomization.id, name))?;
        let one = self.applied.remove(at);
        let mut report = std::mem::take(&mut self.report);
        let assumed = std::mem::take(&mut self.assumed);
        report.findings.extend(assumed.into_values());
        report
            .findings
            .retain(|finding| is_about(finding, &one.kustomization));
        let absent = self.absent_objects(|user| user.id == one.kustomization.id);
        report.findings.extend(absent);
        Some(Flown {
            applied: vec![one],
            report: without_repetition(report),
        })
    }

    fn leave_out_suspended(&mut self) {
        if self.scope == Scope::Entries {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        for pending in pending {
            let kustomization = &pending.kustomization;
            let asked = matches!(&self.scope, Scope::One(name) if fits(&kustomization.id, name));
            if !kustomization.suspended || asked {
                self.pending.push(pending);
                continue;
            }
            let phrase = format!("{} is suspended, and left out", kustomization.shown());
            let finding = Diagnostic::warning(Code::FluxLeftOut, phrase);
            self.report.push(finding.at(kustomization.place.clone()));
            self.done.insert(kustomization.id.clone());
            self.has_gaps = true;
        }
    }

    /// Tells of what is left: its files are not here.
    fn leave_out_elsewhere(&mut self) {
        let mut groups: BTreeMap<String, Vec<Kustomization>> = BTreeMap::new();
        for pending in std::mem::take(&mut self.pending) {
            let kustomization = pending.kustomization;
            let source = kustomization.source.as_ref().map(ToString::to_string);
            let source = source.unwrap_or_default();
            groups.entry(source).or_default().push(kustomization);
        }
        for (source, group) in groups {
            let asked =
                |k: &&Kustomization| matches!(&self.scope, Scope::One(name) if fits(&k.id, name));
            let finding = match group.iter().find(asked) {
                Some(asked) => left_out(&[asked], &source).with_severity(Severity::Error),
                None => left_out(&group.iter().collect::<Vec<_>>(), &source),
            };
            self.report.push(finding);
        }
    }

    fn tell_stuck(&mut self, some_elsewhere: bool) {
        let waiting: Vec<&Kustomization> = self.pending.iter().map(|p| &p.kustomization).collect();
        let found = stuck(&waiting, &self.known);
        // What is elsewhere may apply what is waited for.
        let excused = some_elsewhere || self.has_gaps;
        for finding in found.findings {
            let is_missing = finding.code() == Code::FluxMissing;
            if self.scope == Scope::Entries && is_missing {
                continue;
            }
            self.report.push(match is_missing && excused {
                true => finding.with_severity(Severity::Warning),
                false => finding,
            });
        }
    }
}

/// What changes the Kustomizations that a root applies, besides the files in which they are written: its
/// kustomizations, their patches, and what the root itself depends on.
fn around(judged: &Judged, written_by: &BTreeSet<TreePath>) -> BTreeSet<TreePath> {
    let objects = judged.landed.resources.iter();
    let sources = objects.filter_map(|object| TreePath::parse(&object.source()?.path));
    let sources: BTreeSet<TreePath> = sources.collect();
    let asked = judged.asked.paths.iter();
    let others = asked.filter(|path| !sources.contains(path)).cloned();
    others.chain(written_by.iter().cloned()).collect()
}

/// The Secret that an operator makes of an object.
fn promised(object: &Resource, namespace: &str) -> Option<Reference> {
    let gvk = object.gvk();
    let name = match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("external-secrets.io", "ExternalSecret") => &["spec", "target", "name"][..],
        ("bitnami.com", "SealedSecret") => &["spec", "template", "metadata", "name"][..],
        _ => return None,
    };
    let name = object.node().lookup(name).and_then(Node::as_str);
    let own = object.namespace();
    let id = Id {
        namespace: if own.is_empty() { namespace } else { own }.to_owned(),
        name: name.unwrap_or(object.name()).to_owned(),
    };
    let kind = "Secret".to_owned();
    Some(Reference { kind, id })
}

fn file_of(place: Option<&Place>) -> Option<TreePath> {
    TreePath::parse(&place?.file)
}

/// Kustomizations of one source whose files are not here.
fn left_out(group: &[&Kustomization], source: &str) -> Diagnostic {
    let (first, names) = (group[0], group.iter().map(|k| k.id.to_string()));
    let who = match group.len() {
        1 => first.shown(),
        count => format!("{} and {} more", first.shown(), count - 1),
    };
    let (are, their) = match group.len() {
        1 => ("is", "its"),
        _ => ("are", "their"),
    };
    let phrase = format!("{who} {are} left out: {their} files are in {source}");
    let finding = Diagnostic::warning(Code::FluxLeftOut, phrase)
        .at(first.place.clone())
        .help("if they are here, pass --local-sources KIND/NAMESPACE/NAME=DIRECTORY");
    match group.len() {
        1 => finding,
        _ => finding.note(format!("they are {}", names.collect::<Vec<_>>().join(", "))),
    }
}

/// Whether a name, with or without its namespace, is that of an object.
fn fits(id: &Id, name: &str) -> bool {
    match name.split_once('/') {
        Some((namespace, name)) => id.namespace == namespace && id.name == name,
        None => id.name == name,
    }
}

/// Whether a finding is about one Kustomization: it names it, or was come to by it.
fn is_about(finding: &Diagnostic, kustomization: &Kustomization) -> bool {
    let place = kustomization.place.as_ref();
    finding.phrase().contains(&kustomization.id.to_string())
        || finding.place() == place
        || finding.trail().iter().any(|p| Some(p) == place)
}

fn missing(name: &str, known: &BTreeSet<Id>) -> Diagnostic {
    let phrase = format!("there is no Kustomization {name}");
    let finding = Diagnostic::new(Code::FluxMissing, phrase);
    let wanted = Id {
        namespace: SYSTEM.to_owned(),
        name: name
            .rsplit_once('/')
            .map_or(name, |(_, name)| name)
            .to_owned(),
    };
    match near(&wanted, known) {
        Some(near) => finding.note(format!("there is {near}")),
        None => finding.help("name the directory where the cluster begins with --path"),
    }
}

fn shown(object: &Reference) -> String {
    format!("{}/{}", object.kind, object.id)
}

fn not_applied(
    kustomization: &Kustomization,
    source: &VariableSource,
    place: &Place,
) -> Diagnostic {
    let object = shown(&source.object);
    let owner = kustomization.shown();
    let phrase = format!("{owner} reads {object} from {place}, and nothing applies it");
    Diagnostic::warning(Code::FluxVariables, phrase)
        .at(source.place.clone())
        .help("have a Kustomization apply it, or apply it by hand when the cluster is set up")
}

/// An object of variables that is nowhere, and how many take variables from it.
fn absent(object: &Reference, first: &Kustomization, users: usize) -> Diagnostic {
    let who = match users {
        1 => format!("{} takes", first.shown()),
        _ => format!("{users} Kustomizations take"),
    };
    let phrase = format!(
        "{who} variables from {}, which does not exist",
        shown(object)
    );
    Diagnostic::new(Code::FluxVariables, phrase).help(
        "give its variables with --vars-from FILE or --var NAME=VALUE, or write optional: true",
    )
}

fn ambiguous(
    kustomization: &Kustomization,
    source: &VariableSource,
    places: &[Place],
) -> Diagnostic {
    let places: Vec<String> = places.iter().map(ToString::to_string).collect();
    let phrase = format!(
        "{} takes variables from {}, of which there are {}",
        kustomization.shown(),
        shown(&source.object),
        places.len()
    );
    Diagnostic::new(Code::FluxVariables, phrase)
        .at(source.place.clone())
        .note(format!("they are {}", places.join(", ")))
        .help("render the cluster from its entry with --path and --recursive, or pass --vars-from FILE")
}

/// A report in which each finding stands once: roots of one project warn of the same things.
fn without_repetition(mut report: Report) -> Report {
    let mut seen = BTreeSet::new();
    report
        .findings
        .retain(|finding| seen.insert(finding.to_string()));
    report
}
