//! Templates and their results as they were recorded, and what is bounded.

use serde_json::Value as Json;

use super::{Budget, Cause, Fault, Functions, MissingKey, Options, Template, Value, sprig};

const RECORDED: &str = include_str!("../../../testdata/go/template.json");

fn fill(text: &str, params: &Json, options: &[&str]) -> Result<String, Fault> {
    let functions = Functions::new(sprig::ALL);
    let mut parse = Options::default();
    for option in options {
        parse.missing_key = MissingKey::parse(option).expect("a known option");
    }
    let template = Template::parse(text, &parse, &functions)?;
    template.fill(
        &sprig::from_json(params),
        &functions,
        &Budget::new(1_000_000, 1 << 20),
    )
}

#[test]
fn templates_are_filled_as_recorded() {
    let recorded: Json = serde_json::from_str(RECORDED).unwrap();
    for row in recorded["rows"].as_array().unwrap() {
        let index = usize::try_from(row["params"].as_u64().unwrap()).unwrap();
        let options: Vec<&str> = (row["options"].as_array().into_iter().flatten())
            .filter_map(Json::as_str)
            .collect();
        let text = row["template"].as_str().unwrap();
        let filled = fill(text, &recorded["params"][index], &options);
        assert_eq!(filled.ok().as_deref(), row["result"].as_str(), "{text}");
    }
}

#[test]
fn nothing_runs_without_end() {
    let long = format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000));
    for text in [
        "{{ define \"a\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" . }}",
        "{{ repeat 1000000000 \"x\" }}",
        "{{ until 1000000000 }}",
        "{{ range 1000000000 }}x{{ end }}",
        "{{ $d := dict }}{{ range until 2000 }}{{ $d = dict \"a\" $d }}{{ end }}{{ $d }}",
        "{{ $d := dict }}{{ $_ := set $d \"a\" $d }}{{ $d }}",
        "{{ printf \"%999999999d\" 1 }}",
        &long,
    ] {
        assert!(
            fill(text, &Json::Null, &[]).is_err(),
            "{}",
            &text[..text.len().min(80)]
        );
    }
    let fault = fill("{{ repeat 1000000000 \"x\" }}", &Json::Null, &[]).unwrap_err();
    assert_eq!(fault.cause, Cause::Limit);
}

#[test]
fn faults_name_their_line() {
    let fault = fill(
        "a\n{{ .x }}\n{{ fail \"s3cret\" }}",
        &serde_json::json!({}),
        &[],
    )
    .unwrap_err();
    assert_eq!(
        fault.to_string(),
        "line 3: `fail`: the template says that it fails"
    );
    let fault = fill("\n{{ nosuch }}", &Json::Null, &[]).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "line 2: the function `nosuch` is not known here"
    );
}

#[test]
fn delimiters_are_the_callers() {
    let functions = Functions::new(sprig::SLIM).without(sprig::NOT_SLIM);
    let options = Options {
        left: "<<",
        right: ">>",
        missing_key: MissingKey::Error,
    };
    let fill = |text: &str| {
        let template = Template::parse(text, &options, &functions)?;
        template.fill(&Value::Missing, &functions, &Budget::default())
    };
    assert_eq!(fill("{{ x }} << `a` | upper >>").unwrap(), "{{ x }} A");
    assert_eq!(fill("a <<- /* note */ ->> b").unwrap(), "ab");
    for unknown in [
        "<< now >>",
        "<< semver `1` >>",
        "<< camelcase `a` >>",
        "<< env `HOME` >>",
    ] {
        assert!(fill(unknown).is_err(), "{unknown}");
    }
}
