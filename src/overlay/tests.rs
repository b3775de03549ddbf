//! The engine on trees in memory: what is attached where, under which names.

use minijinja::Value;

use super::library::check_names;
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

fn memory<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Arc<dyn Files> {
    Arc::new(Memory::from_texts(texts))
}

/// Expands a root `app` with this kustomization, and shows what is laid over it.
fn expand(kustomization: &str, built: &str, overlays: &str) -> String {
    let files = memory([("app/kustomization.yaml", kustomization)]);
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

fn show(expansion: &Expansion) -> String {
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

/// The lines of a text that say something about names.
fn names(text: &str) -> Vec<String> {
    let wanted = |l: &&str| {
        ["== ", "name:", "namespace:", "cnpg.io/cluster:", "- {path"]
            .iter()
            .any(|w| l.trim().starts_with(w))
    };
    text.lines()
        .filter(wanted)
        .map(|l| l.trim().to_owned())
        .collect()
}

/// An object as a build leaves it that was declared under another name.
fn renamed(built: &str, from: &str, namespace: &str) -> ResMap {
    let mut map = objects(built);
    for resource in map.iter_mut() {
        let namespace = if namespace.is_empty() {
            "default"
        } else {
            namespace
        };
        let kind = resource.kind().into();
        resource
            .history_mut()
            .previous
            .push(crate::kube::PreviousId {
                name: from.into(),
                namespace: namespace.into(),
                kind,
            });
    }
    map
}

fn run(files: &Arc<dyn Files>, built: &ResMap, overlays: &str, host: Host<'_>) -> String {
    let directory = TreePath::parse("app").expect("below the root");
    let config = config(overlays);
    let values = Value::from_pairs(std::iter::empty::<(&str, Value)>());
    let request = Request {
        files,
        directory: &directory,
        built,
        config: &config,
        values: &values,
        host,
    };
    view(&request).map_or_else(|e| e.to_string(), |e| show(&e))
}

const POLICY_ONLY: &str = "{use: [cnpg-cluster-policy], inputs: {network_policies_enabled: true}}";

#[test]
fn names_are_the_declared_ones_and_selectors_the_final_ones() {
    let files = memory([(
        "app/kustomization.yaml",
        "namePrefix: p-\nnameSuffix: -s\nnamespace: live\nresources: [a.yaml]\n",
    )]);
    let built = renamed(
        &CLUSTER
            .replace("name: db", "name: p-db-s")
            .replace("shop", "live"),
        "db",
        "shop",
    );
    let out = run(&files, &built, POLICY_ONLY, Host::default());
    assert_eq!(
        names(&out),
        [
            "== app/kustomization.yaml",
            "namespace: live",
            "== app/networkpolicy-p-db-s.yaml",
            "name: db",
            "namespace: live",
            "app.kubernetes.io/name: p-db-s"
        ]
        .iter()
        .filter(|l| !l.starts_with("app."))
        .map(|l| (*l).to_owned())
        .chain(std::iter::repeat_n("cnpg.io/cluster: p-db-s".to_owned(), 3))
        .collect::<Vec<_>>()
    );
}

#[test]
fn bases_with_prefixes_of_their_own_stay_apart() {
    let files = memory([(
        "app/kustomization.yaml",
        "namePrefix: p-\nresources: [a, b]\n",
    )]);
    let a = renamed(&CLUSTER.replace("name: db", "name: p-a-db"), "db", "shop");
    let mut both = renamed(&CLUSTER.replace("name: db", "name: p-b-db"), "db", "shop");
    both.append(a).unwrap();
    let out = run(&files, &both, POLICY_ONLY, Host::default());
    assert!(
        out.contains("  name: b-db\n") && out.contains("  name: a-db\n"),
        "{out}"
    );
}

#[test]
fn components_rename_before_the_root() {
    let files = memory([
        (
            "app/kustomization.yaml",
            "namePrefix: r-\ncomponents: [../c]\nresources: [a.yaml]\n",
        ),
        (
            "c/kustomization.yaml",
            "kind: Component\nnamePrefix: c-\nnamespace: moved\n",
        ),
    ]);
    let built = renamed(
        &CLUSTER
            .replace("name: db", "name: r-c-db")
            .replace("shop", "moved"),
        "db",
        "shop",
    );
    let out = run(&files, &built, POLICY_ONLY, Host::default());
    assert!(out.contains("  name: db\n  namespace: moved\n"), "{out}");
    assert!(out.contains("cnpg.io/cluster: r-c-db\n"), "{out}");
}

#[test]
fn variables_stay_in_names_and_count_filled_in_conditions() {
    let files = memory([("app/kustomization.yaml", "resources: [a.yaml]\n")]);
    let built = objects(&CLUSTER.replace("name: db", "name: '${APP}-db'"));
    let overlays = "{use: [cnpg-cluster-policy], inputs: {network_policies_enabled: true}, for: [{target: {name: paperless-db}, parameters: {mode: enforce}}]}";
    let fill = |text: &str| text.replace("${APP}", "paperless");
    let host = Host {
        substitute: Some(&fill),
        ..Host::default()
    };
    let out = run(&files, &built, overlays, host);
    assert!(out.contains("networkpolicy-paperless-db.yaml"), "{out}");
    assert!(
        out.contains("  name: \"${APP}-db\"\n") && out.contains("cnpg.io/cluster: paperless-db\n"),
        "{out}"
    );
    assert!(out.contains("    egress: true\n"), "{out}");
    let out = run(&files, &built, overlays, Host::default());
    assert!(
        out.contains("networkpolicy-APP-db.yaml]\n")
            && out.contains("cnpg.io/cluster: \"${APP}-db\"\n"),
        "{out}"
    );
    assert!(out.contains("    egress: false\n"), "{out}");
}

#[test]
fn namespaces_come_from_the_host_where_the_build_says_none() {
    let files = memory([("app/kustomization.yaml", "resources: [a.yaml]\n")]);
    let built = objects(&CLUSTER.replace(", namespace: shop", ""));
    let out = run(
        &files,
        &built,
        POLICY_ONLY,
        Host {
            destination_namespace: Some("argo"),
            ..Host::default()
        },
    );
    assert!(out.contains("  namespace: argo\n"), "{out}");
    let out = run(
        &files,
        &built,
        POLICY_ONLY,
        Host {
            target_namespace: Some("flux"),
            ..Host::default()
        },
    );
    assert!(out.contains("  namespace: flux\n"), "{out}");
    let out = run(&files, &built, POLICY_ONLY, Host::default());
    assert!(out.starts_with("error[overlay-namespace]: cnpg-cluster-policy adds objects for Cluster/db, whose namespace is not known"), "{out}");
    let own = "{use: [cnpg-cluster-policy], inputs: {network_policies_enabled: true}, for: [{target: {name: db}, namespace: own}]}";
    assert!(run(&files, &built, own, Host::default()).contains("  namespace: own\n"));
}

#[test]
fn a_second_run_changes_nothing() {
    let built = format!("{CLUSTER}---\n{OPERATOR}");
    let overlays = "{use: [cnpg@1, cnpg-external-secrets], inputs: {monitoring_enabled: true, network_policies_enabled: true, network_policies_mode: enforce, cnpg_custom_metrics_enabled: true, cnpg_metrics_tls_enabled: true, external_secrets_enabled: true}, parameters: {secret: db-owner}}";
    let files = memory([("app/kustomization.yaml", "resources: [a.yaml]\n")]);
    let first = run(&files, &objects(&built), overlays, Host::default());
    assert!(!first.contains("error["), "{first}");
    let mut second = built.clone();
    for file in first.split("\n== ").skip(1) {
        let (name, text) = file.split_once('\n').unwrap();
        if !name.contains("patch-") && !name.contains("kustomization") {
            second += text;
            second.push('\n');
        }
    }
    let patched = "spec: {instances: 3, inheritedMetadata: {labels: {prerender.dev/cnpg-metrics: tls}}, monitoring: {enablePodMonitor: false, tls: {enabled: true}, customQueriesConfigMap: [{name: db-custom-metrics, key: custom-queries}]}}";
    let second = second.replace("spec: {instances: 3}", patched);
    let out = run(&files, &objects(&second), overlays, Host::default());
    assert!(!out.contains("==") && !out.contains("added"), "{out}");
}

#[test]
fn clusters_that_a_chart_makes_are_targets() {
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: pg, namespace: shop}\nspec: {chart: {spec: {chart: cluster, sourceRef: {kind: HelmRepository, name: cnpg}}}}\n";
    let files = memory([("app/kustomization.yaml", "resources: [a.yaml]\n")]);
    let out = run(&files, &objects(release), POLICY_ONLY, Host::default());
    assert!(out.contains("cnpg.io/cluster: pg-cluster\n"), "{out}");
    let declared = "{use: [cnpg-cluster-policy], inputs: {network_policies_enabled: true}, clusters: [{name: paper, namespace: docs, root: app}]}";
    let out = run(&files, &objects(OPERATOR), declared, Host::default());
    assert!(
        out.contains("cnpg.io/cluster: paper\n") && out.contains("  namespace: docs\n"),
        "{out}"
    );
    let out = run(
        &files,
        &objects(&CLUSTER.replace("name: db, namespace: shop", "name: paper, namespace: docs")),
        declared,
        Host::default(),
    );
    assert!(out.starts_with("error[overlay-declared]"), "{out}");
}

#[test]
fn a_survey_writes_each_fact_with_the_place_where_it_was_seen() {
    let built = objects(
        "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: db, namespace: shop}\nspec: {plugins: [{name: barman-cloud.cloudnative-pg.io, parameters: {barmanObjectName: store}}]}\n---\n\
         apiVersion: barmancloud.cnpg.io/v1\nkind: ObjectStore\nmetadata: {name: store, namespace: shop}\nspec: {configuration: {endpointURL: 'http://rustfs.storage.svc.cluster.local:9000'}}\n---\n\
         apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: orders, namespace: shop}\nspec: {template: {metadata: {labels: {app: orders}}, spec: {containers: [{env: [{name: DB, value: 'db-rw:5432'}]}]}}}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata: {url: 'postgres://db-rw/x'}\n---\n\
         apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: reports, namespace: shop}\nspec: {template: {metadata: {labels: {app: reports}}, spec: {containers: [{envFrom: [{configMapRef: {name: settings}}]}]}}}\n---\n\
         apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: far, namespace: other}\nspec: {template: {metadata: {labels: {app: far}}, spec: {containers: [{env: [{name: DB, value: 'db-rw.shop.svc'}]}]}}}\n---\n\
         apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: stranger, namespace: other}\nspec: {template: {metadata: {labels: {app: stranger}}, spec: {containers: [{env: [{name: DB, value: 'other-db-rw'}]}]}}}\n---\n\
         apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: cnpg, namespace: cnpg-system}\nspec: {chart: {spec: {chart: cloudnative-pg}}}\n",
    );
    let directory = TreePath::parse("app").expect("below the root");
    let sets = builtin_sets().unwrap_or_else(|e| panic!("{e}"));
    let root = super::Surveyed {
        namespace: None,
        directory: &directory,
        built: &built,
    };
    let text = super::survey(&sets[0], &[root], &|_| None).unwrap_or_else(|e| panic!("{e}"));
    let wanted = "\
overlays:
  use: [cnpg@1]
  inputs:
    monitoring_enabled: false  # nothing of the kind was seen
    network_policies_enabled: false  # nothing of the kind was seen
    network_policies_mode: audit  # allows and denies nothing; enforce in `for`, one database at a time
  parameters:
    operator: {namespace: cnpg-system, podLabels: {app.kubernetes.io/name: cloudnative-pg}}  # HelmRelease/cnpg-system/cnpg, app/objects.yaml:36
    sharedPodMonitor: true  # HelmRelease/cnpg-system/cnpg, app/objects.yaml:36
  for:
    - target: {namespace: shop, name: db}  # Cluster/shop/db, app/objects.yaml:1
      parameters:
        clients:
          - {podLabels: {app: orders}}  # Deployment/shop/orders, app/objects.yaml:11 mentions db-rw
          - {podLabels: {app: reports}}  # Deployment/shop/reports, app/objects.yaml:21 mentions settings
          - {namespace: other, podLabels: {app: far}}  # Deployment/other/far, app/objects.yaml:26 mentions db-rw.shop
        objectStore: {namespace: storage, podLabels: {app.kubernetes.io/name: rustfs}, port: 9000}  # the endpoint of its backups; its pods are not rendered: check labels and port
";
    assert_eq!(text, wanted);
}

/// The document's policy for Keycloak's database, as it stands in the repository it came from.
const OWN_POLICY: &str = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: db, namespace: shop}\nspec:\n  endpointSelector: {matchLabels: {cnpg.io/cluster: db}}\n  ingress:\n    - fromEndpoints: [{matchLabels: {app: orders}}]\n      toPorts: [{ports: [{port: '5432', protocol: TCP}]}]\n";

fn conflict(own: &str, overlays: &str) -> String {
    let files = memory([
        ("app/kustomization.yaml", "resources:\n  - a.yaml\n"),
        ("app/networkpolicy-db.yaml", "taken"),
        ("app/patch-ciliumnetworkpolicy-db.yaml", "taken"),
    ]);
    run(
        &files,
        &objects(&format!("{CLUSTER}---\n{own}")),
        overlays,
        Host::default(),
    )
}

#[test]
fn an_object_that_is_there_is_kept_and_told_by_meaning() {
    let out = conflict(OWN_POLICY, POLICY_ONLY);
    assert_eq!(
        out,
        "cnpg-cluster-policy Cluster/shop/db: kept\n\
         warning[overlay-conflict]: CiliumNetworkPolicy/shop/db differs from what cnpg-cluster-policy adds: it lacks ingress app.kubernetes.io/name=cloudnative-pg,io.kubernetes.pod.namespace=cnpg-system:8000,5432, ingress cnpg.io/cluster=db:5432,8000, ingress io.kubernetes.pod.namespace=shop:5432, egress kube-apiserver:6443,443, egress io.kubernetes.pod.namespace=kube-system,k8s-app=kube-dns:53/UDP,53, egress cnpg.io/cluster=db:5432,8000, enableDefaultDeny.ingress: false, enableDefaultDeny.egress: false\n  \
         --> app/objects.yaml:6:1\n  \
         note: it is kept as it is\n  \
         help: list CiliumNetworkPolicy/shop/db under overlays.replace, or skip cnpg-cluster-policy for Cluster/shop/db\n"
    );
}

#[test]
fn an_object_that_is_listed_is_replaced_by_a_patch() {
    let overlays = "{use: [cnpg-cluster-policy], inputs: {network_policies_enabled: true}, replace: [CiliumNetworkPolicy/shop/db]}";
    let out = conflict(OWN_POLICY, overlays);
    assert!(out.starts_with("cnpg-cluster-policy Cluster/shop/db: replaced\n== app/kustomization.yaml\nresources:\n  - a.yaml\npatches:\n  - {path: prerender-patch-ciliumnetworkpolicy-db.yaml, target: {group: cilium.io, version: v2, kind: CiliumNetworkPolicy, name: db, namespace: shop}}\n== app/prerender-patch-ciliumnetworkpolicy-db.yaml\n- op: replace\n  path: /spec\n  value:\n"), "{out}");
    assert!(!out.contains("== app/networkpolicy"), "{out}");
}

#[test]
fn an_object_under_another_name_covers_its_target() {
    let own = OWN_POLICY.replace("name: db, namespace: shop", "name: old, namespace: shop");
    let out = conflict(&own, POLICY_ONLY);
    assert!(out.starts_with("cnpg-cluster-policy Cluster/shop/db: kept\nwarning[overlay-conflict]: CiliumNetworkPolicy/shop/old differs"), "{out}");
    let overlays = "{use: [cnpg-cluster-policy], inputs: {network_policies_enabled: true}, onConflict: replace}";
    let out = conflict(&own, overlays);
    assert!(out.contains("name: old, namespace: shop}}\n"), "{out}");
    let overlays =
        "{use: [cnpg-cluster-policy], inputs: {network_policies_enabled: true}, onConflict: fail}";
    assert!(
        conflict(&own, overlays)
            .starts_with("error[overlay-conflict]: CiliumNetworkPolicy/shop/old differs")
    );
}

#[test]
fn a_name_that_is_taken_gets_a_prefix() {
    let out = conflict(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
        POLICY_ONLY,
    );
    assert!(
        out.contains("  - prerender-networkpolicy-db.yaml\n"),
        "{out}"
    );
}

#[test]
fn where_an_object_is_kept_its_patches_are_left_out() {
    let own = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: db-custom-metrics, namespace: shop}\ndata: {custom-queries: own}\n";
    let overlays = "{use: [cnpg-custom-metrics], inputs: {monitoring_enabled: true, cnpg_custom_metrics_enabled: true}}";
    let out = conflict(own, overlays);
    assert!(
        out.contains("it has another metadata.labels, data.custom-queries\n"),
        "{out}"
    );
    assert!(!out.contains("== "), "{out}");
}

#[test]
fn a_default_deny_waits_for_the_policy_that_it_needs() {
    let own = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: cnpg-operator, namespace: cnpg-system}\nspec: {endpointSelector: {matchLabels: {app.kubernetes.io/name: cloudnative-pg}}, ingress: [{}]}\n";
    let files = memory([("app/kustomization.yaml", "resources: [a.yaml]\n")]);
    let overlays = "{use: [cnpg-default-deny, cnpg-operator-policy], inputs: {network_policies_enabled: true, network_policies_mode: enforce}}";
    let out = run(
        &files,
        &objects(&format!("{OPERATOR}---\n{own}")),
        overlays,
        Host::default(),
    );
    assert!(
        out.contains("cnpg-default-deny Deployment/cnpg-system/cnpg: left out\n"),
        "{out}"
    );
    assert!(!out.contains("== "), "{out}");
    let out = run(&files, &objects(OPERATOR), overlays, Host::default());
    assert!(
        out.contains("cnpg-default-deny Deployment/cnpg-system/cnpg: added\n"),
        "{out}"
    );
}

#[test]
fn clients_are_asked_for_in_enforce_mode() {
    let overlays = |clients: &str| {
        format!(
            "{{use: [cnpg-cluster-policy], inputs: {{network_policies_enabled: true, network_policies_mode: enforce}}, parameters: {{clients: {clients}}}}}"
        )
    };
    let files = memory([("app/kustomization.yaml", "resources: [a.yaml]\n")]);
    let with = |clients: &str| {
        run(
            &files,
            &objects(CLUSTER),
            &overlays(clients),
            Host::default(),
        )
    };
    assert_eq!(
        with("[]"),
        "error[overlay-assertion]: no client may reach db in enforce mode\n  --> app/objects.yaml:1:1\n  note: cnpg-cluster-policy asks for it\n  help: name the pods in `clients`, or write `clients: none` where that is meant"
    );
    assert!(with("none").contains("added"));
    assert_eq!(
        with("nobody"),
        "error[overlay-parameter]: clients must be none or a list, and is text\n  --> prerender.yaml:1:126\n  help: clients of cnpg-cluster-policy: Who may reach PostgreSQL on 5432. Each entry is a set of pods (podLabels in namespace; the Cluster's own by default, '*' for all), a cidr, or entities of Cilium; {} is every pod of the Cluster's namespace. The text none says that nobody may"
    );
    assert!(with("[{podLabel: {a: b}}]").starts_with("error[overlay-parameter]: clients[0] has no podLabel\n  --> prerender.yaml:1:128\n  help: did you mean podLabels?"));
}

#[test]
fn a_host_asks_for_a_version() {
    let files = memory([("app/kustomization.yaml", "resources: [a.yaml]\n")]);
    let with = |overlays: &str| {
        let host = Host {
            must_pin: true,
            ..Host::default()
        };
        run(&files, &objects(CLUSTER), overlays, host)
    };
    let unpinned = "{use: [cnpg], inputs: {network_policies_enabled: true}}";
    assert_eq!(
        with(unpinned),
        "error[overlay-config]: cnpg is used without a version\n  --> prerender.yaml:1:8\n  help: a host renders what was reviewed: write cnpg@1"
    );
    assert!(with("{use: [cnpg-cluster-policy]}").contains("write cnpg-cluster-policy@1"));
    assert!(
        with(
            &unpinned
                .replace("cnpg,", "cnpg@1,")
                .replace("[cnpg]", "[cnpg@1]")
        )
        .contains("added")
    );
}

#[test]
fn later_settings_win_key_by_key() {
    let files = memory([("app/kustomization.yaml", "resources: [a.yaml]\n")]);
    let annotated = CLUSTER.replace(
        "namespace: shop}",
        "namespace: shop, annotations: {prerender.dev/overlays: '{parameters: {mode: audit}}'}}",
    );
    let overlays = "{use: [cnpg-cluster-policy], inputs: {network_policies_enabled: true}, parameters: {mode: audit}, for: [{target: {name: db}, parameters: {mode: enforce}}]}";
    let is_enforced = |built: &str, host: Host<'_>| {
        run(&files, &objects(built), overlays, host).contains("    egress: true\n")
    };
    assert!(is_enforced(CLUSTER, Host::default()));
    assert!(!is_enforced(&annotated, Host::default()));
    let parameters = [super::HostParameter::new(
        "cnpg-cluster-policy",
        "mode",
        &serde_json::json!("enforce"),
        "the Application",
    )];
    let host = |policy| Host {
        parameters: &parameters,
        policy,
        ..Host::default()
    };
    assert!(is_enforced(&annotated, host(None)));
    let mut policy = super::Policy::default();
    policy.set("mode", &serde_json::json!("audit"), "the policy");
    assert!(!is_enforced(&annotated, host(Some(&policy))));
    let locked = super::Policy {
        lock: vec!["mode".to_owned()],
        ..super::Policy::default()
    };
    // What is locked and not set is the overlay's default.
    assert!(!is_enforced(CLUSTER, host(Some(&locked))));
}

#[test]
fn what_is_mandatory_cannot_be_left_out() {
    let files = memory([("app/kustomization.yaml", "resources: [a.yaml]\n")]);
    let mut policy = super::Policy {
        mandatory: vec!["cnpg-cluster-policy".to_owned()],
        lock: vec!["network_policies_mode".to_owned()],
        ..super::Policy::default()
    };
    policy.set(
        "network_policies_enabled",
        &serde_json::json!(true),
        "the policy",
    );
    let with = |built: &str, overlays: &str| {
        let host = Host {
            policy: Some(&policy),
            ..Host::default()
        };
        run(&files, &objects(built), overlays, host)
    };
    // Neither skip nor an input of the project switches it off.
    let skip = "{use: [cnpg-cluster-policy], inputs: {network_policies_enabled: false}, for: [{target: {kind: Cluster}, skip: [cnpg-cluster-policy]}]}";
    let out = with(CLUSTER, skip);
    assert!(
        out.contains("is mandatory here, and applies to Cluster/shop/db although it is skipped"),
        "{out}"
    );
    assert!(out.contains("added"), "{out}");
    // An object of its name with another content is no way around it.
    let own = format!("{CLUSTER}---\n{OWN_POLICY}");
    let out = with(&own, "{use: [cnpg-cluster-policy]}");
    assert!(
        out.contains("note: cnpg-cluster-policy is mandatory here"),
        "{out}"
    );
    let replace = "{use: [cnpg-cluster-policy], replace: [CiliumNetworkPolicy/shop/db]}";
    assert!(with(&own, replace).contains("replaced"));
}
