//! The Argo CD side that no case folder can show: what is installed, the deadline, many calls at once, and the names
//! under which the program stands in for others.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test runner"
)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const PLUGIN: &str = env!("CARGO_BIN_EXE_plugin");

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Files below a new directory.
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = scratch.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    scratch
}

fn run(program: &Path, directory: &Path, words: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(program)
        .args(words)
        .current_dir(directory)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn printed(output: Output) -> String {
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// A program on the path; `None`, and a word about it, when there is none.
fn peer(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|program| program.is_file());
    if found.is_none() {
        eprintln!("there is no {name}: what it says is not compared");
    }
    found
}

const CONFIG_MAP: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  a: b\n";

/// As much of Argo CD's manifests as the components change.
const ARGO_CD: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: argocd-repo-server
spec:
  selector:
    matchLabels: {app.kubernetes.io/name: argocd-repo-server}
  template:
    metadata:
      labels: {app.kubernetes.io/name: argocd-repo-server}
    spec:
      containers:
        - name: argocd-repo-server
          image: quay.io/argoproj/argocd:v3.1.0
          env:
            - {name: ARGOCD_RECONCILIATION_TIMEOUT, value: 180s}
          volumeMounts:
            - {name: var-files, mountPath: /var/run/argocd}
            - {name: plugins, mountPath: /home/argocd/cmp-server/plugins}
      volumes:
        - {name: var-files, emptyDir: {}}
        - {name: plugins, emptyDir: {}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cmd-params-cm
";

fn installed() -> tempfile::TempDir {
    let scratch = tree(&[
        ("base/argocd.yaml", ARGO_CD),
        (
            "base/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [argocd.yaml]\n",
        ),
        (
            "install/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: argocd\nresources: [../base]\ncomponents: [../argocd/sidecar, ../argocd/policy, ../argocd/scale, ../argocd/network]\nimages: [{name: prerender, newName: registry.example/prerender}]\n",
        ),
    ]);
    copy(&project("plugin/argocd"), &scratch.path().join("argocd"));
    scratch
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[test]
fn the_components_build_and_validate() {
    let scratch = installed();
    let at = scratch.path();
    let built = printed(run(Path::new(PLUGIN), at, &["render", "install"], &[]));
    for text in [
        "image: registry.example/prerender:0.1.0",
        "defaultMode: 256",
        "readOnlyRootFilesystem: true",
        "runAsUser: 999",
        "fsGroup: 999",
        "kind: HorizontalPodAutoscaler",
        "kind: NetworkPolicy",
        "reposerver.plugin.tar.exclusions: .git/*",
        "--policy",
        "image: quay.io/argoproj/argocd:v3.1.0",
    ] {
        assert!(built.contains(text), "{text} is missing:\n{built}");
    }
    let checked = run(Path::new(PLUGIN), at, &["check", "install"], &[]);
    assert!(checked.status.success(), "{}", said(&checked));
    if let Some(kubectl) = peer("kubectl") {
        assert_eq!(
            printed(run(&kubectl, at, &["kustomize", "install"], &[])),
            built
        );
    }
}

#[test]
fn the_shipped_policy_is_read() {
    let scratch = tree(&[
        ("kustomization.yaml", "resources: [cm.yaml]\n"),
        ("cm.yaml", CONFIG_MAP),
    ]);
    let policy = project("plugin/argocd/policy/policy.yaml")
        .display()
        .to_string();
    let words = ["argocd", "generate", "--policy", &policy];
    let project = [("ARGOCD_APP_PROJECT_NAME", "platform")];
    printed(run(Path::new(PLUGIN), scratch.path(), &words, &project));
    let other = [("ARGOCD_APP_PROJECT_NAME", "team-b")];
    let refused = run(Path::new(PLUGIN), scratch.path(), &words, &other);
    assert!(said(&refused).starts_with("error[policy-refuses]"));
}

#[test]
fn the_examples_are_simulated() {
    let scratch = tree(&[
        (
            "testdata/demo/kubernetes/apps/shop/overlays/prod/kustomization.yaml",
            "resources: [cm.yaml]\n",
        ),
        (
            "testdata/demo/kubernetes/apps/shop/overlays/prod/cm.yaml",
            CONFIG_MAP,
        ),
    ]);
    let application = project("plugin/argocd/examples/application.yaml")
        .display()
        .to_string();
    let words = ["argocd", "simulate", "-f", &application];
    let output = run(Path::new(PLUGIN), scratch.path(), &words, &[]);
    // The example sets a replica count of a workload that is not here.
    assert!(said(&output).contains("`/usr/local/bin/plugin argocd generate` failed exit status 1: error[replica-target-missing]"), "{}", said(&output));
    let set = project("plugin/argocd/examples");
    printed(run(Path::new(PLUGIN), &set, &["schema"], &[]));
}

/// Templates that take longer together than the deadline, and less fuel each than there is.
#[test]
fn the_deadline_names_stage_file_and_inputs() {
    const MARKS: &str = "templates: {delimiters: {block: [\"#%\", \"%#\"], variable: [\"#{\", \"}#\"], comment: [\"#|\", \"#|\"]}}\n";
    let project = format!("apiVersion: prerender.dev/v1alpha1\nkind: Prerender\n{MARKS}");
    let scratch = tree(&[
        ("prerender.yaml", &project),
        (
            "policy.yaml",
            "apiVersion: prerender.dev/v1alpha1\nkind: HostPolicy\ndefaults: {deadline: 100ms}\nprojects: [{match: {project: '*'}}]\n",
        ),
    ]);
    let mut kustomization = "resources:\n".to_owned();
    for index in 0..200 {
        kustomization.push_str(&format!("  - slow-{index}.yaml\n"));
        let text = format!(
            "#% for i in range(400) %##% for j in range(400) %##% endfor %##% endfor %#\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a-{index}}}\n"
        );
        fs::write(scratch.path().join(format!("slow-{index}.yaml.j2")), text).unwrap();
    }
    fs::write(scratch.path().join("kustomization.yaml"), kustomization).unwrap();
    let words = ["argocd", "generate", "--policy", "policy.yaml"];
    let project = [("ARGOCD_APP_PROJECT_NAME", "a")];
    // The deadline may fall between two files, and then names none: it does not do so again and again.
    let attempts = (0..10).map(|_| {
        let output = run(Path::new(PLUGIN), scratch.path(), &words, &project);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(5), "{said}");
        assert!(output.stdout.is_empty());
        assert!(
            said.starts_with("error[deadline]: the render did not end within"),
            "{said}"
        );
        assert!(said.contains("raise the deadline in the policy"), "{said}");
        said
    });
    let names_a_file = |said: &String| {
        let texts = [
            "; it was in the stage build\n  --> slow-",
            " is being read since ",
            " took ",
        ];
        texts.iter().all(|text| said.contains(text))
    };
    assert!(attempts.into_iter().any(|said| names_a_file(&said)));
}

/// A directory with one large manifest, and a policy that bounds the memory of its render.
fn large(objects: usize, memory: &str) -> tempfile::TempDir {
    let object = |index| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a-{index}}}\ndata: {{a: b}}\n"
        )
    };
    let text: String = (0..objects).map(object).collect();
    let policy = format!(
        "apiVersion: prerender.dev/v1alpha1\nkind: HostPolicy\ndefaults: {{memory: {memory}}}\nprojects: [{{match: {{project: '*'}}}}]\n"
    );
    tree(&[
        ("kustomization.yaml", "resources: [large.yaml]\n"),
        ("large.yaml", &text),
        ("policy.yaml", &policy),
    ])
}

#[test]
fn a_render_that_takes_too_much_memory_ends_alone() {
    let scratch = large(60_000, "32Mi");
    let words = ["argocd", "generate", "--policy", "policy.yaml"];
    let project = [("ARGOCD_APP_PROJECT_NAME", "a")];
    let output = run(Path::new(PLUGIN), scratch.path(), &words, &project);
    assert_eq!(output.status.signal(), Some(6), "{}", said(&output));
    assert!(output.stdout.is_empty());
    assert!(said(&output).contains("memory allocation of"));
}

/// As on a machine with so many processors: the stacks of as many threads take more than is allowed.
#[test]
fn a_render_takes_few_of_many_processors() {
    let scratch = large(20_000, "256Mi");
    let words = ["argocd", "generate", "--policy", "policy.yaml"];
    let variables = [
        ("ARGOCD_APP_PROJECT_NAME", "a"),
        ("RAYON_NUM_THREADS", "400"),
    ];
    let printed = printed(run(Path::new(PLUGIN), scratch.path(), &words, &variables));
    assert!(printed.contains("name: a-19999"));
}

#[test]
fn many_calls_at_once_on_a_tree_that_cannot_be_written() {
    let scratch = tree(&[
        ("apps/shop/kustomization.yaml", "resources: [cm.yaml]\n"),
        ("apps/shop/cm.yaml", CONFIG_MAP),
    ]);
    let at = scratch.path().join("apps/shop");
    for directory in ["apps/shop", "apps", "."] {
        let mode = fs::Permissions::from_mode(0o555);
        fs::set_permissions(scratch.path().join(directory), mode).unwrap();
    }
    let variables = [("ARGOCD_APP_SOURCE_PATH", "apps/shop")];
    let call = || {
        printed(run(
            Path::new(PLUGIN),
            &at,
            &["argocd", "generate"],
            &variables,
        ))
    };
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..16).map(|_| scope.spawn(call)).collect();
        let outputs: Vec<String> = calls.into_iter().map(|c| c.join().unwrap()).collect();
        assert!(outputs.iter().all(|o| o.contains("name: settings")));
    });
    for directory in [".", "apps", "apps/shop"] {
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(scratch.path().join(directory), mode).unwrap();
    }
}

/// The program under another name.
fn called(name: &str, scratch: &Path) -> PathBuf {
    let bin = scratch.join("bin");
    fs::create_dir_all(&bin).unwrap();
    let link = bin.join(name);
    if !link.exists() {
        symlink(PLUGIN, &link).unwrap();
    }
    link
}

/// The calls of Argo CD's repo-server for an Application with overrides, in its order.
#[test]
fn called_as_kustomize_it_answers_argo_cd() {
    let scratch = tree(&[
        (
            "apps/web/kustomization.yaml",
            "# web\nresources:\n  - web.yaml\n",
        ),
        (
            "apps/web/web.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  selector:\n    matchLabels: {app: web}\n  template:\n    metadata:\n      labels: {app: web}\n    spec:\n      containers:\n        - {name: web, image: nginx}\n",
        ),
        (
            "apps/part/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {part: of-it}\n",
        ),
    ]);
    let kustomize = called("kustomize", scratch.path());
    let at = scratch.path().join("apps/web");
    let version = printed(run(&kustomize, &at, &["version", "--short"], &[]));
    assert!(version.starts_with("{v5.8.1 "), "{version}");
    assert_eq!(printed(run(&kustomize, &at, &["version"], &[])), "v5.8.1\n");
    for words in [
        &["edit", "set", "nameprefix", "--", "x-"][..],
        &["edit", "set", "namesuffix", "--", "-y"],
        &["edit", "set", "image", "nginx=registry:5000/nginx:1.29"],
        &["edit", "set", "replicas", "web=3"],
        &["edit", "add", "label", "--force", "team:a"],
        &[
            "edit",
            "add",
            "label",
            "--without-selector",
            "--include-templates",
            "tier:b",
        ],
        &["edit", "add", "annotation", "--force", "note:c"],
        &["edit", "set", "namespace", "--", "shop"],
        &["edit", "add", "component", "../part"],
    ] {
        printed(run(&kustomize, &at, words, &[]));
    }
    let file = fs::read_to_string(at.join("kustomization.yaml")).unwrap();
    assert!(file.starts_with("# web\nresources:\n"), "{file}");
    let path = at.display().to_string();
    let words = [
        "build",
        &path,
        "--load-restrictor",
        "LoadRestrictionsNone",
        "--enable-helm=true",
        "--enable-exec=false",
        "--helm-kube-version",
        "1.34.0",
        "--helm-api-versions",
        "v1",
        "--helm-api-versions",
        "apps/v1",
    ];
    let built = printed(run(&kustomize, scratch.path(), &words, &[]));
    for text in [
        "name: x-web-y",
        "namespace: shop",
        "image: registry:5000/nginx:1.29",
        "replicas: 3",
        "team: a",
        "tier: b",
        "note: c",
        "part: of-it",
    ] {
        assert!(built.contains(text), "{text} is missing:\n{built}");
    }
    if let Some(kubectl) = peer("kubectl") {
        let words = [
            "kustomize",
            &path,
            "--load-restrictor",
            "LoadRestrictionsNone",
        ];
        assert_eq!(printed(run(&kubectl, scratch.path(), &words, &[])), built);
    }
    let twice = run(&kustomize, &at, &["edit", "add", "label", "team:b"], &[]);
    assert!(
        said(&twice).contains("label team is in the kustomization already"),
        "{}",
        said(&twice)
    );
}

const SEALED: &str =
    "testdata/demo/kubernetes/apps/shop/overlays/prod/registry-credentials.sops.yaml";

/// A kustomization with a KSOPS generator, and the program as its exec function.
fn with_ksops(annotation: &str) -> tempfile::TempDir {
    let generator = format!(
        "apiVersion: viaduct.ai/v1\nkind: ksops\nmetadata:\n  name: secrets\n{annotation}files: [secret.sops.yaml]\n"
    );
    let scratch = tree(&[
        (
            "kustomization.yaml",
            "namePrefix: x-\ngenerators: [generator.yaml]\n",
        ),
        ("generator.yaml", &generator),
    ]);
    fs::copy(project(SEALED), scratch.path().join("secret.sops.yaml")).unwrap();
    scratch
}

#[test]
fn called_as_ksops_it_is_a_function() {
    let scratch = with_ksops("");
    let ksops = called("ksops", scratch.path());
    let key = project("testdata/demo/age.key").display().to_string();
    let list = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\nfunctionConfig:\n  apiVersion: viaduct.ai/v1\n  kind: ksops\n  metadata: {name: secrets}\n  files: [secret.sops.yaml]\n";
    let call = |input: &str| {
        let file = scratch.path().join("list.yaml");
        fs::write(&file, input).unwrap();
        Command::new(&ksops)
            .current_dir(scratch.path())
            .env_clear()
            .env("SOPS_AGE_KEY_FILE", &key)
            .stdin(fs::File::open(&file).unwrap())
            .output()
            .unwrap()
    };
    let made = printed(call(list));
    assert!(
        made.starts_with("apiVersion: config.kubernetes.io/v1\nitems:\n- apiVersion: v1\n"),
        "{made}"
    );
    assert!(
        made.contains("kind: ResourceList") && made.contains("only-for-the-demo"),
        "{made}"
    );
    let wrong = call("kind: ConfigMap\n");
    assert!(
        said(&wrong).starts_with("error[generator-invalid]: standard input is no ResourceList"),
        "{}",
        said(&wrong)
    );
    let other = call(&list.replace("kind: ksops", "kind: other"));
    assert!(!other.status.success() && other.stdout.is_empty());
}

/// By the real kustomize where there is one, which runs it as an exec plugin.
#[test]
fn called_as_ksops_it_is_run_by_kustomize() {
    let scratch = with_ksops("");
    let home = scratch.path().join("plugins");
    let directory = home.join("viaduct.ai/v1/ksops");
    fs::create_dir_all(&directory).unwrap();
    symlink(PLUGIN, directory.join("ksops")).unwrap();
    let key = project("testdata/demo/age.key").display().to_string();
    let variables = [
        ("SOPS_AGE_KEY_FILE", key.as_str()),
        ("KUSTOMIZE_PLUGIN_HOME", home.to_str().unwrap()),
    ];
    let own = printed(run(
        Path::new(PLUGIN),
        scratch.path(),
        &["render", "."],
        &variables,
    ));
    assert!(own.contains("name: x-registry-credentials"), "{own}");
    if let Some(kubectl) = peer("kubectl") {
        let words = ["kustomize", "--enable-alpha-plugins", "."];
        assert_eq!(
            printed(run(&kubectl, scratch.path(), &words, &variables)),
            own
        );
    }
    if let Some(kustomize) = peer("kustomize") {
        let exec = with_ksops(
            "  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ./bin/ksops}\n",
        );
        called("ksops", exec.path());
        let words = ["build", "--enable-alpha-plugins", "--enable-exec", "."];
        assert_eq!(
            printed(run(&kustomize, exec.path(), &words, &variables)),
            own
        );
    }
}
