//! One sealed file in, one plain file out, and the other way: what `decrypt` and `encrypt` do.

use std::path::{Component, Path, PathBuf};

pub use crate::sops::{
    Ask, Config, CreationRule, Extract, Fetch, Format, Found, Identities, IdentityText, Indents,
    MacCheck, PlainFile, RuleOverride, SealedFile, Sealer,
};

use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::sops::{self, Losses, Options, Values};
use zeroize::Zeroizing;

/// How one sealed file is opened.
#[derive(Debug)]
pub struct DecryptRequest<'a> {
    /// The file.
    pub file: SealedFile<'a>,
    /// The format of the result.
    pub output: Format,
    /// How the result is indented.
    pub indents: Indents,
    /// Whether the MAC decides.
    pub mac: MacCheck,
    /// The only part that is wanted.
    pub extract: Option<Extract>,
}

/// Opens one sealed file as `sops decrypt` does, and tells what sops loses in printing it. Fails as
/// [`sops::decrypt`] does.
pub fn decrypt(
    request: &DecryptRequest<'_>,
    identities: &Identities,
) -> Result<(Zeroizing<Vec<u8>>, Report)> {
    let options = Options {
        output: request.output,
        indents: request.indents,
        mac: request.mac,
        values: Values::Plain,
        losses: Losses::Repeat,
        extract: request.extract.as_ref(),
    };
    let opened = sops::decrypt(&request.file, identities, &options)?;
    let warnings = Report {
        findings: opened.warnings,
    };
    Ok((opened.bytes, warnings))
}

/// How one plain file is sealed.
#[derive(Debug)]
pub struct EncryptRequest<'a> {
    /// The file.
    pub file: PlainFile<'a>,
    /// The real path of the file, for `path_regex`.
    pub path: &'a Path,
    /// The configuration, and the directory it is in.
    pub config: Option<(Config, &'a Path)>,
    /// What the command line says instead.
    pub given: RuleOverride,
    /// The sealed file that the result replaces.
    pub previous: Option<SealedFile<'a>>,
}

/// Seals one plain file as `sops encrypt` does, and keeps what an earlier sealed version already says.
///
/// Fails with [`Code::SopsNoRule`] without a rule or recipient, and as [`sops::encrypt`] does.
pub fn encrypt(
    request: &EncryptRequest<'_>,
    identities: &Identities,
    sealer: &mut Sealer<'_>,
) -> Result<Vec<u8>> {
    let written = match &request.config {
        Some((config, directory)) if config.has_rules() => {
            let path = cleaned(request.path);
            let path = path.strip_prefix(directory).unwrap_or(&path);
            match config.rule_for(&path.to_string_lossy()) {
                Ok(rule) => Some(rule),
                // The recipients of the command line need no rule.
                Err(error) if error.code() == Code::SopsNoRule && request.given.age.is_some() => {
                    None
                }
                Err(error) if error.code() == Code::SopsNoRule => {
                    let known = config.first_recipients();
                    let rule = lacking_rule(request.path, identities, known);
                    return Err(error
                        .help(format!("add this to `creation_rules`:\n{rule}"))
                        .help("or name the recipients with --age, which needs no rule"));
                }
                Err(error) => return Err(error),
            }
        }
        _ => None,
    };
    let rule = CreationRule::with(written, &request.given)?.ok_or_else(|| {
        Diagnostic::new(
            Code::SopsNoRule,
            "nothing says whom this file is to be sealed for",
        )
        .help(format!(
            "write this into .sops.yaml, or give --age:\ncreation_rules:\n{}",
            lacking_rule(request.path, identities, None)
        ))
    })?;
    let indents = request
        .config
        .as_ref()
        .map_or_else(Indents::default, |(config, _)| config.indents);
    let previous = request.previous.as_ref().map(|file| (file, identities));
    sops::encrypt(&request.file, previous, &rule, &indents, sealer)
}

/// A path without `.` and `..`, as sops compares it with `path_regex`.
fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            // There is nothing above `/`, where this does nothing.
            Component::ParentDir => drop(clean.pop()),
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => clean.push(part),
        }
    }
    clean
}

/// The creation rule that a file lacks, for the recipients of other rules or the first identity at hand.
fn lacking_rule(path: &Path, identities: &Identities, known: Option<String>) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut pattern = String::new();
    for c in name.chars() {
        if ".+*?()|[]{}^$\\".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    let own = || identities.public_keys().next().map(str::to_owned);
    let recipient = known.or_else(own).unwrap_or_else(|| "age1…".to_owned());
    format!("  - path_regex: (^|/){pattern}$\n    age: {recipient}")
}

/// Whether a file is sealed, told by its name and its bytes.
pub fn is_sealed(bytes: &[u8], path: &Path) -> bool {
    sops::detect(bytes, &path.to_string_lossy()).is_some()
}
