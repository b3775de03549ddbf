//! What a project permits.
//!
//! Follows `IsSourcePermitted`, `IsDestinationPermitted`, `IsGroupKindNamePermitted` and `IsAppNamespacePermitted` of
//! pkg/apis/application/v1alpha1/app_project_types.go, and `ValidatePermissions` of util/argo. A pattern with `!`
//! permits everything that it does not deny. Cases: `projects/*`, `app-*`.

use serde_json::Value as Json;

use super::repositories::normalized_url;
use super::world::{ClusterState, NAMESPACE};
use crate::argocd::wire::object::{namespace, text};
use crate::go::glob::{self, Dialect};
use crate::go::{filepath, regexp};

/// An AppProject.
#[derive(Debug, Clone, Copy)]
pub(super) struct Project<'p>(pub(super) &'p Json);

fn glob_fits(pattern: &str, text: &str, separator: Option<char>) -> bool {
    let dialect = Dialect::Gobwas(separator);
    match pattern.strip_prefix('!') {
        Some(denied) => !glob::matches(denied, text, dialect),
        None => pattern == "*" || glob::matches(pattern, text, dialect),
    }
}

fn is_deny(pattern: &str) -> bool {
    pattern.starts_with('!')
}

impl Project<'_> {
    fn spec(&self, key: &str) -> Option<&Json> {
        self.0.get("spec")?.get(key)
    }

    fn list(&self, key: &str) -> impl Iterator<Item = &Json> {
        self.spec(key)
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
    }

    /// Whether any of its patterns denies.
    pub(super) fn denies(&self) -> bool {
        let of_destinations = self.list("destinations").any(|item| {
            ["name", "server", "namespace"]
                .iter()
                .any(|key| is_deny(text(item, &[key])))
        });
        of_destinations
            || self
                .list("sourceRepos")
                .filter_map(Json::as_str)
                .any(is_deny)
    }

    /// Whether a repository may be a source.
    pub(super) fn permits_source(&self, url: &str) -> bool {
        let url = normalized_url(url);
        let mut is_permitted = false;
        for pattern in self.list("sourceRepos").filter_map(Json::as_str) {
            let normalized = match pattern.strip_prefix('!') {
                Some(denied) => format!("!{}", normalized_url(denied)),
                None => normalized_url(pattern),
            };
            if glob_fits(&normalized, &url, Some('/')) {
                is_permitted = true;
            } else if is_deny(&normalized) {
                return false;
            }
        }
        is_permitted
    }

    /// Whether objects may go to a namespace of a cluster.
    pub(super) fn permits_destination(
        &self,
        world: &ClusterState,
        cluster: &(String, String),
        namespace: &str,
    ) -> bool {
        let (name, server) = cluster;
        if !self.fits_destination(name, server, namespace) {
            return false;
        }
        let scoped_only = self
            .spec("permitOnlyProjectScopedClusters")
            .and_then(Json::as_bool);
        if scoped_only != Some(true) {
            return true;
        }
        let own = text(self.0, &["metadata", "name"]);
        let is_own = |cluster: &&super::world::Cluster| cluster.project.as_deref() == Some(own);
        (world.clusters.iter().filter(is_own)).any(|c| c.name == *name || c.server == *server)
    }

    fn fits_destination(&self, name: &str, server: &str, namespace: &str) -> bool {
        let mut is_permitted = false;
        for item in self.list("destinations") {
            let (item_name, item_server, item_namespace) = (
                text(item, &["name"]),
                text(item, &["server"]),
                text(item, &["namespace"]),
            );
            let name_fits = !name.is_empty() && glob_fits(item_name, name, None);
            let server_fits = !server.is_empty() && glob_fits(item_server, server, None);
            let namespace_fits = glob_fits(item_namespace, namespace, None);
            if (server_fits || name_fits) && namespace_fits {
                is_permitted = true;
            } else if (!name_fits && is_deny(item_name))
                || (!server_fits && is_deny(item_server) && namespace_fits)
                || (!namespace_fits && is_deny(item_namespace) && server_fits)
            {
                return false;
            }
        }
        is_permitted
    }

    /// Whether an object of a kind may be applied.
    pub(super) fn permits_kind(
        &self,
        group: &str,
        kind: &str,
        name: &str,
        is_namespaced: bool,
    ) -> bool {
        let is_in = |key: &str, with_name: bool| {
            self.list(key).any(|item| {
                let fits = |pattern: &str, text: &str| {
                    filepath::matches(pattern, text).unwrap_or_default()
                };
                let wanted = text(item, &["name"]);
                fits(text(item, &["kind"]), kind)
                    && fits(text(item, &["group"]), group)
                    && (!with_name || wanted.is_empty() || fits(wanted, name))
            })
        };
        if is_namespaced {
            let has_list = self.spec("namespaceResourceWhitelist").is_some();
            let is_permitted = !has_list || is_in("namespaceResourceWhitelist", false);
            return is_permitted && !is_in("namespaceResourceBlacklist", false);
        }
        is_in("clusterResourceWhitelist", true) && !is_in("clusterResourceBlacklist", true)
    }

    /// Whether Applications may lie in a namespace.
    pub(super) fn permits_namespace(&self, namespace: &str) -> bool {
        if namespace.is_empty() || namespace == NAMESPACE {
            return true;
        }
        self.list("sourceNamespaces")
            .filter_map(Json::as_str)
            .any(|pattern| {
                let inner = pattern.strip_prefix('/').and_then(|p| p.strip_suffix('/'));
                let fits =
                    inner.is_some_and(|p| regexp::compile(p).is_ok_and(|r| r.is_match(namespace)));
                fits || glob::matches(pattern, namespace, Dialect::Gobwas(None))
            })
    }
}

/// Why Argo CD will not sync an Application; nothing where it will.
pub(super) fn conditions(world: &ClusterState, application: &Json) -> Vec<String> {
    let spec = application.get("spec").cloned().unwrap_or_default();
    let name = match text(&spec, &["project"]) {
        "" => "default",
        name => name,
    };
    let Some(project) = world.project(name).map(Project) else {
        return vec![format!("there is no project {name:?}")];
    };
    if !project.permits_namespace(namespace(application)) {
        return vec![format!(
            "the project {name:?} does not permit Applications in this namespace"
        )];
    }
    let mut conditions = Vec::new();
    if let Some(error) = source_conditions(&spec, project, name, &mut conditions) {
        return vec![error];
    }
    let destination = spec.get("destination").cloned().unwrap_or_default();
    match world.destination(&destination) {
        Err(failure) => conditions.push(failure.to_string()),
        Ok(cluster) => {
            if !project.permits_destination(world, &cluster, text(&destination, &["namespace"])) {
                conditions.push(format!(
                    "the project {name:?} does not permit the destination"
                ));
            }
        }
    }
    conditions
}

/// Adds what is wrong with the sources; what comes back is the one thing that ends the judgement.
fn source_conditions(
    spec: &Json,
    project: Project<'_>,
    name: &str,
    conditions: &mut Vec<String>,
) -> Option<String> {
    let mut permit = |url: &str| {
        if !project.permits_source(url) {
            conditions.push(format!(
                "the project {name:?} does not permit the repository {url}"
            ));
        }
    };
    if let Some(hydrator) = spec.get("sourceHydrator") {
        for (path, what) in [
            (
                ["drySource", "repoURL"],
                "spec.sourceHydrator.drySource.repoURL",
            ),
            (
                ["drySource", "targetRevision"],
                "spec.sourceHydrator.drySource.targetRevision",
            ),
            (["drySource", "path"], "spec.sourceHydrator.drySource.path"),
            (
                ["syncSource", "targetBranch"],
                "spec.sourceHydrator.syncSource.targetBranch",
            ),
            (
                ["syncSource", "path"],
                "spec.sourceHydrator.syncSource.path",
            ),
        ] {
            if text(hydrator, &path).is_empty() {
                return Some(format!("{what} is missing"));
            }
        }
        permit(text(hydrator, &["drySource", "repoURL"]));
        return None;
    }
    let several = spec
        .get("sources")
        .and_then(Json::as_array)
        .filter(|s| !s.is_empty());
    let sources: Vec<&Json> = match several {
        Some(several) => several.iter().collect(),
        None => spec.get("source").into_iter().collect(),
    };
    if sources.is_empty() {
        return Some("the Application has no source".to_owned());
    }
    for source in sources {
        let has = |key: &str| !text(source, &[key]).is_empty();
        if !has("repoURL") || !(has("path") || has("chart") || (several.is_some() && has("ref"))) {
            return Some("a source needs a repoURL, and a path or a chart".to_owned());
        }
        if has("chart") && !has("targetRevision") {
            return Some("a chart needs a targetRevision".to_owned());
        }
        permit(text(source, &["repoURL"]));
    }
    None
}
