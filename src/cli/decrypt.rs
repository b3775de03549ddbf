//! `decrypt`: what `sops decrypt` prints.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::identities::{self, KeyCommands};
use super::{Context, Done, Outcome};
use crate::diagnostic::{Code, Result};
use crate::files::Audience;
use crate::secrets::sealing::{
    self, Config, DecryptRequest, Extract, Format, Indents, MacCheck, SealedFile,
};

/// Opens one sealed file and prints it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The sealed file
    file: PathBuf,
    /// The format of the file, when its name does not tell
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<FormatName>,
    /// The format to print
    #[arg(long, value_name = "FORMAT")]
    output_type: Option<FormatName>,
    /// Print one part only: '["data"]["password"]'
    #[arg(long, value_name = "PATH")]
    extract: Option<String>,
    /// Print what opens even when the file was changed after it was sealed
    #[arg(long)]
    ignore_mac: bool,
    /// Write to a file, which only its owner can read, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Take the indents from this file instead of the nearest .sops.yaml
    #[arg(long, value_name = "FILE", env = "SOPS_CONFIG")]
    config: Option<PathBuf>,
}

/// The formats of SOPS by their names.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum FormatName {
    Yaml,
    Json,
    Dotenv,
    Ini,
    Binary,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Yaml => Self::Yaml,
            FormatName::Json => Self::Json,
            FormatName::Dotenv => Self::Dotenv,
            FormatName::Ini => Self::Ini,
            FormatName::Binary => Self::Binary,
        }
    }
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let name = arguments.file.display().to_string();
    let bytes = context.trusted.read_stream(&arguments.file)?;
    let by_name = Format::of_path(&name);
    let extract = arguments
        .extract
        .as_deref()
        .map(Extract::parse)
        .transpose()?;
    let config = configuration(context, arguments.config.as_deref())?;
    let request = DecryptRequest {
        file: SealedFile {
            name: &name,
            bytes: &bytes,
            format: arguments.input_type.map_or(by_name, Format::from),
        },
        output: arguments.output_type.map_or(by_name, Format::from),
        indents: config.map_or_else(Indents::default, |(config, _)| config.indents),
        mac: if arguments.ignore_mac {
            MacCheck::Ignore
        } else {
            MacCheck::Verify
        },
        extract,
    };
    let identities = identities::of_the_user(context, KeyCommands::Run);
    let (plain, report) = sealing::decrypt(&request, &identities)?;
    let mut done = Done {
        report,
        ..Done::default()
    };
    match &arguments.output {
        None => done.stdout = plain.to_vec(),
        Some(path) => context.trusted.replace(path, &plain, Audience::Owner)?,
    }
    Ok(done)
}

/// The deepest directory in which `.sops.yaml` is looked for from.
const MAX_ANCESTORS: usize = 100;

/// The configuration that is named, or the nearest one above the working directory, and its directory.
pub(super) fn configuration(
    context: &Context,
    named: Option<&Path>,
) -> Result<Option<(Config, PathBuf)>> {
    // The usual way to say that there is none.
    if named == Some(Path::new("/dev/null")) {
        return Ok(None);
    }
    if let Some(path) = named {
        let full = context.working_directory.join(path);
        let config = Config::parse(&context.trusted.read(&full)?, &path.display().to_string())?;
        let directory = full.parent().map(PathBuf::from).unwrap_or_default();
        return Ok(Some((config, directory)));
    }
    for directory in context.working_directory.ancestors().take(MAX_ANCESTORS) {
        let path = directory.join(".sops.yaml");
        match context.trusted.read(&path) {
            Ok(bytes) => {
                let shown = path
                    .strip_prefix(&context.working_directory)
                    .unwrap_or(&path);
                let config = Config::parse(&bytes, &shown.display().to_string())?;
                return Ok(Some((config, directory.to_owned())));
            }
            Err(error) if error.code() == Code::FileMissing => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
