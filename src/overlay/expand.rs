//! Finds the instances of the overlays in use, and attaches them to the root.

use indexmap::IndexSet;

use super::attach::Attacher;
use super::conflict::{self, Existing};
use super::draft::{Draft, Drafter};
use super::language::Language;
use super::library::{Library, is_builtin, is_unpinned, own_folders};
use super::root::Root;
use super::settings;
use super::usage::{Usage, unused};
use super::world::RootObjects;
use super::{Expansion, Request, State};
use crate::diagnostic::{Code, Diagnostic, Report, Result, Severity};

/// Decides and attaches: see [`super::view`].
pub(super) fn expand(request: &Request<'_>) -> Result<Expansion> {
    let language = Language::new()?;
    check_pins(request)?;
    let library = Library::load(request.config, request.files, &language)?;
    settings::check_names(request.config, &library)?;
    settings::check_host(request.host.parameters, &library)?;
    let root = Root::read(
        request.files,
        request.directory,
        request.host.target_namespace,
    )?;
    let world = RootObjects::new(request, root, &language, &library);
    let mut finder = Drafter::new(&world, &library);
    let drafts = finder.drafts()?;
    let Drafter {
        used,
        names,
        mut report,
        ..
    } = finder;
    let usage = Usage::new(request.config, &used, names.into_iter().collect());
    if request.host.is_whole_project {
        let told = unused([&usage].into_iter(), |_| true, request.host.severity());
        report.findings.extend(told.findings);
    }
    // Where a warning is an error, nothing is given.
    if report.has_errors() {
        let first = report
            .findings
            .into_iter()
            .find(|f| f.severity() == Severity::Error);
        return Err(first.expect("it has an error"));
    }
    let mut expansion = attach(&world, drafts, report)?;
    expansion.usage = usage;
    Ok(expansion)
}

fn check_pins(request: &Request<'_>) -> Result<()> {
    if !request.host.must_pin {
        return Ok(());
    }
    let own = own_folders(request.config, request.files)?;
    // What an administrator makes mandatory must not be something else under its name.
    if let Some(name) = own.keys().find(|name| is_builtin(name)) {
        let phrase = format!("an overlay of the project has the name of the built-in {name}");
        return Err(Diagnostic::new(Code::OverlayConfig, phrase)
            .at(request.config.paths.first().map(|(_, place)| place.clone()))
            .help("give its folder another name: a host tells them apart by name"));
    }
    let unpinned = request
        .config
        .used
        .iter()
        .find(|u| is_unpinned(&u.text, |name| own.contains_key(name)));
    match unpinned {
        None => Ok(()),
        Some(name) => {
            let phrase = format!("{} is used without a version", name.text);
            Err(Diagnostic::new(Code::OverlayConfig, phrase)
                .at(name.place.clone())
                .help(format!(
                    "a host renders what was reviewed: write {}@1",
                    name.text
                )))
        }
    }
}

/// Compares the drafts with what the root has, and puts the rest into a view.
fn attach<'a>(
    world: &RootObjects<'_, 'a>,
    mut drafts: Vec<Draft<'a>>,
    mut report: Report,
) -> Result<Expansion> {
    conflict::check_distinct(&drafts)?;
    let existing = Existing::find(world, &drafts);
    let mut attacher = Attacher::new(world);
    let mut applied: IndexSet<String> = IndexSet::new();
    // Overlays that need another one come after it, whatever the order of use.
    drafts.sort_by_key(|d| !d.definition.needs.is_empty());
    for draft in &mut drafts {
        let active = !draft.files.is_empty()
            || !draft.patches.is_empty()
            || draft.instance.state == State::Present;
        if active {
            let missing = draft
                .definition
                .needs
                .iter()
                .find(|n| !applied.contains(*n));
            if let Some(missing) = missing {
                let overlay = &draft.instance.overlay;
                let phrase = format!(
                    "{overlay} is left out for {}: it needs {missing}, which is not applied as it is meant",
                    draft.instance.target
                );
                let help = format!(
                    "use {missing}, or list the object that stands in its way under overlays.replace"
                );
                report.push(
                    Diagnostic::warning(Code::OverlayLeftOut, phrase)
                        .at(draft.target.place.clone())
                        .help(help),
                );
                let reason = format!("it needs {missing}");
                draft.instance.state = State::LeftOut;
                draft.instance.reason = reason;
                draft.instance.adds.clear();
                continue;
            }
            attacher.attach(draft, &existing, &mut report)?;
        }
        if matches!(
            draft.instance.state,
            State::Added | State::Present | State::Replaced
        ) {
            applied.insert(draft.instance.overlay.to_string());
        }
    }
    conflict::tell_unused(world, &mut report);
    let view = attacher.finish()?;
    let instances = drafts.into_iter().map(|d| d.instance).collect();
    Ok(Expansion {
        instances,
        report,
        view,
        ..Expansion::default()
    })
}
