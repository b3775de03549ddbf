//! `create`: a new `kustomization.yaml`.

use super::edit::place_of;
use super::flags::{Flag, Takes, flag, usage};
use super::{Call, Done, Outcome};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{File, Files, Kind, Located, OutputFile, OutputTree, Stale, TreePath};
use crate::kustomize::edit::glob;
use crate::kustomize::edit::{
    Change, Form, KustomizationText, ListField, MapField, Pairs, Side, is_manifest,
};
use crate::kustomize::{KUSTOMIZATION_NAMES, kustomization_path};

pub(super) const FLAGS: &[Flag] = &[
    flag(
        "annotations",
        Takes::Value,
        "Annotations: key:value,key:value",
    ),
    flag(
        "autodetect",
        Takes::Nothing,
        "List the resources of the directory",
    ),
    flag("labels", Takes::Value, "Labels: key:value,key:value"),
    flag("nameprefix", Takes::Value, "The prefix of names"),
    flag("namespace", Takes::Value, "The namespace"),
    flag("namesuffix", Takes::Value, "The suffix of names"),
    flag(
        "recursive",
        Takes::Nothing,
        "With --autodetect: in its directories too",
    ),
    flag("resources", Takes::Value, "Resources: a,b"),
];

const NAME: &str = "kustomization.yaml";

/// The most directories that --recursive goes down.
const MAX_DEPTH: usize = 100;

pub(super) fn run(call: &Call<'_>) -> Outcome {
    let located = super::edit::here(call)?;
    let mut resources = match call.words.text("resources") {
        empty if empty.is_empty() => Vec::new(),
        list => {
            let words: Vec<String> = list.split(',').map(str::to_owned).collect();
            glob::existing(&place_of(&located), &words)?
        }
    };
    if kustomization_path(&*located.tree, &located.directory)?.is_some() {
        let phrase = "there is a kustomization already";
        return Err(Diagnostic::new(Code::EditRefused, phrase)
            .help("change it with `edit`")
            .into());
    }
    if call.words.is_on("autodetect") {
        let mut found = Vec::new();
        detect(&located, "", call.words.is_on("recursive"), 0, &mut found)?;
        for path in found {
            if !resources.contains(&path) {
                resources.push(path);
            }
        }
    }
    let path = located
        .directory
        .join(NAME)
        .ok_or_else(|| usage("the working directory has no name"))?;
    let file = std::sync::Arc::new(File::committed(path.clone(), Vec::new()));
    let mut text = KustomizationText::read(file, call.level, Form::Reference)?;
    let mut report = Report::default();
    for change in changes(call, resources)? {
        text.apply(&change, &mut report)?;
    }
    let mut output = OutputTree::new(located.tree.root(), Stale::Keep);
    output.insert(path, OutputFile::new(text.write()?));
    output.write()?;
    Ok(Done {
        report,
        ..Done::default()
    })
}

fn changes(call: &Call<'_>, resources: Vec<String>) -> Result<Vec<Change>> {
    let words = &call.words;
    let mut changes = vec![
        Change::SetList(ListField::Resources, resources),
        Change::Namespace(words.text("namespace")),
        Change::Affix(Side::Prefix, words.text("nameprefix")),
        Change::Affix(Side::Suffix, words.text("namesuffix")),
    ];
    for (flag, field) in [
        ("annotations", MapField::Annotations),
        ("labels", MapField::Labels),
    ] {
        let text = words.text(flag);
        if !text.is_empty() {
            changes.push(Change::Set {
                field,
                pairs: Pairs::parse(text.split(','), field)?,
                force: true,
            });
        }
    }
    Ok(changes)
}

/// Finds files that can be read as objects, and directories with a kustomization.
fn detect(
    located: &Located,
    below: &str,
    recursive: bool,
    depth: usize,
    found: &mut Vec<String>,
) -> Result<()> {
    let directory = located.directory.join(below).unwrap_or_else(TreePath::root);
    let names = located.tree.list(&directory)?;
    for name in names {
        let shown = if below.is_empty() {
            name.clone()
        } else {
            format!("{below}/{name}")
        };
        let Some(path) = directory.join(&name) else {
            continue;
        };
        match located.tree.kind(&path)? {
            Some(Kind::Directory) if is_link(located, &path)? => {
                let phrase = format!("{shown} is a link to a directory");
                return Err(Diagnostic::new(Code::FileUnreadable, phrase));
            }
            Some(Kind::Directory) if !recursive || depth > MAX_DEPTH => {}
            Some(Kind::Directory) => {
                let is_kustomization = |name: &&str| {
                    path.join(name)
                        .is_some_and(|path| matches!(located.tree.kind(&path), Ok(Some(_))))
                };
                if KUSTOMIZATION_NAMES.iter().any(is_kustomization) {
                    found.push(shown);
                } else {
                    detect(located, &shown, recursive, depth + 1, found)?;
                }
            }
            Some(Kind::File) if is_manifest(&*located.tree.read(&path)?) => found.push(shown),
            Some(Kind::File) | None => {}
        }
    }
    Ok(())
}

fn is_link(located: &Located, path: &TreePath) -> Result<bool> {
    Ok(located.tree.real_path(path)? != *path)
}
