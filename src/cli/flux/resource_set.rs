//! `flux build resourceset`: what flux-operator makes of a ResourceSet.

use std::path::{Path, PathBuf};

use crate::cli::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::flux::resource_sets::{Given, build};
use crate::yaml::{sigs, to_go_yaml};

/// What `flux build resourceset` is asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The file of the ResourceSet; - is standard input
    #[arg(long = "filename", short = 'f', value_name = "FILE")]
    file: PathBuf,
    /// A file with a list of inputs, in the place of the set's own
    #[arg(long, short, value_name = "FILE")]
    inputs_from: Option<PathBuf>,
    /// A file of ResourceSetInputProviders of the type Static
    #[arg(long, value_name = "FILE")]
    inputs_from_provider: Option<PathBuf>,
}

/// Builds a ResourceSet.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let first = |path: &PathBuf| -> Result<serde_json::Value> {
        Ok(documents(context, path)?
            .into_iter()
            .next()
            .unwrap_or_default())
    };
    let set = first(&arguments.file)?;
    let given = Given {
        inputs: arguments.inputs_from.as_ref().map(first).transpose()?,
        providers: arguments
            .inputs_from_provider
            .as_ref()
            .map(|path| documents(context, path))
            .transpose()?,
    };
    let steps = build(&set, &given).map_err(|error| error.or_at(place(&arguments.file)))?;
    let mut out = String::new();
    for step in steps {
        if !step.name.is_empty() && !step.objects.is_empty() {
            out.push_str(&format!("# step: {}\n", step.name));
        }
        for object in &step.objects {
            out.push_str("---\n");
            out.push_str(&to_go_yaml(object));
        }
    }
    Ok(out.into_bytes().into())
}

fn place(path: &Path) -> Place {
    Place::file(path.display().to_string())
}

/// Reads the documents of a file that the invoker names.
pub(super) fn documents(context: &Context, path: &Path) -> Result<Vec<serde_json::Value>> {
    let bytes = match path.to_str() {
        Some("-") => context.trusted.read_stream(Path::new("/dev/stdin"))?,
        _ => context
            .trusted
            .read(&context.working_directory.join(path))?,
    };
    let wrong = |words: String| Diagnostic::new(Code::YamlSyntax, words).at(place(path));
    let text =
        std::str::from_utf8(&bytes).map_err(|_| wrong("the file is not UTF-8".to_owned()))?;
    let documents = sigs::documents(text).map_err(|error| wrong(error.0))?;
    Ok(documents
        .into_iter()
        .filter(|document| !document.is_null())
        .collect())
}
