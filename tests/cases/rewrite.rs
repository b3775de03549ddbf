//! Writes what kustomize and sops printed once more.
//!
//! The recordings are what kustomize prints for several hundred builds, and sops for as many sealed files.
//! Every YAML document of them is read and written, and must come out as it went in; what was written must read as the
//! same document.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use prerender::yaml::{self, MergeKeys, ParseOptions, WriteOptions};

use crate::recorded::suite;

/// Documents of sops that read as something else than what sops wrote, and why.
const NOT_FIXED: &[(&str, &str)] = &[
    (
        "yaml-strings-list",
        "go-yaml hints at the step where it indents a block by two",
    ),
    ("yaml-tree-02", "the same"),
    (
        "yaml-multidoc-comments",
        "a comment before --- is read as the document's; sops has it after the last key",
    ),
];

/// The tests of this file.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for case in directories(&suite("kustomize")) {
        let expected = case.join("expected.yaml");
        if expected.is_file() {
            trials.push(Trial::test(
                format!("kustomize/{}", name(&case)),
                move || manifests(&expected),
            ));
        }
    }
    for case in directories(&suite("sops")) {
        if prints_yaml(&case) {
            let not_fixed = NOT_FIXED.iter().any(|(id, _)| *id == name(&case));
            let trial = Trial::test(format!("sops/{}", name(&case)), move || documents(&case));
            trials.push(trial.with_ignored_flag(not_fixed));
        }
    }
    trials
}

fn name(case: &Path) -> String {
    case.file_name().unwrap().to_string_lossy().into_owned()
}

/// Whether a case of sops has an output, and it is YAML.
fn prints_yaml(case: &Path) -> bool {
    let description = std::fs::read(case.join("case.json")).unwrap_or_default();
    let description: serde_json::Value = serde_json::from_slice(&description).unwrap_or_default();
    description["output_type"] == "yaml" && description["expect"] == "output"
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(parent).map_or_else(
        |_| Vec::new(),
        |entries| entries.map(|e| e.unwrap().path()).collect(),
    )
}

fn manifests(expected: &Path) -> Result<(), Failed> {
    let recorded = std::fs::read_to_string(expected)?;
    let mut written = Vec::new();
    for node in parse(&recorded, ParseOptions::default())? {
        if !written.is_empty() {
            written.extend_from_slice(b"---\n");
        }
        let start = written.len();
        yaml::write_manifest(&mut written, &node).map_err(|e| e.kind.to_string())?;
        let again = std::str::from_utf8(&written[start..])?;
        if parse(again, ParseOptions::default())? != [node] {
            return Err(Failed::from("what was written reads as another document"));
        }
    }
    compare(&recorded, &String::from_utf8(written)?)
}

fn documents(case: &Path) -> Result<(), Failed> {
    let recorded = std::fs::read_to_string(case.join("expected"))?;
    let options = ParseOptions {
        comments: true,
        merge_keys: MergeKeys::Keep,
        ..ParseOptions::default()
    };
    let configuration = std::fs::read_to_string(case.join(".sops.yaml")).unwrap_or_default();
    let indent = configuration
        .lines()
        .find_map(|line| line.trim().strip_prefix("indent: ")?.parse().ok());
    let nodes = parse(&recorded, options)?;
    let mut written = Vec::new();
    yaml::write_documents(
        &mut written,
        &nodes,
        &WriteOptions::indented(indent.unwrap_or(4)),
    )
    .map_err(|e| e.kind.to_string())?;
    let written = String::from_utf8(written)?;
    if parse(&written, options)? != nodes {
        return Err(Failed::from("what was written reads as another document"));
    }
    compare(&recorded, &written)
}

fn compare(recorded: &str, written: &str) -> Result<(), Failed> {
    if written == recorded {
        return Ok(());
    }
    let line = recorded
        .lines()
        .zip(written.lines())
        .position(|(a, b)| a != b)
        .unwrap_or_default();
    let show = |text: &str| text.lines().nth(line).unwrap_or_default().to_owned();
    Err(Failed::from(format!(
        "line {}: recorded {:?}, written {:?}",
        line + 1,
        show(recorded),
        show(written)
    )))
}

fn parse(document: &str, options: ParseOptions) -> Result<Vec<yaml::Node>, Failed> {
    yaml::parse(document, options).map_err(|e| Failed::from(format!("{:?}", e.kind)))
}
