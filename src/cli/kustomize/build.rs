//! `build`, with the flags of the program and its output files.

use std::path::Path;

use clap::Parser;

use super::flags::{Flag, Takes, flag, short, usage};
use super::{Call, Done, Outcome};
use crate::cli::root::RootArguments;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::{OutputFile, OutputTree, Stale, TreePath, resolved};
use crate::kube::ResMap;
use crate::kustomize::individual_files;
use crate::pipeline;
use crate::secrets::Secrets;

pub(super) const FLAGS: &[Flag] = &[
    flag(
        "as-current-user",
        Takes::Nothing,
        "Taken, without an effect",
    ),
    flag(
        "enable-alpha-plugins",
        Takes::Nothing,
        "Allow plugins to run",
    ),
    flag(
        "enable-exec",
        Takes::Nothing,
        "Allow functions that are programs to run",
    ),
    flag(
        "enable-helm",
        Takes::Nothing,
        "Allow helm to inflate charts",
    ),
    flag(
        "enable-managedby-label",
        Takes::Nothing,
        "Put a label on every object that says what made it",
    ),
    short("env", 'e', Takes::Values, "A variable that functions get"),
    flag(
        "helm-api-versions",
        Takes::Values,
        "An API version that the cluster serves, for charts",
    ),
    flag("helm-command", Takes::Value, "The helm to run"),
    flag("helm-debug", Takes::Nothing, "Have helm say more"),
    flag(
        "helm-kube-version",
        Takes::Value,
        "The Kubernetes version of the cluster, for charts",
    ),
    flag(
        "load-restrictor",
        Takes::Value,
        "LoadRestrictionsRootOnly or LoadRestrictionsNone",
    ),
    flag(
        "mount",
        Takes::Values,
        "Taken; functions in containers are not run",
    ),
    flag(
        "network",
        Takes::Nothing,
        "Allow files and repositories to be fetched",
    ),
    flag("network-name", Takes::Value, "Taken, without an effect"),
    short(
        "output",
        'o',
        Takes::Value,
        "Write to a file, or one file an object to a directory",
    ),
    flag("reorder", Takes::Value, "legacy or none"),
];

/// The flags of [`RootArguments`] that mean the same.
#[derive(Debug, Parser)]
struct Root {
    #[command(flatten)]
    root: RootArguments,
}

/// The switches that mean the same.
const SWITCHES: [&str; 6] = [
    "enable-alpha-plugins",
    "enable-exec",
    "enable-helm",
    "enable-managedby-label",
    "helm-debug",
    "network",
];

pub(super) fn run(call: &Call<'_>) -> Outcome {
    let path = match &call.words.rest[..] {
        [] => ".",
        [path] => path,
        _ => return Err(usage("build takes one path").into()),
    };
    let root = root(call)?;
    let (rendered, warnings) = root.with(
        call.context,
        Path::new(path),
        Secrets::Plain,
        |request, located| {
            let files = std::sync::Arc::clone(&located.tree);
            let rendered = pipeline::render(request, files)?;
            let warnings = rendered.warnings.clone();
            Ok((rendered, warnings))
        },
    )?;
    let mut done = Done {
        report: warnings,
        ..Done::default()
    };
    match call
        .words
        .value("output")
        .filter(|output| !output.is_empty())
    {
        None => done.stdout = rendered.to_yaml()?,
        Some(output) => {
            let output = call.context.working_directory.join(output);
            if output.is_dir() {
                directory(&rendered.resources, &output)?.write()?;
            } else {
                file(&output, rendered.to_yaml()?)?.write()?;
            }
        }
    }
    std::mem::forget(rendered);
    Ok(done)
}

/// The flags in the words of our own.
fn root(call: &Call<'_>) -> Result<RootArguments> {
    let words = &call.words;
    let mut own = vec!["kustomize".to_owned()];
    let mut add = |flag: &str, value: &str| own.push(format!("--{flag}={value}"));
    match words.value("load-restrictor").unwrap_or_default() {
        "" | "LoadRestrictionsRootOnly" => {}
        "LoadRestrictionsNone" => add("load-restrictor", "LoadRestrictionsNone"),
        other => return Err(usage(format!("--load-restrictor cannot be {other}"))),
    }
    match words.value("reorder") {
        None | Some("legacy") => {}
        Some("none") => add("reorder", "none"),
        Some(other) => return Err(usage(format!("--reorder cannot be {other}"))),
    }
    for flag in ["helm-command", "helm-kube-version"] {
        if let Some(value) = words.value(flag) {
            add(flag, value);
        }
    }
    for flag in ["helm-api-versions", "env"] {
        words.values(flag).iter().for_each(|value| add(flag, value));
    }
    add("kustomize-version", call.level.name());
    // Plugins bring helm along.
    let label = call.context.variable("KUSTOMIZE_ENABLE_MANAGEDBY_LABEL") == Some("on");
    let is_on = |switch: &str| {
        words.is_on(switch)
            || (switch == "enable-helm" && words.is_on("enable-alpha-plugins"))
            || (switch == "enable-managedby-label" && label)
    };
    own.extend(
        SWITCHES
            .iter()
            .filter(|switch| is_on(switch))
            .map(|switch| format!("--{switch}")),
    );
    let parsed = Root::try_parse_from(own).map_err(|error| usage(error.kind().to_string()))?;
    Ok(parsed.root)
}

/// A file that holds all objects. Its directory must be there.
fn file(output: &Path, bytes: Vec<u8>) -> Result<OutputTree> {
    let output = &resolved(output).unwrap_or_else(|_| output.to_owned());
    let name = output.file_name().and_then(|name| name.to_str());
    let ends_in_slash = output.as_os_str().as_encoded_bytes().ends_with(b"/");
    let (Some(path), Some(directory)) = (name.and_then(TreePath::parse), output.parent()) else {
        return Err(usage("-o names no file"));
    };
    if ends_in_slash || !directory.is_dir() {
        let phrase = format!("the directory of -o {} is not there", output.display());
        return Err(Diagnostic::new(Code::WriteFailed, phrase).help("make it first"));
    }
    let mut tree = OutputTree::new(directory, Stale::Keep);
    tree.insert(path, OutputFile::new(bytes));
    Ok(tree)
}

/// One file an object, under the names of the reference.
fn directory(resources: &ResMap, output: &Path) -> Result<OutputTree> {
    let mut tree = OutputTree::new(output, Stale::Keep);
    for file in individual_files(resources)? {
        let path = TreePath::parse(&file.name)
            .ok_or_else(|| usage(format!("{} is not a file name", file.name)))?;
        let output = OutputFile::new(file.bytes).for_owner(file.holds_secrets);
        tree.insert(path, output);
    }
    Ok(tree)
}
