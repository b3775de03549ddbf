//! `encrypt`: seals a file by the creation rules of `.sops.yaml`.

use std::path::{Path, PathBuf};

use super::decrypt::{FormatName, configuration};
use super::identities::{self, KeyCommands};
use super::{Context, Done, Outcome};
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::Audience;
use crate::secrets::sealing::{
    self, EncryptRequest, Format, PlainFile, RuleOverride, SealedFile, Sealer,
};

/// Seals one plain file.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The plain file
    file: PathBuf,
    /// The format of the file, when its name does not tell
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<FormatName>,
    /// The format to seal it in
    #[arg(long, value_name = "FORMAT")]
    output_type: Option<FormatName>,
    /// Write to a file instead of standard output; what did not change in it stays as it is
    #[arg(short, long, value_name = "FILE", conflicts_with = "in_place")]
    output: Option<PathBuf>,
    /// Replace the file
    #[arg(short, long)]
    in_place: bool,
    /// Choose the creation rule as for a file of this name
    #[arg(long, value_name = "PATH")]
    filename_override: Option<PathBuf>,
    /// Seal by this file instead of the nearest .sops.yaml
    #[arg(long, value_name = "FILE", env = "SOPS_CONFIG")]
    config: Option<PathBuf>,
    /// Seal for these recipients, separated by commas
    #[arg(short, long, value_name = "RECIPIENTS", env = "SOPS_AGE_RECIPIENTS")]
    age: Option<String>,
    #[command(flatten)]
    selection: Selection,
    /// Let the MAC cover sealed values only
    #[arg(long)]
    mac_only_encrypted: bool,
}

/// What is sealed; without any of these, what the creation rule says.
#[derive(Debug, Default, clap::Args)]
#[group(multiple = false)]
struct Selection {
    /// Leave what is below keys with this ending readable
    #[arg(long, value_name = "SUFFIX")]
    unencrypted_suffix: Option<String>,
    /// Seal only what is below keys with this ending
    #[arg(long, value_name = "SUFFIX")]
    encrypted_suffix: Option<String>,
    /// Leave what is below keys that match readable
    #[arg(long, value_name = "REGEX")]
    unencrypted_regex: Option<String>,
    /// Seal only what is below keys that match
    #[arg(long, value_name = "REGEX")]
    encrypted_regex: Option<String>,
    /// Leave what is below comments that match readable
    #[arg(long, value_name = "REGEX")]
    unencrypted_comment_regex: Option<String>,
    /// Seal only what is below comments that match
    #[arg(long, value_name = "REGEX")]
    encrypted_comment_regex: Option<String>,
}

impl Selection {
    fn to_field(&self) -> Option<(String, String)> {
        let fields = [
            ("unencrypted_suffix", &self.unencrypted_suffix),
            ("encrypted_suffix", &self.encrypted_suffix),
            ("unencrypted_regex", &self.unencrypted_regex),
            ("encrypted_regex", &self.encrypted_regex),
            ("unencrypted_comment_regex", &self.unencrypted_comment_regex),
            ("encrypted_comment_regex", &self.encrypted_comment_regex),
        ];
        let mut given = fields
            .into_iter()
            .filter_map(|(name, text)| Some((name, text.clone()?)));
        given.next().map(|(name, text)| (name.to_owned(), text))
    }
}

/// Seals a file into another one, by the creation rule of the sealed file's name.
pub(super) fn seal(context: &Context, file: &Path, output: &Path, age: Option<&str>) -> Outcome {
    let of_environment = || context.variable("SOPS_AGE_RECIPIENTS").map(str::to_owned);
    let arguments = Arguments {
        file: file.to_owned(),
        input_type: None,
        output_type: None,
        output: Some(output.to_owned()),
        in_place: false,
        filename_override: Some(output.to_owned()),
        config: context.variable("SOPS_CONFIG").map(PathBuf::from),
        age: age.map(str::to_owned).or_else(of_environment),
        selection: Selection::default(),
        mac_only_encrypted: false,
    };
    run(context, &arguments)
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let name = arguments.file.display().to_string();
    let path = context.working_directory.join(&arguments.file);
    let bytes = context.trusted.read_stream(&arguments.file)?;
    let target = match (&arguments.output, arguments.in_place) {
        (Some(output), _) => Some(output),
        (None, true) => Some(&arguments.file),
        (None, false) => None,
    };
    let named_as = arguments
        .filename_override
        .as_ref()
        .map(|p| context.working_directory.join(p));
    let named_as = named_as.unwrap_or(path);
    let by_name = Format::of_path(&named_as.to_string_lossy());
    let output = arguments.output_type.map_or(by_name, Format::from);
    let earlier = earlier(context, arguments, output)?;
    let config = configuration(context, arguments.config.as_deref())?;
    let directory = config
        .as_ref()
        .map(|(_, directory)| directory.clone())
        .unwrap_or_default();
    let request = EncryptRequest {
        file: PlainFile {
            name: &name,
            bytes: &bytes,
            format: arguments.input_type.map_or(by_name, Format::from),
            output,
        },
        path: &named_as,
        config: config.map(|(config, _)| (config, directory.as_path())),
        given: RuleOverride {
            age: arguments.age.clone(),
            selection: arguments.selection.to_field(),
            mac_only_encrypted: arguments.mac_only_encrypted,
        },
        previous: earlier.as_ref().map(|(name, bytes, format)| SealedFile {
            name,
            bytes,
            format: *format,
        }),
    };
    let identities = identities::of_the_user(context, KeyCommands::Run);
    let mut sealer = Sealer {
        now: now(),
        random: &mut randomness,
    };
    let sealed = sealing::encrypt(&request, &identities, &mut sealer)?;
    match target {
        None => Ok(Done::from(sealed)),
        Some(path) => {
            context.trusted.replace(path, &sealed, Audience::All)?;
            Ok(Done::default())
        }
    }
}

/// The sealed file that `--output` replaces, its name and its format; `None` when there is none.
fn earlier(
    context: &Context,
    arguments: &Arguments,
    output: Format,
) -> Result<Option<(String, Vec<u8>, Format)>> {
    let Some(path) = &arguments.output else {
        return Ok(None);
    };
    let name = path.display().to_string();
    let bytes = match context.trusted.read(&context.working_directory.join(path)) {
        Ok(bytes) => bytes,
        Err(error) if error.code() == Code::FileMissing => return Ok(None),
        Err(error) => return Err(error.at(Place::file(name))),
    };
    let is_same =
        context.working_directory.join(path) == context.working_directory.join(&arguments.file);
    if is_same || !sealing::is_sealed(&bytes, Path::new(&name)) {
        let phrase = format!("{name} is there and is not a sealed file");
        return Err(Diagnostic::new(Code::WriteFailed, phrase)
            .at(Place::file(name))
            .help("remove it, or write to another file"));
    }
    Ok(Some((name, bytes, output)))
}

/// Fills bytes with randomness of the operating system.
pub(super) fn randomness(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system has randomness");
}

/// The moment of sealing.
pub(super) fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}
