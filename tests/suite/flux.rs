//! What goes to Flux, taken there: a layout through a real registry, the scripts of `plugin/flux` in a real
//! repository, and its objects rendered.
//!
//! The registry is Debian's `docker-registry`; where it is not installed the test says so and is skipped.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

use std::collections::BTreeMap;
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn plugin(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plugin"));
    command.args(arguments).current_dir(directory).env_clear();
    command.env("HOME", directory).output().unwrap()
}

fn stdout(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A directory with one app in it.
fn app() -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    let app = scratch.path().join("app");
    std::fs::create_dir(&app).unwrap();
    let resources = "namespace: shop\nresources: [config.yaml]\n";
    std::fs::write(app.join("kustomization.yaml"), resources).unwrap();
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\ndata:\n  a: ${b}\n";
    std::fs::write(app.join("config.yaml"), config).unwrap();
    scratch
}

/// A registry on loopback, ended with the test.
struct Registry {
    process: Child,
    address: String,
    _storage: tempfile::TempDir,
}

impl Registry {
    fn start() -> Option<Self> {
        let storage = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let address = format!("127.0.0.1:{port}");
        let root = storage.path().display();
        let config = storage.path().join("config.yml");
        let text = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {root}/data\nhttp:\n  addr: {address}\n"
        );
        std::fs::write(&config, text).unwrap();
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let registry = Self {
            process,
            address,
            _storage: storage,
        };
        for _ in 0..200 {
            if ureq::get(registry.url("")).call().is_ok() {
                return Some(registry);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/v2/{path}", self.address)
    }

    /// Pushes a layout as every client does: its blobs, then its manifest.
    fn push(&self, layout: &Path, tag: &str) {
        let read = |digest: &str| {
            std::fs::read(layout.join("blobs").join(digest.replace(':', "/"))).unwrap()
        };
        let index: Value =
            serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
        let manifest = read(index["manifests"][0]["digest"].as_str().unwrap());
        let content: Value = serde_json::from_slice(&manifest).unwrap();
        for blob in [&content["config"], &content["layers"][0]] {
            let digest = blob["digest"].as_str().unwrap();
            let begun = ureq::post(self.url("apps/blobs/uploads/"))
                .send_empty()
                .unwrap();
            let location = begun.headers()["location"].to_str().unwrap().to_owned();
            let sign = if location.contains('?') { '&' } else { '?' };
            ureq::put(format!("{location}{sign}digest={digest}"))
                .header("content-type", "application/octet-stream")
                .send(&read(digest)[..])
                .unwrap();
        }
        ureq::put(self.url(&format!("apps/manifests/{tag}")))
            .header("content-type", MANIFEST_TYPE)
            .send(&manifest[..])
            .unwrap();
    }

    /// The digest of a tag, and the files of its layer.
    fn pull(&self, tag: &str) -> (String, BTreeMap<String, String>) {
        let mut response = ureq::get(self.url(&format!("apps/manifests/{tag}")))
            .header("accept", MANIFEST_TYPE)
            .call()
            .unwrap();
        let digest = response.headers()["docker-content-digest"]
            .to_str()
            .unwrap()
            .to_owned();
        let manifest = response.body_mut().read_to_vec().unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
        let layer = manifest["layers"][0]["digest"].as_str().unwrap();
        let mut blob = ureq::get(self.url(&format!("apps/blobs/{layer}")))
            .call()
            .unwrap();
        let blob = blob.body_mut().read_to_vec().unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&blob[..]));
        let mut files = BTreeMap::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            if !path.ends_with('/') {
                files.insert(path, text);
            }
        }
        (digest, files)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // A process that has ended already cannot be ended again.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_registry_serves_what_was_packed() {
    let Some(registry) = Registry::start() else {
        println!("skipped: docker-registry is not installed");
        return;
    };
    let scratch = app();
    let pack = ["flux", "artifact", "app", "-o", "layout", "--tag", "v1"];
    let digest = stdout(&plugin(scratch.path(), &pack));
    let layout = scratch.path().join("layout");
    registry.push(&layout, "v1");
    let (served, files) = registry.pull("v1");
    assert_eq!(served, digest.trim());
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["kustomization.yaml", "shop/configmap-config.yaml"]);
    assert!(files["shop/configmap-config.yaml"].contains("substitute: disabled"));
    // What Flux and Argo CD do next: they build the kustomization at the root.
    for (name, text) in &files {
        let path = scratch.path().join("unpacked").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let built = stdout(&plugin(scratch.path(), &["render", "unpacked"]));
    assert!(built.contains("a: ${b}"), "{built}");
    let target = format!("docker://{}/apps:copied", registry.address);
    let copy = Command::new("skopeo")
        .args([
            "--insecure-policy",
            "copy",
            "--quiet",
            "--dest-tls-verify=false",
        ])
        .args([format!("oci:{}:v1", layout.display()), target])
        .output();
    match copy {
        Ok(copied) => {
            stdout(&copied);
            assert_eq!(registry.pull("copied").0, digest.trim());
        }
        Err(_) => println!("not copied by skopeo: it is not installed"),
    }
}

#[test]
fn its_objects_render_and_are_understood() {
    let scratch = app();
    for way in ["oci", "branch"] {
        let directory = format!("plugin/flux/{way}");
        let rendered = stdout(&plugin(project(), &["render", &directory]));
        assert!(rendered.contains("kind: Kustomization"), "{rendered}");
        stdout(&plugin(project(), &["check", &directory]));
        let file = project().join(&directory).join("apps.yaml");
        let file = file.to_str().unwrap();
        let applied = plugin(
            scratch.path(),
            &["flux", "build", "-f", file, "--path", "app"],
        );
        assert!(stdout(&applied).contains("namespace: shop"));
    }
}

/// The text of every `run:` of a workflow.
fn steps(workflow: &str) -> Vec<String> {
    let path = project().join("plugin/flux/ci").join(workflow);
    let text = std::fs::read_to_string(path).unwrap();
    let options = prerender::yaml::ParseOptions::default();
    let node = prerender::yaml::parse(&text, options).unwrap().remove(0);
    let keys = ["jobs", "render", "steps"];
    let steps = node.lookup(&keys).and_then(|n| n.as_sequence()).unwrap();
    let run = |step: &prerender::yaml::Node| Some(step.get("run")?.as_str()?.to_owned());
    steps.iter().filter_map(run).collect()
}

#[test]
fn workflows_call_what_there_is() {
    for (workflow, script) in [
        ("github-oci.yaml", "artifact.sh"),
        ("github-branch.yaml", "branch.sh"),
    ] {
        let steps = steps(workflow);
        assert!(steps.iter().any(|run| run.contains(script)), "{workflow}");
        for run in steps.iter().filter(|run| run.starts_with("plugin ")) {
            let words: Vec<&str> = run.split_whitespace().skip(1).collect();
            let words: Vec<&str> = words
                .iter()
                .map(|w| if w.contains('$') { "app" } else { *w })
                .collect();
            stdout(&plugin(app().path(), &words));
        }
    }
}

/// Runs a script of `plugin/flux/ci` with the plugin on its path.
fn script(directory: &Path, name: &str, arguments: &[&str], push: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_plugin")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", binary.display());
    let mut command = Command::new("sh");
    command.arg(project().join("plugin/flux/ci").join(name));
    command
        .args(arguments)
        .current_dir(directory)
        .env("PATH", path);
    command.env("HOME", directory).env("PUSH", push);
    stdout(&command.output().unwrap())
}

/// A repository with one commit, and the bare one that it pushes to.
fn repository() -> (tempfile::TempDir, PathBuf) {
    let scratch = app();
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command
            .args(arguments)
            .current_dir(scratch.path())
            .env("HOME", scratch.path());
        stdout(&command.output().unwrap())
    };
    git(&["config", "--global", "user.name", "test"]);
    git(&["config", "--global", "user.email", "test@git.example"]);
    git(&["init", "--quiet", "--initial-branch", "main"]);
    std::fs::write(
        scratch.path().join(".gitignore"),
        "remote.git\n.gitconfig\n",
    )
    .unwrap();
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "An app"]);
    git(&["init", "--quiet", "--bare", "remote.git"]);
    let remote = scratch.path().join("remote.git");
    git(&["remote", "add", "origin", remote.to_str().unwrap()]);
    (scratch, remote)
}

#[test]
fn the_script_of_artifacts_packs_and_pushes() {
    let (scratch, _) = repository();
    let told = script(
        scratch.path(),
        "artifact.sh",
        &["app", "registry.example/apps", "main"],
        "echo pushed",
    );
    let last = told.lines().last().unwrap();
    assert!(
        last.starts_with("registry.example/apps:main@sha256:"),
        "{told}"
    );
}

#[test]
fn the_script_of_branches_commits_what_changed() {
    let (scratch, remote) = repository();
    let run = || script(scratch.path(), "branch.sh", &["rendered", "apps=app"], "");
    assert!(run().starts_with("rendered is "));
    assert_eq!(run(), "rendered is as it was\n");
    let mut show = Command::new("git");
    show.args(["show", "rendered:apps/shop/configmap-config.yaml"]);
    let shown = stdout(&show.current_dir(&remote).output().unwrap());
    assert!(
        shown.contains("kustomize.toolkit.fluxcd.io/substitute: disabled"),
        "{shown}"
    );
    let app = scratch.path().join("app/kustomization.yaml");
    std::fs::write(app, "namespace: other\nresources: [config.yaml]\n").unwrap();
    assert!(run().starts_with("rendered is "));
    let mut list = Command::new("git");
    list.args(["ls-tree", "-r", "--name-only", "rendered"]);
    let listed = stdout(&list.current_dir(&remote).output().unwrap());
    assert_eq!(
        listed,
        "apps/.prerender-files\napps/other/configmap-config.yaml\n"
    );
}
