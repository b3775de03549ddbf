//! Writes what kustomize printed once more, where recorded builds are present.
//!
//! `../shared/conformance/kustomize` holds what kustomize prints for several hundred builds. Every document of them
//! is read and written, and must come out as it went in; what was written must read as the same document.
//! Without the recordings the run says so and passes.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use prerender::yaml::{self, ParseOptions};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/kustomize");
    let mut trials = Vec::new();
    for case in directories(&recordings) {
        let expected = case.join("expected.yaml");
        if expected.is_file() {
            let name = case.file_name().unwrap().to_string_lossy().into_owned();
            trials.push(Trial::test(name, move || rewrite(&expected)));
        }
    }
    if trials.is_empty() {
        let skipped = Trial::test("SKIPPED: ../shared/conformance/kustomize is absent", || {
            Ok(())
        });
        trials.push(skipped.with_ignored_flag(true));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(parent).map_or_else(
        |_| Vec::new(),
        |entries| entries.map(|e| e.unwrap().path()).collect(),
    )
}

fn rewrite(expected: &Path) -> Result<(), Failed> {
    let recorded = std::fs::read_to_string(expected)?;
    let mut written = Vec::new();
    for node in parse(&recorded)? {
        if !written.is_empty() {
            written.extend_from_slice(b"---\n");
        }
        let start = written.len();
        yaml::write_manifest(&mut written, &node).map_err(|e| e.kind.to_string())?;
        if parse(std::str::from_utf8(&written[start..])?)? != [node] {
            return Err(Failed::from("what was written reads as another document"));
        }
    }
    let written = String::from_utf8(written)?;
    if written == recorded {
        return Ok(());
    }
    let line = recorded
        .lines()
        .zip(written.lines())
        .position(|(a, b)| a != b)
        .unwrap_or_default();
    let show = |text: &str| text.lines().nth(line).unwrap_or_default().to_owned();
    Err(Failed::from(format!(
        "line {}: recorded {:?}, written {:?}",
        line + 1,
        show(&recorded),
        show(&written)
    )))
}

fn parse(document: &str) -> Result<Vec<yaml::Node>, Failed> {
    yaml::parse(document, ParseOptions::default())
        .map_err(|e| Failed::from(format!("{:?}", e.kind)))
}
