//! `edit fix`: deprecated fields become those that take their place, and what the build gives is compared.

use std::sync::Arc;

use super::EditedKustomization;
use crate::cli::kustomize::flags::{Flag, Takes, flag, usage};
use crate::cli::kustomize::{Call, Done, Outcome};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{File, Files, Kind, Layer};
use crate::generators::Outside;
use crate::kustomize::edit::Change;
use crate::kustomize::{self, Options};

pub(super) const FLAGS: &[Flag] = &[flag(
    "vars",
    Takes::Nothing,
    "Refused: vars are not made replacements",
)];

const FIXED: &str = "
Fixed fields:
  patchesJson6902 -> patches
  patchesStrategicMerge -> patches
  commonLabels -> labels
";

pub(super) fn run(call: &Call<'_>) -> Outcome {
    if call.words.is_on("vars") {
        return Err(usage("edit fix --vars is not there: write replacements by hand").into());
    }
    let target = EditedKustomization::find(call)?;
    let mut text = target.read(call)?;
    let mut report = Report::default();
    let files = text
        .strategic_patches()
        .filter(|path| is_file(&target, path))
        .map(str::to_owned)
        .collect();
    text.apply(&Change::Fix { files }, &mut report)?;
    let bytes = text.write()?;
    let before = built(&target, call, None);
    let after = built(&target, call, Some(bytes));
    target.write(&text)?;
    match (before, after) {
        (_, Err(error)) => {
            let phrase = "the fixed kustomization does not build";
            report.push(
                Diagnostic::warning(Code::KustomizationInvalid, phrase)
                    .note(error.phrase().to_owned()),
            );
        }
        (before, Ok(after)) if before.as_ref().ok() != Some(&after) => {
            let phrase = "the fixed kustomization builds something else than before";
            report.push(Diagnostic::warning(Code::KustomizationInvalid, phrase));
        }
        _ => {}
    }
    Ok(Done {
        stdout: FIXED.as_bytes().to_vec(),
        report,
        ..Done::default()
    })
}

fn is_file(target: &EditedKustomization, path: &str) -> bool {
    let path = target.located.directory.join(path);
    path.is_some_and(|path| matches!(target.located.tree.kind(&path), Ok(Some(Kind::File))))
}

/// What the working directory builds to, with other bytes of its kustomization.
fn built(target: &EditedKustomization, call: &Call<'_>, bytes: Option<Vec<u8>>) -> Result<Vec<u8>> {
    let disk = Arc::clone(&target.located.tree) as Arc<dyn Files>;
    let files: Arc<dyn Files> = match bytes {
        Some(bytes) => Arc::new(Layer::new(
            disk,
            [File::committed(target.path.clone(), bytes)],
        )),
        None => disk,
    };
    let options = Options {
        level: Some(call.level),
        ..Options::default()
    };
    let built = kustomize::build(
        &*files,
        &target.located.directory,
        &options,
        &Outside::default(),
    )?;
    let mut out = Vec::new();
    built.resources.write(&mut out)?;
    Ok(out)
}
