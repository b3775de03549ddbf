//! Runs the recorded behaviour of Flux's substitution engine, where the recordings are present.
//!
//! `../shared/conformance/envsubst` holds what the engine of fluxcd/pkg gives for each input. Without it
//! the run says so and passes; the room's own cases are in `testdata/substitute/`.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

use std::path::Path;
use std::process::ExitCode;

use base64::Engine as _;
use libtest_mimic::{Arguments, Failed, Trial};
use prerender::substitute::{Fault, Strictness, Variables, expand};
use serde_json::Value;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = root.join("../shared/conformance/envsubst");
    let own = root.join("testdata/substitute");
    let mut trials = Vec::new();
    for (directory, name) in [(&shared, "cases.json"), (&own, "expressions.json")] {
        trials.extend(rows(directory, name).into_iter().map(expression));
    }
    if !shared.is_dir() {
        let skipped = Trial::test("SKIPPED: ../shared/conformance/envsubst is absent", || {
            Ok(())
        });
        trials.push(skipped.with_ignored_flag(true));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The rows of a file; none when the file is absent.
fn rows(directory: &Path, name: &str) -> Vec<Value> {
    std::fs::read(directory.join(name)).map_or_else(
        |_| Vec::new(),
        |bytes| serde_json::from_slice(&bytes).unwrap(),
    )
}

fn expression(row: Value) -> Trial {
    let name = format!(
        "{}: {}",
        text(&row, "id"),
        text(&row, "input").escape_debug()
    );
    Trial::test(name, move || {
        let given = expand(text(&row, "input"), &variables(&row), strictness(&row));
        let wanted = wanted(&row);
        if kind(&given) == wanted {
            return Ok(());
        }
        Err(Failed::from(format!("wanted {wanted:?}, given {given:?}")))
    })
}

fn text<'r>(row: &'r Value, key: &str) -> &'r str {
    row[key].as_str().unwrap_or_default()
}

fn strictness(row: &Value) -> Strictness {
    if row["strict"] == true {
        Strictness::Strict
    } else {
        Strictness::Lenient
    }
}

/// The variables of a row. The engine takes names that Flux itself refuses.
fn variables(row: &Value) -> Variables {
    let mut variables = Variables::default();
    for (name, value) in row["vars"].as_object().unwrap() {
        variables.insert_unchecked(name, value.as_str().unwrap());
    }
    variables
}

/// What a row expects: the bytes, or the reference's message without its variable part.
fn wanted(row: &Value) -> Result<Vec<u8>, String> {
    if let Some(encoded) = row["expected_base64"].as_str() {
        return Ok(base64::prelude::BASE64_STANDARD.decode(encoded).unwrap());
    }
    match row["expected"].as_str() {
        Some(expected) => Ok(expected.as_bytes().to_vec()),
        None if row["panic"] == true => Err("panic".to_owned()),
        None => Err(text(row, "error").to_owned()),
    }
}

/// What was given, in the reference's words.
fn kind(given: &Result<Vec<u8>, Fault>) -> Result<Vec<u8>, String> {
    given.clone().map_err(|fault| match fault {
        Fault::BadSubstitution => "bad substitution".to_owned(),
        Fault::MissingClosingBrace => "missing closing brace".to_owned(),
        Fault::NoName => "unable to parse variable name".to_owned(),
        Fault::NoArgument => "unable to parse substitution within function".to_owned(),
        Fault::NotSet(name) => format!("variable not set (strict mode): {name:?}"),
        Fault::NegativeLength(_) => "panic".to_owned(),
        Fault::TooDeep => "too deep".to_owned(),
    })
}
