//! `decrypt`: what `sops decrypt` prints.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use zeroize::Zeroizing;

use super::identities::{self, KeyCommands};
use super::{Context, Done, Outcome};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::Audience;
use crate::secrets::sealing::{
    self, Config, DecryptRequest, Format, Indents, KeyPath, MacCheck, SealedFile,
};

/// Opens one sealed file and prints it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The sealed file; standard input when absent or -
    pub(super) file: Option<PathBuf>,
    /// The format of the file, when its name does not say
    #[arg(long, value_name = "FORMAT")]
    pub(super) input_type: Option<FormatName>,
    /// The format to print
    #[arg(long, value_name = "FORMAT")]
    pub(super) output_type: Option<FormatName>,
    /// Print one part only: '["data"]["password"]'
    #[arg(long, value_name = "PATH")]
    pub(super) extract: Option<String>,
    /// Print what opens even when the file was changed after it was sealed
    #[arg(long)]
    pub(super) ignore_mac: bool,
    /// Write to a file, which only its owner can read, instead of standard output
    #[arg(short, long, value_name = "FILE", conflicts_with = "in_place")]
    pub(super) output: Option<PathBuf>,
    /// Replace the file by its plaintext, which only its owner can read
    #[arg(short, long)]
    pub(super) in_place: bool,
    /// Take the formats as for a file of this name
    #[arg(long, value_name = "PATH")]
    pub(super) filename_override: Option<PathBuf>,
    /// Take the indents from this file instead of the nearest .sops.yaml
    #[arg(long, value_name = "FILE", env = "SOPS_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Indent by this many blanks
    #[arg(skip)]
    pub(super) indent: Option<usize>,
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

/// What stands for standard input where a file is named.
pub(super) const STANDARD_INPUT: &str = "-";

/// A file that is read: the one that is named, or standard input.
pub(super) struct Input {
    /// Its path; `None` for standard input.
    pub(super) path: Option<PathBuf>,
    /// Its path, for messages.
    pub(super) name: String,
    /// Its bytes.
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl Input {
    /// Reads the file. Fails with [`Code::Usage`] where standard input is to be replaced, and with what reading fails
    /// with.
    pub(super) fn read(context: &Context, file: Option<&Path>, in_place: bool) -> Result<Self> {
        let Some(path) = file.filter(|path| *path != Path::new(STANDARD_INPUT)) else {
            if in_place {
                let phrase = "standard input cannot be replaced: name a file";
                return Err(Diagnostic::new(Code::Usage, phrase));
            }
            return Ok(Self {
                path: None,
                name: "standard input".to_owned(),
                bytes: context.trusted.read_stream(Path::new("/dev/stdin"))?.into(),
            });
        };
        Ok(Self {
            name: path.display().to_string(),
            bytes: context.trusted.read_stream(path)?.into(),
            path: Some(path.to_owned()),
        })
    }
}

impl From<Format> for FormatName {
    fn from(format: Format) -> Self {
        match format {
            Format::Yaml => Self::Yaml,
            Format::Json => Self::Json,
            Format::Dotenv => Self::Dotenv,
            Format::Ini => Self::Ini,
            Format::Binary => Self::Binary,
        }
    }
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let _lock = match (&arguments.file, arguments.in_place) {
        (Some(path), true) => Some(context.trusted.lock(path)?),
        _ => None,
    };
    let input = Input::read(context, arguments.file.as_deref(), arguments.in_place)?;
    let Input { name, bytes, .. } = &input;
    let named_as = arguments.filename_override.as_ref();
    let named_as = named_as.map_or_else(|| name.clone(), |path| path.display().to_string());
    let by_name = match (&input.path, &arguments.filename_override) {
        // Nothing says what standard input is but its shape.
        (None, None) => sealing::detect(bytes, "").unwrap_or(Format::Binary),
        _ => Format::of_path(&named_as),
    };
    let extract = arguments
        .extract
        .as_deref()
        .map(KeyPath::parse)
        .transpose()?;
    let config = configuration(context, arguments.config.as_deref())?;
    let request = DecryptRequest {
        file: SealedFile {
            name,
            bytes,
            format: arguments.input_type.map_or(by_name, Format::from),
        },
        output: arguments.output_type.map_or(by_name, Format::from),
        indents: indents(config.as_ref(), arguments.indent),
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
    let target = match arguments.in_place {
        true => &input.path,
        false => &arguments.output,
    };
    match target {
        None => done.stdout = plain.to_vec(),
        Some(path) => context.trusted.replace(path, &plain, Audience::Owner)?,
    }
    Ok(done)
}

/// How documents are indented: by what the command line says, the configuration, or as sops does.
pub(super) fn indents(config: Option<&(Config, PathBuf)>, given: Option<usize>) -> Indents {
    let usual = config.map_or_else(Indents::default, |(config, _)| config.indents);
    given.map_or(usual, Indents::of_blanks)
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
