//! The engine on trees in memory: what is attached where, under which names.

use minijinja::Value;

use super::library::{Library, check_names};
use super::{Config, Expansion, Host, Request, builtin_sets, view};
use crate::diagnostic::Source;
use crate::files::{Files, Memory, TreePath};
use crate::kube::{ResMap, Resource};
use crate::yaml::{self, ParseOptions};
use std::sync::Arc;

fn objects(text: &str) -> ResMap {
    let source = Arc::new(Source::committed("app/objects.yaml"));
    let mut built = ResMap::new();
    for node in yaml::parse(text, ParseOptions::default()).expect("valid YAML") {
        built
            .push(Resource::new(node, Some(Arc::clone(&source))))
            .expect("distinct objects");
    }
    built
}

fn config(text: &str) -> Config {
    let source = Arc::new(Source::committed("prerender.yaml"));
    let node = yaml::parse(text, ParseOptions::default())
        .expect("valid YAML")
        .remove(0);
    Config::read(&node, &source, &TreePath::root()).unwrap_or_else(|e| panic!("{e}"))
}

const CLUSTER: &str = "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: db, namespace: shop}\nspec: {instances: 3}\n";
const OPERATOR: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cnpg, namespace: cnpg-system, labels: {app.kubernetes.io/name: cloudnative-pg}}\n";
const ON: &str = "{monitoring_enabled: true, network_policies_enabled: true}";

/// Expands a root `app` with this kustomization, and shows what is laid over it.
fn expand(kustomization: &str, built: &str, overlays: &str) -> String {
    let files = Memory::from_texts([("app/kustomization.yaml", kustomization)]);
    let built = objects(built);
    let directory = TreePath::parse("app").expect("below the root");
    let config = config(overlays);
    let values = Value::from_pairs(std::iter::empty::<(&str, Value)>());
    let request = Request {
        files: &files,
        directory: &directory,
        built: &built,
        config: &config,
        values: &values,
        host: Host::default(),
    };
    match view(&request) {
        Ok(expansion) => show(&expansion),
        Err(error) => error.to_string(),
    }
}

fn show(expansion: &Expansion<'_>) -> String {
    let mut out = String::new();
    for instance in expansion
        .instances
        .iter()
        .filter(|i| i.state != super::State::Off)
    {
        out += &format!(
            "{} {}: {}\n",
            instance.overlay,
            instance.target,
            instance.state.name()
        );
    }
    if !expansion.report.is_empty() {
        out += &format!("{}\n", expansion.report);
    }
    if let Some(layer) = &expansion.view {
        for file in layer.laid() {
            let text = String::from_utf8_lossy(&file.bytes);
            let parsed = yaml::parse(&text, ParseOptions::default());
            assert!(parsed.is_ok(), "{}\n{text}", file.path);
            out += &format!("== {}\n{text}", file.path);
        }
        let directory = TreePath::parse("app").expect("below the root");
        assert!(layer.list(&directory).is_ok());
    }
    out
}

#[test]
fn the_built_in_overlays_declare_every_name_they_read() {
    let language = super::language::Language::new().expect("the marks are distinct");
    for set in builtin_sets().unwrap_or_else(|e| panic!("{e}")) {
        for overlay in &set.overlays {
            check_names(overlay, &language).unwrap_or_else(|e| panic!("{e}"));
        }
    }
}

#[test]
fn nothing_is_done_where_no_overlay_is_used() {
    assert_eq!(expand("resources: [a.yaml]\n", CLUSTER, "{}"), "");
}

#[test]
fn show_me() {
    let built = format!("{CLUSTER}---\n{OPERATOR}");
    let out = expand(
        "resources:\n- a.yaml\n",
        &built,
        &format!("{{use: [cnpg@1], inputs: {ON}}}"),
    );
    println!("{out}");
}
