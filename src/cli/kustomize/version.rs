//! `version`, `openapi`, `completion`, and the pages of documentation.

use clap_complete::Shell;
use serde_json::json;

use super::flags::{Flag, Takes, flag, short, usage};
use super::{COMMANDS, Call, Command, Done, Outcome, Run, leaf};

pub(super) const FLAGS: &[Flag] = &[
    flag(
        "short",
        Takes::Nothing,
        "Print it in braces, as old versions did",
    ),
    short("output", 'o', Takes::Value, "Print all of it: yaml or json"),
];

pub(super) fn run(call: &Call<'_>) -> Outcome {
    let version = call.level.version();
    let is_short = call.words.is_on("short");
    let whole = json!({
        "version": version, "gitCommit": "unknown", "buildDate": "unknown",
        "goOs": "linux", "goArch": std::env::consts::ARCH, "goVersion": "unknown",
    });
    let text = match call.words.text("output").as_str() {
        "" if is_short => format!("{{{version}  unknown   }}\n"),
        "" => format!("{version}\n"),
        _ if is_short => return Err(usage("--short and --output exclude each other").into()),
        "json" => format!("{whole:#}\n"),
        "yaml" => {
            let mut pairs: Vec<_> = whole.as_object().into_iter().flatten().collect();
            pairs.sort_by_key(|(key, _)| *key);
            let line = |(key, value): &(&String, &serde_json::Value)| {
                format!("{key}: {}\n", value.as_str().unwrap_or_default())
            };
            pairs.iter().map(line).chain(["\n".to_owned()]).collect()
        }
        other => return Err(usage(format!("--output is yaml or json, not {other}")).into()),
    };
    Ok(text.into_bytes().into())
}

pub(super) const OPENAPI: &[Command] = &[
    leaf("info", "Print the version of the schema", &[], |_| {
        Ok(b"{title:Kubernetes,version:v1.21.2}\n".to_vec().into())
    }),
    leaf("fetch", "Taken; no cluster is asked", FETCH, |_| {
        let phrase = "openapi fetch asks a cluster, and this program speaks to none";
        Err(usage(phrase).into())
    }),
];

const FETCH: &[Flag] = &[flag("format", Takes::Value, "json or yaml")];

pub(super) const COMPLETION: &[Command] = &[
    leaf("bash", "Print the completions of bash", &[], |_| {
        Ok(completion(Shell::Bash))
    }),
    leaf("zsh", "Print the completions of zsh", &[], |_| {
        Ok(completion(Shell::Zsh))
    }),
    leaf("fish", "Print the completions of fish", &[], |_| {
        Ok(completion(Shell::Fish))
    }),
    leaf(
        "powershell",
        "Print the completions of PowerShell",
        &[],
        |_| Ok(completion(Shell::PowerShell)),
    ),
];

fn completion(shell: Shell) -> Done {
    let mut program = clap::Command::new("kustomize").subcommands(COMMANDS.iter().map(described));
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut program, "kustomize", &mut text);
    text.into()
}

fn described(command: &Command) -> clap::Command {
    let inner: &[Command] = match command.run {
        Run::Group(inner) => inner,
        Run::Leaf(_) => &[],
    };
    let argument = |flag: &Flag| {
        let argument = clap::Arg::new(flag.name).long(flag.name).help(flag.about);
        let argument = match flag.short {
            Some(letter) => argument.short(letter),
            None => argument,
        };
        match flag.takes {
            Takes::Nothing => argument.action(clap::ArgAction::SetTrue),
            Takes::Value | Takes::Values | Takes::List => argument,
        }
    };
    clap::Command::new(command.name)
        .about(command.about)
        .args(command.flags.iter().map(argument))
        .subcommands(inner.iter().map(described))
}

pub(super) fn docs_functions(_: &Call<'_>) -> Outcome {
    let text = "A function is a program that reads a ResourceList on standard input and prints one. An object says \
                which one is run in its annotation config.kubernetes.io/function; --enable-exec allows it.\n";
    Ok(text.as_bytes().to_vec().into())
}

pub(super) fn docs_merge(_: &Call<'_>) -> Outcome {
    let text = "A field of a patch replaces that of the object, null removes it, mappings are merged field by field, \
                and lists with merge keys item by item.\n";
    Ok(text.as_bytes().to_vec().into())
}
