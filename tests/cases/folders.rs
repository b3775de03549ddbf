//! Runs every case folder below `testdata/<room>/` as a test of its own.
//!
//! A case runs the binary in a copy of `input/` and compares everything that it gives:
//!
//! | in the folder | is |
//! |---|---|
//! | `input/` | what the user has on disk; the working directory |
//! | `args` | the arguments, one a line; `render` and `.` when absent |
//! | `env` | `NAME=value` a line, `$CASE` for the folder, `$INPUT` for the copy; nothing else is set but HOME |
//! | `expected.yaml`, `.json`, `.txt` | standard output, byte for byte; empty when absent |
//! | `expected.stderr` | standard error, byte for byte; empty when absent |
//! | `expected.status` | the exit status; 0 when absent with no `error[` in `expected.stderr`, else 1 |
//! | `expected/` | the files that `out/` in the working directory holds afterwards |
//!
//! `BLESS=1 cargo test` writes what is expected; its diff is read like code.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};

/// The tests of this file.
pub(crate) fn trials() -> Vec<Trial> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut trials = Vec::new();
    for room in directories(&root) {
        for case in directories(&room)
            .into_iter()
            .filter(|c| c.join("input").is_dir())
        {
            let name = case.strip_prefix(&root).unwrap().display().to_string();
            trials.push(Trial::test(name, move || run(&case)));
        }
    }
    trials
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(parent)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    found.sort();
    found
}

/// Everything a run gives, by the name of the file that holds it in the case.
type Given = BTreeMap<String, Vec<u8>>;

fn run(case: &Path) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let input = scratch.path().join("input");
    copy(&case.join("input"), &input)?;
    let given = execute(case, &input, scratch.path())?;
    if std::env::var_os("BLESS").is_some() {
        return bless(case, &given);
    }
    let wanted = wanted(case, &given)?;
    for name in wanted.keys().chain(given.keys()) {
        let (want, got) = (wanted.get(name), given.get(name));
        if want != got {
            let text = |b: Option<&Vec<u8>>| {
                b.map_or("(nothing)".to_owned(), |b| {
                    String::from_utf8_lossy(b).into_owned()
                })
            };
            let diff = similar::TextDiff::from_lines(text(want).as_str(), text(got).as_str())
                .unified_diff()
                .header("expected", "given")
                .to_string();
            return Err(format!("{name} differs\n{diff}").into());
        }
    }
    Ok(())
}

fn execute(case: &Path, input: &Path, scratch: &Path) -> Result<Given, Failed> {
    let arguments = match fs::read_to_string(case.join("args")) {
        Ok(text) => text.lines().map(str::to_owned).collect(),
        Err(_) => vec!["render".to_owned(), ".".to_owned()],
    };
    let replace = |s: &str| {
        s.replace("$CASE", case.to_str().unwrap())
            .replace("$INPUT", input.to_str().unwrap())
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_plugin"));
    command
        .args(arguments.iter().map(|a| replace(a)))
        .current_dir(input)
        .stdin(Stdio::null())
        .env_clear();
    command
        .env("HOME", scratch.join("home"))
        .env("PATH", "/usr/bin:/bin");
    for line in fs::read_to_string(case.join("env"))
        .unwrap_or_default()
        .lines()
    {
        let (name, value) = line.split_once('=').ok_or("a line of env is NAME=value")?;
        command.env(name, replace(value));
    }
    let output = command.output()?;
    let mut given = Given::new();
    let hide = |b: &[u8]| {
        String::from_utf8_lossy(b)
            .replace(input.to_str().unwrap(), "$INPUT")
            .into_bytes()
    };
    given.insert(
        "expected.status".into(),
        format!("{}\n", output.status.code().unwrap_or(-1)).into_bytes(),
    );
    let stdout = match std::str::from_utf8(&output.stdout) {
        Ok(_) => hide(&output.stdout),
        Err(_) => output.stdout,
    };
    given.insert("stdout".into(), stdout);
    given.insert("expected.stderr".into(), hide(&output.stderr));
    for (path, bytes) in tree(&input.join("out"))? {
        given.insert(format!("expected/{path}"), bytes);
    }
    Ok(given)
}

fn stdout_file(case: &Path) -> Option<PathBuf> {
    ["yaml", "json", "txt"]
        .iter()
        .map(|e| case.join(format!("expected.{e}")))
        .find(|p| p.exists())
}

fn wanted(case: &Path, given: &Given) -> Result<Given, Failed> {
    let mut wanted = Given::new();
    let stderr = fs::read(case.join("expected.stderr")).unwrap_or_default();
    let failed = String::from_utf8_lossy(&stderr).contains("error[");
    let status = fs::read(case.join("expected.status"))
        .unwrap_or_else(|_| format!("{}\n", u8::from(failed)).into_bytes());
    wanted.insert("expected.status".into(), status);
    wanted.insert("expected.stderr".into(), stderr);
    wanted.insert(
        "stdout".into(),
        stdout_file(case)
            .map(fs::read)
            .transpose()?
            .unwrap_or_default(),
    );
    for (path, bytes) in tree(&case.join("expected"))? {
        wanted.insert(format!("expected/{path}"), bytes);
    }
    let nothing_expected =
        wanted["stdout"].is_empty() && wanted["expected.stderr"].is_empty() && wanted.len() == 3;
    if nothing_expected && !case.join("expected.yaml").exists() {
        return Err(format!(
            "{} expects nothing: BLESS=1 writes what is given",
            case.display()
        )
        .into());
    }
    debug_assert!(given.contains_key("stdout"));
    Ok(wanted)
}

fn bless(case: &Path, given: &Given) -> Result<(), Failed> {
    let set = |path: PathBuf, bytes: &[u8], keep: bool| -> Result<(), Failed> {
        if keep {
            fs::create_dir_all(path.parent().unwrap())?;
            fs::write(path, bytes)?;
        } else if path.exists() {
            fs::remove_file(path)?;
        }
        Ok(())
    };
    let stderr = &given["expected.stderr"];
    let usual: &[u8] = if String::from_utf8_lossy(stderr).contains("error[") {
        b"1\n"
    } else {
        b"0\n"
    };
    set(case.join("expected.stderr"), stderr, !stderr.is_empty())?;
    set(
        case.join("expected.status"),
        &given["expected.status"],
        given["expected.status"] != usual,
    )?;
    let stdout = &given["stdout"];
    set(
        stdout_file(case).unwrap_or(case.join("expected.yaml")),
        stdout,
        !stdout.is_empty() || stderr.is_empty(),
    )?;
    if case.join("expected").is_dir() {
        fs::remove_dir_all(case.join("expected"))?;
    }
    for (name, bytes) in given.iter().filter(|(n, _)| n.starts_with("expected/")) {
        set(case.join(name), bytes, true)?;
    }
    Ok(())
}

/// Every file below a directory, by its path; none when there is no directory.
fn tree(root: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failed> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop().filter(|d| d.is_dir() || d != root) {
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(
                    path.strip_prefix(root).unwrap().display().to_string(),
                    fs::read(&path)?,
                );
            }
        }
    }
    Ok(found)
}

fn copy(from: &Path, to: &Path) -> Result<(), Failed> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&source)?, target)?;
        } else if source.is_dir() {
            copy(&source, &target)?;
        } else {
            fs::copy(&source, target)?;
        }
    }
    Ok(())
}
