//! What comes once, at the root: hashes, references, variables, order, and the marks of the build.

use super::accumulate::{Accumulated, Target};
use super::fieldspec::{CREATE, FieldSpec, row};
use super::kustomization::Pairs;
use super::transformers::labels;
use super::{Options, hash, metadata, origin, references, scalar, sort};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::kube::{ResMap, Resource};
use crate::yaml::{self, Node};

const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

/// The label that says which kustomize made an object.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

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
    resources.refuse_twice()?;
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
        let level = options.level();
        let version = options.version_label.unwrap_or_else(|| level.version());
        let value = format!("kustomize-{version}");
        let label: Pairs = std::iter::once((MANAGED_BY.into(), value.into())).collect();
        labels::apply(&mut resources, &label, std::slice::from_ref(&LABELS))?;
    }
    let (origins, transformations) = (asked("originAnnotations"), asked("transformerAnnotations"));
    for resource in resources.iter_mut() {
        let may_reread = resource.history().may_reread;
        resource.change(|node| {
            metadata::tidy_annotations(node, options.level());
            if may_reread {
                reread(node);
            }
        });
        origin::annotate(resource, origins, transformations);
    }
    Ok(resources)
}

/// A patch may take away what every object must have, or leave a null there.
fn refuse_nameless(resources: &ResMap) -> Result<()> {
    for resource in resources {
        let missing = if !has_text(resource.node().get("kind")) {
            "kind"
        } else if !resource.kind().ends_with("List")
            && !has_text(resource.node().lookup(&["metadata", "name"]))
        {
            "metadata.name"
        } else {
            continue;
        };
        let id = resource.original_id();
        let phrase = format!("the object {id} has no {missing} any more");
        return Err(Diagnostic::new(Code::ManifestInvalid, phrase).at(resource.place()));
    }
    Ok(())
}

fn has_text(node: Option<&Node>) -> bool {
    node.is_some_and(|n| {
        !scalar::is_null(n) && n.scalar_text().is_some_and(|text| !text.is_empty())
    })
}

/// Gives folded texts the line breaks that the reference prints. Not those of annotations, which it sets anew
/// before it prints an object (case `folded-annotations-stay`).
fn reread(object: &mut Node) {
    let style = object.style();
    let Some(fields) = object.as_mapping_mut() else {
        return;
    };
    for field in fields.entries_mut() {
        match field.value.as_mapping_mut() {
            Some(metadata) if field.key.scalar_text() == Some("metadata") => metadata
                .entries_mut()
                .iter_mut()
                .filter(|entry| entry.key.scalar_text() != Some("annotations"))
                .for_each(|entry| yaml::reread_in(&mut entry.value, style)),
            _ => yaml::reread_in(&mut field.value, style),
        }
    }
}

fn is_local(resource: &Resource) -> bool {
    let path = ["metadata", "annotations", LOCAL_CONFIG];
    let value = resource.node().lookup(&path);
    value.is_some_and(|v| v.is_null() || v.scalar_text() != Some("false"))
}
