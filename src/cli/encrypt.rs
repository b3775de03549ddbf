//! `encrypt`: seals a file by the creation rules of `.sops.yaml`.

use std::path::{Path, PathBuf};

use super::decrypt::{FormatName, Input, configuration, indents};
use super::identities::{self, KeyCommands};
use super::{Context, Done, Outcome};
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::Audience;
use crate::secrets::sealing::{
    self, EncryptRequest, Format, PlainFile, RuleOverride, SealedFile, Sealer,
};

/// Seals one plain file.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Arguments {
    /// The plain file; standard input when absent or -
    pub(super) file: Option<PathBuf>,
    /// The format of the file, when its name does not say
    #[arg(long, value_name = "FORMAT")]
    pub(super) input_type: Option<FormatName>,
    /// The format to seal it in
    #[arg(long, value_name = "FORMAT")]
    pub(super) output_type: Option<FormatName>,
    /// Write to a file instead of standard output; what did not change in it stays as it is
    #[arg(short, long, value_name = "FILE", conflicts_with = "in_place")]
    pub(super) output: Option<PathBuf>,
    /// Replace the file
    #[arg(short, long)]
    pub(super) in_place: bool,
    /// Seal every value anew, also where it did not change
    #[arg(long)]
    pub(super) fresh: bool,
    /// Choose the creation rule as for a file of this name
    #[arg(long, value_name = "PATH")]
    pub(super) filename_override: Option<PathBuf>,
    /// Seal by this file instead of the nearest .sops.yaml
    #[arg(long, value_name = "FILE", env = "SOPS_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Seal for these recipients, separated by commas
    #[arg(short, long, value_name = "RECIPIENTS", env = "SOPS_AGE_RECIPIENTS")]
    pub(super) age: Option<String>,
    #[command(flatten)]
    pub(super) selection: Selection,
    /// Let the MAC cover sealed values only
    #[arg(long)]
    pub(super) mac_only_encrypted: bool,
    /// Keys of services, by the field of a rule that would name them
    #[arg(skip)]
    pub(super) services: Vec<(String, String)>,
    /// How many of several key groups are needed
    #[arg(skip)]
    pub(super) threshold: Option<usize>,
    /// Indent by this many blanks
    #[arg(skip)]
    pub(super) indent: Option<usize>,
    /// Write over what stands at the output, whatever it is
    #[arg(skip)]
    pub(super) overwrite: bool,
}

/// What is sealed; without any of these, what the creation rule says.
#[derive(Debug, Default, clap::Args)]
#[group(multiple = false)]
pub(super) struct Selection {
    /// Leave what is below keys with this ending readable
    #[arg(long, value_name = "SUFFIX")]
    pub(super) unencrypted_suffix: Option<String>,
    /// Seal only what is below keys with this ending
    #[arg(long, value_name = "SUFFIX")]
    pub(super) encrypted_suffix: Option<String>,
    /// Leave what is below keys that match readable
    #[arg(long, value_name = "REGEX")]
    pub(super) unencrypted_regex: Option<String>,
    /// Seal only what is below keys that match
    #[arg(long, value_name = "REGEX")]
    pub(super) encrypted_regex: Option<String>,
    /// Leave what is below comments that match readable
    #[arg(long, value_name = "REGEX")]
    pub(super) unencrypted_comment_regex: Option<String>,
    /// Seal only what is below comments that match
    #[arg(long, value_name = "REGEX")]
    pub(super) encrypted_comment_regex: Option<String>,
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
        file: Some(file.to_owned()),
        output: Some(output.to_owned()),
        filename_override: Some(output.to_owned()),
        config: context.variable("SOPS_CONFIG").map(PathBuf::from),
        age: age.map(str::to_owned).or_else(of_environment),
        ..Arguments::default()
    };
    run(context, &arguments)
}

impl Arguments {
    /// What the command line says instead of a creation rule.
    pub(super) fn given(&self) -> RuleOverride {
        RuleOverride {
            age: self.age.clone(),
            services: self.services.clone(),
            threshold: self.threshold,
            selection: self.selection.to_field(),
            mac_only_encrypted: self.mac_only_encrypted,
        }
    }
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let target = match (&arguments.output, arguments.in_place) {
        (Some(output), _) => Some(output),
        (None, true) => arguments.file.as_ref(),
        (None, false) => None,
    };
    let _lock = target.map(|path| context.trusted.lock(path)).transpose()?;
    let input = Input::read(context, arguments.file.as_deref(), arguments.in_place)?;
    let named = arguments.filename_override.as_ref().or(input.path.as_ref());
    let Some(named) = named else {
        let phrase = "nothing says how standard input is to be sealed: give --filename-override";
        return Err(Diagnostic::new(Code::Usage, phrase).into());
    };
    let named_as = context.working_directory.join(named);
    let by_name = Format::of_path(&named_as.to_string_lossy());
    let output = arguments.output_type.map_or(by_name, Format::from);
    let earlier = earlier(context, arguments, output)?;
    let config = configuration(context, arguments.config.as_deref())?;
    let indents = indents(config.as_ref(), arguments.indent);
    let request = EncryptRequest {
        file: PlainFile {
            name: &input.name,
            bytes: &input.bytes,
            format: arguments.input_type.map_or(by_name, Format::from),
            output,
        },
        path: &named_as,
        config: config.as_ref().map(|(config, at)| (config, at.as_path())),
        given: arguments.given(),
        indents,
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
    let (sealed, report) = sealing::encrypt(&request, &identities, &mut sealer)?;
    let mut done = Done {
        report,
        ..Done::default()
    };
    match target {
        None => done.stdout = sealed,
        Some(path) => context.trusted.replace(path, &sealed, Audience::All)?,
    }
    Ok(done)
}

/// The sealed file that `--output` replaces, its name and its format; `None` when there is none.
fn earlier(
    context: &Context,
    arguments: &Arguments,
    output: Format,
) -> Result<Option<(String, Vec<u8>, Format)>> {
    let Some(path) = arguments.output.as_ref().filter(|_| !arguments.fresh) else {
        return Ok(None);
    };
    let name = path.display().to_string();
    let bytes = match context.trusted.read(&context.working_directory.join(path)) {
        Ok(bytes) => bytes,
        Err(error) if error.code() == Code::FileMissing => return Ok(None),
        Err(error) => return Err(error.at(Place::file(name))),
    };
    let full = |path: &Path| context.working_directory.join(path);
    let is_same = arguments.file.as_deref().map(full) == Some(full(path));
    if arguments.overwrite && !sealing::is_sealed(&bytes, Path::new(&name)) {
        return Ok(None);
    }
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
