//! What can be changed in a kustomization: the objects of `kustomize edit`, as v5.8.1 changes them.

use compact_str::CompactString;

use crate::diagnostic::{Report, Result};
use crate::go::filepath;
use crate::kustomize::encode::Encode as _;
use crate::kustomize::kustomization::{Kustomization, Label, Patch, Replica, Text};

use super::generator::{self, GeneratorChange, GeneratorFiles, GeneratorKind};
use super::image::{self, Images};
use super::label::{self, LabelReach, Pairs};
use super::{Effect, ListField, MapField, PatchFields, note, refused};

/// Where a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `namePrefix`.
    Prefix,
    /// `nameSuffix`.
    Suffix,
}

/// One change.
#[derive(Clone)]
pub enum Change {
    /// Sets `namespace`; an empty one removes it.
    Namespace(String),
    /// Sets `namePrefix` or `nameSuffix`.
    Affix(Side, String),
    /// Sets entries of `images`.
    Images(Images),
    /// Sets entries of `replicas`: names and counts.
    Replicas(Vec<(String, i64)>),
    /// Adds entries to a list; those that are there are told.
    Add(ListField, Vec<String>),
    /// Adds entries to a list; one that is there is an error.
    AddNew(ListField, Vec<String>),
    /// Replaces a list.
    SetList(ListField, Vec<String>),
    /// Removes the entries that patterns of file names match.
    RemoveMatching(ListField, Vec<String>),
    /// Removes entries.
    Remove(ListField, Vec<String>),
    /// Sets labels or annotations; without force one that is there is an error.
    Set {
        /// The field.
        field: MapField,
        /// What is set.
        pairs: Pairs,
        /// Whether keys that are there are replaced.
        force: bool,
    },
    /// Adds labels that do not reach selectors.
    LabelsWithoutSelector {
        /// What is set.
        pairs: Pairs,
        /// What gets the labels.
        reach: LabelReach,
        /// Whether keys that are there are replaced.
        force: bool,
    },
    /// Removes labels or annotations.
    RemoveKeys {
        /// The field.
        field: MapField,
        /// The keys.
        keys: Vec<String>,
        /// Whether a key that is not there is no error.
        ignore: bool,
    },
    /// Adds a patch.
    AddPatch(PatchFields),
    /// Removes every patch that is the same.
    RemovePatch(PatchFields),
    /// Adds to a generator.
    AddGenerator(GeneratorKind, GeneratorChange, GeneratorFiles),
    /// Sets in a generator.
    SetGenerator(GeneratorKind, GeneratorChange, GeneratorFiles),
    /// Removes generators: their names, and their namespace.
    RemoveGenerators(GeneratorKind, Vec<String>, String),
    /// Replaces deprecated fields; the texts of `patchesStrategicMerge` that are files.
    Fix {
        /// The entries that name a file.
        files: Vec<String>,
    },
}

pub(super) fn apply(
    kustomization: &mut Kustomization,
    change: &Change,
    keeps_order: bool,
    report: &mut Report,
) -> Result<Effect> {
    match change {
        Change::RemoveMatching(field, patterns) => {
            return remove_matching(field.of(kustomization), patterns);
        }
        Change::AddPatch(fields) => return Ok(add_patch(kustomization, &fields.entry(), report)),
        Change::RemovePatch(fields) => {
            return Ok(remove_patch(kustomization, &fields.entry(), report));
        }
        _ => alter(kustomization, change, keeps_order, report)?,
    }
    Ok(Effect::Write)
}

fn alter(
    kustomization: &mut Kustomization,
    change: &Change,
    keeps_order: bool,
    report: &mut Report,
) -> Result<()> {
    match change {
        Change::RemoveMatching(..) | Change::AddPatch(_) | Change::RemovePatch(_) => {}
        Change::Namespace(name) => kustomization.namespace = (&**name).into(),
        Change::Affix(Side::Prefix, text) => kustomization.name_prefix = (&**text).into(),
        Change::Affix(Side::Suffix, text) => kustomization.name_suffix = (&**text).into(),
        Change::Images(images) => return image::set(kustomization, images, keeps_order),
        Change::Replicas(counts) => set_replicas(kustomization, counts, keeps_order),
        Change::Add(field, entries) => {
            for entry in entries {
                if !push(field.of(kustomization), entry) {
                    let phrase =
                        format!("{} {entry} is in the kustomization already", field.entry());
                    note(report, phrase);
                }
            }
        }
        Change::AddNew(field, entries) => {
            for entry in entries {
                if !push(field.of(kustomization), entry) {
                    let phrase =
                        format!("{} {entry} is in the kustomization already", field.entry());
                    return Err(refused(phrase));
                }
            }
        }
        Change::SetList(field, entries) => {
            let list = field.of(kustomization);
            list.clear();
            list.extend(entries.iter().map(|entry| text(entry)));
        }
        Change::Remove(field, entries) => {
            let is_named = |there: &Text| entries.iter().any(|entry| there.value == **entry);
            field.of(kustomization).retain(|there| !is_named(there));
        }
        Change::Set {
            field,
            pairs,
            force,
        } => {
            return label::set(kustomization, *field, pairs, *force);
        }
        Change::LabelsWithoutSelector {
            pairs,
            reach,
            force,
        } => {
            return label::add_without_selector(kustomization, pairs, *reach, *force);
        }
        Change::RemoveKeys {
            field,
            keys,
            ignore,
        } => {
            return label::remove(kustomization, *field, keys, *ignore);
        }
        Change::AddGenerator(kind, change, files) => {
            return generator::add(kustomization, *kind, change, files);
        }
        Change::SetGenerator(kind, change, files) => {
            return generator::set(kustomization, *kind, change, files);
        }
        Change::RemoveGenerators(kind, names, namespace) => {
            return generator::remove(kustomization, *kind, names, namespace, report);
        }
        Change::Fix { files } => return fix(kustomization, files),
    }
    Ok(())
}

pub(super) fn text(text: &str) -> Text {
    Text {
        value: CompactString::from(text),
        ..Text::default()
    }
}

/// Adds an entry; false where it is there already.
fn push(list: &mut Vec<Text>, entry: &str) -> bool {
    if list.iter().any(|there| there.value == entry) {
        return false;
    }
    list.push(text(entry));
    true
}

fn set_replicas(kustomization: &mut Kustomization, counts: &[(String, i64)], keeps_order: bool) {
    let mut result: Vec<Replica> = Vec::new();
    for there in std::mem::take(&mut kustomization.replicas) {
        if !result.iter().any(|other| other.name == there.name) {
            result.push(there);
        }
    }
    for (name, count) in counts {
        match result.iter_mut().find(|there| there.name == **name) {
            Some(there) => there.count = *count,
            None => result.push(Replica {
                name: (&**name).into(),
                count: *count,
                ..Replica::default()
            }),
        }
    }
    if !keeps_order {
        result.sort_by(|a, b| a.name.cmp(&b.name));
    }
    kustomization.replicas = result;
}

fn remove_matching(list: &mut Vec<Text>, patterns: &[String]) -> Result<Effect> {
    let mut gone = Vec::new();
    for pattern in patterns {
        for entry in list.iter() {
            let matches = filepath::matches(pattern, entry);
            let matches =
                matches.map_err(|_| refused(format!("{pattern} is no pattern of file names")))?;
            if matches {
                gone.push(entry.value.clone());
            }
        }
    }
    list.retain(|entry| !gone.contains(&entry.value));
    Ok(if gone.is_empty() {
        Effect::Nothing
    } else {
        Effect::Write
    })
}

/// Whether two patches say the same.
fn is_same(a: &Patch, b: &Patch) -> bool {
    let target = |patch: &Patch| patch.target.as_ref().map(|target| target.node());
    a.path.value == b.path.value
        && a.patch.value == b.patch.value
        && a.options == b.options
        && target(a) == target(b)
}

fn add_patch(kustomization: &mut Kustomization, patch: &Patch, report: &mut Report) -> Effect {
    if kustomization
        .patches
        .iter()
        .any(|there| is_same(there, patch))
    {
        note(
            report,
            "the patch is in the kustomization already".to_owned(),
        );
        return Effect::Nothing;
    }
    kustomization.patches.push(patch.clone());
    Effect::Write
}

fn remove_patch(kustomization: &mut Kustomization, patch: &Patch, report: &mut Report) -> Effect {
    let count = kustomization.patches.len();
    kustomization.patches.retain(|there| !is_same(there, patch));
    if kustomization.patches.len() == count {
        note(report, "the patch is not in the kustomization".to_owned());
        return Effect::Nothing;
    }
    Effect::Write
}

/// Moves what deprecated fields hold to those that take their place.
fn fix(kustomization: &mut Kustomization, files: &[String]) -> Result<()> {
    let json = kustomization.patches_json6902.take().unwrap_or_default();
    kustomization.patches.extend(json);
    for entry in kustomization
        .patches_strategic_merge
        .take()
        .unwrap_or_default()
    {
        let is_file = files.iter().any(|file| entry.value == **file);
        let (path, patch) = match is_file {
            true => (entry, Text::default()),
            false => (Text::default(), entry),
        };
        kustomization.patches.push(Patch {
            path,
            patch,
            ..Patch::default()
        });
    }
    let Some(pairs) = kustomization
        .common_labels
        .take()
        .filter(|pairs| !pairs.is_empty())
    else {
        return Ok(());
    };
    for label in &kustomization.labels {
        if let Some(key) = label.pairs.keys().find(|key| pairs.contains_key(*key)) {
            let phrase = format!("label {key} is in both commonLabels and labels");
            return Err(refused(phrase).help("remove it from one of them"));
        }
    }
    kustomization.labels.push(Label {
        pairs,
        include_selectors: true,
        ..Label::default()
    });
    Ok(())
}
