use std::sync::Arc;

use super::{Generated, generate};
use crate::diagnostic::{Code, Diagnostic, Origin, Result, Source};
use crate::files::{File, TreePath};
use crate::yaml::{self, ParseOptions};

fn open(path: &str) -> Result<Arc<File>> {
    let text = match path {
        "a.enc.yaml" => "kind: Secret\nmetadata:\n  name: a\n",
        "conf.enc" => "listen 80\n",
        "vars.env" => "A=1\nB=two words\n",
        "vars.yaml" => "A: 1\nC: \"x\"\n",
        "nested.yaml" => "A:\n  B: 1\n",
        "plain.txt" => "clear\n",
        _ => {
            return Err(Diagnostic::new(
                Code::FileMissing,
                format!("{path} does not exist"),
            ));
        }
    };
    let mut file = File::committed(
        TreePath::parse(path).expect("a path below the root"),
        text.as_bytes(),
    );
    if path != "plain.txt" {
        file.source = Arc::new(Source {
            origin: Origin::Decrypted,
            ..Source::committed(path)
        });
    }
    Ok(Arc::new(file))
}

fn run(text: &str) -> Result<Option<Generated>> {
    let nodes = yaml::parse(text, ParseOptions::default()).expect("valid YAML");
    generate(&nodes[0], &Source::committed("generator.yaml"), &open)
}

fn made(text: &str) -> String {
    let generated = run(text)
        .expect("it generates")
        .expect("a kind that is known");
    String::from_utf8(generated.bytes).expect("manifests are text")
}

fn fault(text: &str) -> String {
    run(text).expect_err("it must not generate").to_string()
}

#[test]
fn ksops_gives_files_and_makes_secrets() {
    let text = "apiVersion: viaduct.ai/v1\nkind: ksops\nfiles: [a.enc.yaml]\nsecretFrom:\n- metadata:\n    name: b\n    annotations: {kustomize.config.k8s.io/needs-hash: \"true\"}\n  type: Opaque\n  files: [conf.enc, nginx.conf=conf.enc]\n  binaryFiles: [conf.enc]\n  envs: [vars.env]\n";
    assert_eq!(
        made(text),
        "kind: Secret\nmetadata:\n  name: a\n---\napiVersion: v1\ndata:\n  conf.enc: bGlzdGVuIDgwCg==\nkind: Secret\nmetadata:\n  annotations:\n    kustomize.config.k8s.io/needs-hash: \"true\"\n  name: b\nstringData:\n  A: \"1\"\n  B: two words\n  conf.enc: |\n    listen 80\n  nginx.conf: |\n    listen 80\ntype: Opaque\n"
    );
}

#[test]
fn sops_secret_generator_makes_one_secret() {
    let text = "apiVersion: goabout.com/v1beta1\nkind: SopsSecretGenerator\nmetadata:\n  name: c\n  annotations: {config.kubernetes.io/function: x, keep: y}\nenvs: [vars.env, vars.yaml]\nfiles: [k=conf.enc]\nbehavior: merge\n";
    assert_eq!(
        made(text),
        "apiVersion: v1\ndata:\n  A: MQ==\n  B: dHdvIHdvcmRz\n  C: eA==\n  k: bGlzdGVuIDgwCg==\nkind: Secret\nmetadata:\n  annotations:\n    keep: \"y\"\n    kustomize.config.k8s.io/behavior: merge\n    kustomize.config.k8s.io/needs-hash: \"true\"\n  name: c\n"
    );
}

#[test]
fn other_kinds_are_not_ours() {
    assert!(
        run("apiVersion: v1\nkind: Secret\n")
            .expect("no error")
            .is_none()
    );
}

#[test]
fn mistakes_have_a_place() {
    let ksops = "apiVersion: viaduct.ai/v1\nkind: ksops\n";
    let cases = [
        ("", "neither `files` nor `secretFrom`"),
        ("files: [plain.txt]", "generator.yaml:3:9"),
        ("files: [none.yaml]", "none.yaml does not exist"),
        ("files: x", "`files` is not a list"),
        ("secretFrom: [{files: [a=b=c]}]", "`path` or by `key=path`"),
        ("secretFrom: [{envs: [conf.enc]}]", "line 1"),
    ];
    for (rest, wanted) in cases {
        let text = fault(&format!("{ksops}{rest}\n"));
        assert!(text.contains(wanted), "{text}");
    }
    let generator = "apiVersion: goabout.com/v1beta1\nkind: SopsSecretGenerator\n";
    for (rest, wanted) in [
        ("", "`metadata.name`"),
        (
            "metadata: {name: a}\nenvs: [conf.enc]",
            "conf.enc is a file of variables only as",
        ),
        (
            "metadata: {name: a}\nenvs: [nested.yaml]",
            "not text, at `A`",
        ),
    ] {
        let text = fault(&format!("{generator}{rest}\n"));
        assert!(text.contains(wanted), "{text}");
    }
}
