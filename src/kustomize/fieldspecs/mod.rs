//! The fields that transformers touch: the built-in tables, and what a kustomization adds to them.
//!
//! The rows are those of kustomize v5.7.1. `configurations` and `crds` add rows with [`FieldSpecs::merge`].

mod metadata;
mod references;
mod values;
mod variables;

use std::borrow::Cow;

use super::decode::record;
use super::fieldspec::{FieldSpec, NameReference};
use super::kustomization::FieldSpecFields;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::kube::order;

type Rows = Cow<'static, [FieldSpec]>;

/// The fields that each transformer touches.
#[derive(Debug, Clone, Default)]
pub(crate) struct FieldSpecs {
    /// What a prefix goes before.
    pub(crate) name_prefix: Rows,
    /// What a suffix goes after.
    pub(crate) name_suffix: Rows,
    /// Namespaces beside `metadata.namespace`.
    pub(crate) namespace: Rows,
    /// Labels and selectors.
    pub(crate) common_labels: Rows,
    /// Labels that every entry of `labels` sets too; none are built in.
    pub(crate) labels: Rows,
    /// Labels of objects and of templates.
    pub(crate) template_labels: Rows,
    /// Annotations of objects and of templates.
    pub(crate) common_annotations: Rows,
    /// The fields that name another object.
    pub(crate) name_references: Cow<'static, [NameReference]>,
    /// The fields in which `$(NAME)` stands for a value.
    pub(crate) variables: Rows,
    /// Images.
    pub(crate) images: Rows,
    /// Replica counts.
    pub(crate) replicas: Rows,
}

/// The rows that are built in.
pub(crate) const BUILT_IN: FieldSpecs = FieldSpecs {
    name_prefix: Cow::Borrowed(values::NAME_PREFIX),
    name_suffix: Cow::Borrowed(values::NAME_SUFFIX),
    namespace: Cow::Borrowed(values::NAMESPACE),
    common_labels: Cow::Borrowed(metadata::COMMON_LABELS),
    labels: Cow::Borrowed(&[]),
    template_labels: Cow::Borrowed(metadata::TEMPLATE_LABELS),
    common_annotations: Cow::Borrowed(metadata::COMMON_ANNOTATIONS),
    name_references: Cow::Borrowed(references::NAME_REFERENCES),
    variables: Cow::Borrowed(variables::VARIABLES),
    images: Cow::Borrowed(values::IMAGES),
    replicas: Cow::Borrowed(values::REPLICAS),
};

impl FieldSpecs {
    /// Adds the rows of `other` that are not there yet. Fails with [`Code::FieldSpecConflict`] when both
    /// have a row that differs only in whether the field is made.
    pub(crate) fn merge(&mut self, other: Self) -> Result<()> {
        merge_rows(&mut self.name_prefix, other.name_prefix)?;
        merge_rows(&mut self.name_suffix, other.name_suffix)?;
        merge_rows(&mut self.namespace, other.namespace)?;
        merge_rows(&mut self.common_labels, other.common_labels)?;
        merge_rows(&mut self.labels, other.labels)?;
        merge_rows(&mut self.template_labels, other.template_labels)?;
        merge_rows(&mut self.common_annotations, other.common_annotations)?;
        merge_rows(&mut self.variables, other.variables)?;
        merge_rows(&mut self.images, other.images)?;
        merge_rows(&mut self.replicas, other.replicas)?;
        self.merge_references(other.name_references)
    }

    fn merge_references(&mut self, others: Cow<'static, [NameReference]>) -> Result<()> {
        if others.is_empty() {
            return Ok(());
        }
        let known = self.name_references.to_mut();
        for other in others.into_owned() {
            match known.iter_mut().find(|k| k.names_the_same(&other)) {
                Some(same) => merge_rows(&mut same.referrers, other.referrers)?,
                None => known.push(other),
            }
        }
        known.sort_by(|a, b| {
            order::compare(&a.group, &a.version, &a.kind, &b.group, &b.version, &b.kind)
        });
        Ok(())
    }
}

/// Adds rows that are not there yet, and sorts all as the reference does.
pub(crate) fn merge_rows(rows: &mut Rows, others: Rows) -> Result<()> {
    if others.is_empty() {
        return Ok(());
    }
    let known = rows.to_mut();
    for other in others.into_owned() {
        merge_row(known, other)?;
    }
    known.sort_by(|a, b| {
        order::compare(&a.group, &a.version, &a.kind, &b.group, &b.version, &b.kind)
    });
    Ok(())
}

/// Adds a row unless one is there that it covers.
///
/// As in the reference, a row for any kind is left out when one for a single kind has its path.
pub(crate) fn merge_row(rows: &mut Vec<FieldSpec>, other: FieldSpec) -> Result<()> {
    match rows.iter().find(|row| other.covers(row)) {
        Some(same) if same.create != other.create => Err(conflict(&other)),
        Some(_) => Ok(()),
        None => {
            rows.push(other);
            Ok(())
        }
    }
}

fn conflict(row: &FieldSpec) -> Diagnostic {
    let kind = if row.kind.is_empty() {
        "every kind"
    } else {
        &row.kind
    };
    let phrase = format!("field specs for {} of {kind} disagree on create", row.path);
    Diagnostic::new(Code::FieldSpecConflict, phrase)
        .help("give all of them the same value of create, or leave this one out")
}

record! {
    /// A file of `configurations`.
    pub(crate) struct Configuration {
        /// What a prefix goes before.
        name_prefix: Vec<FieldSpecFields> = "namePrefix",
        /// What a suffix goes after.
        name_suffix: Vec<FieldSpecFields> = "nameSuffix",
        /// Namespaces.
        namespace: Vec<FieldSpecFields> = "namespace",
        /// Labels and selectors.
        common_labels: Vec<FieldSpecFields> = "commonLabels",
        /// Labels that every entry of `labels` sets too.
        labels: Vec<FieldSpecFields> = "labels",
        /// Labels of objects and of templates.
        template_labels: Vec<FieldSpecFields> = "templateLabels",
        /// Annotations of objects and of templates.
        common_annotations: Vec<FieldSpecFields> = "commonAnnotations",
        /// The fields that name another object.
        name_reference: Vec<NameReferenceFields> = "nameReference",
        /// The fields in which `$(NAME)` stands for a value.
        var_reference: Vec<FieldSpecFields> = "varReference",
        /// Images.
        images: Vec<FieldSpecFields> = "images",
        /// Replica counts.
        replicas: Vec<FieldSpecFields> = "replicas",
    }
}

record! {
    /// The fields that name an object of a kind, as they are written.
    pub(crate) struct NameReferenceFields {
        /// The group of what is named.
        group: compact_str::CompactString = "group",
        /// The version of what is named.
        version: compact_str::CompactString = "version",
        /// The kind of what is named.
        kind: compact_str::CompactString = "kind",
        /// The fields.
        field_specs: Vec<FieldSpecFields> = "fieldSpecs",
    }
}

impl From<Configuration> for FieldSpecs {
    fn from(written: Configuration) -> Self {
        Self {
            name_prefix: rows(&written.name_prefix),
            name_suffix: rows(&written.name_suffix),
            namespace: rows(&written.namespace),
            common_labels: rows(&written.common_labels),
            labels: rows(&written.labels),
            template_labels: rows(&written.template_labels),
            common_annotations: rows(&written.common_annotations),
            name_references: written
                .name_reference
                .iter()
                .map(NameReference::from)
                .collect(),
            variables: rows(&written.var_reference),
            images: rows(&written.images),
            replicas: rows(&written.replicas),
        }
    }
}

/// Takes field specs as they are written.
pub(crate) fn rows(fields: &[FieldSpecFields]) -> Rows {
    fields.iter().map(FieldSpec::from).collect()
}

impl From<&FieldSpecFields> for FieldSpec {
    fn from(written: &FieldSpecFields) -> Self {
        Self {
            group: written.group.to_string().into(),
            version: written.version.to_string().into(),
            kind: written.kind.to_string().into(),
            path: written.path.to_string().into(),
            create: written.create,
        }
    }
}

impl From<&NameReferenceFields> for NameReference {
    fn from(written: &NameReferenceFields) -> Self {
        Self {
            group: written.group.to_string().into(),
            version: written.version.to_string().into(),
            kind: written.kind.to_string().into(),
            referrers: rows(&written.field_specs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BUILT_IN, merge_row};
    use crate::kube::Gvk;
    use crate::kustomize::fieldspec::{CREATE, KEEP, row};

    #[test]
    fn every_transformer_has_its_rows() {
        assert_eq!(BUILT_IN.common_labels.len(), 32);
        assert_eq!(BUILT_IN.name_references.len(), 16);
        assert_eq!(BUILT_IN.variables.len(), 72);
        let service = Gvk::new("v1", "Service");
        let selected: Vec<_> = BUILT_IN
            .common_labels
            .iter()
            .filter(|r| r.selects(&service))
            .collect();
        assert_eq!(selected.len(), 2);
    }

    #[test]
    fn a_row_is_added_once_and_must_agree() {
        let mut rows = vec![row("apps", "", "Deployment", "spec/x", CREATE)];
        assert!(merge_row(&mut rows, row("", "", "", "spec/x", CREATE)).is_ok());
        assert_eq!(rows.len(), 1);
        assert!(merge_row(&mut rows, row("", "", "Deployment", "spec/x", KEEP)).is_err());
        assert!(merge_row(&mut rows, row("", "v1", "Deployment", "spec/x", KEEP)).is_ok());
        assert_eq!(rows.len(), 2);
    }
}
