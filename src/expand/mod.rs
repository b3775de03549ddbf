//! Writes a tree as it is after templates and overlays, without building it: what `expand` does.
//!
//! Sealed files stay sealed, and what templates make of secrets is sealed before it is written.

mod committed;
mod recorded;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use self::committed::CommittedFiles;
use self::recorded::Recorded;
use crate::cluster::roots::{at, find_roots, flux_targets};
use crate::diagnostic::{Code, Diagnostic, Origin, Place, Report, Result};
use crate::files::{
    File, Files, Kind, Mark, Memory, OutputFile, OutputTree, Stale, Tree, TreePath,
};
use crate::kube::ResMap;
use crate::kustomize::{KUSTOMIZATION_NAMES, kustomization_path};
use crate::pipeline::{Landed, Request, Root, build, layer};
use crate::project::Session;
use crate::secrets::Secrets;
use crate::secrets::made::{
    OtherFiles, Redacting, Sealing, SecretRule, depends, left_plain, secret_sources,
};
use crate::sops::Sealer;
use crate::template::makejinja::plan;

/// Where a tree is written.
pub struct Destination<'a> {
    /// The directory.
    pub directory: &'a std::path::Path,
    /// The same directory below the root, where it is there.
    pub inside: Option<TreePath>,
    /// What is in it already.
    pub present: Option<&'a Tree>,
}

impl Destination<'_> {
    /// What an earlier run wrote, where the tree is written in place, by its path in the tree that is read.
    fn recorded(&self, directory: &TreePath) -> BTreeMap<TreePath, Mark> {
        let inside = self.inside.as_ref().filter(|inside| *inside == directory);
        let own = inside.map(|_| OutputTree::new(self.directory, Stale::Remove).recorded());
        let own = own.unwrap_or_default().into_iter();
        own.filter_map(|(path, mark)| Some((directory.join(path.as_str())?, mark)))
            .collect()
    }
}

/// A tree that is ready to be written.
pub struct Expanded {
    /// The files.
    pub tree: OutputTree,
    /// The directory of the root kustomization in it, where one root was asked for.
    pub root: Option<TreePath>,
    /// What the user should know, and an error for each root that is passed over.
    pub report: Report,
}

/// Expands a root, or every root below a directory that is none.
///
/// Fails as [`Root::render`] does, with [`Code::SopsNoRule`] where a template makes a secret that nothing says
/// how to seal, and with [`Code::TemplateConflict`] where a file would be written beside its own template.
pub fn expand(
    request: &Request<'_>,
    disk: &Arc<Tree>,
    destination: &Destination<'_>,
    sealer: &mut Sealer<'_>,
) -> Result<Expanded, Report> {
    let recorded = destination.recorded(request.directory);
    let mut own = recorded.iter().filter(|(_, mark)| **mark != Mark::Copied);
    let below = Arc::clone(disk) as Arc<dyn Files>;
    let before: Arc<dyn Files> = Arc::new(CommittedFiles::new(
        below,
        own.by_ref().map(|(path, _)| path.clone()).collect(),
    ));
    let session = Session::open(
        Arc::clone(&before),
        request.directory,
        request.overrides,
        &request.opener,
    )?;
    let expansion = Expansion {
        request,
        session: &session,
        before: &before,
        destination,
        disk,
        recorded: &recorded,
    };
    let written = expansion.run(sealer);
    written.map_err(|report| session.masked(report))
}

struct Expansion<'a> {
    request: &'a Request<'a>,
    session: &'a Session,
    /// The files without what an earlier run wrote.
    before: &'a Arc<dyn Files>,
    destination: &'a Destination<'a>,
    disk: &'a Arc<Tree>,
    /// What an earlier run wrote in place.
    recorded: &'a BTreeMap<TreePath, Mark>,
}

/// The files of an expansion, by their paths in the tree that is read.
#[derive(Default)]
struct ExpandedFiles {
    files: BTreeMap<TreePath, Arc<File>>,
    /// Those that overlays add or change.
    laid: BTreeSet<TreePath>,
    /// Roots that cannot be built: what an earlier run wrote of them stays.
    passed_over: Vec<TreePath>,
    /// What the user should know, and why a root is passed over.
    report: Report,
}

impl ExpandedFiles {
    fn extend(&mut self, other: Self) {
        for (path, file) in other.files {
            // What an overlay changed for one root is not undone by another root that reads it.
            if !self.laid.contains(&path) || other.laid.contains(&path) {
                self.files.insert(path, file);
            }
        }
        self.laid.extend(other.laid);
        self.report.findings.extend(other.report.findings);
        self.passed_over.extend(other.passed_over);
    }
}

impl Expansion<'_> {
    fn run(&self, sealer: &mut Sealer<'_>) -> Result<Expanded, Report> {
        let directory = self.request.directory;
        let is_root = kustomization_path(self.session.files(), directory)?.is_some();
        let found = if is_root {
            self.root(directory, None)?
        } else {
            self.whole()?
        };
        let base = match is_root && !self.is_in_place() {
            true => common_directory(directory, found.files.keys()),
            false => directory.clone(),
        };
        let mut expanded = self.written(found, &base, sealer)?;
        if is_root {
            expanded.root = TreePath::parse(&directory.relative_to(&base));
        }
        Ok(expanded)
    }

    fn is_in_place(&self) -> bool {
        self.destination.inside.as_ref() == Some(self.request.directory)
    }

    /// Everything that templates make below the directory, and every root there.
    fn whole(&self) -> Result<ExpandedFiles, Report> {
        let mut found = self.made()?;
        let is_overlaid = {
            let directory = self.request.directory;
            let root = at(self.request, directory);
            !Root::new(&root, self.session).overlays().is_empty()
        };
        let was_overlaid = self.recorded.values().any(|mark| *mark == Mark::Added);
        if self.is_in_place() && !is_overlaid && !was_overlaid {
            return Ok(found);
        }
        let roots = self.roots()?;
        if roots.is_empty() && found.files.is_empty() {
            let phrase = format!("nothing below {} is expanded", self.request.directory);
            return Err(Diagnostic::new(Code::FileMissing, phrase)
                .help("name a directory that holds kustomizations or templates")
                .into());
        }
        let targets = match is_overlaid {
            true => flux_targets(self.request, self.session, &roots),
            false => BTreeMap::new(),
        };
        let results: Vec<Result<ExpandedFiles, Report>> = roots
            .par_iter()
            .map(|root| self.root(root, targets.get(root).map(String::as_str)))
            .collect();
        for (directory, result) in roots.iter().zip(results) {
            match result {
                Ok(root) => found.extend(root),
                // In place the root stays as it is, with what its templates make; elsewhere it is missing, and said so.
                Err(report) if is_not_enabled(&report) => {
                    let left = report.findings.iter();
                    let left = left.map(|error| match self.is_in_place() {
                        true => without_overlays(directory, error),
                        false => not_written(directory, error),
                    });
                    found.report.findings.extend(left);
                    found.passed_over.push(directory.clone());
                }
                // One bad root takes no other with it.
                Err(report) => {
                    let what = format!(
                        "{directory} is left out; the other roots, and what templates make, are written"
                    );
                    let errors = report.findings.into_iter();
                    found
                        .report
                        .findings
                        .extend(errors.map(|error| error.note(&*what)));
                    found.passed_over.push(directory.clone());
                }
            }
        }
        Ok(found)
    }

    fn roots(&self) -> Result<Vec<TreePath>> {
        let mut left_out = self.session.template_directories();
        if !self.is_in_place() {
            left_out.extend(self.destination.inside.clone());
        }
        find_roots(
            self.session.files(),
            self.request.directory,
            &left_out,
            |_, error| Err(error),
        )
    }

    /// What the templates below the directory make, whether a root reads it or not.
    fn made(&self) -> Result<ExpandedFiles, Report> {
        let outputs = self.outputs()?;
        let files = self.session.files();
        let read = |path: &TreePath| match files.kind(path) {
            Ok(Some(Kind::File)) => files.read(path).map(Some),
            Ok(_) => Ok(None),
            Err(error) => Err(error),
        };
        let results: Vec<Result<Option<Arc<File>>>> = outputs.par_iter().map(read).collect();
        let (mut found, mut failed) = (ExpandedFiles::default(), Report::default());
        for (path, result) in outputs.into_iter().zip(results) {
            match result {
                Ok(Some(file)) => drop(found.files.insert(path, file)),
                Ok(None) => {}
                Err(error) => failed.push(error),
            }
        }
        if failed.is_empty() {
            Ok(found)
        } else {
            Err(failed)
        }
    }

    /// The paths below the directory that the project's templates make.
    fn outputs(&self) -> Result<Vec<TreePath>> {
        let Some(templates) = self.session.templates() else {
            return Ok(Vec::new());
        };
        let below = self.request.directory;
        let mut outputs = BTreeSet::new();
        if let (Some(config), Some(mount)) = (&templates.config, templates.mounts.first()) {
            for planned in plan(config, self.disk)? {
                outputs.extend(mount.to.join(planned.output.as_str()));
            }
        }
        for mount in &templates.mounts {
            if templates
                .config
                .as_ref()
                .is_some_and(|c| c.inputs.contains(&mount.from))
            {
                continue;
            }
            for path in beneath(self.disk, &mount.from)? {
                let name = path.relative_to(&mount.from);
                let name = name.strip_suffix(templates.suffix()).unwrap_or(&name);
                outputs.extend(mount.to.join(name));
            }
        }
        if templates.mounts.is_empty() {
            let inside = self.destination.inside.as_ref();
            for path in beneath(self.disk, below)? {
                let stem = path.as_str().strip_suffix(templates.suffix());
                let is_own = inside.is_some_and(|d| d != below && path.is_within(d));
                outputs.extend(stem.filter(|_| !is_own).and_then(TreePath::parse));
            }
        }
        outputs.retain(|path| path.is_within(below));
        Ok(outputs.into_iter().collect())
    }

    /// What one root reads, with what its overlays add.
    fn root(&self, directory: &TreePath, target: Option<&str>) -> Result<ExpandedFiles, Report> {
        let request = at(self.request, directory);
        let root = Root::new(&request, self.session).with_target_namespace(target);
        let (plain, expansion) = root.decided()?;
        // Overlays look at more than the build reads, and only that is recorded.
        let below = match &expansion.view {
            Some(view) => Arc::clone(view) as Arc<dyn Files>,
            None => Arc::clone(root.files()) as Arc<dyn Files>,
        };
        let recorded = Recorded::new(below);
        let built = layer::verified(build::run(&recorded, &root)?, &plain, &expansion)?;
        let laid = expansion.view.iter().flat_map(|view| view.laid());
        let laid: Vec<Arc<File>> = laid.cloned().collect();
        let (read, links) = (recorded.files(), recorded.links());
        let landed = Landed {
            resources: built.resources,
            warnings: expansion.report,
            overlays: expansion.instances,
            usage: expansion.usage,
        };
        let judged = root.judge(&landed);
        if judged.has_errors() {
            return Err(judged);
        }
        let (resources, mut warnings) = (landed.resources, landed.warnings);
        warnings.findings.extend(judged.findings);
        let mut found = ExpandedFiles {
            report: warnings,
            ..ExpandedFiles::default()
        };
        for file in read.into_iter().chain(laid.iter().cloned()) {
            found.files.insert(file.path.clone(), file);
        }
        found.laid = laid.iter().map(|file| file.path.clone()).collect();
        follow_links(&mut found, &links);
        if !links.is_empty() {
            self.prove(&root, &found, &resources)?;
        }
        Ok(found)
    }

    /// Builds what would be written, which links could make another thing.
    fn prove(&self, root: &Root<'_>, found: &ExpandedFiles, wanted: &ResMap) -> Result<(), Report> {
        let mut copy = Memory::default();
        for file in found.files.values() {
            copy.insert(File::clone(file));
        }
        let bytes = |resources: &ResMap| {
            let mut bytes = Vec::new();
            resources.write(&mut bytes).map(|()| bytes)
        };
        if bytes(&build::run(&copy, root)?.resources)? == bytes(wanted)? {
            return Ok(());
        }
        let phrase = format!(
            "links below {} cannot be expanded into files",
            root.directory()
        );
        let error = Diagnostic::new(Code::OutsideRoot, phrase);
        Err(error.help("replace the links by directories").into())
    }

    /// Seals what must be, and gives each file its place in the output.
    fn written(
        &self,
        mut found: ExpandedFiles,
        base: &TreePath,
        sealer: &mut Sealer<'_>,
    ) -> Result<Expanded, Report> {
        let mut tree = OutputTree::new(self.destination.directory, Stale::Remove);
        let project = self.session.project();
        let opened = self.session.opened(self.request.secrets);
        let rule = SecretRule {
            sources: secret_sources(&found.files),
            allowed: project.map_or(&[][..], |p| &p.checks.plaintext_allow),
        };
        let mut sealing = Sealing {
            files: self.session.files(),
            present: self.destination.present,
            identities: &|| opened.identities(),
            sealer,
            rule: rule.clone(),
        };
        let others = self.others();
        let key = &*self.request.opener.token_key();
        let redacting = Redacting {
            others: others.as_ref(),
            key,
            rule: rule.clone(),
        };
        let mut failed = Report::default();
        for (path, file) in &found.files {
            let is_made = matches!(file.source.origin, Origin::Rendered { .. });
            let is_laid = found.laid.contains(path);
            let is_users = !is_laid && self.session.made_from(path)?.is_none();
            if self.is_in_place() && is_users && !self.is_changed(file)? {
                continue;
            }
            let placed = self.placed(path, base).and_then(|placed| {
                let safe = match self.request.secrets {
                    Secrets::Redact => redacting.redacted(file)?,
                    Secrets::Plain | Secrets::Keep | Secrets::Openable => {
                        let sealed = sealing.sealed(file, &placed)?;
                        let is_open = is_made && sealed.is_none();
                        // What overlays add to a kustomization is not in the other worlds.
                        let below = match is_laid {
                            true => opened.read(path).ok(),
                            false => Some(Arc::clone(file)),
                        };
                        let differs = |others: &OtherFiles| {
                            below.as_ref().is_some_and(|below| others.differ(below))
                        };
                        if is_open
                            && others.as_ref().is_some_and(differs)
                            && left_plain(file, &rule)?.is_empty()
                        {
                            return Err(depends(file));
                        }
                        sealed
                    }
                };
                Ok((placed, safe))
            });
            let (placed, sealed) = match placed {
                Ok(placed) => placed,
                Err(error) => {
                    failed.push(error);
                    continue;
                }
            };
            for secret in left_plain(file, &rule)? {
                found.report.push(written_plain(file, &secret));
            }
            let mut output = OutputFile::new(sealed.unwrap_or_else(|| file.bytes.to_vec()));
            output.metadata = self.metadata(file)?;
            tree.insert_as(self.mark(path, is_laid)?, placed, output);
        }
        for (path, _) in self
            .recorded
            .iter()
            .filter(|(_, mark)| **mark == Mark::Copied)
        {
            tree.mark(Mark::Copied, self.placed(path, base)?);
        }
        for directory in &found.passed_over {
            tree.keep_recorded(&self.placed(directory, base)?);
        }
        if !failed.is_empty() {
            return Err(alike(failed));
        }
        if self.request.secrets == Secrets::Redact {
            found.report.findings.extend(key.warning());
        }
        Ok(Expanded {
            tree,
            root: None,
            report: self.session.masked(found.report),
        })
    }

    /// The files in other worlds, where a sealed value was opened.
    fn others(&self) -> Option<OtherFiles> {
        let request = self.request;
        if !request.opener.has_opened() {
            return None;
        }
        let sensitive = || {
            let checks = self.session.project().map(|project| &project.checks);
            checks.map_or_else(Vec::new, |checks| checks.sensitive.clone())
        };
        let secret_only = (request.secrets != Secrets::Redact).then(sensitive);
        let [first, second] = request.opener.in_other_worlds(secret_only).map(|opener| {
            let disk = Arc::clone(self.before);
            let session = Session::open(disk, request.directory, request.overrides, &opener);
            let files = |session: Session| session.opened(request.secrets) as Arc<dyn Files>;
            // What does not open there is there in no file.
            session.map_or_else(|_| Arc::new(Memory::default()) as Arc<dyn Files>, files)
        });
        Some(OtherFiles { first, second })
    }

    /// Whether an earlier run changed a file of the user that no overlay changes now.
    fn is_changed(&self, file: &File) -> Result<bool> {
        let is_root = KUSTOMIZATION_NAMES.contains(&file.path.file_name());
        Ok(is_root && !self.recorded.is_empty() && self.disk.read(&file.path)?.bytes != file.bytes)
    }

    /// What the record says of a file. In place a file of the user stays when the overlay that changed it is gone.
    fn mark(&self, path: &TreePath, is_laid: bool) -> Result<Mark> {
        let below = self.session.files();
        let is_added = is_laid && below.kind(path)?.is_none();
        Ok(match (is_added, self.is_in_place()) {
            (true, _) => Mark::Added,
            (false, false) => Mark::Copied,
            (false, true) => match (self.session.made_from(path)?, self.recorded.get(path)) {
                (Some(_), _) => Mark::Made,
                (None, Some(mark)) => *mark,
                (None, None) => Mark::Foreign,
            },
        })
    }

    /// Where a file is written, below the output.
    fn placed(&self, path: &TreePath, base: &TreePath) -> Result<TreePath> {
        if !path.is_within(base) {
            let phrase = format!("{path} would change, and is not below {base}");
            return Err(Diagnostic::new(Code::OutsideRoot, phrase)
                .at(Place::file(path.as_str()))
                .help("expand a directory that holds both"));
        }
        let template = match self.is_in_place() {
            true => self.session.template_of(path)?,
            false => None,
        };
        if let Some(template) = template.filter(|t| t.parent() == path.parent()) {
            let phrase = format!(
                "{path} would be written beside its template {}",
                template.file_name()
            );
            return Err(Diagnostic::new(Code::TemplateConflict, phrase)
                .at(Place::file(template.as_str()))
                .help(
                    "write to another directory, or mount the templates from a tree of their own",
                ));
        }
        Ok(
            TreePath::parse(&path.relative_to(base))
                .expect("a path within its base stays below it"),
        )
    }

    /// What a file takes over from its template, where the project says so.
    fn metadata(&self, file: &File) -> Result<Option<crate::files::Metadata>> {
        let config = self.session.templates().and_then(|t| t.config.as_ref());
        match &file.source.origin {
            Origin::Rendered { template, .. } if config.is_some_and(|c| c.copy_metadata) => {
                let path = TreePath::parse(template);
                path.map(|path| self.disk.metadata(&path)).transpose()
            }
            _ => Ok(None),
        }
    }
}

/// Whether a root does not build only because the invoker allows nothing outside of the files.
fn is_not_enabled(report: &Report) -> bool {
    let mut codes = report.findings.iter().map(Diagnostic::code);
    codes.all(|code| code == Code::NotEnabled)
}

/// The warning about a root whose objects are not all known, so that no overlay is applied to it.
fn without_overlays(directory: &TreePath, error: &Diagnostic) -> Diagnostic {
    let why = error.phrase();
    let phrase = format!("no overlay is applied to {directory}: {why}");
    let warning = Diagnostic::warning(error.code(), phrase).at(error.place().cloned());
    let remedies = error.remedies().iter();
    remedies.fold(warning, |warning, remedy| {
        warning.help(format!("{remedy} to have its objects looked at"))
    })
}

/// The warning about a root that is not written, since what it needs is not allowed.
fn not_written(directory: &TreePath, error: &Diagnostic) -> Diagnostic {
    let why = error.phrase();
    let phrase = format!("{directory} is not written: {why}");
    let warning = Diagnostic::warning(error.code(), phrase).at(error.place().cloned());
    let remedies = error.remedies().iter();
    remedies.fold(warning, |warning, remedy| warning.help(remedy.as_str()))
}

/// The warning about a Secret that the project lets stand as plaintext.
fn written_plain(file: &File, secret: &str) -> Diagnostic {
    let phrase = format!("{secret} is written as plaintext");
    Diagnostic::warning(Code::SecretExposed, phrase)
        .at(Place::file(file.path.as_str()))
        .note("checks.plaintext.allow of the project file lists it")
}

/// How many of many paths a message names.
const MAX_NAMED: usize = 5;

/// Tells once what many files have in common, and names the others.
fn alike(report: Report) -> Report {
    type Group = (Diagnostic, Vec<String>);
    let mut groups: Vec<Group> = Vec::new();
    for error in report.findings {
        let file = error.place().map(|place| place.file.to_string());
        let same = groups.iter_mut().find(|(first, _)| {
            first.code() == error.code()
                && first.phrase() == error.phrase()
                && first.notes() == error.notes()
                && first.remedies() == error.remedies()
        });
        match (same, file) {
            (Some((_, others)), Some(file)) => others.push(file),
            _ => groups.push((error, Vec::new())),
        }
    }
    let told = groups.into_iter().map(|(first, others)| {
        if others.is_empty() {
            return first;
        }
        let rest = others.len().saturating_sub(MAX_NAMED);
        let mut named = others[..others.len() - rest].join(", ");
        if rest > 0 {
            named.push_str(&format!(" and {rest} more"));
        }
        first.note(format!("so it is with {named}"))
    });
    Report {
        findings: told.collect(),
    }
}

/// The nearest directory above one that holds every file.
fn common_directory<'a>(
    directory: &TreePath,
    files: impl Iterator<Item = &'a TreePath>,
) -> TreePath {
    let mut common = directory.clone();
    for path in files {
        while !path.is_within(&common) {
            common = common.parent().unwrap_or_else(TreePath::root);
        }
    }
    common
}

/// Copies what was read below a link's end to the link's own path.
fn follow_links(found: &mut ExpandedFiles, links: &[(TreePath, TreePath)]) {
    for (link, end) in links {
        let below: Vec<_> = found
            .files
            .values()
            .filter(|file| file.path.is_within(end))
            .cloned()
            .collect();
        for file in below {
            if let Some(path) = link.join(&file.path.relative_to(end)) {
                let copy = File {
                    path: path.clone(),
                    ..File::clone(&file)
                };
                found.files.entry(path).or_insert_with(|| Arc::new(copy));
            }
        }
    }
}

/// Every file beneath a directory of the disk, hidden directories left out.
fn beneath(files: &dyn Files, directory: &TreePath) -> Result<Vec<TreePath>> {
    let (mut found, mut open) = (Vec::new(), vec![directory.clone()]);
    while let Some(directory) = open.pop() {
        for name in files.list(&directory)? {
            let Some(path) = directory.join(&name) else {
                continue;
            };
            match files.kind(&path)? {
                Some(Kind::Directory) if !name.starts_with('.') => open.push(path),
                Some(Kind::File) => found.push(path),
                _ => {}
            }
        }
    }
    Ok(found)
}
