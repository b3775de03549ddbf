//! Fails when a room uses one that it may not: rooms look down only.
//!
//! The table is the architecture. A new edge is a decision: it belongs in the commit that needs it.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms that it may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("go", &[]),
    ("diagnostic", &[]),
    ("files", &["diagnostic"]),
    ("programs", &["files", "diagnostic"]),
    ("yaml", &["diagnostic", "go"]),
    ("kube", &["yaml", "diagnostic", "go"]),
    ("sops", &["yaml", "diagnostic", "go"]),
    ("template", &["yaml", "files", "diagnostic", "go"]),
    (
        "values",
        &["yaml", "template", "sops", "files", "diagnostic", "go"],
    ),
    ("kustomize", &["kube", "yaml", "files", "diagnostic", "go"]),
    (
        "overlay",
        &[
            "kube",
            "values",
            "template",
            "yaml",
            "files",
            "diagnostic",
            "go",
        ],
    ),
    ("substitute", &["kube", "yaml", "diagnostic", "go"]),
    ("admission", &["kube", "yaml", "diagnostic", "go"]),
    ("cilium", &["kube", "yaml", "diagnostic", "go"]),
    // Objects against their schemas are judged as the API server does, and flows as Cilium does.
    (
        "validate",
        &["admission", "cilium", "kube", "yaml", "diagnostic", "go"],
    ),
    (
        "secrets",
        &[
            "sops",
            "kustomize",
            "kube",
            "values",
            "yaml",
            "files",
            "diagnostic",
            "go",
        ],
    ),
    (
        "project",
        &[
            "secrets",
            "overlay",
            "kustomize",
            "values",
            "template",
            "sops",
            "yaml",
            "files",
            "diagnostic",
            "go",
        ],
    ),
    (
        "generators",
        &[
            "secrets",
            "validate",
            "kustomize",
            "kube",
            "sops",
            "programs",
            "yaml",
            "files",
            "diagnostic",
            "go",
        ],
    ),
    ("pipeline", ENGINES),
    ("flux", HOSTS),
    ("argocd", HOSTS),
    ("cluster", MODEL),
    ("doctor", COMMANDS),
    ("init", COMMANDS),
    ("expand", COMMANDS),
    (
        "cli",
        &[
            "doctor",
            "init",
            "expand",
            "cluster",
            "flux",
            "argocd",
            "pipeline",
            "generators",
            "project",
            "secrets",
            // `admit` judges the objects of a file, with nothing rendered.
            "admission",
            "yaml",
            // What the questions of `flows` are judged by.
            "cilium",
            // What its flags say: options of a build, values, and where objects are written.
            "kustomize",
            "values",
            "kube",
            "files",
            "programs",
            "diagnostic",
        ],
    ),
];

const ENGINES: &[&str] = &[
    "admission",
    "diagnostic",
    "files",
    "programs",
    "go",
    "yaml",
    "kube",
    "sops",
    "template",
    "values",
    "kustomize",
    "overlay",
    "substitute",
    "validate",
    "secrets",
    "project",
    "generators",
];

const HOSTS: &[&str] = &[
    "admission",
    "diagnostic",
    "files",
    "programs",
    "go",
    "yaml",
    "kube",
    "sops",
    "template",
    "values",
    "kustomize",
    "overlay",
    "substitute",
    "validate",
    "secrets",
    "project",
    "generators",
    "pipeline",
];

const MODEL: &[&str] = &[
    "admission",
    "diagnostic",
    "files",
    "programs",
    "go",
    "yaml",
    "kube",
    "sops",
    "template",
    "values",
    "kustomize",
    "overlay",
    "substitute",
    "validate",
    "secrets",
    "project",
    "generators",
    "pipeline",
    "flux",
    "argocd",
];

const COMMANDS: &[&str] = &[
    "admission",
    "diagnostic",
    "files",
    "programs",
    "go",
    "yaml",
    "kube",
    "sops",
    "template",
    "values",
    "kustomize",
    "overlay",
    "substitute",
    "validate",
    "secrets",
    "project",
    "generators",
    "pipeline",
    "flux",
    "argocd",
    "cluster",
];

#[test]
fn rooms_look_down_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (room, allowed) in ROOMS {
        for file in rust_files(&source.join(room)) {
            let text = fs::read_to_string(&file).unwrap();
            for used in rooms_used(&text) {
                if used != *room && !allowed.contains(&used.as_str()) {
                    wrong.push(format!(
                        "{} uses crate::{used}",
                        file.strip_prefix(&source).unwrap().display()
                    ));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} edges are not in the table:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_room_is_in_the_table() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let on_disk: BTreeSet<String> = fs::read_dir(source)
        .unwrap()
        .map(Result::unwrap)
        .filter(|e| e.path().is_dir())
        .map(|e| e.file_name().into_string().unwrap())
        .collect();
    let in_table: BTreeSet<String> = ROOMS.iter().map(|(room, _)| (*room).to_owned()).collect();
    assert_eq!(on_disk, in_table);
}

/// The first part of every `crate::…` path outside comments.
fn rooms_used(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|l| !l.trim_start().starts_with("//"));
    let mut used = BTreeSet::new();
    for line in code {
        for piece in line.split("crate::").skip(1) {
            assert!(
                !piece.starts_with('{'),
                "write one `use` line for each room: {line}"
            );
            let room: String = piece
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            used.insert(room);
        }
    }
    used.remove("");
    used
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found
}
