//! Renders the sources of an Application from checkouts that are at hand.
//!
//! Each source is rendered as `argocd simulate` does it, before anything is marked or settled. A source whose
//! repository is not known here, or that is a chart of a registry, is elsewhere; what the invoker does not allow
//! is skipped. Cases: `source-*`, `sources-*`.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::repositories::{Repositories, Repository};
use crate::argocd::application::Application;
use crate::argocd::simulate::{Checkout, PluginConfig, Settings, Simulation, render_source};
use crate::argocd::wire::object::text;
use crate::diagnostic::{Code, Report};

/// What renders sources.
pub struct Sources<'a> {
    /// Which directory each repository is.
    pub repositories: &'a Repositories,
    /// The plugin's configuration.
    pub config: &'a PluginConfig,
    /// The host. Links that leave a repository are looked for once a repository and not here.
    pub settings: Settings,
}

/// What the sources of an Application give.
#[derive(Debug, Default)]
pub(super) struct RenderedSources {
    pub(super) objects: Vec<Json>,
    pub(super) error: Option<String>,
    pub(super) is_elsewhere: bool,
    pub(super) skipped: Option<String>,
}

impl Sources<'_> {
    /// Renders all sources of an Application.
    pub(super) fn render(&self, manifest: &Json) -> RenderedSources {
        let mut rendered = RenderedSources::default();
        let application = match Application::of_object(manifest) {
            Ok(application) => application,
            Err(words) => {
                rendered.error = Some(words);
                return rendered;
            }
        };
        if let Some(reference) = bad_reference(&application) {
            let words = format!("`ref: {reference}` holds more than letters, digits, `_` and `-`");
            rendered.error = Some(words);
            return rendered;
        }
        let others = self.checkouts(&application);
        for index in 0..application.sources.len() {
            self.one(&application, index, &others, &mut rendered);
        }
        rendered
    }

    /// The repositories that the sources name, by their addresses as they are written.
    fn checkouts(&self, application: &Application) -> IndexMap<String, Checkout> {
        let address = |source: &Json| text(source, &["repoURL"]).to_owned();
        (application.sources.iter())
            .filter_map(|source| {
                let repository = self.repositories.find(&address(source))?;
                Some((address(source), Checkout::from(repository.tree.clone()?)))
            })
            .collect()
    }

    fn one(
        &self,
        application: &Application,
        index: usize,
        others: &IndexMap<String, Checkout>,
        rendered: &mut RenderedSources,
    ) {
        let source = &application.sources[index];
        let address = text(source, &["repoURL"]);
        let is_chart = !text(source, &["chart"]).is_empty();
        let found = self.repositories.find(address).zip(others.get(address));
        let Some((repository, checkout)) = found.filter(|_| !is_chart) else {
            rendered.is_elsewhere = true;
            return;
        };
        if let Some(link) = repository.leaving_link() {
            let words = format!("the repository has a link that leads out of it: {link}");
            rendered.error.get_or_insert(words);
            return;
        }
        match self.source(application, index, repository, checkout, others) {
            Ok(objects) => rendered.objects.extend(objects),
            Err(report) if is_not_allowed(&report) => {
                rendered.skipped.get_or_insert(words_of(&report));
            }
            Err(report) => {
                rendered.error.get_or_insert(words_of(&report));
            }
        }
    }

    fn source(
        &self,
        application: &Application,
        index: usize,
        repository: &Repository,
        checkout: &Checkout,
        others: &IndexMap<String, Checkout>,
    ) -> Result<Vec<Json>, Report> {
        let settings = Settings {
            revision: repository.revision().to_owned(),
            allows_leaving_links: true,
            ..self.settings.clone()
        };
        let simulation = Simulation {
            application,
            source: Some(index),
            repository: checkout,
            others,
            config: self.config,
            settings: &settings,
        };
        Ok(render_source(&simulation, index)?.unwrap_or_default())
    }
}

/// The name of a source, for others to refer to, that is not one.
fn bad_reference(application: &Application) -> Option<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let names = application
        .sources
        .iter()
        .map(|source| text(source, &["ref"]));
    names
        .filter(|_| application.has_several)
        .find(|name| !name.chars().all(is_part))
}

fn is_not_allowed(report: &Report) -> bool {
    (report.findings.first()).is_some_and(|finding| finding.code() == Code::NotEnabled)
}

/// The first thing that is wrong, with what the host says of it.
fn words_of(report: &Report) -> String {
    let Some(first) = report.findings.first() else {
        return "it does not render".to_owned();
    };
    match first.notes().first() {
        Some(note) if first.code() == Code::HostError => note.clone(),
        _ => match first.place() {
            Some(place) => format!("{}: {}", place.file, first.phrase()),
            None => first.phrase().to_owned(),
        },
    }
}
