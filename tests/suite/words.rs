//! Reads what a user reads (README, docs, every `--help`) for words that CONTRIBUTING.md rules out, and for
//! paths that lie outside of the repository.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Words that a reader stumbles over, and what to write instead.
const WORDS: &[(&[&str], &str)] = &[
    (&["stand", "stands"], "is, means"),
    (&["shall"], "must, wants to"),
    (&["tell", "tells", "told"], "report, warn, say"),
    (&["give", "gives"], "returns, prints, makes"),
];

/// After "is no" and "are no"; anything else is "is not a".
const AFTER_NO: &[&str] = &["such", "longer", "more", "other"];

/// Places that a clone does not have.
const OUTSIDE: &[&str] = &["../shared", "shared/conformance", "shared/findings"];

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files with an ending, below a directory.
fn files(directory: &Path, ending: &str, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files(&path, ending, into);
        } else if path.extension().is_some_and(|e| e == ending) {
            into.push(path);
        }
    }
}

fn help(arguments: &[String]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_plugin"))
        .args(arguments)
        .arg("--help")
        .env_clear()
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The help of a command and of all below it.
fn helps(arguments: &[String], into: &mut Vec<(String, String)>) {
    let page = help(arguments);
    let listed = page
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    for line in listed.filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
        let name = line.split_whitespace().next().unwrap();
        if name != "help" {
            helps(&[arguments, &[name.to_owned()]].concat(), into);
        }
    }
    into.push((format!("plugin {} --help", arguments.join(" ")), page));
}

/// Pages, by how a reader comes to them.
fn pages() -> Vec<(String, String)> {
    let mut paths = vec![
        top().join("README.md"),
        top().join("SECURITY.md"),
        top().join("testdata/README.md"),
    ];
    files(&top().join("docs"), "md", &mut paths);
    let mut pages: Vec<_> = paths
        .iter()
        .map(|path| {
            let name = path.strip_prefix(top()).unwrap().display().to_string();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    helps(&[], &mut pages);
    pages
}

/// What to write instead of the words of a line.
fn remedies(line: &str) -> Vec<&'static str> {
    let words: Vec<String> = line
        .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    // "There is no such file" is plain; "it is no file" is not.
    let is_no = !words.iter().any(|w| w == "there")
        && words.windows(3).any(|three| {
            matches!(three[0].as_str(), "is" | "are")
                && three[1] == "no"
                && !AFTER_NO.contains(&three[2].as_str())
        });
    WORDS
        .iter()
        .filter(|(ruled_out, _)| words.iter().any(|w| ruled_out.contains(&w.as_str())))
        .map(|(_, instead)| *instead)
        .chain(is_no.then_some("is not a"))
        .collect()
}

#[test]
fn pages_are_in_plain_english() {
    let mut found = Vec::new();
    for (name, page) in pages() {
        for (number, line) in page.lines().enumerate() {
            for instead in remedies(line) {
                found.push(format!("{name}:{}: {instead}: {line}", number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_help_ends_with_examples() {
    let mut pages = Vec::new();
    helps(&[], &mut pages);
    // Those hand their arguments to another command line.
    let others = ["plugin sops", "plugin kustomize"];
    let is_other = |name: &str| others.iter().any(|other| name.starts_with(other));
    let own = pages.iter().filter(|(name, _)| !is_other(name));
    for (name, page) in own {
        assert!(page.contains("Examples:\n"), "{name}");
    }
}

#[test]
fn nothing_points_outside_of_the_repository() {
    let mut paths = Vec::new();
    for (directory, ending) in [("src", "rs"), ("tests", "rs"), ("docs", "md")] {
        files(&top().join(directory), ending, &mut paths);
    }
    // This file names them.
    for path in paths.iter().filter(|path| !path.ends_with(file!())) {
        let page = fs::read_to_string(path).unwrap();
        for place in OUTSIDE {
            assert!(!page.contains(place), "{}: {place}", path.display());
        }
    }
}
