//! `edit`: one file of changes for each of `add`, `set`, `remove`, and `fix`.
//!
//! By default the lines that a change does not concern stay byte for byte; with `--reference-bytes` (after the word
//! `edit`) the file is written as the reference writes it.

mod add;
mod fix;
mod remove;
mod set;

use std::path::Path;

use super::flags::{Flag, Takes, flag};
use super::{Call, Command, Done, Outcome, group, leaf};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{Files, Kind, Located, OutputFile, OutputTree, Stale, TreePath, locate};
use crate::kustomize::edit::glob::Place;
use crate::kustomize::edit::{Change, Effect, Form, KustomizationText};
use crate::kustomize::{KUSTOMIZATION_NAMES, kustomization_path};

pub(super) const COMMANDS: &[Command] = &[
    group("add", "Add to a field", add::COMMANDS),
    group("set", "Set a field", set::COMMANDS),
    group("remove", "Remove from a field", remove::COMMANDS),
    leaf("fix", "Replace deprecated fields", fix::FLAGS, fix::run),
    leaf(
        "alpha-list-builtin-plugin",
        "List the plugins that are built in",
        &[],
        |_| {
            let lines: Vec<String> = BUILT_IN.iter().map(|name| format!(" * {name}\n")).collect();
            Ok(format!("Builtin plugins:\n\n{}", lines.concat())
                .into_bytes()
                .into())
        },
    ),
];

/// What every edit takes.
pub(super) const EVERYWHERE: &[Flag] = &[flag(
    "reference-bytes",
    Takes::Nothing,
    "Write the file as kustomize does, every field anew",
)];

const BUILT_IN: [&str; 18] = [
    "ConfigMapGenerator",
    "IAMPolicyGenerator",
    "SecretGenerator",
    "HelmChartInflationGenerator",
    "PrefixTransformer",
    "SuffixTransformer",
    "ReplicaCountTransformer",
    "HashTransformer",
    "ImageTagTransformer",
    "LabelTransformer",
    "PatchStrategicMergeTransformer",
    "ReplacementTransformer",
    "ValueAddTransformer",
    "AnnotationsTransformer",
    "NamespaceTransformer",
    "PatchJson6902Transformer",
    "PatchTransformer",
    "PrefixSuffixTransformer",
];

/// The kustomization of the working directory.
struct EditedKustomization {
    located: Located,
    /// Its path, links resolved: what is behind a link is written.
    path: TreePath,
    /// Its name in the working directory.
    name: String,
}

impl EditedKustomization {
    fn find(call: &Call<'_>) -> Result<Self> {
        let located = here(call)?;
        let path = kustomization_path(&*located.tree, &located.directory)?.ok_or_else(|| {
            let phrase = "Missing kustomization file 'kustomization.yaml'";
            Diagnostic::new(Code::KustomizationMissing, phrase)
        })?;
        let name = path.file_name().to_owned();
        let is_there = |name: &&&str| {
            let path = located.directory.join(name);
            path.is_some_and(|path| matches!(located.tree.kind(&path), Ok(Some(_))))
        };
        if KUSTOMIZATION_NAMES.iter().filter(is_there).count() > 1 {
            let phrase = "there is more than one kustomization file here";
            return Err(
                Diagnostic::new(Code::KustomizationMissing, phrase).help("keep one of them")
            );
        }
        if located.tree.kind(&path)? != Some(Kind::File) {
            let phrase = format!("{name} is not a file");
            return Err(Diagnostic::new(Code::KustomizationMissing, phrase));
        }
        let path = located.tree.real_path(&path)?;
        Ok(Self {
            located,
            path,
            name,
        })
    }

    fn read(&self, call: &Call<'_>) -> Result<KustomizationText> {
        let form = match call.words.is_on("reference-bytes") {
            true => Form::Reference,
            false => Form::Sparing,
        };
        KustomizationText::read(self.located.tree.read(&self.path)?, call.level, form)
    }

    fn write(&self, text: &KustomizationText) -> Result<()> {
        write(self.located.tree.root(), &self.path, text.write()?)
    }
}

fn write(root: &Path, path: &TreePath, bytes: Vec<u8>) -> Result<()> {
    let mut output = OutputTree::new(root, Stale::Keep);
    output.insert(path.clone(), OutputFile::new(bytes));
    output.write()
}

/// The working directory, below the root of its repository.
pub(super) fn here(call: &Call<'_>) -> Result<Located> {
    locate(Path::new("."), &call.context.working_directory, None)
}

/// The working directory as a place of patterns.
pub(super) fn place_of(located: &Located) -> Place<'_> {
    Place {
        files: &*located.tree,
        directory: &located.directory,
    }
}

/// Makes one change.
fn change(call: &Call<'_>, change: &Change) -> Outcome {
    let target = EditedKustomization::find(call)?;
    let mut text = target.read(call)?;
    let mut report = Report::default();
    if text.apply(change, &mut report)? == Effect::Write {
        target.write(&text)?;
    }
    Ok(Done {
        report,
        ..Done::default()
    })
}
