//! What makejinja wrote, and what Jinja2 printed for single templates.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use super::{compare, copy, plugin, suite, text, tree};

/// The configuration of the cluster-template family.
const CONFIGURATION: &str = r##"[makejinja]
inputs = ["./templates"]
output = "./"
data = ["./data.json"]
jinja_suffix = ".j2"
force = true
keep_empty = true
extensions = ["jinja2.ext.do", "jinja2.ext.loopcontrols"]
undefined = "UNDEFINED"
[makejinja.delimiter]
block_start = "#%"
block_end = "%#"
comment_start = "#|"
comment_end = "#|"
variable_start = "#{"
variable_end = "}#"
"##;

pub(super) fn trials() -> Vec<Trial> {
    let suite = suite("makejinja");
    let expressions = fs::read(suite.join("expressions.json")).unwrap();
    let mut expressions: Value = serde_json::from_slice(&expressions).unwrap();
    let context = Arc::new(expressions["context"].take());
    let rows: Vec<Value> = serde_json::from_value(expressions["cases"].take()).unwrap();
    let mut trials = Vec::new();
    for variant in ["min", "full"] {
        let cluster = suite.join("cluster");
        let id = format!("makejinja/tree-{variant}");
        trials.push(Trial::test(id, move || whole_tree(&cluster, variant)));
    }
    for (number, row) in rows.into_iter().enumerate() {
        let context = Arc::clone(&context);
        let id = format!("makejinja/expression-{number}");
        trials.push(Trial::test(id, move || expression(&row, &context)));
    }
    trials
}

fn whole_tree(cluster: &Path, variant: &str) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let (source, out) = (scratch.path().join("src"), scratch.path().join("out"));
    copy(&cluster.join("src"), &source)?;
    copy(&cluster.join("variants").join(variant), &source)?;
    let output = plugin(&source, scratch.path())
        .args(["template", "-o"])
        .arg(&out)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let mut written = tree(&out);
    for (path, wanted) in tree(&cluster.join("expected").join(variant)) {
        let given = written.remove(&path).ok_or(format!("{path} is absent"))?;
        compare(&wanted, &given).map_err(|e| format!("{path}: {e:?}"))?;
    }
    // What the recorded run copied besides.
    written.retain(|path, _| {
        ![".key", ".toml", "data.json", ".prerender-files"]
            .iter()
            .any(|ending| path.ends_with(ending))
    });
    if written.is_empty() {
        return Ok(());
    }
    Err(format!("more than makejinja writes: {:?}", written.keys()).into())
}

fn expression(row: &Value, context: &Value) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let root = scratch.path();
    fs::create_dir(root.join("templates"))?;
    let configuration = CONFIGURATION.replace("UNDEFINED", text(row, "undefined"));
    fs::write(root.join("makejinja.toml"), configuration)?;
    fs::write(root.join("data.json"), json!(context).to_string())?;
    fs::write(root.join("templates/t.txt.j2"), text(row, "template"))?;
    let out = root.join("out");
    let output = plugin(root, root)
        .args(["template", "-o"])
        .arg(&out)
        .output()?;
    let given = fs::read(out.join("t.txt")).ok();
    let fail = |why: &str| {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{:?}: {why}\n{said}", text(row, "template")).into())
    };
    match (row["expected"].as_str(), given) {
        (None, None) if !output.status.success() => Ok(()),
        (None, _) => fail("an error is due"),
        (Some(wanted), Some(given)) if output.status.success() => {
            compare(wanted.as_bytes(), &given)
        }
        (Some(_), _) => fail("nothing is written"),
    }
}
