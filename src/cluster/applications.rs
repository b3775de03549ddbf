//! Where Argo CD begins: Applications, and those that ApplicationSets make, whose sources are directories here.
//!
//! This tree is the repository that most of them name. What they name beyond it, charts and sources that only a plugin
//! of another name renders are not roots of this tree. Of Applications that apply one directory to one namespace, one
//! stands for all.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::argocd::application::{AppSource, Application, Facts};
use crate::argocd::applicationsets::tree::{Listed, Origin, Request as Listing, list};
use crate::argocd::applicationsets::{Repositories, Repository, Switches, entries};
use crate::argocd::root::ApplicationRoot;
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result};
use crate::files::{Files, Kind, TreePath};
use crate::pipeline::{self, Judged, Request};
use crate::project::Sessions;

/// Argo CD's own namespace.
const NAMESPACE: &str = "argocd";

/// A directory that an Application applies.
pub(super) struct ArgoEntry {
    /// `Application argocd/shop`.
    pub(super) name: String,
    /// Where it is written, or the set that makes it.
    pub(super) place: Option<Place>,
    /// The directory.
    pub(super) directory: TreePath,
    source: AppSource,
    facts: Facts,
}

/// What was found of Argo CD.
#[derive(Default)]
pub(super) struct DiscoveredApplications {
    /// The directories that are applied.
    pub(super) entries: Vec<ArgoEntry>,
    /// What is wrong with ApplicationSets.
    pub(super) report: Report,
}

/// Reads the files that hold objects of Argo CD.
pub(super) fn of_files(
    files: &Arc<dyn Files>,
    holding: &[TreePath],
) -> Result<DiscoveredApplications> {
    let mut found = DiscoveredApplications::default();
    let mut read = Vec::new();
    for path in holding {
        read.extend(entries::of_file(files, path, path.as_str()));
    }
    let Some(local) = local_address(read.iter().map(|entry| &entry.object)) else {
        return Ok(found);
    };
    let places: BTreeMap<String, Place> = (read.iter())
        .map(|entry| {
            (
                key(&entry.object),
                Place::new(entry.file.as_str(), entry.line, 1),
            )
        })
        .collect();
    let mut repositories = Repositories::default();
    repositories.add(&[local], Repository::of_files(Arc::clone(files))?);
    let listing = list(Listing {
        entries: read,
        values: Vec::new(),
        repositories: &repositories,
        sources: None,
        is_recursive: false,
        switches: Switches::default(),
    });
    for set in &listing.sets {
        if let Some(error) = &set.error {
            let phrase = format!("ApplicationSet {}/{}: {error}", set.namespace, set.name);
            let place = places
                .get(&format!("ApplicationSet {}/{}", set.namespace, set.name))
                .cloned();
            found
                .report
                .push(Diagnostic::warning(Code::HostError, phrase).at(place));
        }
    }
    let mut known: IndexMap<(TreePath, String), ()> = IndexMap::new();
    for (name, listed) in &listing.applications {
        for entry in of_application(name, listed, files, &repositories, &places) {
            let is_new = known.insert(
                (entry.directory.clone(), entry.facts.destination.clone()),
                (),
            );
            if is_new.is_none() {
                found.entries.push(entry);
            }
        }
    }
    Ok(found)
}

fn key(object: &Json) -> String {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Json::as_str)
            .unwrap_or_default()
    };
    let namespace = match text("/metadata/namespace") {
        "" => NAMESPACE,
        namespace => namespace,
    };
    format!("{} {namespace}/{}", text("/kind"), text("/metadata/name"))
}

/// The address that most sources and git generators name.
fn local_address<'o>(objects: impl Iterator<Item = &'o Json>) -> Option<String> {
    let mut counts: IndexMap<String, usize> = IndexMap::new();
    let mut open: Vec<&Json> = objects.collect();
    open.reverse();
    while let Some(value) = open.pop() {
        match value {
            Json::Object(fields) => {
                let address = fields.get("repoURL").and_then(Json::as_str);
                let is_chart = fields.get("chart").is_some_and(|chart| !chart.is_null());
                if let Some(address) =
                    address.filter(|address| !is_chart && !address.contains("{{"))
                {
                    *counts.entry(address.to_owned()).or_default() += 1;
                }
                open.extend(fields.values());
            }
            Json::Array(items) => open.extend(items),
            _ => {}
        }
    }
    let most = counts.values().max().copied()?;
    counts
        .into_iter()
        .find(|(_, count)| *count == most)
        .map(|(address, _)| address)
}

fn of_application(
    name: &str,
    listed: &Listed,
    files: &Arc<dyn Files>,
    repositories: &Repositories,
    places: &BTreeMap<String, Place>,
) -> Vec<ArgoEntry> {
    let Ok(application) = Application::of_object(&listed.manifest) else {
        return Vec::new();
    };
    let place = match &listed.origin {
        Origin::File(file, line) => Some(Place::new(file.as_str(), *line, 1)),
        Origin::Set(set, _) => places.get(&format!("ApplicationSet {set}")).cloned(),
        Origin::Application(_) => None,
    };
    let facts = Facts {
        instance: application.instance_name(NAMESPACE),
        project: application.project.clone(),
        destination: application.destination.clone(),
        ..Facts::default()
    };
    let sources = application
        .sources
        .iter()
        .filter_map(|written| AppSource::read(written).ok());
    let here = sources.filter(|source| {
        let is_tool = source.helm.is_some() || !source.chart.is_empty() || source.path.is_empty();
        !is_tool && repositories.find(&source.repo_url).is_some()
    });
    here.filter_map(|source| {
        let directory = TreePath::parse(&source.path)?;
        is_rendered_here(files, &directory).then(|| ArgoEntry {
            name: format!("Application {name}"),
            place: place.clone(),
            directory,
            source,
            facts: facts.clone(),
        })
    })
    .collect()
}

/// Whether a directory is there, and is not a chart.
fn is_rendered_here(files: &Arc<dyn Files>, directory: &TreePath) -> bool {
    let kind = |path: &TreePath| files.kind(path).ok().flatten();
    let chart = directory.join("Chart.yaml");
    kind(directory) == Some(Kind::Directory) && chart.is_some_and(|chart| kind(&chart).is_none())
}

impl ArgoEntry {
    /// Renders it as Argo CD builds it.
    pub(super) fn render(
        &self,
        request: &Request<'_>,
        sessions: &Sessions,
    ) -> Result<Judged, Report> {
        let session = sessions.of(&self.directory)?;
        let namespace =
            Some(self.facts.destination.clone()).filter(|namespace| !namespace.is_empty());
        let host = pipeline::Host {
            rewrite: Some(Box::new(ApplicationRoot::of_source(
                &self.source,
                &self.facts,
            ))),
            destination_namespace: namespace,
            allow_empty: true,
            ..pipeline::Host::default()
        };
        let request = Request {
            directory: &self.directory,
            host: Some(&host),
            ..request.clone()
        };
        pipeline::Root::new(&request, &session).watching().judged()
    }
}
