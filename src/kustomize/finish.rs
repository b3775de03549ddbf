//! What comes once, at the root: hashes, references, variables, order, and the marks of the build.

use super::accumulate::{Accumulated, Target};
use super::fieldspec::{CREATE, FieldSpec, row};
use super::kustomization::Pairs;
use super::transformers::labels;
use super::{Options, hash, metadata, origin, references, sort};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::kube::{ResMap, Resource};

const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

/// The label that tells that kustomize made an object: its value is part of the output that is matched.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "kustomize-v5.7.1");

static LABELS: FieldSpec = row("", "", "", "metadata/labels", CREATE);

/// Gives the objects of a build as they are printed.
pub(super) fn finish(
    accumulated: Accumulated,
    root: &Target<'_>,
    options: &Options,
) -> Result<ResMap> {
    let fields = accumulated.fields().into_owned();
    let (mut resources, variables) = (accumulated.resources, accumulated.variables);
    root.loader.world().generators.settle(&mut resources)?;
    hash::append_to_names(&mut resources)?;
    references::follow(&mut resources, &fields.name_references)?;
    if !variables.is_empty() {
        variables.resolve(&mut resources, &fields.variables)?;
    }
    resources.drop_empties();
    refuse_nameless(&resources)?;
    refuse_duplicates(&mut resources)?;
    resources.retain(|resource| !is_local(resource));
    let order = root.kustomization.sort_options.as_ref();
    sort::apply(&mut resources, order, options.order, &root.source)?;
    let asked = |name: &str| {
        root.kustomization
            .build_metadata
            .iter()
            .any(|m| &***m == name)
    };
    if options.managed_by_label || asked("managedByLabel") {
        let label: Pairs = std::iter::once((MANAGED_BY.0.into(), MANAGED_BY.1.into())).collect();
        labels::apply(&mut resources, &label, std::slice::from_ref(&LABELS))?;
    }
    let (origins, transformations) = (asked("originAnnotations"), asked("transformerAnnotations"));
    for resource in resources.iter_mut() {
        resource.change(|node| metadata::tidy_annotations(node, false, false));
        origin::annotate(resource, origins, transformations);
    }
    Ok(resources)
}

/// A patch may take away what every object must have.
fn refuse_nameless(resources: &ResMap) -> Result<()> {
    for resource in resources {
        let is_nameless = resource.name().is_empty() && !resource.kind().ends_with("List");
        if resource.kind().is_empty() || is_nameless {
            let what = if resource.kind().is_empty() {
                "kind"
            } else {
                "metadata.name"
            };
            let phrase = format!(
                "the object {} has no {what} any more",
                resource.original_id()
            );
            return Err(Diagnostic::new(Code::ManifestInvalid, phrase).at(resource.place()));
        }
    }
    Ok(())
}

fn refuse_duplicates(resources: &mut ResMap) -> Result<()> {
    for position in 0..resources.len() {
        let Some(id) = resources.get(position).map(Resource::id) else {
            continue;
        };
        if let [first, second, ..] = resources.positions_of(&id)[..] {
            let place = |p| resources.get(p).and_then(Resource::place);
            let error =
                Diagnostic::new(Code::ResourceDuplicate, format!("two objects are {id} now"));
            let error = error.at(place(second));
            return Err(match place(first) {
                Some(place) => error.note(format!("the other is at {place}")),
                None => error,
            });
        }
    }
    Ok(())
}

fn is_local(resource: &Resource) -> bool {
    let path = ["metadata", "annotations", LOCAL_CONFIG];
    let value = resource.node().lookup(&path);
    value.is_some_and(|v| v.is_null() || v.scalar_text() != Some("false"))
}
