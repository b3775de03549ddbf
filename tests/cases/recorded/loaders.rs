//! What makejinja wrote for repositories with a loader of their own.

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::{lay_out, plugin, rows, suite, text, tree};

/// Exit codes of a refusal.
const REFUSALS: &[i32] = &[1, 3, 4, 5];

pub(super) fn trials() -> Vec<Trial> {
    rows(&suite("loaders"))
        .into_iter()
        .map(|row| {
            let id = format!("loaders/{}", text(&row, "name"));
            Trial::test(id, move || run(&row))
        })
        .collect()
}

fn run(row: &Value) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let (root, out) = (scratch.path().join("in"), scratch.path().join("out"));
    lay_out(&root, &row["files"])?;
    let output = plugin(&root, scratch.path())
        .args(["template", "-o"])
        .arg(&out)
        .arg(".")
        .output()?;
    let mut written = tree(&out);
    written.remove(".prerender-files");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output.status.code().unwrap_or(-1);
    let is_refused = REFUSALS.contains(&code) && written.is_empty() && !said.trim().is_empty();
    if row["must_refuse"] == true || row["ok"] == false {
        return is_refused
            .then_some(())
            .ok_or_else(|| format!("an error is due, and no file: {said}").into());
    }
    if row["may_refuse"] == true && is_refused {
        return Ok(());
    }
    let given: Value = written
        .into_iter()
        .map(|(path, bytes)| (path, Value::from(String::from_utf8_lossy(&bytes))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    if output.status.success() && given == row["expected"] {
        return Ok(());
    }
    Err(format!("recorded {}, given {given}\n{said}", row["expected"]).into())
}
