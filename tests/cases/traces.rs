//! Watches what the program asks of the kernel: a secret is in no write but to standard output, and in no argument
//! or variable of another program; no file is opened for writing but by the commands that write one. Needs
//! `strace`; without it the tests are shown as ignored.
//!
//! Asks for a passphrase on a terminal of its own, which `script` makes; without it that test is ignored.
//!
//! Also reads the expected messages of every case, in which no value of a sealed file and no identity may stand.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test runner"
)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use libtest_mimic::{Failed, Trial};
use prerender::sops::{Ask, Identities, IdentityText, Options, SealedFile, decrypt, detect};
use secrecy::ExposeSecret;

const PLUGIN: &str = env!("CARGO_BIN_EXE_plugin");

/// What a run may show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    /// Plaintext on standard output.
    Plain,
    /// Plaintext nowhere.
    Nothing,
}

/// The tests of this file.
pub(crate) fn trials() -> Vec<Trial> {
    let can_trace = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let mut trials = vec![Trial::test("messages/no_case_tells_a_secret", messages)];
    let roots = [
        "identity/keycloak/app",
        "monitoring/kube-prometheus-stack/app",
        "cnpg-system/cloudnative-pg/app",
        "storage/rustfs/app",
        "shop/overlays/prod",
    ];
    let app = |root: &str| format!("kubernetes/apps/{root}");
    let mut runs: Vec<(String, Vec<String>, Output)> = Vec::new();
    for root in roots {
        let render = vec!["render".to_owned(), "--root".into(), ".".into(), app(root)];
        runs.push((format!("render/{root}"), render.clone(), Output::Plain));
        let redact = [render, vec!["--secrets".into(), "redact".into()]].concat();
        runs.push((format!("redact/{root}"), redact, Output::Nothing));
    }
    let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let others: [(&str, &[&str], Output); 10] = [
        ("decrypt", &["decrypt", "secrets.sops.yaml"], Output::Plain),
        (
            "decrypt/with_a_key_command",
            &["decrypt", "foreign.sops.yaml"],
            Output::Nothing,
        ),
        (
            "render/of_a_file_that_was_changed",
            &["render", "--root", ".", "changed"],
            Output::Nothing,
        ),
        (
            "expand",
            &[
                "expand",
                "--root",
                ".",
                "-o",
                "new/expanded",
                "kubernetes/apps/shop/overlays/prod",
            ],
            Output::Nothing,
        ),
        (
            "decrypt/binary",
            &["decrypt", "--input-type", "binary", "secrets.sops.yaml"],
            Output::Nothing,
        ),
        (
            "encrypt",
            &[
                "encrypt",
                "--filename-override",
                "secrets.sops.yaml",
                "plain.yaml",
            ],
            Output::Nothing,
        ),
        ("values", &["values", "."], Output::Nothing),
        (
            "values/seal",
            &[
                "values",
                "seal",
                "plain.yaml",
                "-o",
                "new/secrets.sops.yaml",
            ],
            Output::Nothing,
        ),
        (
            "check",
            &[
                "check",
                "--root",
                ".",
                "kubernetes/apps/identity/keycloak/app",
            ],
            Output::Nothing,
        ),
        (
            "check/all",
            &["check", "--root", ".", "kubernetes/apps/shop/overlays/prod"],
            Output::Nothing,
        ),
    ];
    runs.extend(others.map(|(name, command, output)| (name.to_owned(), words(command), output)));
    for (name, command, output) in runs {
        let trial = Trial::test(format!("trace/{name}"), move || trace(&command, output));
        trials.push(trial.with_ignored_flag(!can_trace));
    }
    let can_script = Command::new("script")
        .args(["-qec", "true", "/dev/null"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    for (name, passphrase, wanted) in [
        ("right", "open sesame", "a: hunter2"),
        (
            "wrong",
            "close sesame",
            "does not open with this passphrase",
        ),
    ] {
        let name = format!("terminal/the_{name}_passphrase");
        let trial = Trial::test(name, move || ask(passphrase, wanted));
        trials.push(trial.with_ignored_flag(!can_script));
    }
    trials
}

/// Opens a file with an identity file that a passphrase protects.
fn ask(passphrase: &str, wanted: &str) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    copy(&testdata().join("sops/terminal"), scratch.path());
    let mut child = Command::new("script")
        .args([
            "-qec",
            &format!("{PLUGIN} decrypt sealed.yaml"),
            "/dev/null",
        ])
        .current_dir(scratch.path())
        .env_clear()
        .env("HOME", scratch.path().join("home"))
        .env("PATH", "/usr/bin:/bin")
        .env("SOPS_AGE_KEY_FILE", "keys.age")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (mut keyboard, mut screen) = (child.stdin.take(), child.stdout.take());
    let mut shown = Vec::new();
    let mut byte = [0];
    while screen.as_mut().ok_or("no output")?.read(&mut byte)? == 1 {
        shown.push(byte[0]);
        if shown.ends_with(b"keys.age: ") {
            // The terminal is silent from a moment after the question on.
            std::thread::sleep(std::time::Duration::from_millis(500));
            let keyboard = keyboard.as_mut().ok_or("no input")?;
            writeln!(keyboard, "{passphrase}")?;
            keyboard.flush()?;
        }
    }
    child.wait()?;
    let shown = String::from_utf8_lossy(&shown);
    if !shown.contains(wanted) || shown.contains(passphrase) {
        return Err(format!("the terminal shows: {shown}").into());
    }
    Ok(())
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every file below a directory.
fn files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![below.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => open.push(path),
                Ok(metadata) if metadata.is_file() => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// Every age identity in some text.
fn identities_in(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| word.starts_with("AGE-SECRET-KEY-") && word.len() > 60)
}

/// What was sealed in the files below a directory, and every identity there.
fn secrets(below: &Path, shortest: usize) -> BTreeSet<String> {
    let ask: Ask = Arc::new(|_: &str| Err("nobody is there".to_owned()));
    let paths = files(below);
    let mut keys = BTreeSet::new();
    for path in &paths {
        let bytes = fs::read(path).unwrap();
        keys.extend(identities_in(&String::from_utf8_lossy(&bytes)).map(str::to_owned));
    }
    let mut identities = Identities::new();
    for key in &keys {
        identities.add("a case", key.as_bytes(), IdentityText::Lines, &ask);
    }
    let mut secrets = keys;
    for path in &paths {
        let bytes = fs::read(path).unwrap();
        let name = path.display().to_string();
        let Some(format) = detect(&bytes, &name) else {
            continue;
        };
        let file = SealedFile {
            name: &name,
            bytes: &bytes,
            format,
        };
        let Ok(opened) = decrypt(&file, &identities, &Options::plain(format)) else {
            continue;
        };
        let values = opened
            .secrets
            .iter()
            .map(|secret| secret.expose_secret().trim().to_owned());
        secrets.extend(values.filter(|value| value.chars().count() >= shortest));
    }
    secrets
}

/// The first secret that stands in some bytes: as it is, as base64, or as URLs and JSON carry it.
fn told<'a>(bytes: &[u8], secrets: &'a BTreeSet<String>) -> Option<&'a str> {
    let text = String::from_utf8_lossy(bytes);
    let holds = |needle: &str| text.contains(needle);
    let found = secrets.iter().find(|secret| {
        let packed = BASE64_STANDARD_NO_PAD.encode(secret);
        let json = serde_json::Value::from(secret.as_str()).to_string();
        holds(secret)
            || holds(&packed)
            || holds(&packed.replace('+', "-").replace('/', "_"))
            || holds(&json[1..json.len() - 1])
            || holds(&percent_encoded(secret))
    });
    found.map(String::as_str)
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn messages() -> Result<(), Failed> {
    let secrets = secrets(&testdata(), 12);
    if secrets.len() < 20 {
        return Err("the sealed files of the cases do not open".into());
    }
    for path in files(&testdata())
        .iter()
        .filter(|p| p.ends_with("expected.stderr"))
    {
        if let Some(secret) = told(&fs::read(path)?, &secrets) {
            return Err(format!("{} tells {secret}", path.display()).into());
        }
    }
    Ok(())
}

/// Runs a command in a copy of the demo under strace.
fn trace(command: &[String], output: Output) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let demo = scratch.path().join("demo");
    copy(&testdata().join("demo"), &demo);
    let key = fs::read_to_string(demo.join("age.key"))?;
    let key = identities_in(&key)
        .next()
        .ok_or("the demo has an identity")?
        .to_owned();
    let secrets = secrets(&demo, 8);
    if secrets.len() < 4 {
        return Err("the sealed files of the demo do not open".into());
    }
    let plain: String = (0..)
        .zip(&secrets)
        .map(|(n, s)| format!("secret_{n}: '{s}'\n"))
        .collect();
    fs::write(demo.join("plain.yaml"), plain)?;
    fs::create_dir(demo.join("new"))?;
    lay_out_what_does_not_open(&demo)?;
    let log = scratch.path().join("trace");
    let run = Command::new("strace")
        .args(["-f", "-xx", "-v", "-s", "10000000", "-o"])
        .arg(&log)
        .args([
            "-e",
            "trace=write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg,vmsplice,execve,memfd_create,prctl,open,openat,openat2,creat",
        ])
        .arg(PLUGIN)
        .args(command)
        .current_dir(&demo)
        .env_clear()
        .env("HOME", scratch.path().join("home"))
        .env("PATH", "/usr/bin:/bin")
        .env("SOPS_AGE_KEY", &key)
        .env("SOPS_AGE_KEY_CMD", "true of-the-key-command")
        .stdin(Stdio::null())
        .output()?;
    if let Some(secret) = told(&run.stderr, &secrets) {
        return Err(format!("standard error tells {secret}").into());
    }
    let log = fs::read_to_string(&log)?;
    if !log.contains("PR_SET_DUMPABLE") {
        return Err("the process can be dumped".into());
    }
    let runs_a_command = command.iter().any(|word| word == "foreign.sops.yaml");
    if runs_a_command && !log.contains(&escaped("of-the-key-command")) {
        return Err("the key command was not run".into());
    }
    let may_write = command.iter().any(|word| word == "-o");
    let writing = log
        .lines()
        .find(|line| !may_write && opens_for_writing(line));
    if let Some(line) = writing {
        return Err(format!("a file is opened for writing: {line}").into());
    }
    let mut is_first = true;
    for line in log.lines() {
        let to_stdout = line.split_once('(').is_some_and(|(call, rest)| {
            call.ends_with("write") && rest.starts_with("1,") && output == Output::Plain
        });
        // The program itself is started by the test, with the identity in its environment.
        let is_own_start = std::mem::take(&mut is_first);
        if to_stdout || is_own_start {
            continue;
        }
        if let Some(secret) = told(&unescaped(line), &secrets) {
            let call = line.chars().take(60).collect::<String>();
            return Err(format!("{secret} is written by: {call}…").into());
        }
    }
    Ok(())
}

/// Lays out a file that nobody here opens, and one that opens and was changed.
fn lay_out_what_does_not_open(demo: &Path) -> Result<(), Failed> {
    let foreign = "sops/no-identity-fits-and-what-was-found-is-told/input/secret.sops.yaml";
    fs::copy(testdata().join(foreign), demo.join("foreign.sops.yaml"))?;
    let sealed = fs::read_to_string(demo.join("secrets.sops.yaml"))?;
    let (_, without_the_first) = sealed.split_once('\n').ok_or("the demo has secrets")?;
    fs::create_dir(demo.join("changed"))?;
    fs::write(demo.join("changed/secret.yaml"), without_the_first)?;
    let kustomization = "resources: [secret.yaml]\n";
    fs::write(demo.join("changed/kustomization.yaml"), kustomization)?;
    Ok(())
}

/// Whether a line of the trace opens a file, of which none is a device, to write into it.
fn opens_for_writing(line: &str) -> bool {
    let call = line.split_once('(').map_or("", |(call, _)| call);
    let is_open = ["open", "openat", "openat2", "creat"]
        .iter()
        .any(|name| call.ends_with(name));
    let flags = ["O_WRONLY", "O_RDWR", "O_CREAT"];
    is_open
        && (call.ends_with("creat") || flags.iter().any(|flag| line.contains(flag)))
        && !line.contains(&escaped("/dev/"))
}

/// A text as strace writes it here.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("\\x{byte:02x}")).collect()
}

/// The bytes of a line in which strace wrote every byte of a text as `\xNN`.
fn unescaped(line: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\\x") {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let digits = rest.get(at + 2..at + 4).unwrap_or_default();
        bytes.extend(u8::from_str_radix(digits, 16));
        rest = rest.get(at + 4..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
