//! What an ApplicationSet makes.
//!
//! Follows `Reconcile`, `validateGeneratedApplications` and `createOrUpdateInCluster` of
//! applicationset/controllers/applicationset_controller.go and `GenerateApplications` beside it. One fault in a generator
//! or template stops the whole set; in validation and admission each Application counts by itself, and a name that is
//! used twice drops all that have it. Cases: `tmpl-*`, `name-*`, `dest-*`.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::Failure;
use super::crd;
use super::generators::{Context, Switches, transform};
use super::params::Params;
use super::patch;
use super::render::{Data, Renderer};
use super::repositories::Repositories;
use super::world::ClusterState;
use crate::argocd::wire::object::{name, namespace, text};
use crate::go::template::Budget;

const FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";

/// What came of a set.
#[derive(Debug, Default)]
pub(super) struct SetOutcome {
    /// The Applications, as they are sent to the API server, sorted by name.
    pub(super) applications: Vec<Json>,
    /// Which item of `generators` made each, from 0.
    pub(super) generators: Vec<usize>,
    /// What is wrong with the set, or with one of its Applications.
    pub(super) error: Option<String>,
    /// What Argo CD drops without a word.
    pub(super) silent: Vec<String>,
}

/// Makes the Applications of a set.
pub(super) fn make(
    world: &ClusterState,
    repositories: &Repositories,
    switches: Switches,
    set: &Json,
    budget: &Budget,
) -> SetOutcome {
    let none = Json::Object(Map::new());
    let spec = set.get("spec").unwrap_or(&none);
    let context = Context {
        world,
        repositories,
        switches,
        renderer: Renderer::new(spec, budget),
        spec,
        set: name(set),
    };
    let mut made = SetOutcome {
        silent: silent_losses(spec),
        ..SetOutcome::default()
    };
    match generated(&context, namespace(set)) {
        Err(failure) => made.error = Some(failure.to_string()),
        Ok(applications) => validate(world, applications, &mut made),
    }
    made
}

fn silent_losses(spec: &Json) -> Vec<String> {
    let generators = spec
        .get("generators")
        .and_then(Json::as_array)
        .into_iter()
        .flatten();
    (generators.enumerate())
        .filter(|(_, generator)| {
            generator
                .as_object()
                .is_some_and(|g| g.keys().all(|key| key == "selector"))
        })
        .map(|(index, _)| {
            format!(
                "spec.generators[{index}] names no generator that Argo CD knows and makes nothing"
            )
        })
        .collect()
}

fn generated(context: &Context<'_>, namespace: &str) -> Result<Vec<(usize, Json)>, Failure> {
    let none = Json::Object(Map::new());
    let template = context.spec.get("template").unwrap_or(&none);
    let generators = context.spec.get("generators").and_then(Json::as_array);
    let mut all = Vec::new();
    for (index, generator) in generators.into_iter().flatten().enumerate() {
        for made in transform(context, generator, template, &Params::new())? {
            let base = application_of(&made.template);
            for params in &made.params {
                let application = filled(context, &base, params)
                    .map_err(|failure| failure.within(context.set))?;
                all.push((index, placed(application, namespace)));
            }
        }
    }
    Ok(all)
}

/// The Application that a template is before it is filled.
fn application_of(template: &Json) -> Json {
    let mut metadata = Map::new();
    for field in ["name", "namespace", "labels", "annotations", "finalizers"] {
        if let Some(value) = template.get("metadata").and_then(|m| m.get(field)) {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    let spec = template.get("spec").cloned().unwrap_or_else(|| json!({}));
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": metadata,
        "spec": spec,
    })
}

fn filled(context: &Context<'_>, base: &Json, params: &Params) -> Result<Json, Failure> {
    let data = Data::new(params);
    let mut application = match params.is_empty() {
        true => base.clone(),
        false => with_finalizer(context, context.renderer.deep(base, &data)?),
    };
    crd::as_typed(&mut application);
    if let Some(text) = context.spec.get("templatePatch").and_then(Json::as_str) {
        let text = context.renderer.text(text, &data)?;
        application = patch::apply(&application, &text)?;
    }
    Ok(application)
}

fn with_finalizer(context: &Context<'_>, mut application: Json) -> Json {
    let preserves = context
        .spec
        .pointer("/syncPolicy/preserveResourcesOnDeletion");
    let has_finalizers = application
        .pointer("/metadata/finalizers")
        .is_some_and(|f| !crd::is_empty(f));
    if preserves.and_then(Json::as_bool) != Some(true)
        && !has_finalizers
        && let Some(metadata) = application
            .get_mut("metadata")
            .and_then(Json::as_object_mut)
    {
        metadata.insert("finalizers".to_owned(), json!([FINALIZER]));
    }
    application
}

/// What is kept of an Application when it is created: the set's namespace, and none of the status.
fn placed(application: Json, namespace: &str) -> Json {
    let mut metadata = Map::new();
    for field in ["name", "annotations", "labels", "finalizers"] {
        if let Some(value) = application.get("metadata").and_then(|m| m.get(field)) {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    metadata.insert("namespace".to_owned(), namespace.into());
    let mut placed = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": metadata,
        "spec": application.get("spec").cloned().unwrap_or_else(|| json!({})),
    });
    if let (Some(Json::Object(operation)), Some(fields)) =
        (application.get("operation"), placed.as_object_mut())
    {
        // These two are structures, which Go writes always.
        let mut operation = operation.clone();
        for field in ["initiatedBy", "retry"] {
            operation.entry(field).or_insert_with(|| json!({}));
        }
        fields.insert("operation".to_owned(), Json::Object(operation));
    }
    placed
}

fn validate(world: &ClusterState, applications: Vec<(usize, Json)>, made: &mut SetOutcome) {
    let mut seen = BTreeSet::new();
    let mut wrong: BTreeSet<String> = BTreeSet::new();
    for (_, application) in &applications {
        let name = name(application);
        let fault = if name.is_empty() {
            Some("an Application of the set has no name".to_owned())
        } else if !seen.insert(name.to_owned()) {
            Some(format!(
                "two Applications of the set have the name {name:?}, so neither is made"
            ))
        } else {
            fault_of(world, application)
        };
        if let Some(fault) = fault {
            wrong.insert(name.to_owned());
            made.error.get_or_insert(fault);
        }
    }
    let mut kept: Vec<(usize, Json)> = (applications.into_iter())
        .filter(|(_, application)| !wrong.contains(name(application)))
        .collect();
    kept.sort_by(|(_, a), (_, b)| name(a).cmp(name(b)));
    for (index, mut application) in kept {
        normalize(&mut application);
        crd::as_typed(&mut application);
        made.generators.push(index);
        made.applications.push(application);
    }
}

fn fault_of(world: &ClusterState, application: &Json) -> Option<String> {
    let project = text(application, &["spec", "project"]);
    if world.project(project).is_none() {
        return Some(format!(
            "{}: there is no project {project:?}",
            name(application)
        ));
    }
    let destination = application
        .pointer("/spec/destination")
        .cloned()
        .unwrap_or_default();
    let failure = world.destination(&destination).err()?;
    Some(format!("{}: {failure}", name(application)))
}

/// `NormalizeApplicationSpec`: parts of a source and a sync policy that say nothing are taken away.
fn normalize(application: &mut Json) {
    let Some(spec) = application.get_mut("spec").and_then(Json::as_object_mut) else {
        return;
    };
    if spec.get("syncPolicy").is_some_and(crd::is_empty) {
        spec.shift_remove("syncPolicy");
    }
    let several = spec
        .get("sources")
        .and_then(Json::as_array)
        .is_some_and(|s| !s.is_empty());
    let sources: Vec<&mut Json> = match several {
        true => spec
            .get_mut("sources")
            .and_then(Json::as_array_mut)
            .into_iter()
            .flatten()
            .collect(),
        false => spec.get_mut("source").into_iter().collect(),
    };
    for source in sources {
        let Some(fields) = source.as_object_mut() else {
            continue;
        };
        fields.retain(|key, value| {
            !matches!(key.as_str(), "kustomize" | "helm" | "directory") || !says_nothing(value)
        });
    }
}

fn says_nothing(value: &Json) -> bool {
    value
        .as_object()
        .is_some_and(|fields| fields.values().all(crd::is_empty))
}
