//! Renders the sources of an Application from checkouts that are at hand.

use serde_json::Value as Json;

use super::repositories::Repositories;

/// What renders sources.
pub struct Sources<'a> {
    /// Which directory each repository is.
    pub repositories: &'a Repositories,
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
    pub(super) fn render(&self, _application: &Json) -> RenderedSources {
        RenderedSources::default()
    }
}
