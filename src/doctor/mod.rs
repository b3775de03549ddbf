//! Looks at everything that a render of a directory would use, and tells what was found and what is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::cluster::roots::find_roots;
use crate::diagnostic::budget;
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result};
use crate::files::{Files, Kind, MAX_FILE_BYTES, TreePath};
use crate::kustomize::kustomization_path;
use crate::pipeline::{Request, Root};
use crate::project::Project;
use crate::project::{Session, find_project};
use crate::secrets::Secrets;
use crate::sops::{self, Found};
use crate::values::sealed_beside;
use crate::yaml::MAX_DEPTH;

/// How many files of one kind are named; the rest is counted.
const MAX_NAMED: usize = 8;

/// Something that was looked at, and what was found.
#[derive(Debug)]
pub struct Section {
    /// What was looked at.
    pub name: &'static str,
    /// What was found, a line each.
    pub lines: Vec<String>,
}

/// Looks at the project, the values, the identities, the sealed files, the overlays and the build.
///
/// What fails is a finding of the report, and the rest is still looked at. Identities are told by their
/// public keys, and nothing that was sealed is told.
pub fn examine(request: &Request<'_>, disk: &Arc<dyn Files>) -> (Vec<Section>, Report) {
    let mut doctor = Doctor {
        request,
        disk,
        sections: Vec::new(),
        report: Report::default(),
    };
    let project = doctor.project();
    if let Some(project) = &project {
        doctor.values(project);
    }
    doctor.identities();
    doctor.sealed(project.as_ref());
    doctor.render();
    let limits = format!(
        "files to {} MiB, YAML {MAX_DEPTH} levels deep",
        MAX_FILE_BYTES >> 20
    );
    let budget = budget::ROWS
        .iter()
        .map(|row| format!("{}: {} {}", row.name, row.growth.limit(), row.about));
    doctor.tell("limits", std::iter::once(limits).chain(budget).collect());
    // What is wrong with a project is met by more than one look.
    let mut told = BTreeSet::new();
    let findings = &mut doctor.report.findings;
    findings.retain(|finding| told.insert(finding.to_string()));
    (doctor.sections, doctor.report)
}

struct Doctor<'a> {
    request: &'a Request<'a>,
    disk: &'a Arc<dyn Files>,
    sections: Vec<Section>,
    report: Report,
}

impl Doctor<'_> {
    fn tell(&mut self, name: &'static str, lines: Vec<String>) {
        self.sections.push(Section { name, lines });
    }

    /// Keeps what went well; what did not is a finding.
    fn keep<T>(&mut self, result: Result<T, impl Into<Report>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.report.findings.extend(error.into().findings);
                None
            }
        }
    }

    fn project(&mut self) -> Option<Project> {
        let found = find_project(self.disk, self.request.directory);
        let Some(project) = self.keep(found)? else {
            let line = "none: kustomizations are built as they stand on disk";
            self.tell("project", vec![line.to_owned()]);
            return None;
        };
        let mut lines: Vec<String> = project.files.iter().map(ToString::to_string).collect();
        if let Some((name, _)) = &project.profile {
            lines.push(format!("profile {name}"));
        }
        if let Some((config, _)) = &project.templates.makejinja {
            lines.push(format!("templates of {config}"));
        }
        let mounts = project.templates.mounts.iter();
        lines.extend(mounts.map(|m| format!("templates {} -> {}", shown(&m.from), shown(&m.to))));
        self.tell("project", lines);
        Some(project)
    }

    fn values(&mut self, project: &Project) {
        let mut lines = Vec::new();
        for entry in &project.values {
            let path = &entry.path;
            let state = match self.disk.kind(path) {
                Ok(Some(Kind::File)) => match self.disk.read(path) {
                    Ok(file) if sops::detect(&file.bytes, path.file_name()).is_some() => "sealed",
                    Ok(_) => "plain",
                    Err(_) => "cannot be read",
                },
                Ok(Some(Kind::Directory)) => "a directory",
                _ if entry.optional => "not there, and optional",
                _ if matches!(sealed_beside(self.disk, path), Ok(Some(_))) => "sealed, beside it",
                _ => "not there",
            };
            lines.push(format!("{path}: {state}"));
        }
        if lines.is_empty() {
            lines.push("none are named".to_owned());
        }
        self.tell("values", lines);
    }

    fn identities(&mut self) {
        let sources = self.request.opener.identities().sources();
        let mut lines = Vec::new();
        let mut absent = Vec::new();
        for source in sources {
            let name = &source.name;
            match &source.found {
                Found::Keys { public, plugins } => {
                    lines.extend(public.iter().map(|key| format!("{name}: {key}")));
                    let unusable = plugins.iter();
                    lines.extend(
                        unusable.map(|p| format!("{name}: age-plugin-{p}, which is not run")),
                    );
                }
                Found::Unusable(why) => lines.push(format!("{name} {why}")),
                Found::Late(what) => lines.push(format!("{name} {what}")),
                Found::Empty => lines.push(format!("{name} holds no identity")),
                Found::NotSet | Found::Missing => absent.push(name.as_str()),
            }
        }
        if lines.is_empty() {
            lines.push("none".to_owned());
        }
        if !absent.is_empty() {
            lines.push(format!("looked for in vain: {}", absent.join(", ")));
        }
        self.tell("identities", lines);
    }

    /// Tries every sealed file of the project, or below the directory where there is none.
    fn sealed(&mut self, project: Option<&Project>) {
        let directory = project.map_or(self.request.directory, |p| &p.directory);
        let Some(files) = self.keep(sealed_files(self.disk, directory)) else {
            return;
        };
        let (mut opened, mut closed) = (0, BTreeMap::<String, Vec<TreePath>>::new());
        let count = files.len();
        for (path, format) in files {
            match self.open(&path, format) {
                Ok(()) => opened += 1,
                Err(error) if error.code() == Code::SopsNoIdentity => {
                    let whom = error.notes().first().cloned().unwrap_or_default();
                    closed.entry(whom).or_default().push(path);
                }
                Err(error) => self.report.push(error.or_at(Place::file(path.as_str()))),
            }
        }
        let mut lines = vec![format!("{count} files, of which {opened} open here")];
        for (whom, paths) in closed {
            lines.push(format!("cannot be opened here: {}", listed(&paths)));
            let phrase = format!("no identity here opens {}", listed(&paths));
            self.report.push(
                Diagnostic::new(Code::SopsNoIdentity, phrase)
                    .at(Place::file(paths[0].as_str()))
                    .note(whom)
                    .help("set SOPS_AGE_KEY_FILE to a file of age identities, or name one under decryption.identities"),
            );
        }
        self.tell("sealed", lines);
    }

    fn open(&self, path: &TreePath, format: sops::Format) -> Result<()> {
        let file = self.disk.read(path)?;
        let sealed = sops::SealedFile {
            name: path.as_str(),
            bytes: &file.bytes,
            format,
        };
        let identities = self.request.opener.identities();
        sops::decrypt(&sealed, identities, &sops::Options::plain(format)).map(drop)
    }

    fn render(&mut self) {
        let Request {
            directory,
            overrides,
            ref opener,
            ..
        } = *self.request;
        let session = Session::open(Arc::clone(self.disk), directory, overrides, opener);
        let Some(session) = self.keep(session) else {
            return;
        };
        let names = session.values().names().count();
        if session.project().is_some() {
            self.tell("merged", vec![format!("{names} values")]);
        }
        let is_root = kustomization_path(session.files(), directory);
        match self.keep(is_root) {
            Some(Some(path)) => self.root(&session, &path),
            Some(None) => {
                let left_out = session.template_directories();
                let roots =
                    find_roots(session.files(), directory, &left_out, |_, error| Err(error));
                let Some(roots) = self.keep(roots) else {
                    return;
                };
                let mut lines = vec![format!(
                    "{} is none, and {} are below it",
                    shown(directory),
                    roots.len()
                )];
                lines.extend(roots.iter().take(MAX_NAMED).map(ToString::to_string));
                let rest = roots.len().saturating_sub(MAX_NAMED);
                lines.extend((rest > 0).then(|| format!("and {rest} more")));
                self.tell("roots", lines);
            }
            None => {}
        }
    }

    fn root(&mut self, session: &Session, kustomization: &TreePath) {
        let request = Request {
            secrets: Secrets::Openable,
            ..self.request.clone()
        };
        let root = Root::new(&request, session);
        let template = session.template_of(kustomization).ok().flatten();
        let made = template.map_or_else(String::new, |t| format!(", made by {t}"));
        self.tell("build", vec![format!("{kustomization}{made}")]);
        let Some(rendered) = self.keep(root.landed()) else {
            return;
        };
        if !root.overlays().is_empty() {
            let mut states = BTreeMap::<&str, usize>::new();
            for instance in &rendered.overlays {
                *states.entry(instance.state.name()).or_default() += 1;
            }
            let line = states
                .iter()
                .map(|(state, count)| format!("{count} {state}"));
            let line: Vec<String> = line.collect();
            self.tell("overlays", vec![line.join(", ")]);
        }
        let gate = root.masked(root.gate(&rendered.resources));
        let count = rendered.resources.len();
        let verdict = if gate.has_errors() {
            "which the gate refuses"
        } else {
            "and the gate lets them pass"
        };
        self.tell("render", vec![format!("{count} objects, {verdict}")]);
        self.report.findings.extend(rendered.warnings.findings);
        self.report.findings.extend(gate.findings);
    }
}

/// Every sealed file below a directory, hidden directories left out.
fn sealed_files(files: &dyn Files, directory: &TreePath) -> Result<Vec<(TreePath, sops::Format)>> {
    let (mut found, mut open) = (Vec::new(), vec![directory.clone()]);
    while let Some(directory) = open.pop() {
        for name in files.list(&directory)? {
            let Some(path) = directory.join(&name) else {
                continue;
            };
            match files.kind(&path) {
                Ok(Some(Kind::Directory)) if !name.starts_with('.') => open.push(path),
                Ok(Some(Kind::File)) => {
                    let Ok(file) = files.read(&path) else {
                        continue;
                    };
                    found.extend(sops::detect(&file.bytes, &name).map(|format| (path, format)));
                }
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Some paths, the first few by name.
fn listed(paths: &[TreePath]) -> String {
    let named: Vec<&str> = paths.iter().take(MAX_NAMED).map(TreePath::as_str).collect();
    let rest = paths.len().saturating_sub(MAX_NAMED);
    match rest {
        0 => named.join(", "),
        _ => format!("{} and {rest} more", named.join(", ")),
    }
}

fn shown(path: &TreePath) -> &str {
    match path.as_str() {
        "" => ".",
        path => path,
    }
}
