//! What Argo CD called Synced, OutOfSync or failed, in its three ways to apply.

use std::fs;

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::{findings, plugin, rows, suite, text};

pub(super) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for row in rows(&suite("argocd-sync")) {
        for (mode, expected) in row["expected"].as_object().unwrap() {
            let id = format!("argocd-sync/{}/{mode}", text(&row, "name"));
            let (object, mode) = (text(&row, "object").to_owned(), mode.clone());
            let expected = expected.as_str().unwrap().to_owned();
            trials.push(Trial::test(id, move || run(&object, &mode, &expected)));
        }
    }
    trials
}

fn run(object: &str, mode: &str, expected: &str) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let root = scratch.path();
    fs::write(root.join("object.yaml"), object)?;
    fs::write(
        root.join("kustomization.yaml"),
        "namespace: team\nresources: [object.yaml]\n",
    )?;
    let output = plugin(root, root)
        .args(["check", ".", "--argocd-apply", mode, "--format", "json"])
        .output()?;
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let findings = findings(&report);
    let is_never = findings.iter().any(|f| f["code"] == "never-in-sync");
    let is_error = findings.iter().any(|f| f["severity"] == "error");
    let is_right = match expected {
        "synced" => !is_never && !is_error,
        "out-of-sync" => is_never,
        "refused" => is_error,
        _ => true,
    };
    is_right
        .then_some(())
        .ok_or_else(|| format!("recorded {expected}: {findings:?}").into())
}
