//! `expand`: the tree with its templates rendered and its overlays listed, as files.

use std::path::PathBuf;

use super::root::RootArguments;
use super::{Context, Done, Outcome, encrypt};
use crate::expand::{Destination, expand};
use crate::files::{Tree, TreePath, resolved};
use crate::secrets::Secrets;
use crate::secrets::sealing::Sealer;

/// Writes what a build would read: templates rendered, overlays in the resource lists, secrets sealed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory of a root kustomization, or one that holds any number of them
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The directory that is written; it takes the place of PATH, and may be PATH itself
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// Write nothing; fail with 4 when -o would change something
    #[arg(long)]
    check: bool,
    /// What is written where a file is sealed, or a template makes a secret
    #[arg(long, value_enum, default_value_t)]
    secrets: Written,
    #[command(flatten)]
    root: RootArguments,
}

/// What becomes of secrets that are written: never plaintext, for which there is `render`.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Written {
    /// The sealed file; what templates make is sealed
    #[default]
    Keep,
    /// A token in the place of each value, to compare trees: not for a cluster
    Redact,
}

/// Expands a directory, and prints the directory to build where that is not the one of -o.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let output = context.working_directory.join(&arguments.output);
    let flags = &arguments.root;
    let secrets = match arguments.secrets {
        Written::Keep => Secrets::Keep,
        Written::Redact => Secrets::Redact,
    };
    flags.with(context, &arguments.path, secrets, |request, located| {
        let real = resolved(&output)?;
        let present = Tree::open(&real).ok();
        let below = real.strip_prefix(located.tree.root()).ok();
        let destination = Destination {
            directory: &real,
            inside: below.and_then(|p| p.to_str()).and_then(TreePath::parse),
            present: present.as_ref(),
        };
        let mut sealer = Sealer {
            now: encrypt::now(),
            random: &mut encrypt::randomness,
        };
        let expanded = expand(request, &located.tree, &destination, &mut sealer)?;
        let mut done = Done {
            report: expanded.report,
            ..Done::default()
        };
        if arguments.check {
            done.report
                .findings
                .extend(expanded.tree.check_as(&arguments.output).findings);
            return Ok(done);
        }
        expanded.tree.write()?;
        if let Some(root) = expanded.root.filter(|root| *root != TreePath::root()) {
            let shown = arguments.output.join(root.as_str());
            done.stdout = format!("{}\n", shown.display()).into_bytes();
        }
        Ok(done)
    })
}
