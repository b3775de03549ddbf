//! The program under the name `kustomize`: `build` and `version`, and of `edit` what Argo CD calls, so that it
//! can be set as `kustomize.path.NAME` with no Application changed.

use std::ffi::OsString;
use std::path::Path;

use clap::{Parser, Subcommand};
use serde_json::json;

use super::{Context, Done, Outcome, render};
use crate::argocd::edit::{Edit, Pairs, Reach, edit};
use crate::diagnostic::{Code, Diagnostic};
use crate::files::{Files, OutputFile, OutputTree, Stale, Tree, TreePath};
use crate::kustomize::kustomization_path;

/// The kustomize whose bytes are given.
const LEVEL: &str = "v5.7.1";

#[derive(Debug, Parser)]
#[command(name = "kustomize", max_term_width = 100)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print what kustomize builds from a directory
    Build(Box<render::Arguments>),
    /// Print the version of kustomize whose bytes are given
    Version {
        /// Print it in braces, as old versions did
        #[arg(long)]
        short: bool,
        /// How to print all of it
        #[arg(long, short, value_enum)]
        output: Option<VersionForm>,
    },
    /// Change the kustomization of the working directory
    #[command(subcommand)]
    Edit(EditCommand),
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum VersionForm {
    Json,
    Yaml,
}

#[derive(Debug, Subcommand)]
enum EditCommand {
    /// Set a field
    #[command(subcommand)]
    Set(Set),
    /// Add to a field
    #[command(subcommand)]
    Add(Add),
}

#[derive(Debug, Subcommand)]
enum Set {
    /// Set the namespace
    Namespace {
        /// The namespace
        name: String,
    },
    /// Set the prefix of names
    Nameprefix {
        /// The prefix
        #[arg(allow_hyphen_values = true)]
        text: String,
    },
    /// Set the suffix of names
    Namesuffix {
        /// The suffix
        #[arg(allow_hyphen_values = true)]
        text: String,
    },
    /// Set images: name=new:tag, name:tag, name@digest
    Image {
        /// The images
        #[arg(required = true)]
        images: Vec<String>,
    },
    /// Set replicas: name=count
    Replicas {
        /// The counts
        #[arg(required = true)]
        replicas: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
enum Add {
    /// Add components
    Component {
        /// Their paths
        #[arg(required = true)]
        paths: Vec<String>,
    },
    /// Add annotations: key:value
    Annotation {
        /// Replace those that are there
        #[arg(long, short)]
        force: bool,
        /// The annotations
        #[arg(required = true)]
        pairs: Vec<String>,
    },
    /// Add labels: key:value
    Label {
        /// Replace those that are there
        #[arg(long, short)]
        force: bool,
        /// Leave selectors as they are
        #[arg(long)]
        without_selector: bool,
        /// Put them on templates too, without selectors
        #[arg(long, requires = "without_selector")]
        include_templates: bool,
        /// The labels
        #[arg(required = true)]
        pairs: Vec<String>,
    },
}

/// The flags of `build` that are on or off.
const SWITCHES: [&str; 6] = [
    "--enable-alpha-plugins",
    "--enable-exec",
    "--enable-helm",
    "--enable-managedby-label",
    "--helm-debug",
    "--network",
];

/// Arguments with switches as they are written here: kustomize takes `--enable-helm=true` too.
pub(super) fn switched(arguments: Vec<OsString>) -> Vec<OsString> {
    let switch = |argument: OsString| {
        let pair = argument.to_str().and_then(|text| text.split_once('='));
        match pair {
            Some((name, value)) if SWITCHES.contains(&name) => match value {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(name.into()),
                "0" | "f" | "F" | "false" | "FALSE" | "False" => None,
                _ => Some(argument),
            },
            _ => Some(argument),
        }
    };
    arguments.into_iter().filter_map(switch).collect()
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Build(arguments) => render::run(context, arguments),
        Command::Version { short, output } => Ok(version(*short, *output).into_bytes().into()),
        Command::Edit(command) => change(context, &of_command(command)),
    }
}

fn version(short: bool, output: Option<VersionForm>) -> String {
    let whole = json!({
        "version": LEVEL, "gitCommit": "unknown", "buildDate": "unknown",
        "goOs": "linux", "goArch": std::env::consts::ARCH, "goVersion": "unknown",
    });
    match (output, short) {
        (Some(VersionForm::Json), _) => format!("{whole:#}\n"),
        (Some(VersionForm::Yaml), _) => {
            let lines = whole.as_object().into_iter().flatten();
            let line = |(key, value): (&String, &serde_json::Value)| {
                format!("{key}: {}\n", value.as_str().unwrap_or_default())
            };
            lines.map(line).collect()
        }
        (None, true) => format!("{{kustomize/{LEVEL}  1970-01-01T00:00:00Z   }}\n"),
        (None, false) => format!("{LEVEL}\n"),
    }
}

fn of_command(command: &EditCommand) -> Edit {
    match command {
        EditCommand::Set(set) => match set {
            Set::Namespace { name } => Edit::Namespace(name.clone()),
            Set::Nameprefix { text } => Edit::NamePrefix(text.clone()),
            Set::Namesuffix { text } => Edit::NameSuffix(text.clone()),
            Set::Image { images } => Edit::Images(images.clone()),
            Set::Replicas { replicas } => Edit::Replicas(replicas.clone()),
        },
        EditCommand::Add(add) => match add {
            Add::Component { paths } => Edit::Components(paths.clone()),
            Add::Annotation { force, pairs } => Edit::Annotations(Pairs {
                texts: pairs.clone(),
                force: *force,
            }),
            Add::Label {
                force,
                without_selector,
                include_templates,
                pairs,
            } => {
                let reach = match (without_selector, include_templates) {
                    (false, _) => Reach::Selectors,
                    (true, false) => Reach::Objects,
                    (true, true) => Reach::Templates,
                };
                let pairs = Pairs {
                    texts: pairs.clone(),
                    force: *force,
                };
                Edit::Labels(pairs, reach)
            }
        },
    }
}

/// Rewrites the kustomization of the working directory.
fn change(context: &Context, change: &Edit) -> Outcome {
    let tree = Tree::open(&context.working_directory)?;
    let path = kustomization_path(&tree, &TreePath::root())?.ok_or_else(|| {
        let phrase = "Missing kustomization file 'kustomization.yaml'";
        Diagnostic::new(Code::KustomizationMissing, phrase)
    })?;
    let bytes = edit(tree.read(&path)?.as_ref(), change)?;
    let mut output = OutputTree::new(Path::new(&context.working_directory), Stale::Keep);
    output.insert(path, OutputFile::new(bytes));
    output.write()?;
    Ok(Done::default())
}
