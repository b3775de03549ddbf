//! `flux build artifacts`: the files of the artifacts that an ArtifactGenerator makes.

use std::path::PathBuf;

use super::resource_set::documents;
use crate::cli::{Context, Done, Outcome};
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{Files, OutputFile, OutputTree, Stale, Tree, TreePath, resolved};
use crate::flux::artifact_generators::{SourceFiles, build};

/// What `flux build artifacts` is asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The file of the ArtifactGenerators; - is standard input
    #[arg(long = "filename", short = 'f', value_name = "FILE")]
    file: PathBuf,
    /// The directory below which NAMESPACE/NAME is written for each artifact
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// Where the files of a source are: ALIAS=DIRECTORY; may be repeated
    #[arg(long, value_name = "ALIAS=DIR", value_delimiter = ',')]
    local_sources: Vec<String>,
    /// Write nothing; fail with 4 when -o would change something
    #[arg(long)]
    check: bool,
    /// Let a generator make no artifact, with which Flux deletes all that it made
    #[arg(long)]
    allow_empty: bool,
}

/// Builds the artifacts of generators.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let trees = trees(context, &arguments.local_sources)?;
    let sources: SourceFiles<'_> = (trees.iter())
        .map(|(alias, tree)| (alias.clone(), tree as &dyn Files))
        .collect();
    let mut output = OutputTree::new(
        context.working_directory.join(&arguments.output),
        Stale::Remove,
    );
    for generator in documents(context, &arguments.file)? {
        if generator.get("kind").and_then(serde_json::Value::as_str) != Some("ArtifactGenerator") {
            continue;
        }
        let place = Place::file(arguments.file.display().to_string());
        let artifacts = build(&generator, &sources).map_err(|error| error.or_at(place.clone()))?;
        if artifacts.is_empty() && !arguments.allow_empty {
            return Err(nothing_is_made(place).into());
        }
        for artifact in artifacts {
            for (path, bytes) in artifact.files {
                let path = format!("{}/{}/{path}", artifact.namespace, artifact.name);
                let path = TreePath::parse(&path).ok_or_else(|| {
                    Diagnostic::new(Code::OutsideRoot, format!("{path} cannot be written"))
                })?;
                output.insert(path, OutputFile::new(bytes));
            }
        }
    }
    if arguments.check {
        return Ok(Done {
            report: output.check(),
            ..Done::default()
        });
    }
    output.write()?;
    Ok(Done::default())
}

fn nothing_is_made(place: Place) -> Diagnostic {
    Diagnostic::new(Code::RenderEmpty, "the generator makes no artifact")
        .at(place)
        .help("no directory fits pathPattern; --allow-empty takes it so")
}

fn trees(context: &Context, given: &[String]) -> Result<Vec<(String, Tree)>> {
    given
        .iter()
        .map(|source| {
            let (alias, directory) = source.split_once('=').ok_or_else(|| {
                Diagnostic::new(Code::Usage, "--local-sources takes ALIAS=DIRECTORY")
            })?;
            let directory = resolved(&context.working_directory.join(directory))?;
            Ok((alias.to_owned(), Tree::open(&directory)?))
        })
        .collect()
}
