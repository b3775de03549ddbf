//! `labels` and `commonLabels`.

use compact_str::CompactString;

use crate::diagnostic::Result;
use crate::kube::ResMap;
use crate::kustomize::fault::Fault;
use crate::kustomize::fieldspec::{self, CREATE, FieldSpec, Missing, row};
use crate::kustomize::fieldspecs::{FieldSpecs, merge_row};
use crate::kustomize::kustomization::{Label, Pairs};
use crate::kustomize::scalar;
use crate::yaml::{self, Link, Node, Tag};

static METADATA_LABELS: FieldSpec = row("", "", "", "metadata/labels", CREATE);

/// Sets labels at the fields that the rows select.
pub(crate) fn apply(resources: &mut ResMap, labels: &Pairs, rows: &[FieldSpec]) -> Result<()> {
    if labels.is_empty() {
        return Ok(());
    }
    let count = u32::try_from(labels.len()).unwrap_or(u32::MAX);
    for resource in resources.iter_mut() {
        let first = resource.history().links;
        let mut has_changed = false;
        fieldspec::apply(resource, rows, Missing::Mapping, |node| {
            labels.iter().zip(first..).try_for_each(|(label, number)| {
                has_changed |= set_entry(node, label, Link::new(number))?;
                Ok(())
            })
        })?;
        resource.history_mut().links = first.saturating_add(count);
        if has_changed {
            resource.change(yaml::settle);
        }
    }
    Ok(())
}

/// Sets an entry. A value that is added to several mappings is one value in the reference: what changes one
/// of them later changes all. Returns whether others are to follow one that was there.
fn set_entry(
    node: &mut Node,
    label: (&CompactString, &CompactString),
    link: Link,
) -> std::result::Result<bool, Fault> {
    if scalar::is_null(node) {
        return Ok(false);
    }
    let (key, text) = label;
    let Some(mapping) = node.as_mapping_mut() else {
        return Err(Fault::wrong_sort(node, "a mapping"));
    };
    if let Some(value) = mapping.get_mut(key) {
        scalar::set(value, text.clone(), Tag::Str);
        return Ok(value.link().is_some());
    }
    let mut value = scalar::string(text.clone());
    value.set_link(link);
    scalar::push(mapping, key, value);
    Ok(false)
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
