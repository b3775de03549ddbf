//! The objects of a root as its host will hold them.

use super::{Bound, Root};
use crate::diagnostic::Report;
use crate::kube::{ResMap, Scope};
use crate::overlay::{Instance, Usage};
use crate::project::chosen_profile;
use crate::yaml::Node;

/// A root as its host will hold it: what is judged.
#[derive(Debug)]
pub struct Landed {
    /// The objects as they are printed.
    pub resources: ResMap,
    /// What the user should know.
    pub warnings: Report,
    /// Which overlay applies to what, and why.
    pub overlays: Vec<Instance>,
    /// Which entries of `for` select something here.
    pub usage: Usage,
}

/// Lands what was bound.
pub(super) fn run(bound: Bound, root: &Root<'_>) -> Landed {
    let Bound {
        mut resources,
        warnings,
        overlays,
        usage,
    } = bound;
    if let Some(namespace) = root.target_namespace {
        move_into(&mut resources, namespace);
    }
    let mut warnings = root.masked(warnings);
    let session = root.session;
    let chosen = session.project().zip(session.templates());
    let chosen = chosen.and_then(|(project, templates)| chosen_profile(project, templates));
    let opened = session.warning();
    let first = chosen.into_iter().chain(opened);
    warnings.findings.splice(0..0, first);
    Landed {
        resources,
        warnings,
        overlays,
        usage,
    }
}

/// Puts every object that may have a namespace into one.
fn move_into(resources: &mut ResMap, namespace: &str) {
    let objects = resources.iter_mut();
    for object in objects.filter(|object| object.scope() == Scope::Namespaced) {
        object.change(|node| {
            let metadata = node.get_mut("metadata").and_then(Node::as_mapping_mut);
            metadata.map(|m| m.insert("namespace", Node::string(namespace)))
        });
    }
}
