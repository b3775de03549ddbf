//! What the help of each command ends with.

use clap::CommandFactory;

use super::Arguments;

/// Lines of examples by command, each with what it is for behind `#`.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "plugin render apps/shop                      # the manifests of a root",
            "plugin check .                               # every finding of a repository",
        ],
    ),
    (
        "render",
        &[
            "plugin render apps/shop                      # what kustomize builds, secrets opened",
            "plugin render apps/shop -o out/ --secrets keep",
        ],
    ),
    (
        "expand",
        &[
            "plugin expand . -o rendered/                 # a tree that Flux or kustomize builds",
            "plugin expand . -o . --check                 # 4 when something would change",
        ],
    ),
    (
        "check",
        &[
            "plugin check .                               # every root of the repository, judged together",
            "plugin check apps/shop --format github       # annotations of a pull request",
        ],
    ),
    (
        "admit",
        &[
            "plugin admit cluster.yaml --kube-version 1.34",
            "plugin admit new.yaml --old old.yaml -o json # may the change be made?",
        ],
    ),
    (
        "apps",
        &[
            "plugin apps                                  # every root, its host, and what applies it",
            "plugin apps --changed main                   # the roots that a branch reaches",
        ],
    ),
    (
        "flows",
        &[
            "plugin flows                                 # who may talk to whom in the cluster",
            "plugin flows --require apps/db               # 4 when a flow that is needed is dropped",
        ],
    ),
    (
        "overlays",
        &[
            "plugin overlays list                         # the overlays that are there",
            "plugin overlays status                       # which one applies to what, and why",
        ],
    ),
    (
        "overlays list",
        &[
            "plugin overlays list",
            "plugin overlays show cnpg-alerts             # one of them in full",
        ],
    ),
    (
        "overlays show",
        &[
            "plugin overlays show cnpg-cluster-policy",
            "plugin overlays show cnpg-alerts",
        ],
    ),
    (
        "overlays status",
        &[
            "plugin overlays status                       # the whole project",
            "plugin overlays status apps/db",
        ],
    ),
    (
        "overlays render",
        &[
            "plugin overlays render apps/db               # only what overlays add and change",
            "plugin overlays render apps/db --overlays cnpg@1",
        ],
    ),
    (
        "overlays write",
        &[
            "plugin overlays write cnpg-cluster-policy mine --as component",
            "plugin overlays write cnpg-alerts mine --as template",
        ],
    ),
    (
        "values",
        &[
            "plugin values                                # every value, where it comes from, secrets masked",
            "plugin values --used                         # which template reads which",
        ],
    ),
    (
        "values seal",
        &[
            "plugin values seal secrets.yaml",
            "plugin values --used                         # what reads them",
        ],
    ),
    (
        "template",
        &[
            "plugin template -o out .                     # what makejinja writes",
            "plugin template -o . --check",
        ],
    ),
    (
        "decrypt",
        &[
            "plugin decrypt secret.sops.yaml",
            "plugin decrypt --input-type dotenv --output-type json prod.env",
        ],
    ),
    (
        "encrypt",
        &[
            "plugin encrypt secret.yaml                   # to standard output, by the rule of .sops.yaml",
            "plugin encrypt -i secret.sops.yaml",
        ],
    ),
    (
        "sops",
        &[
            "plugin sops set secret.sops.yaml '[\"data\"][\"key\"]' '\"value\"'",
            "plugin sops updatekeys -y secret.sops.yaml",
        ],
    ),
    (
        "git",
        &[
            "plugin git install                           # diff and merge of sealed files in this clone",
            "git diff secret.sops.yaml                    # then shows keys, and no value",
        ],
    ),
    (
        "git install",
        &["plugin git install", "git log -p -- secret.sops.yaml"],
    ),
    (
        "git textconv",
        &[
            "plugin git textconv secret.sops.yaml         # git calls it for a diff",
            "plugin git install                           # sets it up",
        ],
    ),
    (
        "git merge",
        &[
            "plugin git merge base ours theirs secret.sops.yaml   # git calls it for a merge",
            "plugin git install                                   # sets it up",
        ],
    ),
    (
        "secrets",
        &[
            "plugin secrets status                        # who opens which file, and what drifts",
            "plugin secrets scan                          # plaintext that a rule seals",
        ],
    ),
    (
        "secrets status",
        &[
            "plugin secrets status",
            "plugin secrets status --format json",
        ],
    ),
    (
        "secrets scan",
        &[
            "plugin secrets scan                          # the whole repository",
            "plugin secrets scan $(git diff --cached --name-only)",
        ],
    ),
    (
        "secrets updatekeys",
        &[
            "plugin secrets updatekeys --dry-run          # what would change",
            "plugin secrets updatekeys                    # all files, or none",
        ],
    ),
    (
        "secrets rotate",
        &["plugin secrets rotate --dry-run", "plugin secrets rotate"],
    ),
    (
        "kustomize",
        &[
            "plugin kustomize build apps/shop",
            "plugin kustomize edit set image shop=registry.example/shop:1.2",
        ],
    ),
    (
        "argocd",
        &[
            "plugin argocd apps                           # every Application and ApplicationSet",
            "plugin argocd simulate -f application.yaml   # what Argo CD shows",
        ],
    ),
    (
        "argocd generate",
        &[
            "plugin argocd generate                       # Argo CD calls it, in the directory of an Application",
            "plugin argocd simulate -f application.yaml   # the same from a terminal",
        ],
    ),
    (
        "argocd parameters",
        &[
            "plugin argocd parameters                     # Argo CD calls it to announce parameters",
            "plugin argocd simulate -f application.yaml -o parameters",
        ],
    ),
    (
        "argocd apps",
        &["plugin argocd apps", "plugin argocd apps -o json"],
    ),
    (
        "argocd build",
        &[
            "plugin argocd build -r                       # what all Applications apply",
            "plugin argocd build -f apps/shop.yaml",
        ],
    ),
    (
        "argocd simulate",
        &[
            "plugin argocd simulate -f application.yaml",
            "plugin argocd simulate -f application.yaml --keys age.key",
        ],
    ),
    (
        "argocd hydrate",
        &[
            "plugin argocd hydrate --commit commit.json --out hydrated/",
            "plugin argocd build -r                       # the same manifests, to standard output",
        ],
    ),
    (
        "flux",
        &[
            "plugin flux build -r --path clusters/prod    # what Flux applies, the whole cluster",
            "plugin flux artifact rendered/ -o layout/ --tag main",
        ],
    ),
    (
        "flux build",
        &[
            "plugin flux build -r --path clusters/prod",
            "plugin flux build -f clusters/prod/apps.yaml",
        ],
    ),
    (
        "flux build resourceset",
        &[
            "plugin flux build resourceset -f set.yaml",
            "plugin flux build -r --path clusters/prod    # Kustomizations of the whole cluster",
        ],
    ),
    (
        "flux build artifacts",
        &[
            "plugin flux build artifacts -f generator.yaml -o out/",
            "plugin flux artifact out/apps -o layout/ --tag main",
        ],
    ),
    (
        "flux artifact",
        &[
            "plugin flux artifact rendered/ -o layout/ --tag main",
            "plugin flux artifact kubernetes/apps -o apps.tar.gz",
        ],
    ),
    (
        "init",
        &[
            "plugin init                                  # writes prerender.yaml",
            "plugin init && plugin check .",
        ],
    ),
    (
        "doctor",
        &[
            "plugin doctor apps/shop                      # what a render finds there, and what is missing",
            "plugin doctor --keys age.key",
        ],
    ),
    (
        "schema",
        &[
            "plugin schema > prerender.schema.json",
            "plugin init                                  # a project file to start from",
        ],
    ),
    (
        "completions",
        &[
            "plugin completions bash > ~/.local/share/bash-completion/completions/plugin",
            "plugin completions zsh > \"${fpath[1]}/_plugin\"",
        ],
    ),
    (
        "man",
        &[
            "plugin man | man -l -                        # the overview",
            "plugin man render | man -l -                 # the page of a command",
        ],
    ),
];

/// The command line with the examples of each command at the end of its help.
pub(super) fn command() -> clap::Command {
    with_examples(Arguments::command(), "")
}

fn with_examples(mut command: clap::Command, path: &str) -> clap::Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|below| below.get_name().to_owned())
        .collect();
    for name in names {
        let below = format!("{path} {name}");
        command = command.mut_subcommand(name, |command| with_examples(command, below.trim()));
    }
    let Some((_, lines)) = EXAMPLES.iter().find(|(of, _)| *of == path) else {
        return command;
    };
    let lines: Vec<String> = lines.iter().map(|line| format!("  {line}")).collect();
    command.after_help(format!("Examples:\n{}", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::{EXAMPLES, command};

    #[test]
    fn every_example_is_of_a_command() {
        for (path, _) in EXAMPLES {
            let mut at = &command();
            for name in path.split_whitespace() {
                let found = at.find_subcommand(name);
                at = found.unwrap_or_else(|| panic!("{path}: there is no command {name}"));
            }
        }
    }
}
