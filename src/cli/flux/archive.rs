//! `flux build artifact`: the archive that `flux push artifact` sends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::{Context, Done, Outcome};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{Files, Kind, OutputFile, OutputTree, Stale, TreePath, locate};
use crate::flux::archive::{archive, archive_of_file};
use crate::pipeline::{ARTIFACT_DEFAULTS, Ignore};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The directory or file that is packed
    #[arg(long, short, value_name = "PATH")]
    path: PathBuf,
    /// The archive that is written
    #[arg(long, short, value_name = "FILE", default_value = "artifact.tgz")]
    output: PathBuf,
    /// Patterns of paths that are left out, in the place of the usual ones; may be repeated
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    ignore_paths: Vec<String>,
}

/// Packs a directory or a file.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let located = locate(&arguments.path, &context.working_directory, None)?;
    let files = Arc::clone(&located.tree) as Arc<dyn Files>;
    let path = &located.directory;
    let is_link = is_link(context, &arguments.path);
    let kind = files.kind(path)?;
    let base = match kind {
        Some(Kind::File) => path.parent().unwrap_or_else(TreePath::root),
        _ => path.clone(),
    };
    let mut ignore = Ignore::default();
    match arguments.ignore_paths.as_slice() {
        [] => ignore.add(ARTIFACT_DEFAULTS, &base),
        patterns => ignore.add(&patterns.join("\n"), &base),
    }
    let packed = match kind {
        // The walk does not follow the link that it begins with: nothing is packed.
        Some(Kind::Directory) if is_link => archive(&files, path, None)?,
        Some(Kind::Directory) => archive(&files, path, Some(&ignore))?,
        Some(Kind::File) => archive_of_file(&files, path, &ignore)?,
        None => {
            let phrase = format!("{} does not exist", arguments.path.display());
            return Err(Diagnostic::new(Code::FileMissing, phrase)
                .help("--path names a directory or a file")
                .into());
        }
    };
    let output = context.working_directory.join(&arguments.output);
    written(&output, packed)?;
    Ok(Done {
        report: Report::default(),
        ..Done::default()
    })
}

fn is_link(context: &Context, path: &Path) -> bool {
    context
        .trusted
        .is_link(&context.working_directory.join(path))
}

fn written(output: &Path, bytes: Vec<u8>) -> Result<()> {
    let name = output.file_name().and_then(|n| n.to_str());
    let (Some(path), Some(directory)) = (name.and_then(TreePath::parse), output.parent()) else {
        return Err(Diagnostic::new(Code::Usage, "--output names no file"));
    };
    let mut tree = OutputTree::new(directory, Stale::Keep);
    tree.insert(path, OutputFile::new(bytes));
    tree.write()
}
