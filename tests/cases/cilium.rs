//! Runs the cases of `testdata/cilium/recorded.jsonl`: what Cilium's own policy engine decided.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use prerender::cilium::Query;
use prerender::diagnostic::Source;
use prerender::kube::Resource;
use prerender::yaml::parse_config;
use serde_json::{Map, Value};

/// The letter of each state of an end.
const LETTERS: [(&str, char); 10] = [
    ("allowed", 'A'),
    ("open", 'O'),
    ("none", 'N'),
    ("host", 'H'),
    ("proxied", 'R'),
    ("authentication", 'M'),
    ("denied-by-rule", 'X'),
    ("denied-by-default", 'D'),
    ("authentication-fails", 'F'),
    ("error", 'E'),
];

/// The tests of this file.
pub(crate) fn trials() -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/cilium");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let worlds: Arc<Value> = Arc::new(serde_json::from_str(&read("worlds.json")).unwrap());
    let text = read("recorded.jsonl");
    let cases = text.lines().map(|line| serde_json::from_str(line).unwrap());
    cases
        .map(|case: Value| {
            let worlds = Arc::clone(&worlds);
            let name = case["name"].as_str().unwrap().to_owned();
            Trial::test(name, move || check(&case, &worlds))
        })
        .collect()
}

fn check(case: &Value, worlds: &Value) -> Result<(), Failed> {
    let answer = ask(case, worlds)?;
    let expected = &case["expected"];
    let is_refused = |p: &&Value| p["accepted"] == false;
    let refused = |all: &Value| -> BTreeSet<String> {
        let all = all.as_array().unwrap().iter().filter(is_refused);
        all.map(|p| format!("{} by the {}", p["id"], p["refusedBy"]))
            .collect()
    };
    if refused(&answer["policies"]) != refused(&expected["policies"]) {
        return Err(format!("refused are {:?}", refused(&answer["policies"])).into());
    }
    let flows = answer["flows"].as_array().unwrap();
    for flow in flows {
        let (from, to) = (flow["from"].as_str().unwrap(), flow["to"].as_str().unwrap());
        let at = case["ports"].as_array().unwrap();
        let at = at.iter().position(|p| *p == flow["port"]).unwrap();
        let wanted = cell(case, from, to).and_then(|c| c.split(' ').nth(at));
        let given: String = ["egress", "ingress"]
            .map(|e| letter(&flow[e]))
            .iter()
            .collect();
        if wanted.is_some_and(|w| w != given) {
            let port = &flow["port"];
            return Err(format!("{from} > {to} {port}: {given}, not {wanted:?}").into());
        }
        by(case, flow, at)?;
    }
    Ok(())
}

/// What the room answers to a case.
fn ask(case: &Value, worlds: &Value) -> Result<Value, Failed> {
    let of_world = case["world"].as_str().map(|w| &worlds["worlds"][w]);
    let objects = of_world.unwrap_or(&case["objects"]).as_array();
    let all = objects
        .into_iter()
        .flatten()
        .chain(case["policies"].as_array().unwrap());
    let objects: Vec<Resource> = all
        .map(|object| {
            let source = Source::committed("objects.yaml");
            Resource::new(
                parse_config(object.to_string().as_bytes(), &source).unwrap(),
                None,
            )
        })
        .collect();
    let mut assume = Map::new();
    for name in ["pods", "nodes", "apiServer", "dns", "resolver"] {
        let found = case
            .get(name)
            .or((name == "nodes").then_some(&worlds["nodes"]));
        assume.extend(found.map(|value| (name.to_owned(), value.clone())));
    }
    assume.extend(
        case.get("options")
            .map(|o| ("cilium".to_owned(), o.clone())),
    );
    let query = serde_json::json!({
        "assume": assume, "from": case["from"], "to": case["to"], "ports": case["ports"],
    });
    let source = Source::committed("query.json");
    let query = Query::parse(query.to_string().as_bytes(), &source).map_err(|e| e.to_string())?;
    Ok(query.answer(objects.iter()))
}

/// The recorded cell of a pair; `None` where Cilium polices neither end.
fn cell<'c>(case: &'c Value, from: &str, to: &str) -> Option<&'c str> {
    let at = case["to"].as_array()?.iter().position(|t| t == to)?;
    let row = case["expected"]["verdicts"][from].as_str()?;
    row.split(',').nth(at).filter(|cell| !cell.is_empty())
}

fn letter(end: &Value) -> char {
    let found = LETTERS.iter().find(|(state, _)| end["state"] == *state);
    found.map_or('?', |(_, letter)| *letter)
}

/// Whether one of the policies that decide is named.
fn by(case: &Value, flow: &Value, at: usize) -> Result<(), Failed> {
    let pair = format!(
        "{} > {}",
        flow["from"].as_str().unwrap(),
        flow["to"].as_str().unwrap()
    );
    let Some(recorded) = case["expected"]["by"][&pair].as_str() else {
        return Ok(());
    };
    let recorded = recorded.split(' ').nth(at).unwrap_or_default();
    for (end, numbers) in ["egress", "ingress"].iter().zip(recorded.split('|')) {
        let numbers: Vec<usize> = numbers.split('+').filter_map(|n| n.parse().ok()).collect();
        let ids: Vec<&Value> = numbers
            .iter()
            .map(|n| &case["expected"]["policies"][n]["id"])
            .collect();
        let said = flow[end]["by"].as_array().unwrap();
        if !ids.is_empty() && !said.iter().any(|s| ids.contains(&s)) {
            return Err(format!("{pair}: {end} by {said:?}, not {ids:?}").into());
        }
    }
    Ok(())
}
