//! Runs the recorded behaviour of Flux's substitution engine.
//!
//! The recordings are what the engine of fluxcd/pkg makes of each input; the room's own cases are in
//! `testdata/substitute/`.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use libtest_mimic::{Failed, Trial};
use prerender::diagnostic::Source;
use prerender::kube::{ResMap, Resource};
use prerender::substitute::{self, Fault, Strategy, Strictness, Variables, expand};
use prerender::yaml::{self, ParseOptions};
use serde_json::Value;

use crate::recorded::suite;

/// The tests of this file.
pub(crate) fn trials() -> Vec<Trial> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = suite("envsubst");
    let own = root.join("testdata/substitute");
    let mut trials = Vec::new();
    for (directory, name) in [(&shared, "cases.json"), (&own, "expressions.json")] {
        trials.extend(rows(directory, name).into_iter().map(expression));
    }
    for (directory, name) in [(&shared, "resource-cases.json"), (&own, "objects.json")] {
        trials.extend(rows(directory, name).into_iter().map(object));
    }
    trials
}

fn rows(directory: &Path, name: &str) -> Vec<Value> {
    serde_json::from_slice(&std::fs::read(directory.join(name)).unwrap()).unwrap()
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

fn object(row: Value) -> Trial {
    Trial::test(
        format!("{}: {}", text(&row, "id"), text(&row, "description")),
        move || {
            let given = fill(&row);
            let wanted = row["error_contains"].as_str().or(row["error"].as_str());
            let given = match (wanted, given) {
                // The reference says it in its own words.
                (Some("variable not set"), Err(e)) if e.contains("error[variable-missing]") => {
                    return Ok(());
                }
                (Some(wanted), Err(e)) if e == wanted => return Ok(()),
                (None, Ok(given)) => given,
                (_, given) => return Err(format!("given {given:?}").into()),
            };
            let list = |key: &str| row[key].as_array().cloned().unwrap_or_default();
            let holds = |v: &Value| given.contains(v.as_str().unwrap());
            let is_equal = row["expected"].as_str().is_none_or(|e| e == given);
            if is_equal
                && list("output_contains").iter().all(holds)
                && !list("output_not_contains").iter().any(holds)
            {
                return Ok(());
            }
            Err(Failed::from(given))
        },
    )
}

/// Takes one object through the step; the warnings follow the object as comments.
fn fill(row: &Value) -> Result<String, String> {
    let source = Arc::new(Source::committed("object.yaml"));
    let node = yaml::parse_first(text(row, "resource"), ParseOptions::default())
        .unwrap()
        .unwrap();
    let mut resources = ResMap::default();
    resources.push_unchecked(Resource::new(node, Some(source)));
    let strategy = if text(row, "strategy") == "Always" {
        Strategy::Always
    } else {
        Strategy::WithVariables
    };
    let mut variables =
        Variables::of("Kustomization flux-system/apps", None).with_strategy(strategy);
    for (name, value) in row["vars"].as_object().unwrap() {
        variables
            .insert(name, value.as_str().unwrap(), None)
            .map_err(|e| e.to_string())?;
    }
    let (resources, report) = substitute::run(resources, &variables, strictness(row))
        .map_err(|report| report.to_string())?;
    let mut out = Vec::new();
    for resource in resources.iter() {
        yaml::write_manifest(&mut out, resource.node()).unwrap();
    }
    let mut out = String::from_utf8(out).unwrap();
    for line in report
        .to_string()
        .lines()
        .filter(|_| row["warnings"] == true)
    {
        out.push_str(&format!("# {line}\n"));
    }
    Ok(out)
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
        Fault::Spent => "the budget is spent".to_owned(),
    })
}
