//! What `kustomize build` printed, at 5.7 and at 5.8.

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::{cases, compare, copy, plugin, strings, suite, text};

/// Classes of cases that need another program or the network.
const ELSEWHERE: &[&str] = &["helm", "network"];

struct Case {
    directory: PathBuf,
    description: Value,
    level: &'static str,
}

pub(super) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (directory, description) in cases(&suite("kustomize")) {
        for level in ["5.7", "5.8"] {
            let id = format!("kustomize/{level}/{}", text(&description, "id"));
            let is_elsewhere = ELSEWHERE.contains(&text(&description, "class"));
            let case = Case {
                directory: directory.clone(),
                description: description.clone(),
                level,
            };
            trials.push(Trial::test(id, move || run(&case)).with_ignored_flag(is_elsewhere));
        }
    }
    trials
}

impl Case {
    /// Whether the level has a recording of its own.
    fn is_newer(&self) -> bool {
        self.level == "5.8" && self.description.get("expect_5.8").is_some()
    }

    /// The output that is due; `None` where an error is.
    fn expected(&self) -> Option<PathBuf> {
        let (field, file) = if self.is_newer() {
            ("expect_5.8", "expected-5.8.yaml")
        } else {
            ("expect", "expected.yaml")
        };
        (self.description[field] == "output").then(|| self.directory.join(file))
    }
}

fn run(case: &Case) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let input = scratch.path().join("in");
    let recorded = case.directory.join("in");
    if recorded.is_dir() {
        copy(&recorded, &input)?;
    } else {
        fs::create_dir(&input)?;
    }
    let output = build(case, &input, scratch.path())?;
    let Some(expected) = case.expected() else {
        if output.status.success() || !output.stdout.is_empty() {
            return Err("an error is due, and nothing on standard output".into());
        }
        return Ok(());
    };
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    compare(&fs::read(expected)?, &output.stdout)
}

fn build(case: &Case, input: &Path, scratch: &Path) -> Result<std::process::Output, Failed> {
    let mut command = plugin(input, &scratch.join("home"));
    command
        .env("TMPDIR", scratch)
        .args(["render", "--kustomize-version", case.level])
        .args(strings(&case.description["flags"]))
        .arg(text(&case.description, "run"));
    for (name, value) in case.description["env"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap();
        command.env(name, value.replace("$IN", input.to_str().unwrap()));
    }
    Ok(command.output()?)
}
