//! What `sops decrypt` printed, and what it refused.

use std::fs;
use std::path::Path;

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::{cases, compare, plugin, strings, suite, text};

pub(super) fn trials() -> Vec<Trial> {
    ["sops", "sops-pq"]
        .into_iter()
        .flat_map(|name| {
            cases(&suite(name)).into_iter().map(move |(case, row)| {
                let id = format!("{name}/{}", text(&row, "id"));
                Trial::test(id, move || run(&case, &row))
            })
        })
        .collect()
}

fn run(case: &Path, row: &Value) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let home = row["home"]
        .as_str()
        .map_or(scratch.path().to_owned(), |home| case.join(home));
    let mut command = plugin(case, &home);
    command
        .arg("decrypt")
        .args(["--input-type", text(row, "input_type")])
        .args(["--output-type", text(row, "output_type")])
        .arg(text(row, "file"));
    for (name, value) in row["identity_env"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap();
        command.env(name, value.replace("$CASE", case.to_str().unwrap()));
    }
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if row["expect"] == "output" {
        if !output.status.success() {
            return Err(said.into_owned().into());
        }
        return compare(&fs::read(case.join("expected"))?, &output.stdout);
    }
    if output.status.success() || !output.stdout.is_empty() {
        return Err("an error is due, and nothing on standard output".into());
    }
    let leaks = strings(&row["secrets"])
        .iter()
        .any(|secret| !secret.is_empty() && said.contains(secret.as_str()));
    if leaks {
        return Err("standard error repeats a secret".into());
    }
    Ok(())
}
