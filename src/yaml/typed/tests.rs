use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Spanned, from_node};
use crate::diagnostic::{Result, Source};
use crate::yaml::{Node, ParseOptions, Tag, parse};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Config {
    #[serde(default)]
    resources: Vec<Spanned<String>>,
    #[serde(default)]
    images: Vec<Image>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    count: Option<u8>,
    values: Option<Node>,
    mode: Option<Mode>,
    entry: Option<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Image {
    name: String,
    new_tag: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Audit,
    Enforce,
    Port(u16),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Entry {
    Path(String),
    Full { file: String },
}

fn read(text: &str) -> Result<Config> {
    let mut documents = parse(text, ParseOptions::default()).unwrap();
    from_node(&documents.remove(0), &Source::committed("app/config.yaml"))
}

#[test]
fn reads_structs_places_and_nodes() {
    let config = read(
        "resources:\n- a.yaml\n- b.yaml\nimages: [{name: x, newTag: '1'}]\nlabels: {1: a}\ncount: 3\nvalues: {p: [1]}\nmode: audit\nentry: {file: f}\n",
    )
    .unwrap();
    assert_eq!(*config.resources[1], *"b.yaml");
    assert_eq!(config.resources[1].mark.line, 3);
    assert_eq!(config.images[0].name, "x");
    assert_eq!(config.images[0].new_tag.as_deref(), Some("1"));
    assert_eq!(config.labels["1"], "a");
    assert_eq!(config.count, Some(3));
    assert_eq!(config.mode, Some(Mode::Audit));
    assert!(matches!(config.entry, Some(Entry::Full { file }) if file == "f"));
    let values = config.values.unwrap();
    assert_eq!(values.get("p").map(Node::tag), Some(Tag::Seq));
    assert_eq!(values.mark().line, 7);
    assert_eq!(read("mode: {port: 80}").unwrap().mode, Some(Mode::Port(80)));
    assert_eq!(read("mode: enforce").unwrap().mode, Some(Mode::Enforce));
    assert!(matches!(read("entry: x").unwrap().entry, Some(Entry::Path(p)) if p == "x"));
}

#[test]
fn tells_place_path_and_remedy() {
    let rows = [
        (
            "resuorces: []",
            "error[field-unknown]: unknown field `resuorces`\n  --> app/config.yaml:1:1\n  help: did you mean `resources`?",
        ),
        (
            "images:\n- name: x\n  newTag: 2\n",
            "error[field-type]: `images[0].newTag`: expected a string, found an integer\n  --> app/config.yaml:3:11",
        ),
        (
            "images:\n- newTag: x\n",
            "error[field-missing]: missing field `name` in `images[0]`\n  --> app/config.yaml:2:3",
        ),
        (
            "images:\n- {name: x, digest: y}\n",
            "error[field-unknown]: unknown field `digest` in `images[0]`\n  --> app/config.yaml:2:13\n  help: known here: name, newTag",
        ),
        (
            "resources: x",
            "error[field-type]: `resources`: expected a list, found a string\n  --> app/config.yaml:1:12",
        ),
        (
            "labels: {a: true}",
            "error[field-type]: `labels.a`: expected a string, found a boolean\n  --> app/config.yaml:1:13",
        ),
        (
            "count: 300",
            "error[field-type]: `count`: expected an integer that is not negative, found one that is out of range\n  --> app/config.yaml:1:8",
        ),
        (
            "mode: enforced",
            "error[field-unknown]: unknown name `enforced` in `mode`\n  --> app/config.yaml:1:7\n  help: did you mean `enforce`?",
        ),
        (
            "entry: [1]",
            "error[field-type]: `entry`: the value has none of the forms that are allowed here\n  --> app/config.yaml:1:8",
        ),
        (
            "- a",
            "error[field-type]: expected a mapping, found a list\n  --> app/config.yaml:1:1",
        ),
        (
            "images: [1]",
            "error[field-type]: `images[0]`: expected a mapping, found an integer\n  --> app/config.yaml:1:10",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(read(text).unwrap_err().to_string(), expected, "{text}");
    }
}
