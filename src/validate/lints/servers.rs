//! Which PostgreSQL servers a render shows, as far as their metrics depend on it.

use super::{clusters, list, text};
use crate::kube::{ResMap, Resource};
use crate::yaml::Node;

/// The first version with checkpoints in a view of their own.
const CHECKPOINTER: u32 = 17;

/// The servers of a render.
#[derive(Debug, Default)]
pub(super) struct Servers {
    /// The major version of each Cluster; `None` where it is the operator's to choose.
    majors: Vec<Option<u32>>,
    /// Whether one of them is backed up by a plugin.
    has_plugin: bool,
}

impl Servers {
    pub(super) fn of(resources: &ResMap) -> Self {
        let has_plugin = |c: &Resource| !list(c.node(), &["spec", "plugins"]).is_empty();
        Self {
            majors: clusters(resources).map(major).collect(),
            has_plugin: clusters(resources).any(has_plugin),
        }
    }

    /// Whether there are servers, and each is known to be older than 17.
    pub(super) fn are_all_old(&self) -> bool {
        !self.majors.is_empty() && self.majors.iter().all(|m| m.is_some_and(is_old))
    }

    /// Whether one is known to be older than 17.
    pub(super) fn is_one_old(&self) -> bool {
        self.majors.iter().flatten().copied().any(is_old)
    }

    /// Whether there are servers, and no plugin backs one up.
    pub(super) fn do_without_plugin(&self) -> bool {
        !self.majors.is_empty() && !self.has_plugin
    }
}

fn is_old(major: u32) -> bool {
    major < CHECKPOINTER
}

/// The major version of a Cluster: of its catalog, or the beginning of its image's tag.
fn major(cluster: &Resource) -> Option<u32> {
    let catalog = cluster.node().lookup(&["spec", "imageCatalogRef", "major"]);
    if let Some(major) = catalog.and_then(Node::scalar_text) {
        return major.parse().ok();
    }
    let image = text(cluster, &["spec", "imageName"])?;
    let (_, tag) = image.split('@').next()?.rsplit_once(':')?;
    let digits = tag.find(|c: char| !c.is_ascii_digit()).unwrap_or(tag.len());
    tag[..digits].parse().ok()
}
