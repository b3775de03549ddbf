//! `commonAnnotations`.

use super::labels;
use crate::diagnostic::Result;
use crate::kube::ResMap;
use crate::kustomize::fieldspec::FieldSpec;
use crate::kustomize::kustomization::Pairs;

/// Sets annotations at the fields that the rows select.
pub(crate) fn apply(resources: &mut ResMap, annotations: &Pairs, rows: &[FieldSpec]) -> Result<()> {
    labels::apply(resources, annotations, rows)
}
