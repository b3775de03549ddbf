//! `edit remove`.

use super::add::{PATCH, build_metadata, patch};
use super::{EditedKustomization, change};
use crate::cli::kustomize::flags::{Flag, Takes, flag, short, usage};
use crate::cli::kustomize::{Call, Command, Outcome, leaf};
use crate::diagnostic::Result;
use crate::kustomize::edit::{Change, GeneratorKind, ListField, MapField};

pub(super) const COMMANDS: &[Command] = &[
    leaf(
        "annotation",
        "Remove from commonAnnotations: a,b",
        KEYS,
        |call| keys(call, MapField::Annotations),
    ),
    leaf(
        "buildmetadata",
        "Remove from buildMetadata: a,b",
        &[],
        |call| {
            change(
                call,
                &Change::Remove(ListField::BuildMetadata, build_metadata(call)?),
            )
        },
    ),
    leaf(
        "configmap",
        "Remove from configMapGenerator: a,b",
        GENERATOR,
        |call| generators(call, GeneratorKind::ConfigMap),
    ),
    leaf("label", "Remove from commonLabels: a,b", KEYS, |call| {
        keys(call, MapField::Labels)
    }),
    leaf("patch", "Remove from patches", PATCH, |call| {
        change(call, &Change::RemovePatch(patch(call, false)?))
    }),
    leaf(
        "resource",
        "Remove from resources: paths or patterns",
        &[],
        |call| {
            let patterns = call.words.some("path")?.to_vec();
            change(
                call,
                &Change::RemoveMatching(ListField::Resources, patterns),
            )
        },
    ),
    leaf(
        "secret",
        "Remove from secretGenerator: a,b",
        GENERATOR,
        |call| generators(call, GeneratorKind::Secret),
    ),
    leaf(
        "transformer",
        "Remove from transformers: paths or patterns",
        &[],
        |call| {
            let patterns = call.words.some("path")?.to_vec();
            change(
                call,
                &Change::RemoveMatching(ListField::Transformers, patterns),
            )
        },
    ),
];

const KEYS: &[Flag] = &[short(
    "ignore-non-existence",
    'i',
    Takes::Nothing,
    "Go on where a key is not there",
)];

const GENERATOR: &[Flag] = &[flag(
    "namespace",
    Takes::Value,
    "The namespace that they have",
)];

/// One word of texts that are separated by commas, none of them empty.
fn separated(call: &Call<'_>, what: &str) -> Result<Vec<String>> {
    let texts: Vec<String> = call
        .words
        .one(what)?
        .split(',')
        .map(str::to_owned)
        .collect();
    Ok(texts)
}

fn keys(call: &Call<'_>, field: MapField) -> Outcome {
    let keys = separated(call, "list of keys")?;
    if keys.iter().any(String::is_empty) {
        return Err(usage("a key is empty").into());
    }
    let remove = Change::RemoveKeys {
        field,
        keys,
        ignore: call.words.is_on("ignore-non-existence"),
    };
    change(call, &remove)
}

fn generators(call: &Call<'_>, kind: GeneratorKind) -> Outcome {
    let names = separated(call, "list of names")?;
    EditedKustomization::find(call)?;
    change(
        call,
        &Change::RemoveGenerators(kind, names, call.words.text("namespace")),
    )
}
