//! Every pair of switches of the built-in overlays: what they add is valid, denies no flow that CNPG
//! needs, and the documentation lists each difference.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test runner"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use minijinja::Value;
use prerender::diagnostic::Source;
use prerender::files::{Memory, TreePath};
use prerender::kube::{ResMap, Resource};
use prerender::overlay::{self, Config, Host, Request};
use prerender::validate::flows::{Assumptions, analyse};
use prerender::validate::schema;
use prerender::yaml::{self, Node, ParseOptions};

/// The switches, each with what it may be.
const SWITCHES: &[(&str, &[&str])] = &[
    ("cnpg", &["true", "false"]),
    ("monitoring", &["true", "false"]),
    ("policies", &["true", "false"]),
    ("mode", &["enforce", "audit"]),
    ("backup", &["none", "cluster", "outside"]),
    ("barman", &["none", "chart", "manifest"]),
    ("secrets", &["true", "false"]),
    ("tls", &["true", "false"]),
    ("queries", &["true", "false"]),
    ("poolers", &["true", "false"]),
    ("shared", &["true", "false"]),
    ("egress", &["true", "false"]),
];

type Choice = Vec<&'static str>;

/// Choices such that every pair of values of two switches is in one of them.
fn pairwise() -> Vec<Choice> {
    let pairs = |choice: &[&'static str]| -> Vec<[usize; 4]> {
        let index = |s: usize| SWITCHES[s].1.iter().position(|v| *v == choice[s]).unwrap();
        let all = 0..choice.len();
        let both = all
            .clone()
            .flat_map(|a| (a + 1..choice.len()).map(move |b| (a, b)));
        both.map(|(a, b)| [a, index(a), b, index(b)]).collect()
    };
    let mut open: BTreeSet<[usize; 4]> = BTreeSet::new();
    for a in 0..SWITCHES.len() {
        for b in a + 1..SWITCHES.len() {
            for i in 0..SWITCHES[a].1.len() {
                open.extend((0..SWITCHES[b].1.len()).map(|j| [a, i, b, j]));
            }
        }
    }
    let mut choices = Vec::new();
    while let Some(&[a, i, b, j]) = open.iter().next() {
        let mut choice: Choice = SWITCHES.iter().map(|(_, values)| values[0]).collect();
        choice[a] = SWITCHES[a].1[i];
        choice[b] = SWITCHES[b].1[j];
        for (switch, (_, values)) in SWITCHES.iter().enumerate() {
            if switch == a || switch == b {
                continue;
            }
            let gain = |value: &&'static str| {
                let mut tried = choice.clone();
                tried[switch] = value;
                pairs(&tried).iter().filter(|p| open.contains(*p)).count()
            };
            choice[switch] = values.iter().max_by_key(|v| gain(v)).unwrap();
        }
        for pair in pairs(&choice) {
            open.remove(&pair);
        }
        choices.push(choice);
    }
    choices
}

fn is(choice: &Choice, name: &str) -> &'static str {
    choice[SWITCHES.iter().position(|(n, _)| *n == name).unwrap()]
}

/// Two clusters, the operator, the plugin and a client, as the switches have them.
fn built(choice: &Choice) -> String {
    let mut text = String::new();
    let plugins = match is(choice, "backup") {
        "none" => "",
        _ => {
            ", plugins: [{name: barman-cloud.cloudnative-pg.io, parameters: {barmanObjectName: store}}]"
        }
    };
    for name in ["db", "keycloak-postgres"] {
        let _ = writeln!(
            text,
            "---\napiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{instances: 3, storage: {{size: 1Gi}}, monitoring: {{enablePodMonitor: true}}, bootstrap: {{initdb: {{owner: app, database: app, secret: {{name: {name}-owner}}}}}}{plugins}}}"
        );
    }
    if is(choice, "poolers") == "true" {
        text += "---\napiVersion: postgresql.cnpg.io/v1\nkind: Pooler\nmetadata: {name: db-pooler, namespace: shop}\nspec: {cluster: {name: db}, type: rw, pgbouncer: {poolMode: session}}\n";
    }
    text += "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cnpg, namespace: cnpg-system, labels: {app.kubernetes.io/name: cloudnative-pg}}\nspec: {selector: {matchLabels: {app.kubernetes.io/name: cloudnative-pg}}, template: {metadata: {labels: {app.kubernetes.io/name: cloudnative-pg}}, spec: {containers: [{name: manager, image: x}]}}}\n";
    text += match is(choice, "barman") {
        "chart" => {
            "---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: plugin, namespace: cnpg-system}\nspec: {interval: 1h, chart: {spec: {chart: plugin-barman-cloud, sourceRef: {kind: HelmRepository, name: cnpg}}}}\n"
        }
        "manifest" => {
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: barman-cloud, namespace: cnpg-system}\nspec: {selector: {matchLabels: {app: barman-cloud}}, template: {metadata: {labels: {app: barman-cloud}}, spec: {containers: [{name: x, image: x}]}}}\n"
        }
        _ => "",
    };
    text
}

fn configuration(choice: &Choice) -> String {
    let store = match is(choice, "backup") {
        "none" => "null",
        "cluster" => "{namespace: storage, podLabels: {app: rustfs}, port: 9000}",
        _ => "{fqdnPattern: '*.example.com'}",
    };
    let more = if is(choice, "egress") == "true" {
        ", cnpg-backup-egress"
    } else {
        ""
    };
    format!(
        "{{use: [cnpg@1, cnpg-external-secrets{more}], inputs: {{cnpg_enabled: {}, monitoring_enabled: {}, network_policies_enabled: {}, network_policies_mode: {}, external_secrets_enabled: {}, cnpg_metrics_tls_enabled: {}, cnpg_custom_metrics_enabled: {}}}, parameters: {{sharedPodMonitor: {}, objectStore: {store}}}}}",
        is(choice, "cnpg"),
        is(choice, "monitoring"),
        is(choice, "policies"),
        is(choice, "mode"),
        is(choice, "secrets"),
        is(choice, "tls"),
        is(choice, "queries"),
        is(choice, "shared"),
    )
}

fn parse(text: &str, into: &mut ResMap) {
    for node in yaml::parse(text, ParseOptions::default()).unwrap() {
        if !node.is_null() {
            into.push(Resource::new(node, None)).unwrap();
        }
    }
}

/// The objects that the overlays add to a root, and the root's own.
fn expand(choice: &Choice) -> (ResMap, ResMap) {
    let files = Memory::from_texts([("app/kustomization.yaml", "resources: [a.yaml]\n")]);
    let mut all = ResMap::new();
    parse(&built(choice), &mut all);
    let source = Arc::new(Source::committed("prerender.yaml"));
    let node = yaml::parse(&configuration(choice), ParseOptions::default())
        .unwrap()
        .remove(0);
    let config = Config::read(&node, &source, &TreePath::root()).unwrap_or_else(|e| panic!("{e}"));
    let directory = TreePath::parse("app").unwrap();
    let request = Request {
        files: &files,
        directory: &directory,
        built: &all,
        config: &config,
        values: &Value::from_pairs(std::iter::empty::<(&str, Value)>()),
        host: Host::default(),
    };
    let expansion = overlay::view(&request).unwrap_or_else(|e| panic!("{e}"));
    assert!(expansion.report.is_empty(), "{}", expansion.report);
    let mut added = ResMap::new();
    let patches: BTreeSet<_> = expansion
        .instances
        .iter()
        .flat_map(|i| &i.files)
        .filter(|f| f.target.is_some())
        .map(|f| f.name.clone())
        .collect();
    if let Some(layer) = &expansion.view {
        for file in layer.laid() {
            let text = String::from_utf8_lossy(&file.bytes);
            let name = file.path.file_name();
            if name != "kustomization.yaml" && !patches.contains(name) {
                parse(&text, &mut added);
            }
        }
    }
    drop(expansion);
    (all, added)
}

#[test]
fn every_pair_of_switches_is_valid_and_denies_nothing_that_is_needed() {
    // A switch that is off hides the others: each choice also with everything turned on that gates them.
    let gated = |on: &[usize]| {
        let turned = pairwise().into_iter().map(|mut choice| {
            on.iter().for_each(|s| choice[*s] = "true");
            choice
        });
        turned.collect::<Vec<_>>()
    };
    let choices = [gated(&[]), gated(&[0, 2]), gated(&[0, 1, 2])].concat();
    let mut policies = 0;
    for choice in &choices {
        let (mut all, added) = expand(choice);
        let told = || format!("{choice:?}");
        for object in &added {
            assert!(!object.namespace().is_empty(), "{} {}", object.id(), told());
            if object.kind() == "CiliumNetworkPolicy" {
                policies += 1;
                for direction in ["ingress", "egress"] {
                    let flag = object
                        .node()
                        .lookup(&["spec", "enableDefaultDeny", direction]);
                    assert!(
                        flag.and_then(Node::as_bool).is_some(),
                        "{} {}",
                        object.id(),
                        told()
                    );
                }
            }
        }
        let judged = schema(&added);
        assert!(judged.report.is_empty(), "{}\n{}", judged.report, told());
        all.append(added).unwrap();
        let required = analyse(&all, &Assumptions::default()).require();
        assert!(required.is_empty(), "{required}\n{}", told());
    }
    assert!(
        policies > 80,
        "{policies} policies in {} choices",
        choices.len()
    );
}

#[test]
fn the_documentation_lists_every_difference() {
    let docs =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/overlays.md")).unwrap();
    for set in overlay::builtin_sets().unwrap() {
        for overlay in &set.overlays {
            let definition = &overlay.definition;
            for d in &definition.differences {
                let row = format!(
                    "| {} | `{}` | {} | {} | {} |",
                    d.document, definition.name, d.says, d.does, d.because
                );
                assert!(docs.contains(&row), "docs/overlays.md lacks:\n{row}");
            }
        }
    }
}
