//! `render`: the manifests of a directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::flux::Escape;
use super::root::RootArguments;
use super::{Context, Done, Outcome};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::{Files, OutputFile, OutputTree, Stale, TreePath};
use crate::flux::protect::protect;
use crate::kube::layout;
use crate::pipeline::{self, Manifests};
use crate::secrets::Secrets;

/// What `render` is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory of the kustomization
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Write to a file, or to a directory (one file an object) when it ends in /
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Write nothing; fail with 4 when -o would change something
    #[arg(long)]
    check: bool,
    /// What leaves the plugin where a file is sealed
    #[arg(long, value_enum, default_value_t)]
    secrets: SecretsArgument,
    /// Keep `${…}` and `$$` from a Flux Kustomization that fills variables
    #[arg(
        long,
        value_enum,
        value_name = "HOW",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "annotate"
    )]
    flux_escape: Option<Escape>,
    #[command(flatten)]
    root: RootArguments,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum SecretsArgument {
    /// The plaintext
    #[default]
    Plain,
    /// Sealed files as they are, unopened; what depends on other sealed values does not leave
    Keep,
    /// A token for whatever depends on a sealed value, and for every value of a Secret
    Redact,
}

impl From<SecretsArgument> for Secrets {
    fn from(argument: SecretsArgument) -> Self {
        match argument {
            SecretsArgument::Plain => Self::Plain,
            SecretsArgument::Keep => Self::Keep,
            SecretsArgument::Redact => Self::Redact,
        }
    }
}

/// Renders a directory.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let secrets = arguments.secrets.into();
    let root = &arguments.root;
    let mut rendered = root.with(context, &arguments.path, secrets, |request, located| {
        pipeline::render(request, Arc::clone(&located.tree) as Arc<dyn Files>)
    })?;
    let mut done = Done {
        report: rendered.warnings.clone(),
        ..Done::default()
    };
    if let Some(escape) = arguments.flux_escape {
        let told = protect(&mut rendered.resources, escape.into());
        done.report.findings.extend(told.findings);
    }
    match &arguments.output {
        None if arguments.check => {
            let phrase = "--check compares with what -o names, and there is no -o";
            return Err(Diagnostic::new(Code::Usage, phrase).into());
        }
        None => done.stdout = rendered.to_yaml()?,
        Some(output) => {
            let tree = output_tree(&rendered, &context.working_directory.join(output))?;
            if arguments.check {
                done.report.findings.extend(tree.check().findings);
            } else {
                tree.write()?;
            }
        }
    }
    // The process ends here: taking a large build apart, node by node, would only cost time.
    std::mem::forget(rendered);
    Ok(done)
}

/// What `-o` names: a directory of one file an object where it ends in `/` or is one, else a file.
fn output_tree(rendered: &Manifests, output: &Path) -> Result<OutputTree> {
    let ends_in_slash = output.as_os_str().as_encoded_bytes().ends_with(b"/");
    if ends_in_slash || output.is_dir() {
        let mut tree = OutputTree::new(output, Stale::Remove);
        for (name, file) in layout::files(&rendered.resources)? {
            let path = TreePath::parse(&name).expect("a layout stays in its directory");
            let output = OutputFile::new(file.bytes).for_owner(file.holds_secrets);
            tree.insert(path, output);
        }
        return Ok(tree);
    }
    let name = output.file_name().and_then(|n| n.to_str());
    let (Some(path), Some(directory)) = (name.and_then(TreePath::parse), output.parent()) else {
        return Err(Diagnostic::new(Code::Usage, "-o names no file"));
    };
    let mut tree = OutputTree::new(directory, Stale::Keep);
    let mut objects = rendered.resources.iter();
    let holds_secrets = objects.any(|object| layout::holds_a_secret(object.node()));
    let output = OutputFile::new(rendered.to_yaml()?).for_owner(holds_secrets);
    tree.insert(path, output);
    Ok(tree)
}
