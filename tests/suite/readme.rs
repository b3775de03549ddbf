//! Runs what the README tells a newcomer to look at, and every manifest that README and docs show, on a copy of the
//! demo as it lies in a clone.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn what_the_readme_shows_works() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(top.join("README.md")).unwrap();
    let shown: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("plugin ") && line.contains("testdata/demo"))
        .map(|line| line.split('#').next().unwrap().trim())
        .collect();
    assert!(shown.len() >= 9, "the README shows the demo: {shown:?}");
    let scratch = tempfile::tempdir().unwrap();
    copy(
        &top.join("testdata/demo"),
        &scratch.path().join("testdata/demo"),
    );
    for line in shown {
        let output = Command::new(env!("CARGO_BIN_EXE_plugin"))
            .args(line.split_whitespace().skip(1))
            .current_dir(scratch.path())
            .env_clear()
            .env("HOME", scratch.path().join("home"))
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}\n{error}");
        let is_written = line.contains(" -o ") && scratch.path().join("out").is_dir();
        assert!(
            is_written || !output.stdout.is_empty(),
            "{line} prints nothing"
        );
    }
}

/// The fenced blocks of YAML in a page, without what they are indented by.
fn manifests(page: &Path) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for line in fs::read_to_string(page).unwrap().lines() {
        let text = line.trim_start();
        match &mut open {
            None if text == "```yaml" => open = Some((line.len() - text.len(), String::new())),
            Some((_, block)) if text == "```" => {
                blocks.push(std::mem::take(block));
                open = None;
            }
            Some((indent, block)) => {
                block.push_str(line.get(*indent..).unwrap_or_default());
                block.push('\n');
            }
            None => {}
        }
    }
    blocks
}

/// What a clone holds, as far as the manifests name it.
fn clone() -> tempfile::TempDir {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = tempfile::tempdir().unwrap();
    for part in ["testdata/demo", "plugin"] {
        copy(&top.join(part), &scratch.path().join(part));
    }
    fs::create_dir(scratch.path().join(".git")).unwrap();
    scratch
}

/// Runs the plugin there; gives its status, and all that it printed.
fn run(at: &Path, words: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_plugin"))
        .args(words)
        .current_dir(at)
        .env_clear()
        .env("HOME", at.join("home"))
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let all = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&all).into_owned();
    (output.status.success(), printed)
}

fn try_application(at: &Path) {
    let words = [
        "argocd",
        "simulate",
        "-f",
        "shown.yaml",
        "--keys",
        "testdata/demo/age.key",
    ];
    let (is_right, printed) = run(at, &words, &[]);
    assert!(is_right, "{printed}");
}

/// Each directory of the set's one generator renders.
fn try_application_set(at: &Path) {
    let apps = at.join("testdata/demo/kubernetes/apps");
    let below = |directory: &Path| -> Vec<std::path::PathBuf> {
        let entries = fs::read_dir(directory).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let groups = below(&apps).into_iter().flat_map(|group| below(&group));
    let found: Vec<_> = groups
        .map(|one| one.join("app"))
        .filter(|app| app.is_dir())
        .collect();
    assert!(found.len() >= 6, "{found:?}");
    for app in found {
        let path = app.strip_prefix(at).unwrap().to_str().unwrap();
        let words = [
            "argocd",
            "simulate",
            path,
            "--keys",
            "testdata/demo/age.key",
        ];
        let (is_right, printed) = run(at, &words, &[]);
        assert!(is_right, "{path}\n{printed}");
    }
}

/// A project that the policy names renders in a directory that it names, and no other project does.
fn try_policy(at: &Path) {
    let app = at.join("apps/team-a/shop");
    fs::create_dir_all(&app).unwrap();
    fs::write(
        app.join("kustomization.yaml"),
        "configMapGenerator: [{name: a, literals: [b=c]}]\n",
    )
    .unwrap();
    let asked = |project| {
        let variables = [
            ("ARGOCD_APP_PROJECT_NAME", project),
            (
                "ARGOCD_APP_SOURCE_REPO_URL",
                "https://git.example/team-a/shop",
            ),
            ("ARGOCD_APP_NAMESPACE", "team-a-shop"),
            ("ARGOCD_APP_SOURCE_PATH", "apps/team-a/shop"),
            ("ARGOCD_APP_PARAMETERS", "null"),
        ];
        let policy = at.join("shown.yaml");
        let words = ["argocd", "generate", "--policy", policy.to_str().unwrap()];
        run(&app, &words, &variables)
    };
    let (is_right, printed) = asked("team-a");
    assert!(is_right, "{printed}");
    let (is_right, printed) = asked("team-b");
    assert!(
        !is_right && printed.contains("error[policy-refuses]"),
        "{printed}"
    );
}

/// The project file is read: what it names need not be there.
fn try_project(at: &Path) {
    let directory = at.join("project");
    fs::create_dir_all(&directory).unwrap();
    fs::copy(at.join("shown.yaml"), directory.join("prerender.yaml")).unwrap();
    fs::write(
        directory.join("kustomization.yaml"),
        "configMapGenerator: [{name: a, literals: [b=c]}]\n",
    )
    .unwrap();
    let (is_right, printed) = run(&directory, &["render"], &[]);
    assert!(
        is_right || printed.contains("error[file-missing]"),
        "{printed}"
    );
}

/// The kustomization that installs Argo CD takes the component, where Argo CD itself is a stub.
fn try_kustomization(at: &Path) {
    let install = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: argocd-repo-server}\nspec: {template: {spec: {containers: [{name: argocd-repo-server}]}}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cmd-params-cm}\n";
    fs::write(at.join("install.yaml"), install).unwrap();
    fs::copy(at.join("shown.yaml"), at.join("kustomization.yaml")).unwrap();
    let (is_right, printed) = run(at, &["render"], &[]);
    assert!(
        is_right && printed.contains("registry.example/prerender:"),
        "{printed}"
    );
}

#[test]
fn every_manifest_that_is_shown_works() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut shown = Vec::new();
    for page in [
        "README.md",
        "docs/argocd.md",
        "docs/flux.md",
        "docs/overlays.md",
        "docs/templates.md",
    ] {
        shown.extend(manifests(&top.join(page)));
    }
    for example in ["application.yaml", "applicationset.yaml"] {
        let path = top.join("plugin/argocd/examples").join(example);
        shown.push(fs::read_to_string(path).unwrap());
    }
    for manifest in shown {
        let at = clone();
        let has = |line: &str| {
            manifest
                .lines()
                .any(|l| l == line || l.starts_with(&format!("{line} ")))
        };
        let is_policy_part = has("  mandatory: [cnpg-cluster-policy]");
        let is_project_part = has("overlays:") || manifest.starts_with("checks:");
        let (head, attempt): (&str, fn(&Path)) = match () {
            () if has("kind: Application") => ("", try_application),
            () if has("kind: ApplicationSet") => ("", try_application_set),
            () if has("kind: HostPolicy") => ("", try_policy),
            () if has("kind: Prerender") => ("", try_project),
            () if has("components:") => ("", try_kustomization),
            () if is_policy_part => continue, // a part of the policy above
            () if is_project_part => (
                "apiVersion: prerender.dev/v1alpha1\nkind: Prerender\n",
                try_project,
            ),
            // tests/overlays.rs has overlays and annotations of its own.
            () if has("kind: Overlay") || has("metadata:") => continue,
            () => panic!("nothing tries this manifest:\n{manifest}"),
        };
        fs::write(at.path().join("shown.yaml"), format!("{head}{manifest}")).unwrap();
        attempt(at.path());
    }
}
