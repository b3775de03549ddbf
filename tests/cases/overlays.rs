//! Every pair of switches of the built-in overlays: what they add is valid, denies no flow that CNPG
//! needs, and the documentation lists each difference. Alerts are unit-tested by promtool and queries run
//! by PostgreSQL, where those are installed; otherwise the run says that they are skipped.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test runner"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use libtest_mimic::{Failed, Trial};
use minijinja::Value;
use prerender::admission::{Judge, Versions, judge};
use prerender::diagnostic::Source;
use prerender::files::{Files, Memory, Tree, TreePath};
use prerender::generators::Outside;
use prerender::kube::ResMap;
use prerender::kustomize::{self, Options};
use prerender::overlay::{self, Config, Host, Request};
use prerender::validate::flows::{Assumptions, Direction, Mode, analyse};
use prerender::yaml::{self, Node, ParseOptions};

/// The tests of this file.
pub(crate) fn trials() -> Vec<Trial> {
    let plain = |name: &str, run: fn()| {
        Trial::test(name, move || {
            run();
            Ok(())
        })
    };
    vec![
        plain(
            "every_pair_of_switches_is_valid_and_denies_nothing_that_is_needed",
            every_pair_of_switches_is_valid_and_denies_nothing_that_is_needed,
        ),
        plain(
            "the_documentation_lists_every_difference",
            the_documentation_lists_every_difference,
        ),
        plain(
            "replacing_what_is_there_allows_every_needed_flow",
            replacing_what_is_there_allows_every_needed_flow,
        ),
        plain(
            "a_second_run_over_an_expanded_tree_changes_nothing",
            a_second_run_over_an_expanded_tree_changes_nothing,
        ),
        with_program("promtool", "alerts_fire_when_they_should", alerts),
        with_program("postgres", "queries_run_as_pg_monitor", queries),
    ]
}

/// A trial that needs a program; ignored, and named so, where it is not installed.
fn with_program(program: &'static str, name: &str, run: fn(&Path) -> Result<(), Failed>) -> Trial {
    let directories = ["/usr/bin", "/usr/local/bin", "/usr/lib/postgresql/15/bin"];
    let found = directories
        .iter()
        .map(|d| Path::new(d).join(program))
        .find(|p| p.exists());
    match found {
        Some(path) => Trial::test(name, move || run(&path)),
        None => Trial::test(
            format!("SKIPPED: {program} is not installed: {name}"),
            || Ok(()),
        )
        .with_ignored_flag(true),
    }
}

/// The switches, each with what it may be.
const SWITCHES: &[(&str, &[&str])] = &[
    ("cnpg", &["true", "false"]),
    ("monitoring", &["true", "false"]),
    ("policies", &["true", "false"]),
    ("mode", &["enforce", "audit"]),
    ("backup", &["none", "cluster", "outside", "document"]),
    ("keycloak", &["unset", "cnpg", "embedded", "off"]),
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
    for (a, (_, first)) in SWITCHES.iter().enumerate() {
        for (b, (_, second)) in SWITCHES.iter().enumerate().skip(a + 1) {
            for i in 0..first.len() {
                open.extend((0..second.len()).map(|j| [a, i, b, j]));
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
    let endpoint = match is(choice, "backup") {
        "outside" => "https://s3.example.com",
        _ => "http://rustfs.storage.svc:9000",
    };
    let store = format!("{{destinationPath: 's3://b', endpointURL: '{endpoint}'}}");
    let backup = match (is(choice, "backup"), is(choice, "barman")) {
        ("none", _) => String::new(),
        // Without the plugin CNPG backs up by itself.
        (_, "none") => format!(", backup: {{barmanObjectStore: {store}}}"),
        _ => {
            let _ = writeln!(
                text,
                "---\napiVersion: barmancloud.cnpg.io/v1\nkind: ObjectStore\nmetadata: {{name: store, namespace: shop}}\nspec: {{configuration: {store}}}"
            );
            ", plugins: [{name: barman-cloud.cloudnative-pg.io, parameters: {barmanObjectName: store}}]".to_owned()
        }
    };
    for name in ["db", "keycloak-postgres"] {
        let _ = writeln!(
            text,
            "---\napiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{instances: 3, storage: {{size: 1Gi}}, monitoring: {{enablePodMonitor: true}}, bootstrap: {{initdb: {{owner: app, database: app, secret: {{name: {name}-owner}}}}}}{backup}}}"
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
        "none" => ", objectStore: null",
        "cluster" => ", objectStore: {namespace: storage, podLabels: {app: rustfs}, port: 9000}",
        "outside" => ", objectStore: {fqdnPattern: '*.example.com'}",
        // The document's variables say it.
        _ => "",
    };
    let backup = match is(choice, "backup") {
        "document" => ", rustfs_enabled: true, cnpg_backup_enabled: true",
        _ => "",
    };
    let keycloak = match is(choice, "keycloak") {
        "cnpg" => ", keycloak_enabled: true, keycloak_db_mode: cnpg",
        "embedded" => ", keycloak_enabled: true, keycloak_db_mode: embedded",
        "off" => ", keycloak_enabled: false",
        _ => "",
    };
    let more = if is(choice, "egress") == "true" {
        ", cnpg-backup-egress"
    } else {
        ""
    };
    format!(
        "{{use: [cnpg@1, cnpg-external-secrets{more}], inputs: {{cnpg_enabled: {}, monitoring_enabled: {}, network_policies_enabled: {}, network_policies_mode: {}, external_secrets_enabled: {}, cnpg_metrics_tls_enabled: {}, cnpg_custom_metrics_enabled: {}{backup}{keycloak}}}, parameters: {{sharedPodMonitor: {}{store}}}}}",
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

/// What a root builds to with the overlays of a choice, and what of it they add.
fn expand(choice: &Choice) -> (ResMap, ResMap) {
    let files: Arc<dyn Files> = Arc::new(Memory::from_texts([
        ("app/kustomization.yaml", "resources: [a.yaml]\n"),
        ("app/a.yaml", built(choice).as_str()),
    ]));
    let source = Arc::new(Source::committed("prerender.yaml"));
    let node = yaml::parse(&configuration(choice), ParseOptions::default())
        .unwrap()
        .remove(0);
    let config = Config::read(&node, &source, &TreePath::root()).unwrap_or_else(|e| panic!("{e}"));
    let directory = TreePath::parse("app").unwrap();
    let plain = build(&files, &directory).unwrap();
    let request = Request {
        files: &files,
        directory: &directory,
        built: &plain,
        config: &config,
        values: &Value::from_pairs(std::iter::empty::<(&str, Value)>()),
        host: Host::default(),
    };
    let expansion = overlay::view(&request).unwrap_or_else(|e| panic!("{e}"));
    assert!(expansion.report.is_empty(), "{}", expansion.report);
    let Some(view) = &expansion.view else {
        return (build(&files, &directory).unwrap(), ResMap::new());
    };
    let all = build(view, &directory).unwrap();
    let lost = expansion.verify(&plain, &all);
    assert!(lost.is_empty(), "{lost}");
    let mut added = all.clone();
    let ids: Vec<_> = expansion.instances.iter().flat_map(|i| &i.adds).collect();
    added.retain(|r| ids.iter().any(|id| id.is_same(&r.id())));
    (all, added)
}

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
        let (all, added) = expand(choice);
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
        // The Clusters too, as the overlays' patches leave them.
        let judged = judge(&all, Judge::new(Versions::default()));
        assert!(judged.is_empty(), "{}\n{}", judged, told());
        let analysis = analyse(&all, &Assumptions::default());
        let required = analysis.require();
        assert!(required.is_empty(), "{required}\n{}", told());
        let governs = |direction| {
            let mut endpoints = analysis.endpoints.iter();
            let mode = Mode::AsWritten;
            endpoints.any(|e| analysis.denies_by_default(e, direction, mode) != Some(false))
        };
        let enforces = governs(Direction::Ingress) || governs(Direction::Egress);
        assert!(
            !enforces || is(choice, "mode") == "enforce",
            "something is denied in audit: {}",
            told()
        );
    }
    assert!(
        policies > 80,
        "{policies} policies in {} choices",
        choices.len()
    );
}

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

/// Everything on, in enforce mode.
fn everything() -> Choice {
    SWITCHES.iter().map(|(_, values)| values[0]).collect()
}

fn expect_success(what: &str, output: &Output) -> Result<(), Failed> {
    if output.status.success() {
        return Ok(());
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Err(format!("{what}\n{}\n{}", text(&output.stdout), text(&output.stderr)).into())
}

/// Runs promtool over the rules as they are rendered.
fn alerts(promtool: &Path) -> Result<(), Failed> {
    let (_, added) = expand(&everything());
    let mut groups = Vec::new();
    for rule in added.iter().filter(|r| r.kind() == "PrometheusRule") {
        groups.extend(
            rule.node()
                .lookup(&["spec", "groups"])
                .and_then(Node::as_sequence)
                .unwrap()
                .to_vec(),
        );
    }
    assert_eq!(groups.len(), 3);
    let mut rules = Node::mapping();
    rules
        .as_mapping_mut()
        .unwrap()
        .insert("groups", Node::sequence(groups));
    let mut text = Vec::new();
    yaml::write_manifest(&mut text, &rules).unwrap();
    let directory = tempfile::tempdir()?;
    std::fs::write(directory.path().join("rules.yaml"), text)?;
    let tests = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/testdata/overlay-alerts/tests.yaml"
    );
    std::fs::copy(tests, directory.path().join("tests.yaml"))?;
    for arguments in [
        ["check", "rules", "rules.yaml"],
        ["test", "rules", "tests.yaml"],
    ] {
        let output = Command::new(promtool)
            .args(arguments)
            .current_dir(&directory)
            .output()?;
        expect_success(&arguments.join(" "), &output)?;
    }
    Ok(())
}

/// A server that is stopped when the test ends.
struct Server {
    directory: tempfile::TempDir,
    programs: PathBuf,
}

impl Server {
    /// A program as a user who is not root: PostgreSQL refuses to run as root.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let is_root = rustix::process::geteuid().is_root();
        let mut command = if is_root {
            Command::new("setpriv")
        } else {
            Command::new(&path)
        };
        if is_root {
            command
                .args([
                    "--reuid=postgres",
                    "--regid=postgres",
                    "--clear-groups",
                    "--",
                ])
                .arg(&path);
        }
        command
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .env("LC_ALL", "C");
        command
    }

    fn start(postgres: &Path) -> Result<Self, Failed> {
        let programs = std::fs::canonicalize(postgres)?
            .parent()
            .unwrap()
            .to_owned();
        let server = Self {
            directory: tempfile::tempdir()?,
            programs,
        };
        if rustix::process::geteuid().is_root() {
            let owner = Command::new("chown")
                .arg("postgres")
                .arg(server.directory.path())
                .output()?;
            expect_success("chown", &owner)?;
        }
        let output = server
            .program("initdb")
            .args(["-D", "data", "-U", "owner", "-A", "trust", "--no-sync"])
            .output()?;
        expect_success("initdb", &output)?;
        let options = format!(
            "-k {} -c listen_addresses= -c fsync=off",
            server.directory.path().display()
        );
        let mut start = server.program("pg_ctl");
        start.args(["-D", "data", "-w", "-l", "log", "-o", &options, "start"]);
        expect_success("pg_ctl start", &start.stdout(Stdio::null()).output()?)?;
        Ok(server)
    }

    fn query(&self, role: &str, sql: &str) -> Result<String, Failed> {
        let socket = self.directory.path().to_str().unwrap();
        let mut psql = self.program("psql");
        psql.args([
            "-h",
            socket,
            "-U",
            role,
            "-d",
            "postgres",
            "-At",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            sql,
        ]);
        let output = psql.output()?;
        expect_success(sql, &output)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self
            .program("pg_ctl")
            .args(["-D", "data", "-m", "immediate", "stop"])
            .output();
    }
}

/// Runs the custom queries in one read-only transaction each, as CNPG's exporter does, with pg_monitor only.
///
/// The server is the installed one: Debian 12 has PostgreSQL 15. The views that the queries read are the same
/// in 17 and 18, which are not run here.
fn queries(postgres: &Path) -> Result<(), Failed> {
    let (_, added) = expand(&everything());
    let map = added.iter().find(|r| r.kind() == "ConfigMap").unwrap();
    let text = map
        .node()
        .lookup(&["data", "custom-queries"])
        .and_then(Node::as_str)
        .unwrap();
    let queries = yaml::parse(text, ParseOptions::default())
        .unwrap()
        .remove(0);
    let server = Server::start(postgres)?;
    server.query("owner", "CREATE ROLE exporter LOGIN IN ROLE pg_monitor")?;
    server.query(
        "owner",
        "CREATE TABLE \"weird.my\\ntable\" (a int) WITH (autovacuum_enabled = off)",
    )?;
    server.query(
        "owner",
        "INSERT INTO \"weird.my\\ntable\" SELECT generate_series(1, 2000)",
    )?;
    server.query("owner", "DELETE FROM \"weird.my\\ntable\"")?;
    server.query("owner", "SELECT pg_stat_force_next_flush()")?;
    let mut rows = Vec::new();
    for (name, query) in queries.as_mapping().unwrap().iter() {
        let sql = query.get("query").and_then(Node::as_str).unwrap();
        let read_only = format!("SET default_transaction_read_only = on; {sql}");
        let metrics = query.get("metrics").and_then(Node::as_sequence).unwrap();
        let given = server.query("exporter", &read_only)?;
        let row: Vec<_> = given.lines().skip(1).map(str::to_owned).collect();
        if let Some(row) = row.first() {
            assert_eq!(row.split('|').count(), metrics.len(), "{name}: {row}");
        }
        rows.push((name.to_owned(), row.len()));
    }
    assert_eq!(
        rows,
        [
            ("long_running_queries".to_owned(), 0),
            ("table_dead_tuples".to_owned(), 1)
        ]
    );
    Ok(())
}

/// What a case's project says of overlays.
fn config_of(files: &dyn Files) -> Option<Config> {
    let file = files
        .read(&TreePath::parse("prerender.yaml").unwrap())
        .ok()?;
    let text = String::from_utf8_lossy(&file.bytes);
    let node = yaml::parse(&text, ParseOptions::default())
        .unwrap()
        .remove(0);
    Config::read(node.get("overlays")?, &file.source, &TreePath::root()).ok()
}

fn build(files: &dyn Files, directory: &TreePath) -> Option<ResMap> {
    let outside = Outside::default();
    let built = kustomize::build(files, directory, &Options::default(), &outside);
    built.ok().map(|b| b.resources)
}

/// Expands a root, and passes what is laid over it and what both build to.
fn with_expanded<R>(
    files: &Arc<dyn Files>,
    directory: &TreePath,
    config: &Config,
    then: impl FnOnce(&overlay::Expansion) -> R,
) -> Option<R> {
    let built = build(files, directory)?;
    let request = Request {
        files,
        directory,
        built: &built,
        config,
        values: &Value::from_pairs(std::iter::empty::<(&str, Value)>()),
        host: Host::default(),
    };
    overlay::view(&request)
        .ok()
        .map(|expansion| then(&expansion))
}

fn case(name: &str) -> Arc<dyn Files> {
    let directory = format!(
        "{}/testdata/overlay/{name}/input",
        env!("CARGO_MANIFEST_DIR")
    );
    Arc::new(Tree::open(Path::new(&directory)).unwrap())
}

fn replacing_what_is_there_allows_every_needed_flow() {
    let app = TreePath::parse("app").unwrap();
    for (name, is_whole) in [
        ("repository-of-the-document-keeps-its-own", false),
        ("repository-of-the-document-replaced", true),
    ] {
        let files = case(name);
        let config = config_of(&files).unwrap();
        let expanded = with_expanded(&files, &app, &config, |expansion| {
            let built = build(expansion.view.as_ref().unwrap(), &app).unwrap();
            let judged = judge(&built, Judge::new(Versions::default()));
            assert!(judged.is_empty(), "{judged}");
            let required = analyse(&built, &Assumptions::default()).require();
            assert_eq!(required.is_empty(), is_whole, "{required}");
        });
        expanded.unwrap();
    }
}

fn a_second_run_over_an_expanded_tree_changes_nothing() {
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/overlay");
    let mut run = 0;
    for entry in std::fs::read_dir(cases).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !Path::new(cases).join(&name).is_dir() {
            continue;
        }
        let files = case(&name);
        let Some(config) = config_of(&files) else {
            continue;
        };
        for root in ["app", "prod"] {
            let root = TreePath::parse(root).unwrap();
            let again = with_expanded(&files, &root, &config, |first| {
                let view = first.view.as_ref()?;
                with_expanded(
                    &(Arc::clone(view) as Arc<dyn Files>),
                    &root,
                    &config,
                    |second| {
                        let laid = second.view.iter().flat_map(|v| v.laid());
                        laid.map(|f| f.path.to_string()).collect::<Vec<_>>()
                    },
                )
            });
            if let Some(Some(changed)) = again {
                assert_eq!(changed, Vec::<String>::new(), "{name}");
                run += 1;
            }
        }
    }
    assert!(run > 15, "{run} cases");
}
