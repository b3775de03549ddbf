//! `doctor`: what a render would use, what is missing, and where a host comes in.

use std::path::PathBuf;
use std::sync::Arc;

use super::root::RootArguments;
use super::{Context, Done, Outcome};
use crate::doctor::{Section, examine};
use crate::files::Files;
use crate::secrets::Secrets;

/// What Argo CD sets for a plugin.
const ARGOCD: [&str; 4] = [
    "ARGOCD_APP_NAME",
    "ARGOCD_APP_PROJECT_NAME",
    "ARGOCD_APP_SOURCE_PATH",
    "ARGOCD_APP_PARAMETERS",
];

/// Tells what a render of a directory finds: root, project, values, identities, sealed files, overlays.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What would be rendered
    #[arg(default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    root: RootArguments,
}

/// Looks, and prints a section a line; what is missing or wrong is told as in any other command.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let flags = &arguments.root;
    flags.with(
        context,
        &arguments.path,
        Secrets::Openable,
        |request, located| {
            let (sections, report) =
                examine(request, &(Arc::clone(&located.tree) as Arc<dyn Files>));
            let first = [
                Section {
                    name: "plugin",
                    lines: vec![env!("CARGO_PKG_VERSION").to_owned()],
                },
                Section {
                    name: "root",
                    lines: vec![located.tree.root().display().to_string()],
                },
                Section {
                    name: "path",
                    lines: vec![shown(request.directory.as_str()).to_owned()],
                },
                host(context),
            ];
            let mut text = String::new();
            for section in first.iter().chain(&sections) {
                let mut name = section.name;
                for line in &section.lines {
                    text.push_str(&format!("{name:<11} {line}\n"));
                    name = "";
                }
            }
            Ok(Done {
                stdout: text.into_bytes(),
                report,
                status: None,
            })
        },
    )
}

/// The host that the environment tells of.
fn host(context: &Context) -> Section {
    let set: Vec<&str> = ARGOCD
        .into_iter()
        .filter(|name| context.variable(name).is_some())
        .collect();
    let line = match set.as_slice() {
        [] => "none: started by hand".to_owned(),
        set => format!("Argo CD sets {}", set.join(", ")),
    };
    Section {
        name: "host",
        lines: vec![line],
    }
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}
