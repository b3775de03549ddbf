//! A kustomization with what an Application sets on it, as Argo CD builds it.
//!
//! Follows `Build` of Argo CD 3.6 (util/kustomize/kustomize.go), which runs `kustomize edit` for one option after
//! the other on the checkout, adds patches itself, and builds. Here the kustomization file is rewritten in memory.
//! Images and labels are filled from the build environment always, annotations where the Application says so,
//! all else never. Cases: `kustomize-*`.

use std::sync::Arc;

use serde_json::Value;

use super::{SourceOrder, paths};
use crate::argocd::application::Variables;
use crate::argocd::application::source::{KustomizeOptions, Replicas};
use crate::argocd::edit::{Edit, Pairs, Reach, change};
use crate::argocd::wire::{print, stream};
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result};
use crate::files::{File, Files, Layer, TreePath};
use crate::generators::Outside;
use crate::kustomize::{self, Options, kustomization_path};
use crate::yaml::{self, Mapping, Node, ParseOptions};

/// The objects that kustomize gives.
pub(super) fn objects(order: &SourceOrder<'_>) -> Result<Vec<Value>, Report> {
    let variables = Variables::of_build(order.facts, order.source);
    let options = order.source.kustomize.clone().unwrap_or_default();
    let set = rewritten(order.files, order.directory, &options, &variables)?;
    let files = Layer::new(Arc::clone(order.files), set);
    let outside = Outside::default();
    let built = kustomize::build(&files, order.directory, &Options::default(), &outside)?;
    let mut text = Vec::new();
    built.resources.write(&mut text)?;
    let stream = stream::read(&String::from_utf8_lossy(&text));
    let stream = stream.map_err(|broken| super::said(&broken.words))?;
    Ok(stream.documents.into_iter().map(|d| d.value).collect())
}

/// The kustomization of a directory with what an Application sets on it; `None` where it sets nothing.
///
/// Fails where `kustomize edit` does: on an image that is not one, a label that is there already, a component
/// that is not there.
pub fn rewritten(
    files: &dyn Files,
    directory: &TreePath,
    options: &KustomizeOptions,
    variables: &Variables,
) -> Result<Option<File>> {
    let edits = edits(files, directory, options, variables)?;
    if edits.is_empty() && options.patches.is_empty() {
        return Ok(None);
    }
    let Some(path) = kustomization_path(files, directory)? else {
        let phrase = "kustomization file not found in the path";
        let place = Place::file(directory.to_string());
        return Err(Diagnostic::new(Code::KustomizationMissing, phrase).at(place));
    };
    let file = files.read(&path)?;
    edited(&file, &edits, &options.patches).map(Some)
}

/// A kustomization file after edits and patches; components come after the patches.
fn edited(file: &File, edits: &[Edit], patches: &[Value]) -> Result<File> {
    let path = file.path.clone();
    let has_components = matches!(edits.last(), Some(Edit::Components(_)));
    let text = String::from_utf8_lossy(&file.bytes);
    let node = yaml::parse_first(&text, ParseOptions::DEFAULT).map_err(|e| e.at(&file.source))?;
    let mut node = node.filter(|n| !n.is_null());
    if node.is_none()
        && edits
            .iter()
            .any(|edit| !matches!(edit, Edit::Components(_)))
    {
        node = Some(Node::mapping());
    }
    let not_a_mapping = || {
        let phrase = "a kustomization is a mapping";
        Diagnostic::new(Code::FieldType, phrase).at(Place::file(path.as_str()))
    };
    let mut node = node.ok_or_else(not_a_mapping)?;
    let mapping = node.as_mapping_mut().ok_or_else(not_a_mapping)?;
    let (before, after) = edits.split_at(edits.len() - usize::from(has_components));
    let at = |error: Diagnostic| error.or_at(Place::file(path.as_str()));
    before
        .iter()
        .try_for_each(|edit| change(mapping, edit))
        .map_err(at)?;
    patch(mapping, patches).map_err(at)?;
    after
        .iter()
        .try_for_each(|edit| change(mapping, edit))
        .map_err(at)?;
    let mut bytes = Vec::new();
    yaml::write_manifest(&mut bytes, &node).map_err(|e| e.at(&file.source))?;
    Ok(File {
        path,
        bytes: bytes.into(),
        source: file.source.clone(),
    })
}

/// The commands of `kustomize edit` that the host runs, in its order; components, which come after the patches,
/// are the last.
fn edits(
    files: &dyn Files,
    directory: &TreePath,
    options: &KustomizeOptions,
    variables: &Variables,
) -> Result<Vec<Edit>> {
    let mut edits = Vec::new();
    let text =
        |text: &String, make: fn(String) -> Edit| (!text.is_empty()).then(|| make(text.clone()));
    edits.extend(text(&options.name_prefix, Edit::NamePrefix));
    edits.extend(text(&options.name_suffix, Edit::NameSuffix));
    if !options.images.is_empty() {
        let images = options.images.iter().map(|image| variables.fill(image));
        edits.push(Edit::Images(images.collect()));
    }
    if !options.replicas.is_empty() {
        let replicas = options.replicas.iter().map(replica);
        edits.push(Edit::Replicas(replicas.collect::<Result<_>>()?));
    }
    edits.extend(labels(options, variables)?);
    if !options.common_annotations.is_empty() {
        let filled = |value: &String| match options.common_annotations_envsubst {
            true => variables.fill(value),
            false => value.clone(),
        };
        let pairs = options.common_annotations.iter();
        edits.push(Edit::Annotations(Pairs {
            texts: pairs
                .map(|(key, value)| format!("{key}:{}", filled(value)))
                .collect(),
            force: options.force_common_annotations,
        }));
    }
    edits.extend(text(&options.namespace, Edit::Namespace));
    let components = components(files, directory, options)?;
    if !components.is_empty() {
        edits.push(Edit::Components(components));
    }
    Ok(edits)
}

fn labels(options: &KustomizeOptions, variables: &Variables) -> Result<Option<Edit>> {
    if options.common_labels.is_empty() {
        return Ok(None);
    }
    let reach = match (
        options.label_without_selector,
        options.label_include_templates,
    ) {
        (false, false) => Reach::Selectors,
        (true, false) => Reach::Objects,
        (true, true) => Reach::Templates,
        (false, true) => {
            let phrase = "labelIncludeTemplates goes with labelWithoutSelector only";
            return Err(Diagnostic::new(Code::ParameterInvalid, phrase));
        }
    };
    let pairs = options.common_labels.iter();
    let pairs = Pairs {
        texts: pairs
            .map(|(key, value)| format!("{key}:{}", variables.fill(value)))
            .collect(),
        force: options.force_common_labels,
    };
    Ok(Some(Edit::Labels(pairs, reach)))
}

fn replica(replica: &Replicas) -> Result<String> {
    let count = match &replica.count {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => Some(0),
    };
    let wrong = || {
        let phrase = format!("the count of replicas of {} is not a number", replica.name);
        Diagnostic::new(Code::ParameterInvalid, phrase)
    };
    Ok(format!("{}={}", replica.name, count.ok_or_else(wrong)?))
}

/// The components that are added: patterns expanded, and those that are not there left out or refused.
fn components(
    files: &dyn Files,
    directory: &TreePath,
    options: &KustomizeOptions,
) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for component in &options.components {
        let is_there = match directory.join(component) {
            Some(path) => files.kind(&path).is_ok_and(|kind| kind.is_some()),
            None => false,
        };
        if options.ignore_missing_components && !is_there {
            continue;
        }
        let paths = paths::glob(files, directory, component)?;
        if paths.is_empty() {
            let phrase = format!("the component {component} has no match");
            let help = "components that may be missing go with `ignoreMissingComponents`";
            return Err(Diagnostic::new(Code::FileMissing, phrase).help(help));
        }
        found.extend(paths);
    }
    Ok(found)
}

/// Appends patches. Fails where the kustomization has something else than a list of them.
fn patch(kustomization: &mut Mapping, patches: &[Value]) -> Result<()> {
    if patches.is_empty() {
        return Ok(());
    }
    let list = kustomization.get_or_insert_with("patches", || Node::sequence(Vec::new()));
    let Some(list) = list.as_sequence_mut() else {
        let phrase = "`patches` of the kustomization is not a list";
        return Err(Diagnostic::new(Code::FieldType, phrase));
    };
    list.extend(patches.iter().map(print::node_of));
    Ok(())
}
