//! Expands the demo and builds what was written: every root gives what it gave before.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The roots of the demo, as Flux applies them.
const ROOTS: [&str; 8] = [
    "kubernetes/apps/cnpg-system/barman-cloud-plugin/app",
    "kubernetes/apps/cnpg-system/cloudnative-pg/app",
    "kubernetes/apps/identity/keycloak/app",
    "kubernetes/apps/monitoring/kube-prometheus-stack/app",
    "kubernetes/apps/network/envoy-gateway/app",
    "kubernetes/apps/shop/overlays/prod",
    "kubernetes/apps/shop/overlays/staging",
    "kubernetes/apps/storage/rustfs/app",
];

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

fn demo(scratch: &Path) -> PathBuf {
    let demo = scratch.join("demo");
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/demo"),
        &demo,
    );
    demo
}

fn plugin(directory: &Path, arguments: &[&str]) -> Output {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/demo/age.key");
    Command::new(env!("CARGO_BIN_EXE_plugin"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("HOME", directory)
        .env("SOPS_AGE_KEY_FILE", demo)
        .output()
        .unwrap()
}

fn stdout(directory: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = plugin(directory, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    output.stdout
}

#[test]
fn what_is_written_renders_to_the_same_bytes() {
    let scratch = tempfile::tempdir().unwrap();
    let demo = demo(scratch.path());
    let out = scratch.path().join("out");
    stdout(&demo, &["expand", ".", "-o", "../out"]);
    for root in ROOTS {
        let before = stdout(&demo, &["render", root]);
        let after = stdout(&out, &["render", root]);
        assert_eq!(
            String::from_utf8_lossy(&after),
            String::from_utf8_lossy(&before),
            "{root}"
        );
    }
}

#[test]
fn a_second_run_changes_nothing_elsewhere_and_in_place() {
    let scratch = tempfile::tempdir().unwrap();
    let demo = demo(scratch.path());
    for output in ["../out", "."] {
        stdout(&demo, &["expand", ".", "-o", output]);
        stdout(&demo, &["expand", ".", "-o", output, "--check"]);
    }
}

#[test]
fn kustomize_builds_it_to_what_render_prints() {
    let kubectl = Command::new("kubectl")
        .args(["version", "--client"])
        .output();
    if !kubectl.is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: kubectl is not installed");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let demo = demo(scratch.path());
    stdout(&demo, &["expand", ".", "-o", "../out"]);
    for root in ROOTS {
        let built = Command::new("kubectl")
            .args(["kustomize", root])
            .current_dir(scratch.path().join("out"))
            .output()
            .unwrap();
        let out = scratch.path().join("out");
        let printed = stdout(&out, &["render", "--secrets", "keep", root]);
        assert_eq!(
            String::from_utf8_lossy(&built.stdout),
            String::from_utf8_lossy(&printed),
            "{root}"
        );
    }
}

#[test]
fn nothing_that_was_sealed_is_written() {
    let scratch = tempfile::tempdir().unwrap();
    let demo = demo(scratch.path());
    let values = stdout(&demo, &["decrypt", "secrets.sops.yaml"]);
    let values = String::from_utf8(values).unwrap();
    let secrets: Vec<&str> = values
        .lines()
        .filter_map(|line| {
            line.split_once(": ")
                .map(|(_, value)| value.trim_matches('"'))
        })
        .filter(|value| value.len() >= 12)
        .collect();
    assert!(!secrets.is_empty());
    stdout(&demo, &["expand", ".", "-o", "../out"]);
    let mut open = vec![scratch.path().join("out")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        for secret in &secrets {
            assert!(!text.contains(secret), "{} holds a secret", path.display());
        }
    }
}
