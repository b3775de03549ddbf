//! `edit add`.

use std::sync::Arc;

use super::{EditedKustomization, change, here, place_of};
use crate::cli::kustomize::flags::{Flag, Takes, flag, short, usage};
use crate::cli::kustomize::{Call, Command, Done, Outcome, leaf};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::Files;
use crate::kustomize::edit::{
    Change, GeneratorChange, GeneratorFiles, GeneratorKind, LabelReach, ListField, MapField, Pairs,
    PatchFields, glob,
};

pub(super) const COMMANDS: &[Command] = &[
    leaf(
        "annotation",
        "Add to commonAnnotations: key:value",
        FORCE,
        |call| metadata(call, MapField::Annotations),
    ),
    leaf("base", "Add directories to resources: a,b", &[], base),
    leaf(
        "buildmetadata",
        "Add options to buildMetadata: a,b",
        &[],
        |call| {
            change(
                call,
                &Change::AddNew(ListField::BuildMetadata, build_metadata(call)?),
            )
        },
    ),
    leaf("component", "Add to components", &[], |call| {
        list(call, ListField::Components)
    }),
    leaf(
        "configmap",
        "Add to configMapGenerator",
        CONFIG_MAP,
        |call| generator(call, GeneratorKind::ConfigMap),
    ),
    leaf("generator", "Add to generators", &[], |call| {
        plugins(call, ListField::Generators)
    }),
    leaf("label", "Add labels: key:value", LABEL, label),
    leaf("patch", "Add to patches", PATCH, |call| {
        change(call, &Change::AddPatch(patch(call, true)?))
    }),
    leaf("resource", "Add to resources", RESOURCE, |call| {
        list(call, ListField::Resources)
    }),
    leaf("secret", "Add to secretGenerator", SECRET, |call| {
        generator(call, GeneratorKind::Secret)
    }),
    leaf("transformer", "Add to transformers", &[], |call| {
        plugins(call, ListField::Transformers)
    }),
];

const FORCE: &[Flag] = &[short(
    "force",
    'f',
    Takes::Nothing,
    "Replace keys that are there",
)];

const LABEL: &[Flag] = &[
    short("force", 'f', Takes::Nothing, "Replace keys that are there"),
    flag(
        "without-selector",
        Takes::Nothing,
        "Leave selectors as they are",
    ),
    flag(
        "include-templates",
        Takes::Nothing,
        "Put them on templates too, without selectors",
    ),
];

const RESOURCE: &[Flag] = &[flag("no-verify", Takes::Nothing, "Add what is not there")];

const CONFIG_MAP: &[Flag] = &[
    flag("from-file", Takes::List, "A file: [key=]path"),
    flag("from-literal", Takes::Values, "A value: key=value"),
    flag("from-env-file", Takes::Value, "A file of key=value lines"),
    flag(
        "disableNameSuffixHash",
        Takes::Nothing,
        "Append no hash to the name",
    ),
    flag("behavior", Takes::Value, "create, merge or replace"),
    flag("namespace", Takes::Value, "Its namespace"),
];

const SECRET: &[Flag] = &[
    flag("from-file", Takes::List, "A file: [key=]path"),
    flag("from-literal", Takes::Values, "A value: key=value"),
    flag("from-env-file", Takes::Value, "A file of key=value lines"),
    flag("type", Takes::Value, "The type of a new Secret"),
    flag("namespace", Takes::Value, "Its namespace"),
    flag(
        "disableNameSuffixHash",
        Takes::Nothing,
        "Append no hash to the name",
    ),
];

/// The flags of an entry of `patches:`.
pub(super) const PATCH: &[Flag] = &[
    flag("path", Takes::Value, "The file of the patch"),
    flag("patch", Takes::Value, "The text of the patch"),
    flag("group", Takes::Value, "The group of the target"),
    flag("version", Takes::Value, "The version of the target"),
    flag("kind", Takes::Value, "The kind of the target"),
    flag("name", Takes::Value, "The name of the target"),
    flag("namespace", Takes::Value, "The namespace of the target"),
    flag(
        "annotation-selector",
        Takes::Value,
        "Annotations of the target",
    ),
    flag("label-selector", Takes::Value, "Labels of the target"),
];

/// What `buildMetadata` may hold.
const BUILD_METADATA: [&str; 3] = [
    "originAnnotations",
    "transformerAnnotations",
    "managedByLabel",
];

/// The options of `buildMetadata` in one word, separated by commas.
pub(super) fn build_metadata(call: &Call<'_>) -> Result<Vec<String>> {
    let options: Vec<String> = call
        .words
        .one("list of options")?
        .split(',')
        .map(str::to_owned)
        .collect();
    if let Some(unknown) = options
        .iter()
        .find(|option| !BUILD_METADATA.contains(&&***option))
    {
        let known = BUILD_METADATA.join(", ");
        return Err(usage(format!(
            "{unknown} is no option of buildMetadata: there are {known}"
        )));
    }
    Ok(options)
}

/// Pairs of a command line.
pub(super) fn pairs(call: &Call<'_>, field: MapField) -> Result<Pairs> {
    let words = call.words.some("key:value")?;
    Pairs::parse(words.iter().map(String::as_str), field)
}

fn metadata(call: &Call<'_>, field: MapField) -> Outcome {
    let set = Change::Set {
        field,
        pairs: pairs(call, field)?,
        force: call.words.is_on("force"),
    };
    change(call, &set)
}

fn label(call: &Call<'_>) -> Outcome {
    let reach = match (
        call.words.is_on("without-selector"),
        call.words.is_on("include-templates"),
    ) {
        (false, true) => return Err(usage("--include-templates needs --without-selector").into()),
        (false, false) => return metadata(call, MapField::Labels),
        (true, false) => LabelReach::Objects,
        (true, true) => LabelReach::Templates,
    };
    let add = Change::LabelsWithoutSelector {
        pairs: pairs(call, MapField::Labels)?,
        reach,
        force: call.words.is_on("force"),
    };
    change(call, &add)
}

fn base(call: &Call<'_>) -> Outcome {
    let paths: Vec<String> = call
        .words
        .one("list of directories")?
        .split(',')
        .map(str::to_owned)
        .collect();
    let located = here(call)?;
    for path in &paths {
        if glob::kind(&place_of(&located), path)?.is_none() {
            let phrase = format!("{path} is not there");
            return Err(Diagnostic::new(Code::FileMissing, phrase).into());
        }
    }
    change(call, &Change::AddNew(ListField::Resources, paths))
}

/// Adds paths that are there; the kustomization itself is left out.
fn list(call: &Call<'_>, field: ListField) -> Outcome {
    let words = call.words.some("path")?;
    let located = here(call)?;
    let mut paths = match call.words.is_on("no-verify") {
        true => words.to_vec(),
        false => glob::existing(&place_of(&located), words)?,
    };
    let name = EditedKustomization::find(call)?.name;
    paths.retain(|path| *path != name);
    change(call, &Change::Add(field, paths))
}

/// Adds files of plugins; a missing one is a message.
fn plugins(call: &Call<'_>, field: ListField) -> Outcome {
    let words = call.words.some("file")?;
    let located = here(call)?;
    let mut paths = Vec::new();
    let mut report = Report::default();
    for word in words {
        let found = glob::expand(&place_of(&located), word)?;
        if found.is_empty() {
            report.push(Diagnostic::warning(
                Code::FileMissing,
                format!("{word} has no match"),
            ));
        }
        paths.extend(found);
    }
    if paths.is_empty() {
        return Ok(Done {
            report,
            ..Done::default()
        });
    }
    let mut done = change(call, &Change::Add(field, paths))?;
    done.report.findings.splice(0..0, report.findings);
    Ok(done)
}

/// The entry of `patches:` that the flags describe.
pub(super) fn patch(call: &Call<'_>, needs_text: bool) -> Result<PatchFields> {
    let text = |name| call.words.text(name);
    let fields = PatchFields {
        path: text("path"),
        patch: text("patch"),
        target: vec![
            ("group", text("group")),
            ("version", text("version")),
            ("kind", text("kind")),
            ("name", text("name")),
            ("namespace", text("namespace")),
            ("annotationSelector", text("annotation-selector")),
            ("labelSelector", text("label-selector")),
        ],
    };
    match (fields.path.is_empty(), fields.patch.is_empty()) {
        (false, false) => Err(usage("--path and --patch exclude each other")),
        (true, true) if needs_text => Err(usage("this needs --path or --patch")),
        _ => Ok(fields),
    }
}

/// The generator that the flags describe.
pub(super) fn generator_change(call: &Call<'_>) -> Result<GeneratorChange> {
    let words = &call.words;
    let change = GeneratorChange {
        name: words.one("name")?.to_owned(),
        namespace: words.text("namespace"),
        files: Vec::new(),
        literals: words.values("from-literal").to_vec(),
        env: words.text("from-env-file"),
        behavior: words.text("behavior"),
        secret_type: words.value("type").unwrap_or("Opaque").to_owned(),
        disable_name_suffix_hash: words.is_on("disableNameSuffixHash"),
        new_namespace: words.text("new-namespace"),
    };
    match &*change.behavior {
        "" | "create" | "merge" | "replace" => Ok(change),
        other => Err(usage(format!(
            "--behavior is create, merge or replace, not {other}"
        ))),
    }
}

/// The files that a generator may read.
pub(super) fn generator_files(call: &Call<'_>) -> Result<GeneratorFiles> {
    let located = here(call)?;
    Ok(GeneratorFiles {
        files: Arc::clone(&located.tree) as Arc<dyn Files>,
        directory: located.directory,
    })
}

fn generator(call: &Call<'_>, kind: GeneratorKind) -> Outcome {
    let mut added = generator_change(call)?;
    if kind == GeneratorKind::ConfigMap {
        added.secret_type = String::new();
    }
    added.files = files(call)?;
    let has_sources = !added.files.is_empty() || !added.literals.is_empty();
    match (added.env.is_empty(), has_sources) {
        (true, false) => {
            return Err(usage("this needs --from-file, --from-literal or --from-env-file").into());
        }
        (false, true) => {
            return Err(usage("--from-env-file excludes --from-file and --from-literal").into());
        }
        _ => {}
    }
    change(
        call,
        &Change::AddGenerator(kind, added, generator_files(call)?),
    )
}

/// The files of `--from-file`, patterns expanded; one with a key must match one file.
fn files(call: &Call<'_>) -> Result<Vec<String>> {
    let located = here(call)?;
    let mut all = Vec::new();
    for word in call.words.values("from-file") {
        let parts: Vec<&str> = word.split('=').collect();
        let (key, pattern) = match parts[..] {
            [key, pattern] => (key, pattern),
            _ => ("", parts[0]),
        };
        let found = glob::expand(&place_of(&located), pattern)?;
        match (key, &found[..]) {
            ("", _) => all.extend(found),
            (key, [file]) => all.push(format!("{key}={file}")),
            _ => {
                return Err(usage(format!(
                    "{word} must match one file, and matches {}",
                    found.len()
                )));
            }
        }
    }
    Ok(all)
}
