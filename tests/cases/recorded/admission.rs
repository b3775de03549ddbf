//! What kube-apiserver 1.34.2 took and refused: manifests (`admission`) and changes of objects (`updates`).

use std::fs;
use std::path::Path;

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::{findings, plugin, rows, strings, suite, text};

/// Findings about other things than admission start so.
const OTHER: &[&str] = &[
    "flow",
    "deprecated",
    "needs",
    "policy",
    "metric",
    "backup",
    "alert",
    "overlay",
    "values",
    "secret-plain",
];

pub(super) fn trials() -> Vec<Trial> {
    let admission = suite("admission");
    let manifests = rows(&admission).into_iter().map(|row| {
        let manifest = admission
            .join("manifests")
            .join(format!("{}.yaml", text(&row, "name")));
        let id = format!("admission/{}", text(&row, "name"));
        Trial::test(id, move || judge(&row, &manifest))
    });
    let changes = rows(&suite("updates")).into_iter().map(|row| {
        let id = format!("updates/{}", text(&row, "name"));
        Trial::test(id, move || change(&row))
    });
    manifests.chain(changes).collect()
}

fn judge(row: &Value, manifest: &Path) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let root = scratch.path();
    fs::copy(manifest, root.join("object.yaml"))?;
    fs::write(
        root.join("kustomization.yaml"),
        "resources: [object.yaml]\n",
    )?;
    let output = plugin(root, root)
        .args(["check", "--kube-version", "1.34", "--format", "json", "."])
        .output()?;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let all = findings(&report);
    let findings: Vec<_> = all
        .iter()
        .filter(|finding| !OTHER.iter().any(|c| text(finding, "code").starts_with(c)))
        .collect();
    let has_error = findings.iter().any(|f| f["severity"] == "error");
    let is_refused = !output.status.success() && (all.is_empty() || has_error);
    let said = format!("{findings:?} {}", String::from_utf8_lossy(&output.stderr));
    match text(row, "verdict") {
        "accepted" if is_refused => Err(format!("a false alarm: {said}").into()),
        "accepted" => Ok(()),
        "refused" if !is_refused => Err("the API server refuses it".into()),
        "refused" => names_a_key(row, &said),
        _ if is_refused || !findings.is_empty() => Ok(()),
        _ => Err("one of the two ways to send it is refused".into()),
    }
}

/// Whether the finding names the field that the API server names.
fn names_a_key(row: &Value, said: &str) -> Result<(), Failed> {
    let keys = strings(&row["keys"]);
    let is_named = keys.is_empty()
        || keys.iter().any(|key| {
            said.match_indices(key.as_str()).any(|(at, _)| {
                let before = said[..at].chars().next_back();
                let after = said[at + key.len()..].chars().next();
                ![before, after]
                    .iter()
                    .flatten()
                    .any(char::is_ascii_alphanumeric)
            })
        });
    is_named
        .then_some(())
        .ok_or_else(|| format!("another place than {keys:?}: {said}").into())
}

fn change(row: &Value) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let root = scratch.path();
    for name in ["old", "new"] {
        fs::write(root.join(format!("{name}.json")), row[name].to_string())?;
    }
    let output = plugin(root, root)
        .args(["admit", "new.json", "--old", "old.json", "--apply"])
        .args(["server", "--kube-version", "1.34", "-o", "json"])
        .output()?;
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    if report["allowed"] != row["allowed"] {
        return Err(format!("recorded {}: {}", row["allowed"], report["errors"]).into());
    }
    let fields: Vec<_> = strings(&row["fields"])
        .into_iter()
        .filter(|field| !field.is_empty() && field != "<nil>")
        .collect();
    let errors = report["errors"].as_array().cloned().unwrap_or_default();
    let is_named = errors.iter().any(|error| {
        let ours = text(error, "field");
        fields.iter().any(|field| {
            ours.strip_prefix(field.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    });
    if fields.is_empty() || is_named {
        return Ok(());
    }
    Err(format!("the API server names {fields:?}: {errors:?}").into())
}
