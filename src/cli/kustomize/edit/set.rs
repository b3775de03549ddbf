//! `edit set`.

use super::add::{build_metadata, generator_change, generator_files, pairs};
use super::change;
use crate::cli::kustomize::flags::{Flag, Takes, flag, usage};
use crate::cli::kustomize::{Call, Command, Outcome, leaf};
use crate::diagnostic::Result;
use crate::kustomize::edit::{Change, GeneratorKind, Images, ListField, MapField, Side};

pub(super) const COMMANDS: &[Command] = &[
    leaf(
        "annotation",
        "Set commonAnnotations: key:value",
        &[],
        annotation,
    ),
    leaf("buildmetadata", "Set buildMetadata: a,b", &[], |call| {
        change(
            call,
            &Change::SetList(ListField::BuildMetadata, build_metadata(call)?),
        )
    }),
    leaf(
        "configmap",
        "Set literals of a ConfigMap, or its namespace",
        GENERATOR,
        |call| generator(call, GeneratorKind::ConfigMap),
    ),
    leaf(
        "image",
        "Set images: name=new:tag, name:tag, name@digest",
        &[],
        |call| {
            change(
                call,
                &Change::Images(Images(call.words.some("image")?.to_vec())),
            )
        },
    ),
    leaf("label", "Set commonLabels: key:value", &[], |call| {
        metadata(call, MapField::Labels)
    }),
    leaf("nameprefix", "Set the prefix of names", &[], |call| {
        affix(call, Side::Prefix)
    }),
    leaf("namespace", "Set the namespace", &[], |call| {
        change(
            call,
            &Change::Namespace(call.words.one("namespace")?.to_owned()),
        )
    }),
    leaf("namesuffix", "Set the suffix of names", &[], |call| {
        affix(call, Side::Suffix)
    }),
    leaf("replicas", "Set counts: name=count", &[], replicas),
    leaf(
        "secret",
        "Set literals of a Secret, or its namespace",
        GENERATOR,
        |call| generator(call, GeneratorKind::Secret),
    ),
];

const GENERATOR: &[Flag] = &[
    flag(
        "from-literal",
        Takes::Values,
        "A value of a key that is there: key=value",
    ),
    flag("namespace", Takes::Value, "The namespace that it has"),
    flag("new-namespace", Takes::Value, "The namespace that it gets"),
];

fn metadata(call: &Call<'_>, field: MapField) -> Outcome {
    let pairs = pairs(call, field)?;
    if field == MapField::Annotations {
        pairs.check_annotation_keys()?;
    }
    let set = Change::Set {
        field,
        pairs,
        force: true,
    };
    change(call, &set)
}

fn annotation(call: &Call<'_>) -> Outcome {
    metadata(call, MapField::Annotations)
}

fn affix(call: &Call<'_>, side: Side) -> Outcome {
    change(
        call,
        &Change::Affix(side, call.words.one("text")?.to_owned()),
    )
}

fn replicas(call: &Call<'_>) -> Outcome {
    let counts: Result<Vec<_>> = call
        .words
        .some("name=count")?
        .iter()
        .map(|word| count(word))
        .collect();
    change(call, &Change::Replicas(counts?))
}

fn count(word: &str) -> Result<(String, i64)> {
    let pair = word
        .split_once('=')
        .filter(|(_, count)| !count.contains('='));
    let number = pair.and_then(|(name, count)| Some((name.to_owned(), count.parse().ok()?)));
    number.ok_or_else(|| usage(format!("{word} is not name=count")))
}

fn generator(call: &Call<'_>, kind: GeneratorKind) -> Outcome {
    let set = generator_change(call)?;
    if set.literals.is_empty() && set.new_namespace.is_empty() {
        return Err(usage("this needs --from-literal or --new-namespace").into());
    }
    change(
        call,
        &Change::SetGenerator(kind, set, generator_files(call)?),
    )
}
