//! Remote resources: a repository that git clones, and a file over http from a server on loopback.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\n";

fn git(directory: &Path, words: &[&str]) {
    let status = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(words)
        .current_dir(directory)
        .status();
    assert!(status.unwrap().success(), "git {words:?}");
}

/// A repository with a tag `v1`, where the ConfigMap of the root is called `old`, and a commit after it.
fn repository(parent: &Path) -> String {
    let root = parent.join("shop.git");
    fs::create_dir_all(root.join("deep/er")).unwrap();
    let write = |file: &str, text: &str| fs::write(root.join(file), text).unwrap();
    write("kustomization.yaml", "resources: [map.yaml]\n");
    write("map.yaml", &CONFIG_MAP.replace("NAME", "old"));
    write("deep/er/kustomization.yaml", "resources: [map.yaml]\n");
    write("deep/er/map.yaml", &CONFIG_MAP.replace("NAME", "deep"));
    git(&root, &["init", "-q", "-b", "main", "."]);
    git(&root, &["add", "-A"]);
    git(&root, &["commit", "-q", "-m", "one"]);
    git(&root, &["tag", "v1"]);
    write("map.yaml", &CONFIG_MAP.replace("NAME", "new"));
    git(&root, &["commit", "-q", "-a", "-m", "two"]);
    format!("file://{}", root.display())
}

fn render(directory: &Path, resource: &str, flags: &[&str]) -> Output {
    let text = format!("resources: [\"{resource}\"]\n");
    fs::write(directory.join("kustomization.yaml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plugin"));
    command.args(["render", "."]).args(flags);
    command.current_dir(directory).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn repositories_are_cloned_in_every_form_of_their_address() {
    let scratch = tempfile::tempdir().unwrap();
    let repository = repository(scratch.path());
    let build = scratch.path().join("build");
    fs::create_dir(&build).unwrap();
    let rows = [
        ("", "new"),
        ("?ref=v1", "old"),
        ("?version=v1", "old"),
        ("?ref=v1&timeout=30s", "old"),
        ("?timeout=30&submodules=false", "new"),
        ("//deep/er", "deep"),
        ("/deep/er?ref=v1", "deep"),
    ];
    for (suffix, name) in rows {
        let output = render(&build, &format!("{repository}{suffix}"), &["--network"]);
        assert_eq!(
            stdout(&output),
            CONFIG_MAP.replace("NAME", name),
            "{suffix}: {output:?}"
        );
    }
    for suffix in ["?ref=none", "//none", "//.."] {
        let output = render(&build, &format!("{repository}{suffix}"), &["--network"]);
        assert!(
            !output.status.success() && output.stdout.is_empty(),
            "{suffix}"
        );
    }
}

#[test]
fn without_the_flag_the_error_names_it() {
    let scratch = tempfile::tempdir().unwrap();
    let repository = repository(scratch.path());
    let build = scratch.path().join("build");
    fs::create_dir(&build).unwrap();
    for resource in [&*repository, "http://127.0.0.1:9/map.yaml"] {
        let output = render(&build, resource, &[]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("--network"), "{stderr}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn files_are_fetched_by_http() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            let is_there = request[..length].starts_with(b"GET /map.yaml");
            let (status, body) = match is_there {
                true => ("200 OK", CONFIG_MAP.replace("NAME", "fetched")),
                false => ("404 Not Found", String::new()),
            };
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let build = tempfile::tempdir().unwrap();
    let fetch = |file: &str| {
        render(
            build.path(),
            &format!("http://{address}/{file}"),
            &["--network"],
        )
    };
    let there = fetch("map.yaml");
    assert_eq!(
        stdout(&there),
        CONFIG_MAP.replace("NAME", "fetched"),
        "{there:?}"
    );
    let missing = fetch("none.yaml");
    assert!(!missing.status.success() && missing.stdout.is_empty());
}
