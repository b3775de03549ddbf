//! Prefixes and suffixes of names.

use compact_str::format_compact;

use crate::diagnostic::Result;
use crate::kube::{Gvk, ResMap, Resource};
use crate::kustomize::fault::Fault;
use crate::kustomize::fieldspec::{self, FieldSpec, Missing, need_scalar};
use crate::kustomize::scalar;
use crate::yaml::{Node, Tag};

/// Where a text is added to names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// `namePrefix`.
    Before,
    /// `nameSuffix`.
    After,
}

/// Adds a text to the fields that the rows select, which is `metadata.name` unless a configuration says
/// more. CustomResourceDefinitions, APIServices and Namespaces keep their names.
pub(crate) fn apply(
    resources: &mut ResMap,
    text: &str,
    side: Side,
    fields: &[FieldSpec],
) -> Result<()> {
    for resource in resources.iter_mut() {
        if !keeps_name(resource) {
            add(resource, text, side, fields)?;
        }
    }
    Ok(())
}

fn keeps_name(resource: &Resource) -> bool {
    match resource.original_kind() {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => resource.gvk().group == "apiregistration.k8s.io",
        _ => false,
    }
}

fn add(resource: &mut Resource, text: &str, side: Side, fields: &[FieldSpec]) -> Result<()> {
    let gvk = Gvk {
        kind: resource.original_kind().into(),
        ..resource.gvk().clone()
    };
    for field in fields.iter().filter(|f| f.selects(&gvk)) {
        if field.path == "metadata/name" {
            if text.is_empty() {
                continue;
            }
            match side {
                Side::Before => resource.remember_prefix(text),
                Side::After => resource.remember_suffix(text),
            }
            resource.remember_id();
        }
        fieldspec::apply(resource, [field], Missing::Scalar(Tag::Str), |node| {
            set(node, text, side)
        })?;
    }
    Ok(())
}

fn set(node: &mut Node, text: &str, side: Side) -> Result<(), Fault> {
    need_scalar(node)?;
    let is = node.scalar_text().unwrap_or_default();
    let new = match side {
        Side::Before => format_compact!("{text}{is}"),
        Side::After => format_compact!("{is}{text}"),
    };
    scalar::set_untagged(node, new);
    Ok(())
}
