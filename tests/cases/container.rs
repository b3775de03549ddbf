//! Runs `argocd generate` in the file system of the image's last stage: a static binary and nothing else, uid 999,
//! a read-only root with a `/tmp` of its own, no `/proc`, no `HOME`, the identity with mode 0400.
//!
//! It takes a static binary: the one that `STATIC_PLUGIN` names, or the one that the Dockerfile's command
//! leaves in `target`. `cargo rustc --bin plugin -- -C target-feature=+crt-static` makes one within seconds. Without one, or without the right to change root, it is ignored, and says so.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test runner"
)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use libtest_mimic::{Failed, Trial};

/// Argo CD's user.
const USER: u32 = 999;

/// The tests of this file.
pub(crate) fn trials() -> Vec<Trial> {
    let able = binary().and_then(|binary| can_isolate().map(|()| binary));
    if let Err(why) = &able {
        eprintln!("the container is left out: {why}");
    }
    let trial = |name: &str, run: fn(&Path) -> Result<(), Failed>| {
        let binary = able.clone().unwrap_or_default();
        Trial::test(name, move || run(&binary)).with_ignored_flag(able.is_err())
    };
    vec![
        trial("renders-a-sealed-application", renders),
        trial("announces-parameters", announces),
        trial("fails-without-its-key", fails),
        trial("renders-many-at-once", renders_many),
    ]
}

/// The static binary, or why there is none.
fn binary() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let built =
        ["release", "debug"].map(|p| root.join("target").join(&triple).join(p).join("plugin"));
    let named = std::env::var_os("STATIC_PLUGIN").map(|path| root.join(path));
    let found = named.into_iter().chain(built).find(|path| path.is_file());
    let path =
        found.ok_or("no binary of the Dockerfile's build is there; STATIC_PLUGIN names one")?;
    match is_static(&fs::read(&path).map_err(|e| e.to_string())?) {
        true => Ok(path),
        false => Err(format!("{} asks for a dynamic loader", path.display())),
    }
}

/// Whether no program header of an ELF file names an interpreter.
fn is_static(elf: &[u8]) -> bool {
    const INTERPRETER: u32 = 3;
    let number = |at: usize, length: usize| {
        let bytes = &elf[at..at + length];
        bytes
            .iter()
            .rev()
            .fold(0_usize, |sum, b| sum << 8 | usize::from(*b))
    };
    let (start, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    (0..count).all(|index| number(start + index * size, 4) != INTERPRETER as usize)
}

/// Whether this user may change root, mount and become another one.
fn can_isolate() -> Result<(), String> {
    let status = Command::new("unshare")
        .args([
            "--mount", "--root", "/", "--setuid", "999", "--setgid", "999", "true",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("this user may not change root".to_owned()),
        Err(error) => Err(format!("unshare cannot be started: {error}")),
    }
}

/// The image's file system, and beside it what the pod mounts.
struct Container {
    scratch: tempfile::TempDir,
}

impl Container {
    fn new(binary: &Path) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let image = scratch.path().join("image");
        for directory in [
            "usr/local/bin",
            "home/argocd/cmp-server/config",
            "tmp",
            "keys",
        ] {
            fs::create_dir_all(image.join(directory)).unwrap();
        }
        fs::copy(binary, image.join("usr/local/bin/plugin")).unwrap();
        fs::copy(
            project.join("plugin/argocd/plugin.yaml"),
            image.join("home/argocd/cmp-server/config/plugin.yaml"),
        )
        .unwrap();
        let key = image.join("keys/demo.agekey");
        fs::copy(project.join("testdata/demo/age.key"), &key).unwrap();
        chown(&key, Some(USER), Some(USER)).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o400)).unwrap();
        let sent = scratch.path().join("sent");
        copy(&project.join("testdata/demo"), &sent);
        // The repository does not bring the identity with it.
        fs::remove_file(sent.join("age.key")).unwrap();
        Self { scratch }
    }

    /// Runs the plugin where the host runs it: in the tree that was sent, below `/tmp`, which is its own.
    fn run(&self, words: &[&str], variables: &[(&str, &str)]) -> Output {
        let work = "/tmp/_cmp_server/5f3c";
        let script = format!(
            "set -e; mount --bind \"$IMAGE\" \"$IMAGE\"; mount -o remount,bind,ro \"$IMAGE\"; \
             mount -t tmpfs none \"$IMAGE/tmp\"; mkdir -p \"$IMAGE{work}\"; cp -r \"$SENT/.\" \"$IMAGE{work}\"; \
             chmod 1777 \"$IMAGE/tmp\"; set +e; \
             exec env -i \"$@\""
        );
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", &script, "sh"])
            .env("IMAGE", self.scratch.path().join("image"))
            .env("SENT", self.scratch.path().join("sent"))
            .stdin(Stdio::null());
        for (name, value) in variables {
            command.arg(format!("{name}={value}"));
        }
        let image = self.scratch.path().join("image").display().to_string();
        let at = format!("{work}/kubernetes/apps/shop/overlays/prod");
        command.args(["/usr/bin/unshare", "--root", &image, "--wd", &at]);
        command.args([
            "--setgid",
            "999",
            "--setuid",
            "999",
            "/usr/local/bin/plugin",
        ]);
        command.args(words).output().unwrap()
    }
}

const CALL: [(&str, &str); 5] = [
    ("ARGOCD_APP_NAME", "shop"),
    ("ARGOCD_APP_NAMESPACE", "shop"),
    ("ARGOCD_APP_PROJECT_NAME", "default"),
    (
        "ARGOCD_APP_SOURCE_PATH",
        "kubernetes/apps/shop/overlays/prod",
    ),
    ("PRERENDER_KEYS", "/keys"),
];

/// What the same command prints outside of any container.
fn expected(binary: &Path, container: &Container) -> Vec<u8> {
    let sent = container.scratch.path().join("sent");
    let key = container.scratch.path().join("image/keys");
    let output = Command::new(binary)
        .args(["argocd", "generate"])
        .current_dir(sent.join(CALL[3].1))
        .env_clear()
        .envs(CALL)
        .env("PRERENDER_KEYS", key)
        .output()
        .unwrap();
    output.stdout
}

fn renders(binary: &Path) -> Result<(), Failed> {
    let container = Container::new(binary);
    let given = succeeded(container.run(&["argocd", "generate"], &CALL))?;
    assert_eq!(given, expected(binary, &container));
    let text = String::from_utf8_lossy(&given);
    assert!(text.contains("kind: Secret") && !text.contains("ENC["));
    let key = fs::metadata(container.scratch.path().join("image/keys/demo.agekey"))?;
    assert_eq!((key.mode() & 0o777, key.uid()), (0o400, USER));
    Ok(())
}

fn announces(binary: &Path) -> Result<(), Failed> {
    let container = Container::new(binary);
    let given = succeeded(container.run(&["argocd", "parameters"], &CALL[..1]))?;
    assert!(given.starts_with(b"[{\"name\":\"images\""));
    Ok(())
}

fn fails(binary: &Path) -> Result<(), Failed> {
    let container = Container::new(binary);
    let output = container.run(&["argocd", "generate"], &CALL[..4]);
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("error[sops-no-identity]: "), "{said}");
    Ok(())
}

fn renders_many(binary: &Path) -> Result<(), Failed> {
    let container = Container::new(binary);
    let expected = expected(binary, &container);
    let run = || container.run(&["argocd", "generate"], &CALL);
    let outputs: Vec<Output> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    for output in outputs {
        assert_eq!(succeeded(output)?, expected);
    }
    Ok(())
}

fn succeeded(output: Output) -> Result<Vec<u8>, Failed> {
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(format!(
            "{}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )
        .into()),
    }
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
