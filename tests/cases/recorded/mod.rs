//! What the real programs did, held against this one: kustomize, sops, makejinja, kube-apiserver, Argo CD.
//!
//! `testdata/recorded/` has a compressed archive for each suite; its README names programs and versions. An archive
//! is unpacked once, into the target directory. Each recording is a test of its own, named `SUITE/CASE`; those that
//! do not pass yet are listed in `gaps.txt` and are shown as ignored.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

mod admission;
mod kustomize;
mod loaders;
mod makejinja;
mod sops;
mod sops_cli;
mod sync;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

/// The tests of all suites.
pub(crate) fn trials() -> Vec<Trial> {
    let gaps = gaps();
    let all = [
        kustomize::trials(),
        sops::trials(),
        sops_cli::trials(),
        makejinja::trials(),
        loaders::trials(),
        admission::trials(),
        sync::trials(),
    ];
    all.into_iter()
        .flatten()
        .map(|trial| {
            let is_gap = gaps.contains(trial.name());
            if is_gap {
                trial.with_ignored_flag(true)
            } else {
                trial
            }
        })
        .collect()
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/recorded")
}

/// The names of recordings that do not pass yet.
fn gaps() -> BTreeSet<String> {
    let list = fs::read_to_string(directory().join("gaps.txt")).unwrap();
    list.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// The directory of a suite, unpacked when its archive changed since the last time.
pub(crate) fn suite(name: &str) -> PathBuf {
    let archive = fs::read(directory().join(format!("{name}.tar.gz"))).unwrap();
    // The last eight bytes of a gzip file are the checksum and the size of what it holds.
    let key: String = archive[archive.len() - 8..]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recorded");
    let place = parent.join(format!("{name}-{key}"));
    if !place.is_dir() {
        fs::create_dir_all(&parent).unwrap();
        let fresh = tempfile::tempdir_in(&parent).unwrap();
        tar::Archive::new(flate2::read::GzDecoder::new(archive.as_slice()))
            .unpack(fresh.path())
            .unwrap();
        // Another run of the tests may have been faster.
        let _ = fs::rename(fresh.keep(), &place);
    }
    place.join(name)
}

/// The rows of a suite that is one file.
fn rows(suite: &Path) -> Vec<Value> {
    let file: Value = serde_json::from_slice(&fs::read(suite.join("cases.json")).unwrap()).unwrap();
    match file {
        Value::Array(rows) => rows,
        mut file => serde_json::from_value(file["cases"].take()).unwrap(),
    }
}

/// The directories of a suite that has one for each case, with their descriptions.
fn cases(suite: &Path) -> Vec<(PathBuf, Value)> {
    let mut cases: Vec<_> = fs::read_dir(suite)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|case| {
            let description = fs::read(case.join("case.json")).ok()?;
            Some((case, serde_json::from_slice(&description).unwrap()))
        })
        .collect();
    cases.sort_by(|(a, _), (b, _)| a.cmp(b));
    cases
}

/// The findings of a report; with a section of its own it is a mapping, else a list.
fn findings(report: &Value) -> Vec<Value> {
    let list = report.get("findings").unwrap_or(report);
    list.as_array().cloned().unwrap_or_default()
}

fn text<'r>(row: &'r Value, key: &str) -> &'r str {
    row[key].as_str().unwrap_or_default()
}

/// Strings of a list, empty where it is absent.
fn strings(list: &Value) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

/// The program, in a directory, with nothing in its environment but what a shell has.
fn plugin(directory: &Path, home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plugin"));
    command
        .current_dir(directory)
        .stdin(Stdio::null())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LANG", "C.UTF-8")
        .env("HOME", home);
    command
}

/// Writes files by their paths.
fn lay_out(root: &Path, files: &Value) -> Result<(), Failed> {
    for (path, content) in files.as_object().unwrap() {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap())?;
        fs::write(path, content.as_str().unwrap())?;
    }
    Ok(())
}

/// The files below a directory, by their paths.
fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// Copies a directory, links as links.
fn copy(from: &Path, to: &Path) -> Result<(), Failed> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, target)?;
        } else if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Fails with the first line that differs.
fn compare(wanted: &[u8], given: &[u8]) -> Result<(), Failed> {
    if wanted == given {
        return Ok(());
    }
    let (wanted, given) = (
        String::from_utf8_lossy(wanted),
        String::from_utf8_lossy(given),
    );
    let diff = similar::TextDiff::from_lines(wanted.as_ref(), given.as_ref())
        .unified_diff()
        .header("recorded", "given")
        .to_string();
    Err(diff.chars().take(2000).collect::<String>().into())
}
