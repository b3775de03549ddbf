//! A first project file: what a repository renders, looked at once, and each fact written down.
//!
//! The cluster is rendered with the file that is about to be written, and what would make anything worse becomes
//! a comment with the reason. [`init`] is the way in.

mod draft;
mod proof;

use std::fmt::Write as _;
use std::sync::Arc;

use draft::Draft;
use proof::Looked;

use crate::cluster::{Cluster, Host, Outcome, Root, shown};
use crate::diagnostic::{Code, Diagnostic, Origin, Report, Result};
use crate::files::{Files, Kind, TreePath};
use crate::kube::{ResMap, Resource, Scope};
use crate::overlay::{Surveyed, builtin_sets, survey};
use crate::pipeline::Request;
use crate::project::{DEFAULT_PROFILE, MissingValues, Session, Sessions};
use crate::secrets::made::config as sops_config;
use crate::template::makejinja::{Config, plan, profile_of};

/// Where identities of local use lie beside a project file.
pub const IDENTITIES: [&str; 2] = ["age.key", "keys.txt"];

/// Looks once at everything that is applied from a directory, and writes a project file for it.
///
/// Roots that do not build are reported as warnings, and left out. So are templates whose values cannot be
/// read; then what is committed is looked at.
pub fn init(request: &Request<'_>, disk: &Arc<dyn Files>) -> Result<(String, Report), Report> {
    let directory = request.directory;
    let mut report = Report::default();
    let before = Looked::at(request, &sessions(request, Arc::clone(disk)))?;
    let mut draft = Draft::new(directory, sources(disk, directory)?);
    let sessions = sessions(request, draft.over(disk));
    let session = sessions.of(directory);
    let lacking = match &session {
        Ok(session) => session.lacking().cloned(),
        Err(error) => Some(error.clone()),
    };
    if let Some(error) = &lacking {
        report.push(not_looked_at(error));
        if before.landed_any() {
            draft.leave_out_sources(error);
        }
    }
    let mut seen = Looked::at(request, &sessions)?;
    if let Some(lost) = before.lost_in(&seen).filter(|_| lacking.is_none()) {
        draft.leave_out_sources(&lost);
        seen = Looked::at(request, &self::sessions(request, draft.over(disk)))?;
    }
    report.findings.extend(left_out(&seen.cluster));
    let session = session.ok().filter(|_| lacking.is_none());
    draft.plaintext = plaintext(
        &sessions
            .of(directory)
            .map_or_else(|_| Arc::clone(disk), |s| Arc::clone(s.files())),
        &seen.cluster,
        &mut report,
    )?;
    draft.overlays = overlays(&seen.cluster, session.as_deref())?;
    proof::prove(request, disk, &[&before, &seen], &mut draft, &mut report)?;
    Ok((draft.text(), report))
}

/// The projects below a root, files of which lie over the disk.
fn sessions(request: &Request<'_>, disk: Arc<dyn Files>) -> Sessions {
    let missing = MissingValues::ReadGenerated;
    let opener = Arc::clone(&request.opener);
    Sessions::new(disk, request.overrides.clone(), opener, missing)
}

fn not_looked_at(error: &Diagnostic) -> Diagnostic {
    let phrase = format!("the templates are not looked at: {}", error.phrase());
    // The file that is about to be written is not there yet.
    let place = error
        .place()
        .filter(|place| !place.file.ends_with("prerender.yaml"));
    let finding = Diagnostic::warning(error.code(), phrase).at(place.cloned());
    finding.help(
        "run it where the values are and an identity opens them, to have each fact written down",
    )
}

/// The warnings about roots that are not looked at.
fn left_out(cluster: &Cluster) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for root in &cluster.roots {
        let (Outcome::Skipped(report) | Outcome::Failed(report)) = &root.outcome else {
            continue;
        };
        let directory = shown(&root.directory);
        found.extend(report.findings.iter().map(|error| {
            let why = error.phrase();
            let phrase = format!("{directory} does not build, and is not looked at: {why}");
            Diagnostic::warning(error.code(), phrase).at(error.place().cloned())
        }));
    }
    found
}

/// The section on overlays: what is seen in the roots that are applied.
fn overlays(cluster: &Cluster, session: Option<&Session>) -> Result<String> {
    // Where a host applies the others, nothing tells the namespace of what no host applies.
    let is_placed =
        |object: &Resource| object.scope() != Scope::Namespaced || !object.namespace().is_empty();
    let seen: Vec<(&Root, ResMap)> = cluster
        .landed()
        .map(|(root, judged)| {
            let mut objects = judged.landed.resources.clone();
            if root.host == Host::Plain && cluster.has_host() {
                objects.retain(is_placed);
            }
            (root, objects)
        })
        .collect();
    let surveyed: Vec<Surveyed<'_>> = seen
        .iter()
        .map(|(root, built)| Surveyed {
            directory: &root.directory,
            built,
            namespace: root.namespace.as_deref(),
        })
        .collect();
    let set_by_values = |name: &str| {
        let Some(session) = session else {
            return Some("comes from the values, which are not read here".to_owned());
        };
        session.values().get(name)?;
        let origin = session.values().origin(name)?;
        Some(format!("is set at {}", origin.place))
    };
    let sets = builtin_sets()?;
    let set = sets.first().expect("there is a built-in set");
    survey(set, &surveyed, &set_by_values)
}

/// What the project file says of values, templates and identities.
fn sources(files: &dyn Files, directory: &TreePath) -> Result<String> {
    let mut out = String::new();
    let beside = |name: &str| {
        let path = directory.join(name).expect("a name stays in its directory");
        Ok::<_, Diagnostic>((files.kind(&path)? == Some(Kind::File)).then_some(path))
    };
    if let Some(path) = beside("makejinja.toml")?
        && let Some(config) = rendering(files, &path)?
    {
        // Writing to a String does not fail.
        out.push_str("values:\n");
        for data in &config.data {
            let _ = writeln!(out, "  - {}", data.relative_to(directory));
        }
        if config.data.is_empty() {
            out.truncate(out.len() - "values:\n".len());
        }
        if let Some((loader, place)) = config.loaders.first() {
            let profile = profile_of(loader).unwrap_or(DEFAULT_PROFILE);
            let _ = writeln!(
                out,
                "profile: {profile}  # for the Python loader {loader}, {place}"
            );
        }
        out.push_str("templates:\n  makejinja: makejinja.toml\n");
    }
    for name in IDENTITIES {
        if beside(name)?.is_some() {
            let _ = writeln!(
                out,
                "decryption:\n  identities: [{name}]  # for local use; hosts have their own"
            );
            break;
        }
    }
    Ok(out)
}

/// The configuration of templates, where they make anything: one that was left over says nothing of the project.
fn rendering(files: &dyn Files, path: &TreePath) -> Result<Option<Config>> {
    let config = Config::read(files, path)?;
    let is_left_over = plan(&config, files).is_ok_and(|planned| planned.is_empty());
    Ok(Some(config).filter(|_| !is_left_over))
}

/// What the project file says of Secrets that templates make in files that no rule of `.sops.yaml` seals.
///
/// They are in Git as plaintext today; `expand` writes no plaintext that is not listed.
fn plaintext(files: &dyn Files, cluster: &Cluster, report: &mut Report) -> Result<String> {
    let mut out = String::new();
    let landed = cluster.landed();
    for resource in landed.flat_map(|(_, judged)| &judged.landed.resources) {
        let Some(source) = resource
            .source()
            .filter(|_| resource.gvk().is("", "Secret"))
        else {
            continue;
        };
        let path = TreePath::parse(&source.path).filter(|_| {
            let is_made = matches!(source.origin, Origin::Rendered { .. });
            is_made && !source.path.contains(".sops.")
        });
        let Some(path) = path.filter(|path| !is_sealable(files, path)) else {
            continue;
        };
        let listed = format!("      - {}  # no rule of .sops.yaml", resource.id());
        if out.contains(&listed) {
            continue;
        }
        let _ = writeln!(
            out,
            "{listed} seals {path}: `expand` writes it as plaintext"
        );
        let phrase = format!("no rule of .sops.yaml seals {}", resource.id());
        report.push(
            Diagnostic::warning(Code::SopsNoRule, phrase)
                .at(resource.place())
                .note("it is listed in checks.plaintext.allow, and goes to Git as plaintext")
                .help("make it by a template of its own, NAME.sops.yaml.j2, and take it from the list"),
        );
    }
    Ok(match out.is_empty() {
        true => out,
        false => format!("checks:\n  plaintext:\n    allow:\n{out}"),
    })
}

/// Whether a file has a creation rule, or there are no rules at all: then it is not known what they will say.
fn is_sealable(files: &dyn Files, path: &TreePath) -> bool {
    let Ok(Some((config, directory))) = sops_config(files, path) else {
        return true;
    };
    let within = TreePath::parse(&directory).map(|directory| path.relative_to(&directory));
    let rule = config.rule_for(within.as_deref().unwrap_or(path.as_str()));
    !config.has_rules() || !rule.is_err_and(|error| error.code() == Code::SopsNoRule)
}
