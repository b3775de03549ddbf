//! What the program sops did when it wrote: `set`, `rotate`, `updatekeys` and the rest.
//!
//! Ciphertext, time stamps and versions differ from run to run and are compared by their shape; what was written must
//! open to what the recording opened to.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use regex::Regex;
use serde_json::Value;

use super::{compare, lay_out, plugin, strings, suite, text, tree};

/// Exit codes that scripts look at.
const CODES: &[i64] = &[51, 100, 128, 200, 203];

pub(super) fn trials() -> Vec<Trial> {
    let file = fs::read(suite("sops-cli").join("cases.json")).unwrap();
    let mut file: Value = serde_json::from_slice(&file).unwrap();
    let keys = Arc::new(file["keys"].take());
    let rows: Vec<Value> = serde_json::from_value(file["cases"].take()).unwrap();
    rows.into_iter()
        .map(|row| {
            let keys = Arc::clone(&keys);
            let id = format!("sops-cli/{}", text(&row, "name"));
            Trial::test(id, move || run(&row, &keys))
        })
        .collect()
}

/// A sealed file without what is made anew in each run.
fn normal(sealed: &[u8]) -> String {
    let shapes = [
        (
            r"ENC\[AES256_GCM,data:[^,]*,iv:[^,]+,tag:[^,]+,type:(\w+)\]",
            "ENC[$1]",
        ),
        (
            r#"((?:lastmodified|created_at)"?\s*[:=]\s*"?)\d{4}-\d\d-\d\dT[\d:]+Z"#,
            "${1}TIME",
        ),
        (
            r"(?s)-----BEGIN AGE ENCRYPTED FILE-----.*?-----END AGE ENCRYPTED FILE-----(?:\\n|\n)?",
            "AGE",
        ),
        (r#"(version"?\s*[:=]\s*"?)\d+\.\d+\.\d+"#, "${1}V"),
    ];
    let mut text = String::from_utf8_lossy(sealed).into_owned();
    for (shape, with) in shapes {
        text = Regex::new(shape)
            .unwrap()
            .replace_all(&text, with)
            .into_owned();
    }
    text
}

fn sops(root: &Path, row: &Value, keys: &str) -> Command {
    let home = root.join("home");
    let mut command = plugin(root, &home);
    command
        .env("PATH", format!("{}:/usr/bin:/bin", home.display()))
        .arg("sops");
    if !keys.is_empty() {
        command.env("SOPS_AGE_KEY", keys);
    }
    for (name, value) in row["env"].as_object().into_iter().flatten() {
        command.env(name, value.as_str().unwrap());
    }
    if row.get("editor").is_some() {
        command.env("EDITOR", home.join("editor"));
    }
    command
}

fn prepare(root: &Path, row: &Value) -> Result<(), Failed> {
    let home = root.join("home");
    fs::create_dir(&home)?;
    lay_out(root, &row["before"])?;
    if let Some(editor) = row["editor"].as_str() {
        fs::write(home.join("editor"), format!("#!/bin/sh\n{editor}"))?;
        fs::set_permissions(home.join("editor"), fs::Permissions::from_mode(0o755))?;
    }
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_plugin"), home.join("sops"))?;
    Ok(())
}

/// The files that the run is about: those of the program's home are not.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = tree(root);
    files.retain(|path, _| !path.starts_with("home"));
    files
}

fn execute(mut command: Command, input: Option<&str>) -> Result<Output, Failed> {
    let Some(input) = input else {
        return Ok(command.output()?);
    };
    let given = tempfile::NamedTempFile::new()?;
    fs::write(given.path(), input)?;
    command.stdin(Stdio::from(fs::File::open(given.path())?));
    Ok(command.output()?)
}

fn run(row: &Value, keys: &Value) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let root = scratch.path();
    prepare(root, row)?;
    // A letter for each key.
    let own: Vec<_> = text(row, "keys")
        .chars()
        .map(|name| text(keys, &name.to_string()))
        .collect();
    let before = files(root);
    let mut command = sops(root, row, &own.join("\n"));
    command.args(strings(&row["argv"]));
    let output = execute(command, row["stdin"].as_str())?;
    if row["panics"] == true {
        // The original panics; an error of ours is right.
        let refused = !output.status.success() && !output.stderr.is_empty();
        return refused
            .then_some(())
            .ok_or_else(|| "an error is due".into());
    }
    judge(row, &output)?;
    changes(row, &before, &files(root))?;
    opens(root, row, keys)
}

fn judge(row: &Value, output: &Output) -> Result<(), Failed> {
    let (code, wanted) = (
        i64::from(output.status.code().unwrap_or(-1)),
        row["rc"].as_i64().unwrap(),
    );
    if (code == 0) != (row["ok"] == true) || (CODES.contains(&wanted) && code != wanted) {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("exit {code}, recorded {wanted}: {said}").into());
    }
    if row["ok"] == true && row["argv"][0] != "updatekeys" {
        let wanted = normal(text(row, "stdout").as_bytes());
        compare(wanted.as_bytes(), normal(&output.stdout).as_bytes())?;
    }
    Ok(())
}

fn changes(
    row: &Value,
    before: &BTreeMap<String, Vec<u8>>,
    after: &BTreeMap<String, Vec<u8>>,
) -> Result<(), Failed> {
    let changed: BTreeMap<_, _> = after
        .iter()
        .filter(|(path, bytes)| before.get(*path) != Some(bytes))
        .collect();
    let wanted = row["changed"].as_object().unwrap();
    let mut names: Vec<_> = wanted.keys().collect();
    names.sort();
    if !changed.keys().copied().eq(names.iter().copied()) {
        return Err(format!("changed: {:?}, recorded {names:?}", changed.keys()).into());
    }
    if row["either"] == true {
        return Ok(());
    }
    for (path, bytes) in changed {
        let wanted = normal(wanted[path].as_str().unwrap().as_bytes());
        compare(wanted.as_bytes(), normal(bytes).as_bytes())?;
    }
    Ok(())
}

fn opens(root: &Path, row: &Value, keys: &Value) -> Result<(), Failed> {
    let all: Vec<_> = keys
        .as_object()
        .unwrap()
        .values()
        .filter_map(Value::as_str)
        .collect();
    for (path, wanted) in row["opened"].as_object().into_iter().flatten() {
        let output = sops(root, row, &all.join("\n"))
            .args(["decrypt", path])
            .output()?;
        compare(wanted.as_str().unwrap().as_bytes(), &output.stdout)?;
    }
    Ok(())
}
