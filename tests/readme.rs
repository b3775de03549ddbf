//! Runs what the README tells a newcomer to look at, on a copy of the demo.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn what_the_readme_shows_works() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(top.join("README.md")).unwrap();
    let shown: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("plugin ") && line.contains("testdata/demo"))
        .map(|line| line.split('#').next().unwrap().trim())
        .collect();
    assert!(shown.len() >= 9, "the README shows the demo: {shown:?}");
    let scratch = tempfile::tempdir().unwrap();
    copy(
        &top.join("testdata/demo"),
        &scratch.path().join("testdata/demo"),
    );
    for line in shown {
        let output = Command::new(env!("CARGO_BIN_EXE_plugin"))
            .args(line.split_whitespace().skip(1))
            .current_dir(scratch.path())
            .env_clear()
            .env("HOME", scratch.path().join("home"))
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}\n{error}");
        let is_written = line.contains(" -o ") && scratch.path().join("out").is_dir();
        assert!(
            is_written || !output.stdout.is_empty(),
            "{line} prints nothing"
        );
    }
}
