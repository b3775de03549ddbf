//! Runs the documents of `testdata/validate/findings/NAME.yaml`: objects, and what is found in them.
//!
//! A document has `about`, `check` (`gate`, `schema`, `lints` or `all`) and `text`, the manifest as a user wrote it.
//! `origin` (`rendered`, `decrypted`) and `secrets` say where it came from; `options` holds what the gate is
//! told. `NAME.expected` holds what is found, document by document; `BLESS=1` writes it.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test runner"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use libtest_mimic::Trial;
use prerender::admission::{self, Judge, Versions};
use prerender::diagnostic::{Origin, Report, Source};
use prerender::kube::{ResMap, Resource};
use prerender::validate::{
    CheckOptions, GateOptions, Severities, check, flows::Assumptions, flows::analyse, gate, lints,
};
use prerender::yaml::{self, Node, ParseOptions};

/// The tests of this file.
pub(crate) fn trials() -> Vec<Trial> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/validate/findings");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    let mut trials = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        trials.push(Trial::test(name, move || {
            let given = run(&file);
            let expected = file.with_extension("expected");
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(&expected, given)?;
                return Ok(());
            }
            let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
            if wanted == given {
                return Ok(());
            }
            let diff = similar::TextDiff::from_lines(&wanted, &given);
            Err(diff
                .unified_diff()
                .header("expected", "given")
                .to_string()
                .into())
        }));
    }
    trials
}

fn parse(text: &str) -> Vec<Node> {
    yaml::parse(text, ParseOptions::default()).unwrap_or_else(|e| {
        let source = Source::committed("case");
        panic!("{}", e.at(&source))
    })
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::scalar_text)
}

fn texts(node: Option<&Node>) -> Vec<String> {
    let items = node.and_then(Node::as_sequence).unwrap_or_default();
    items
        .iter()
        .map(|i| i.scalar_text().unwrap().to_owned())
        .collect()
}

fn run(file: &Path) -> String {
    let mut out = String::new();
    for case in parse(&std::fs::read_to_string(file).unwrap()) {
        let report = judge(&case);
        write!(out, "## {}\n{report}\n", text(&case, "about").unwrap()).unwrap();
        if report.is_empty() {
            out.push_str("nothing\n");
        }
        out.push('\n');
    }
    out.replace("\n\nnothing", "\nnothing")
}

fn judge(case: &Node) -> Report {
    let secrets = texts(case.get("secrets"))
        .into_iter()
        .map(Into::into)
        .collect();
    let origin = match text(case, "origin") {
        Some("rendered") => Origin::Rendered {
            template: "object.yaml.j2".into(),
            lines: (1..=99).collect(),
        },
        Some("decrypted") => Origin::Decrypted,
        _ => Origin::Committed,
    };
    let path = text(case, "path").unwrap_or("object.yaml").into();
    let source = Arc::new(Source {
        path,
        origin,
        secrets,
    });
    let committed = Arc::new(Source::committed("object.yaml"));
    let mut resources = ResMap::default();
    for node in parse(text(case, "text").unwrap_or_default()) {
        resources.push_unchecked(Resource::new(node, Some(Arc::clone(&source))));
    }
    for node in parse(text(case, "beside").unwrap_or_default()) {
        resources.push_unchecked(Resource::new(node, Some(Arc::clone(&committed))));
    }
    match text(case, "check").unwrap() {
        "schema" => admission::judge(&resources, Judge::new(Versions::default())),
        "lints" => {
            let assumptions = Assumptions::default();
            lints(&resources, &analyse(&resources, &assumptions), &assumptions)
        }
        "all" => check(&resources, &CheckOptions::default()),
        _ => gated(case, &resources),
    }
}

fn gated(case: &Node, resources: &ResMap) -> Report {
    let option = |key: &str| case.lookup(&["options", key]);
    let is_set = |key: &str| option(key).and_then(Node::as_bool) == Some(true);
    let sensitive: Vec<_> = texts(option("sensitive"))
        .into_iter()
        .map(Into::into)
        .collect();
    gate(
        resources,
        &GateOptions {
            severities: if is_set("lenient") {
                Severities::Lenient
            } else {
                Severities::Strict
            },
            delimiters: &texts(option("delimiters")),
            sensitive: &sensitive,
            sealed: &[],
            named: &[],
            plaintext_allowed: &texts(option("allowed")),
            keep_sealed: is_set("keep"),
            must_have_objects: is_set("host"),
        },
    )
}
