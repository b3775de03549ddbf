//! `labels` and `commonLabels`.

use crate::diagnostic::Result;
use crate::kube::ResMap;
use crate::kustomize::fieldspec::{self, CREATE, FieldSpec, Missing, row};
use crate::kustomize::fieldspecs::{FieldSpecs, merge_row};
use crate::kustomize::kustomization::{Label, Pairs};

static METADATA_LABELS: FieldSpec = row("", "", "", "metadata/labels", CREATE);

/// Sets labels at the fields that the rows select.
pub(crate) fn apply(resources: &mut ResMap, labels: &Pairs, rows: &[FieldSpec]) -> Result<()> {
    if labels.is_empty() {
        return Ok(());
    }
    for resource in resources.iter_mut() {
        fieldspec::apply(resource, rows, Missing::Mapping, |node| {
            labels
                .iter()
                .try_for_each(|(key, value)| fieldspec::set_entry(node, key, value))
        })?;
    }
    Ok(())
}

/// The fields that an entry of `labels` means: its own, those of `configurations`, then those of selectors,
/// of templates, or `metadata.labels` alone.
pub(crate) fn rows_of(label: &Label, all: &FieldSpecs) -> Result<Vec<FieldSpec>> {
    let mut rows: Vec<FieldSpec> = label.fields.iter().map(FieldSpec::from).collect();
    let mut add = |more: &[FieldSpec]| {
        more.iter()
            .try_for_each(|one| merge_row(&mut rows, one.clone()))
    };
    add(&all.labels)?;
    if label.include_selectors {
        add(&all.common_labels)?;
    } else {
        if label.include_templates {
            add(&all.template_labels)?;
        }
        add(std::slice::from_ref(&METADATA_LABELS))?;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::rows_of;
    use crate::kustomize::fieldspecs::BUILT_IN;
    use crate::kustomize::kustomization::Label;

    fn count(include_selectors: bool, include_templates: bool) -> usize {
        let label = Label {
            include_selectors,
            include_templates,
            ..Label::default()
        };
        rows_of(&label, &BUILT_IN).expect("the tables agree").len()
    }

    #[test]
    fn an_entry_means_more_fields_when_it_says_so() {
        assert_eq!(count(false, false), 1);
        assert_eq!(count(false, true), BUILT_IN.template_labels.len());
        assert_eq!(count(true, true), BUILT_IN.common_labels.len());
    }
}
