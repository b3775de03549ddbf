//! Finds and reads a kustomization and the files that configure transformers.

use std::sync::Arc;

use compact_str::CompactString;

use super::decode::{Decoder, Located, resolve_as_yaml_1_1};
use super::documents::text_of;
use super::fieldspecs::{Configuration, FieldSpecs};
use super::kustomization::{HelmChart, HelmGlobals, Kustomization};
use super::loader::{FILE_NAMES, Loader};
use super::patches::PATCH_OPTIONS;
use super::{Feature, Level};
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result, Source};
use crate::files::File;
use crate::yaml::{self, DuplicateKeys, Node, ParseOptions};

const KUSTOMIZATION_VERSION: &str = "kustomize.config.k8s.io/v1beta1";
const COMPONENT_VERSION: &str = "kustomize.config.k8s.io/v1alpha1";

/// Finds the one kustomization of a directory.
pub(super) fn find(loader: &Loader<'_>) -> Result<Arc<File>> {
    let mut found: Option<Arc<File>> = None;
    for name in FILE_NAMES {
        let Some(file) = loader.read_if_there(name)? else {
            continue;
        };
        if let Some(first) = found {
            let names = format!("{} and {name}", first.path.file_name());
            return Err(missing(
                loader,
                &format!("there is more than one kustomization: {names}"),
            )
            .help("keep one of them"));
        }
        found = Some(file);
    }
    found.ok_or_else(|| {
        let error = missing(loader, "there is no kustomization in this directory");
        error.help(format!("create one of {}", FILE_NAMES.join(", ")))
    })
}

fn missing(loader: &Loader<'_>, phrase: &str) -> Diagnostic {
    let directory = loader.directory().to_string();
    Diagnostic::new(Code::KustomizationMissing, phrase).at(Place::file(directory))
}

/// Reads a kustomization: its fields, mended as the reference does.
pub(super) fn parse(file: &File, level: Level, warnings: &mut Report) -> Result<Kustomization> {
    let (node, mut kustomization) = unmarshal(file, level)?;
    let node = node.unwrap_or_else(Node::null);
    warn_of_old_fields(&kustomization, &file.source, &node, warnings);
    mend(&mut kustomization);
    if is_empty(&node) {
        return Err(
            Diagnostic::new(Code::KustomizationInvalid, "the kustomization says nothing")
                .at(Place::file(Arc::clone(&file.source.path)))
                .help("list at least one resource"),
        );
    }
    check_kind(&kustomization, &file.source)?;
    Ok(kustomization)
}

/// Reads the fields of a kustomization as they are written, and the document.
pub(super) fn unmarshal(file: &File, level: Level) -> Result<(Option<Node>, Kustomization)> {
    let node = document(file, DuplicateKeys::LastWins)?;
    let nothing = Node::null();
    let fields = node.as_ref().unwrap_or(&nothing);
    refuse_flux(fields, &file.source)?;
    let decoder = Decoder {
        source: &file.source,
        strict: true,
    };
    let kustomization: Kustomization = decoder.read(fields)?;
    if level.has(Feature::PatchArguments) {
        check_options(&kustomization, &file.source)?;
    }
    Ok((node, kustomization))
}

/// Fills in kind and version, and moves what old fields hold to the new ones, as the reference does when it edits.
pub(super) fn complete(kustomization: &mut Kustomization) {
    mend(kustomization);
    if kustomization.api_version.is_empty() {
        kustomization.api_version.value = match &**kustomization.kind {
            "Component" => COMPONENT_VERSION.into(),
            _ => KUSTOMIZATION_VERSION.into(),
        };
    }
}

/// Refuses options of patches that there are none of; their names are read in any case of letters.
fn check_options(kustomization: &Kustomization, source: &Source) -> Result<()> {
    let old = kustomization.patches_json6902.iter().flatten();
    for patch in kustomization.patches.iter().chain(old) {
        let is_known = |name: &str| {
            PATCH_OPTIONS
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
        };
        if let Some(name) = patch.options.keys().find(|name| !is_known(name)) {
            let phrase = format!("unknown option of a patch: {name}");
            return Err(Diagnostic::new(Code::FieldUnknown, phrase)
                .at(source.place(patch.mark.line, patch.mark.column))
                .help(format!("there are {}", PATCH_OPTIONS.join(" and "))));
        }
    }
    Ok(())
}

/// The group of Flux's own Kustomizations.
const FLUX_GROUP: &str = "kustomize.toolkit.fluxcd.io/";

/// Refuses a Kustomization of Flux, which is an object that names a directory and not a list of one's files.
fn refuse_flux(node: &Node, source: &Source) -> Result<()> {
    let version = node.get("apiVersion");
    let is_flux = |n: &&Node| n.scalar_text().is_some_and(|t| t.starts_with(FLUX_GROUP));
    let Some(version) = version.filter(is_flux) else {
        return Ok(());
    };
    let mark = version.mark();
    let phrase = "this is a Kustomization of Flux, and no kustomization of this directory";
    Err(Diagnostic::new(Code::KustomizationInvalid, phrase)
        .at(source.place(mark.line, mark.column))
        .help("give its file another name, or build the directory that it names in spec.path"))
}

/// Reads the first document of a file of configuration, as go-yaml v2 resolves it.
pub(super) fn document(file: &File, duplicate_keys: DuplicateKeys) -> Result<Option<Node>> {
    let text = text_of(file)?;
    let options = ParseOptions {
        duplicate_keys,
        ..ParseOptions::default()
    };
    let node = yaml::parse_first(text, options).map_err(|error| error.at(&file.source))?;
    Ok(node.map(|mut node| {
        resolve_as_yaml_1_1(&mut node);
        node
    }))
}

/// Reads a file of `configurations`. Unknown fields and repeated keys are errors.
pub(super) fn configuration(file: &File) -> Result<FieldSpecs> {
    let node = document(file, DuplicateKeys::Refuse)?.unwrap_or_else(Node::null);
    let decoder = Decoder {
        source: &file.source,
        strict: true,
    };
    let written: Configuration = decoder.read(&node)?;
    Ok(FieldSpecs::from(written))
}

/// Whether nothing but `apiVersion` and `kind` has a value.
fn is_empty(node: &Node) -> bool {
    let Some(mapping) = node.as_mapping() else {
        return true;
    };
    mapping.iter().all(|(key, value)| {
        let is_type = ["apiVersion", "kind"]
            .iter()
            .any(|k| key.eq_ignore_ascii_case(k));
        is_type || is_zero(key, value)
    })
}

/// Whether a value is what Go has for a field that is not there. An empty list or mapping is none.
fn is_zero(key: &str, value: &Node) -> bool {
    // The reference moves what these hold and so forgets that they were there.
    let moved = ["bases", "imageTags", "helmChartInflationGenerator"];
    if moved.iter().any(|m| key.eq_ignore_ascii_case(m)) {
        return value.is_null() || value.as_sequence().is_some_and(<[Node]>::is_empty);
    }
    value.is_null() || value.as_str() == Some("")
}

fn warn_of_old_fields(
    kustomization: &Kustomization,
    source: &Source,
    node: &Node,
    warnings: &mut Report,
) {
    let old = [
        (kustomization.bases.is_some(), "bases", "resources"),
        (
            kustomization.common_labels.is_some(),
            "commonLabels",
            "labels",
        ),
        (kustomization.image_tags.is_some(), "imageTags", "images"),
        (
            kustomization.patches_json6902.is_some(),
            "patchesJson6902",
            "patches",
        ),
        (
            kustomization.patches_strategic_merge.is_some(),
            "patchesStrategicMerge",
            "patches",
        ),
        (kustomization.vars.is_some(), "vars", "replacements"),
    ];
    for (_, field, instead) in old.into_iter().filter(|(is_set, ..)| *is_set) {
        let entries = node.as_mapping().map_or(&[][..], |m| m.entries());
        let key = entries.iter().map(|e| &e.key).find(|key| {
            let name = key.scalar_text().unwrap_or_default();
            name.eq_ignore_ascii_case(field)
        });
        let mark = key.map(Node::mark).unwrap_or_default();
        let phrase = format!("{field} is deprecated, {instead} takes its place");
        let finding = Diagnostic::warning(Code::FieldDeprecated, phrase);
        warnings.push(finding.at(source.place(mark.line, mark.column)));
    }
}

/// Moves what old fields hold to the new ones.
fn mend(kustomization: &mut Kustomization) {
    if kustomization.kind.is_empty() {
        kustomization.kind.value = "Kustomization".into();
    }
    let bases = kustomization.bases.take().unwrap_or_default();
    kustomization.resources.extend(bases);
    let images = kustomization.image_tags.take().unwrap_or_default();
    kustomization.images.extend(images);
    let generators = kustomization.config_map_generator.iter_mut();
    for generator in generators.chain(&mut kustomization.secret_generator) {
        if !generator.env.is_empty() {
            let env = std::mem::take(&mut generator.env);
            generator.envs.push(env);
        }
    }
    mend_charts(kustomization);
}

fn mend_charts(kustomization: &mut Kustomization) {
    let old = std::mem::take(&mut kustomization.helm_chart_inflation_generator);
    let mut globals = HelmGlobals::default();
    for chart in old {
        for (from, to) in [
            (chart.helm_home, &mut globals.config_home),
            (chart.chart_home, &mut globals.chart_home),
        ] {
            if !from.is_empty() {
                *to = from;
            }
        }
        kustomization.helm_charts.push(HelmChart {
            mark: chart.mark,
            name: chart.chart_name,
            version: chart.chart_version,
            repo: chart.chart_repo_url,
            values_file: chart.values,
            values_inline: chart.values_local,
            values_merge: chart.values_merge,
            release_name: chart.release_name,
            ..HelmChart::default()
        });
    }
    let is_set = !globals.config_home.is_empty() || !globals.chart_home.is_empty();
    if kustomization.helm_globals.is_none() && is_set {
        kustomization.helm_globals = Some(globals);
    }
}

fn check_kind(kustomization: &Kustomization, source: &Source) -> Result<()> {
    let at = |text: &Located<CompactString>| source.place(text.mark.line, text.mark.column);
    let wanted = match &**kustomization.kind {
        "Kustomization" => KUSTOMIZATION_VERSION,
        "Component" => COMPONENT_VERSION,
        other => {
            let phrase = format!("the kind must be Kustomization or Component, not {other}");
            return Err(
                Diagnostic::new(Code::KustomizationInvalid, phrase).at(at(&kustomization.kind))
            );
        }
    };
    let version = &kustomization.api_version;
    if version.is_empty() || &***version == wanted {
        return Ok(());
    }
    let phrase = format!(
        "the apiVersion of a {} must be {wanted}",
        kustomization.kind.value
    );
    Err(Diagnostic::new(Code::KustomizationInvalid, phrase).at(at(version)))
}
