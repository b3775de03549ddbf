//! The overlays: which ones the built objects call for, and the build with them.

use std::sync::Arc;

use super::{Built, Landed, Root, bind, build, host};
use crate::diagnostic::{Report, Result};
use crate::files::Files;
use crate::kube::{ResMap, Resource};
use crate::overlay::{self, Expansion, Instance, Usage};
use crate::yaml::Node;

/// A root with what its overlays add. Variables are as they are written.
pub struct Layered {
    /// The build.
    pub built: Built,
    /// What the user should know of overlays.
    pub warnings: Report,
    /// Which overlay applies to what, and why.
    pub overlays: Vec<Instance>,
    /// Which entries of `for` select something here.
    pub usage: Usage,
}

/// Builds the root once more with what its overlays add, where they add anything.
pub(super) fn run(
    plain: Built,
    files: &Arc<dyn Files>,
    root: &Root<'_>,
) -> Result<Layered, Report> {
    let expansion = decide(&plain, files, root)?;
    let built = match &expansion.view {
        Some(view) => verified(build::run(view, root)?, &plain, &expansion)?,
        None => plain,
    };
    Ok(Layered {
        built,
        warnings: expansion.report,
        overlays: expansion.instances,
        usage: expansion.usage,
    })
}

/// Decides which overlays apply to a built root, its variables filled in.
pub fn decide(plain: &Built, files: &Arc<dyn Files>, root: &Root<'_>) -> Result<Expansion, Report> {
    root.enter("overlays");
    let (config, request) = (root.overlays(), root.request);
    let project = root.session.project();
    let mut host = overlay::Host {
        strict: request.strict,
        is_whole_project: project.is_some_and(|p| p.directory == *request.directory),
        target_namespace: root.target_namespace,
        ..overlay::Host::default()
    };
    if let Some(set) = request.host {
        let namespace = set.adjustments.namespace.as_deref();
        host.must_pin = true;
        host.target_namespace = namespace.or(root.target_namespace);
        host.destination_namespace = set.destination_namespace.as_deref();
        host.parameters = &set.parameters;
        host.policy = set.policy.as_ref();
    }
    if config.is_empty() && host.parameters.is_empty() {
        return Ok(Expansion::default());
    }
    let filled = bind::filled(plain, root)?;
    Ok(overlay::view(&overlay::Request {
        files,
        directory: request.directory,
        built: filled.as_ref().unwrap_or(&plain.resources),
        config: &config,
        values: root.session.values().context(),
        host,
    })?)
}

/// What is mandatory and does not hold among the finished objects, and among those that they hold as items.
pub(super) fn lacking(landed: &Landed, root: &Root<'_>) -> Result<Report> {
    let Some(set) = root.request.host.filter(|host| host.policy.is_some()) else {
        return Ok(Report::default());
    };
    let files = host::view(root)?;
    let config = root.overlays();
    let mut held = ResMap::new();
    for object in landed.resources.iter() {
        hold(object.clone(), &mut held);
    }
    overlay::lacking(&overlay::Request {
        files: &files,
        directory: root.request.directory,
        built: &held,
        config: &config,
        values: root.session.values().context(),
        host: overlay::Host {
            must_pin: true,
            destination_namespace: set.destination_namespace.as_deref(),
            parameters: &set.parameters,
            policy: set.policy.as_ref(),
            ..overlay::Host::default()
        },
    })
}

/// Adds an object, and what it has as `items`, which Argo CD takes apart whatever the kind is.
fn hold(object: Resource, held: &mut ResMap) {
    let items = object.node().get("items").and_then(Node::as_sequence);
    for item in items.unwrap_or_default() {
        if item.as_mapping().is_some() {
            hold(Resource::new(item.clone(), object.source().cloned()), held);
        }
    }
    held.push_unchecked(object);
}

/// The build with overlays, where nothing that they add was lost on the way.
pub fn verified(layered: Built, plain: &Built, expansion: &Expansion) -> Result<Built, Report> {
    let lost = expansion.verify(&plain.resources, &layered.resources);
    match lost.is_empty() {
        true => Ok(layered),
        false => Err(lost),
    }
}
