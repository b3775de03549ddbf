//! `template`: what makejinja writes.

use std::path::PathBuf;
use std::sync::Arc;

use super::identities::{self, KeyCommandArguments};
use super::{Context, Done, Outcome};
use crate::diagnostic::{Code, Diagnostic};
use crate::files::{Files, Kind, Stale, TreePath, locate};
use crate::project::makejinja::{Mode, TemplateRequest, template};
use crate::secrets::Opener;

/// Renders a tree of templates as makejinja does.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory that holds the makejinja.toml
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// The directory to write to
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Write nothing; exit with 4 and name what would change
    #[arg(long)]
    check: bool,
    /// Remove files that an earlier run wrote and this one does not
    #[arg(long)]
    remove_stale: bool,
    /// The boundary that no file of the repository leads out of
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyCommandArguments,
    /// The configuration, instead of makejinja.toml in the directory
    #[arg(long, value_name = "FILE", env = "MAKEJINJA_SETTINGS")]
    settings: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let located = locate(
        &arguments.directory,
        &context.working_directory,
        arguments.root.as_deref(),
    )?;
    let config = match &arguments.settings {
        Some(path) => beneath(path, context, &located.tree)?,
        None => located
            .directory
            .join("makejinja.toml")
            .unwrap_or_else(TreePath::root),
    };
    if located.tree.kind(&config)? != Some(Kind::File) {
        let phrase = format!("{config} does not exist");
        let diagnostic = Diagnostic::new(Code::FileMissing, phrase);
        return Err(diagnostic
            .help("name the directory that holds the makejinja.toml")
            .into());
    }
    let (invoker, keys) = (context.clone(), arguments.keys);
    let opener = Opener::new(move || identities::of_the_user(&invoker, keys.commands()));
    let request = TemplateRequest {
        tree: Arc::clone(&located.tree),
        config: &config,
        output: context.working_directory.join(&arguments.output),
        mode: if arguments.check {
            Mode::Check
        } else {
            Mode::Write
        },
        stale: if arguments.remove_stale {
            Stale::Remove
        } else {
            Stale::Keep
        },
        opener: &opener,
    };
    let report = template(&request)?;
    Ok(Done {
        report,
        ..Done::default()
    })
}

/// A file that the invoker names, as a path below the root.
fn beneath(
    path: &std::path::Path,
    context: &Context,
    tree: &crate::files::Tree,
) -> Result<TreePath, Diagnostic> {
    let absolute = context.working_directory.join(path);
    let found = absolute.to_str().and_then(|p| tree.from_absolute(p));
    found.ok_or_else(|| {
        Diagnostic::new(
            Code::OutsideRoot,
            format!("{} is not beneath the root", path.display()),
        )
        .help("name a wider root with --root")
    })
}
