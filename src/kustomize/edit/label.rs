//! Labels and annotations: `add`, `set` and `remove`.

use std::collections::BTreeMap;

use crate::diagnostic::Result;
use crate::go::regexp;
use crate::kustomize::kustomization::{Kustomization, Label, Pairs as Map};

use super::{MapField, refused};

/// What a key of annotations may be: an optional prefix and a name.
const ANNOTATION_KEY: &str =
    "([a-zA-Z](([-a-zA-Z0-9.]{0,251})[a-zA-Z0-9])?/)?[a-zA-Z0-9]([-a-zA-Z0-9_.]{0,61}[a-zA-Z0-9])?";

/// Keys and values, each as one text `key:value`: the value may hold colons, a pair of double quotes around it is taken
/// off, and a key alone has an empty value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs(BTreeMap<String, String>);

impl Pairs {
    /// Reads texts. Fails where one begins with its colon.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>, field: MapField) -> Result<Self> {
        let mut pairs = BTreeMap::new();
        for text in texts {
            let (key, value) = text.split_once(':').unwrap_or((text, ""));
            if key.is_empty() && text.starts_with(':') {
                let phrase = format!("invalid {}: {text} has no key", field.entry());
                return Err(refused(phrase).help("write key:value, the value in quotes or not"));
            }
            pairs.insert(key.to_owned(), unquoted(value).to_owned());
        }
        Ok(Self(pairs))
    }

    /// Fails where a key cannot be that of an annotation. Only `set annotation` of the reference asks.
    pub fn check_annotation_keys(&self) -> Result<()> {
        let key = regexp::compile_anchored(ANNOTATION_KEY).expect("it is a constant");
        match self.0.keys().find(|text| !key.is_match(text)) {
            Some(bad) => Err(refused(format!("{bad} cannot be the key of an annotation"))),
            None => Ok(()),
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }
}

fn unquoted(text: &str) -> &str {
    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    inner.unwrap_or(text)
}

/// What labels are put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelReach {
    /// Objects.
    Objects,
    /// Objects and templates.
    Templates,
}

/// Sets pairs of `commonLabels` or `commonAnnotations`; without `force` a key that is there is an error.
pub(super) fn set(
    kustomization: &mut Kustomization,
    field: MapField,
    pairs: &Pairs,
    force: bool,
) -> Result<()> {
    let map = field.of(kustomization);
    pairs
        .iter()
        .try_for_each(|(key, value)| put(map, key, value, force, field))
}

fn put(map: &mut Map, key: &str, value: &str, force: bool, field: MapField) -> Result<()> {
    if map.contains_key(key) && !force {
        let phrase = format!("{} {key} is in the kustomization already", field.entry());
        return Err(refused(phrase).help("pass --force to replace it"));
    }
    map.insert(key.into(), value.into());
    Ok(())
}

/// Adds pairs to the first entry of `labels` that reaches the same, or to a new one.
pub(super) fn add_without_selector(
    kustomization: &mut Kustomization,
    pairs: &Pairs,
    reach: LabelReach,
    force: bool,
) -> Result<()> {
    let include_templates = reach == LabelReach::Templates;
    let is_same =
        |label: &Label| !label.include_selectors && label.include_templates == include_templates;
    let at = match kustomization.labels.iter().position(is_same) {
        Some(at) => at,
        None => {
            kustomization.labels.push(Label {
                include_templates,
                ..Label::default()
            });
            kustomization.labels.len() - 1
        }
    };
    let map = &mut kustomization.labels[at].pairs;
    pairs
        .iter()
        .try_for_each(|(key, value)| put(map, key, value, force, MapField::Labels))
}

/// Removes keys; without `ignore` one that is not there is an error.
pub(super) fn remove(
    kustomization: &mut Kustomization,
    field: MapField,
    keys: &[String],
    ignore: bool,
) -> Result<()> {
    let is_defined = match field {
        MapField::Labels => kustomization.common_labels.is_some(),
        MapField::Annotations => !kustomization.common_annotations.is_empty(),
    };
    if !is_defined && !ignore {
        let phrase = format!("{} is not in the kustomization", field.name());
        return Err(refused(phrase));
    }
    let map = field.of(kustomization);
    for key in keys {
        if map.remove(&**key).is_none() && !ignore {
            let phrase = format!("{} {key} is not in the kustomization", field.entry());
            return Err(refused(phrase).help("pass --ignore-non-existence to go on"));
        }
    }
    Ok(())
}
